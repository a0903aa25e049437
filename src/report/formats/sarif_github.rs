//! `sarif-github/`: SARIF as GitHub's code scanning takes it, one file for each repository.
//!
//! GitHub shows the first location only, wants it relative to the repository and with all four
//! region members, tells results apart by rule, path and `primaryLocationLineHash`, ignores
//! suppressions, and closes what the next upload of the same category does not hold
//! (docs.github.com, "SARIF support for code scanning"). So a repository that was not seen
//! completely gets no file, and what lives in no file (cloud keys, records) is not told here.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{Format, Split, sarif::rules};
use crate::report::{Document, FindingEntry, FormatCx, PlaceEntry, sarif, wire};

/// Results of one run that GitHub shows; more are accepted and hidden.
const SHOWN: usize = 5_000;

pub(super) struct SarifGithub;

impl Format for SarifGithub {
    fn name(&self) -> &'static str {
        "sarif-github"
    }

    fn file(&self) -> &'static str {
        "sarif-github/files.json"
    }

    fn about(&self) -> &'static str {
        "SARIF for GitHub code scanning, one file for each repository"
    }

    fn split(&self, doc: &Document) -> Option<Split> {
        let mut split = Split::default();
        for (repository, complete) in repositories(doc) {
            if !complete {
                let why = "not seen completely: an upload would close what was not looked at";
                split.left_out.push((repository.to_owned(), why.to_owned()));
                continue;
            }
            let findings: Vec<FindingEntry> = doc
                .findings
                .iter()
                .filter(|finding| is_told(finding))
                .filter(|finding| place_in(doc, finding, repository).is_some())
                .cloned()
                .collect();
            let mut chunks: Vec<&[FindingEntry]> = findings.chunks(SHOWN).collect();
            if chunks.is_empty() {
                // An empty file closes what was mended.
                chunks.push(&[]);
            }
            for (number, chunk) in (1..).zip(chunks) {
                let mut part = doc.with(chunk.to_vec());
                for credential in &mut part.credentials {
                    credential
                        .places
                        .retain(|place| place.resource == repository && counts(place));
                }
                let category = match number {
                    1 => repository.to_owned(),
                    _ => format!("{repository}//{number}"),
                };
                part.run.facts.insert("category".to_owned(), category);
                let name = file_name(repository, number, &split);
                split.parts.push((name, part));
            }
        }
        Some(split)
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let category = doc.run.facts.get("category");
        // The part's own repository; `repository/2` holds what did not fit into the first.
        let repository = category.map(|name| name.split("//").next().unwrap_or(name));
        let told: Vec<(&FindingEntry, PlaceEntry)> = doc
            .findings
            .iter()
            .filter(|finding| is_told(finding))
            .filter_map(|finding| Some((finding, place(doc, finding, repository)?)))
            .collect();
        let (mut rules, index) = rules(doc);
        if rules.is_empty() {
            // A file without rules is refused.
            rules.push(sarif::rule(&sarif::Rule {
                id: "EXP-01",
                title: "Secret in source",
                why: "",
                help: "",
                page: None,
                severity: keymuster_api::Severity::High,
            }));
        }
        let results: Vec<Value> = told
            .into_iter()
            .map(|(finding, place)| result(finding, &place, index.get(finding.check.as_str())))
            .collect();
        let category = category.map_or("all", String::as_str);
        let category = format!("audit/{}", category.replace("//", "/"));
        wire::pretty(
            out,
            &sarif::log(&category, &doc.tool.version, &rules, &results),
        )?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        sarif::check(written)?;
        let log: Value = serde_json::from_slice(written).map_err(|error| error.to_string())?;
        let results = log["runs"][0]["results"].as_array();
        let results = results.map_or(&[][..], Vec::as_slice);
        let mut keys = BTreeSet::new();
        for result in results {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap_or("/");
            if uri.is_empty() || uri.starts_with('/') || uri.contains("://") {
                return Err(format!("'{uri}' is not relative to the repository"));
            }
            let region = ["startLine", "startColumn", "endLine", "endColumn"];
            if region
                .iter()
                .any(|member| place["region"][member].is_null())
            {
                return Err(format!("{uri} has no whole region"));
            }
            let hash = &result["partialFingerprints"]["primaryLocationLineHash"];
            if !keys.insert((result["ruleId"].to_string(), uri, hash.to_string())) {
                return Err(format!("two results of {uri} are one to GitHub"));
            }
        }
        Ok(())
    }
}

