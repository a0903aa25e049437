//! A tracker's own export of its issues, as CSV: which key belongs to which finding, and whether
//! it is closed there.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{names, state};
use crate::{
    cli::{Exit, global::Global},
    ledger::Learned,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The tracker's export, a CSV file.
    file: PathBuf,
    /// The tracker.
    #[arg(long = "for", value_name = "TRACKER", value_parser = names())]
    tracker: String,
    /// The export holds every ticket of keymuster: what was exported before and is not in it was
    /// never imported, and will be created by the next files.
    #[arg(long)]
    complete: bool,
}

/// Columns that hold the ticket's key, the best first.
const KEYS: [&str; 7] = [
    "issue key",
    "number",
    "identifier",
    "key",
    "id",
    "work item id",
    "issue id",
];
/// Columns that hold a finding's id, or a label made of it.
const NAMES: [&str; 6] = [
    "label",
    "tag",
    "external",
    "correlation",
    "finding",
    "title",
];
/// Columns that hold the state, the best first.
const STATES: [&str; 5] = [
    "status category",
    "u_state",
    "state",
    "status",
    "issue status",
];
/// Words of states that mean: closed.
const CLOSED: [&str; 12] = [
    "done",
    "closed",
    "resolved",
    "complete",
    "completed",
    "fixed",
    "cancelled",
    "canceled",
    "removed",
    "won't do",
    "duplicate",
    "closed complete",
];

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let bytes =
        fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let told = read(&bytes).with_context(|| args.file.display().to_string())?;
    let (mut ledger, folder) = super::ledger(global)?;
    let _lock = state::lock(&folder)?;
    let outcome = ledger.learn(&args.tracker, &told, args.complete, global.now())?;
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{} tickets told, {} keys learned, {} opened or closed since",
        told.len(),
        outcome.learned,
        outcome.changed
    )?;
    if outcome.never_made > 0 {
        writeln!(
            out,
            "{} were never imported, and will be created by the next files",
            outcome.never_made
        )?;
    }
    for (double, key) in &outcome.doubles {
        writeln!(
            out,
            "{double} is about the same as {key}; close it, {key} goes on"
        )?;
    }
    if !outcome.strangers.is_empty() {
        writeln!(
            out,
            "{} tickets are of findings that this ledger does not know: {}",
            outcome.strangers.len(),
            outcome
                .strangers
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        )?;
    }
    Ok(Exit::Clean)
}

/// Reads an export.
fn read(bytes: &[u8]) -> Result<Vec<Learned>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header: Vec<String> = reader
        .headers()
        .context("it is no CSV file")?
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let column = |names: &[&str]| {
        let mut names = names.iter();
        names.find_map(|name| header.iter().position(|column| column == name))
    };
    let Some(key) = column(&KEYS) else {
        bail!(
            "it has no column with keys; export one of: {}",
            KEYS.join(", ")
        );
    };
    let Some(state) = column(&STATES) else {
        bail!(
            "it has no column with states; export one of: {}",
            STATES.join(", ")
        );
    };
    let named: Vec<usize> = (0..header.len())
        .filter(|&ix| NAMES.iter().any(|name| header[ix].contains(name)))
        .collect();
    if named.is_empty() {
        bail!(
            "it has neither labels, tags nor an external id; export them, by them findings are known"
        );
    }
    let mut told = Vec::new();
    for (number, row) in (2..).zip(reader.records()) {
        let row = row.with_context(|| format!("row {number} is no row of CSV"))?;
        let cell = |ix: usize| row.get(ix).unwrap_or_default().trim();
        let finding = named.iter().find_map(|&ix| finding(cell(ix)));
        // Issues of other people's are none of ours.
        if let Some(finding) = finding
            && !cell(key).is_empty()
        {
            told.push(Learned {
                finding,
                key: cell(key).to_owned(),
                open: !CLOSED.contains(&&*cell(state).to_lowercase()),
            });
        }
    }
    Ok(told)
}

/// The finding's id in a label, a list of labels or a cell of its own.
fn finding(cell: &str) -> Option<String> {
    let upper = cell.to_ascii_uppercase();
    let at = upper.match_indices("KM-").map(|(at, _)| at);
    at.filter_map(|at| upper.get(at..at + 19))
        .find(|id| {
            id[3..]
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{finding, read};

    #[test]
    fn exports_of_all_trackers_are_read() {
        let id = "KM-ABCDEFGHIJKLMNOP";
        let label = format!("fid-{}", id.to_lowercase());
        for (text, key, open) in [
            (
                format!(
                    "Summary,Issue key,Issue id,Status,Status Category,Labels,Labels\nx,SEC-7,10001,Review,Done,keymuster,{label}\nother,SEC-8,1,To Do,To Do,,\n"
                ),
                "SEC-7",
                false,
            ),
            (
                format!(
                    "ID,Work Item Type,Title,State,Tags\n42,Issue,x,Doing,\"keymuster; {label}\"\n"
                ),
                "42",
                true,
            ),
            (
                format!(
                    "ID,Team,Title,Status,Labels\nENG-3,Eng,x,Canceled,\"keymuster, {label}\"\n"
                ),
                "ENG-3",
                false,
            ),
            (
                format!("\u{feff}number,u_state,correlation_id\nVIT001,open,{id}\n"),
                "VIT001",
                true,
            ),
        ] {
            let told = read(text.as_bytes()).expect("an export");
            assert_eq!(told.len(), 1, "{text}");
            assert_eq!(
                (&*told[0].finding, &*told[0].key, told[0].open),
                (id, key, open)
            );
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        assert!(read(b"Summary,Status,Labels\n").is_err());
        assert!(read(b"Key,Labels\n").is_err());
        assert!(read(b"Key,Status\n").is_err());
        assert_eq!(finding("KM-short and km-abcdefghijklmno1"), None);
        assert_eq!(finding("KM-\u{e9}bcdefghijklmnopq"), None);
    }
}
