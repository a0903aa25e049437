//! What the whole content is: text, binary, UTF-16, UTF-32. Decided from its first bytes, so that a
//! version decides it for itself.

use zeroize::Zeroizing;

/// The kind of content, kept in a trace; nothing is inherited between kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Text = 0,
    Binary = 1,
    Utf16Le = 2,
    Utf16Be = 3,
    Utf32Le = 4,
    Utf32Be = 5,
}

impl Kind {
    /// The content as UTF-8, where that is not what it is.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Decoded> {
        match self {
            Kind::Text | Kind::Binary => None,
            Kind::Utf16Le => Some(Decoded::utf16(bytes, u16::from_le_bytes)),
            Kind::Utf16Be => Some(Decoded::utf16(bytes, u16::from_be_bytes)),
            Kind::Utf32Le => Some(Decoded::utf32(bytes, u32::from_le_bytes)),
            Kind::Utf32Be => Some(Decoded::utf32(bytes, u32::from_be_bytes)),
        }
    }
}

/// Bytes looked at.
const LOOK: usize = 8000;

pub(super) fn kind(bytes: &[u8]) -> Kind {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => return Kind::Utf32Le,
        [0, 0, 0xfe, 0xff, ..] => return Kind::Utf32Be,
        [0xff, 0xfe, ..] => return Kind::Utf16Le,
        [0xfe, 0xff, ..] => return Kind::Utf16Be,
        _ => {}
    }
    let head = &bytes[..bytes.len().min(LOOK)];
    if memchr::memchr(0, head).is_none() {
        return Kind::Text;
    }
    // UTF-32 without a mark: of nearly every four bytes only the last or the first is set.
    let is_wide = |shows: fn(&[u8]) -> bool| {
        let fours = head.chunks_exact(4);
        let count = fours.len();
        count >= 8 && fours.filter(|four| shows(four)).count() * 10 > count * 9
    };
    if is_wide(|four| four[0] != 0 && four[1..] == [0; 3]) {
        return Kind::Utf32Le;
    }
    if is_wide(|four| four[3] != 0 && four[..3] == [0; 3]) {
        return Kind::Utf32Be;
    }
    // UTF-16 without a mark: nearly every second byte of Latin text is zero.
    let pairs = head.len() / 2;
    let (mut even, mut odd) = (0, 0);
    for pair in head.chunks_exact(2) {
        even += usize::from(pair[0] == 0);
        odd += usize::from(pair[1] == 0);
    }
    if pairs >= 8 && odd * 10 > pairs * 8 && even * 20 < pairs {
        Kind::Utf16Le
    } else if pairs >= 8 && even * 10 > pairs * 8 && odd * 20 < pairs {
        Kind::Utf16Be
    } else {
        Kind::Binary
    }
}

/// A content as UTF-8, and for each byte of that the offset of its unit in the original.
pub(super) struct Decoded {
    pub(super) text: Zeroizing<Vec<u8>>,
    /// The encoding it was.
    pub(super) name: &'static str,
    offsets: Vec<u32>,
    len: usize,
}

impl Decoded {
    fn new(name: &'static str, len: usize) -> Decoded {
        Decoded {
            text: Zeroizing::new(Vec::with_capacity(len / 2 + 16)),
            name,
            offsets: Vec::with_capacity(len / 2 + 16),
            len,
        }
    }

    fn push(&mut self, c: char, offset: u32) {
        let mut utf8 = [0; 4];
        for &byte in c.encode_utf8(&mut utf8).as_bytes() {
            self.text.push(byte);
            self.offsets.push(offset);
        }
    }

    fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let mut decoded = Decoded::new("utf-16", bytes.len());
        let mut offset = 0u32;
        for c in char::decode_utf16(units) {
            // What is no pair is one unit.
            let (c, units) = match c {
                Ok(c) => (c, c.len_utf16() as u32),
                Err(_) => (char::REPLACEMENT_CHARACTER, 1),
            };
            decoded.push(c, offset);
            offset += 2 * units;
        }
        decoded
    }

    fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Decoded {
        let mut decoded = Decoded::new("utf-32", bytes.len());
        for (offset, four) in (0u32..).step_by(4).zip(bytes.chunks_exact(4)) {
            let value = unit([four[0], four[1], four[2], four[3]]);
            let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
            decoded.push(c, offset);
        }
        decoded
    }

    /// The offset in the original of a position in the text.
    pub(super) fn original(&self, position: usize) -> usize {
        self.offsets
            .get(position)
            .map_or(self.len, |&offset| offset as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn encodings_are_told_apart() {
        let utf16: Vec<u8> = "password = 'x'"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(kind(&utf16), Kind::Utf16Le);
        assert_eq!(kind(b"plain text"), Kind::Text);
        assert_eq!(
            kind(b"\x7fELF\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\x09"),
            Kind::Binary
        );
        let decoded = Kind::Utf16Le.decode(&utf16).expect("an encoding");
        assert_eq!(&decoded.text[..8], b"password");
        assert_eq!(decoded.original(4), 8);
        assert_eq!(decoded.original(99), utf16.len());
        for (mark, unit, wanted) in [
            (true, u32::to_le_bytes as fn(u32) -> [u8; 4], Kind::Utf32Le),
            (false, u32::to_le_bytes, Kind::Utf32Le),
            (true, u32::to_be_bytes, Kind::Utf32Be),
            (false, u32::to_be_bytes, Kind::Utf32Be),
        ] {
            let text = "password = 'x'".chars();
            let utf32: Vec<u8> = mark
                .then_some('\u{feff}')
                .into_iter()
                .chain(text)
                .flat_map(|c| unit(u32::from(c)))
                .collect();
            assert_eq!(kind(&utf32), wanted, "mark: {mark}");
            let decoded = wanted.decode(&utf32).expect("an encoding");
            assert!(decoded.text.ends_with(b"password = 'x'"));
            assert_eq!(decoded.original(decoded.text.len() - 1), utf32.len() - 4);
        }
    }

    #[test]
    fn encodings_that_lie_are_read_as_far_as_they_go() {
        // A lone surrogate, an odd byte, a value past Unicode: each stands for itself.
        let text = Kind::Utf16Le
            .decode(b"\xff\xfea\0\x00\xd8b\0c")
            .expect("an encoding");
        assert_eq!(&*text.text, "\u{feff}a\u{fffd}b".as_bytes());
        assert_eq!(text.original(text.text.len() - 1), 6);
        let text = Kind::Utf32Le
            .decode(b"\xff\xfe\0\0\xff\xff\xff\xffa\0\0\0b")
            .expect("an encoding");
        assert_eq!(&*text.text, "\u{feff}\u{fffd}a".as_bytes());
        assert_eq!(kind(&[0xff, 0xfe]), Kind::Utf16Le);
        assert_eq!(kind(b"\0"), Kind::Binary);
    }
}
