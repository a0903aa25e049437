//! YAML: documents, a list of mappings, or a mapping around such a list.
//!
//! Read by events, so that lines are known, and anchors cost what they expand to.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::{
    super::InventoryError,
    ReadCx, Table, encoding,
    objects::{Object, Taken, wrapped},
};

/// More values than this, aliases expanded, and the file is no register.
const MOST_VALUES: usize = 20_000_000;
/// Deeper nesting is refused.
const DEEPEST: usize = 64;

/// Reads YAML.
///
/// # Errors
/// When the text is no YAML, is too deep or expands to too much, or holds something else than
/// mappings.
pub(super) fn read(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Table, InventoryError> {
    read_shaped(bytes, cx, None)
}

/// The same, for exports of a shape of their own.
///
/// # Errors
/// As above, and when the shape is another one.
pub(super) fn read_shaped(
    bytes: &[u8],
    cx: &ReadCx<'_>,
    shape: Option<&str>,
) -> Result<Table, InventoryError> {
    let mut notes = Vec::new();
    let documents = documents(bytes, cx, &mut notes)?;
    let mut taken = Taken::new(cx, shape, notes);
    for document in documents {
        let alone = wrapped(&document.value).is_some();
        match document.value {
            Value::Array(_) => {
                for (value, row) in document.items() {
                    taken.take(Object { row, value }, false)?;
                }
            }
            Value::Null => {}
            value => taken.take(
                Object {
                    row: document.row,
                    value,
                },
                alone,
            )?,
        }
    }
    taken.finish()
}

/// One document, with the lines of its items where it is a list.
pub(super) struct Document {
    pub(super) row: u64,
    pub(super) value: Value,
    lines: Vec<u64>,
}

impl Document {
    /// The items of a list with their lines, else the document.
    pub(super) fn into_items(self) -> Vec<(u64, Value)> {
        match self.value {
            Value::Array(_) => self
                .items()
                .into_iter()
                .map(|(value, row)| (row, value))
                .collect(),
            value => vec![(self.row, value)],
        }
    }

    fn items(self) -> Vec<(Value, u64)> {
        let Value::Array(items) = self.value else {
            return Vec::new();
        };
        let lines = self.lines.into_iter().chain(std::iter::repeat(self.row));
        items.into_iter().zip(lines).collect()
    }
}

/// The documents of a file.
///
/// # Errors
/// When the text is no YAML, is too deep or expands to too much.
pub(super) fn documents(
    bytes: &[u8],
    cx: &ReadCx<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Document>, InventoryError> {
    let text = encoding::decode(bytes, cx, notes)?;
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|error| {
            // The parser's own words may quote the text; its place does not.
            InventoryError::new(cx.label, "is not valid YAML")
                .row(error.marker().line() as u64)
                .help("write a list of mappings, or one document per record")
        })?;
        let line = span.start.line() as u64;
        builder.take(event, line).map_err(|what| {
            InventoryError::new(cx.label, what)
                .row(line)
                .help("write one flat mapping per record")
        })?;
    }
    Ok(builder.documents)
}

