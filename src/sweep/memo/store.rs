//! The SQLite file: pieces by context, unit and part, each with a checksum.

use std::{fs, path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension as _, params};

/// Marks the file as a memory of keymuster (`KMME`).
const APPLICATION: i64 = 0x4b4d_4d45;
/// The schema.
const VERSION: i64 = 1;
/// Bytes that are kept at most; the units that were not used for longest go first.
const MOST: i64 = 4 << 30;
/// How long to wait for another run that writes.
const PATIENCE: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
    create table pieces (
        context blob not null,
        unit text not null,
        part text not null,
        number integer not null,
        checksum integer not null,
        bytes blob not null,
        primary key (context, unit, part, number)
    );
    create table units (
        context blob not null,
        unit text not null,
        used integer not null,
        primary key (context, unit)
    ) without rowid;
";

pub(super) struct Store {
    connection: Connection,
    context: Vec<u8>,
    run: i64,
    trouble: Option<String>,
}

impl Store {
    pub(super) fn open(path: &Path, context: &[u8]) -> Result<(Store, Option<String>), String> {
        match Store::try_open(path, context) {
            Ok(store) => Ok((store, None)),
            Err(why) => {
                let aside = path.with_extension("sqlite.bad");
                fs::rename(path, &aside).map_err(|_| why.clone())?;
                // A journal belongs to its file, and would be applied to the new one.
                let _ = fs::remove_file(path.with_extension("sqlite-journal"));
                let store = Store::try_open(path, context)?;
                let note = format!(
                    "the memory of earlier runs {} cannot be used ({why}): it is now {}, and everything is read again",
                    path.display(),
                    aside.display()
                );
                Ok((store, Some(note)))
            }
        }
    }

