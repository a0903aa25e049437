//! `findings.defectdojo.json`: DefectDojo's Generic Findings Import.
//!
//! The importer rejects a file with any member it does not know, and tells findings apart by a
//! hash over title, CWE, line, path, description and service: so these hold nothing that changes
//! from night to night (ages and evidence go to `impact`), and no line. A reimport closes what is
//! absent; what could not be judged this night is therefore told, as it was.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use keymuster_api::Severity;
use serde_json::{Value, json};

use super::Format;
use crate::report::{
    Document, FindingEntry, FormatCx,
    text::{cut, day_of, prose},
    ticket, wire,
};

pub(super) struct DefectDojo;

impl Format for DefectDojo {
    fn name(&self) -> &'static str {
        "defectdojo"
    }

    fn file(&self) -> &'static str {
        "findings.defectdojo.json"
    }

    fn about(&self) -> &'static str {
        "DefectDojo, Generic Findings Import"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let findings: Vec<Value> = doc
            .findings
            .iter()
            .filter(|finding| !matches!(&*finding.state, "fixed" | "superseded"))
            .map(|finding| entry(doc, finding))
            .collect();
        let report = json!({
            "name": format!("keymuster {}", prose(&doc.run.estate)),
            "type": "keymuster",
            "version": doc.tool.version,
            "findings": findings,
        });
        wire::pretty(out, &report)?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        let report: Value = serde_json::from_slice(written).map_err(|error| error.to_string())?;
        let mut keys = BTreeSet::new();
        for one in report["findings"].as_array().ok_or("no findings")? {
            let text = |member: &str| one[member].as_str().unwrap_or_default().to_owned();
            if text("title").is_empty() || text("description").is_empty() {
                return Err(format!("{} says nothing", text("unique_id_from_tool")));
            }
            if !keys.insert((text("title"), text("description"), text("service"))) {
                return Err(format!("{} would be taken for another", text("title")));
            }
        }
        Ok(())
    }
}

fn entry(doc: &Document, finding: &FindingEntry) -> Value {
    let severity = match finding.grade() {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    };
    let accepted = matches!(&*finding.state, "suppressed" | "accepted");
    // A better identifier may become known, and with it another name, provider and account: what
    // is hashed holds none of them.
    let check = doc.checks.iter().find(|check| check.id == finding.check);
    let about = check.map_or(&*finding.slug, |check| &check.title);
    let title = format!("{} {about} [{}]", finding.check, finding.finding_id);
    json!({
        "title": cut(&prose(&title), 511),
        "severity": severity,
        "description": ticket::stable(doc, finding),
        "unique_id_from_tool": finding.finding_id,
        "vuln_id_from_tool": finding.check,
        "service": cut(&prose(&doc.run.estate), 200),
        "component_name": cut(&prose(finding.credential.as_deref().unwrap_or(&finding.subject)), 500),
        "impact": ticket::lines(doc, finding).join("\n"),
        "mitigation": prose(&finding.remediation),
        "date": day_of(&finding.first_seen),
        "active": !accepted,
        "verified": true,
        "risk_accepted": accepted,
        "static_finding": true,
        "tags": ["keymuster", finding.check.to_lowercase()],
    })
}
