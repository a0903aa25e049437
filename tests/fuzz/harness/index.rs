//! Indexes of both versions, on a pack that is good.
//!
//! First byte: bit 0 the rest is the file as it is, with its own checksum mended if bit 1 is set;
//! otherwise bit 2 version 1, and then lines of 5 bytes: two bytes of the id (repeated), which
//! entry of the pack, a displacement of its offset (signed), and flags: bit 0 wrong checksum, bit
//! 1 the offset is large (from 2^31, in the table of its own in version 2).

use std::path::Path;

use super::{
    forge::{Forged, checksum},
    format::Line,
    reading::{self, Seen},
    script::{Script, line},
};

/// The script of the pack: a blob, two changes to it, a tree, a commit, a tag.
pub fn good() -> Vec<u8> {
    let people = b"\nauthor a <b> 9 +0000\ncommitter a <b> 9 +0000\n\n";
    let commit = [&b"tree \xfd\x44"[..], people].concat();
    [
        vec![0],
        line(3, 0x11, 0, b"some text to copy"),
        line(6, 0x22, 0, b"\x90\x08\x04more"),
        line(7, 0x33, 0x11, b"\x91\x05\x04\x02!!"),
        line(2, 0x44, 0, b"100644 a\0\xfe\x11100644 b\0\xfe\x22"),
        line(1, 0x55, 0, &commit),
        line(4, 0x66, 0, b"object \xfd\x55\ntype commit\n\n"),
    ]
    .concat()
}

/// Lays the pack out with an index made of the input, and reads it.
///
/// # Panics
/// If something is missing without a gap.
pub fn run(folder: &Path, input: &[u8]) -> Seen {
    let forged = Forged::new(&Script::read(&good()));
    let (how, rest) = input
        .split_first()
        .map_or((0, input), |(&how, rest)| (how, rest));
    let index = if how & 1 == 1 {
        let mut index = rest.to_vec();
        if let (2, Some(end)) = (how & 2, index.len().checked_sub(forged.hash_len)) {
            let sum = checksum(&index[..end], forged.hash_len);
            index[end..].copy_from_slice(&sum);
        }
        index
    } else {
        let lines: Vec<Line> = rest
            .chunks_exact(5)
            .filter_map(|line| entry(&forged, line))
            .collect();
        forged.index(&lines, if how & 4 == 0 { 2 } else { 1 })
    };
    let tips = [vec![0x55; 20], vec![0x66; 20]];
    forged
        .lay_out(folder, &index, &tips)
        .expect("a folder to write in");
    let seen = reading::run(folder);
    if seen.gaps.is_empty() {
        assert_eq!(
            seen.received,
            forged.lines.len() as u64,
            "no gap, and not every object was seen"
        );
    }
    seen
}

fn entry(forged: &Forged, line: &[u8]) -> Option<Line> {
    let &[first, second, which, displaced, flags] = line else {
        return None;
    };
    let good = &forged.lines[usize::from(which) % forged.lines.len()];
    let offset = good.offset.wrapping_add_signed(i64::from(displaced as i8));
    let mut id = vec![second; forged.hash_len];
    id[0] = first;
    Some(Line {
        id,
        crc: good.crc ^ u32::from(flags & 1),
        offset: if flags & 2 == 0 {
            offset
        } else {
            offset | 1 << 40
        },
    })
}
