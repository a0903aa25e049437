//! One pack: its bytes and its index, mapped by gix-pack, and the plan of its delta trees.
//!
//! Only the mapping and the index layout are gix's; entries and deltas are ours
//! (`delta`), because the order in which they are decoded is what this crate exists for.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::UNIX_EPOCH,
};

use keymuster_api::{ObjectId, wire::Writer};

use crate::{
    delta::{self, Header},
    plan::Plan,
};

/// One pack.
pub(crate) struct Pack {
    /// The `.pack` file.
    pub(crate) path: PathBuf,
    data: gix_pack::data::File,
    index: gix_pack::index::File,
    /// Number of this pack's first object in the store's numbering.
    pub(crate) first: u32,
    /// Where each two-byte prefix begins in the index.
    prefixes: OnceLock<Prefixes>,
    plan: Mutex<Option<Arc<Plan>>>,
}

impl Pack {
    /// Maps a pack and its index.
    ///
    /// # Errors
    /// What is wrong with which of the two, for a gap.
    pub(crate) fn open(path: &Path, hash: gix_hash::Kind, first: u32) -> Result<Pack, String> {
        let index_path = path.with_extension("idx");
        if !index_path.is_file() {
            return Err("the pack has no index; run git index-pack on it".to_owned());
        }
        let index = gix_pack::index::File::at(&index_path, hash)
            .map_err(|error| format!("its index cannot be read: {error}; run git index-pack"))?;
        let data = gix_pack::data::File::at(path, hash)
            .map_err(|error| format!("it cannot be read: {error}; run git fsck"))?;
        Ok(Pack {
            path: path.to_owned(),
            data,
            index,
            first,
            prefixes: OnceLock::new(),
            plan: Mutex::default(),
        })
    }

    /// What says that the pack is still the same files: their place, sizes, times and
    /// checksums. `None` if they cannot be looked at.
    pub(crate) fn identity(&self) -> Option<Vec<u8>> {
        let mut out = Writer::default();
        for path in [&self.path, self.index.path()] {
            let meta = fs::metadata(path).ok()?;
            let changed = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            out.number(meta.len());
            out.number(changed.as_nanos() as u64);
        }
        let folder = self.path.canonicalize().ok()?;
        out.blob(folder.as_os_str().as_encoded_bytes());
        out.blob(self.index.index_checksum().as_bytes());
        out.blob(self.data.checksum().as_bytes());
        Some(out.bytes)
    }

    /// How many objects the index lists.
    pub(crate) fn len(&self) -> u32 {
        self.index.num_objects()
    }

    /// How many objects the pack itself says it holds.
    pub(crate) fn declared(&self) -> u32 {
        self.data.num_objects()
    }

    /// Where entries end: the trailing checksum.
    pub(crate) fn end(&self) -> u64 {
        self.data.pack_end() as u64
    }

    /// Bytes of an id.
    pub(crate) fn hash_len(&self) -> usize {
        self.index.object_hash().len_in_bytes()
    }

    /// The raw id at this position of the index.
    pub(crate) fn raw_id(&self, position: u32) -> &[u8] {
        self.index.oid_at_index(position).as_bytes()
    }

    /// The id at this position of the index.
    pub(crate) fn id(&self, position: u32) -> Option<ObjectId> {
        ObjectId::from_bytes(self.raw_id(position))
    }

    /// Where the entry at this position of the index begins.
    pub(crate) fn offset(&self, position: u32) -> u64 {
        self.index.pack_offset_at_index(position)
    }

    /// Whether the stored bytes of an entry are those that the index recorded. Deltas are
    /// protected by checksums of themselves only, so that a damaged reference to a base would
    /// silently make another object.
    pub(crate) fn is_intact(&self, position: u32, start: u64, end: u64) -> bool {
        match self.index.crc32_at_index(position) {
            Some(recorded) => crc32fast::hash(self.slice(start, end)) == recorded,
            None => true, // version 1 recorded nothing
        }
    }

    /// Whether the index is what git once wrote, by its own checksum.
    pub(crate) fn index_is_intact(&self) -> bool {
        let hash_len = self.hash_len();
        let Ok(mut file) = fs::File::open(self.index.path()) else {
            return false;
        };
        let mut hasher = gix_hash::hasher(self.index.object_hash());
        let Ok(size) = file.metadata().map(|meta| meta.len()) else {
            return false;
        };
        let mut left = size.saturating_sub(hash_len as u64);
        let mut part = vec![0; 1 << 16];
        while left > 0 {
            let room = part.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match file.read(&mut part[..room]) {
                Ok(count) if count > 0 => {
                    hasher.update(&part[..count]);
                    left -= count as u64;
                }
                _ => return false,
            }
        }
        hasher
            .try_finalize()
            .is_ok_and(|found| found == self.index.index_checksum())
    }

