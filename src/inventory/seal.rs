//! Cells that are secrets: sealed and wiped before anything else looks at the table.

use std::{collections::HashSet, ops::Range};

use keymuster_api::{Redaction, Redactor};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use zeroize::Zeroize as _;

use super::{identify, read::Table, text::squeezed};

/// A secret that stood in a cell.
pub(crate) struct Leak {
    /// The row, as an editor counts lines.
    pub(crate) row: u64,
    /// The row's index in the table; `None` for the header.
    pub(crate) index: Option<usize>,
    /// The column's index.
    pub(crate) column: usize,
    /// What was found.
    pub(crate) redaction: Redaction,
}

/// Wipes every cell and header that holds a secret, and says what it was.
///
/// The whole cell goes: what stands around a secret may be another one.
pub(crate) fn seal(table: &mut Table, redactor: &dyn Redactor) -> Vec<Leak> {
    let mut leaks = Vec::new();
    for (column, header) in table.headers.iter_mut().enumerate() {
        let found = secrets(header, None, redactor);
        if !found.is_empty() {
            header.zeroize();
            *header = format!("column {}", column + 1);
        }
        leaks.extend(found.into_iter().map(|redaction| Leak {
            row: table.header_row,
            index: None,
            column,
            redaction,
        }));
    }
    // Registers repeat themselves; each clean text is looked at once per column.
    let columns: Vec<(usize, &str)> = table
        .headers
        .iter()
        .map(String::as_str)
        .enumerate()
        .collect();
    let mut found: Vec<(usize, usize, Vec<Redaction>)> = columns
        .par_iter()
        .flat_map_iter(|&(column, header)| {
            let context = is_secret_column(header).then_some(header);
            let mut clean: HashSet<&str> = HashSet::new();
            let mut found = Vec::new();
            for (index, row) in table.rows.iter().enumerate() {
                let cell = row.cells[column].as_str();
                if cell.len() < 6 || clean.contains(cell) {
                    continue;
                }
                let secrets = secrets(cell, context, redactor);
                if secrets.is_empty() {
                    clean.insert(cell);
                } else {
                    found.push((index, column, secrets));
                }
            }
            found
        })
        .collect();
    found.sort_by_key(|&(index, column, _)| (index, column));
    for (index, column, secrets) in found {
        let row = &mut table.rows[index];
        row.cells[column].zeroize();
        leaks.extend(secrets.into_iter().map(|redaction| Leak {
            row: row.row,
            index: Some(index),
            column,
            redaction,
        }));
    }
    leaks
}

/// The secrets in a cell. The header of a column of passwords is shown to the redactor too:
/// a password is known by what stands before it.
fn secrets(cell: &str, header: Option<&str>, redactor: &dyn Redactor) -> Vec<Redaction> {
    let mut found = redactor.redact(cell);
    found.retain(|redaction| !is_public(cell.get(redaction.span.clone()), redaction));
    if let (true, Some(header)) = (found.is_empty(), header) {
        let text = zeroize::Zeroizing::new(format!("{header} = \"{cell}\""));
        let inside: Range<usize> = header.len() + 4..text.len() - 1;
        found = redactor.redact(&text);
        found.retain(|redaction| {
            inside.contains(&redaction.span.start)
                && !is_public(text.get(redaction.span.clone()), redaction)
        });
    }
    found
}

/// Whether what was found is an identifier, which a register may and should hold.
fn is_public(text: Option<&str>, redaction: &Redaction) -> bool {
    let Some(text) = text else {
        return false;
    };
    let is_handle = redaction
        .handle
        .as_ref()
        .is_some_and(|handle| handle.value == text);
    let shape = identify::shape(text).filter(|&scheme| scheme != "guid");
    is_handle || shape.is_some() || identify::mask(text).is_some()
}

/// Whether a header says that the column holds secrets. Such a column is not kept.
pub(crate) fn is_secret_column(header: &str) -> bool {
    const HEADERS: &str = "password passwd pwd pass passphrase passwort kennwort motdepasse \
         contrasena senha wachtwoord parola secret secrets secretvalue secretkey clientsecret \
         secretaccesskey awssecretaccesskey token tokens tokenvalue privatekey apisecret \
         geheimnis secretstring keyvalue";
    let header = squeezed(header);
    HEADERS.split_ascii_whitespace().any(|word| word == header)
}
