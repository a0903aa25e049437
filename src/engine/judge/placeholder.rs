//! Values that stand for a value: `xxxx`, `<your-token>`, `${TOKEN}`, `…EXAMPLE`.

use super::wordiness;

/// Words that people write where a secret would stand.
const WORDS: &[&str] = &[
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replaceme",
    "replace_me",
    "replace-me",
    "replace_with",
    "your_",
    "your-",
    "yourp",
    "yourk",
    "yourt",
    "yours",
    "my_secret",
    "mysecret",
    "dummy",
    "redacted",
    "insert_",
    "insert-",
    "xxxx",
    "notreal",
    "not_real",
    "not-real",
    "fakek",
    "faket",
    "fakes",
    "fake_",
    "fake-",
    "todo_",
    "foobar",
    "s3cr3t",
    "deadbeef",
];

/// Marks of templates and of text that was left out.
const MARKS: &[&str] = &["<", "${", "{{", "%s", "%(", "$(", "***", "...", "#{", "…"];

/// Whether a value is a placeholder.
pub(in crate::engine) fn is_placeholder(value: &[u8]) -> bool {
    if has_run(value) {
        return true;
    }
    // A copy of the value, so wiped like one.
    let lower = zeroize::Zeroizing::new(value.to_ascii_lowercase());
    // The password of an old joke, which nobody means.
    *lower == b"hunter2" || holds(&lower, WORDS) || holds(&lower, MARKS) && !is_drawn(value)
}

fn holds(text: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}

/// Whether a value is drawn from all printable characters: marks stand in it by chance.
fn is_drawn(value: &[u8]) -> bool {
    let mut marks = [false; 128];
    for byte in value.iter().filter(|byte| byte.is_ascii_punctuation()) {
        marks[usize::from(*byte)] = true;
    }
    value.len() >= 40 && marks.iter().filter(|&&mark| mark).count() >= 8
}

/// Whether a value looks typed by somebody who needed an example: the alphabet or the digits in
/// order, a handful of characters over and over, the same text twice.
pub(in crate::engine) fn is_made_up(value: &[u8]) -> bool {
    let lower = zeroize::Zeroizing::new(value.to_ascii_lowercase());
    is_monotonous(value) || is_doubled(value) || has_sequence(&lower)
}

/// Whether a value is the name of a variable: `DB_PASSWORD`, `process.env.DB_PASSWORD`.
pub(in crate::engine) fn is_reference(value: &[u8]) -> bool {
    let last = value.rsplit(|&byte| byte == b'.').next().unwrap_or(value);
    let is_constant = last.contains(&b'_')
        && last[0].is_ascii_uppercase()
        && last
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let is_path = value
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'));
    is_constant && is_path && wordiness::is_name(last)
}

/// Six equal bytes in a row, apart from line breaks and padding.
fn has_run(value: &[u8]) -> bool {
    let mut run = 1;
    for pair in value.windows(2) {
        run = if pair[0] == pair[1] { run + 1 } else { 1 };
        if run >= 6 && !matches!(pair[0], b'\n' | b' ' | b'-' | b'=' | b'A') {
            return true;
        }
    }
    false
}

/// A handful of characters over and over.
fn is_monotonous(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    let mut distinct = 0;
    for &byte in value {
        distinct += usize::from(!std::mem::replace(&mut seen[usize::from(byte)], true));
    }
    value.len() >= 8 && value.len() < 200 && distinct * 5 < value.len().min(40)
}

/// The same text twice, with or without a mark between.
fn is_doubled(value: &[u8]) -> bool {
    let half = value.len() / 2;
    value.len() >= 12
        && value[..half] == value[value.len() - half..]
        && (value.len().is_multiple_of(2) || !value[half].is_ascii_alphanumeric())
}

/// Mostly steps up or down the alphabet or the digits, or keys in the order of the keyboard. A
/// few steps in a long value are chance, or somebody's way of shortening an example.
fn has_sequence(lower: &[u8]) -> bool {
    const KEYBOARD: &[&[u8]] = &[b"qwertyui", b"asdfghjk"];
    let mut stepping = 0;
    let mut longest = 0;
    let (mut up, mut down) = (1, 1);
    let mut end = |run: usize| {
        if run >= 4 {
            stepping += run;
        }
        longest = longest.max(run);
    };
    for pair in lower.windows(2) {
        let step = i16::from(pair[1]) - i16::from(pair[0]);
        let wraps = pair == b"90" || pair == b"09";
        if step == 1 || wraps {
            up += 1;
        } else {
            end(up);
            up = 1;
        }
        if step == -1 {
            down += 1;
        } else {
            end(down);
            down = 1;
        }
    }
    end(up);
    end(down);
    longest >= 6 && stepping * 10 >= lower.len() * 7
        || longest >= 8 && lower.len() <= 20
        || KEYBOARD
            .iter()
            .any(|keys| memchr::memmem::find(lower, keys).is_some())
}

#[cfg(test)]
mod tests {
    use super::{is_made_up, is_placeholder, is_reference};

    #[test]
    fn names_of_variables_are_told_from_values() {
        for text in ["DB_PASSWORD", "process.env.DB_PASSWORD", "ENV.APP_SECRET"] {
            assert!(is_reference(text.as_bytes()), "{text}");
        }
        for text in [
            "ZKV_QPLMX",
            "DB_PASSWORD1",
            "Tr0ub4dor_X",
            "zK8vQp2LmX9sWc4RtY7b",
        ] {
            assert!(!is_reference(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for text in [
            "xxxxxxxxxxxxxxxx",
            "your-api-key-here",
            "AKIA1234567890ABCDEF",
            "${TOKEN}",
            "<token>",
            "abababababababababab",
            concat!("AKIA", "IOSFODNN7EXAMPLE"),
            "abcdefghijklmnop",
            "testkey128_testkey128",
        ] {
            assert!(
                is_placeholder(text.as_bytes()) || is_made_up(text.as_bytes()),
                "{text}"
            );
        }
        for text in ["Tr0ub4dor&3", "zK8vQp2LmX9sWc4RtY7b", "5f1b9c3e7a2d4f60"] {
            assert!(
                !is_placeholder(text.as_bytes()) && !is_made_up(text.as_bytes()),
                "{text}"
            );
        }
    }
}
