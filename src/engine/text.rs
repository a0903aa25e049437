//! What the whole content is: text, binary, UTF-16. Decided from its first bytes, so that a
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
}

/// Bytes looked at.
const LOOK: usize = 8000;

pub(super) fn kind(bytes: &[u8]) -> Kind {
    match bytes {
        [0xff, 0xfe, ..] => return Kind::Utf16Le,
        [0xfe, 0xff, ..] => return Kind::Utf16Be,
        _ => {}
    }
    let head = &bytes[..bytes.len().min(LOOK)];
    if memchr::memchr(0, head).is_none() {
        return Kind::Text;
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

/// UTF-16 as UTF-8, and for each byte of that the offset of its unit in the original.
pub(super) struct Decoded {
    pub(super) text: Zeroizing<Vec<u8>>,
    offsets: Vec<u32>,
    len: usize,
}

impl Decoded {
    pub(super) fn utf16(bytes: &[u8], big_endian: bool) -> Decoded {
        let units = bytes.chunks_exact(2).map(|pair| {
            if big_endian {
                u16::from_be_bytes([pair[0], pair[1]])
            } else {
                u16::from_le_bytes([pair[0], pair[1]])
            }
        });
        let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() / 2 + 16));
        let mut offsets = Vec::with_capacity(bytes.len() / 2 + 16);
        let mut offset = 0u32;
        for unit in char::decode_utf16(units) {
            let c = unit.unwrap_or(char::REPLACEMENT_CHARACTER);
            let mut utf8 = [0; 4];
            for &byte in c.encode_utf8(&mut utf8).as_bytes() {
                text.push(byte);
                offsets.push(offset);
            }
            offset += 2 * c.len_utf16() as u32;
        }
        Decoded {
            text,
            offsets,
            len: bytes.len(),
        }
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
    use super::{Decoded, Kind, kind};

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
        let decoded = Decoded::utf16(&utf16, false);
        assert_eq!(&decoded.text[..8], b"password");
        assert_eq!(decoded.original(4), 8);
        assert_eq!(decoded.original(99), utf16.len());
    }
}
