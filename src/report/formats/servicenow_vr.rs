//! `findings.servicenow-vr.csv`: ServiceNow Vulnerability Response, manual ingestion (its
//! template, "manual ingestion of vulnerabilities").
//!
//! A row is one vulnerability on one asset; the finding's id is the vulnerability, the account or
//! repository is the host. An empty severity would mean critical, so none is empty. `State` closes
//! what is fixed; what could not be judged stays open.

use std::io::{self, Write};

use keymuster_api::Severity;

use super::Format;
use crate::report::{
    Document, FindingEntry, FormatCx,
    cells::{self, Table},
    text::{cut, prose},
    ticket,
};

pub(super) struct ServiceNowVr;

const HEADER: [&str; 7] = [
    "Asset ID",
    "Hostname",
    "Vulnerability ID",
    "Vulnerability Summary",
    "Severity",
    "Proof",
    "State",
];

impl Format for ServiceNowVr {
    fn name(&self) -> &'static str {
        "servicenow-vr"
    }

    fn file(&self) -> &'static str {
        "findings.servicenow-vr.csv"
    }

    fn about(&self) -> &'static str {
        "ServiceNow Vulnerability Response, manual ingestion"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        // An accepted risk is handled there by an exception of its own: it stays open here.
        for finding in doc.findings.iter().filter(|f| f.state != "superseded") {
            let severity = match finding.grade() {
                Severity::Critical => "critical",
                Severity::High => "high",
                Severity::Medium => "medium",
                Severity::Low => "low",
                Severity::Info => "none",
            };
            let state = match finding.state.as_str() {
                "fixed" => "fixed",
                _ => "open",
            };
            table.row(&[
                cut(&prose(ticket::text(&finding.credential)), 255).into_owned(),
                host(doc, finding),
                finding.finding_id.clone(),
                ticket::summary(finding, 512),
                severity.to_owned(),
                cut(&ticket::lines(doc, finding).join("\n"), 4_000).into_owned(),
                state.to_owned(),
            ])?;
        }
        table.finish()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        let wanted = ["Hostname", "Vulnerability ID", "Severity", "Asset ID"];
        for cells in cells::columns(written, &wanted)? {
            let fits = cells[..3].iter().all(|cell| !cell.is_empty())
                && cells.iter().all(|cell| cell.chars().count() <= 256);
            if !fits {
                return Err(format!("{} has no host or severity", cells[1]));
            }
        }
        Ok(())
    }
}

/// The account, or the repository of the first place, or the estate: what never changes for a
/// finding that stays.
fn host(doc: &Document, finding: &FindingEntry) -> String {
    let place = doc
        .credential(&finding.subject)
        .and_then(|one| one.places.first())
        .map(|place| place.resource.clone());
    let account = match (&finding.provider, &finding.account) {
        (Some(provider), Some(account)) => Some(format!("{provider}-{account}")),
        _ => None,
    };
    let host = account.or(place).unwrap_or_else(|| doc.run.estate.clone());
    let host = prose(&host);
    let host = if host.is_empty() { "estate" } else { &host };
    cut(host, 255).into_owned()
}