/// Every repository of the run, and whether all of it was seen.
fn repositories(doc: &Document) -> BTreeMap<&str, bool> {
    let mut all: BTreeMap<&str, bool> = BTreeMap::new();
    for coverage in &doc.coverage {
        if let Some(name) = coverage.scope.strip_prefix("git:") {
            *all.entry(name).or_insert(true) &= coverage.complete;
        }
    }
    for gap in &doc.gaps {
        for (name, complete) in &mut all {
            let named = |text: &str| text == *name || text.starts_with(&format!("{name}:"));
            if named(&gap.subject) || named(&gap.source) {
                *complete = false;
            }
        }
    }
    all
}

/// What is open; and what could not be judged this time, because an upload closes what it lacks.
fn is_told(finding: &FindingEntry) -> bool {
    finding.is_open() || finding.state == "not_evaluated"
}

fn place_in(doc: &Document, finding: &FindingEntry, repository: &str) -> Option<PlaceEntry> {
    place(doc, finding, Some(repository))
}

/// The first place of a finding in a repository, or in any. What is not seen any more, and not
/// proven to be mended, is told where it was.
fn place(doc: &Document, finding: &FindingEntry, repository: Option<&str>) -> Option<PlaceEntry> {
    let is_in = |resource: &str| repository.is_none_or(|repository| repository == resource);
    let places = doc.credential(&finding.subject);
    let places = places.map_or(&[][..], |credential| &credential.places);
    let seen = places
        .iter()
        .find(|place| is_in(&place.resource) && counts(place));
    if seen.is_some() || finding.is_open() {
        return seen.cloned();
    }
    finding.locations.iter().find_map(|location| {
        let (resource, rest) = location.split_once(':')?;
        let (path, line) = rest.rsplit_once(':')?;
        let line: u64 = line.parse().ok()?;
        let is_place = is_in(resource) && sarif::is_file(path) && !path.is_empty();
        is_place.then(|| PlaceEntry {
            resource: resource.to_owned(),
            path: path.to_owned(),
            line: Some(line),
            ..PlaceEntry::default()
        })
    })
}

fn counts(place: &PlaceEntry) -> bool {
    place.suppressed.is_none() && sarif::is_file(&place.path)
}

/// The repository's name as a file name, distinct from those there are.
fn file_name(repository: &str, number: usize, split: &Split) -> String {
    let plain: String = repository
        .chars()
        .map(|c| {
            let keep = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if keep { c } else { '-' }
        })
        .take(100)
        .collect();
    let plain = plain.trim_start_matches(['.', '-']);
    let stem = match number {
        1 => plain.to_owned(),
        _ => format!("{plain}.{number}"),
    };
    let mut name = format!("{stem}.sarif");
    let mut more = 1;
    while split.parts.iter().any(|(taken, _)| *taken == name) {
        more += 1;
        name = format!("{stem}~{more}.sarif");
    }
    name
}

fn result(finding: &FindingEntry, place: &PlaceEntry, rule: Option<&usize>) -> Value {
    let line = place.line.unwrap_or(1);
    let column = place.column.unwrap_or(1);
    json!({
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": sarif::level(finding.grade()),
        "message": {"text": sarif::message(&format!("{}. {}", finding.title, finding.remediation), 1000)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": sarif::uri(place.path.trim_start_matches('/'))},
            "region": {
                "startLine": line,
                "startColumn": column,
                "endLine": place.end_line.unwrap_or(line),
                "endColumn": place.end_column.unwrap_or(column) + 1,
            },
        }}],
        "partialFingerprints": {"primaryLocationLineHash": finding.finding_id},
        "fingerprints": {"findingId/v1": finding.finding_id},
        "rank": finding.score,
    })
}
