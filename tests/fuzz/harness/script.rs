//! The script of a forged pack, as a fuzzer changes it.
//!
//! First byte: bit 0 ids of 32 bytes, bit 1 index of version 1. Then entries:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | bits 0 to 2 kind as stored (1 commit, 2 tree, 3 blob, 4 tag, 6 and 7 deltas); bit 3 another size is declared; bit 4 the data is written as it is, not compressed; bit 5 wrong checksum in the index; bit 6 sizes of a delta are not mended |
//! | 1 | its id: this byte, repeated |
//! | 1 | its base: how many entries earlier (6; 255: 255 bytes earlier), or a byte of its id (7) |
//! | 2 | length of its data, little endian |
//! | 4 | only with bit 3: the declared size, little endian |
//! | … | its data, in which `FE x` is the id of byte x as in trees, `FD x` as in commits, and `FC x` 64 times x |

use super::format;

/// At most so many entries and bytes: what more would find, fewer find sooner.
const MOST_ENTRIES: usize = 64;
const MOST_BYTES: usize = 1 << 20;
/// Objects in the sweep may not be larger.
pub const LIMIT: u64 = 1 << 20;

/// A pack as a fuzzer writes it.
pub struct Script {
    flags: u8,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// One entry.
pub struct Entry {
    flags: u8,
    /// The kind as stored.
    pub kind: u8,
    /// The byte its id is made of.
    pub id: u8,
    /// What it says of its base.
    pub base: u8,
    declared: Option<u32>,
    /// What inflates, ids filled in and sizes mended.
    data: Vec<u8>,
    /// The object, where nothing about it is wrong.
    object: Option<(u8, Vec<u8>)>,
}

/// An entry as the script has it: kind and flags, byte of its id, base, data.
pub fn line(flags: u8, id: u8, base: u8, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_le_bytes();
    [&[flags, id, base], &length[..], data].concat()
}

/// What the script expects of one entry.
pub struct Expected {
    /// Its id.
    pub id: Vec<u8>,
    /// The number of its kind, and its bytes.
    pub object: Option<(u8, Vec<u8>)>,
}

/// Bytes as they are stored.
pub struct Packed {
    /// The declared size.
    pub size: u64,
    /// What follows the header.
    pub bytes: Vec<u8>,
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn one(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn two(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.one()?, self.one()?]))
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

impl Script {
    /// Reads a script; what is cut short is left out.
    pub fn read(input: &[u8]) -> Script {
        let mut bytes = Bytes(input);
        let mut script = Script {
            flags: bytes.one().unwrap_or(0),
            entries: Vec::new(),
        };
        let mut total = 0;
        while script.entries.len() < MOST_ENTRIES && total < MOST_BYTES {
            let Some(entry) = script.next(&mut bytes) else {
                break;
            };
            total += entry.data.len() + entry.object.as_ref().map_or(0, |(_, bytes)| bytes.len());
            script.entries.push(entry);
        }
        script
    }

    /// Bytes of an id.
    pub fn hash_len(&self) -> usize {
        if self.flags & 1 == 0 { 20 } else { 32 }
    }

    /// The version of the index.
    pub fn index_version(&self) -> u8 {
        if self.flags & 2 == 0 { 2 } else { 1 }
    }

    /// What each entry should give.
    pub fn expected(&self) -> Vec<Expected> {
        let is_checked = self.index_version() == 2;
        self.entries
            .iter()
            .map(|entry| Expected {
                id: vec![entry.id; self.hash_len()],
                object: entry
                    .object
                    .clone()
                    .filter(|_| !(is_checked && entry.wrong_crc())),
            })
            .collect()
    }

    fn next(&self, bytes: &mut Bytes<'_>) -> Option<Entry> {
        let flags = bytes.one()?;
        let (id, base) = (bytes.one()?, bytes.one()?);
        let length = bytes.two()?;
        let declared = if flags & 8 == 0 {
            None
        } else {
            let low = u32::from(bytes.two()?);
            Some(low | u32::from(bytes.two()?) << 16)
        };
        let mut entry = Entry {
            flags,
            kind: flags & 7,
            id,
            base,
            declared,
            data: self.filled(bytes.take(usize::from(length))),
            object: None,
        };
        let is_lie = declared.is_some() || flags & 16 != 0;
        match entry.kind {
            1..=4 if !is_lie => entry.object = Some((entry.kind, entry.data.clone())),
            6 | 7 => {
                let known = match entry.kind {
                    6 => entry
                        .earlier(self.entries.len())
                        .and_then(|at| self.entries.get(at)),
                    // Where several have the id, which of them is meant is not said here.
                    _ => self
                        .entries
                        .iter()
                        .find(|other| other.id == base)
                        .filter(|_| self.entries.iter().filter(|one| one.id == base).count() == 1),
                };
                let known = known.and_then(|base| base.object.clone());
                if flags & 64 == 0 {
                    let base = known.as_ref().map_or(0, |(_, bytes)| bytes.len());
                    entry.data =
                        format::delta(base as u64, format::length(&entry.data), &entry.data);
                }
                if let (false, Some((kind, base))) = (is_lie, known) {
                    entry.object =
                        format::apply(&base, &entry.data, LIMIT).map(|bytes| (kind, bytes));
                }
            }
            _ => {}
        }
        if entry.data.len() as u64 > LIMIT {
            entry.object = None;
        }
        Some(entry)
    }

    /// Data with ids filled in.
    fn filled(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut bytes = data.iter().copied();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.len()) {
                (0xfe, 1..) => out.extend(vec![bytes.next().unwrap_or(0); self.hash_len()]),
                (0xfd, 1..) => {
                    let hex = format!("{:02x}", bytes.next().unwrap_or(0));
                    out.extend(hex.repeat(self.hash_len()).into_bytes());
                }
                (0xfc, 1..) => out.extend(vec![bytes.next().unwrap_or(0); 64]),
                _ => out.push(byte),
            }
        }
        out
    }
}

impl Entry {
    /// Whether the index records another checksum than its bytes have.
    pub fn wrong_crc(&self) -> bool {
        self.flags & 32 != 0
    }

    /// The entry that a delta by distance is made on, itself being the `at`th.
    pub fn earlier(&self, at: usize) -> Option<usize> {
        match self.base {
            255 => None,
            base => at.checked_sub(usize::from(base) + 1),
        }
    }

    /// How it is stored.
    pub fn packed(&self) -> Packed {
        Packed {
            size: self
                .declared
                .map_or(self.data.len() as u64, |size| u64::from(size) << 4),
            bytes: if self.flags & 16 == 0 {
                format::stored(&self.data)
            } else {
                self.data.clone()
            },
        }
    }
}
