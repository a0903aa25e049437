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
    /// Where it stands, with dots and dashes.
    pub(super) span: Range<usize>,
    /// Its words in lower case.
    pub(super) words: Vec<String>,
    pub(super) meaning: Meaning,
}

/// Last words of names that hold something about a secret, not the secret.
const ABOUT: &[&str] = &[
    "name",
    "names",
    "field",
    "fields",
    "label",
    "labels",
    "url",
    "uri",
    "urls",
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "filepath",
    "dir",
    "folder",
    "id",
    "ids",
    "type",
    "types",
    "prefix",
    "suffix",
    "regex",
    "regexp",
    "pattern",
    "hint",
    "prompt",
    "message",
    "messages",
    "msg",
    "text",
    "title",
    "policy",
    "length",
    "len",
    "size",
    "count",
    "max",
    "min",
    "expires",
    "expiry",
    "expiration",
    "expire",
    "expired",
    "ttl",
    "timeout",
    "lifetime",
    "class",
    "param",
    "params",
    "parameter",
    "parameters",
    "header",
    "headers",
    "column",
    "col",
    "attr",
    "attribute",
    "attributes",
    "version",
    "format",
    "algorithm",
    "alg",
    "algo",
    "method",
    "strategy",
    "provider",
    "store",
    "storage",
    "manager",
    "service",
    "endpoint",
    "host",
    "env",
    "var",
    "variable",
    "ref",
    "reference",
    "input",
    "placeholder",
    "required",
    "enabled",
    "disabled",
    "error",
    "errors",
    "invalid",
    "reset",
    "confirm",
    "changed",
    "change",
    "hint",
    "encoder",
    "validator",
    "validation",
    "usage",
    "description",
    "desc",
    "help",
    "doc",
    "docs",
    "public",
    "pub",
    "arn",
    "mode",
    "scope",
    "scopes",
    "status",
    "state",
    "selector",
    "option",
    "options",
    "location",
    "resolver",
    "factory",
    "handler",
    "callback",
    "func",
    "function",
    "kind",
    "index",
    "pos",
    "position",
    "start",
    "end",
    "color",
    "style",
    "instance",
    "spec",
    "list",
    "map",
    "set",
    "table",
    "schema",
    "config",
    "maps",
    "command",
    "cmd",
    "script",
    "program",
    "plugin",
    "module",
    "package",
    "namespace",
    "audience",
    "issuer",
    "claim",
    "claims",
    "role",
    "group",
    "user",
    "username",
    "email",
    "icon",
    "button",
    "link",
    "page",
    "form",
    "dialog",
    "view",
    "event",
    "action",
    "rule",
    "rules",
    "test",
    "tests",
    "example",
    "digits",
    "chars",
    "characters",
    "strength",
    "complexity",
    "history",
    "count",
    "limit",
    "rate",
    "hashing",
    "salt",
    "encoding",
    "separator",
    "delimiter",
    "regexes",
    "pass_through",
    "mismatch",
    "match",
    "equals",
    "not",
    "is",
    "has",
    "should",
    "must",
    "cannot",
    "empty",
    "missing",
    "incorrect",
    "wrong",
    "forgot",
    "forgotten",
    "lost",
    "update",
    "updated",
    "create",
    "created",
    "delete",
    "deleted",
    "revoked",
    "revoke",
    "generated",
    "generate",
    "generator",
    "manager",
    "request",
    "response",
    "result",
    "parser",
    "types",
    "stream",
    "balance",
    "symbol",
    "address",
    "contract",
    "counts",
    "through",
    "thru",
    "helper",
    "helpers",
];

/// Words anywhere in a name that make it another thing.
const OTHER: &[&str] = &[
    "public",
    "pubkey",
    "compass",
    "passenger",
    "passengers",
    "passing",
    "passed",
    "passes",
    "passthrough",
    "passthru",
    "passive",
    "bypass",
    "passage",
    "trespass",
    "tokenizer",
    "tokenize",
    "tokenized",
    "tokens",
    "tokenization",
    "secretary",
    "cancellation",
    "csrf",
    "authenticity",
    "antiforgery",
    "xsrf",
    "placeholder",
    "fingerprint",
    "checksum",
    "digest",
    "hash",
    "hashed",
    "sha256",
    "sha1",
    "sha",
    "md5",
    "sha512",
    "bcrypt",
    "lexer",
    "syntax",
    "next",
    "continuation",
    "pagination",
    "page",
    "count",
    "expires",
    "expiry",
    "pull",
    "send",
    "foreign",
    "primary",
];

/// The name around the anchor at `key`.
pub(super) fn read(bytes: &[u8], floor: usize, key: Range<usize>) -> Result<Name, &'static str> {
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
    let words = words(&bytes[start..end]);
    let Some(last) = words.last() else {
        return Err("no name stands here");
    };
    if words.iter().any(|word| OTHER.contains(&word.as_str())) {
        return Err("the name says that its value is something else");
    }
    if words.ends_with(&["identified".to_owned(), "by".to_owned()]) {
        return Ok(Name {
            span: start..end,
            words,
            meaning: Meaning::Password,
        });
    }
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    let deciding = if is_number && words.len() > 1 {
        &words[words.len() - 2]
    } else {
        last
    };
    if ABOUT.contains(&deciding.as_str()) {
        return Err("the name says that its value is about a secret");
    }
    let is_password = words.iter().any(|word| is_password_word(word));
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
    Ok(Name {
        span: start..end,
        words,
        meaning,
    })
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

/// Splits `apiKey`, `APIKey`, `api_key`, `API-KEY`, `db.password` into lower-case words.
pub(super) fn words(name: &[u8]) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = b'_';
    for (at, &byte) in name.iter().enumerate() {
        let next_is_lower = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let begins = byte.is_ascii_uppercase()
            && (previous.is_ascii_lowercase()
                || (previous.is_ascii_uppercase() && next_is_lower && at > 1));
        if !byte.is_ascii_alphanumeric() || begins {
            words.push(String::new());
        }
        if byte.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
        previous = byte;
    }
    words.retain(|word| !word.is_empty());
    words
}
