//! The name around an anchor: its extent, its words, and whether it is a secret's at all.

use std::ops::Range;

/// Bytes of a name before its anchor.
const BEFORE: usize = 48;
/// Bytes of a name after its anchor.
const AFTER: usize = 40;

/// What the words of a name say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// People choose it and type it.
    Password,
    /// A machine made it.
    Token,
}

/// A name that says that its value is secret.
pub(super) struct Name {
    pub(super) words: Words,
    pub(super) meaning: Meaning,
}

/// Last words of names that hold something about a secret, not the secret; sorted.
const ABOUT: &[&str] = &[
    "action",
    "address",
    "alg",
    "algo",
    "algorithm",
    "arn",
    "attr",
    "attribute",
    "attributes",
    "audience",
    "balance",
    "button",
    "callback",
    "cannot",
    "change",
    "changed",
    "characters",
    "chars",
    "claim",
    "claims",
    "class",
    "cmd",
    "col",
    "color",
    "column",
    "command",
    "complexity",
    "config",
    "confirm",
    "contract",
    "count",
    "counts",
    "create",
    "created",
    "delete",
    "deleted",
    "delimiter",
    "desc",
    "description",
    "dialog",
    "digits",
    "dir",
    "disabled",
    "doc",
    "docs",
    "email",
    "empty",
    "enabled",
    "encoder",
    "encoding",
    "end",
    "endpoint",
    "env",
    "equals",
    "error",
    "errors",
    "event",
    "example",
    "expiration",
    "expire",
    "expired",
    "expires",
    "expiry",
    "factory",
    "field",
    "fields",
    "file",
    "filename",
    "filepath",
    "files",
    "folder",
    "forgot",
    "forgotten",
    "form",
    "format",
    "func",
    "function",
    "generate",
    "generated",
    "generator",
    "group",
    "handler",
    "has",
    "hashing",
    "header",
    "headers",
    "help",
    "helper",
    "helpers",
    "hint",
    "history",
    "host",
    "icon",
    "id",
    "ids",
    "incorrect",
    "index",
    "input",
    "instance",
    "invalid",
    "is",
    "issuer",
    "kind",
    "label",
    "labels",
    "len",
    "length",
    "lifetime",
    "limit",
    "link",
    "list",
    "location",
    "lost",
    "manager",
    "map",
    "maps",
    "match",
    "max",
    "message",
    "messages",
    "method",
    "min",
    "mismatch",
    "missing",
    "mode",
    "module",
    "msg",
    "must",
    "name",
    "names",
    "namespace",
    "not",
    "option",
    "options",
    "package",
    "page",
    "param",
    "parameter",
    "parameters",
    "params",
    "parser",
    "pass_through",
    "path",
    "paths",
    "pattern",
    "placeholder",
    "plugin",
    "policy",
    "pos",
    "position",
    "prefix",
    "program",
    "prompt",
    "provider",
    "pub",
    "public",
    "rate",
    "ref",
    "reference",
    "regex",
    "regexes",
    "regexp",
    "request",
    "required",
    "reset",
    "resolver",
    "response",
    "result",
    "revoke",
    "revoked",
    "role",
    "rule",
    "rules",
    "salt",
    "schema",
    "scope",
    "scopes",
    "script",
    "selector",
    "separator",
    "service",
    "set",
    "should",
    "size",
    "spec",
    "start",
    "state",
    "status",
    "storage",
    "store",
    "strategy",
    "stream",
    "strength",
    "style",
    "suffix",
    "symbol",
    "table",
    "test",
    "tests",
    "text",
    "through",
    "thru",
    "timeout",
    "title",
    "ttl",
    "type",
    "types",
    "update",
    "updated",
    "uri",
    "url",
    "urls",
    "usage",
    "user",
    "username",
    "validation",
    "validator",
    "var",
    "variable",
    "version",
    "view",
    "wrong",
];

/// Words anywhere in a name that make it another thing; sorted.
const OTHER: &[&str] = &[
    "antiforgery",
    "authenticity",
    "bcrypt",
    "bypass",
    "cancellation",
    "checksum",
    "compass",
    "continuation",
    "count",
    "csrf",
    "digest",
    "expires",
    "expiry",
    "fingerprint",
    "foreign",
    "hash",
    "hashed",
    "lexer",
    "md5",
    "next",
    "page",
    "pagination",
    "passage",
    "passed",
    "passenger",
    "passengers",
    "passes",
    "passing",
    "passive",
    "passthrough",
    "passthru",
    "placeholder",
    "primary",
    "pubkey",
    "public",
    "pull",
    "secretary",
    "send",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "syntax",
    "tokenization",
    "tokenize",
    "tokenized",
    "tokenizer",
    "tokens",
    "trespass",
    "xsrf",
];