    /// The position of an id in the index.
    pub(crate) fn find(&self, id: &[u8]) -> Option<u32> {
        if id.len() != self.hash_len() {
            return None;
        }
        let (mut low, mut high) = match self.prefixes.get() {
            Some(prefixes) => {
                let bucket = prefixes.bucket(id);
                (
                    *prefixes.starts.get(bucket)?,
                    *prefixes.starts.get(bucket + 1)?,
                )
            }
            None => (0, self.len()),
        };
        while low < high {
            let middle = low + (high - low) / 2;
            match self.raw_id(middle).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The numbers of those of these ids that it has, after [`Pack::prepare_find`].
    ///
    /// Nearly all the time of a look-up is spent waiting for memory, so that it is asked for many
    /// at once.
    pub(crate) fn find_each(&self, ids: &[&[u8]], found: &mut [u32]) {
        let Some(prefixes) = self.prefixes.get() else {
            return;
        };
        let buckets: Vec<(u32, u32)> = ids
            .iter()
            .map(|id| {
                let bucket = prefixes.bucket(id);
                (prefixes.starts[bucket], prefixes.starts[bucket + 1])
            })
            .collect();
        let head = |id: &[u8]| id.first_chunk().copied().map(u64::from_be_bytes);
        let firsts: Vec<Option<u64>> = buckets
            .iter()
            .map(|&(low, high)| (low < high).then(|| head(self.raw_id(low)))?)
            .collect();
        let asked = ids.iter().zip(&buckets).zip(&firsts).zip(found);
        for (((id, &(low, high)), &first), found) in asked {
            let from = if first == head(id) { low } else { low + 1 };
            if let Some(position) = (from..high).find(|&position| self.raw_id(position) == *id) {
                *found = self.first + position;
            }
        }
    }

    /// The first position whose id is not below these bytes, which may be a part of one.
    pub(crate) fn lower_bound(&self, id: &[u8]) -> u32 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.raw_id(middle) < id {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }

    /// Makes [`Pack::find`] fast; worth it before millions of calls.
    pub(crate) fn prepare_find(&self) {
        self.prefixes.get_or_init(|| {
            // About one id a bucket: a look-up is then two cache misses.
            let bits = (self.len().max(2).ilog2() + 1).clamp(8, 24);
            let mut prefixes = Prefixes {
                shift: 32 - bits,
                starts: vec![0u32; (1 << bits) + 1],
            };
            for position in 0..self.len() {
                let bucket = prefixes.bucket(self.raw_id(position));
                prefixes.starts[bucket + 1] += 1;
            }
            for bucket in 0..1 << bits {
                prefixes.starts[bucket + 1] += prefixes.starts[bucket];
            }
            prefixes
        });
    }

    /// The bytes from `start` to `end`; empty if they are not inside.
    pub(crate) fn slice(&self, start: u64, end: u64) -> &[u8] {
        if start < 12 || start > end || end > self.end() {
            return &[];
        }
        self.data.entry_slice(start..end).unwrap_or_default()
    }

    /// The header of the entry between two offsets, and its compressed bytes.
    pub(crate) fn entry(&self, start: u64, end: u64) -> Option<(Header<'_>, &[u8])> {
        let bytes = self.slice(start, end);
        let header = delta::header(bytes, self.hash_len())?;
        Some((header, bytes.get(header.data_at..)?))
    }

    /// The plan of its delta trees, made at the first call.
    pub(crate) fn plan(&self, wanted: impl Fn(u32, u8) -> bool) -> Arc<Plan> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(plan.get_or_insert_with(|| Arc::new(Plan::new(self, wanted))))
    }

    /// Frees the plan, which is large: no delta tree will be walked again.
    pub(crate) fn forget_plan(&self) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Where the ids with each first bits begin in the index.
struct Prefixes {
    shift: u32,
    starts: Vec<u32>,
}

impl Prefixes {
    fn bucket(&self, id: &[u8]) -> usize {
        id.first_chunk()
            .map_or(0, |first| u32::from_be_bytes(*first) >> self.shift) as usize
    }
}
