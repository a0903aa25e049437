//! Users of a SCIM service (RFC 7643): a list response, or one user a line; and the directory
//! exports of Okta and Microsoft Entra, which nest their users likewise.
//!
//! Rows are people: `id`, `mail`, `aliases`, `name`, `teams`, `manager`, `status`, `end date`.

use serde_json::Value;

use super::{
    super::InventoryError,
    ReadCx,
    objects::{Object, Shape, flat, plain, text_at},
};

/// The shape.
pub(super) static SHAPE: Shape = Shape {
    name: "scim",
    fits,
    rows,
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn fits(value: &Value) -> bool {
    let schemas = value.get("schemas").and_then(Value::as_array);
    let mut schemas = schemas.into_iter().flatten().filter_map(Value::as_str);
    schemas.any(|schema| {
        schema.starts_with("urn:ietf:params:scim:") || schema.starts_with("urn:scim:schemas:core")
    }) || is_okta(value)
        || is_entra(value)
        || value
            .get("value")
            .and_then(Value::as_array)
            .and_then(|list| list.first())
            .is_some_and(is_entra)
}

/// `{"id": …, "status": "ACTIVE", "profile": {"login": …}}`.
fn is_okta(value: &Value) -> bool {
    text_at(value, &["profile", "login"]).is_some() && value.get("status").is_some()
}

fn is_entra(value: &Value) -> bool {
    value.get("userPrincipalName").is_some()
}

fn rows(
    object: &Object,
    _cx: &ReadCx<'_>,
    _notes: &mut Vec<String>,
) -> Result<Vec<Object>, InventoryError> {
    let list = object.value.get("Resources").or(object.value.get("value"));
    let Some(list) = list.and_then(Value::as_array) else {
        return Ok(user(&object.value)
            .map(|value| Object {
                row: object.row,
                value,
            })
            .into_iter()
            .collect());
    };
    let users = (1..).zip(list);
    Ok(users
        .filter_map(|(row, value)| {
            Some(Object {
                row,
                value: user(value)?,
            })
        })
        .collect())
}

fn user(value: &Value) -> Option<Value> {
    if is_okta(value) {
        return Some(okta(value));
    }
    if is_entra(value) {
        return Some(entra(value));
    }
    // Groups come in the same response; who is in one stands at the user.
    value.get("userName")?;
    let own = |text: Option<&str>| text.map(str::to_owned);
    let enterprise = value.get(ENTERPRISE).unwrap_or(&Value::Null);
    let mails: Vec<&Value> = list(value, "emails");
    let primary = mails
        .iter()
        .find(|mail| mail.get("primary") == Some(&Value::Bool(true)))
        .or(mails.first())
        .and_then(|mail| text_at(mail, &["value"]));
    let number = text_at(enterprise, &["employeeNumber"]);
    let aliases = mails
        .iter()
        .filter_map(|mail| text_at(mail, &["value"]))
        .chain(text_at(value, &["id"]))
        .chain(text_at(value, &["externalId"]))
        .chain(number);
    let given = text_at(value, &["name", "givenName"]);
    let family = text_at(value, &["name", "familyName"]);
    let composed = given
        .zip(family)
        .map(|(given, family)| format!("{given} {family}"));
    let name = own(text_at(value, &["displayName"]))
        .or(own(text_at(value, &["name", "formatted"])))
        .or(composed);
    let groups = list(value, "groups");
    let teams = groups
        .iter()
        .filter_map(|group| text_at(group, &["display"]).or(text_at(group, &["value"])));
    let manager = text_at(enterprise, &["manager", "value"])
        .or(text_at(enterprise, &["manager", "$ref"]).and_then(|url| url.rsplit('/').next()))
        .or(text_at(enterprise, &["manager"]));
    Some(flat([
        ("id", own(text_at(value, &["userName"]))),
        ("mail", own(primary)),
        ("aliases", Some(joined(aliases))),
        ("name", name),
        ("team", own(text_at(enterprise, &["department"]))),
        ("teams", Some(joined(teams))),
        ("manager", own(manager)),
        ("status", value.get("active").map(plain)),
    ]))
}

fn okta(value: &Value) -> Value {
    let profile = |name: &str| text_at(value, &["profile", name]).map(str::to_owned);
    let aliases = [
        "secondEmail",
        "employeeNumber",
        "githubUsername",
        "nickName",
    ];
    let aliases = aliases
        .iter()
        .filter_map(|name| text_at(value, &["profile", name]))
        .chain(text_at(value, &["id"]));
    let composed = profile("firstName")
        .zip(profile("lastName"))
        .map(|(first, last)| format!("{first} {last}"));
    flat([
        ("id", profile("login")),
        ("mail", profile("email")),
        ("aliases", Some(joined(aliases))),
        ("name", profile("displayName").or(composed)),
        ("team", profile("department")),
        ("manager", profile("managerId").or(profile("manager"))),
        ("status", value.get("status").map(plain)),
    ])
}

fn entra(value: &Value) -> Value {
    let own = |name: &str| text_at(value, &[name]).map(str::to_owned);
    // `smtp:` before further addresses, `SMTP:` before the first.
    let addresses = ["otherMails", "proxyAddresses"];
    let addresses = addresses
        .iter()
        .flat_map(|name| list(value, name))
        .filter_map(Value::as_str)
        .map(|address| {
            let (scheme, rest) = address.split_once(':').unwrap_or(("", address));
            if scheme.eq_ignore_ascii_case("smtp") {
                rest
            } else {
                address
            }
        });
    let ids = [
        "id",
        "mailNickname",
        "onPremisesSamAccountName",
        "employeeId",
    ];
    let ids = ids.iter().filter_map(|name| text_at(value, &[name]));
    let manager = text_at(value, &["manager", "userPrincipalName"])
        .or(text_at(value, &["manager", "id"]))
        .or(text_at(value, &["manager"]));
    flat([
        ("id", own("userPrincipalName")),
        ("mail", own("mail")),
        ("aliases", Some(joined(addresses.chain(ids)))),
        ("name", own("displayName")),
        ("team", own("department")),
        ("manager", manager.map(str::to_owned)),
        ("status", value.get("accountEnabled").map(plain)),
        ("end date", own("employeeLeaveDateTime")),
    ])
}

fn list<'v>(value: &'v Value, name: &str) -> Vec<&'v Value> {
    let items = value.get(name).and_then(Value::as_array);
    items.into_iter().flatten().collect()
}

fn joined<'v>(texts: impl Iterator<Item = &'v str>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for text in texts {
        if !text.is_empty() && !all.contains(&text) {
            all.push(text);
        }
    }
    all.join("; ")
}
