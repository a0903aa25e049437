//! The judge of assignments: a value given to a name that says it is secret.
//!
//! Looks at the whole name (also the part before the keyword), at the value, and at what
//! stands right before the name; nothing further than [`CONTEXT`] bytes away.

use std::ops::Range;

use super::entropy;
use crate::engine::rule::CONTEXT;

/// Last words of names that hold something about a secret, not the secret.
const ABOUT: &[&str] = &[
    "name",
    "names",
    "field",
    "fields",
    "label",
    "url",
    "uri",
    "path",
    "file",
    "filename",
    "dir",
    "id",
    "ids",
    "type",
    "types",
    "prefix",
    "suffix",
    "regex",
    "pattern",
    "hint",
    "prompt",
    "message",
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
    "ttl",
    "timeout",
    "class",
    "param",
    "params",
    "parameter",
    "header",
    "column",
    "attr",
    "attribute",
    "version",
    "format",
    "algorithm",
    "alg",
    "method",
    "strategy",
    "provider",
    "store",
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
    "error",
    "errors",
    "invalid",
    "valid",
    "reset",
    "confirm",
    "confirmation",
    "changed",
    "hash",
    "hashed",
    "digest",
    "encoder",
    "validator",
    "usage",
    "description",
    "desc",
    "help",
    "doc",
    "example",
    "test",
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
    "colour",
    "style",
    "token_type",
    "instance",
];

/// Whether `matched` (keyword, operator, value) at this place assigns a secret.
pub(in crate::engine) fn is_secret(
    bytes: &[u8],
    matched: Range<usize>,
    secret: Range<usize>,
) -> bool {
    let value = &bytes[secret.clone()];
    let name = name(bytes, &matched, &secret);
    let words: Vec<String> = words(&name);
    let Some(last) = words.last() else {
        return false;
    };
    // Machine code and resources, not source.
    let nearby = secret.start.saturating_sub(32)..(secret.end + 32).min(bytes.len());
    if words.iter().any(|word| word == "public") || bytes[nearby].contains(&0) {
        return false;
    }
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    let is_password = words.iter().any(|word| {
        word.starts_with("pass")
            || word == "pwd"
            || word.ends_with("password")
            || word.ends_with("passwd")
    });
    let quoted = secret.start > 0 && matches!(bytes[secret.start - 1], b'"' | b'\'' | b'`');
    judge_value(value, is_password, quoted, &name)
}

fn judge_value(value: &[u8], is_password: bool, quoted: bool, name: &str) -> bool {
    let count = |test: fn(&u8) -> bool| value.iter().filter(|&b| test(b)).count();
    let digits = count(u8::is_ascii_digit);
    let lowers = count(u8::is_ascii_lowercase);
    let uppers = count(u8::is_ascii_uppercase);
    let spaces = count(u8::is_ascii_whitespace);
    let others = value.len() - digits - lowers - uppers - spaces;
    if spaces > 0 || !value.is_ascii() {
        return false;
    }
    if value.eq_ignore_ascii_case(name.as_bytes())
        || looks_like_code(value, quoted)
        || is_path_or_url(value)
        || is_uuid(value)
        || is_algorithm(value)
    {
        return false;
    }
    let bits = entropy(value);
    if is_password {
        // A human password: some mixture, not a word.
        let classes = [digits, lowers, uppers, others]
            .iter()
            .filter(|&&n| n > 0)
            .count();
        return value.len() >= 8
            && digits > 0
            && (lowers + uppers) > 0
            && (classes >= 3 || digits >= 2)
            && bits >= 2.75
            && !is_identifier(value);
    }
    // A machine's token: long and random. Digits among the letters tell it from a name; where
    // they are few, capitals scattered over the word do.
    let is_mixed =
        digits >= 2 || (uppers >= 4 && lowers >= 4 && changes_of_case(value) * 3 >= value.len());
    value.len() >= 16
        && is_mixed
        && lowers + uppers >= 4
        && others * 4 <= value.len()
        && bits
            >= if value.iter().all(u8::is_ascii_hexdigit) {
                3.0
            } else {
                3.5
            }
        && (digits < 2 || !is_identifier(value))
}

/// How often a capital follows a small letter or the other way round: half of the places in a
/// random token, two per word in `camelCase`.
fn changes_of_case(value: &[u8]) -> usize {
    let is_change = |pair: &&[u8]| {
        pair[0].is_ascii_alphabetic()
            && pair[1].is_ascii_alphabetic()
            && pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase()
    };
    value.windows(2).filter(is_change).count()
}

