//! The memory between runs: which finding was seen when, what became of it, under which id.
//!
//! One SQLite file, so that people can query it. One transaction a run: a crash leaves the
//! ledger as the run before left it. It uses a rollback journal, which needs no shared memory
//! and so works on network file systems too, and waits for another run that writes.
//!
//! Invariant: never a secret in it; it stores what findings show.

mod body;
mod copy;
mod past;
mod plan;
mod schema;
mod settle;
mod tickets;

pub use copy::Copied;
pub use plan::{Act, Step, plan};
pub use settle::{Changes, Kept, RunFacts};
pub use tickets::{Exported, LearnOutcome, Learned, Standing, Ticket};

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// How long to wait for another run that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many documents of earlier runs are kept, if nobody says otherwise.
pub const DOCUMENTS: u32 = 30;

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be opened.
    #[error("cannot open the ledger {}: {source}; check its folder and permissions", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer keymuster wrote it.
    #[error(
        "the ledger {} has schema {found}, this keymuster knows {known}; use the newer keymuster, or another state folder",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// It is the database of something else.
    #[error("{} is no ledger of keymuster; name another state folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("cannot use the ledger: {0}; if another run holds it, wait for its end")]
    Sql(#[from] rusqlite::Error),
    /// A row does not say what it should.
    #[error("the ledger has a row that cannot be read: {0}; restore it from a backup")]
    Row(String),
}

/// The memory between runs.
pub struct Ledger {
    connection: Connection,
}

/// A run, as the ledger lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// What was told when it was settled.
    pub facts: RunFacts,
    /// Whether its document is still kept.
    pub has_document: bool,
    /// What is kept of it for ever, as JSON.
    pub summary: Option<String>,
    /// The root of its evidence, in hexadecimal digits.
    pub root: Option<String>,
}

impl Ledger {
    /// Opens a ledger, makes one where there is none, and brings an older one up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is something else, or was written by a newer keymuster.
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        create_private(path).map_err(|error| LedgerError::Open {
            path: path.to_owned(),
            source: error.into(),
        })?;
        let failed = |error: rusqlite::Error| LedgerError::Open {
            path: path.to_owned(),
            source: error.into(),
        };
        let connection = Connection::open(path).map_err(failed)?;
        prepare(connection, path).map_err(|error| match error {
            LedgerError::Sql(error) => failed(error),
            other => other,
        })
    }

    /// A ledger that forgets.
    ///
    /// # Errors
    /// When SQLite has no memory left.
    pub fn ephemeral() -> Result<Ledger, LedgerError> {
        prepare(Connection::open_in_memory()?, Path::new("(in memory)"))
    }

    /// When each secret was first seen exposed, by subject.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn first_exposed(&self) -> Result<BTreeMap<String, Timestamp>, LedgerError> {
        let mut query = self
            .connection
            .prepare("select subject, first_exposed from exposures")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (subject, at) = row?;
            Ok((subject, read_time(&at)?))
        })
        .collect()
    }

    /// Every run, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        let mut query = self.connection.prepare(
            "select id, at, now, tool, complete, key_id, document is not null, summary, root from runs order by rowid desc",
        )?;
        let rows = query.query_map([], |row| {
            let texts: [String; 5] = [
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(5)?,
            ];
            let kept: [Option<String>; 2] = [row.get(7)?, row.get(8)?];
            Ok((texts, row.get(4)?, row.get(6)?, kept))
        })?;
        rows.map(|row| {
            let ([id, at, now, tool, key_id], complete, has_document, [summary, root]) = row?;
            Ok(RunRow {
                facts: RunFacts {
                    id,
                    at: read_time(&at)?,
                    now: read_time(&now)?,
                    tool,
                    complete,
                    key_id,
                },
                has_document,
                summary,
                root,
            })
        })
        .collect()
    }

    /// The document of a run, or of the newest run that has one.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn document(&self, run: Option<&str>) -> Result<Option<String>, LedgerError> {
        let found = match run {
            Some(run) => self
                .connection
                .query_row("select document from runs where id = ?1", [run], |row| row.get(0))
                .optional()?,
            None => self
                .connection
                .query_row(
                    "select document from runs where document is not null order by rowid desc limit 1",
                    [],
                    |row| row.get(0),
                )
                .optional()?,
        };
        Ok(found.flatten())
    }

    /// The id under which a finding is published, for any id it ever had.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn published(&self, id: &str) -> Result<Option<String>, LedgerError> {
        let alias = self
            .connection
            .query_row("select old from aliases where new = ?1", [id], |row| {
                row.get(0)
            })
            .optional()?;
        if alias.is_some() {
            return Ok(alias);
        }
        Ok(self
            .connection
            .query_row("select id from findings where id = ?1", [id], |row| {
                row.get(0)
            })
            .optional()?)
    }
}

fn prepare(mut connection: Connection, path: &Path) -> Result<Ledger, LedgerError> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // One snapshot: another process may be making the tables at this moment.
    let snapshot = connection.transaction()?;
    let number = |name| snapshot.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 =
        snapshot.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    let (version, application) = (number("user_version")?, number("application_id")?);
    drop(snapshot);
    if tables > 0 && application != schema::APPLICATION {
        return Err(LedgerError::Foreign {
            path: path.to_owned(),
        });
    }
    if version > schema::VERSION {
        return Err(LedgerError::Newer {
            path: path.to_owned(),
            found: version,
            known: schema::VERSION,
        });
    }
    if version < schema::VERSION {
        schema::migrate(&mut connection, version)?;
    }
    Ok(Ledger { connection })
}

/// Makes the file, readable by its owner only, if there is none: it names people and systems.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn read_time(text: &str) -> Result<Timestamp, LedgerError> {
    text.parse()
        .map_err(|_| LedgerError::Row(format!("'{text}' is no time")))
}

#[cfg(test)]
mod tests;
