//! What a value is worth: whether it is a secret, and in files of which class it counts.

use std::ops::Range;

use keymuster_api::{PathClass, PathClasses};

use super::{
    name::{Meaning, Name, Words},
    reader::{Form, Reading},
};
use crate::engine::judge::{entropy, placeholder, wordiness};

/// What the bytes of a value are.
struct Shape {
    digits: usize,
    lowers: usize,
    uppers: usize,
    others: usize,
    /// How often letters, digits and others follow each other.
    changes: usize,
}

impl Shape {
    fn of(value: &[u8]) -> Shape {
        let mut shape = Shape {
            digits: 0,
            lowers: 0,
            uppers: 0,
            others: 0,
            changes: 0,
        };
        let mut last = 0;
        for &byte in value {
            let class = match byte {
                b'0'..=b'9' => {
                    shape.digits += 1;
                    1
                }
                b'a'..=b'z' => {
                    shape.lowers += 1;
                    2
                }
                b'A'..=b'Z' => {
                    shape.uppers += 1;
                    2
                }
                _ => {
                    shape.others += 1;
                    3
                }
            };
            shape.changes += usize::from(last != 0 && last != class);
            last = class;
        }
        shape
    }

    fn letters(&self) -> usize {
        self.lowers + self.uppers
    }
}

/// The path classes in which this value of this name counts as a secret.
pub(super) fn classes(
    bytes: &[u8],
    span: &Range<usize>,
    name: &Name,
    reading: &Reading,
) -> Result<PathClasses, &'static str> {
    let joined = reading.joined(bytes);
    let value = joined
        .as_ref()
        .map_or(&bytes[reading.span.clone()], |joined| &joined[..]);
    let text = &bytes[span.clone()];
    if value.is_empty() {
        return Err("the value is empty");
    }
    refuse(value, text, name, reading)?;
    if is_uuid(value)
        && !name
            .words
            .iter()
            .any(|word| word.contains("token") || word.contains("key"))
    {
        return Err("the value is a UUID");
    }
    let shape = Shape::of(value);
    let letters = wordiness::letters(value);
    let everywhere = PathClasses::ALL.without(PathClass::Generated);
    let code = PathClasses::NONE
        .with(PathClass::Plain)
        .with(PathClass::Config);
    let config = PathClasses::NONE.with(PathClass::Config);
    let is_bare = reading.form == Form::Bare && !reading.is_variable;
    let is_word = letters.judged > 0 && letters.in_words * 10 >= letters.judged * 7;
    let is_title = shape.digits + shape.others == 0
        && value[0].is_ascii_uppercase()
        && value[1..].iter().all(u8::is_ascii_lowercase);
    match name.meaning {
        Meaning::Password => {
            if value.len() < 4 {
                return Err("the value is too short");
            }
            if is_title && letters.cost < 6.0 {
                return Err("the value is a word");
            }
            if letters.are_random()
                && letters.longest_word < 5
                && (!is_bare || (value.len() >= 6 && letters.cost >= 5.6))
            {
                return Ok(everywhere);
            }
            let has_mixture = shape.digits > 0 && shape.letters() > 0;
            if value.len() >= 8 && shape.changes >= 3 && has_mixture && !is_word {
                return Ok(everywhere);
            }
            let is_varied = shape.lowers > 0 && shape.uppers > 0 && shape.digits > 0;
            if is_varied && value.len() >= 10 && shape.changes >= 4 {
                return Ok(everywhere);
            }
            // `abc-1234`, and numbers that are no count.
            let is_drawn = has_mixture && shape.digits >= 3 && shape.letters() >= 3;
            if is_drawn && letters.in_words == 0 && value.len() >= 8 && !is_bare {
                return Ok(everywhere);
            }
            if shape.digits == value.len() && value.len() >= 7 && is_number_of_chance(value) {
                return Ok(everywhere);
            }
            if is_bare {
                return Err("a bare word is rather an expression");
            }
            if has_mixture
                && value.len() >= 7
                && is_chosen(value)
                && (!reading.is_loose() || (is_varied && value.len() >= 10))
            {
                let is_plain_word = repeats_a_name(value);
                return Ok(if is_word && is_plain_word {
                    config
                } else {
                    code
                });
            }
            Err("the value is a word")
        }
        Meaning::Token => {
            if value.len() < 10 && !(value.len() >= 8 && letters.are_random() && letters.cost > 5.6)
            {
                return Err("the value is too short for a token");
            }
            let has_mixture = shape.digits >= 2 && shape.letters() >= 2;
            if is_word && shape.digits * 4 < value.len() {
                return Err("the value is made of words");
            }
            // Half a dozen bytes in hexadecimal digits, in quotes.
            let is_short_hex = value.iter().all(u8::is_ascii_hexdigit)
                && reading.form == Form::Quoted
                && shape.digits >= 3
                && shape.letters() >= 3
                && entropy(value) >= 2.6;
            if is_short_hex && value.len() < 16 {
                return Ok(code);
            }
            if has_mixture && value.len() >= 16 && entropy(value) >= 2.9 {
                // Documentation shows hexadecimal digits where a reader makes his own.
                let is_hex = value.iter().all(u8::is_ascii_hexdigit);
                return Ok(if is_hex && reading.form == Form::Quoted {
                    everywhere.without(PathClass::Docs)
                } else {
                    everywhere
                });
            }
            if letters.are_random() && letters.longest_word < 6 && !is_bare {
                return Ok(everywhere);
            }
            Err("the value is made of words")
        }
    }
}

