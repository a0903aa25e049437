//! Bytes to tables: one file per format, one slice [`READERS`] that lists them.
//!
//! A reader knows its format and nothing else. What the columns mean is [`super::map`]'s;
//! where the header is, in a grid of cells, is [`header`]'s, for every format alike.

mod backstage;
mod csv;
mod encoding;
mod header;
mod json;
mod ldif;
mod objects;
mod scim;
mod terraform;
mod vault;
mod xlsx;
mod yaml;

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

/// Every format there is a reader for. Those without extensions are told by their content, in a
/// file of JSON or YAML.
pub const READERS: &[Reader] = &[
    Reader {
        format: "csv",
        extensions: &["csv", "tsv", "tab", "txt"],
        read: csv::read,
    },
    Reader {
        format: "xlsx",
        extensions: &["xlsx", "xlsm"],
        read: xlsx::read,
    },
    Reader {
        format: "json",
        extensions: &["json", "tfstate"],
        read: json::read,
    },
    Reader {
        format: "jsonl",
        extensions: &["jsonl", "ndjson"],
        read: json::read,
    },
    Reader {
        format: "yaml",
        extensions: &["yaml", "yml"],
        read: yaml::read,
    },
    Reader {
        format: "ldif",
        extensions: &["ldif", "ldf"],
        read: ldif::read,
    },
    Reader {
        format: "backstage",
        extensions: &[],
        read: |bytes, cx| either(bytes, cx, "backstage"),
    },
    Reader {
        format: "terraform",
        extensions: &[],
        read: |bytes, cx| json::read_shaped(bytes, cx, Some("terraform")),
    },
    Reader {
        format: "vault",
        extensions: &[],
        read: |bytes, cx| json::read_shaped(bytes, cx, Some("vault")),
    },
    Reader {
        format: "scim",
        extensions: &[],
        read: |bytes, cx| json::read_shaped(bytes, cx, Some("scim")),
    },
    Reader {
        format: "servicenow",
        extensions: &[],
        read: csv::read,
    },
];

/// A shape that is written as JSON and as YAML.
fn either(bytes: &[u8], cx: &ReadCx<'_>, shape: &str) -> Result<Table, InventoryError> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => json::read_shaped(bytes, cx, Some(shape)),
        _ => yaml::read_shaped(bytes, cx, Some(shape)),
    }
}

/// What a reader is lent.
pub(crate) struct ReadCx<'a> {
    /// The file, as the user named it.
    pub(crate) label: &'a str,
    /// The header's row, where the configuration names it.
    pub(crate) header_row: Option<u64>,
    /// The encoding of its text, where the configuration names it.
    pub(crate) encoding: Option<&'a str>,
    /// What separates cells, where the configuration names it.
    pub(crate) delimiter: Option<char>,
    /// The sheet of a workbook, where the configuration names it.
    pub(crate) sheet: Option<&'a str>,
    /// Whether a text is a word that headers are made of.
    pub(crate) knows: &'a dyn Fn(&str) -> bool,
}

impl<'a> ReadCx<'a> {
    /// Everything is found out.
    pub(crate) fn plain(label: &'a str, knows: &'a dyn Fn(&str) -> bool) -> ReadCx<'a> {
        ReadCx {
            label,
            header_row: None,
            encoding: None,
            delimiter: None,
            sheet: None,
            knows,
        }
    }
}

/// Rows under a header. Every row has as many cells as there are headers.
///
/// Its cells may be secrets until [`mod@super::seal`] has been over them: its Debug shows counts.
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
    let named = |format: &str| {
        READERS
            .iter()
            .find(|reader| reader.format == format)
            .ok_or_else(|| InventoryError::new(cx.label, "no reader knows this file"))
    };
    if start.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(InventoryError::new(
            cx.label,
            "is a workbook of the old format, or one that is locked",
        )
        .help("save it as .xlsx without a password, or the sheet as CSV"));
    }
    if start.starts_with(b"PK\x03\x04") {
        let open_document = b"mimetypeapplication/vnd.oasis.opendocument";
        if start
            .windows(open_document.len())
            .any(|bytes| bytes == open_document)
        {
            return Err(InventoryError::new(cx.label, "is an OpenDocument workbook")
                .help("save it as .xlsx, or the sheet as CSV"));
        }
        return named("xlsx");
    }
    let extension = cx
        .label
        .rsplit(['/', '\\'])
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let by_extension = READERS.iter().find(|reader| {
        extension
            .as_deref()
            .is_some_and(|extension| reader.extensions.contains(&extension))
    });
    if let Some(reader) = by_extension {
        return Ok(reader);
    }
    let first = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{' | b'[') => named("json"),
        _ if start.starts_with(b"dn: ") || start.starts_with(b"version: 1") => named("ldif"),
        _ if start.starts_with(b"---") || start.starts_with(b"apiVersion:") => named("yaml"),
        _ => named("csv"),
    }
}

/// The documents of a catalogue, JSON or YAML, with their lines.
///
/// # Errors
/// When the bytes are neither.
pub(crate) fn read_documents(
    bytes: &[u8],
    cx: &ReadCx<'_>,
) -> Result<Vec<(u64, serde_json::Value)>, InventoryError> {
    // JSON is YAML.
    let documents = yaml::documents(bytes, cx, &mut Vec::new())?;
    Ok(documents
        .into_iter()
        .flat_map(yaml::Document::into_items)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::{READERS, ReadCx, read_table};

    #[test]
    fn formats_are_recognised_or_refused() {
        let cx = |label| ReadCx::plain(label, &|_| false);
        let old = read_table(None, &[0xd0, 0xcf, 0x11, 0xe0], &cx("register.xls"));
        assert_eq!(
            old.unwrap_err().to_string(),
            "register.xls: is a workbook of the old format, or one that is locked; save it as \
             .xlsx without a password, or the sheet as CSV"
        );
        let unknown = read_table(Some("parquet"), b"", &cx("r")).unwrap_err();
        assert!(unknown.to_string().contains("csv, xlsx, json, jsonl, yaml"));
        let json = read_table(None, b" [{\"a\": 1}]", &cx("register")).unwrap();
        assert_eq!(json.headers, ["a"]);
        let tab = read_table(None, b"a\tb\n1\t2\n", &cx("register.TSV")).unwrap();
        assert_eq!(tab.headers, ["a", "b"]);
        let yaml = read_table(None, b"- a: 1\n", &cx("register.yml")).unwrap();
        assert_eq!(yaml.headers, ["a"]);
        let ldif = read_table(None, b"dn: cn=x\n", &cx("people")).unwrap_err();
        assert!(ldif.to_string().contains("holds no person"));
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
        let cx = ReadCx::plain("r.csv", &|_| false);
        let table = read_table(None, b"name,token\nx,hush\n", &cx).unwrap();
        assert!(!format!("{table:?} {:?}", table.rows).contains("hush"));
    }
}
