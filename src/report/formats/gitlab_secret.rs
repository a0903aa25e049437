//! `gl-secret-detection-report.json`: GitLab's secret detection report, schema 15.2.1.
//!
//! Only what stands in a repository belongs there. GitLab tells findings apart by the first
//! identifier and the file, never resolves secrets by itself, and wants times without a zone.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use keymuster_api::Severity;
use serde_json::{Value, json};

use super::Format;
use crate::report::{
    Document, FindingEntry, FormatCx, PlaceEntry, sarif,
    text::{cut, prose},
    ticket, wire,
};

pub(super) struct GitlabSecret;

const SCHEMA: &str = "15.2.1";

impl Format for GitlabSecret {
    fn name(&self) -> &'static str {
        "gitlab-secret"
    }

    fn file(&self) -> &'static str {
        "gl-secret-detection-report.json"
    }

    fn about(&self) -> &'static str {
        "GitLab secret detection report 15.2.1, for artifacts:reports:secret_detection"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let vulnerabilities: Vec<Value> = doc
            .findings
            .iter()
            .filter(|finding| finding.is_open())
            .filter_map(|finding| Some(vulnerability(doc, finding, place(doc, finding)?)))
            .collect();
        let program = json!({
            "id": "keymuster",
            "name": "keymuster",
            "version": doc.tool.version,
            "vendor": {"name": "keymuster"},
        });
        let at = zoneless(&doc.run.now);
        let report = json!({
            "version": SCHEMA,
            "scan": {
                "analyzer": program,
                "scanner": program,
                "type": "secret_detection",
                "status": "success",
                "start_time": at,
                "end_time": at,
            },
            "vulnerabilities": vulnerabilities,
        });
        wire::pretty(out, &report)?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        let report: Value = serde_json::from_slice(written).map_err(|error| error.to_string())?;
        let time = report["scan"]["start_time"].as_str().unwrap_or_default();
        if time.len() != 19 {
            return Err(format!("'{time}' is no time without zone"));
        }
        let all = report["vulnerabilities"].as_array().ok_or("no findings")?;
        let mut ids = BTreeSet::new();
        for one in all {
            if one["location"]["commit"]["sha"]
                .as_str()
                .is_none_or(str::is_empty)
            {
                return Err("a finding has no commit".to_owned());
            }
            if !ids.insert(one["id"].as_str()) {
                return Err(format!("{} is told twice", one["id"]));
            }
        }
        Ok(())
    }
}

/// The first place in a file of a repository.
fn place<'d>(doc: &'d Document, finding: &FindingEntry) -> Option<&'d PlaceEntry> {
    let places = &doc.credential(&finding.subject)?.places;
    places.iter().find(|place| {
        place.suppressed.is_none() && place.commit.is_some() && sarif::is_file(&place.path)
    })
}

fn vulnerability(doc: &Document, finding: &FindingEntry, place: &PlaceEntry) -> Value {
    let severity = match finding.grade() {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    };
    let mut location = json!({
        "file": prose(&place.path),
        "commit": {"sha": place.commit.as_ref().map(|commit| commit.id.as_str())},
    });
    if let Some(line) = place.line {
        location["start_line"] = json!(line);
        location["end_line"] = json!(place.end_line.unwrap_or(line));
    }
    json!({
        "id": finding.finding_id,
        "name": ticket::summary(finding, 255),
        "description": cut(&ticket::lines(doc, finding).join("\n"), 15_000),
        "severity": severity,
        "solution": cut(&prose(&finding.remediation), 7_000),
        "identifiers": [{
            "type": "keymuster_check",
            "name": format!("keymuster {}", finding.check),
            "value": format!("{}:{}", finding.check, finding.finding_id),
        }],
        "location": location,
    })
}

/// `2026-11-22T01:00:00`.
fn zoneless(time: &str) -> String {
    let at = ticket::time(time).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
