//! Separated values, as spreadsheets and CMDBs really export them: any usual encoding,
//! delimiter and line end, cells over several lines, quotes that do not add up.
//!
//! Formulas (`=HYPERLINK(…)`) are text here and stay text.

use zeroize::Zeroizing;

use super::{super::InventoryError, ReadCx, Row, Table, encoding, header};
use crate::inventory::text::{rows_shown, trimmed};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Longer quoted cells are taken for a quote that was never closed.
const LONGEST_CELL: usize = 1 << 20;
/// More unclosed quotes than this, and the file is no CSV.
const MOST_UNCLOSED: usize = 16;

/// Reads separated values.
///
/// # Errors
/// When the bytes are binary, hold nothing, or hold quotes that cannot be made sense of.
pub(super) fn read(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Table, InventoryError> {
    let mut notes = Vec::new();
    let text = encoding::decode(bytes, cx, &mut notes)?;
    let configured = cx.delimiter.and_then(|c| u8::try_from(c).ok());
    let (delimiter, start) = match (declared_delimiter(&text), configured) {
        (Some((delimiter, start)), None) => (delimiter, start),
        (declared, Some(delimiter)) => (delimiter, declared.map_or(0, |(_, start)| start)),
        (None, None) => (detect_delimiter(&text, cx), 0),
    };
    let grid = parse(
        &text[start..],
        delimiter,
        1 + u64::from(start > 0),
        usize::MAX,
    );
    if grid.unclosed.len() > MOST_UNCLOSED {
        return Err(
            InventoryError::new(cx.label, "has quotes that are never closed")
                .row(grid.unclosed[0])
                .help("export it again with quotes inside cells doubled"),
        );
    }
    if !grid.unclosed.is_empty() {
        notes.push(format!(
            "{}: {}: a quote is never closed; read as part of the text",
            cx.label,
            rows_shown(&grid.unclosed)
        ));
    }
    if !grid.stray.is_empty() {
        notes.push(format!(
            "{}: {}: a quote inside a quoted cell is not doubled; check where the cell ends",
            cx.label,
            rows_shown(&grid.stray)
        ));
    }
    header::table(grid.rows, notes, cx)
}

/// A first line `sep=;`, which a spreadsheet writes for itself: the delimiter, and where the
/// next line begins.
fn declared_delimiter(text: &str) -> Option<(u8, usize)> {
    let end = text.find('\n')?;
    let line = text[..end].trim_end_matches('\r').trim_matches('"');
    let delimiter = line.strip_prefix("sep=").or(line.strip_prefix("SEP="))?;
    match delimiter.as_bytes() {
        [one] if one.is_ascii() => Some((*one, end + 1)),
        _ => None,
    }
}

/// The delimiter that makes the best table of the first rows: most known header words, then
/// most cells in rows of one width.
fn detect_delimiter(text: &str, cx: &ReadCx<'_>) -> u8 {
    let end = text.len().min(1 << 17);
    let end = (0..=end).rev().find(|&end| text.is_char_boundary(end));
    let start = &text[..end.unwrap_or(0)];
    let mut best = (b',', (0, 0));
    for delimiter in DELIMITERS {
        let rows = parse(start, delimiter, 1, 50).rows;
        let known = rows.iter().map(|row| header::known(&row.cells, cx)).max();
        let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
        widths.sort_unstable();
        let regular = widths
            .chunk_by(|a, b| a == b)
            .map(|same| same.len() * (same[0] - 1))
            .max();
        let score = (known.unwrap_or(0), regular.unwrap_or(0));
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

struct Grid {
    rows: Vec<Row>,
    /// Rows with an opening quote that nothing closes.
    unclosed: Vec<u64>,
    /// Rows with a lone quote inside a quoted cell.
    stray: Vec<u64>,
}

/// Splits text into rows and trimmed cells; rows without any content are left out.
fn parse(text: &str, delimiter: u8, first_line: u64, most_rows: usize) -> Grid {
    let bytes = text.as_bytes();
    let mut grid = Grid {
        rows: Vec::new(),
        unclosed: Vec::new(),
        stray: Vec::new(),
    };
    let (mut at, mut line) = (0, first_line);
    while at < bytes.len() && grid.rows.len() < most_rows {
        let mut row = Row {
            row: line,
            cells: Vec::new(),
        };
        loop {
            let spaces = bytes[at..].iter().take_while(|&&b| b == b' ').count();
            let opens = bytes.get(at + spaces) == Some(&b'"');
            let quoted = opens.then(|| {
                if grid.unclosed.len() > MOST_UNCLOSED {
                    return None;
                }
                let cell = quoted_cell(text, at + spaces, delimiter);
                if cell.is_none() {
                    grid.unclosed.push(line);
                }
                cell
            });
            if let Some(Some(cell)) = quoted {
                if cell.stray {
                    grid.stray.push(line);
                }
                line += line_ends(&bytes[at..cell.end]);
                at = cell.end;
                row.cells.push(trimmed(&cell.text).to_owned());
            } else {
                let end = bytes[at..]
                    .iter()
                    .position(|&b| b == delimiter || b == b'\n' || b == b'\r')
                    .map_or(bytes.len(), |len| at + len);
                row.cells.push(trimmed(&text[at..end]).to_owned());
                at = end;
            }
            if bytes.get(at) != Some(&delimiter) {
                break;
            }
            at += 1;
        }
        if bytes[at..].starts_with(b"\r\n") {
            at += 2;
        } else if at < bytes.len() {
            at += 1;
        }
        line += 1;
        if row.cells.iter().any(|cell| !cell.is_empty()) {
            grid.rows.push(row);
        }
    }
    grid.unclosed.dedup();
    grid.stray.dedup();
    grid
}

struct Quoted {
    text: Zeroizing<String>,
    end: usize,
    stray: bool,
}

/// The quoted cell that opens at `open`; `None` if nothing closes it.
fn quoted_cell(text: &str, open: usize, delimiter: u8) -> Option<Quoted> {
    let bytes = text.as_bytes();
    let mut cell = Zeroizing::new(String::new());
    let mut stray = false;
    let mut from = open + 1;
    loop {
        let rest = &bytes[from..bytes.len().min(open + LONGEST_CELL).max(from)];
        let quote = from + memchr::memchr(b'"', rest)?;
        cell.push_str(&text[from..quote]);
        let mut end = quote + 1;
        if bytes.get(end) == Some(&b'"') {
            cell.push('"');
            from = end + 1;
            continue;
        }
        end += bytes[end..].iter().take_while(|&&b| b == b' ').count();
        match bytes.get(end) {
            None | Some(b'\r' | b'\n') => {}
            Some(&byte) if byte == delimiter => {}
            Some(_) => {
                cell.push('"');
                stray = true;
                from = quote + 1;
                continue;
            }
        }
        return Some(Quoted {
            text: cell,
            end,
            stray,
        });
    }
}

/// Line ends as an editor counts them: `\r\n`, `\n`, `\r`.
fn line_ends(bytes: &[u8]) -> u64 {
    let mut count = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        if byte == b'\n' || (byte == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::{ReadCx, Table};

    fn table(bytes: &[u8]) -> Table {
        let known = ["name", "owner", "key id", "status"];
        let knows = |word: &str| known.contains(&word.to_lowercase().as_str());
        let cx = ReadCx::plain("r.csv", &knows);
        super::read(bytes, &cx).unwrap()
    }

    fn rows(table: &Table) -> Vec<(u64, Vec<&str>)> {
        let cells = |row: &'_ super::Row| row.row;
        let all = table.rows.iter();
        all.map(|row| (cells(row), row.cells.iter().map(String::as_str).collect()))
            .collect()
    }

    #[test]
    fn every_usual_dialect_reads_the_same() {
        let plain = "Name,Owner\na,Jörg\nb,\"x, y\"\n";
        let semicolons = "Name;Owner\r\na;Jörg\r\nb;x, y\r\n";
        let expected = vec![(2, vec!["a", "Jörg"]), (3, vec!["b", "x, y"])];
        let mut marked = b"\xef\xbb\xbf".to_vec();
        marked.extend(semicolons.as_bytes());
        let mut little = vec![0xff, 0xfe];
        little.extend(semicolons.encode_utf16().flat_map(u16::to_le_bytes));
        let mut big = vec![0xfe, 0xff];
        big.extend(semicolons.encode_utf16().flat_map(u16::to_be_bytes));
        let bare: Vec<u8> = semicolons
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let windows = semicolons.replace('ö', "\u{1}").into_bytes();
        let windows: Vec<u8> = windows
            .iter()
            .map(|&b| if b == 1 { 0xf6 } else { b })
            .collect();
        let cases: [(&str, Vec<u8>); 9] = [
            ("plain", plain.into()),
            ("bom, semicolon, crlf", marked),
            ("tab", semicolons.replace(';', "\t").into()),
            ("pipe", semicolons.replace(';', "|").into()),
            ("carriage returns", semicolons.replace("\r\n", "\r").into()),
            ("utf-16 le", little),
            ("utf-16 be", big),
            ("utf-16 without mark", bare),
            ("windows-1252", windows),
        ];
        for (name, bytes) in cases {
            let table = table(&bytes);
            assert_eq!(table.headers, ["Name", "Owner"], "{name}");
            assert_eq!(rows(&table), expected, "{name}");
        }
    }

    #[test]
    fn other_encodings_are_noted() {
        let read = table(b"Name;Owner\na;J\xf6rg\n");
        assert_eq!(
            read.notes,
            [
                "r.csv: is not UTF-8; read as windows-1252, which its letters suggest; `encoding` decides otherwise"
            ]
        );
    }

    #[test]
    fn rows_are_counted_as_an_editor_counts_lines() {
        let read = table(b"\n\nName,Owner\n\"a\r\nb\",x\n\n  ,\nc,y");
        assert_eq!(read.header_row, 3);
        assert_eq!(rows(&read), [(4, vec!["a\r\nb", "x"]), (8, vec!["c", "y"])]);
    }

    #[test]
    fn a_spreadsheets_own_first_line_is_obeyed() {
        let read = table(b"sep=;\r\nName;Owner\r\na,b;c\r\n");
        assert_eq!(read.header_row, 2);
        assert_eq!(rows(&read), [(3, vec!["a,b", "c"])]);
    }

    #[test]
    fn quotes_that_do_not_add_up_lose_no_rows() {
        let read = table(b"Name,Owner\n\"a,x\nb,y\n");
        assert_eq!(rows(&read), [(2, vec!["\"a", "x"]), (3, vec!["b", "y"])]);
        assert!(read.notes[0].contains("row 2: a quote is never closed"));
        let read = table(b"Name,Owner\n\"the \"big\" one\",x\nb,y\n");
        assert_eq!(
            rows(&read),
            [(2, vec!["the \"big\" one", "x"]), (3, vec!["b", "y"])]
        );
        assert!(read.notes[0].contains("row 2: a quote inside"));
    }

    #[test]
    fn a_file_of_open_quotes_is_refused_quickly() {
        let cx = ReadCx::plain("r.csv", &|_| false);
        let bytes = "\"a\"\"\n".repeat(200_000);
        let error = super::read(bytes.as_bytes(), &cx).unwrap_err();
        assert!(error.to_string().starts_with("r.csv:1: has quotes"));
        let error = super::read(b"a\0\0\0,b", &cx).unwrap_err();
        assert!(error.to_string().contains("is binary"));
    }

    #[test]
    fn formulas_are_text() {
        let read =
            table(b"Name,Owner\n\"=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",=cmd|' /C calc'!A0\n");
        let expected = ["=HYPERLINK(\"http://x\",\"y\")", "=cmd|' /C calc'!A0"];
        assert_eq!(read.rows[0].cells, expected);
    }
}
