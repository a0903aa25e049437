//! Objects to rows, whatever text they were written in: nested members become columns named by
//! their path, lists become cells joined by `; `, lists of keys and values become members.
//!
//! Exports that wrap or nest their objects in a way of their own have a [`Shape`] each, which
//! says what of them is a row.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{super::InventoryError, ReadCx, Row, Table, backstage, scim, terraform, vault};
use crate::inventory::text::trimmed;

/// More different members than any register has.
const MOST_COLUMNS: usize = 1024;
/// Members nested deeper are shown as JSON.
const DEEPEST: usize = 8;

/// An object, with the line where it begins.
pub(super) struct Object {
    pub(super) row: u64,
    pub(super) value: Value,
}

/// The rows of an object, as flat objects; notes are added to the list.
type ToRows = fn(&Object, &ReadCx<'_>, &mut Vec<String>) -> Result<Vec<Object>, InventoryError>;

/// A way in which an export nests what we call rows.
pub(super) struct Shape {
    /// Its name in the configuration.
    pub(super) name: &'static str,
    /// Whether a first object shows it.
    pub(super) fits: fn(&Value) -> bool,
    /// The rows of an object, as flat objects; and what to tell.
    pub(super) rows: ToRows,
}

/// Every shape there is.
pub(super) const SHAPES: &[&Shape] = &[
    &backstage::SHAPE,
    &scim::SHAPE,
    &terraform::SHAPE,
    &vault::SHAPE,
];

/// Rows on their way into a table.
pub(super) struct Taken<'a> {
    cx: &'a ReadCx<'a>,
    shape: Option<&'static Shape>,
    /// Whether the first object has been looked at.
    begun: bool,
    table: Table,
    columns: HashMap<String, usize>,
}

impl<'a> Taken<'a> {
    /// An empty table; the shape is what the first object shows if `None`.
    pub(super) fn new(cx: &'a ReadCx<'a>, shape: Option<&str>, notes: Vec<String>) -> Taken<'a> {
        let shape = shape.and_then(|name| SHAPES.iter().find(|shape| shape.name == name));
        Taken {
            cx,
            shape: shape.copied(),
            begun: shape.is_some(),
            table: Table {
                headers: Vec::new(),
                header_row: 0,
                rows: Vec::new(),
                notes,
            },
            columns: HashMap::new(),
        }
    }

    /// Takes the rows of one object. One that stands alone may wrap a list of them.
    pub(super) fn take(&mut self, object: Object, alone: bool) -> Result<(), InventoryError> {
        if !self.begun {
            self.begun = true;
            self.shape = SHAPES
                .iter()
                .find(|shape| (shape.fits)(&object.value))
                .copied();
        }
        if let Some(shape) = self.shape {
            for row in (shape.rows)(&object, self.cx, &mut self.table.notes)? {
                self.row(&row)?;
            }
            return Ok(());
        }
        if alone
            && self.table.rows.is_empty()
            && let Some(list) = wrapped(&object.value)
        {
            // Lines inside are unknown: the wrapper's members come in one piece.
            for (index, value) in list.iter().enumerate() {
                self.flat(value, index as u64 + 1)?;
            }
            self.counted_by_objects();
            return Ok(());
        }
        self.row(&object)
    }

    fn counted_by_objects(&mut self) {
        let note = format!("{}: rows are counted by objects, not lines", self.cx.label);
        self.table.notes.push(note);
    }

    fn row(&mut self, object: &Object) -> Result<(), InventoryError> {
        self.flat(&object.value, object.row)
    }

    fn flat(&mut self, value: &Value, row: u64) -> Result<(), InventoryError> {
        let Value::Object(members) = value else {
            return Err(
                InventoryError::new(self.cx.label, "holds something else than objects")
                    .row(row)
                    .help("write one flat object per record"),
            );
        };
        let mut cells = Vec::new();
        for (name, value) in members {
            flatten(name, value, 0, &mut cells);
        }
        let table = &mut self.table;
        let mut out = Row {
            row,
            cells: vec![String::new(); table.headers.len()],
        };
        for (name, text) in cells {
            let column = *self.columns.entry(name).or_insert_with_key(|name| {
                table.headers.push(name.clone());
                table.headers.len() - 1
            });
            if column >= MOST_COLUMNS {
                let message = format!("has more than {MOST_COLUMNS} different members");
                return Err(InventoryError::new(self.cx.label, message)
                    .row(row)
                    .help("write one flat object per record"));
            }
            let width = out.cells.len().max(column + 1);
            out.cells.resize(width, String::new());
            out.cells[column] = trimmed(&text).to_owned();
        }
        if out.cells.iter().any(|cell| !cell.is_empty()) {
            table.rows.push(out);
        }
        Ok(())
    }

    /// The table.
    ///
    /// # Errors
    /// When there was no object at all.
    pub(super) fn finish(self) -> Result<Table, InventoryError> {
        let mut table = self.table;
        if table.rows.is_empty() && table.headers.is_empty() {
            let what = match self.shape {
                Some(shape) => format!("holds nothing that `{}` makes a row of", shape.name),
                None => "holds no objects".to_owned(),
            };
            return Err(InventoryError::new(self.cx.label, what)
                .help("name the file that holds the register"));
        }
        let width = table.headers.len();
        for row in &mut table.rows {
            row.cells.resize(width, String::new());
        }
        Ok(table)
    }
}

