//! Documents that are trees: JSON and YAML as one value.

use serde_json::Value;

use crate::inventory::InventoryError;

/// Largest file that is read as a tree.
const MOST_BYTES: usize = 64 << 20;

/// The documents of a JSON or YAML file that begins like one; `None` for anything else, which
/// may still be a table. A JSON array or JSON Lines is a table.
pub(super) fn documents(label: &str, bytes: &[u8]) -> Result<Option<Vec<Value>>, InventoryError> {
    let lower = label.to_ascii_lowercase();
    let is_yaml = lower.ends_with(".yaml") || lower.ends_with(".yml");
    if bytes.len() > MOST_BYTES {
        return Err(InventoryError::new(label, "has more than 64 MiB")
            .help("name the documents themselves, not a dump of them"));
    }
    if is_yaml {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| InventoryError::new(label, "is no UTF-8 text"))?;
        return match serde_saphyr::from_multiple::<Value>(text) {
            Ok(documents) => Ok(Some(documents)),
            Err(error) => {
                let row = error.location().map_or(1, |at| at.line());
                Err(InventoryError::new(label, "is no YAML that can be read").row(row))
            }
        };
    }
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if lower.ends_with(".json") && start == Some(&b'{') {
        return match serde_json::from_slice::<Value>(bytes) {
            // An object around a list of objects is a table; documents are known by their marks.
            Ok(value) if is_document(&value) => Ok(Some(vec![value])),
            Ok(_) => Ok(None),
            Err(error) => {
                Err(InventoryError::new(label, "is no JSON that can be read")
                    .row(error.line() as u64))
            }
        };
    }
    Ok(None)
}

fn is_document(value: &Value) -> bool {
    super::backstage::is(value) || super::openapi::is(value) || super::gateway::is(value)
}

/// A text member.
pub(super) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    let mut at = value;
    for name in path {
        at = at.get(name)?;
    }
    at.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The members of a list or the values of a map, in order.
pub(super) fn items<'v>(value: &'v Value, name: &str) -> Vec<&'v Value> {
    match value.get(name) {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// The texts of a list, or the one text in its place.
pub(super) fn texts(value: &Value, name: &str) -> Vec<String> {
    match value.get(name) {
        Some(Value::Array(list)) => {
            let texts = list.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// An error of a TOML file with its line.
pub(super) fn toml_error(label: &str, text: &str, error: &toml::de::Error) -> InventoryError {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..at]
        .iter()
        .filter(|&&b| b == b'\n')
        .count()
        + 1;
    InventoryError::new(label, error.message().to_owned()).row(line as u64)
}