/// The whole name: the identifier that ends in the match's keyword and goes on behind it.
fn name(bytes: &[u8], matched: &Range<usize>, secret: &Range<usize>) -> String {
    let floor = matched.start.saturating_sub(CONTEXT);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let start = (floor..matched.start)
        .rev()
        .take_while(|&at| is_name(bytes[at]))
        .last()
        .unwrap_or(matched.start);
    let end = (matched.start..secret.start)
        .find(|&at| !is_name(bytes[at]))
        .unwrap_or(secret.start);
    String::from_utf8_lossy(&bytes[start..end]).into_owned()
}

/// Splits `apiKey`, `api_key`, `API-KEY`, `db.password` into lower-case words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = '_';
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && previous.is_ascii_lowercase()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words
                .last_mut()
                .expect("never empty")
                .push(c.to_ascii_lowercase());
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Calls, member accesses, subscripts, variables, templates.
fn looks_like_code(value: &[u8], quoted: bool) -> bool {
    if value.iter().any(|b| {
        matches!(
            b,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';' | b'<' | b'>' | b'`'
        )
    }) {
        return true;
    }
    if matches!(
        value.first(),
        Some(b'$' | b'%' | b'&' | b'*' | b'@' | b':' | b'/' | b'.' | b'-' | b'!' | b'\\' | b'_')
    ) && !quoted
    {
        return true;
    }
    if matches!(value.first(), Some(b'$' | b'%' | b':' | b'@')) {
        return true;
    }
    if value.contains(&b'\\') {
        return true;
    }
    // `config.password`, `self.secret`: dotted names.
    let dotted = value.split(|&b| b == b'.').collect::<Vec<_>>();
    dotted.len() > 1
        && dotted.iter().all(|part| {
            !part.is_empty() && part.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_')
        })
}

fn is_path_or_url(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some()
        || value.starts_with(b"./")
        || value.iter().filter(|&&b| b == b'/').count() >= 3
            && !value.ends_with(b"=")
            && entropy(value) < 4.5
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(i, b)| {
            if matches!(i, 8 | 13 | 18 | 23) {
                *b == b'-'
            } else {
                b.is_ascii_hexdigit()
            }
        })
}

/// `PBKDF2WithHmacSHA512`, `AES/CBC/PKCS5Padding`.
fn is_algorithm(value: &[u8]) -> bool {
    [
        &b"Hmac"[..],
        b"HMAC",
        b"SHA",
        b"PBKDF",
        b"AES",
        b"RSA",
        b"ECDSA",
    ]
    .iter()
    .filter(|name| memchr::memmem::find(value, name).is_some())
    .count()
        >= 2
        || value.starts_with(b"PBKDF")
        || value.starts_with(b"AES/")
}

/// Words joined by `_`, `-` or capitals, with at most a number at the end: a name, not a value.
fn is_identifier(value: &[u8]) -> bool {
    let trimmed = value.trim_ascii();
    let digits_at_end = trimmed
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let head = &trimmed[..trimmed.len() - digits_at_end];
    let separators = head
        .iter()
        .filter(|b| matches!(b, b'_' | b'-' | b'.'))
        .count();
    let letters_only = head
        .iter()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.'));
    letters_only && (separators > 0 || digits_at_end <= 3)
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    fn judge(line: &str, keyword: &str, value: &str) -> bool {
        let start = line.find(keyword).expect("keyword");
        let at = line.rfind(value).expect("value");
        is_secret(
            line.as_bytes(),
            start..at + value.len(),
            at..at + value.len(),
        )
    }

    #[test]
    fn values_are_judged_with_their_names() {
        for (line, keyword, value) in [
            ("db_password = \"Tr0ub4dor&3\"", "password", "Tr0ub4dor&3"),
            (
                "apiSecret: 'zK8vQp2LmX9sWc4RtY7b'",
                "Secret",
                "zK8vQp2LmX9sWc4RtY7b",
            ),
        ] {
            assert!(judge(line, keyword, value), "{line}");
        }
        for (line, keyword, value) in [
            (
                "password_field = \"user_Passw0rd9\"",
                "password",
                "user_Passw0rd9",
            ),
            ("password = config.password", "password", "config.password"),
            ("secret = get_secret(ctx, 12)", "secret", "get_secret(ctx,"),
            (
                "token_url = \"zK8vQp2LmX9sWc4RtY7b\"",
                "token",
                "zK8vQp2LmX9sWc4RtY7b",
            ),
            ("password = \"password1\"", "password", "password1"),
            (
                "token = \"next_page_token_v2\"",
                "token",
                "next_page_token_v2",
            ),
            (
                "secret = \"123e4567-e89b-12d3-a456-426614174000\"",
                "secret",
                "123e4567-e89b-12d3-a456-426614174000",
            ),
        ] {
            assert!(!judge(line, keyword, value), "{line}");
        }
    }
}