/// Where the name around the anchor at `key` stands, with dots and dashes.
pub(super) fn span(bytes: &[u8], floor: usize, key: Range<usize>) -> Range<usize> {
    let floor = key.start.saturating_sub(BEFORE).max(floor);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let start = (floor..key.start)
        .rev()
        .take_while(|&at| is_name(bytes[at]))
        .last()
        .unwrap_or(key.start);
    let limit = (key.end + AFTER).min(bytes.len());
    let mut end = (key.end..limit)
        .find(|&at| !is_name(bytes[at]))
        .unwrap_or(limit);
    // A dash or dot at the end is punctuation.
    while end > key.end && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    start..end
}

/// What a name says.
pub(super) fn read(name: &[u8]) -> Result<Name, &'static str> {
    let words = Words::of(name);
    let Some(last) = words.iter().next_back() else {
        return Err("no name stands here");
    };
    if words.iter().any(|word| OTHER.binary_search(&word).is_ok()) {
        return Err("the name says that its value is something else");
    }
    if words.iter().rev().take(2).eq(["by", "identified"]) {
        return Ok(Name {
            words,
            meaning: Meaning::Password,
        });
    }
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    let deciding = if is_number {
        words.iter().nth_back(1).unwrap_or(last)
    } else {
        last
    };
    if ABOUT.binary_search(&deciding).is_ok() {
        return Err("the name says that its value is about a secret");
    }
    let is_password = words.iter().any(is_password_word);
    let is_token = words.iter().any(|word| {
        word.contains("secret")
            || word.contains("token")
            || word.contains("apikey")
            || word.starts_with("credential")
            || word.ends_with("key")
            || word == "bearer"
            || word == "auth"
    });
    let meaning = match (is_password, is_token) {
        (true, _) => Meaning::Password,
        (false, true) => Meaning::Token,
        (false, false) => return Err("the name is another word that holds the anchor"),
    };
    Ok(Name { words, meaning })
}

fn is_password_word(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    word.ends_with("pass")
        || word.ends_with("pwd")
        || word.ends_with("passwd")
        || word.ends_with("password")
        || word.ends_with("passwords")
        || word.ends_with("passphrase")
        || word.ends_with("passwort")
        || word.ends_with("passcode")
        || word == "pw"
        || word == "passw"
}

/// The words of a name in lower case: `apiKey`, `APIKey`, `api_key`, `API-KEY`, `api.key` are
/// `api` and `key`.
pub(super) struct Words {
    text: String,
    /// Where each word begins and ends.
    spans: Vec<Range<usize>>,
}

impl Words {
    pub(super) fn of(name: &[u8]) -> Words {
        let mut words = Words {
            text: String::with_capacity(name.len()),
            spans: Vec::with_capacity(8),
        };
        let mut start = 0;
        let mut previous = b'_';
        for (at, &byte) in name.iter().enumerate() {
            let next_is_lower = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let begins = byte.is_ascii_uppercase()
                && (previous.is_ascii_lowercase()
                    || (previous.is_ascii_uppercase() && next_is_lower && at > 1));
            if !byte.is_ascii_alphanumeric() || begins {
                words.end(&mut start);
            }
            if byte.is_ascii_alphanumeric() {
                words.text.push(char::from(byte.to_ascii_lowercase()));
            }
            previous = byte;
        }
        words.end(&mut start);
        words
    }

    fn end(&mut self, start: &mut usize) {
        if *start < self.text.len() {
            self.spans.push(*start..self.text.len());
            *start = self.text.len();
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.spans.iter().map(|span| &self.text[span.clone()])
    }

    pub(super) fn holds(&self, wanted: &str) -> bool {
        self.iter().any(|word| word == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::{ABOUT, OTHER, Words};

    #[test]
    fn names_fall_into_words() {
        for name in ["apiKey", "APIKey", "api_key", "API-KEY", "api.key"] {
            assert!(
                Words::of(name.as_bytes()).iter().eq(["api", "key"]),
                "{name}"
            );
        }
        assert!(Words::of(b"__").iter().next().is_none());
    }

    #[test]
    fn lists_are_sorted() {
        assert!(ABOUT.is_sorted() && OTHER.is_sorted());
    }
}
