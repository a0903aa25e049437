//! Rows to records.

mod dates;
mod row;

use std::collections::BTreeMap;

use keymuster_api::Redactor;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

pub(crate) use dates::{DATES, refused};

use self::row::{Filled, Filling};
use super::{
    Inventory, InventoryError, InventoryMap, LeakedCell, RecordSource,
    field::{self, IDENTIFIERS},
    ids::distinct_ids,
    map::{Mapping, map_table},
    read::{ReadCx, Table, read_table},
    seal::{Leak, is_secret_column, seal},
    text::{rows_shown, shown},
};

/// One configured register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventorySpec {
    /// Its name.
    pub name: String,
    /// The file, as records and messages name it.
    pub file_label: String,
    /// The format; found out if `None`.
    pub format: Option<String>,
    /// The encoding of its text (`windows-1250`, `shift_jis` …); found out if `None`.
    pub encoding: Option<String>,
    /// What separates cells; found out if `None`.
    pub delimiter: Option<char>,
    /// The sheet of a workbook; the one with the most known headers if `None`.
    pub sheet: Option<String>,
    /// Whose word counts where registers disagree; the lowest number first.
    pub precedence: u32,
    /// Business unit of records that name none.
    pub entity: Option<String>,
    /// What automatic mapping misses.
    pub map: InventoryMap,
}

/// The register's table, with every secret wiped out of it.
///
/// # Errors
/// When the bytes cannot be read as a table.
pub fn read_register_table(
    spec: &InventorySpec,
    bytes: &[u8],
    redactor: &dyn Redactor,
) -> Result<Table, InventoryError> {
    let (table, _) = sealed_table(spec, bytes, redactor)?;
    Ok(table)
}

fn sealed_table(
    spec: &InventorySpec,
    bytes: &[u8],
    redactor: &dyn Redactor,
) -> Result<(Table, Vec<Leak>), InventoryError> {
    let cx = ReadCx {
        label: &spec.file_label,
        header_row: spec.map.header_row,
        encoding: spec.encoding.as_deref(),
        delimiter: spec.delimiter,
        sheet: spec.sheet.as_deref(),
        knows: &|text| field::is_header_word(text) || spec.map.names_header(text),
    };
    let mut table = read_table(spec.format.as_deref(), bytes, &cx)?;
    let leaks = seal(&mut table, redactor);
    Ok((table, leaks))
}

/// Reads a register.
///
/// # Errors
/// When it cannot be read as a table, has neither identifiers nor names, or holds dates that
/// can be read in two ways. Without a register everything would look unregistered, so the run
/// stops.
pub fn read(
    spec: &InventorySpec,
    bytes: &[u8],
    redactor: &dyn Redactor,
) -> Result<Inventory, InventoryError> {
    let (table, leaks) = sealed_table(spec, bytes, redactor)?;
    let mapping = map_table(&spec.file_label, &table, field::RECORD, &spec.map);
    let filling = Filling {
        spec,
        table: &table,
        dates: dates::read_dates(spec, &table, &mapping)?,
        mapping: &mapping,
    };
    let mut inventory = Inventory {
        notes: table.notes.iter().chain(&mapping.notes).cloned().collect(),
        ..Inventory::default()
    };
    let mut leaks_of: BTreeMap<usize, Vec<&Leak>> = BTreeMap::new();
    for leak in &leaks {
        if let Some(index) = leak.index {
            leaks_of.entry(index).or_default().push(leak);
        }
    }
    let rows = (0..table.rows.len()).into_par_iter();
    let filled: Vec<_> = rows
        .map(|index| {
            let leaked = leaks_of.get(&index).map_or(&[][..], Vec::as_slice);
            let mut filled = Filled::new(&filling, index);
            let record = filled.record(leaked);
            (record, filled.told)
        })
        .collect();
    // Messages with the rows they are about.
    let mut told: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (row, (record, messages)) in table.rows.iter().zip(filled) {
        inventory.records.extend(record);
        for message in messages {
            told.entry(message).or_default().push(row.row);
        }
    }
    let named = mapping.columns("name").len() + identifier_columns(&mapping).count();
    if named == 0 && inventory.records.is_empty() {
        return Err(unreadable(spec, &table));
    }
    for column in mapping.extra.iter().map(|&column| &table.headers[column]) {
        if is_secret_column(column) {
            told.insert(
                format!(
                    "column `{}` is for secrets and is not kept; take it out of the register",
                    shown(column)
                ),
                Vec::new(),
            );
        }
    }
    for (message, rows) in told {
        let rows = if rows.is_empty() {
            String::new()
        } else {
            format!(" ({})", rows_shown(&rows))
        };
        inventory
            .notes
            .push(format!("{}: {message}{rows}", spec.file_label));
    }
    inventory.leaked = leaks
        .into_iter()
        .map(|leak| leaked_cell(spec, &table, leak))
        .collect();
    distinct_ids(&mut inventory, &spec.file_label);
    Ok(inventory)
}

fn identifier_columns<'a>(
    mapping: &'a Mapping,
) -> impl Iterator<Item = (&'static str, usize)> + 'a {
    IDENTIFIERS.iter().flat_map(|&scheme| {
        let columns = mapping.columns(scheme).iter();
        columns.map(move |&column| (scheme, column))
    })
}

fn unreadable(spec: &InventorySpec, table: &Table) -> InventoryError {
    let headers: Vec<String> = table
        .headers
        .iter()
        .take(8)
        .map(|h| format!("`{}`", shown(h)))
        .collect();
    let message = format!(
        "no column can be read as an identifier or a name; found {}",
        headers.join(", ")
    );
    let file = &spec.file_label;
    let error = InventoryError::new(file, message).help(format!(
        "see `keymuster inventory map {file}`, and name the columns in [inventory.map]"
    ));
    if table.header_row > 0 {
        error.row(table.header_row)
    } else {
        error
    }
}

fn leaked_cell(spec: &InventorySpec, table: &Table, leak: Leak) -> LeakedCell {
    LeakedCell {
        source: source(spec, leak.row),
        column: table.headers[leak.column].clone(),
        rule: leak.redaction.rule,
        kind: leak.redaction.kind,
        secret: leak.redaction.secret,
        handle: leak.redaction.handle,
    }
}

fn source(spec: &InventorySpec, row: u64) -> RecordSource {
    RecordSource {
        inventory: spec.name.clone(),
        file: spec.file_label.clone(),
        row,
    }
}
