//! The pack format's two encodings: entry headers, and deltas.
//!
//! Everything here comes from bytes that somebody else wrote: each length is checked before
//! it is used, and nothing is allocated on the word of a header alone.

use keymuster_api::Copied;

use crate::{buffer::Buffer, fault::Fault};

/// What kind of object an entry is, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    /// From the word in a loose object's header.
    pub(crate) fn from_word(word: &[u8]) -> Option<Kind> {
        match word {
            b"commit" => Some(Kind::Commit),
            b"tree" => Some(Kind::Tree),
            b"blob" => Some(Kind::Blob),
            b"tag" => Some(Kind::Tag),
            _ => None,
        }
    }

    /// From the number that plans keep.
    pub(crate) fn from_number(number: u8) -> Option<Kind> {
        match number {
            1 => Some(Kind::Commit),
            2 => Some(Kind::Tree),
            3 => Some(Kind::Blob),
            4 => Some(Kind::Tag),
            _ => None,
        }
    }

    /// The number of the pack format.
    pub(crate) fn number(self) -> u8 {
        match self {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
            Kind::Tag => 4,
        }
    }
}

/// How an entry is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored<'a> {
    /// Whole.
    Whole(Kind),
    /// As a delta to the entry that begins so many bytes earlier.
    Earlier(u64),
    /// As a delta to the object with these raw id bytes.
    Named(&'a [u8]),
}

/// An entry's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    /// How it is stored.
    pub(crate) stored: Stored<'a>,
    /// Declared size of what inflates: the object, or the delta.
    pub(crate) size: u64,
    /// Where the compressed bytes begin, relative to the header.
    pub(crate) data_at: usize,
}

/// Reads an entry's header; `None` if it makes no sense.
pub(crate) fn header(bytes: &[u8], hash_len: usize) -> Option<Header<'_>> {
    let first = *bytes.first()?;
    let mut size = u64::from(first & 0x0f);
    let mut at = 1;
    let mut shift = 4;
    let mut byte = first;
    while byte & 0x80 != 0 {
        byte = *bytes.get(at)?;
        at += 1;
        if shift > 57 {
            return None;
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
    }
    let stored = match first >> 4 & 7 {
        6 => {
            byte = *bytes.get(at)?;
            at += 1;
            let mut distance = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                byte = *bytes.get(at)?;
                at += 1;
                distance = distance.checked_add(1)?.checked_mul(128)? | u64::from(byte & 0x7f);
            }
            Stored::Earlier(distance)
        }
        7 => {
            let id = bytes.get(at..at.checked_add(hash_len)?)?;
            at += hash_len;
            Stored::Named(id)
        }
        number => Stored::Whole(Kind::from_number(number)?),
    };
    Some(Header {
        stored,
        size,
        data_at: at,
    })
}

/// Applies a delta: writes the new version, and lists what it took from its base.
///
/// `copied` comes back sorted by `at` and disjoint, ranges that continue each other merged.
pub(crate) fn apply(
    base: &[u8],
    delta: &[u8],
    limit: u64,
    out: &mut Buffer,
    copied: &mut Vec<Copied>,
) -> Result<(), Fault> {
    const SENSELESS: Fault = Fault::Corrupt("its delta makes no sense");
    copied.clear();
    let mut read = 0;
    let base_size = varint(delta, &mut read).ok_or(SENSELESS)?;
    let size = varint(delta, &mut read).ok_or(SENSELESS)?;
    if base_size != base.len() as u64 {
        return Err(Fault::Corrupt("its delta is meant for another base"));
    }
    if size > limit {
        return Err(Fault::Limit("it is larger than the object size limit"));
    }
    // A copy takes at most 2^24 bytes for at least one byte of delta.
    if size > (delta.len() as u64).saturating_mul(1 << 24) {
        return Err(SENSELESS);
    }
    let out = out.resize(size as usize);
    let mut at = 0usize;
    let mut last = Copied {
        at: 0,
        from: 0,
        len: 0,
    };
    let mut rest = delta.get(read..).ok_or(SENSELESS)?;
    while let Some((&op, tail)) = rest.split_first() {
        rest = tail;
        if op & 0x80 != 0 {
            let count = (op & 0x7f).count_ones() as usize;
            let (arguments, tail) = rest.split_at_checked(count).ok_or(SENSELESS)?;
            rest = tail;
            let (from, len) = copy_arguments(op, arguments);
            let source = base.get(from..from + len).ok_or(SENSELESS)?;
            let target = out.get_mut(at..at + len).ok_or(SENSELESS)?;
            target.copy_from_slice(source);
            if last.len > 0 && last.at + last.len == at && last.from + last.len == from {
                last.len += len;
            } else {
                if last.len > 0 {
                    copied.push(last);
                }
                last = Copied { at, from, len };
            }
            at += len;
        } else if op != 0 {
            let (source, tail) = rest.split_at_checked(usize::from(op)).ok_or(SENSELESS)?;
            rest = tail;
            let target = out.get_mut(at..at + source.len()).ok_or(SENSELESS)?;
            target.copy_from_slice(source);
            at += source.len();
        } else {
            return Err(SENSELESS);
        }
    }
    if last.len > 0 {
        copied.push(last);
    }
    if at == out.len() {
        Ok(())
    } else {
        Err(SENSELESS)
    }
}

