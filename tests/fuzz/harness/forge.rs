//! A repository written from a script: a pack, and an index that fits it.
//!
//! What would stop a fuzzer at the door is mended: compressed streams, offsets, the order of the
//! index, checksums. Each can be left wrong where the script says so.

use std::{fs, io, path::Path};

use super::{
    format::{self, Line},
    script::Script,
};

/// A pack, and what its index should say.
pub struct Forged {
    /// The `.pack` file.
    pub pack: Vec<u8>,
    /// The lines of its index, sorted by id.
    pub lines: Vec<Line>,
    /// Bytes of an id.
    pub hash_len: usize,
}

impl Forged {
    /// Writes the pack of a script.
    pub fn new(script: &Script) -> Forged {
        let hash_len = script.hash_len();
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend((script.entries.len() as u32).to_be_bytes());
        let mut offsets: Vec<u64> = Vec::new();
        let mut lines = Vec::new();
        for entry in &script.entries {
            let start = pack.len();
            let packed = entry.packed();
            pack.extend(format::header(entry.kind, packed.size));
            match entry.kind {
                6 => {
                    let base = entry.earlier(offsets.len()).map(|base| offsets[base]);
                    let distance = base.map_or(u64::from(entry.base), |base| start as u64 - base);
                    pack.extend(format::distance(distance));
                }
                7 => pack.extend(vec![entry.base; hash_len]),
                _ => {}
            }
            pack.extend(packed.bytes);
            let crc = crc32fast::hash(&pack[start..]);
            lines.push(Line {
                id: vec![entry.id; hash_len],
                crc: if entry.wrong_crc() { !crc } else { crc },
                offset: start as u64,
            });
            offsets.push(start as u64);
        }
        pack.extend(checksum(&pack, hash_len));
        lines.sort_by(|a, b| a.id.cmp(&b.id));
        Forged {
            pack,
            lines,
            hash_len,
        }
    }

    /// The checksum that the pack ends with.
    pub fn checksum(&self) -> &[u8] {
        &self.pack[self.pack.len() - self.hash_len..]
    }

    /// An index with its own checksum.
    pub fn index(&self, lines: &[Line], version: u8) -> Vec<u8> {
        let mut index = format::index(lines, version, self.checksum());
        index.extend(checksum(&index, self.hash_len));
        index
    }

    /// Lays a repository out: the pack with this index, and a branch on each of these ids.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn lay_out(&self, folder: &Path, index: &[u8], tips: &[Vec<u8>]) -> io::Result<()> {
        let packs = folder.join("objects/pack");
        if !packs.is_dir() {
            fs::create_dir_all(&packs)?;
            fs::create_dir_all(folder.join("refs"))?;
            fs::write(folder.join("HEAD"), "ref: refs/heads/b0\n")?;
        }
        let config = match self.hash_len {
            20 => "",
            _ => "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n",
        };
        let mut refs = String::new();
        for (at, id) in tips.iter().enumerate() {
            id.iter()
                .for_each(|byte| refs.push_str(&format!("{byte:02x}")));
            refs.push_str(&format!(" refs/heads/b{at}\n"));
        }
        fs::write(folder.join("config"), config)?;
        fs::write(folder.join("packed-refs"), refs)?;
        fs::write(packs.join("pack-f.pack"), &self.pack)?;
        fs::write(packs.join("pack-f.idx"), index)
    }
}

/// The checksum that packs and indexes end with.
pub fn checksum(bytes: &[u8], hash_len: usize) -> Vec<u8> {
    let kind = match hash_len {
        20 => gix_hash::Kind::Sha1,
        _ => gix_hash::Kind::Sha256,
    };
    let mut hasher = gix_hash::hasher(kind);
    hasher.update(bytes);
    let sum = hasher.try_finalize().expect("nobody attacks a harness");
    sum.as_bytes().to_vec()
}
