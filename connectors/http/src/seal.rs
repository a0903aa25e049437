//! What is kept of an answer: the fields that a type names, and no secret in them.

use std::fmt;

use keymuster_api::{Handle, Redactor, SecretId, tie};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Something that a host lists, as far as it is read: what the type does not name is dropped
/// before anything is kept.
///
/// Invariant: reading what was written gives the same, and sealing it again changes nothing.
pub trait Wire: DeserializeOwned + Serialize {
    /// Replaces what must not be kept and what words alone do not betray: values, addresses
    /// with tokens in them. Secrets with a form of their own are found in every text anyway.
    fn seal(&mut self, _cx: &SealCx<'_>) {}
}

/// What sealing needs.
#[derive(Clone, Copy)]
pub struct SealCx<'a> {
    /// Finds and names secrets.
    pub redactor: &'a dyn Redactor,
    /// Whether values that a host shows are named, so that equal ones meet.
    pub fingerprints: bool,
    /// Whether they are searched for credentials.
    pub detects: bool,
}

/// A value that a host shows. In memory until it is sealed, then only what is left of it.
#[derive(Clone, Default)]
pub enum Sealed {
    /// There is none.
    #[default]
    None,
    /// As it came.
    Raw(Zeroizing<String>),
    /// What is left.
    Kept(Kept),
}

/// What is left of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// Its keyed name, in hexadecimal digits; `None` where values are not to be named.
    sealed: Option<String>,
    /// The kind of credential that it is, where that was looked for and found.
    #[serde(default)]
    kind: Option<String>,
    /// That credential's keyed name.
    #[serde(default)]
    credential: Option<String>,
    /// Scheme and value of its public identifier.
    #[serde(default)]
    handle: Option<(String, String)>,
}

impl Sealed {
    /// Seals a value as the policy says.
    pub fn seal(&mut self, cx: &SealCx<'_>) {
        let Sealed::Raw(raw) = self else { return };
        let mut kept = Kept::default();
        if cx.fingerprints || cx.detects {
            kept.sealed =
                (!raw.trim().is_empty()).then(|| name(cx.redactor.seal(raw.trim().as_bytes())));
        }
        if cx.detects
            && let Some(found) = cx.redactor.redact(raw).into_iter().next()
        {
            kept.kind = Some(found.kind);
            kept.credential = Some(name(found.secret));
            kept.handle = found.handle.map(|handle| (handle.scheme, handle.value));
        }
        *self = Sealed::Kept(kept);
    }

    /// Seals a text that the host publishes about a credential (a hash of it, its last
    /// characters) under a word of its own, so that it is equal to nothing but its like.
    pub fn seal_published(&mut self, word: &str, redactor: &dyn Redactor) {
        let Sealed::Raw(raw) = self else { return };
        let sealed = tie::of(redactor, word, raw);
        *self = Sealed::Kept(Kept {
            sealed: Some(sealed),
            ..Kept::default()
        });
    }

    /// The keyed name.
    pub fn secret(&self) -> Option<SecretId> {
        match self {
            Sealed::Kept(kept) => SecretId::from_hex(kept.sealed.as_deref()?),
            Sealed::Raw(_) | Sealed::None => None,
        }
    }

    /// Kind, keyed name and public identifier of the credential that it is.
    pub fn credential(&self) -> Option<(&str, SecretId, Option<Handle>)> {
        let Sealed::Kept(kept) = self else {
            return None;
        };
        let secret = SecretId::from_hex(kept.credential.as_deref()?)?;
        let handle = kept.handle.as_ref();
        let handle = handle.map(|(scheme, value)| Handle::new(scheme, value));
        Some((kept.kind.as_deref()?, secret, handle))
    }
}

fn name(secret: SecretId) -> String {
    secret.to_string()
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sealed::None => f.write_str("None"),
            Sealed::Raw(_) => f.write_str("Raw(…)"),
            Sealed::Kept(kept) => f.debug_tuple("Kept").field(kept).finish(),
        }
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            // What was not sealed is not kept.
            Sealed::None | Sealed::Raw(_) => to.serialize_none(),
            Sealed::Kept(kept) => kept.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sealed, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::Null => Sealed::None,
            Value::String(text) => Sealed::Raw(Zeroizing::new(text)),
            Value::Object(map) if map.contains_key("sealed") => {
                serde_json::from_value(Value::Object(map)).map_or(Sealed::None, Sealed::Kept)
            }
            other => Sealed::Raw(Zeroizing::new(other.to_string())),
        })
    }
}

