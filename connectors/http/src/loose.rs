//! Reading answers as far as they go: a field of an unexpected type is as if it were not there,
//! an unknown word stays that word. For `#[serde(deserialize_with)]`.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A field that may be of any form: what cannot be read is not there.
///
/// # Errors
/// When the text is no JSON.
pub fn field<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    from: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// An id: a number, or already a text.
///
/// # Errors
/// When it is neither: what has no id is not read.
pub fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    optional_id(from)?.ok_or_else(|| serde::de::Error::custom("an id is a number or a text"))
}

/// An id that need not be there.
///
/// # Errors
/// When the text is no JSON.
pub fn optional_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Whether there is something, whatever it is: hosts write asterisks for secrets.
///
/// # Errors
/// When the text is no JSON.
pub fn present<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(kept) => kept,
        Value::String(text) => !text.is_empty(),
        _ => false,
    })
}
