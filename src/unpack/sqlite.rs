//! SQLite databases: the rows of each table as text, a row a line.
//!
//! Reads the file's pages and never runs SQL, so no view, trigger or expression of a hostile
//! file is evaluated. Every page is visited once at most. Deleted rows are found by the search
//! of the raw file; what only stands in a `-wal` file beside it is searched there, raw.
//! Format: <https://www.sqlite.org/fileformat2.html>.

use std::collections::BTreeSet;

use keymuster_api::GapKind;
use zeroize::Zeroizing;

use super::{Walk, big};

/// Bytes of rows lent at a time.
const BATCH: usize = 1 << 20;
/// Bytes of one row that are read.
const ROW: usize = 4 << 20;
/// Depth of a tree of pages; real ones have a handful of levels.
const DEPTH: usize = 40;

struct Database<'b> {
    bytes: &'b [u8],
    page: usize,
    usable: usize,
    seen: BTreeSet<usize>,
    is_damaged: bool,
}

/// A table: its name, its columns, its first page.
struct Table {
    name: Vec<u8>,
    columns: Vec<String>,
    root: usize,
}

pub(super) fn open(walk: &mut Walk<'_>, bytes: &[u8]) {
    let page = match big(bytes, 16, 2) {
        1 => 65_536,
        size => size as usize,
    };
    let reserved = big(bytes, 20, 1) as usize;
    if !page.is_power_of_two() || page < 512 || reserved + 480 > page {
        return walk.gap(
            GapKind::Corrupt,
            "its header is damaged; it was searched as it is",
        );
    }
    let mut database = Database {
        bytes,
        page,
        usable: page - reserved,
        seen: BTreeSet::new(),
        is_damaged: false,
    };
    let mut tables = Vec::new();
    database.rows(1, 0, &mut |values| {
        let text = |index: usize| match values.get(index) {
            Some(Value::Bytes(bytes)) => bytes.clone(),
            _ => Zeroizing::new(Vec::new()),
        };
        if let (b"table", Some(&Value::Number(root))) = (&**text(0), values.get(3)) {
            tables.push(Table {
                name: text(2).to_vec(),
                columns: columns(&String::from_utf8_lossy(&text(4))),
                root: usize::try_from(root).unwrap_or(0),
            });
        }
        true
    });
    for table in tables {
        let mut text = Zeroizing::new(Vec::new());
        database.rows(table.root, 0, &mut |values| {
            line(&table, values, &mut text);
            if text.len() >= BATCH {
                walk.made(&table.name, &text);
                text.clear();
            }
            !walk.is_done()
        });
        if !text.is_empty() {
            walk.made(&table.name, &text);
        }
    }
    if database.is_damaged {
        walk.gap(
            GapKind::Corrupt,
            "some of its pages are damaged; the rest, and the file as it is, were searched",
        );
    }
}

enum Value {
    Nothing,
    Number(i64),
    Bytes(Zeroizing<Vec<u8>>),
}

/// `column = "value"`, so that names count; line breaks are written as escapes.
fn line(table: &Table, values: &[Value], out: &mut Vec<u8>) {
    let mut first = true;
    for (index, value) in values.iter().enumerate() {
        let Value::Bytes(value) = value else { continue };
        if !std::mem::replace(&mut first, false) {
            out.extend_from_slice(b", ");
        }
        match table.columns.get(index) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => out.extend_from_slice(b"column"),
        }
        out.extend_from_slice(b" = \"");
        for &byte in value.iter() {
            match byte {
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                other => out.push(other),
            }
        }
        out.push(b'"');
    }
    out.push(b'\n');
}