/// What is being built: a list, or a mapping with the key that waits for its value.
enum Open {
    List(Vec<Value>),
    Members(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Builder {
    documents: Vec<Document>,
    stack: Vec<(Open, usize)>,
    anchors: std::collections::HashMap<usize, (Value, usize)>,
    values: usize,
    row: u64,
    lines: Vec<u64>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: u64) -> Result<(), &'static str> {
        match event {
            Event::DocumentStart(_) => {
                self.row = 0;
                self.lines.clear();
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, _) => {
                self.begin(line);
                self.value(scalar(&text, style), 1, anchor)?;
            }
            Event::Alias(anchor) => {
                self.begin(line);
                // An alias inside of what it names is not there yet.
                let (value, size) = self
                    .anchors
                    .get(&anchor)
                    .ok_or("holds an alias of nothing")?;
                let (value, size) = (value, *size);
                if self.values.saturating_add(size) > MOST_VALUES {
                    return Err("expands to too much");
                }
                let value = value.clone();
                self.value(value, size, 0)?;
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(line);
                self.open(Open::List(Vec::new()), anchor)?;
            }
            Event::MappingStart(anchor, _) => {
                self.begin(line);
                self.open(Open::Members(Map::new(), None), anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((open, anchor)) = self.stack.pop() else {
                    return Ok(());
                };
                let value = match open {
                    Open::List(items) => Value::Array(items),
                    Open::Members(members, _) => Value::Object(members),
                };
                self.value(value, 1, anchor)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Remembers where a document and the items of its list begin.
    fn begin(&mut self, line: u64) {
        if self.stack.is_empty() {
            self.row = line;
        } else if let [(Open::List(_), _)] = self.stack.as_slice() {
            self.lines.push(line);
        }
    }

    fn open(&mut self, open: Open, anchor: usize) -> Result<(), &'static str> {
        if self.stack.len() >= DEEPEST {
            return Err("is nested too deep");
        }
        self.stack.push((open, anchor));
        Ok(())
    }

    fn value(&mut self, value: Value, size: usize, anchor: usize) -> Result<(), &'static str> {
        self.values = self.values.saturating_add(size);
        if self.values > MOST_VALUES {
            return Err("expands to too much");
        }
        if anchor > 0 {
            let size = count(&value);
            self.anchors.insert(anchor, (value.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.documents.push(Document {
                row: self.row,
                value,
                lines: std::mem::take(&mut self.lines),
            }),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Members(members, key), _)) => match key.take() {
                None => *key = Some(super::objects::plain(&value)),
                // `<<` takes the members of what it names, which the mapping's own stand over.
                Some(name) if name == "<<" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        members.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
                Some(name) => {
                    members.insert(name, value);
                }
            },
        }
        Ok(())
    }
}

/// How many values a value holds.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Texts as texts; what is written plain and means nothing is nothing.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{ReadCx, Table};

    fn read(text: &str) -> Result<Table, String> {
        let cx = ReadCx::plain("r.yaml", &|_| false);
        super::read(text.as_bytes(), &cx).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_documents_and_wrappers_read_the_same() {
        let list = "- name: a\n  owner: {mail: x@y}\n  scope: [r, w]\n- name: b\n  gone: ~\n  rotation: 90\n";
        let documents = "name: a\nowner:\n  mail: x@y\nscope:\n- r\n- w\n---\nname: b\ngone: null\nrotation: 90\n";
        let wrapper = format!("records:\n{list}");
        for (text, rows) in [
            (list, [1, 4]),
            (documents, [1, 8]),
            (wrapper.as_str(), [1, 2]),
        ] {
            let table = read(text).unwrap();
            assert_eq!(
                table.headers,
                ["name", "owner.mail", "scope", "gone", "rotation"],
                "{text}"
            );
            assert_eq!(table.rows[0].cells, ["a", "x@y", "r; w", "", ""]);
            assert_eq!(table.rows[1].cells, ["b", "", "", "", "90"]);
            assert_eq!([table.rows[0].row, table.rows[1].row], rows, "{text}");
        }
    }

    #[test]
    fn anchors_are_expanded_within_bounds() {
        let table = read("- &one {name: a, owner: x}\n- <<: *one\n  name: b\n").unwrap();
        assert_eq!(table.rows[1].cells, ["b", "x"]);
        let mut bomb = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{},", level - 1);
            bomb.push_str(&format!("- &a{level} [{}]\n", alias.repeat(10)));
        }
        assert!(read(&bomb).unwrap_err().contains("expands to too much"));
        assert!(read("- &a [*a]\n").unwrap_err().contains("alias"));
    }

    #[test]
    fn what_is_no_register_is_refused_with_its_row() {
        assert!(read("a: [1\nb").unwrap_err().contains("not valid YAML"));
        assert!(
            read("- x\n")
                .unwrap_err()
                .starts_with("r.yaml:1: holds something")
        );
        let deep = format!("a: {}x{}", "[".repeat(100), "]".repeat(100));
        assert!(read(&deep).unwrap_err().contains("too deep"));
    }
}
