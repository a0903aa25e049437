//! JSON: an array of objects, one object a line, or an object around such an array.

use serde_json::Value;

use super::{
    super::InventoryError,
    ReadCx, Table, encoding,
    objects::{self, Taken},
};

/// Reads JSON or JSON Lines; which of both the bytes tell.
///
/// # Errors
/// When the bytes are no JSON, or something else than objects.
pub(super) fn read(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Table, InventoryError> {
    read_shaped(bytes, cx, None)
}

/// The same, for exports of a shape of their own (see [`objects::SHAPES`]).
///
/// # Errors
/// As above, and when the shape is another one.
pub(super) fn read_shaped(
    bytes: &[u8],
    cx: &ReadCx<'_>,
    shape: Option<&str>,
) -> Result<Table, InventoryError> {
    let mut notes = Vec::new();
    let text = encoding::decode(bytes, cx, &mut notes)?;
    let mut taken = Taken::new(cx, shape, notes);
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
        taken.take(objects::Object { row, value }, !in_array)?;
    }
    taken.finish()
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
        let cx = ReadCx::plain("r.json", &|_| false);
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
