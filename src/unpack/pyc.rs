//! Compiled Python: its strings, one a line.
//!
//! Not a reader of `marshal`: strings are found by what stands before them (a type and a
//! length), so any version, and any damage, will do.

use zeroize::Zeroizing;

use super::{Walk, little};

/// Shortest string that is told.
const SHORT: usize = 4;

pub(super) fn open(walk: &mut Walk<'_>, bytes: &[u8]) {
    let mut text = Zeroizing::new(Vec::new());
    let mut at = 4;
    while at < bytes.len() {
        // The highest bit says that the object is referred to later.
        let (head, length) = match bytes[at] & 0x7f {
            b'z' | b'Z' => (2, little(bytes, at + 1, 1) as usize),
            b'a' | b'A' | b's' | b'u' | b't' => (5, little(bytes, at + 1, 4) as usize),
            _ => (0, 0),
        };
        let string = bytes.get(at + head..).and_then(|rest| rest.get(..length));
        match string {
            Some(string) if head > 0 && length >= SHORT && is_text(string) => {
                text.extend_from_slice(string);
                text.push(b'\n');
                at += head + length;
            }
            _ => at += 1,
        }
    }
    walk.made(b"(strings)", &text);
}

fn is_text(string: &[u8]) -> bool {
    std::str::from_utf8(string)
        .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
}