/// A text without the secrets that have a form of their own, each replaced by the rule that
/// found it and its keyed name.
pub fn plain_text(redactor: &dyn Redactor, text: &str) -> Option<String> {
    let found = redactor.redact(text);
    if found.is_empty() {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    for one in found {
        plain.push_str(text.get(at..one.span.start).unwrap_or_default());
        plain.push_str(&format!("[sealed {} {}]", one.rule, one.secret));
        at = one.span.end;
    }
    plain.push_str(text.get(at..).unwrap_or_default());
    Some(plain)
}

/// Reads one thing, seals it, and gives what is kept of it; `None` if it has another form.
pub(crate) fn keep<T: Wire>(raw: Value, cx: &SealCx<'_>) -> Option<Value> {
    let mut thing: T = serde_json::from_value(raw).ok()?;
    thing.seal(cx);
    let mut kept = serde_json::to_value(&thing).ok()?;
    redact(&mut kept, cx.redactor);
    Some(kept)
}

/// Shorter texts hold no secret with a form of its own.
const SHORT: usize = 8;

fn redact(value: &mut Value, redactor: &dyn Redactor) {
    match value {
        Value::String(text) if text.len() >= SHORT => {
            if let Some(plain) = plain_text(redactor, text) {
                *value = json!(plain);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| redact(value, redactor)),
        Value::Object(map) => map.values_mut().for_each(|value| redact(value, redactor)),
        _ => {}
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use keymuster_api::{Redaction, Redactor, SecretId};
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::{SealCx, Sealed, Wire, keep};

    /// Finds `SECRET-` and the letters behind it.
    pub(crate) struct Finder;

    impl Redactor for Finder {
        fn redact(&self, text: &str) -> Vec<Redaction> {
            let found = text.match_indices("SECRET-").map(|(start, _)| {
                let rest = &text[start + 7..];
                let len = rest
                    .find(|c: char| !c.is_ascii_lowercase())
                    .unwrap_or(rest.len());
                let span = start..start + 7 + len;
                Redaction {
                    rule: "test.secret".to_owned(),
                    kind: "test.secret".to_owned(),
                    secret: self.seal(&text.as_bytes()[span.clone()]),
                    handle: None,
                    span,
                }
            });
            found.collect()
        }

        fn seal(&self, secret: &[u8]) -> SecretId {
            let mut id = [0u8; 16];
            for (at, byte) in secret.iter().enumerate() {
                id[at % 16] = id[at % 16].wrapping_mul(31).wrapping_add(*byte);
            }
            SecretId(id)
        }
    }

    #[derive(Debug, Deserialize, Serialize)]
    struct Variable {
        name: String,
        #[serde(default)]
        value: Sealed,
    }

    impl Wire for Variable {
        fn seal(&mut self, cx: &SealCx<'_>) {
            self.value.seal(cx);
        }
    }

    fn cx(fingerprints: bool, detects: bool) -> SealCx<'static> {
        SealCx {
            redactor: &Finder,
            fingerprints,
            detects,
        }
    }

    fn raw() -> Value {
        json!({"name": "A SECRET-abc name", "value": "x=SECRET-def", "temp_clone_token": "t0ken"})
    }

    #[test]
    fn what_no_type_names_is_dropped_and_texts_are_searched() {
        for (cx, sealed) in [
            (cx(false, false), false),
            (cx(true, false), true),
            (cx(true, true), true),
        ] {
            let kept = keep::<Variable>(raw(), &cx).expect("a variable");
            let text = kept.to_string();
            for secret in ["t0ken", "SECRET-abc", "SECRET-def"] {
                assert!(!text.contains(secret), "{text}");
            }
            assert_eq!(kept["value"]["sealed"].is_string(), sealed);
            assert_eq!(kept["value"]["kind"].is_string(), cx.detects);
            // What was kept is read and kept as it is.
            assert_eq!(keep::<Variable>(kept.clone(), &cx), Some(kept));
        }
    }

    #[test]
    fn equal_values_meet_and_published_hashes_only_their_like() {
        let value = |text: &str| Sealed::Raw(zeroize::Zeroizing::new(text.to_owned()));
        let (mut a, mut b, mut c) = (value("one"), value(" one\n"), value("one"));
        a.seal(&cx(true, false));
        b.seal(&cx(true, false));
        c.seal_published("hash", &Finder);
        assert!(a.secret().is_some());
        assert_eq!(a.secret(), b.secret());
        assert_ne!(a.secret(), c.secret());
        assert_eq!(format!("{:?}", value("one")), "Raw(…)");
        assert_eq!(serde_json::to_string(&value("one")).expect("JSON"), "null");
    }
}
