//! tar: ustar, GNU and pax, and the first ones that have no mark but a checksum.
//!
//! Read from front to back. Names longer than a header come from GNU `L` and pax `path`
//! entries, sizes past 8 GiB from their binary form. Sparse files are lent as they are stored.

use std::io::{self, Read};

use super::{Walk, fill, skip};

/// Longest name or pax header that is read.
const EXTENDED: u64 = 64 << 10;
const BLOCK: usize = 512;

/// Whether a header stands here: its checksum holds.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..BLOCK) else {
        return false;
    };
    // Text has no zeros behind a name; cheaper than the sum.
    (&header[257..262] == b"ustar" || header[155] == 0 || header[155] == b' ')
        && header[0] != 0
        && checksum_holds(header)
}

fn checksum_holds(header: &[u8]) -> bool {
    let Some(wanted) = octal(&header[148..156]) else {
        return false;
    };
    let sum = |shown: fn(u8) -> i64| -> i64 {
        let all: i64 = header.iter().map(|&byte| shown(byte)).sum();
        let field: i64 = header[148..156].iter().map(|&byte| shown(byte)).sum();
        all - field + 8 * i64::from(b' ')
    };
    // Some old writers took the bytes as signed.
    let wanted = wanted as i64;
    sum(i64::from) == wanted || sum(|byte| i64::from(byte as i8)) == wanted
}

pub(super) fn open(walk: &mut Walk<'_>, read: &mut dyn Read) -> io::Result<()> {
    let mut long: Option<Vec<u8>> = None;
    let mut long_size = None;
    while !walk.is_done() {
        let mut header = [0; BLOCK];
        match fill(read, &mut header)? {
            0 => return Ok(()),
            BLOCK => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        walk.count(BLOCK);
        if header == [0; BLOCK] {
            // The end, or a tape that goes on: both are read.
            continue;
        }
        if !checksum_holds(&header) {
            return Err(io::Error::other("a member's header is damaged"));
        }
        let Some(mut size) = number(&header[124..136]) else {
            return Err(io::Error::other("a member's size is damaged"));
        };
        let kind = header[156];
        if !matches!(kind, b'L' | b'K' | b'x' | b'g') {
            size = long_size.take().unwrap_or(size);
        }
        let mut body = read.take(size);
        match kind {
            b'L' => {
                let mut name = Vec::new();
                let got = (&mut body).take(EXTENDED).read_to_end(&mut name)?;
                walk.count(got);
                name.truncate(name.iter().position(|&b| b == 0).unwrap_or(name.len()));
                long = Some(name);
            }
            b'x' => {
                let mut records = Vec::new();
                let got = (&mut body).take(EXTENDED).read_to_end(&mut records)?;
                walk.count(got);
                for (key, value) in pax(&records) {
                    match key {
                        b"path" => long = Some(value.to_vec()),
                        b"size" => {
                            long_size = std::str::from_utf8(value)
                                .ok()
                                .and_then(|digits| digits.parse().ok());
                        }
                        _ => {}
                    }
                }
            }
            // Files, contiguous files, sparse files.
            0 | b'0' | b'7' | b'S' => {
                let name = long.take().unwrap_or_else(|| name(&header));
                if !name.ends_with(b"/") && size > 0 {
                    walk.member(&name, &mut body);
                }
            }
            b'K' | b'g' => {}
            // Links, devices, folders hold nothing; others hold their bytes.
            _ => long = None,
        }
        let left = body.limit();
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        skip(walk, read, left.saturating_add(padding))?;
    }
    Ok(())
}

fn name(header: &[u8]) -> Vec<u8> {
    let text = |field: &[u8]| -> Vec<u8> {
        let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
        field[..end].to_vec()
    };
    let mut path = Vec::new();
    // Only ustar has a prefix; GNU has times there.
    if &header[257..263] == b"ustar\0" && header[345] != 0 {
        path = text(&header[345..500]);
        path.push(b'/');
    }
    path.extend(text(&header[..100]));
    path
}

/// `<length> <key>=<value>\n`, one after another.
fn pax(mut records: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    while let Some(space) = records.iter().take(20).position(|&b| b == b' ') {
        let length = std::str::from_utf8(&records[..space])
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok());
        let Some(record) = length.and_then(|length| records.get(space + 1..length)) else {
            break;
        };
        if let Some(equals) = record.iter().position(|&b| b == b'=') {
            let value = &record[equals + 1..];
            found.push((
                &record[..equals],
                value.strip_suffix(b"\n").unwrap_or(value),
            ));
        }
        records = &records[length.unwrap_or(records.len())..];
    }
    found
}

/// Octal digits, or a binary number marked by its first bit.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 == 0 {
        return octal(field);
    }
    if field[0] != 0x80 || field[1..4] != [0; 3] {
        return None;
    }
    Some(super::big(field, 4, 8)).filter(|&size| size < 1 << 62)
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.split(|&byte| byte == 0).next()?.trim_ascii();
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}
