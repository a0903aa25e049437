//! JSON: an array of objects, one object a line, or an object around such an array. Nested
//! members become columns named by their path; lists become cells joined by `; `.

use std::collections::HashMap;

use serde_json::Value;

use super::{super::InventoryError, ReadCx, Row, Table};
use crate::inventory::text::trimmed;

/// Reads JSON or JSON Lines; which of both the bytes tell.
///
/// # Errors
/// When the bytes are no JSON, or something else than objects.
pub(super) fn read(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Table, InventoryError> {
    let mut notes = Vec::new();
    let text = super::csv::decode(bytes, cx.label, &mut notes)?;
    let mut table = Table {
        headers: Vec::new(),
        header_row: 0,
        rows: Vec::new(),
        notes,
    };
    let mut columns: HashMap<String, usize> = HashMap::new();
    let mut cursor = Cursor {
        text: &text,
        at: 0,
        line: 1,
    };
    let in_array = cursor.peek() == Some(b'[');
    if in_array {
        cursor.at += 1;
    }
    while let Some(byte) = cursor.peek() {
        if in_array && byte == b']' {
            break;
        }
        if in_array && byte == b',' {
            cursor.at += 1;
            continue;
        }
        let row = cursor.line;
        let value = cursor.value(cx)?;
        if !in_array
            && table.rows.is_empty()
            && let Some(list) = wrapped(&value)
        {
            // Lines inside are unknown: the wrapper's members come in one piece.
            for (index, value) in list.iter().enumerate() {
                take(value, index as u64 + 1, &mut table, &mut columns, cx)?;
            }
            table.notes.push(format!(
                "{}: rows are counted by objects, not lines",
                cx.label
            ));
            continue;
        }
        take(&value, row, &mut table, &mut columns, cx)?;
    }
    if table.rows.is_empty() && table.headers.is_empty() {
        return Err(InventoryError::new(cx.label, "holds no objects")
            .help("name the file that holds the register"));
    }
    let width = table.headers.len();
    for row in &mut table.rows {
        row.cells.resize(width, String::new());
    }
    Ok(table)
}

/// The one list of objects in an object: `{"records": [{…}]}`.
fn wrapped(value: &Value) -> Option<&Vec<Value>> {
    let mut lists = value.as_object()?.values().filter_map(Value::as_array);
    let list = lists.next()?;
    let only = lists.next().is_none() && !list.is_empty() && list.iter().all(Value::is_object);
    only.then_some(list)
}

fn take(
    value: &Value,
    row: u64,
    table: &mut Table,
    columns: &mut HashMap<String, usize>,
    cx: &ReadCx<'_>,
) -> Result<(), InventoryError> {
    let Value::Object(members) = value else {
        return Err(
            InventoryError::new(cx.label, "holds something else than objects")
                .row(row)
                .help("write one flat object per record"),
        );
    };
    let mut cells = Vec::new();
    for (name, value) in members {
        flatten(name, value, 0, &mut cells);
    }
    let mut out = Row {
        row,
        cells: vec![String::new(); table.headers.len()],
    };
    for (name, text) in cells {
        let column = *columns.entry(name).or_insert_with_key(|name| {
            table.headers.push(name.clone());
            table.headers.len() - 1
        });
        if column >= 1024 {
            return Err(
                InventoryError::new(cx.label, "has more than 1024 different members")
                    .row(row)
                    .help("write one flat object per record"),
            );
        }
        out.cells
            .resize(out.cells.len().max(column + 1), String::new());
        out.cells[column] = trimmed(&text).to_owned();
    }
    if out.cells.iter().any(|cell| !cell.is_empty()) {
        table.rows.push(out);
    }
    Ok(())
}

fn flatten(name: &str, value: &Value, depth: usize, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if depth < 8 => {
            for (inner, value) in members {
                flatten(&format!("{name}.{inner}"), value, depth + 1, out);
            }
        }
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(plain).collect();
            out.push((name.to_owned(), texts.join("; ")));
        }
        value => out.push((name.to_owned(), plain(value))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Cursor<'_> {
    /// The next byte that is no white space; lines are counted on the way.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at).filter(|byte| byte.is_ascii_whitespace()) {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn value(&mut self, cx: &ReadCx<'_>) -> Result<Value, InventoryError> {
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                let row = self.line + (error.line() as u64).saturating_sub(1);
                // serde_json's own words may quote the text; its category does not.
                let message = match error.classify() {
                    serde_json::error::Category::Eof => "ends in the middle of a value",
                    _ => "is not valid JSON",
                };
                return Err(InventoryError::new(cx.label, message)
                    .row(row)
                    .help("write an array of objects, or one object a line"));
            }
            None => Value::Null,
        };
        let used = values.byte_offset();
        let newlines = rest.as_bytes()[..used].iter().filter(|&&b| b == b'\n');
        self.line += newlines.count() as u64;
        self.at += used;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReadCx, Table};

    fn read(text: &str) -> Result<Table, String> {
        let cx = ReadCx {
            label: "r.json",
            header_row: None,
            knows: &|_| false,
        };
        super::read(text.as_bytes(), &cx).map_err(|error| error.to_string())
    }

    #[test]
    fn arrays_lines_and_wrappers_read_the_same() {
        let objects = [
            r#"{"name": "a", "owner": {"mail": "x@y"}, "scope": ["r", "w"]}"#,
            r#"{"name": "b", "rotation": 90, "gone": null}"#,
        ];
        let array = format!("[\n{},\n{}\n]\n", objects[0], objects[1]);
        let lines = format!("\n{}\n{}\n", objects[0], objects[1]);
        let wrapper = format!("{{\"n\": 2, \"records\": [{},{}]}}", objects[0], objects[1]);
        for (text, rows) in [(array, [2, 3]), (lines, [2, 3]), (wrapper, [1, 2])] {
            let table = read(&text).unwrap();
            assert_eq!(
                table.headers,
                ["name", "owner.mail", "scope", "rotation", "gone"]
            );
            assert_eq!(table.rows[0].cells, ["a", "x@y", "r; w", "", ""]);
            assert_eq!(table.rows[1].cells, ["b", "", "", "90", ""]);
            assert_eq!([table.rows[0].row, table.rows[1].row], rows);
        }
    }

    #[test]
    fn what_is_no_register_is_refused_with_its_row() {
        assert!(
            read("{\"a\": 1}\n[1]\n")
                .unwrap_err()
                .starts_with("r.json:2: holds something")
        );
        assert!(
            read("[{\"a\": 1},\n{\"a\": ")
                .unwrap_err()
                .contains("ends in the middle")
        );
        assert!(
            read("{\"a\": tru}")
                .unwrap_err()
                .starts_with("r.json:1: is not valid JSON")
        );
        assert!(read("[]").unwrap_err().contains("holds no objects"));
    }
}
