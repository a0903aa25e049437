//! Unix archives (`ar`): deb packages, static libraries.

use std::io::{self, Read};

use super::{Walk, fill, skip};

/// Bytes of a table of long names that are read.
const NAMES: u64 = 1 << 20;

pub(super) fn open(walk: &mut Walk<'_>, read: &mut dyn Read) -> io::Result<()> {
    skip(walk, read, 8)?;
    let mut names = Vec::new();
    while !walk.is_done() {
        let mut header = [0; 60];
        match fill(read, &mut header)? {
            0 => return Ok(()),
            60 => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        walk.count(header.len());
        let size = number(&header[48..58]).filter(|_| header[58..] == *b"`\n");
        let Some(size) = size else {
            return Err(io::Error::other("a member's header is damaged"));
        };
        let name = header[..16].trim_ascii_end();
        let mut body = read.take(size);
        if name == b"//" {
            names.clear();
            let got = (&mut body).take(NAMES).read_to_end(&mut names)?;
            walk.count(got);
        } else if name != b"/" && name != b"/SYM64/" {
            let long;
            let name = if let Some(length) = name.strip_prefix(b"#1/") {
                let length = number(length).unwrap_or(0).min(size).min(4096);
                let mut inline = vec![0; length as usize];
                body.read_exact(&mut inline)?;
                long = inline;
                long.split(|&byte| byte == 0).next().unwrap_or(&long)
            } else if let Some(at) = name.strip_prefix(b"/").and_then(number) {
                let rest = names.get(at as usize..).unwrap_or_default();
                let end = rest.iter().position(|&byte| byte == b'\n');
                let name = &rest[..end.unwrap_or(rest.len())];
                name.strip_suffix(b"/").unwrap_or(name)
            } else {
                name.strip_suffix(b"/").unwrap_or(name)
            };
            walk.member(name, &mut body);
        }
        let left = body.limit();
        skip(walk, read, left)?;
        if size % 2 == 1 {
            // Padding; the last may lack it.
            fill(read, &mut [0])?;
        }
    }
    Ok(())
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}
