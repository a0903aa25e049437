//! `azure-devops/`: files for Azure DevOps' import of work items from CSV, of at most 1,000 rows
//! each. A row without an id creates, and always in the state New; so only open findings are told,
//! and `keymuster tickets` writes what updates.

use std::io::{self, Write};

use keymuster_api::Severity;

use super::{Format, Split};
use crate::report::{Document, FindingEntry, FormatCx, cells, text::cut, ticket};

/// Rows in a file (learn.microsoft.com, "Import or update work items in bulk by using CSV files").
pub(in crate::report) const MOST: usize = 1_000;

pub(super) struct AzureDevOps;

/// The columns of a row that creates.
pub(in crate::report) const HEADER: [&str; 5] =
    ["Work Item Type", "Title", "Description", "Priority", "Tags"];

impl Format for AzureDevOps {
    fn name(&self) -> &'static str {
        "azure-devops"
    }

    fn file(&self) -> &'static str {
        "azure-devops/files.json"
    }

    fn about(&self) -> &'static str {
        "Azure DevOps work items, open findings, 1,000 a file"
    }

    fn split(&self, doc: &Document) -> Option<Split> {
        Some(Split::chunks(doc, "csv", MOST, FindingEntry::is_open))
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        ticket::table(doc, &HEADER, row, out)
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        check(written)
    }
}

/// The cells of [`HEADER`].
pub(in crate::report) fn row(doc: &Document, finding: &FindingEntry) -> [String; 5] {
    let priority = match finding.grade() {
        Severity::Critical => "1",
        Severity::High => "2",
        Severity::Medium => "3",
        Severity::Low | Severity::Info => "4",
    };
    [
        "Issue".to_owned(),
        ticket::summary(finding, 255),
        cut(&ticket::lines(doc, finding).join("\n"), 32_000).into_owned(),
        priority.to_owned(),
        ticket::labels(finding).join("; "),
    ]
}

/// What the importer asks of a file.
pub(in crate::report) fn check(written: &[u8]) -> Result<(), String> {
    let rows = cells::columns(written, &["Title", "Tags"])?;
    if rows.len() > MOST {
        return Err(format!("{} rows, the importer takes {MOST}", rows.len()));
    }
    for cells in rows {
        let title = &cells[0];
        let is_line = !title.is_empty() && !title.contains(['\n', '\r']);
        if !is_line || title.chars().count() > 255 || !cells[1].contains("fid-") {
            return Err(format!("'{title}' is no short title with a label"));
        }
    }
    Ok(())
}
