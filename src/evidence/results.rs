//! What a run came to, as lines: the files that a replay derives again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::canonical;
use crate::report::{CredentialEntry, Document, FindingEntry};

/// The file with coverage, gaps and counts.
pub(super) const POPULATION: &str = "population.jsonl";
/// The file with credentials and their records.
pub(super) const MATCHES: &str = "matches.jsonl";
/// The file with the findings.
pub(super) const FINDINGS: &str = "findings.jsonl";
/// The file with what was accepted or suppressed.
pub(super) const DECISIONS: &str = "decisions.jsonl";

/// The four files.
pub(super) fn results(doc: &Document, notes: &[String]) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        (POPULATION.to_owned(), canonical::lines(population(doc))),
        (
            MATCHES.to_owned(),
            canonical::lines(doc.credentials.iter().map(matched)),
        ),
        (FINDINGS.to_owned(), canonical::lines(&doc.findings)),
        (
            DECISIONS.to_owned(),
            canonical::lines(decisions(doc, notes)),
        ),
    ])
}

fn population(doc: &Document) -> Vec<Value> {
    let mut all: Vec<Value> = doc
        .coverage
        .iter()
        .map(|one| json!({"scope": one}))
        .collect();
    all.extend(doc.gaps.iter().map(|one| json!({"gap": one})));
    all.extend(
        doc.reconciliation
            .iter()
            .map(|one| json!({"reconciliation": one})),
    );
    all.extend(doc.population.iter().map(|one| json!({"check": one})));
    all
}

fn matched(credential: &CredentialEntry) -> Value {
    // Confidence in hundredths: whole numbers have one way of being written.
    let found = credential.matched.as_ref().map(|found| {
        json!({
            "record": credential.record_id,
            "key": found.key,
            "percent": (found.confidence * 100.0).round() as i64,
            "because": found.because,
            "source": found.source,
        })
    });
    let places = credential.places.iter();
    json!({
        "subject": credential.subject,
        "status": credential.status,
        "listed": credential.listed,
        "matched": found,
        "answered": credential.answered,
        "places": credential.places.len(),
        "suppressed_places": places.filter(|place| place.suppressed.is_some()).count(),
    })
}

fn decisions(doc: &Document, notes: &[String]) -> Vec<Value> {
    let excepted = |finding: &&FindingEntry| matches!(&*finding.state, "accepted" | "suppressed");
    let mut all: Vec<Value> = doc
        .findings
        .iter()
        .filter(excepted)
        .map(|finding| {
            let why: Vec<Value> = finding
                .evidence
                .iter()
                .filter(|one| one.label == "exception")
                .map(|one| json!({"decision": one.value, "source": one.source}))
                .collect();
            json!({"finding": finding.finding_id, "state": finding.state, "by": why})
        })
        .collect();
    for credential in &doc.credentials {
        for place in &credential.places {
            if let Some(why) = &place.suppressed {
                all.push(json!({
                    "subject": credential.subject,
                    "place": format!("{}:{}", place.resource, place.path),
                    "line": place.line,
                    "by": why,
                }));
            }
        }
    }
    all.extend(notes.iter().map(|note| json!({"note": note})));
    all
}
