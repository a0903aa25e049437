//! The zip family: zip, jar, war, wheel, egg, apk, nupkg, epub, docx, xlsx, pptx, odt …
//!
//! The directory at the end is what counts, as for other readers. Where it is missing or
//! damaged, what stands behind each member's own header is read, and the damage is told.

use std::io::{self, BufReader, Read, SeekFrom};

use keymuster_api::{GapKind, ReadSeek};
use zeroize::Zeroizing;

use super::{Fused, MEMBER, Walk, little, stream};

/// Bytes of a directory that are held.
const DIRECTORY: u64 = 64 << 20;
/// The end record and the longest comment behind it.
const TAIL: u64 = 22 + 65_535;
/// In a field of 4 bytes: the value stands in the zip64 part.
const ELSEWHERE: u64 = 0xffff_ffff;

struct Entry {
    name: Vec<u8>,
    method: u16,
    is_encrypted: bool,
    packed: u64,
    at: u64,
}

pub(super) fn open(walk: &mut Walk<'_>, source: &mut dyn ReadSeek) {
    let outcome = directory(source).and_then(|directory| {
        for entry in entries(&directory)? {
            if walk.is_done() {
                break;
            }
            if let Err(error) = member(walk, source, &entry) {
                walk.below(&entry.name, |walk| walk.failed(&error));
            }
        }
        Ok(())
    });
    if let Err(error) = outcome {
        walk.gap(
            GapKind::Corrupt,
            format!("its directory cannot be read: {error}; members were searched as far as their own headers tell"),
        );
        salvage(walk, source);
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is damaged"))
}

/// The directory's bytes.
fn directory(source: &mut dyn ReadSeek) -> io::Result<Vec<u8>> {
    let length = source.seek(SeekFrom::End(0))?;
    let tail_at = length.saturating_sub(TAIL);
    source.seek(SeekFrom::Start(tail_at))?;
    let mut tail = Vec::new();
    source.take(TAIL).read_to_end(&mut tail)?;
    let end = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or_else(|| damaged("its end"))?;
    let record = &tail[end..];
    if record.len() < 22 {
        return Err(damaged("its end"));
    }
    let (mut size, mut at) = (little(record, 12, 4), little(record, 16, 4));
    let end_at = tail_at + end as u64;
    if at == ELSEWHERE || size == ELSEWHERE {
        let mut locator = [0; 20];
        source.seek(SeekFrom::Start(end_at.saturating_sub(20)))?;
        source.read_exact(&mut locator)?;
        let mut record = [0; 56];
        source.seek(SeekFrom::Start(little(&locator, 8, 8)))?;
        source.read_exact(&mut record)?;
        if !locator.starts_with(b"PK\x06\x07") || !record.starts_with(b"PK\x06\x06") {
            return Err(damaged("its zip64 end"));
        }
        (size, at) = (little(&record, 40, 8), little(&record, 48, 8));
    }
    if size > DIRECTORY || at.checked_add(size).is_none_or(|end| end > length) {
        return Err(damaged("its end"));
    }
    source.seek(SeekFrom::Start(at))?;
    let mut directory = vec![0; size as usize];
    source.read_exact(&mut directory)?;
    if size > 0 && !directory.starts_with(b"PK\x01\x02") {
        return Err(damaged("its end"));
    }
    Ok(directory)
}

fn entries(mut rest: &[u8]) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    while rest.starts_with(b"PK\x01\x02") {
        let (name, extra, comment) = (
            little(rest, 28, 2) as usize,
            little(rest, 30, 2) as usize,
            little(rest, 32, 2) as usize,
        );
        let end = 46 + name + extra + comment;
        if rest.len() < end {
            return Err(damaged("a member's entry"));
        }
        let (mut packed, mut at) = (little(rest, 20, 4), little(rest, 42, 4));
        let unpacked = little(rest, 24, 4);
        if let Some(wide) = zip64(&rest[46 + name..46 + name + extra]) {
            let mut wide = wide.chunks_exact(8).map(|field| little(field, 0, 8));
            for value in [&mut unpacked.clone(), &mut packed, &mut at] {
                if *value == ELSEWHERE {
                    *value = wide.next().unwrap_or(*value);
                }
            }
        }
        entries.push(Entry {
            name: rest[46..46 + name].to_vec(),
            method: little(rest, 10, 2) as u16,
            is_encrypted: little(rest, 8, 2) & 1 != 0,
            packed,
            at,
        });
        rest = &rest[end..];
    }
    Ok(entries)
}

