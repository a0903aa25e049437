//! `findings.ocsf.jsonl`: OCSF 1.8, one event a line, for security lakes and SIEMs.
//!
//! A secret in a source is a Detection Finding (2004), what is wrong with a listed credential or
//! a principal an IAM Analysis Finding (2008), the rest a Compliance Finding (2003). The
//! finding's id is `finding_info.uid`: consumers update by it.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use keymuster_api::Severity;
use serde_json::{Value, json};

use super::Format;
use crate::report::{Document, FindingEntry, FormatCx, text::prose, ticket, wire};

pub(super) struct Ocsf;

const COMPLIANCE: u32 = 2003;
const DETECTION: u32 = 2004;
const IAM_ANALYSIS: u32 = 2008;

impl Format for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn file(&self) -> &'static str {
        "findings.ocsf.jsonl"
    }

    fn about(&self) -> &'static str {
        "OCSF 1.8 findings, one a line, for security lakes"
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
            let number = |member: &str| event[member].as_u64().unwrap_or_default();
            if number("type_uid") != number("class_uid") * 100 + number("activity_id") {
                return Err("an event's type is not that of its class".to_owned());
            }
            if number("class_uid") == u64::from(IAM_ANALYSIS) && event["applications"].is_null() {
                return Err("an analysis of nothing".to_owned());
            }
            ids.insert(event["finding_info"]["uid"].to_string());
        }
        let expected = doc.findings.iter().filter(|f| f.state != "superseded");
        if ids.len() != expected.count() {
            return Err("events and findings are not one to one".to_owned());
        }
        Ok(())
    }
}

fn milliseconds(time: &str) -> Option<i64> {
    ticket::time(time).map(jiff::Timestamp::as_millisecond)
}

fn event(doc: &Document, finding: &FindingEntry) -> Value {
    let credential = doc.credential(&finding.subject);
    let of_iam = credential.is_some_and(|one| one.listed) || finding.subject_kind == "identity";
    let class = match (&finding.check[..], of_iam) {
        (check, _) if check.starts_with("EXP-") => DETECTION,
        (_, true) => IAM_ANALYSIS,
        _ => COMPLIANCE,
    };
    let activity = match finding.state.as_str() {
        "new" => 1,
        "fixed" => 3,
        _ => 2,
    };
    let status = match finding.state.as_str() {
        "suppressed" | "accepted" => 3,
        "fixed" => 4,
        _ => 1,
    };
    let severity = match finding.grade() {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    };
    let mut event = json!({
        "class_uid": class,
        "category_uid": 2,
        "activity_id": activity,
        "type_uid": class * 100 + activity,
        "severity_id": severity,
        "status_id": status,
        "time": milliseconds(&doc.run.now).unwrap_or_default(),
        "message": ticket::summary(finding, 500),
        "metadata": {
            "version": "1.8.0",
            "product": {
                "name": "keymuster",
                "vendor_name": "keymuster",
                "version": doc.tool.version,
            },
        },
        "finding_info": info(finding),
        "remediation": {"desc": prose(&finding.remediation)},
    });
    if class == IAM_ANALYSIS {
        event["user"] = user(doc, finding);
        // One of four members is demanded; what is always known is where the principal acts.
        let provider = prose(finding.provider.as_deref().unwrap_or("unknown"));
        let account = finding.account.as_deref().map(prose);
        event["applications"] = json!([{
            "name": provider,
            "uid": account.map_or_else(|| provider.clone(), |one| format!("{provider}:{one}")),
        }]);
        let used = credential.and_then(|one| milliseconds(&one.last_used));
        if let Some(at) = used {
            event["identity_activity_metrics"] = json!({"last_seen_time": at});
        }
    } else {
        event["resources"] = json!([resource(finding)]);
    }
    if class == COMPLIANCE {
        event["compliance"] = json!({
            "control": finding.check,
            "standards": standards(finding),
            "requirements": finding.frameworks.iter().map(|one| prose(one)).collect::<Vec<_>>(),
            // 3 is "fail".
            "status_id": 3,
        });
    }
    event
}

fn info(finding: &FindingEntry) -> Value {
    let mut info = json!({
        "uid": finding.finding_id,
        "title": prose(&finding.title),
        "types": [finding.check],
        "analytic": {"type_id": 1, "uid": finding.check, "name": finding.slug},
    });
    for (member, time) in [
        ("first_seen_time", &finding.first_seen),
        ("last_seen_time", &finding.last_seen),
    ] {
        if let Some(at) = milliseconds(time) {
            info[member] = json!(at);
        }
    }
    info
}

/// The framework's part of `NIST CSF 2.0: PR.AA-05`, each once.
fn standards(finding: &FindingEntry) -> Vec<String> {
    let names: BTreeSet<String> = finding
        .frameworks
        .iter()
        .map(|one| prose(one.split_once(": ").map_or(one, |(name, _)| name)))
        .collect();
    match names.is_empty() {
        true => vec!["keymuster".to_owned()],
        false => names.into_iter().collect(),
    }
}

fn user(doc: &Document, finding: &FindingEntry) -> Value {
    let credential = doc.credential(&finding.subject);
    let identity = credential.and_then(|one| one.identity.as_deref());
    let mut user = json!({
        "uid": prose(identity.unwrap_or(&finding.subject)),
        // 4 is "service".
        "type_id": 4,
    });
    if let Some(credential) = credential {
        let handle = credential
            .handle
            .as_ref()
            .map(|handle| handle.value.as_str());
        let mut held = json!({
            "uid": prose(handle.unwrap_or(&credential.subject)),
            "type": credential.kind,
        });
        if let Some(at) = milliseconds(&credential.last_used) {
            held["last_used_time"] = json!(at);
        }
        user["programmatic_credentials"] = json!([held]);
    }
    user
}

fn resource(finding: &FindingEntry) -> Value {
    let mut resource = json!({
        "uid": prose(finding.credential.as_deref().unwrap_or(&finding.subject)),
        "type": prose(finding.credential_type.as_deref().unwrap_or(&finding.subject_kind)),
    });
    if let Some(owner) = &finding.owner {
        resource["owner"] = json!({"name": prose(owner)});
    }
    resource
}
