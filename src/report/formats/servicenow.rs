//! `findings.servicenow.csv`: an import set for ServiceNow.
//!
//! Load it into a staging table and let the transform map coalesce on `u_finding_id`: a match
//! updates, anything else inserts, and an empty key would always insert, so there is none. Dates
//! are `yyyy-MM-dd HH:mm:ss` in UTC. What could not be judged stays as it was: open.

use std::io::{self, Write};

use keymuster_api::Severity;

use super::Format;
use crate::report::{
    Document, FormatCx,
    cells::{self, Table},
    text::cut,
    ticket,
};

pub(super) struct ServiceNow;

const HEADER: [&str; 12] = [
    "u_finding_id",
    "u_short_description",
    "u_description",
    "u_severity",
    "u_state",
    "u_first_seen",
    "u_last_seen",
    "u_due",
    "u_check",
    "u_credential",
    "u_owner",
    "u_assigned_to",
];

impl Format for ServiceNow {
    fn name(&self) -> &'static str {
        "servicenow"
    }

    fn file(&self) -> &'static str {
        "findings.servicenow.csv"
    }

    fn about(&self) -> &'static str {
        "ServiceNow import set, to coalesce on u_finding_id"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        for finding in doc.findings.iter().filter(|f| f.state != "superseded") {
            let severity = match finding.grade() {
                Severity::Critical => "1",
                Severity::High => "2",
                Severity::Medium => "3",
                Severity::Low => "4",
                Severity::Info => "5",
            };
            let state = match finding.state.as_str() {
                "fixed" => "fixed",
                "suppressed" | "accepted" => "suppressed",
                _ => "open",
            };
            let description = ticket::lines(doc, finding).join("\n");
            table.row(&[
                finding.finding_id.clone(),
                ticket::summary(finding, 160),
                cut(&description, 4_000).into_owned(),
                severity.to_owned(),
                state.to_owned(),
                date(&finding.first_seen),
                date(&finding.last_seen),
                date(ticket::text(&finding.due)),
                finding.check.clone(),
                ticket::text(&finding.credential).to_owned(),
                ticket::text(&finding.owner).to_owned(),
                ticket::text(&finding.route_to).to_owned(),
            ])?;
        }
        table.finish()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        cells::check(written)?;
        let mut rows = csv::Reader::from_reader(written);
        for row in rows.records() {
            let row = row.map_err(|error| error.to_string())?;
            if row[0].is_empty() {
                return Err("a row without id would be inserted every night".to_owned());
            }
        }
        Ok(())
    }
}

/// `2026-11-22 01:04:09`; empty where there is no time.
fn date(text: &str) -> String {
    ticket::time(text).map_or_else(String::new, |at| {
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}
