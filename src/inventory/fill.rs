//! Rows to records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use keymuster_api::Redactor;

use super::{
    Identifier, Inventory, InventoryError, InventoryMap, LeakedCell, Record, RecordSource,
    dates::{self, DayIs, Refusal},
    field::{self, IDENTIFIERS},
    identify,
    ids::{derived_id, distinct_ids},
    map::{Mapping, map_table},
    read::{ReadCx, Table, read_table},
    seal::{Leak, is_secret_column, seal},
    text::{rows_shown, shown, squeezed},
    words,
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
    let mut filling = Filling {
        spec,
        table: &table,
        dates: read_dates(spec, &table, &mapping)?,
        mapping: &mapping,
        told: BTreeMap::new(),
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
    for index in 0..table.rows.len() {
        let leaked = leaks_of.get(&index).map_or(&[][..], Vec::as_slice);
        if let Some(record) = filling.record(index, leaked) {
            inventory.records.push(record);
        }
    }
    let named = mapping.columns("name").len() + identifier_columns(&mapping).count();
    if named == 0 && inventory.records.is_empty() {
        return Err(unreadable(spec, &table));
    }
    for column in mapping.extra.iter().map(|&column| &table.headers[column]) {
        if is_secret_column(column) {
            filling.told.insert(
                format!(
                    "column `{}` is for secrets and is not kept; take it out of the register",
                    shown(column)
                ),
                Vec::new(),
            );
        }
    }
    for (message, rows) in filling.told {
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

/// One cell of a date field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dated {
    At(Timestamp),
    /// There is no end.
    Never,
    /// No date.
    Unread,
    /// Nothing there.
    Nothing,
}

/// Date columns by index.
type Dates = BTreeMap<usize, Vec<Dated>>;

const DATES: &[&str] = &[
    "approved_at",
    "issued_at",
    "expires_at",
    "last_rotated_at",
    "last_reviewed_at",
    "revoked_at",
];

fn read_dates(
    spec: &InventorySpec,
    table: &Table,
    mapping: &Mapping,
) -> Result<Dates, InventoryError> {
    let mut dates = Dates::new();
    for &name in DATES {
        let day_is = if name == "expires_at" {
            DayIs::End
        } else {
            DayIs::Start
        };
        for &column in mapping.columns(name) {
            let values: Vec<(u64, &str)> = table
                .rows
                .iter()
                .map(|row| (row.row, row.cells[column].as_str()))
                .collect();
            let header = &table.headers[column];
            let moments = dates::column(&values, spec.map.order_of(name))
                .map_err(|refusal| refused(&spec.file_label, header, name, refusal))?;
            let cells = values.iter().zip(moments).map(|((_, cell), moment)| {
                let at = moment.filter(|m| !m.is_never()).and_then(|m| m.at(day_is));
                match at {
                    Some(at) => Dated::At(at),
                    None if moment.is_some() || words::is_never(cell) => Dated::Never,
                    None if spec.map.is_null(cell) => Dated::Nothing,
                    None => Dated::Unread,
                }
            });
            dates.insert(column, cells.collect());
        }
    }
    Ok(dates)
}

/// The error for a column of dates that can be read in two ways.
pub(crate) fn refused(file: &str, header: &str, field: &str, refusal: Refusal) -> InventoryError {
    let quoted = |rows: &[(u64, String)]| {
        let rows: Vec<String> = rows
            .iter()
            .map(|(row, text)| format!("row {row}: `{}`", shown(text)))
            .collect();
        rows.join(", ")
    };
    let error = match &refusal {
        Refusal::Undecided(rows) => InventoryError::new(
            file,
            format!("no value tells day from month ({})", quoted(rows)),
        )
        .help(format!(
            "write `date-order = {{ {field} = \"dmy\" }}` (or \"mdy\") into [inventory.map]"
        )),
        Refusal::Contradiction(rows) => InventoryError::new(
            file,
            format!("day and month change places within the column ({})", quoted(rows)),
        )
        .help(format!(
            "correct the file, or write `date-order = {{ {field} = \"dmy\" }}` (or \"mdy\") into [inventory.map]"
        )),
        Refusal::ShortYear(_, text) => InventoryError::new(
            file,
            format!("`{}` has a year of two digits", shown(text)),
        )
        .help(format!(
            "write years with four digits, or leave the column out with `{field} = []` in [inventory.map]"
        )),
    };
    let row = match &refusal {
        Refusal::Undecided(rows) => rows.first().map(|(row, _)| *row),
        Refusal::Contradiction([(row, _), _]) | Refusal::ShortYear(row, _) => Some(*row),
    };
    let error = error.column(header);
    match row {
        Some(row) => error.row(row),
        None => error,
    }
}

struct Filling<'a> {
    spec: &'a InventorySpec,
    table: &'a Table,
    mapping: &'a Mapping,
    dates: Dates,
    /// Messages with the rows they are about.
    told: BTreeMap<String, Vec<u64>>,
}

impl Filling<'_> {
    fn tell(&mut self, row: usize, message: String) {
        self.told
            .entry(message)
            .or_default()
            .push(self.table.rows[row].row);
    }

    fn cell(&self, row: usize, column: usize) -> Option<&str> {
        let cell = self.table.rows[row].cells[column].as_str();
        (!self.spec.map.is_null(cell)).then_some(cell)
    }

    /// The first column of a field that says something in this row.
    fn column(&self, row: usize, field: &str) -> Option<usize> {
        debug_assert!(
            field::RECORD.iter().any(|known| known.name == field),
            "{field}"
        );
        let mut columns = self.mapping.columns(field).iter().copied();
        columns.find(|&column| self.cell(row, column).is_some())
    }

    fn text(&self, row: usize, field: &str) -> Option<String> {
        let cell = self.cell(row, self.column(row, field)?)?;
        let meaning = self
            .spec
            .map
            .values
            .get(field)
            .and_then(|m| m.get(&squeezed(cell)));
        Some(meaning.map_or(cell, String::as_str).to_owned())
    }

    fn list(&self, row: usize, field: &str) -> Vec<String> {
        let text = self.text(row, field).unwrap_or_default();
        let items = text.split([';', ',', '\n']).map(super::text::trimmed);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A field of words; one that is not known stays in `extra`.
    fn word<T>(
        &mut self,
        row: usize,
        field: &str,
        extra: &mut BTreeMap<String, String>,
        known: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let column = self.column(row, field)?;
        let text = self.text(row, field)?;
        let meaning = known(&text);
        if meaning.is_none() {
            self.unread(row, column, extra);
            self.tell(
                row,
                format!(
                    "`{}` is not known as `{field}` and read as nothing; give it a meaning in `values.{field}`",
                    shown(&text)
                ),
            );
        }
        meaning
    }

    fn date(
        &mut self,
        row: usize,
        field: &str,
        extra: &mut BTreeMap<String, String>,
    ) -> Option<Timestamp> {
        for &column in self.mapping.columns(field) {
            match self.dates.get(&column).map(|cells| cells[row]) {
                Some(Dated::At(at)) => return Some(at),
                Some(Dated::Nothing) | None => {}
                Some(Dated::Never) => {
                    self.unread(row, column, extra);
                    return None;
                }
                Some(Dated::Unread) => {
                    self.unread(row, column, extra);
                    let header = shown(&self.table.headers[column]);
                    self.tell(
                        row,
                        format!("column `{header}` holds no date and is read as nothing"),
                    );
                    return None;
                }
            }
        }
        None
    }

    /// Keeps a cell as the register has it.
    fn unread(&self, row: usize, column: usize, extra: &mut BTreeMap<String, String>) {
        let header = &self.table.headers[column];
        let mut name = header.clone();
        let mut n = 2;
        while extra.contains_key(&name) {
            name = format!("{header} ({n})");
            n += 1;
        }
        extra.insert(name, self.table.rows[row].cells[column].clone());
    }

    /// What the row is known by: first what columns declare, then what shapes tell.
    fn identifiers(&self, row: usize, leaks: &[&Leak]) -> Vec<Identifier> {
        let mut found = Vec::new();
        for (scheme, column) in identifier_columns(self.mapping) {
            if let Some(cell) = self.cell(row, column) {
                found.extend(identify::declared(scheme, cell));
            }
        }
        let names = self.mapping.columns("name").iter();
        let other = names.chain(&self.mapping.extra).copied();
        let mut mentioned = Vec::new();
        for column in other {
            let Some(cell) = self.cell(row, column) else {
                continue;
            };
            let (sniffed, whole) = identify::sniff(cell);
            if whole {
                found.extend(sniffed);
            } else {
                mentioned.extend(sniffed);
            }
        }
        // What a remark mentions may be another credential; it counts where nothing else does.
        if found.is_empty() {
            found = mentioned;
        }
        found.extend(leaks.iter().map(|leak| Identifier {
            scheme: "fingerprint_hmac".to_owned(),
            value: leak.redaction.secret.to_string(),
        }));
        let mut seen = BTreeSet::new();
        found.retain(|identifier| seen.insert(identifier.clone()));
        found
    }

    fn record(&mut self, row: usize, leaks: &[&Leak]) -> Option<Record> {
        let identifiers = self.identifiers(row, leaks);
        let name = self.text(row, "name");
        if identifiers.is_empty() && name.is_none() {
            self.tell(row, "neither identifier nor name; skipped".to_owned());
            return None;
        }
        let mut extra = BTreeMap::new();
        for &column in &self.mapping.extra {
            let kept = !is_secret_column(&self.table.headers[column]);
            if kept && self.cell(row, column).is_some() {
                self.unread(row, column, &mut extra);
            }
        }
        let x = &mut extra;
        let mut record = Record {
            id: String::new(),
            source: source(self.spec, self.table.rows[row].row),
            credential_type: self
                .word(row, "credential_type", x, words::credential_type)
                .map(str::to_owned),
            identifiers,
            name,
            system: self.text(row, "system"),
            provider: self
                .text(row, "provider")
                .map(|text| words::provider(&text)),
            account: self.text(row, "account"),
            environment: self
                .word(row, "environment", x, words::environment)
                .map(str::to_owned),
            entity: self
                .text(row, "entity")
                .or_else(|| self.spec.entity.clone()),
            owner: self.text(row, "owner"),
            owner_kind: self.word(row, "owner_kind", x, words::owner_kind),
            approver: self.text(row, "approver"),
            approved_at: self.date(row, "approved_at", x),
            approval_ref: self.text(row, "approval_ref"),
            purpose: self.text(row, "purpose"),
            scope: self.list(row, "scope"),
            data_classes: self.list(row, "data_classes"),
            tier: self.word(row, "tier", x, words::tier),
            trust_tier: self.text(row, "trust_tier"),
            status: self.word(row, "status", x, words::status),
            issued_at: self.date(row, "issued_at", x),
            expires_at: self.date(row, "expires_at", x),
            no_expiry_reason: self.text(row, "no_expiry_reason"),
            max_lifetime_days: self.word(row, "max_lifetime_days", x, words::days),
            rotation_days: self.word(row, "rotation_days", x, words::days),
            last_rotated_at: self.date(row, "last_rotated_at", x),
            last_reviewed_at: self.date(row, "last_reviewed_at", x),
            revocation_path: self.text(row, "revocation_path"),
            recovery_procedure: self.text(row, "recovery_procedure"),
            revoked_at: self.date(row, "revoked_at", x),
            revoked_by: self.text(row, "revoked_by"),
            vendor: self.text(row, "vendor"),
            extra,
        };
        record.id = self
            .text(row, "record_id")
            .unwrap_or_else(|| derived_id(&record));
        Some(record)
    }
}
