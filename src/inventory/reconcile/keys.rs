//! Identifiers as both sides write them, made comparable.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::{
    Record,
    text::{fold, squeezed},
};

/// Ids shorter than this mean something only together with their scheme.
const LONG_ENOUGH: usize = 16;

/// What both sides are looked up by: 128 bits of a kind of key and a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u64, u64);

impl Key {
    fn new(kind: &str, text: &str) -> Key {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, kind, text).hash(&mut hasher);
            hasher.finish()
        };
        Key(half(0), half(1))
    }
}

/// An id without case, braces, and (where it is hexadecimal) dashes and colons.
pub(super) fn compact(value: &str) -> String {
    let value = value.trim_matches(['{', '}']).to_lowercase();
    let value = value.trim_end_matches('=');
    let separates = |c: char| matches!(c, '-' | ':' | ' ');
    let digits = value.chars().filter(|&c| !separates(c));
    let hex = digits.clone().all(|c| c.is_ascii_hexdigit()) && digits.clone().count() >= 8;
    if hex {
        digits.collect()
    } else {
        value.to_owned()
    }
}

/// The key of an id under the record's scheme.
pub(super) fn native(scheme: &str, value: &str) -> Key {
    let id = compact(value);
    if id.len() >= LONG_ENOUGH {
        Key::new("id", &id)
    } else {
        Key::new("id", &format!("{scheme}:{id}"))
    }
}

/// The keys of an id under a handle's scheme: for short ones, one for each scheme of the
/// record that the handle's resembles.
pub(super) fn natives_of_handle(scheme: &str, value: &str) -> Vec<Key> {
    let id = compact(value);
    if id.len() >= LONG_ENOUGH {
        return vec![Key::new("id", &id)];
    }
    let scheme = scheme.replace('-', "_");
    let resembling = NATIVE.iter().filter(|native| {
        let stem = native.strip_suffix("_id").unwrap_or(native);
        scheme.contains(stem)
    });
    resembling
        .map(|native| Key::new("id", &format!("{native}:{id}")))
        .collect()
}

/// The key of a secret's keyed name.
pub(super) fn fingerprint(value: &str) -> Key {
    Key::new("fp", &compact(value))
}

/// Schemes of the record that name one credential, or an application.
pub(super) const NATIVE: &[&str] = &[
    "access_key_id",
    "key_id",
    "token_id",
    "spki_sha256",
    "serial_issuer",
    "ssh_fingerprint",
    "client_id",
    "object_id",
    "app_installation",
    "guid",
    "identifier",
];

/// Of these, the ones that name one key of a principal.
pub(super) fn names_a_key(scheme: &str) -> bool {
    matches!(
        scheme,
        "access_key_id"
            | "key_id"
            | "token_id"
            | "spki_sha256"
            | "serial_issuer"
            | "ssh_fingerprint"
            | "masked"
    )
}

/// A principal's name as it is compared: an ARN whatever its partition, a mail, a GUID.
pub(super) fn principal_text(value: &str) -> String {
    let value = value.trim().to_lowercase();
    if let Some(rest) = value.strip_prefix("arn:")
        && let Some((_, rest)) = rest.split_once(':')
    {
        return format!("arn:{rest}");
    }
    compact(&value)
}

/// The key of a principal.
pub(super) fn principal(value: &str) -> Key {
    Key::new("pr", &principal_text(value))
}

/// The key of a user name in an account.
pub(super) fn user(account: &str, name: &str) -> Key {
    let text = format!("{}:{}", self::account(account), name.trim().to_lowercase());
    Key::new("us", &text)
}

/// The key of a user name where no account is known.
pub(super) fn only_user(name: &str) -> Key {
    Key::new("ou", &name.trim().to_lowercase())
}

/// An account: its digits where it is a number written with dashes or blanks.
pub(super) fn account(text: &str) -> String {
    let digits = text.chars().filter(char::is_ascii_digit);
    let letters = text.chars().any(char::is_alphabetic);
    if digits.clone().count() == 12 && !letters {
        digits.collect()
    } else {
        squeezed(text)
    }
}

/// The account inside an ARN.
pub(super) fn account_of_arn(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

/// The key of a storage place.
pub(super) fn locator(text: &str) -> Key {
    let text = text.trim().replace('\\', "/").to_lowercase();
    let text = text.trim_matches('/');
    // A record names the place, and not what kind of place it is.
    let text = text.strip_prefix("k8s:").unwrap_or(text);
    let path = match text.strip_prefix("vault:") {
        // Version 2 of the key-value store has `data` in its address and not in its name.
        Some(path) => path.trim_matches('/').replacen("/data/", "/", 1),
        None => text.to_owned(),
    };
    Key::new("lo", path.trim_start_matches("./"))
}

/// The key of a name within a system.
pub(super) fn named(name: &str, system: &str) -> Key {
    Key::new("nm", &format!("{}:{}", squeezed(name), squeezed(system)))
}

/// The key of an account that a credential names by itself.
pub(super) fn only_account(account: &str) -> Key {
    Key::new("ac", &self::account(account))
}

/// Whether two names are the same but for their spelling.
pub(super) fn same(a: &str, b: &str) -> bool {
    fold(a) == fold(b) || squeezed(a) == squeezed(b)
}

/// Whether a record is of a kind that this credential cannot be: a certificate is no access
/// key. Kinds that are not sure to differ do not.
pub(super) fn kinds_differ(record: &Record, kind: &str) -> bool {
    let Some(recorded) = record.credential_type.as_deref() else {
        return false;
    };
    let kind = kind.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    let family = if is(&["access-key", "access_key", "secret-key"]) {
        "access_key"
    } else if is(&["certificate"]) {
        "certificate"
    } else if is(&["ssh", "deploy-key", "private-key"]) {
        "ssh_key"
    } else if is(&["webhook"]) {
        "webhook_secret"
    } else {
        return false;
    };
    let apart = [
        "certificate",
        "ssh_key",
        "deploy_key",
        "database_login",
        "webhook_secret",
        "oauth_app",
        "oauth_grant",
        "personal_access_token",
        "access_key",
    ];
    let alike = [recorded, family] == ["deploy_key", "ssh_key"];
    recorded != family && apart.contains(&recorded) && !alike
}