impl Database<'_> {
    /// Calls `row` with each row of the tree below a page, until it says to stop.
    fn rows(&mut self, number: usize, depth: usize, row: &mut dyn FnMut(&[Value]) -> bool) -> bool {
        let page = number
            .checked_sub(1)
            .and_then(|before| before.checked_mul(self.page))
            .and_then(|start| self.bytes.get(start..start.checked_add(self.page)?));
        let Some(page) = page else {
            self.is_damaged |= number != 0;
            return true;
        };
        if depth > DEPTH || !self.seen.insert(number) {
            self.is_damaged = true;
            return true;
        }
        // The first page has the file's header before its own.
        let header = if number == 1 { 100 } else { 0 };
        let cells = big(page, header + 3, 2) as usize;
        match page[header] {
            0x0d => {
                for index in 0..cells {
                    let cell = big(page, header + 8 + 2 * index, 2) as usize;
                    match self.record(page, cell) {
                        Some(values) => {
                            if !row(&values) {
                                return false;
                            }
                        }
                        None => self.is_damaged = true,
                    }
                }
            }
            0x05 => {
                for index in 0..cells {
                    let cell = big(page, header + 12 + 2 * index, 2) as usize;
                    if !self.rows(big(page, cell, 4) as usize, depth + 1, row) {
                        return false;
                    }
                }
                let last = big(page, header + 8, 4) as usize;
                return self.rows(last, depth + 1, row);
            }
            // An index: a table WITHOUT ROWID keeps its rows there; the raw search sees them.
            0x0a | 0x02 => {}
            _ => self.is_damaged = true,
        }
        true
    }

    /// The values of the cell at this place of a leaf.
    fn record(&self, page: &[u8], cell: usize) -> Option<Vec<Value>> {
        let mut at = cell;
        let length = usize::try_from(varint(page, &mut at)?).ok()?;
        varint(page, &mut at)?;
        let body = self.payload(page, at, length)?;
        let mut head = 0;
        let header = usize::try_from(varint(&body, &mut head)?).ok()?;
        let mut values = Vec::new();
        let mut data = header;
        while head < header && values.len() < 4096 {
            let kind = varint(&body, &mut head)?;
            let size = match kind {
                0..=4 => kind as usize,
                5 => 6,
                6 | 7 => 8,
                8..=11 => 0,
                _ => usize::try_from((kind - 12) / 2).ok()?,
            };
            let end = data.checked_add(size)?.min(body.len());
            let bytes = body.get(data..end)?;
            values.push(match kind {
                1..=6 => Value::Number(big(bytes, 0, size) as i64),
                12.. => Value::Bytes(Zeroizing::new(bytes.to_vec())),
                _ => Value::Nothing,
            });
            data = end;
        }
        Some(values)
    }

    /// The bytes of a record, from its leaf and the overflow pages behind it.
    fn payload(&self, page: &[u8], at: usize, length: usize) -> Option<Zeroizing<Vec<u8>>> {
        let most = self.usable - 35;
        if length <= most {
            return Some(Zeroizing::new(
                page.get(at..at.checked_add(length)?)?.to_vec(),
            ));
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = least + (length - least) % (self.usable - 4);
        let local = if local <= most { local } else { least };
        let mut body = Zeroizing::new(page.get(at..at.checked_add(local)?)?.to_vec());
        let mut next = big(page, at + local, 4) as usize;
        while next != 0 && body.len() < length.min(ROW) {
            let start = (next - 1).checked_mul(self.page)?;
            let page = self.bytes.get(start..start.checked_add(self.usable)?)?;
            let wanted = (length - body.len()).min(self.usable - 4);
            body.extend_from_slice(&page[4..4 + wanted]);
            next = big(page, 0, 4) as usize;
        }
        Some(body)
    }
}

/// A number of one to nine bytes, seven bits each but the ninth.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for index in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if index == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}

/// The names of a table's columns, from the words it was made with: the first word of each part
/// between the outer commas.
fn columns(sql: &str) -> Vec<String> {
    let Some((_, inner)) = sql.split_once('(') else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    let mut depth = 0;
    let mut part = String::new();
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => columns.push(std::mem::take(&mut part)),
            _ => {}
        }
        if depth == 0 && c != ',' {
            part.push(c);
        }
    }
    columns.push(part);
    columns
        .iter()
        .map(|part| {
            let name = part.trim_start().trim_start_matches(['"', '`', '[']);
            let end = name.find(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | ']'));
            name[..end.unwrap_or(name.len())].to_owned()
        })
        .collect()
}
