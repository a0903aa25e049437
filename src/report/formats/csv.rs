//! `findings.csv`: one finding a row, for spreadsheets and imports.

use std::io::{self, Write};

use super::Format;
use crate::report::{
    Document, FindingEntry, FormatCx,
    cells::{self, Table, list},
};

pub(super) struct Csv;

/// A contract: columns are added at the end only.
const HEADER: [&str; 27] = [
    "finding_id",
    "check",
    "title",
    "severity",
    "score",
    "state",
    "first_seen",
    "last_seen",
    "due",
    "sla_breached",
    "credential_type",
    "credential",
    "provider",
    "account",
    "environment",
    "locations",
    "owner",
    "owner_source",
    "route_to",
    "approver",
    "purpose",
    "expires",
    "revocation_path",
    "record_id",
    "evidence",
    "remediation",
    "frameworks",
];

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn file(&self) -> &'static str {
        "findings.csv"
    }

    fn about(&self) -> &'static str {
        "one finding a row, for spreadsheets and imports"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        for finding in &doc.findings {
            table.row(&row(finding))?;
        }
        table.finish()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        cells::check(written)
    }
}

/// In the order of the header; absent facts are empty cells.
fn row(finding: &FindingEntry) -> [String; HEADER.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        finding.finding_id.clone(),
        finding.check.clone(),
        finding.title.clone(),
        finding.severity.clone(),
        finding.score.to_string(),
        finding.state.clone(),
        finding.first_seen.clone(),
        finding.last_seen.clone(),
        text(&finding.due),
        finding.sla_breached.to_string(),
        text(&finding.credential_type),
        text(&finding.credential),
        text(&finding.provider),
        text(&finding.account),
        text(&finding.environment),
        list(&finding.locations),
        text(&finding.owner),
        text(&finding.owner_source),
        text(&finding.route_to),
        text(&finding.approver),
        text(&finding.purpose),
        text(&finding.expires),
        text(&finding.revocation_path),
        text(&finding.record_id),
        list(finding.evidence.iter().map(|evidence| {
            format!(
                "{}: {} ({})",
                evidence.label, evidence.value, evidence.source
            )
        })),
        finding.remediation.clone(),
        list(&finding.frameworks),
    ]
}
