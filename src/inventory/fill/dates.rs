//! Columns of dates, each read as a whole: one value decides the order for all.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::InventorySpec;
use crate::inventory::{
    InventoryError,
    dates::{self, DayIs, Refusal},
    map::Mapping,
    read::Table,
    text::shown,
    words,
};

/// One cell of a date field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dated {
    At(Timestamp),
    /// There is no end.
    Never,
    /// No date.
    Unread,
    /// Nothing there.
    Nothing,
}

/// Date columns by index.
pub(super) type Dates = BTreeMap<usize, Vec<Dated>>;

pub(crate) const DATES: &[&str] = &[
    "approved_at",
    "issued_at",
    "expires_at",
    "last_rotated_at",
    "last_reviewed_at",
    "revoked_at",
    "contract_end",
    "revocation_drill_at",
];

pub(super) fn read_dates(
    spec: &InventorySpec,
    table: &Table,
    mapping: &Mapping,
) -> Result<Dates, InventoryError> {
    let mut dates = Dates::new();
    for &name in DATES {
        let day_is = if matches!(name, "expires_at" | "contract_end") {
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
