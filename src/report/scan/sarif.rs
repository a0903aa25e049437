//! SARIF 2.1.0 of a scan: one result per place.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use keymuster_api::Severity;
use serde_json::{Map, Value, json};

use super::{RuleInfo, ScanCx, ScanFormat, row::Row};
use crate::{
    estate::Sighting,
    report::{sarif, wire},
};

pub(super) struct Sarif;

impl ScanFormat for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0, for code scanning"
    }

    fn write(
        &self,
        sightings: &[Sighting],
        cx: &ScanCx<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (rules, index) = rules(sightings, cx);
        let mut seen: BTreeMap<(&str, String, String), u32> = BTreeMap::new();
        let results: Vec<Value> = sightings
            .iter()
            .map(|sighting| {
                // The same secret twice in one file gives two results, told apart by a count
                // and not by line, so that an edit above them does not make them new.
                let row = Row::new(sighting, cx);
                let key = (row.rule, row.path.clone(), row.secret_id.clone());
                let nth = seen.entry(key).or_default();
                *nth += 1;
                result(sighting, &row, index.get(row.rule).copied(), *nth)
            })
            .collect();
        wire::pretty(out, &sarif::log("scan", cx.tool_version, &rules, &results))?;
        out.flush()
    }
}

/// Every rule of the run and every rule of a sighting, by id, with its place in the list. The
/// severity of a rule is that of its worst sighting, because viewers show it for the results.
fn rules<'a>(
    sightings: &'a [Sighting],
    cx: &'a ScanCx<'_>,
) -> (Vec<Value>, BTreeMap<&'a str, usize>) {
    let mut all: BTreeMap<&str, (Option<&RuleInfo>, Option<Severity>)> = cx
        .rules
        .iter()
        .map(|(id, rule)| (id.as_str(), (Some(rule), None)))
        .collect();
    for sighting in sightings {
        let (_, worst) = all.entry(&*sighting.rule).or_default();
        *worst = (*worst).max(Some(sighting.severity));
    }
    let index = all.keys().enumerate().map(|(ix, &id)| (id, ix)).collect();
    let rules = all
        .into_iter()
        .map(|(id, (rule, worst))| {
            let page = rule.map_or("", |rule| &rule.page);
            let address = page.starts_with("https://").then_some(page);
            sarif::rule(&sarif::Rule {
                id,
                title: rule.map_or(id, |rule| &rule.title),
                why: rule.map_or("", |rule| &rule.why),
                help: if address.is_some() { "" } else { page },
                page: address,
                severity: worst
                    .or(rule.map(|rule| rule.severity))
                    .unwrap_or(Severity::Medium),
            })
        })
        .collect();
    (rules, index)
}

fn result(sighting: &Sighting, row: &Row<'_>, rule: Option<usize>, nth: u32) -> Value {
    let what = match &row.handle {
        Some(handle) => format!("{}: {}", row.title, handle.value),
        None => format!("{}: {}", row.title, row.preview),
    };
    let mut result = json!({
        "ruleId": row.rule,
        "ruleIndex": rule,
        "level": sarif::level(sighting.severity),
        "message": {"text": sarif::message(&what, 1000)},
        "locations": [location(sighting, row)],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:{nth}", row.secret_id),
        },
        "fingerprints": {"secretId/v1": row.secret_id},
    });
    if let Some(entry) = &sighting.suppressed {
        let kind = if entry.by == "inline comment" {
            "inSource"
        } else {
            "external"
        };
        result["suppressions"] = json!([{
            "kind": kind,
            "status": "accepted",
            "justification": format!("{} ({})", entry.reason, entry.by),
        }]);
    }
    // The rest of what is known, under the names of `jsonl`.
    let mut properties = Map::new();
    if let Ok(Value::Object(members)) = serde_json::to_value(row) {
        let told = [
            "schema",
            "rule",
            "path",
            "line",
            "column",
            "end_line",
            "end_column",
            "suppressed",
        ];
        properties.extend(
            members
                .into_iter()
                .filter(|(name, _)| !told.contains(&name.as_str())),
        );
    }
    result["properties"] = Value::Object(properties);
    result
}

fn location(sighting: &Sighting, row: &Row<'_>) -> Value {
    if !sarif::is_file(&sighting.path) {
        let id = row.commit.as_ref().map(|commit| &commit.id);
        return json!({"logicalLocations": [{
            "fullyQualifiedName": match id.or(row.blob.as_ref()) {
                Some(id) => format!("{} {id}", row.path),
                None => row.path.clone(),
            },
            "kind": "object",
        }]});
    }
    let mut place = json!({"artifactLocation": {"uri": sarif::uri(&row.path)}});
    if let Some(at) = sighting.position {
        // Ours is the column of the last byte, SARIF's the one after it.
        place["region"] = json!({
            "startLine": at.line,
            "startColumn": at.column,
            "endLine": at.end_line,
            "endColumn": at.end_column + 1,
        });
    }
    json!({"physicalLocation": place})
}
