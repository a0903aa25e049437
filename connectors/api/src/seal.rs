//! What is left of a secret after it was seen.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// The keyed name of a secret: HMAC-SHA-256 under the estate's key over the normalised secret,
/// cut to 16 bytes. Equal secrets have equal ids, in any system, under one estate's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(pub [u8; 16]);

impl SecretId {
    /// From 32 hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<SecretId> {
        let mut bytes = [0; 16];
        if hex.len() != 32 || !hex.is_ascii() {
            return None;
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(SecretId(bytes))
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A public identifier of a credential, with the scheme that says how it is compared.
///
/// Schemes in use: `aws-access-key-id`, `gcp-private-key-id`, `arn`, `client-email`,
/// `ssh-fingerprint`, `jwt-subject`. Never characters of a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Handle {
    /// What kind of identifier this is.
    pub scheme: String,
    /// The identifier, as its system writes it.
    pub value: String,
}

impl Handle {
    /// A handle of this scheme.
    pub fn new(scheme: impl Into<String>, value: impl Into<String>) -> Handle {
        Handle {
            scheme: scheme.into(),
            value: value.into(),
        }
    }
}

/// One secret found in a text that was not supposed to hold any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// Where in the text.
    pub span: Range<usize>,
    /// The rule that found it.
    pub rule: String,
    /// The kind of credential.
    pub kind: String,
    /// The secret's keyed name.
    pub secret: SecretId,
    /// Its public identifier, where the format carries one.
    pub handle: Option<Handle>,
}

/// The engine as connectors and inventory readers see it: finds secrets in texts of any
/// origin, so that a transport or a register can seal values without knowing the engine.
pub trait Redactor: Sync {
    /// Every secret in the text, in order, without overlaps.
    fn redact(&self, text: &str) -> Vec<Redaction>;
    /// The keyed name of a value that is known to be a secret.
    fn seal(&self, secret: &[u8]) -> SecretId;
}
