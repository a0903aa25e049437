//! Bytes to tables: one file per format, one slice [`READERS`] that lists them.
//!
//! A reader knows its format and nothing else. What the columns mean is [`super::map`]'s;
//! where the header is, in a grid of cells, is [`header`]'s, for every format alike.

mod csv;
mod header;
mod json;

use std::fmt;

use zeroize::Zeroize as _;

use super::InventoryError;

/// A format.
pub struct Reader {
    /// Its name in the configuration.
    pub format: &'static str,
    /// File name extensions that mean it.
    pub extensions: &'static [&'static str],
    read: fn(&[u8], &ReadCx<'_>) -> Result<Table, InventoryError>,
}

/// Every format there is a reader for.
pub const READERS: &[Reader] = &[
    Reader {
        format: "csv",
        extensions: &["csv", "tsv", "tab", "txt"],
        read: csv::read,
    },
    Reader {
        format: "json",
        extensions: &["json"],
        read: json::read,
    },
    Reader {
        format: "jsonl",
        extensions: &["jsonl", "ndjson"],
        read: json::read,
    },
];

/// What a reader is lent.
pub(crate) struct ReadCx<'a> {
    /// The file, as the user named it.
    pub(crate) label: &'a str,
    /// The header's row, where the configuration names it.
    pub(crate) header_row: Option<u64>,
    /// Whether a text is a word that headers are made of.
    pub(crate) knows: &'a dyn Fn(&str) -> bool,
}

/// Rows under a header. Every row has as many cells as there are headers.
///
/// Its cells may be secrets until [`super::seal`] has been over them: its Debug shows counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Table {
    /// The headers; `column 4` where there is none.
    pub headers: Vec<String>,
    /// The header's row, as an editor counts lines; 0 where the format has none.
    pub header_row: u64,
    /// The rows, without empty ones.
    pub rows: Vec<Row>,
    /// What a reader of the report should know: encoding, skipped rows, ragged rows.
    pub notes: Vec<String>,
}

/// One row.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it begins, as an editor counts lines.
    pub row: u64,
    /// Its cells, trimmed.
    pub cells: Vec<String>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Table({} columns, {} rows)",
            self.headers.len(),
            self.rows.len()
        )
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({}, {} cells)", self.row, self.cells.len())
    }
}

impl Drop for Row {
    // A register is not supposed to hold secrets, and some do.
    fn drop(&mut self) {
        self.cells.iter_mut().for_each(|cell| cell.zeroize());
    }
}

/// Reads a table in the given format, or in the one that the name and the bytes tell.
///
/// # Errors
/// When there is no reader for the format, or the bytes are not in it.
pub(crate) fn read_table(
    format: Option<&str>,
    bytes: &[u8],
    cx: &ReadCx<'_>,
) -> Result<Table, InventoryError> {
    let reader = match format {
        Some(name) => READERS
            .iter()
            .find(|reader| reader.format == name)
            .ok_or_else(|| {
                let known: Vec<&str> = READERS.iter().map(|reader| reader.format).collect();
                InventoryError::new(cx.label, format!("no reader for the format `{name}`"))
                    .help(format!("use one of {}", known.join(", ")))
            })?,
        None => recognise(bytes, cx)?,
    };
    (reader.read)(bytes, cx)
}

fn recognise(bytes: &[u8], cx: &ReadCx<'_>) -> Result<&'static Reader, InventoryError> {
    let start = &bytes[..bytes.len().min(4096)];
    if start.starts_with(b"PK\x03\x04") || start.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(InventoryError::new(cx.label, "is a workbook, not a table")
            .help("save the sheet as CSV and name that file"));
    }
    let extension = cx
        .label
        .rsplit(['/', '\\'])
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let named = READERS.iter().find(|reader| {
        extension
            .as_deref()
            .is_some_and(|extension| reader.extensions.contains(&extension))
    });
    if let Some(reader) = named {
        return Ok(reader);
    }
    let first = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    let format = match first {
        Some(b'{' | b'[') => "json",
        _ => "csv",
    };
    READERS
        .iter()
        .find(|reader| reader.format == format)
        .ok_or_else(|| InventoryError::new(cx.label, "no reader knows this file"))
}

#[cfg(test)]
mod tests {
    use super::{READERS, ReadCx, read_table};

    #[test]
    fn formats_are_recognised_or_refused() {
        let cx = |label| ReadCx {
            label,
            header_row: None,
            knows: &|_| false,
        };
        let workbook = read_table(None, b"PK\x03\x04rest", &cx("register.xlsx"));
        assert_eq!(
            workbook.unwrap_err().to_string(),
            "register.xlsx: is a workbook, not a table; save the sheet as CSV and name that file"
        );
        let unknown = read_table(Some("parquet"), b"", &cx("r")).unwrap_err();
        assert!(unknown.to_string().contains("csv, json, jsonl"));
        let json = read_table(None, b" [{\"a\": 1}]", &cx("register")).unwrap();
        assert_eq!(json.headers, ["a"]);
        let tab = read_table(None, b"a\tb\n1\t2\n", &cx("register.TSV")).unwrap();
        assert_eq!(tab.headers, ["a", "b"]);
    }

    #[test]
    fn formats_and_extensions_name_one_reader_each() {
        for reader in READERS {
            let same = |other: &&super::Reader| {
                other.format == reader.format
                    || other
                        .extensions
                        .iter()
                        .any(|e| reader.extensions.contains(e))
            };
            assert_eq!(READERS.iter().filter(same).count(), 1, "{}", reader.format);
        }
    }

    #[test]
    fn debug_shows_no_cell() {
        let cx = ReadCx {
            label: "r.csv",
            header_row: None,
            knows: &|_| false,
        };
        let table = read_table(None, b"name,token\nx,hush\n", &cx).unwrap();
        assert!(!format!("{table:?} {:?}", table.rows).contains("hush"));
    }
}
