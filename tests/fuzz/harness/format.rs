//! The formats of packs, read and written slowly: what the harness compares with and forges by.
//!
//! After gitformat-pack: "Deltified representation", "pack-*.pack files have the following format",
//! "Original (version 1)" and "Version 2 pack-*.idx files".

/// The version that a delta makes of its base; `None` if it makes no sense or makes more than
/// `limit` bytes.
pub fn apply(base: &[u8], delta: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut delta = delta.iter().copied();
    if size(&mut delta)? != base.len() as u64 {
        return None;
    }
    let wanted = size(&mut delta)?;
    if wanted > limit {
        return None;
    }
    let mut out = Vec::new();
    while let Some(op) = delta.next() {
        if op == 0 {
            return None;
        } else if op & 0x80 == 0 {
            for _ in 0..op {
                out.push(delta.next()?);
            }
        } else {
            let (mut from, mut len) = (0usize, 0usize);
            for bit in 0..4 {
                if op >> bit & 1 == 1 {
                    from |= usize::from(delta.next()?) << (8 * bit);
                }
            }
            for bit in 0..3 {
                if op >> (4 + bit) & 1 == 1 {
                    len |= usize::from(delta.next()?) << (8 * bit);
                }
            }
            if len == 0 {
                len = 0x10000;
            }
            out.extend_from_slice(base.get(from..from + len)?);
        }
        if out.len() as u64 > wanted {
            return None;
        }
    }
    (out.len() as u64 == wanted).then_some(out)
}

fn size(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// How many bytes a delta's instructions make, as far as they can be read.
pub fn length(instructions: &[u8]) -> u64 {
    let mut length = 0u64;
    let mut rest = instructions;
    while let Some((&op, tail)) = rest.split_first() {
        let (arguments, made) = if op & 0x80 == 0 {
            (usize::from(op), u64::from(op))
        } else {
            let mut at = (op & 0x0f).count_ones() as usize;
            let mut len = 0u64;
            for bit in 0..3 {
                if op >> (4 + bit) & 1 == 1 {
                    len |= u64::from(tail.get(at).copied().unwrap_or(0)) << (8 * bit);
                    at += 1;
                }
            }
            (at, if len == 0 { 0x10000 } else { len })
        };
        length = length.saturating_add(made);
        rest = tail.get(arguments..).unwrap_or_default();
    }
    length
}

/// A delta: its two sizes, and instructions.
pub fn delta(base: u64, made: u64, instructions: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for mut size in [base, made] {
        while size > 0x7f {
            out.push(size as u8 | 0x80);
            size >>= 7;
        }
        out.push(size as u8);
    }
    out.extend(instructions);
    out
}

/// An entry's header, in the shortest way.
pub fn header(kind: u8, size: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut byte = (kind & 7) << 4 | (size & 15) as u8;
    let mut left = size >> 4;
    while left > 0 {
        out.push(byte | 0x80);
        byte = (left & 0x7f) as u8;
        left >>= 7;
    }
    out.push(byte);
    out
}

/// The distance to a base, as it follows an entry's header.
pub fn distance(mut distance: u64) -> Vec<u8> {
    let mut out = vec![(distance & 0x7f) as u8];
    while distance > 0x7f {
        distance = (distance >> 7) - 1;
        out.push((distance & 0x7f) as u8 | 0x80);
    }
    out.reverse();
    out
}

/// A zlib stream that only stores: nothing is gained, and writing it takes no time.
pub fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut chunks = bytes.chunks(0xffff).peekable();
    if chunks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(chunk) = chunks.next() {
        out.push(u8::from(chunks.peek().is_none()));
        out.extend((chunk.len() as u16).to_le_bytes());
        out.extend((!(chunk.len() as u16)).to_le_bytes());
        out.extend(chunk);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for part in bytes.chunks(4096) {
        for &byte in part {
            a += u32::from(byte);
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// One line of an index.
#[derive(Clone)]
pub struct Line {
    /// The id.
    pub id: Vec<u8>,
    /// The checksum of the entry's bytes.
    pub crc: u32,
    /// Where the entry begins.
    pub offset: u64,
}

/// An index of these lines, which must be sorted.
pub fn index(lines: &[Line], version: u8, pack_checksum: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if version == 2 {
        out.extend(b"\xfftOc\0\0\0\x02");
    }
    let mut counts = [0u32; 256];
    for line in lines {
        counts[usize::from(line.id[0])] += 1;
    }
    let mut sum = 0;
    for count in counts {
        sum += count;
        out.extend(sum.to_be_bytes());
    }
    if version == 1 {
        for line in lines {
            out.extend((line.offset as u32).to_be_bytes());
            out.extend(&line.id);
        }
    } else {
        lines.iter().for_each(|line| out.extend(&line.id));
        lines
            .iter()
            .for_each(|line| out.extend(line.crc.to_be_bytes()));
        let mut large = Vec::new();
        for line in lines {
            match u32::try_from(line.offset) {
                Ok(small) if small < 1 << 31 => out.extend(small.to_be_bytes()),
                _ => {
                    out.extend((large.len() as u32 | 1 << 31).to_be_bytes());
                    large.push(line.offset);
                }
            }
        }
        large
            .iter()
            .for_each(|offset| out.extend(offset.to_be_bytes()));
    }
    out.extend(pack_checksum);
    out
}
