//! One way of writing a value: members sorted, no white space. For the ASCII member names and
//! whole numbers that stand in evidence this is RFC 8785.

use serde::Serialize;
use serde_json::Value;

/// The value on one line, without line end.
pub(super) fn canonical(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("evidence is texts, numbers and lists");
    sorted(value).to_string()
}

/// Values as lines, each ended.
pub(super) fn lines<T: Serialize>(values: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut out = String::new();
    for value in values {
        out.push_str(&canonical(&value));
        out.push('\n');
    }
    out.into_bytes()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let members = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)));
            Value::Object(members.collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{canonical, lines};

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": [{"z": 1, "a": null}], "a": "x y"});
        assert_eq!(canonical(&value), r#"{"a":"x y","b":[{"a":null,"z":1}]}"#);
        assert_eq!(lines([1, 2]), b"1\n2\n");
    }
}