/// Whether a word is one that people make a password of: a number at the end, or a mark.
fn is_chosen(value: &[u8]) -> bool {
    value[value.len() - 1].is_ascii_digit()
        || value
            .iter()
            .any(|byte| matches!(byte, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*' | b'?'))
}

/// Whether a value holds the word for what it is: `NewPassword123`.
fn repeats_a_name(value: &[u8]) -> bool {
    let lower = zeroize::Zeroizing::new(value.to_ascii_lowercase());
    [
        &b"password"[..],
        b"passw0rd",
        b"secret",
        b"test",
        b"user",
        b"admin",
    ]
    .iter()
    .any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// Digits that neither count up or down nor repeat.
fn is_number_of_chance(value: &[u8]) -> bool {
    let steps = value
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) <= 1)
        .count();
    steps * 2 < value.len() && entropy(value) >= 2.0 && !value.ends_with(b"000")
}

/// `8-4-4-4-12` hexadecimal digits.
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Values that are no secret whatever they are called.
fn refuse(value: &[u8], text: &[u8], name: &Name, reading: &Reading) -> Result<(), &'static str> {
    if value.iter().any(u8::is_ascii_control) {
        return Err("the value is no plain text");
    }
    let shape = Shape::of(value);
    if !value.is_ascii() && (shape.digits < 2 || shape.letters() < 2) {
        return Err("the value is prose of another language");
    }
    let blanks = value.iter().filter(|&&byte| byte == b' ').count();
    if blanks > 0 && !(value.len() >= 40 && Shape::of(value).others >= blanks + 8) {
        return Err("the value is prose");
    }
    if is_decoded_placeholder(value) || is_common(value) {
        return Err("the value is a placeholder");
    }
    if value.eq_ignore_ascii_case(text) || repeats(value, &name.words) {
        return Err("the value repeats the name");
    }
    if is_fingerprint(value, &name.words) {
        return Err("the value is a fingerprint");
    }
    let is_quoted = reading.form == Form::Quoted;
    let starts = |texts: &[&[u8]]| texts.iter().any(|text| value.starts_with(text));
    let has = |texts: &[&[u8]]| {
        texts
            .iter()
            .any(|text| memchr::memmem::find(value, text).is_some())
    };
    if starts(&[
        b"$", b"%", b"@", b"#{", b"{", b"[", b"(", b"<", b":", b"&", b"*", b"!", b"~", b"|", b">",
    ]) && !(is_quoted && value.len() >= 8 && Shape::of(value).changes >= 4)
    {
        return Err("the value is a variable or a template");
    }
    if has(&[
        b"${", b"{{", b"<%", b"%s", b"%d", b"%v", b"$(", b"#{", b"%{", b"{0}", b"}}",
    ]) || (value.starts_with(b"{") && value.ends_with(b"}"))
        || (value.starts_with(b"%") && value.ends_with(b"%"))
    {
        return Err("the value is a template");
    }
    if has(&[b"://"]) || is_path(value) {
        return Err("the value is a path or an address");
    }
    if !is_quoted && has(&[b"(", b")", b"[", b"]", b"{", b"}", b"==", b"::", b"->"]) {
        return Err("the value is an expression");
    }
    if !is_quoted && is_sum(value) {
        return Err("the value is an expression");
    }
    if has(&[b"\\x", b"\\u", b"\\0", b"\\e"]) {
        return Err("the value is written in escapes");
    }
    if is_hash(value) {
        return Err("the value is a hash");
    }
    if is_dotted(value) {
        return Err("the value is a dotted name");
    }
    Ok(())
}

