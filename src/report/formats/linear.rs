//! `linear/`: files for Linear's CSV importer, which only creates: open findings, 1,000 a file.
//!
//! The importer takes a `'` away before `+`, `-`, `=` and `@` (linear/linear,
//! `LinearCsvImporter.ts`), so that disarmed cells arrive as they were.

use std::io::{self, Write};

use keymuster_api::Severity;

use super::{Format, Split};
use crate::report::{Document, FindingEntry, FormatCx, cells, text::cut, ticket};

/// Rows in a file: what somebody can look over before importing.
pub(in crate::report) const MOST: usize = 1_000;

pub(super) struct Linear;

/// The importer's columns.
pub(in crate::report) const HEADER: [&str; 6] = [
    "Title",
    "Description",
    "Priority",
    "Status",
    "Assignee",
    "Labels",
];

impl Format for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn file(&self) -> &'static str {
        "linear/files.json"
    }

    fn about(&self) -> &'static str {
        "Linear CSV import, open findings, 1,000 a file"
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

/// The cells of [`HEADER`]. Nobody is assigned: an owner of the register is no user of Linear.
pub(in crate::report) fn row(doc: &Document, finding: &FindingEntry) -> [String; 6] {
    let priority = match finding.grade() {
        Severity::Critical => "Urgent",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "No priority",
    };
    [
        ticket::summary(finding, 255),
        cut(&ticket::lines(doc, finding).join("\n"), 32_000).into_owned(),
        priority.to_owned(),
        "Todo".to_owned(),
        String::new(),
        ticket::labels(finding).join(", "),
    ]
}

/// What the importer asks of a file.
pub(in crate::report) fn check(written: &[u8]) -> Result<(), String> {
    for cells in cells::columns(written, &["Title", "Priority", "Labels"])? {
        let known = ["No priority", "Urgent", "High", "Medium", "Low"];
        if cells[0].is_empty() || !known.contains(&&*cells[1]) || !cells[2].contains("fid-") {
            return Err(format!("'{}' has no title, priority or label", cells[0]));
        }
    }
    Ok(())
}
