//! An engine in a few lines.

use keymuster_api::{Redaction, Redactor, SecretId};

/// Names whatever it is given, and finds what begins with `CANARY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finder;

impl Redactor for Finder {
    fn redact(&self, text: &str) -> Vec<Redaction> {
        let found = text.match_indices("CANARY").map(|(start, _)| {
            let rest = &text[start..];
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            let span = start..start + end;
            Redaction {
                rule: "test.canary".to_owned(),
                kind: "test.canary".to_owned(),
                secret: self.seal(&text.as_bytes()[span.clone()]),
                handle: None,
                span,
            }
        });
        found.collect()
    }

    fn seal(&self, secret: &[u8]) -> SecretId {
        let mut id = [7u8; 16];
        for (at, byte) in secret.iter().enumerate() {
            id[at % 16] = id[at % 16].wrapping_mul(31) ^ byte;
        }
        SecretId(id)
    }
}
