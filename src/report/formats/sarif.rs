//! `findings.sarif`: one finding a result, at every place of its credential. What lives in a
//! system and in no file has a logical location.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use keymuster_api::Severity;
use serde_json::{Value, json};

use super::Format;
use crate::report::{Document, FindingEntry, FormatCx, PlaceEntry, sarif, wire};

/// Locations per result that viewers take.
const LOCATIONS: usize = 100;

pub(super) struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn file(&self) -> &'static str {
        "findings.sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0, for code scanning and dashboards"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let (rules, index) = rules(doc);
        let resources: BTreeSet<&str> = doc
            .credentials
            .iter()
            .flat_map(|credential| &credential.places)
            .map(|place| place.resource.as_str())
            .collect();
        let several = resources.len() > 1;
        let results: Vec<Value> = doc
            .findings
            .iter()
            // A merged finding is told under the one it was merged into.
            .filter(|finding| finding.state != "superseded")
            .map(|finding| result(doc, finding, index.get(finding.check.as_str()), several))
            .collect();
        wire::pretty(
            out,
            &sarif::log("audit", &doc.tool.version, &rules, &results),
        )?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        sarif::check(written)
    }
}

/// Every check with a finding, by id, with its place in the list.
pub(super) fn rules(doc: &Document) -> (Vec<Value>, BTreeMap<&str, usize>) {
    let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in &doc.findings {
        let grade = worst.entry(&finding.check).or_insert(Severity::Info);
        *grade = (*grade).max(finding.grade());
    }
    let index = worst.keys().enumerate().map(|(ix, &id)| (id, ix)).collect();
    let rules = worst
        .into_iter()
        .map(|(id, severity)| {
            let check = doc.checks.iter().find(|check| check.id == id);
            let help = check.map(|check| format!("{} {}", check.decided, check.remedy));
            let mut rule = sarif::rule(&sarif::Rule {
                id,
                title: check.map_or(id, |check| &check.title),
                why: check.map_or("", |check| &check.why),
                help: help.as_deref().unwrap_or_default(),
                page: None,
                severity,
            });
            if let Some(check) = check {
                rule["name"] = json!(check.slug);
            }
            rule
        })
        .collect();
    (rules, index)
}

fn result(doc: &Document, finding: &FindingEntry, rule: Option<&usize>, several: bool) -> Value {
    let credential = doc.credential(&finding.subject);
    let mut locations: Vec<Value> = credential
        .into_iter()
        .flat_map(|credential| &credential.places)
        .filter(|place| place.suppressed.is_none() && sarif::is_file(&place.path))
        .take(LOCATIONS - 1)
        .map(|place| physical(place, several))
        .collect();
    let of_system = credential.is_none_or(|credential| credential.listed);
    if of_system || locations.is_empty() {
        locations.push(logical(finding));
    }
    let mut result = json!({
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": sarif::level(finding.grade()),
        "message": {"text": sarif::message(&finding.title, 1000)},
        "locations": locations,
        "partialFingerprints": {"primaryLocationLineHash": finding.finding_id},
        "fingerprints": {"findingId/v1": finding.finding_id},
        "rank": finding.score,
        "baselineState": match finding.state.as_str() {
            "new" | "regressed" => "new",
            "fixed" => "absent",
            _ => "unchanged",
        },
        "properties": finding,
    });
    if matches!(finding.state.as_str(), "suppressed" | "accepted") {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": finding.state,
        }]);
    }
    result
}

fn physical(place: &PlaceEntry, several: bool) -> Value {
    let path = if several {
        format!("{}/{}", place.resource, place.path)
    } else {
        place.path.clone()
    };
    let mut location = json!({"artifactLocation": {"uri": sarif::uri(&path)}});
    if let (Some(line), Some(column)) = (place.line, place.column) {
        // Ours is the column of the last byte, SARIF's the one after it.
        location["region"] = json!({
            "startLine": line,
            "startColumn": column,
            "endLine": place.end_line.unwrap_or(line),
            "endColumn": place.end_column.unwrap_or(column) + 1,
        });
    }
    json!({"physicalLocation": location})
}

fn logical(finding: &FindingEntry) -> Value {
    json!({"logicalLocations": [{
        "name": finding.credential.as_deref().unwrap_or(&finding.subject),
        "fullyQualifiedName": finding.subject,
        "kind": match finding.subject_kind.as_str() {
            "record" => "record",
            "scope" => "scope",
            _ => "resource",
        },
    }]})
}