/// Whether every word of a value is a word of its name: `KAFKA_TOPIC_KEY = "kafka_topic"`.
fn repeats(value: &[u8], name: &Words) -> bool {
    value.iter().all(u8::is_ascii) && Words::of(value).iter().all(|word| name.holds(word))
}

/// Whether a name that says `key` and nothing of secrets holds what names a public key: 16 or 40
/// hexadecimal digits in capitals, as OpenPGP writes ids and fingerprints.
fn is_fingerprint(value: &[u8], name: &Words) -> bool {
    let is_capital_hex = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    matches!(value.len(), 16 | 40)
        && value.iter().all(is_capital_hex)
        && value.iter().any(u8::is_ascii_uppercase)
        && name
            .iter()
            .next_back()
            .is_some_and(|word| word == "key" || word == "keys")
        && !["secret", "api", "access", "auth", "token"]
            .iter()
            .any(|word| name.holds(word))
}

/// Numbers and names of more than one word with operators between them: `100000.0/first_id`.
fn is_sum(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| matches!(byte, b'/' | b'*' | b'+' | b'-'));
    let is_number = |part: &[u8]| {
        part.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    let is_name = |part: &[u8]| {
        part.iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b'_')
            && part.contains(&b'_')
            && !wordiness::letters(part).are_random()
    };
    parts.clone().count() > 1
        && parts.clone().any(is_name)
        && parts.all(|part| is_number(part) || is_name(part))
}

/// Beginnings of passwords that are first guesses, and of values that vendors publish.
const COMMON: &[&[u8]] = &[
    b"letmein",
    b"fixme",
    b"p4$$w",
    b"p4ssw0rd",
    b"pa$$w",
    b"super-secret",
    b"supersecret",
    b"not-a-",
    b"notasecret",
    b"qwerty",
    b"insecure",
    b"changeit",
    b"django-insecure",
];

fn is_common(value: &[u8]) -> bool {
    COMMON.iter().any(|common| {
        value
            .get(..common.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(common))
    }) || memchr::memmem::find(value, b"/K7MDENG/bPxRfiCY").is_some()
}

/// Base64 of text that says that it is a placeholder, or that is made of words.
fn is_decoded_placeholder(value: &[u8]) -> bool {
    use base64::Engine as _;
    let trimmed = value.trim_ascii_end();
    if trimmed.len() < 16 || !trimmed.len().is_multiple_of(4) {
        return false;
    }
    base64::prelude::BASE64_STANDARD
        .decode(trimmed)
        .map(zeroize::Zeroizing::new)
        .is_ok_and(|text| {
            text.iter()
                .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
                && (placeholder::is_placeholder(text.trim_ascii())
                    || placeholder::is_made_up(text.trim_ascii())
                    || wordiness::is_name(&text))
        })
}

/// Words between slashes.
fn is_path(value: &[u8]) -> bool {
    let slashes = value
        .iter()
        .filter(|&&byte| matches!(byte, b'/' | b'\\'))
        .count();
    let letters = wordiness::letters(value);
    let starts = [&b"./"[..], b"../", b"/", b"~/"]
        .iter()
        .any(|text| value.starts_with(text));
    (starts || slashes >= 2) && letters.in_words * 2 >= letters.judged && letters.longest_word >= 3
        || value.windows(2).any(|pair| pair == b"::") && letters.longest_word >= 4
}

fn is_hash(value: &[u8]) -> bool {
    let second = value.iter().skip(1).take(12).position(|&byte| byte == b'$');
    (value.starts_with(b"$") && second.is_some_and(|at| at > 0) && value.len() > 20)
        || value.starts_with(b"{SSHA")
        || value.starts_with(b"{CRYPT")
        || value.starts_with(b"{SHA")
        || value.starts_with(b"sha256:")
        || value.starts_with(b"sha256-")
}

fn is_dotted(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|&byte| byte == b'.').collect();
    parts.len() > 1
        && parts.iter().all(|part| {
            !part.is_empty()
                && part
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        })
        && wordiness::letters(value).longest_word >= 3
        && !wordiness::letters(value).are_random()
        // `Maple.River37` is rather a password.
        && !(value[0].is_ascii_uppercase() && value[value.len() - 2..].iter().all(u8::is_ascii_digit))
        && value.iter().filter(|byte| byte.is_ascii_digit()).count() < 6
}
