//! Cells of a CSV file (RFC 4180): lists joined, formulas disarmed, lines ended by CRLF.

use std::{borrow::Cow, io};

use super::text::harmless_lines;

/// A writer with this header.
pub(crate) struct Table<'w> {
    rows: csv::Writer<&'w mut dyn io::Write>,
}

impl<'w> Table<'w> {
    /// Writes the header.
    pub(crate) fn new(out: &'w mut dyn io::Write, header: &[&str]) -> io::Result<Table<'w>> {
        let mut rows = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        rows.write_record(header).map_err(io_error)?;
        Ok(Table { rows })
    }

    /// Writes one row; every row must have as many cells as the header.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> io::Result<()> {
        for cell in cells {
            self.rows
                .write_field(disarmed(cell.as_ref()).as_bytes())
                .map_err(io_error)?;
        }
        self.rows.write_record(None::<&[u8]>).map_err(io_error)
    }

    /// Writes what is still in the buffer.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.rows.flush()
    }
}

/// An I/O error is handed on as it is, so that a broken pipe stays one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("cannot write this row of CSV: {other:?}")),
    }
}

/// The cell, harmless, and never the beginning of a formula (OWASP, CSV injection).
pub(crate) fn disarmed(cell: &str) -> Cow<'_, str> {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let shown = harmless_lines(cell);
    if formula {
        Cow::Owned(format!("'{shown}"))
    } else {
        shown
    }
}

/// A list in one cell.
pub(crate) fn list<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> String {
    let mut out = String::new();
    for part in parts {
        if !out.is_empty() {
            out.push_str("; ");
        }
        out.push_str(part.as_ref());
    }
    out
}

/// Checks that bytes are CSV in which every row has as many cells as the first one.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(false)
        .from_reader(bytes);
    let mut row = csv::ByteRecord::new();
    let mut count = 0_u64;
    while rows
        .read_byte_record(&mut row)
        .map_err(|error| error.to_string())?
    {
        count += 1;
    }
    if count == 0 {
        return Err("there is no header".to_owned());
    }
    Ok(())
}

/// Checks a file with a header, and gives the cells of these columns, row by row.
///
/// # Errors
/// What is wrong; a column that is missing.
pub(crate) fn columns(bytes: &[u8], names: &[&str]) -> Result<Vec<Vec<String>>, String> {
    check(bytes)?;
    let mut rows = csv::Reader::from_reader(bytes);
    let header = rows.headers().map_err(|error| error.to_string())?.clone();
    let at = |name: &&str| {
        let place = header.iter().position(|column| column == *name);
        place.ok_or_else(|| format!("there is no column {name}"))
    };
    let places: Vec<usize> = names.iter().map(at).collect::<Result<_, _>>()?;
    rows.records()
        .map(|row| {
            let row = row.map_err(|error| error.to_string())?;
            Ok(places.iter().map(|&place| row[place].to_owned()).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Table, check, disarmed, list};

    #[test]
    fn formulas_are_disarmed() {
        for (cell, shown) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\t=1", r"'\x09=1"),
            ("\r=1", r"'\x0d=1"),
            ("a=1", "a=1"),
            ("\x1b[2J", r"\x1b[2J"),
            ("", ""),
        ] {
            assert_eq!(disarmed(cell), shown);
        }
    }

    #[test]
    fn rows_follow_rfc_4180() {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, &["a", "b"]).expect("writes to memory");
        table
            .row(&["x, \"y\"", "two\nlines"])
            .expect("writes to memory");
        table.row(&["", ""]).expect("writes to memory");
        table.finish().expect("writes to memory");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\r\n,\r\n"
        );
        assert_eq!(list(["a", "b"]), "a; b");
    }

    #[test]
    fn uneven_rows_are_noticed() {
        assert!(check(b"a,b\r\n1,2\r\n").is_ok());
        assert!(check(b"a,b\r\n1\r\n").is_err());
        assert!(check(b"").is_err());
    }
}
