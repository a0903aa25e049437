//! `jira-csv/`: files for Jira's CSV import, of at most 250 issues each, which is what people
//! without administrator's rights may import at once.
//!
//! The plain import always creates: only open findings are told. Each carries its id as
//! `External issue ID` and as a label, so that a tracker's export can be read back.

use std::io::{self, Write};

use keymuster_api::Severity;

use super::{Format, Split};
use crate::report::{Document, FindingEntry, FormatCx, cells, text::cut, ticket};

/// Issues in a file (support.atlassian.com, "import data from a CSV file").
pub(in crate::report) const MOST: usize = 250;
/// Characters of a description.
const DESCRIPTION: usize = 32_767;

pub(super) struct JiraCsv;

/// A list is a column that stands there several times.
pub(in crate::report) const HEADER: [&str; 9] = [
    "Summary",
    "Issue Type",
    "Priority",
    "Description",
    "Labels",
    "Labels",
    "Labels",
    "Due Date",
    "External issue ID",
];

impl Format for JiraCsv {
    fn name(&self) -> &'static str {
        "jira-csv"
    }

    fn file(&self) -> &'static str {
        "jira-csv/files.json"
    }

    fn about(&self) -> &'static str {
        "Jira CSV import, open findings, 250 a file"
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
pub(in crate::report) fn row(doc: &Document, finding: &FindingEntry) -> [String; 9] {
    let [tool, check, id] = ticket::labels(finding);
    let description = ticket::lines(doc, finding).join("\n");
    [
        ticket::summary(finding, 255),
        "Task".to_owned(),
        priority(finding.grade()).to_owned(),
        cut(&description, DESCRIPTION).into_owned(),
        tool,
        check,
        id,
        due(finding),
        finding.finding_id.clone(),
    ]
}

/// What the importer asks of a file.
pub(in crate::report) fn check(written: &[u8]) -> Result<(), String> {
    let mut ids = std::collections::BTreeSet::new();
    for cells in cells::columns(written, &["Summary", "External issue ID"])? {
        let one_line = !cells[0].is_empty() && !cells[0].contains(['\n', '\r']);
        if !one_line || cells[0].chars().count() > 255 {
            return Err(format!("{}: its summary is no short line", cells[1]));
        }
        if !ids.insert(cells[1].clone()) {
            return Err(format!("{} would become two issues", cells[1]));
        }
    }
    Ok(())
}

/// Jira's five priorities.
pub(super) fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Highest",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Lowest",
    }
}

/// `06/Dec/26 9:00 AM`, the importer's own default.
fn due(finding: &FindingEntry) -> String {
    let at = finding.due.as_deref().and_then(ticket::time);
    at.map_or_else(String::new, |at| {
        at.strftime("%d/%b/%y %-I:%M %p").to_string()
    })
}
