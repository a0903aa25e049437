//! The members of `jsonl` as columns.

use std::io::{self, Write};

use super::{
    ScanCx, ScanFormat,
    row::{Commit, Row},
};
use crate::{
    estate::Sighting,
    report::cells::{Table, list},
};

pub(super) struct Csv;

const HEADER: [&str; 24] = [
    "schema",
    "rule",
    "kind",
    "confidence",
    "severity",
    "path",
    "line",
    "column",
    "end_line",
    "end_column",
    "secret_id",
    "handle",
    "preview",
    "decoded",
    "blob",
    "commit",
    "introduced",
    "versions",
    "at_tip",
    "suppressed",
    "resource",
    "title",
    "facts",
    "in_worktree",
];

impl ScanFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "the same columns, for spreadsheets"
    }

    fn write(
        &self,
        sightings: &[Sighting],
        cx: &ScanCx<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        for sighting in sightings {
            table.row(&cells(&Row::new(sighting, cx)))?;
        }
        table.finish()
    }
}

/// In the order of the header. Structures become `scheme:value`, `id author at`, `by: reason`.
fn cells(row: &Row<'_>) -> [String; HEADER.len()] {
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        row.schema.to_string(),
        row.rule.to_owned(),
        row.kind.to_owned(),
        row.confidence.to_owned(),
        row.severity.to_owned(),
        row.path.clone(),
        number(row.line),
        number(row.column),
        number(row.end_line),
        number(row.end_column),
        row.secret_id.clone(),
        row.handle
            .as_ref()
            .map(|handle| format!("{}:{}", handle.scheme, handle.value))
            .unwrap_or_default(),
        row.preview.to_owned(),
        list(row.decoded),
        row.blob.clone().unwrap_or_default(),
        row.commit.as_ref().map(commit).unwrap_or_default(),
        list(row.introduced.iter().flatten().map(commit)),
        row.versions.to_string(),
        list(row.at_tip.unwrap_or_default()),
        row.suppressed
            .as_ref()
            .map(|entry| match entry.until {
                Some(until) => format!("{}: {} (until {until})", entry.by, entry.reason),
                None => format!("{}: {}", entry.by, entry.reason),
            })
            .unwrap_or_default(),
        row.resource.unwrap_or_default().to_owned(),
        row.title.to_owned(),
        list(
            row.facts
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        ),
        row.in_worktree.to_string(),
    ]
}

fn commit(commit: &Commit<'_>) -> String {
    match &commit.at {
        Some(at) => format!("{} {} {at}", commit.id, commit.author),
        None => format!("{} {}", commit.id, commit.author),
    }
}
