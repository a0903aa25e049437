//! The credential report, as CSV. Columns are found by name, unknown columns are kept aside.

use std::collections::BTreeMap;

use keymuster_api::GapKind;

use super::Reader;
use crate::parts::{At, ReportRow};

/// Columns without which it is no credential report.
const NEEDED: [&str; 3] = ["user", "arn", "user_creation_time"];

/// Whether the first line names the columns of a credential report.
pub(super) fn is_report(text: &str) -> bool {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let names: Vec<String> = first.split(',').map(column).collect();
    NEEDED
        .iter()
        .all(|needed| names.iter().any(|name| name == needed))
}

fn column(text: &str) -> String {
    text.trim().trim_matches('"').to_ascii_lowercase()
}

/// Reads the rows. `fixed_line` is the line of the JSON that holds an encoded report.
pub(super) fn read(reader: &mut Reader<'_>, text: &str, fixed_line: Option<u32>) {
    let mut csv = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header: Vec<String> = match csv.headers() {
        Ok(header) => header.iter().map(column).collect(),
        Err(_) => {
            return reader.gap(
                GapKind::Corrupt,
                "the header line cannot be read".to_owned(),
            );
        }
    };
    let mut seen = BTreeMap::new();
    let (mut lines, mut counted) = (1, 0);
    for row in csv.records() {
        let Ok(row) = row else {
            let reason = "a row of the credential report cannot be read; the rest was".to_owned();
            reader.gap_at(GapKind::Corrupt, reason, fixed_line);
            continue;
        };
        let line = fixed_line.unwrap_or_else(|| {
            // The reader's own line may be that of the feed before the row.
            let mut at = row
                .position()
                .map_or(0, |at| at.byte() as usize)
                .min(text.len());
            at += text.as_bytes()[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            lines += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..at]).count() as u32;
            counted = at;
            lines
        });
        let short = row.len() < header.len();
        let cells: BTreeMap<String, String> = header
            .iter()
            .cloned()
            .zip(row.iter().map(str::to_owned))
            .collect();
        let row = ReportRow { cells };
        if short {
            let reason = format!(
                "row of line {line} ends early ({} of {} columns); the report seems cut off, export it again",
                row.cells.len(),
                header.len()
            );
            reader.gap_at(GapKind::Corrupt, reason, Some(line));
        }
        if row.get("arn").is_empty() {
            if !short {
                let reason = format!("row of line {line} has no arn; it was left out");
                reader.gap_at(GapKind::Corrupt, reason, Some(line));
            }
            continue;
        }
        if let Some(first) = seen.insert(row.get("arn").to_owned(), line) {
            let reason =
                format!("rows of lines {first} and {line} are of one user; the later was left out");
            reader.gap_at(GapKind::Corrupt, reason, Some(line));
            continue;
        }
        reader.parts.report.push(At {
            value: row,
            file: reader.index,
            line,
        });
    }
}
