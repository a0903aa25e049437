//! Entities of a Backstage catalogue, `catalog-info.yaml` or the catalogue's JSON
//! (<https://backstage.io/docs/features/software-catalog/descriptor-format>).
//!
//! As a register: resources that are credentials by their type. As a people directory: users,
//! with the groups they are members of. Components and interfaces are the catalogue's, not the
//! register's ([`crate::inventory::catalogue`]).

use serde_json::{Map, Value};

use super::{
    super::InventoryError,
    ReadCx,
    objects::{Object, Shape, flat, plain, text_at},
};
use crate::inventory::words;

/// The shape.
pub(super) static SHAPE: Shape = Shape {
    name: "backstage",
    fits,
    rows,
};

pub(super) fn fits(value: &Value) -> bool {
    let version = text_at(value, &["apiVersion"]).unwrap_or_default();
    version.starts_with("backstage.io/") && value.get("kind").is_some()
}

fn rows(
    object: &Object,
    _cx: &ReadCx<'_>,
    _notes: &mut Vec<String>,
) -> Result<Vec<Object>, InventoryError> {
    let value = &object.value;
    let row = match text_at(value, &["kind"]).unwrap_or_default() {
        "Resource" => resource(value),
        "User" => Some(user(value)),
        "Group" => Some(group(value)),
        _ => None,
    };
    Ok(row
        .map(|value| Object {
            row: object.row,
            value,
        })
        .into_iter()
        .collect())
}

fn resource(value: &Value) -> Option<Value> {
    let kind = words::credential_type(text_at(value, &["spec", "type"])?)?;
    let own = |path: &[&str]| text_at(value, path).map(str::to_owned);
    let mut out = flat([
        (
            "record_id",
            own(&["metadata", "name"]).map(|name| format!("resource:{name}")),
        ),
        ("credential_type", Some(kind.to_owned())),
        (
            "name",
            own(&["metadata", "title"]).or(own(&["metadata", "name"])),
        ),
        ("owner", own(&["spec", "owner"])),
        ("system", own(&["spec", "system"])),
        ("purpose", own(&["metadata", "description"])),
    ]);
    let annotations = value
        .pointer("/metadata/annotations")
        .and_then(Value::as_object);
    if let Some(members) = out.as_object_mut() {
        put(members, "annotations", annotations);
        let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
        put(members, "labels", labels);
    }
    Some(out)
}

fn put(out: &mut Map<String, Value>, under: &str, members: Option<&Map<String, Value>>) {
    for (name, value) in members.into_iter().flatten() {
        // `acme.io/key-id`: the name after the owner of the annotation.
        let name = name.rsplit('/').next().unwrap_or(name);
        out.insert(format!("{under}.{name}"), plain(value).into());
    }
}

fn user(value: &Value) -> Value {
    let own = |path: &[&str]| text_at(value, path).map(str::to_owned);
    let groups = value.pointer("/spec/memberOf").and_then(Value::as_array);
    let groups: Vec<&str> = groups
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(bare)
        .collect();
    flat([
        ("id", own(&["metadata", "name"])),
        ("mail", own(&["spec", "profile", "email"])),
        ("name", own(&["spec", "profile", "displayName"])),
        ("teams", Some(groups.join("; "))),
    ])
}

fn group(value: &Value) -> Value {
    let own = |path: &[&str]| text_at(value, path).map(str::to_owned);
    let members = value.pointer("/spec/members").and_then(Value::as_array);
    let members: Vec<&str> = members
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(bare)
        .collect();
    flat([
        ("team id", own(&["metadata", "name"])),
        ("team name", own(&["spec", "profile", "displayName"])),
        ("team mail", own(&["spec", "profile", "email"])),
        ("members", Some(members.join("; "))),
    ])
}

/// A reference to an entity without its kind and namespace: `group:default/payments`.
pub(super) fn bare(reference: &str) -> &str {
    let name = reference.rsplit(':').next().unwrap_or(reference);
    name.rsplit('/').next().unwrap_or(name)
}