    fn try_open(path: &Path, context: &[u8]) -> Result<Store, String> {
        private(path).map_err(|error| error.to_string())?;
        let sql = |error: rusqlite::Error| error.to_string();
        let connection = Connection::open(path).map_err(sql)?;
        connection.busy_timeout(PATIENCE).map_err(sql)?;
        // What power takes is found again; what a killed process began is rolled back.
        connection
            .pragma_update(None, "synchronous", "off")
            .map_err(sql)?;
        let number = |name| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
                .map_err(sql)
        };
        match (number("application_id")?, number("user_version")?) {
            (APPLICATION, VERSION) => {}
            (0, 0) if number("schema_version")? == 0 => {
                connection.execute_batch("begin immediate").map_err(sql)?;
                connection.execute_batch(SCHEMA).map_err(sql)?;
                connection
                    .pragma_update(None, "application_id", APPLICATION)
                    .map_err(sql)?;
                connection
                    .pragma_update(None, "user_version", VERSION)
                    .map_err(sql)?;
                connection.execute_batch("commit").map_err(sql)?;
            }
            _ => return Err("it is another program's, or another version's".to_owned()),
        }
        let last: i64 = connection
            .query_row("select coalesce(max(used), 0) from units", [], |row| {
                row.get(0)
            })
            .map_err(sql)?;
        Ok(Store {
            connection,
            context: context.to_vec(),
            run: last.saturating_add(1),
            trouble: None,
        })
    }

    pub(super) fn pieces(&mut self, unit: &str, part: &str) -> Vec<Vec<u8>> {
        let read = || {
            let mut query = self.connection.prepare_cached(
                "select checksum, bytes from pieces where context = ? and unit = ? and part = ? order by number",
            )?;
            let rows = query.query_map(params![self.context, unit, part], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let found = match read() {
            Ok(found) => found,
            Err(error) => {
                self.fail(&error);
                return Vec::new();
            }
        };
        let count = found.len();
        let pieces: Vec<Vec<u8>> = found
            .into_iter()
            .filter(|(sum, bytes)| *sum == checksum(bytes))
            .map(|(_, bytes)| bytes)
            .collect();
        if pieces.len() != count {
            self.trouble.get_or_insert_with(|| {
                "a part of the memory of earlier runs is damaged; that part was read again"
                    .to_owned()
            });
        }
        if !pieces.is_empty() {
            self.touch(unit);
        }
        pieces
    }

    pub(super) fn add(&mut self, unit: &str, part: &str, piece: &[u8]) {
        let outcome = self.connection.execute(
            "insert into pieces select ?1, ?2, ?3, coalesce(max(number) + 1, 0), ?4, ?5 from pieces where context = ?1 and unit = ?2 and part = ?3",
            params![self.context, unit, part, checksum(piece), piece],
        );
        self.check(outcome);
        self.touch(unit);
    }

    pub(super) fn replace(&mut self, unit: &str, parts: &[(String, Vec<u8>)]) {
        let mut write = || {
            let transaction = self.connection.transaction()?;
            for (part, piece) in parts {
                transaction.execute(
                    "delete from pieces where context = ? and unit = ? and part = ?",
                    params![self.context, unit, part],
                )?;
                if !piece.is_empty() {
                    transaction.execute(
                        "insert into pieces values (?, ?, ?, 0, ?, ?)",
                        params![self.context, unit, part, checksum(piece), piece],
                    )?;
                }
            }
            transaction.commit()
        };
        let outcome = write();
        self.check(outcome);
        self.touch(unit);
    }

    fn touch(&mut self, unit: &str) {
        let outcome = self.connection.execute(
            "insert into units values (?1, ?2, ?3) on conflict do update set used = ?3 where used <> ?3",
            params![self.context, unit, self.run],
        );
        self.check(outcome);
    }

    /// Forgets what is too much, and says what went wrong.
    pub(super) fn finish(&mut self) -> Option<String> {
        let outcome = self.shrink();
        self.check(outcome);
        self.trouble.take()
    }

    fn shrink(&self) -> rusqlite::Result<()> {
        loop {
            let pages: i64 = self
                .connection
                .pragma_query_value(None, "page_count", |row| row.get(0))?;
            let free: i64 = self
                .connection
                .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
            let size: i64 = self
                .connection
                .pragma_query_value(None, "page_size", |row| row.get(0))?;
            if (pages - free).saturating_mul(size) <= MOST {
                return Ok(());
            }
            let oldest: Option<(Vec<u8>, String)> = self
                .connection
                .query_row(
                    "select context, unit from units order by used, context, unit limit 1",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let Some((context, unit)) = oldest else {
                return Ok(());
            };
            for table in ["pieces", "units"] {
                self.connection.execute(
                    &format!("delete from {table} where context = ? and unit = ?"),
                    params![context, unit],
                )?;
            }
        }
    }

    fn check<T>(&mut self, outcome: rusqlite::Result<T>) {
        if let Err(error) = outcome {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &rusqlite::Error) {
        self.trouble.get_or_insert_with(|| {
            format!(
                "the memory of earlier runs cannot be used: {error}; what it did not give was read"
            )
        });
    }
}

fn checksum(bytes: &[u8]) -> i64 {
    i64::from(crc32fast::hash(bytes))
}

/// An empty file that only its owner reads, unless there is one.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Store;

    #[test]
    fn pieces_come_back_in_order_under_their_context_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("memo.sqlite");
        let open = |context: &[u8]| Store::open(&path, context).expect("opens");
        let (mut store, note) = open(b"one");
        assert_eq!(note, None);
        store.add("unit", "part", b"a");
        store.add("unit", "part", b"b");
        assert_eq!(store.pieces("unit", "part"), [b"a", b"b"]);
        store.replace(
            "unit",
            &[("part".into(), vec![]), ("new".into(), b"c".to_vec())],
        );
        assert_eq!(store.finish(), None);
        drop(store);
        assert!(open(b"two").0.pieces("unit", "new").is_empty());
        let (mut store, _) = open(b"one");
        assert!(store.pieces("unit", "part").is_empty());
        assert_eq!(store.pieces("unit", "new"), [b"c"]);
    }

    #[test]
    fn a_damaged_or_foreign_file_is_put_aside_and_a_damaged_piece_is_not_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("memo.sqlite");
        fs::write(
            &path,
            "no database at all, but long enough to look like a file",
        )
        .expect("writes");
        let (store, note) = Store::open(&path, b"one").expect("made anew");
        assert!(note.is_some_and(|note| note.contains("memo.sqlite.bad")));
        drop(store);
        fs::remove_file(&path).expect("is there");
        let foreign = rusqlite::Connection::open(&path).expect("opens");
        foreign
            .execute_batch("create table theirs (a)")
            .expect("is written");
        drop(foreign);
        let (mut store, note) = Store::open(&path, b"one").expect("made anew");
        assert!(note.is_some_and(|note| note.contains("another program's")));
        store.add("unit", "part", b"a");
        store
            .connection
            .execute("update pieces set bytes = x'62'", [])
            .expect("is written");
        assert!(store.pieces("unit", "part").is_empty());
        assert!(store.finish().is_some_and(|note| note.contains("damaged")));
    }
}
