//! `findings.ecs.jsonl`: one finding a line in the Elastic Common Schema 9.4, for Elastic, and any
//! pipeline that reads ECS.
//!
//! Index with `event.id` as the document's id, and a night overwrites the one before. What ECS has
//! no field for stands under `labels`, which is what ECS has them for.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::Format;
use crate::report::{Document, FindingEntry, FormatCx, text::prose, ticket, wire};

pub(super) struct Ecs;

impl Format for Ecs {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn file(&self) -> &'static str {
        "findings.ecs.jsonl"
    }

    fn about(&self) -> &'static str {
        "Elastic Common Schema 9.4, one finding a line"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        for finding in doc.findings.iter().filter(|f| f.state != "superseded") {
            wire::compact(out, &event(doc, finding))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    fn check(&self, doc: &Document, written: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(written).map_err(|error| error.to_string())?;
        let mut ids = BTreeSet::new();
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let has = [&event["@timestamp"], &event["ecs"]["version"]];
            if has.iter().any(|member| !member.is_string()) {
                return Err("an event has no time or version".to_owned());
            }
            ids.insert(event["event"]["id"].to_string());
        }
        let expected = doc.findings.iter().filter(|f| f.state != "superseded");
        if ids.len() != expected.count() {
            return Err("events and findings are not one to one".to_owned());
        }
        Ok(())
    }
}

fn event(doc: &Document, finding: &FindingEntry) -> Value {
    let credential = doc.credential(&finding.subject);
    let identity = credential.and_then(|one| one.identity.as_deref());
    let mut labels = json!({
        "keymuster_severity": finding.severity,
        "keymuster_state": finding.state,
        "keymuster_subject": prose(&finding.subject),
        "keymuster_first_seen": finding.first_seen,
        "keymuster_last_seen": finding.last_seen,
        "keymuster_overdue": finding.sla_breached.to_string(),
        "keymuster_remedy": prose(&finding.remediation),
        "keymuster_estate": prose(&doc.run.estate),
    });
    for (name, text) in [
        ("keymuster_credential", &finding.credential),
        ("keymuster_due", &finding.due),
        ("keymuster_owner", &finding.owner),
        ("keymuster_route", &finding.route_to),
        ("keymuster_record", &finding.record_id),
        ("keymuster_environment", &finding.environment),
    ] {
        if let Some(text) = text {
            labels[name] = json!(prose(text));
        }
    }
    let check = doc.checks.iter().find(|check| check.id == finding.check);
    let kind = match finding.is_open() {
        true => "alert",
        false => "state",
    };
    let mut event = json!({
        "@timestamp": doc.run.now,
        "ecs": {"version": "9.4.0"},
        "message": ticket::summary(finding, 500),
        "event": {
            "kind": kind,
            "category": ["configuration", "iam"],
            "type": ["info"],
            "id": finding.finding_id,
            "code": finding.check,
            "severity": finding.score,
            "dataset": "keymuster.finding",
            "module": "keymuster",
            "provider": "keymuster",
        },
        "rule": {
            "id": finding.check,
            "name": check.map_or(&*finding.slug, |check| &check.title),
            "ruleset": "keymuster",
            "version": doc.tool.version,
        },
        "tags": finding.frameworks.iter().map(|one| prose(one)).collect::<Vec<_>>(),
        "labels": labels,
    });
    if let Some(identity) = identity {
        event["user"] = json!({"id": prose(identity)});
    }
    if let Some(provider) = &finding.provider {
        event["cloud"] = json!({"provider": prose(provider)});
        if let Some(account) = &finding.account {
            event["cloud"]["account"] = json!({"id": prose(account)});
        }
    }
    event
}
