//! cpio in its new ASCII form, and RPM packages, whose payload it is.

use std::io::{self, Read};

use super::{Walk, big, fill, skip};

/// Longest name that is read.
const NAME: u64 = 64 << 10;

pub(super) fn open(walk: &mut Walk<'_>, read: &mut dyn Read) -> io::Result<()> {
    while !walk.is_done() {
        let mut header = [0; 110];
        if fill(read, &mut header)? < header.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let field = |at: usize| {
            std::str::from_utf8(&header[at..at + 8])
                .ok()
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        };
        let (Some(mode), Some(size), Some(name_size)) = (field(14), field(54), field(94)) else {
            return Err(io::Error::other("a member's header is damaged"));
        };
        if !header.starts_with(b"07070") || name_size > NAME {
            return Err(io::Error::other("a member's header is damaged"));
        }
        let mut name = vec![0; name_size as usize];
        read.read_exact(&mut name)?;
        walk.count(header.len() + name.len());
        // Header and name, and the body, are padded to four bytes.
        skip(walk, read, (4 - (110 + name_size) % 4) % 4)?;
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        if name == b"TRAILER!!!" {
            return Ok(());
        }
        let mut body = read.take(size);
        if mode & 0o170_000 == 0o100_000 && size > 0 {
            walk.member(name, &mut body);
        }
        let left = body.limit();
        skip(walk, read, left + (4 - size % 4) % 4)?;
    }
    Ok(())
}

/// Lead, signature, header; then a compressed cpio.
pub(super) fn open_rpm(walk: &mut Walk<'_>, read: &mut dyn Read) -> io::Result<()> {
    skip(walk, read, 96)?;
    for is_signature in [true, false] {
        let mut intro = [0; 16];
        read.read_exact(&mut intro)?;
        if !intro.starts_with(&[0x8e, 0xad, 0xe8]) {
            return Err(io::Error::other("a header of the package is damaged"));
        }
        let size = big(&intro, 8, 4) * 16 + big(&intro, 12, 4);
        let padding = if is_signature { (8 - size % 8) % 8 } else { 0 };
        if is_signature {
            skip(walk, read, size + padding)?;
        } else {
            // The header holds the install scripts.
            let mut body = read.take(size);
            walk.member(b"(header)", &mut body);
            let left = body.limit();
            skip(walk, read, left)?;
        }
    }
    let mut head = [0; 6];
    read.read_exact(&mut head)?;
    if super::format(&head).is_none() {
        return Err(io::Error::other(
            "the package's payload is damaged, or packed in an unknown way",
        ));
    }
    walk.stream(&mut head.as_slice().chain(read));
    Ok(())
}