/// The one list of objects in an object: `{"records": [{…}]}`.
pub(super) fn wrapped(value: &Value) -> Option<&Vec<Value>> {
    let mut lists = value.as_object()?.values().filter_map(Value::as_array);
    let list = lists.next()?;
    let only = lists.next().is_none() && !list.is_empty() && list.iter().all(Value::is_object);
    only.then_some(list)
}

fn flatten(name: &str, value: &Value, depth: usize, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if depth < DEEPEST => {
            for (inner, value) in members {
                flatten(&format!("{name}.{inner}"), value, depth + 1, out);
            }
        }
        Value::Array(items) => {
            if let Some(pairs) = pairs(items) {
                for (key, value) in pairs {
                    out.push((format!("{name}.{key}"), plain(value)));
                }
                return;
            }
            let texts: Vec<String> = items.iter().map(named).collect();
            out.push((name.to_owned(), texts.join("; ")));
        }
        value => out.push((name.to_owned(), plain(value))),
    }
}

/// A list of keys and values, as clouds write tags: `[{"Key": "owner", "Value": "jane"}]`.
fn pairs(items: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let member = |map: &'_ Map<String, Value>, name: &str| {
        map.keys()
            .find(|key| key.eq_ignore_ascii_case(name))
            .cloned()
    };
    let pair = |item: &'_ Value| -> Option<(String, String)> {
        let map = item.as_object().filter(|map| map.len() == 2)?;
        Some((member(map, "key")?, member(map, "value")?))
    };
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let (key, value) = pair(item)?;
        found.push((item.get(key.as_str())?.as_str()?, item.get(value.as_str())?));
    }
    (!found.is_empty()).then_some(found)
}

/// An item of a list: a text, or of an object what names it.
fn named(value: &Value) -> String {
    let Some(members) = value.as_object() else {
        return plain(value);
    };
    let names = ["value", "displayName", "name", "login", "email", "id"];
    let name = names.iter().find_map(|name| members.get(*name)?.as_str());
    name.map_or_else(|| plain(value), str::to_owned)
}

/// A value as a cell.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The text of a member, by its path.
pub(super) fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    let found = path
        .iter()
        .try_fold(value, |value, name| value.get(*name))?;
    found.as_str().filter(|text| !text.is_empty())
}

/// A flat object of some cells; empty ones are left out.
pub(super) fn flat(cells: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Value {
    let filled = cells.into_iter().filter_map(|(name, text)| {
        let text = text.filter(|text| !text.is_empty())?;
        Some((name.to_owned(), Value::String(text)))
    });
    Value::Object(filled.collect())
}
