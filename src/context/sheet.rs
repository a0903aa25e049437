//! Small tables whose columns have well-known names: a column is found by any of its names,
//! compared without case, accents, blanks and punctuation; further columns are ignored.

use std::sync::LazyLock;

use jiff::Timestamp;
use keymuster_api::Redactor;
use regex::Regex;

use crate::inventory::{
    DayIs, InventoryError, ReadCx, Refusal, Table, column_of_dates, is_placeholder, read_table,
    refused, seal, squeezed,
};

/// How names are compared.
pub(crate) fn name_key(name: &str) -> String {
    squeezed(name)
}

/// Words that headers of these tables are made of, for finding the header's row.
const HEADERS: &str = "event eventtype type kind subject who what at date when time timestamp \
     reference ticket name system service application api owner status state lifecycle vendor \
     supplier partner contract contractref contractend playbook id key number issuekey created \
     opened resolved closed approval approver requester reporter assignee purpose tier dataclasses \
     dependencies auth revocation repository";

/// A table with a place for every row.
pub(super) struct Sheet {
    pub(super) label: String,
    table: Table,
    keys: Vec<String>,
}

impl Sheet {
    /// Reads a table; cells that are secrets are wiped.
    pub(super) fn read(
        label: &str,
        bytes: &[u8],
        redactor: &dyn Redactor,
    ) -> Result<Sheet, InventoryError> {
        let cx = ReadCx {
            label,
            header_row: None,
            knows: &|text| {
                let word = squeezed(text);
                HEADERS.split_ascii_whitespace().any(|known| known == word)
            },
        };
        let mut table = read_table(None, bytes, &cx)?;
        seal(&mut table, redactor);
        let keys = table
            .headers
            .iter()
            .map(|header| squeezed(header))
            .collect();
        Ok(Sheet {
            label: label.to_owned(),
            table,
            keys,
        })
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.table.rows.len()
    }

    /// The first column of any of these names (squeezed, separated by blanks), best name first.
    pub(super) fn column(&self, names: &str) -> Option<usize> {
        let mut names = names.split_ascii_whitespace();
        names.find_map(|name| self.keys.iter().position(|key| key == name))
    }

    /// The same, which must be there.
    pub(super) fn needed(&self, names: &str) -> Result<usize, InventoryError> {
        self.column(names).ok_or_else(|| {
            let wanted: Vec<&str> = names.split_ascii_whitespace().take(4).collect();
            InventoryError::new(
                &self.label,
                format!("no column is called {}", wanted.join(" or ")),
            )
            .row(self.table.header_row.max(1))
            .help("CHECKS.md lists what each file needs")
        })
    }

    /// A cell; `None` where it is empty or a placeholder.
    pub(super) fn cell(&self, row: usize, column: Option<usize>) -> Option<&str> {
        let cell = self.table.rows[row].cells[column?].as_str();
        (!cell.is_empty() && !is_placeholder(cell)).then_some(cell)
    }

    /// The same, as a text of its own.
    pub(super) fn text(&self, row: usize, column: Option<usize>) -> Option<String> {
        self.cell(row, column).map(str::to_owned)
    }

    /// The parts of a cell that lists several things.
    pub(super) fn list(&self, row: usize, column: Option<usize>) -> Vec<String> {
        let cell = self.cell(row, column).unwrap_or_default();
        let parts = cell.split([';', ',', '\n']).map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// `file:row`.
    pub(super) fn place(&self, row: usize) -> String {
        format!("{}:{}", self.label, self.table.rows[row].row)
    }

    /// An error about a row.
    pub(super) fn error(&self, row: usize, message: impl Into<String>) -> InventoryError {
        InventoryError::new(&self.label, message).row(self.table.rows[row].row)
    }

    /// A column of dates, read as the register's are: an order that nothing decides is refused.
    pub(super) fn dates(
        &self,
        column: Option<usize>,
        day_is: DayIs,
    ) -> Result<Vec<Option<Timestamp>>, InventoryError> {
        let Some(column) = column else {
            return Ok(vec![None; self.len()]);
        };
        let long: Vec<String> = (0..self.len())
            .map(|row| long_year(&self.table.rows[row].cells[column]))
            .collect();
        let values: Vec<(u64, &str)> = self
            .table
            .rows
            .iter()
            .zip(&long)
            .map(|(row, cell)| (row.row, cell.as_str()))
            .collect();
        let header = &self.table.headers[column];
        let moments = column_of_dates(&values, None).map_err(|refusal: Refusal| {
            refused(&self.label, header, "date", refusal).help("write the column as YYYY-MM-DD")
        })?;
        let mut all = Vec::with_capacity(values.len());
        for (row, (moment, cell)) in moments.into_iter().zip(&long).enumerate() {
            match moment {
                Some(moment) => all.push(moment.at(day_is)),
                None if cell.is_empty() || is_placeholder(cell) => all.push(None),
                None => {
                    return Err(self
                        .error(row, "is no date")
                        .column(header)
                        .help("write YYYY-MM-DD, or nothing"));
                }
            }
        }
        Ok(all)
    }
}

/// Jira writes `12/Mar/26 10:04 AM` unless told otherwise. The month is a word, and Jira is
/// younger than 2000, so the year is this century's.
fn long_year(cell: &str) -> String {
    static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(\d{1,2})/([A-Za-z]{3})/(\d{2})( .*)?$").expect("literal patterns compile")
    });
    SHAPE.replace(cell.trim(), "$1/$2/20$3$4").into_owned()
}

#[cfg(test)]
mod tests {
    use super::long_year;

    #[test]
    fn jiras_own_dates_get_a_century() {
        assert_eq!(long_year("12/Mar/26 10:04 AM"), "12/Mar/2026 10:04 AM");
        assert_eq!(long_year("1/Dec/19"), "1/Dec/2019");
        for other in ["2026-03-12", "12/03/26", "12/Mar/2026", ""] {
            assert_eq!(long_year(other), other);
        }
    }
}
