//! Pieces of text with escapes in them: percent, `\u0041` and `\x41`, JSON strings in strings,
//! HTML references.
//!
//! Escapes are everywhere, and most hide nothing. A hit is only an escape behind which a name
//! or a value may begin, or one of several in a row; a verdict decodes its whole piece once, at
//! the first hit of it (in a long piece: at every hit that is far from the one before).

use std::ops::Range;

use keymuster_api::Hit;
use zeroize::Zeroizing;

use super::{LONGEST, Piece, hit};

/// Bytes of a piece before a hit that are decoded with it.
pub(super) const LEFT: usize = 1024;

/// Entities that stand in texts for characters that matter.
const ENTITIES: &[(&[u8], u8)] = &[
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
    (b"&amp;", b'&'),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
];

/// The three families; a piece is decoded by the one its hit belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Percent,
    Backslash,
    Html,
}

impl Family {
    fn of(byte: u8) -> Option<Family> {
        match byte {
            b'%' => Some(Family::Percent),
            b'\\' => Some(Family::Backslash),
            b'&' => Some(Family::Html),
            _ => None,
        }
    }

    /// Whether a piece ends at this byte.
    fn ends(self, bytes: &[u8], at: usize) -> bool {
        match self {
            Family::Percent => {
                matches!(
                    bytes[at],
                    0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' | 0x7f
                )
            }
            Family::Backslash => {
                bytes[at] == b'\n' || bytes[at] == b'"' && (at == 0 || bytes[at - 1] != b'\\')
            }
            Family::Html => matches!(bytes[at], b'\n' | b'"'),
        }
    }

    /// The escape here: what it stands for, and its length.
    fn escape(self, bytes: &[u8], at: usize) -> Option<(char, usize)> {
        let rest = &bytes[at..];
        let byte = |text: &[u8]| number(text, 16).map(|value| value as u8 as char);
        match self {
            Family::Percent => Some((byte(rest.get(1..3)?)?, 3)),
            Family::Backslash => match rest.get(1)? {
                b'u' => Some((
                    char::from_u32(number(rest.get(2..6)?, 16)?).unwrap_or('\u{fffd}'),
                    6,
                )),
                b'x' => Some((byte(rest.get(2..4)?)?, 4)),
                b'n' => Some(('\n', 2)),
                b'r' => Some(('\r', 2)),
                b't' => Some(('\t', 2)),
                &other @ (b'"' | b'\\' | b'/' | b'\'') => Some((other as char, 2)),
                _ => None,
            },
            Family::Html => {
                if let Some((text, value)) =
                    ENTITIES.iter().find(|(text, _)| rest.starts_with(text))
                {
                    return Some((*value as char, text.len()));
                }
                let digits = rest.strip_prefix(b"&#")?;
                let (digits, radix, head) = match digits.first()? {
                    b'x' | b'X' => (&digits[1..], 16, 3),
                    _ => (digits, 10, 2),
                };
                let length = digits.iter().take(7).position(|&byte| byte == b';')?;
                let value = number(&digits[..length], radix)?;
                Some((char::from_u32(value)?, head + length + 1))
            }
        }
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |value, &byte| {
        Some(value * radix + (byte as char).to_digit(radix)?)
    })
}

/// Whether the escape here may hide something: looks at no more than 16 bytes.
pub(in crate::engine) fn sees(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..(at + super::HEAD).min(bytes.len())];
    match rest {
        [b'%', high, low, ..] => {
            let Some(value) = number(&[*high, *low], 16) else {
                return false;
            };
            // The characters that stand between a name and a value, or a second escape.
            matches!(value as u8, b'=' | b':' | b'"' | b'\'')
                || (b'!'..=b'~').contains(&(value as u8)) && rest.get(3) == Some(&b'%') && {
                    let next = rest.get(4..6).and_then(|digits| number(digits, 16));
                    next.is_some_and(|next| (b'!'..=b'~').contains(&(next as u8)))
                }
        }
        [b'\\', b'u', b'0', b'0', rest @ ..] => is_ascii(rest),
        // One alone is a byte of a table; several are a string.
        [b'\\', b'x', first, second, b'\\', b'x', rest @ ..] => {
            is_ascii(&[*first, *second]) && is_ascii(rest)
        }
        [b'\\', b'"', b':', ..] => true,
        [b'&', b'#', b'x' | b'X' | b'0'..=b'9', ..] => true,
        _ => rest.starts_with(b"&quot;"),
    }
}

/// Whether two digits stand for a visible character.
fn is_ascii(digits: &[u8]) -> bool {
    digits
        .get(..2)
        .and_then(|digits| number(digits, 16))
        .is_some_and(|value| (0x21..0x7f).contains(&value))
}

/// Hits that begin inside `region`.
pub(in crate::engine) fn search(bytes: &[u8], region: Range<usize>, slot: u16, out: &mut Vec<Hit>) {
    for offset in memchr::memchr3_iter(b'%', b'\\', b'&', &bytes[region.clone()]) {
        let at = region.start + offset;
        if sees(bytes, at) {
            out.push(hit(bytes, at, slot));
        }
    }
}

/// The piece around a hit, decoded, unless another hit stands shortly before it in the piece.
pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Piece> {
    let family = Family::of(bytes[at])?;
    let mut start = at;
    while start > at.saturating_sub(LEFT) && !family.ends(bytes, start - 1) {
        start -= 1;
        if bytes[start] == bytes[at] && sees(bytes, start) {
            return None;
        }
    }
    let ceiling = (at + LONGEST).min(bytes.len());
    let mut text = Zeroizing::new(Vec::new());
    let mut offsets = Vec::new();
    let mut here = start;
    let name = match (family, bytes.get(at + 1)) {
        (Family::Percent, _) => "percent",
        (Family::Html, _) => "html",
        (Family::Backslash, Some(b'"')) => "json",
        (Family::Backslash, _) => "unicode",
    };
    while here < ceiling {
        let (value, length) = match family.escape(bytes, here) {
            Some(escape) if bytes[here] == bytes[at] => escape,
            _ if here >= at && family.ends(bytes, here) => break,
            _ => {
                text.push(bytes[here]);
                offsets.push(here as u32);
                here += 1;
                continue;
            }
        };
        if here + length > ceiling {
            break;
        }
        let mut utf8 = [0; 4];
        let encoded = match family {
            // A percent escape is a byte, of whatever encoding.
            Family::Percent => {
                utf8[0] = value as u32 as u8;
                &utf8[..1]
            }
            _ => value.encode_utf8(&mut utf8).as_bytes(),
        };
        for &byte in encoded {
            text.push(byte);
            offsets.push(here as u32);
        }
        here += length;
    }
    Some(Piece {
        span: start..here,
        text,
        offsets,
        names: vec![name],
    })
}
