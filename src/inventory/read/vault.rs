//! Metadata of HashiCorp Vault's key-value store, version 2, as `vault kv metadata get
//! -format=json` prints it (<https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>).
//!
//! That output does not name its path. So: `{"path": …, "data": {…}}`, one object a line, or one
//! object of paths, each with its output.

use serde_json::{Map, Value};

use super::{
    super::InventoryError,
    ReadCx,
    objects::{Object, Shape, plain},
};

/// The shape.
pub(super) static SHAPE: Shape = Shape {
    name: "vault",
    fits,
    rows,
};

/// The metadata inside of what was printed.
fn metadata(value: &Value) -> Option<&Map<String, Value>> {
    let data = value.get("data").unwrap_or(value).as_object()?;
    let known = data.contains_key("versions") && data.contains_key("current_version");
    (known || data.contains_key("custom_metadata")).then_some(data)
}

fn fits(value: &Value) -> bool {
    if metadata(value).is_some() {
        return true;
    }
    let members = value.as_object().filter(|members| !members.is_empty());
    members.is_some_and(|members| members.values().all(|value| metadata(value).is_some()))
}

fn rows(
    object: &Object,
    cx: &ReadCx<'_>,
    _notes: &mut Vec<String>,
) -> Result<Vec<Object>, InventoryError> {
    let value = &object.value;
    let Some(data) = metadata(value) else {
        let members = value.as_object().into_iter().flatten();
        let found = members.filter_map(|(path, value)| {
            Some(Object {
                row: object.row,
                value: row(path, metadata(value)?),
            })
        });
        return Ok(found.collect());
    };
    let names = ["path", "secret_path", "vault_path"];
    let path = names.iter().find_map(|name| value.get(*name)?.as_str());
    let Some(path) = path else {
        return Err(InventoryError::new(cx.label, "names no path")
            .row(object.row)
            .help(
                "add it: `vault kv metadata get -format=json PATH | jq '{path: \"PATH\"} + .'`",
            ));
    };
    Ok(vec![Object {
        row: object.row,
        value: row(path, data),
    }])
}

fn row(path: &str, data: &Map<String, Value>) -> Value {
    let text = |name: &str| data.get(name).map(plain).unwrap_or_default();
    let current = data
        .get("versions")
        .and_then(|versions| versions.get(text("current_version")));
    let written = current.and_then(|version| version.get("created_time"));
    let gone = current.is_some_and(|version| {
        let deleted = version.get("deletion_time").map(plain).unwrap_or_default();
        version.get("destroyed") == Some(&Value::Bool(true)) || !deleted.is_empty()
    });
    let mut out = Map::new();
    out.insert("vault_path".to_owned(), path.into());
    out.insert("issued_at".to_owned(), text("created_time").into());
    // A new version is a new value.
    let rotated = written.map(plain).unwrap_or_default();
    if text("current_version") != "1" {
        out.insert("last_rotated_at".to_owned(), rotated.into());
    }
    if gone {
        out.insert("status".to_owned(), "revoked".into());
    }
    let custom = data.get("custom_metadata").and_then(Value::as_object);
    for (name, value) in custom.into_iter().flatten() {
        out.insert(format!("custom_metadata.{name}"), plain(value).into());
    }
    Value::Object(out)
}
