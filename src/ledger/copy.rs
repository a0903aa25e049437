//! The memory as lines of text, so that evidence can hold what a run started from, and a replay
//! can start from there.

use rusqlite::{
    params_from_iter,
    types::{Value, ValueRef},
};
use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerError};

/// The tables that decide how a run is settled, with the column that orders their rows.
const TABLES: [(&str, &str); 4] = [
    ("findings", "id"),
    ("aliases", "new"),
    ("exposures", "subject"),
    ("past", "subject, at"),
];

/// One row of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copied {
    /// The table.
    pub table: String,
    /// Its cells, in the order of the columns: numbers, texts and nulls.
    pub cells: Vec<serde_json::Value>,
}

impl Ledger {
    /// Writes a copy that is whole at one moment, while others may read and write.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn copy_to(&self, path: &std::path::Path) -> Result<(), LedgerError> {
        super::create_private(path).map_err(|error| LedgerError::Open {
            path: path.to_owned(),
            source: error.into(),
        })?;
        let mut target = rusqlite::Connection::open(path)?;
        let backup = rusqlite::backup::Backup::new(&self.connection, &mut target)?;
        backup.run_to_completion(1_000, std::time::Duration::ZERO, None)?;
        Ok(())
    }

    /// What the next run is settled against.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn copied(&self) -> Result<Vec<Copied>, LedgerError> {
        let mut all = Vec::new();
        for (table, order) in TABLES {
            let mut query = self
                .connection
                .prepare(&format!("select * from {table} order by {order}"))?;
            let width = query.column_count();
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let cells = (0..width).map(|ix| match row.get_ref(ix)? {
                    ValueRef::Integer(number) => Ok(number.into()),
                    ValueRef::Text(text) => Ok(String::from_utf8_lossy(text).into()),
                    _ => Ok(serde_json::Value::Null),
                });
                all.push(Copied {
                    table: table.to_owned(),
                    cells: cells.collect::<Result<_, rusqlite::Error>>()?,
                });
            }
        }
        Ok(all)
    }

    /// A ledger in memory that starts from a copy.
    ///
    /// # Errors
    /// When a row is none of a ledger of this version.
    pub fn from_copy(rows: &[Copied]) -> Result<Ledger, LedgerError> {
        let mut ledger = Ledger::ephemeral()?;
        let transaction = ledger.connection.transaction()?;
        for row in rows {
            let known = TABLES.iter().find(|(table, _)| *table == row.table);
            let (table, _) = known.ok_or_else(|| LedgerError::Row(row.table.clone()))?;
            let cells = row.cells.iter().map(|cell| match cell {
                serde_json::Value::Null => Value::Null,
                serde_json::Value::Number(number) => Value::Integer(number.as_i64().unwrap_or(0)),
                serde_json::Value::String(text) => Value::Text(text.clone()),
                other => Value::Text(other.to_string()),
            });
            let places = vec!["?"; row.cells.len()].join(", ");
            let mut insert =
                transaction.prepare_cached(&format!("insert into {table} values ({places})"))?;
            insert.execute(params_from_iter(cells))?;
        }
        transaction.commit()?;
        Ok(ledger)
    }
}
