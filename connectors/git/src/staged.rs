//! Reading git's index: which blob is staged at which path. Versions 2, 3 and 4.

use std::path::Path;

use keymuster_api::{GapKind, ObjectId};

use crate::layout::read_text;

/// One staged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path from the root of the working tree.
    pub(crate) path: Vec<u8>,
    /// Its blob.
    pub(crate) id: ObjectId,
}

/// The staged files; none if there is no index.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read(path: &Path, hash_len: usize) -> Result<Vec<Entry>, (GapKind, String)> {
    let bytes = match read_text(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err((
                GapKind::Unreadable,
                format!("the index cannot be read: {error}"),
            ));
        }
    };
    parse(&bytes, hash_len)
}

fn parse(bytes: &[u8], hash_len: usize) -> Result<Vec<Entry>, (GapKind, String)> {
    let corrupt = || {
        (
            GapKind::Corrupt,
            "the index makes no sense; run git reset".to_owned(),
        )
    };
    let number = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    if bytes.get(..4) != Some(b"DIRC") {
        return Err(corrupt());
    }
    let version = number(4).ok_or_else(corrupt)?;
    if !(2..=4).contains(&version) {
        return Err((
            GapKind::Unsupported,
            format!("index version {version} is not known"),
        ));
    }
    let count = number(8).ok_or_else(corrupt)?;
    let mut entries = Vec::new();
    let mut at = 12;
    let mut path: Vec<u8> = Vec::new();
    for _ in 0..count {
        let start = at;
        let mode = number(at + 24).ok_or_else(corrupt)?;
        at += 40;
        let raw = bytes.get(at..at + hash_len).ok_or_else(corrupt)?;
        at += hash_len;
        let flags = bytes.get(at..at + 2).ok_or_else(corrupt)?;
        at += 2;
        let mut intent_to_add = false;
        if flags[0] & 0x40 != 0 {
            intent_to_add = bytes.get(at).ok_or_else(corrupt)? & 0x20 != 0;
            at += 2;
        }
        if version == 4 {
            let strip = offset(bytes, &mut at).ok_or_else(corrupt)?;
            path.truncate(path.len().checked_sub(strip).ok_or_else(corrupt)?);
        } else {
            path.clear();
        }
        let rest = bytes.get(at..).ok_or_else(corrupt)?;
        let end = memchr::memchr(0, rest).ok_or_else(corrupt)?;
        path.extend_from_slice(&rest[..end]);
        at += end;
        at = if version == 4 {
            at + 1
        } else {
            start + (at - start) / 8 * 8 + 8
        };
        // Submodules are other repositories' commits; intents have no content yet.
        if mode >> 12 != 0o16 && !intent_to_add {
            let id = ObjectId::from_bytes(raw).ok_or_else(corrupt)?;
            entries.push(Entry {
                path: path.clone(),
                id,
            });
        }
    }
    while let Some(name) = bytes.get(at..at + 4)
        && bytes.len() > at + hash_len
    {
        if name == b"link" {
            let reason = "the index is split; run git update-index --no-split-index".to_owned();
            return Err((GapKind::Unsupported, reason));
        }
        let size = number(at + 4).ok_or_else(corrupt)?;
        at = at.saturating_add(8).saturating_add(size as usize);
    }
    Ok(entries)
}

/// The offset encoding of the pack format, which version 4 uses for lengths.
fn offset(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut byte = *bytes.get(*at)?;
    *at += 1;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = *bytes.get(*at)?;
        *at += 1;
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some(value)
}
