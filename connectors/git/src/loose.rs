//! Loose objects: listing and reading `objects/ab/cdef…`.

use std::{fs, io::Read as _, path::Path};

use keymuster_api::ObjectId;

use crate::{
    buffer::Buffer,
    delta::Kind,
    fault::Fault,
    inflate::Inflater,
    store::{Trouble, unreadable},
};

/// The loose objects of one object folder, sorted.
pub(crate) fn list(dir: &Path, hash_len: usize, troubles: &mut Vec<Trouble>) -> Vec<ObjectId> {
    let mut found = Vec::new();
    for byte in 0..=255u8 {
        let prefix = format!("{byte:02x}");
        let folder = dir.join(&prefix);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                troubles.push(unreadable(&folder, &error));
                continue;
            }
        };
        for entry in entries {
            let name = match entry {
                Ok(entry) => entry.file_name(),
                Err(error) => {
                    troubles.push(unreadable(&folder, &error));
                    break;
                }
            };
            // Other names (`tmp_obj_…`) are unfinished writes and no objects yet.
            let hex = format!("{prefix}{}", name.to_string_lossy());
            if let Some(id) = ObjectId::from_hex(hex.as_bytes())
                && id.as_bytes().len() == hash_len
            {
                found.push(id);
            }
        }
    }
    found.sort_unstable();
    found
}

/// Reads a loose object: its kind, and its contents into `out`.
pub(crate) fn read(
    dir: &Path,
    id: &ObjectId,
    inflater: &mut Inflater,
    out: &mut Buffer,
) -> Result<Kind, Fault> {
    const SENSELESS: Fault = Fault::Corrupt("its header makes no sense");
    let hex = id.to_string();
    let unreadable = |error: std::io::Error| Fault::Unreadable(error.to_string());
    let file = fs::File::open(dir.join(&hex[..2]).join(&hex[2..])).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(Fault::Corrupt("it is no file"));
    }
    if meta.len() > inflater.limit.saturating_add(1 << 16) {
        return Err(Fault::Limit("it is larger than the object size limit"));
    }
    let mut packed = Vec::with_capacity(meta.len() as usize);
    file.take(meta.len())
        .read_to_end(&mut packed)
        .map_err(unreadable)?;
    inflater.unsized_stream(&packed, out)?;
    let bytes = out.bytes();
    let head = bytes.get(..bytes.len().min(32)).unwrap_or_default();
    let end = memchr::memchr(0, head).ok_or(SENSELESS)?;
    let mut words = head[..end].split(|&byte| byte == b' ');
    let kind = words.next().and_then(Kind::from_word).ok_or(SENSELESS)?;
    let size = words
        .next()
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok())
        .ok_or(SENSELESS)?;
    if size != (bytes.len() - end - 1) as u64 {
        return Err(Fault::Corrupt("its size is not the one it declares"));
    }
    out.drop_front(end + 1);
    Ok(kind)
}
