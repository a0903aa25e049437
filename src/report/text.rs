//! Text from outside made harmless, and numbers made readable.
//!
//! Not here: escaping for one format only (CSV is in `cells`, SARIF in `sarif`, Markdown in its
//! format).

use std::{borrow::Cow, fmt::Write as _};

use jiff::Timestamp;

/// Whether a character could drive a terminal, or change how the text around it is shown:
/// control characters, bidirectional controls, zero-width characters, tags (Unicode TR 36).
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, hostile characters written as `\xNN` or `\u{…}`.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, is_hostile)
}

/// Like [`harmless`], but line feeds stay: for cells that may hold several lines.
pub(crate) fn harmless_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_hostile(c))
}

fn escaped(text: &str, hostile: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !hostile(c) {
            out.push(c);
        } else if c.is_ascii() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{:02x}", c as u32);
        } else {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
    }
    Cow::Owned(out)
}

/// Sentences from outside on one line: white space becomes single spaces, the rest harmless.
pub(crate) fn prose(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    harmless(&words.join(" ")).into_owned()
}

/// The text, cut in its middle to at most `max` characters, so that both ends can be read.
pub(crate) fn middle(text: &str, max: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= max {
        return Cow::Borrowed(text);
    }
    let tail = max.saturating_sub(1) / 2;
    let head = max.saturating_sub(1) - tail;
    let mut out: String = text.chars().take(head).collect();
    out.push('…');
    out.extend(text.chars().skip(count - tail));
    Cow::Owned(out)
}

/// The text, cut at its end to at most `max` characters.
pub(crate) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if text.chars().count() <= max {
        return Cow::Borrowed(text);
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    Cow::Owned(out)
}

/// Lines of at most `width` characters; a word longer than that has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().expect("starts with one line");
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines
}

/// `1 place`, `1,204 places`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(count),
        if count == 1 { one } else { many }
    )
}

/// `1,204`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `812 bytes`, `1.4 GB`; decimal units.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return counted(bytes, "byte", "bytes");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    // 999.95 would be shown as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `2026-11-24`, in UTC.
pub(crate) fn day(at: Timestamp) -> String {
    let text = at.to_string();
    day_of(&text).to_owned()
}

/// The day of a time written as RFC 3339; any other text as it is.
pub(crate) fn day_of(text: &str) -> &str {
    match text.split_once('T') {
        Some((day, _)) if text.parse::<Timestamp>().is_ok() => day,
        _ => text,
    }
}

/// `Ann Lee` of `Ann Lee <ann@acme.example>`.
pub(crate) fn author(text: &str) -> String {
    let name = text.split('<').next().unwrap_or(text).trim();
    let name = if name.is_empty() { text.trim() } else { name };
    cut(&prose(name), 40).into_owned()
}

/// The short form of a commit id or another long hexadecimal name.
pub(crate) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::{author, counted, cut, day_of, harmless, middle, prose, size, thousands, wrap};

    #[test]
    fn hostile_characters_are_written_out() {
        for (text, shown) in [
            ("plain ü 鍵", "plain ü 鍵"),
            ("a\x1b[2Jb", r"a\x1b[2Jb"),
            ("a\u{9b}31mb", r"a\u{9b}31mb"),
            ("x\u{202e}y\u{61c}", r"x\u{202e}y\u{61c}"),
            ("a\nb\r\0", r"a\x0ab\x0d\x00"),
        ] {
            assert_eq!(harmless(text), shown);
        }
        assert_eq!(prose(" two\n  lines\u{7f} "), r"two lines\x7f");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_204_000), "1,204,000");
        assert_eq!(counted(1, "place", "places"), "1 place");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_400_000_000), "1.4 GB");
        assert_eq!(size(999_999), "1.0 MB");
    }

    #[test]
    fn long_text_is_wrapped_and_cut() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaa b", 3), ["aaaaaaaa", "b"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(middle("abcdefghij", 5), "ab…ij");
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn names_and_days_are_short() {
        assert_eq!(author("Ann Lee <ann@acme.example>"), "Ann Lee");
        assert_eq!(author("<ann@acme.example>"), "<ann@acme.example>");
        assert_eq!(day_of("2026-11-24T10:00:00Z"), "2026-11-24");
        assert_eq!(day_of("Then"), "Then");
    }
}
