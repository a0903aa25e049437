//! Facts as JSON, for the evidence that a run leaves: what they hold beyond texts and numbers.

use std::{collections::BTreeSet, str::FromStr, sync::Mutex};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{Confidence, ObjectId, PathBytes, SecretId, Severity};

/// A word that connectors hold as a constant. Under a name of its own, because what is read back
/// is not borrowed from what it is read from.
pub type Word = &'static str;

/// Reads a [`Word`].
pub(crate) fn word<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let text = String::deserialize(from)?;
    let mut words = WORDS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    // There are as many as there are types of connectors; a file that was tampered with must
    // not fill the memory that is never given back.
    if words.len() >= 1000 || text.len() > 100 {
        return Err(D::Error::custom("no type of connector"));
    }
    if let Some(known) = words.get(text.as_str()) {
        return Ok(known);
    }
    let kept: &'static str = Box::leak(text.into_boxed_str());
    words.insert(kept);
    Ok(kept)
}

/// What is written as its text.
macro_rules! as_text {
    ($($name:ident: $read:expr;)+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let text = String::deserialize(from)?;
                let read: fn(&str) -> Option<$name> = $read;
                read(&text).ok_or_else(|| D::Error::custom(concat!("no ", stringify!($name))))
            }
        }
    )+};
}

as_text! {
    SecretId: SecretId::from_hex;
    ObjectId: |text| ObjectId::from_hex(text.as_bytes());
    Severity: |text| Severity::from_str(text).ok();
    Confidence: |text| Confidence::from_str(text).ok();
}

/// A path: text where it is UTF-8, else its bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes(Vec<u8>),
}

impl Serialize for PathBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Written::Text(text.to_owned()),
            Err(_) => Written::Bytes(self.0.clone()),
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for PathBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<PathBytes, D::Error> {
        Ok(PathBytes(match Written::deserialize(from)? {
            Written::Text(text) => text.into_bytes(),
            Written::Bytes(bytes) => bytes,
        }))
    }
}