/// The extra field that holds what does not fit into four bytes.
fn zip64(mut extra: &[u8]) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let size = little(extra, 2, 2) as usize;
        let body = extra.get(4..4 + size)?;
        if little(extra, 0, 2) == 1 {
            return Some(body);
        }
        extra = &extra[4 + size..];
    }
    None
}

fn member(walk: &mut Walk<'_>, source: &mut dyn ReadSeek, entry: &Entry) -> io::Result<()> {
    if entry.name.ends_with(b"/") && entry.packed <= 2 {
        return Ok(());
    }
    let mut header = [0; 30];
    source.seek(SeekFrom::Start(entry.at))?;
    source.read_exact(&mut header)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(damaged("its header"));
    }
    let skipped = little(&header, 26, 2) + little(&header, 28, 2);
    source.seek(SeekFrom::Start(entry.at + 30 + skipped))?;
    let mut packed = source.take(entry.packed);
    unpack(walk, entry, &mut packed)
}

fn unpack(walk: &mut Walk<'_>, entry: &Entry, packed: &mut dyn Read) -> io::Result<()> {
    if entry.is_encrypted {
        walk.below(&entry.name, |walk| {
            walk.gap(
                GapKind::Denied,
                "it is encrypted; unpack it with its password and scan the folder",
            );
        });
        return Ok(());
    }
    let read = BufReader::new(packed);
    let mut unpacked: Box<dyn Read + '_> = match entry.method {
        0 => Box::new(read),
        8 => Box::new(flate2::bufread::DeflateDecoder::new(read)),
        12 => Box::new(bzip2::bufread::BzDecoder::new(read)),
        93 => Box::new(ruzstd::decoding::StreamingDecoder::new(read).map_err(io::Error::other)?),
        95 => Box::new(lzma_rust2::XzReader::new_mem_limit(
            read,
            true,
            stream::XZ_MEMORY,
        )),
        method => {
            walk.below(&entry.name, |walk| {
                walk.gap(
                    GapKind::Unsupported,
                    format!("its compression (method {method}) is not known; unpack it and scan the folder"),
                );
            });
            return Ok(());
        }
    };
    walk.member(&entry.name, &mut Fused(Some(&mut unpacked)));
    Ok(())
}

/// Members by their own headers, wherever one stands.
fn salvage(walk: &mut Walk<'_>, source: &mut dyn ReadSeek) {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Err(error) = source
        .seek(SeekFrom::Start(0))
        .and_then(|_| source.take(MEMBER).read_to_end(&mut bytes))
    {
        return walk.failed(&error);
    }
    let starts: Vec<usize> = memchr::memmem::find_iter(&bytes, b"PK\x03\x04").collect();
    for (index, &at) in starts.iter().enumerate() {
        if walk.is_done() {
            return;
        }
        let header = &bytes[at..];
        let name = little(header, 26, 2) as usize;
        let body = 30 + name + little(header, 28, 2) as usize;
        let (Some(name), Some(rest)) = (header.get(30..30 + name), header.get(body..)) else {
            continue;
        };
        // The size may stand behind the body only; compression knows its own end.
        let stated = little(header, 18, 4);
        let next = starts.get(index + 1).map_or(bytes.len(), |&next| next);
        let packed = match stated {
            0 => next.saturating_sub(at + body) as u64,
            stated => stated,
        };
        let entry = Entry {
            name: name.to_vec(),
            method: little(header, 8, 2) as u16,
            is_encrypted: little(header, 6, 2) & 1 != 0,
            packed,
            at: 0,
        };
        if entry.name.ends_with(b"/") {
            continue;
        }
        if let Err(error) = unpack(walk, &entry, &mut rest.take(packed)) {
            walk.below(&entry.name, |walk| walk.failed(&error));
        }
    }
}