/// Offset and length of a copy; both are below 2^33, so sums cannot overflow.
fn copy_arguments(op: u8, arguments: &[u8]) -> (usize, usize) {
    let mut values = [0u8; 8];
    let mut arguments = arguments.iter();
    for (bit, value) in values.iter_mut().enumerate().take(7) {
        if op & 1 << bit != 0
            && let Some(&byte) = arguments.next()
        {
            *value = byte;
        }
    }
    let [a, b, c, d, x, y, z, _] = values;
    let from = u32::from_le_bytes([a, b, c, d]) as usize;
    let len = u32::from_le_bytes([x, y, z, 0]) as usize;
    (from, if len == 0 { 0x1_0000 } else { len })
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    let mut shift = 0;
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if shift > 56 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Stored, apply, header};
    use crate::{buffer::Buffer, fault::Fault};
    use keymuster_api::Copied;

    #[test]
    fn headers_say_kind_size_and_where_the_data_begins() {
        let blob = header(&[0xb5, 0x02], 20).expect("a blob of 37 bytes");
        assert_eq!(
            (blob.stored, blob.size, blob.data_at),
            (Stored::Whole(Kind::Blob), 37, 2)
        );
        let delta = header(&[0x65, 0x80, 0x00], 20).expect("a delta");
        assert_eq!((delta.stored, delta.size), (Stored::Earlier(128), 5));
        assert_eq!(header(&[0x75, 1, 2], 20), None, "an id is cut short");
        assert_eq!(header(&[0x05], 20), None, "type 0 does not exist");
        assert_eq!(header(&[0xff; 40], 20), None, "a size without end");
    }

    #[test]
    fn copies_that_continue_each_other_become_one_range() {
        let (mut out, mut copied) = (Buffer::default(), Vec::new());
        let delta = [10, 9, 0x90, 4, 0x91, 4, 2, 1, b'!', 0x91, 8, 2];
        let delta = [&[10u8, 9][..], &delta[2..]].concat();
        apply(b"0123456789", &delta, 100, &mut out, &mut copied).expect("valid");
        assert_eq!(out.bytes(), b"012345!89");
        assert_eq!(
            copied,
            [
                Copied {
                    at: 0,
                    from: 0,
                    len: 6
                },
                Copied {
                    at: 7,
                    from: 8,
                    len: 2
                }
            ]
        );
    }

    #[test]
    fn hostile_deltas_are_refused() {
        let (mut out, mut copied) = (Buffer::default(), Vec::new());
        let mut refused = |delta: &[u8]| {
            apply(b"0123456789", delta, 100, &mut out, &mut copied).expect_err("refused")
        };
        assert!(
            matches!(refused(&[9, 1, 1, b'x']), Fault::Corrupt(_)),
            "another base"
        );
        assert!(
            matches!(refused(&[10, 0xff, 0xff, 0x7f]), Fault::Limit(_)),
            "too large"
        );
        assert!(
            matches!(refused(&[10, 4, 0x91, 8, 4]), Fault::Corrupt(_)),
            "past the base"
        );
        assert!(
            matches!(refused(&[10, 4, 0x90, 5]), Fault::Corrupt(_)),
            "past the result"
        );
        assert!(
            matches!(refused(&[10, 4, 0]), Fault::Corrupt(_)),
            "reserved operation"
        );
        assert!(
            matches!(refused(&[10, 4, 3, 1]), Fault::Corrupt(_)),
            "cut short"
        );
        assert!(
            matches!(refused(&[10, 4, 0x90, 3]), Fault::Corrupt(_)),
            "shorter than said"
        );
    }
}
