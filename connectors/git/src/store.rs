//! Every object of a repository under one numbering: packs, then loose objects.
//!
//! An object that is stored several times has several numbers; [`Store::find`] always gives
//! the same one, the *canonical* number, which belongs to the first pack that has it.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use hashbrown::HashMap;
use keymuster_api::{GapKind, ObjectId};

use crate::{
    buffer::Buffer,
    delta::{self, Kind, Stored},
    fault::Fault,
    inflate::Inflater,
    layout::{self, RepositoryLayout},
    loose,
    pack::Pack,
};

/// Chains longer than this are hostile.
const MAX_DEPTH: usize = 10_000;
/// Bases kept while single objects are read.
const CACHE_BYTES: usize = 48 << 20;

/// All objects of one repository.
pub(crate) struct Store {
    /// Own packs first, then those of alternates; sorted by name within a folder.
    pub(crate) packs: Vec<Pack>,
    /// Loose objects that no pack has: sorted by id, each once.
    pub(crate) loose: Vec<Loose>,
    /// Bytes of an id.
    pub(crate) hash_len: usize,
    /// No object may be larger.
    pub(crate) limit: u64,
    /// Whether objects may be missing on purpose.
    pub(crate) promisor: bool,
    /// The object folders.
    dirs: Vec<PathBuf>,
    first_loose: u32,
}

/// A loose object.
pub(crate) struct Loose {
    /// Its id.
    pub(crate) id: ObjectId,
    /// Index of its folder in the list of object folders.
    dir: u32,
}

/// Something wrong that was met while opening: kind, subject, reason.
pub(crate) type Trouble = (GapKind, String, String);

impl Store {
    /// Opens what can be opened; the rest is in the list.
    pub(crate) fn open(
        layout: &RepositoryLayout,
        hash: gix_hash::Kind,
        limit: u64,
    ) -> (Store, Vec<Trouble>) {
        let mut troubles = Vec::new();
        let (dirs, wrong) = layout::object_dirs(&layout.common_dir);
        troubles.extend(wrong.into_iter().map(|what| {
            let reason = "objects in it stay unseen; correct info/alternates".to_owned();
            (GapKind::Missing, what, reason)
        }));
        let mut packs: Vec<Pack> = Vec::new();
        let mut promisor = false;
        let mut next = 0u32;
        for dir in &dirs {
            let folder = dir.join("pack");
            let names = match list(&folder) {
                Ok(names) => names,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    troubles.push(unreadable(&folder, &error));
                    continue;
                }
            };
            promisor |= names.iter().any(|name| name.ends_with(".promisor"));
            for name in names.iter().filter(|name| name.ends_with(".pack")) {
                let path = folder.join(name);
                match Pack::open(&path, hash, next) {
                    // The top bit is a flag elsewhere.
                    Ok(pack) if u64::from(next) + u64::from(pack.len()) < 1 << 30 => {
                        if pack.declared() != pack.len() {
                            let reason = format!(
                                "it holds {} objects and its index lists {}; run git index-pack",
                                pack.declared(),
                                pack.len()
                            );
                            troubles.push((GapKind::Corrupt, path.display().to_string(), reason));
                        }
                        next += pack.len();
                        packs.push(pack);
                    }
                    Ok(_) => troubles.push((
                        GapKind::Limit,
                        path.display().to_string(),
                        "more than 2^30 objects in one repository".to_owned(),
                    )),
                    Err(reason) => {
                        troubles.push((GapKind::Corrupt, path.display().to_string(), reason));
                    }
                }
            }
        }
        let mut store = Store {
            packs,
            loose: Vec::new(),
            hash_len: hash.len_in_bytes(),
            limit,
            promisor,
            dirs: Vec::new(),
            first_loose: next,
        };
        let mut loose = Vec::new();
        for (number, dir) in dirs.iter().enumerate() {
            for found in loose::list(dir, hash.len_in_bytes(), &mut troubles) {
                if store.find(found.as_bytes()).is_none() {
                    loose.push(Loose { id: found, dir: number as u32 });
                }
            }
        }
        loose.sort_by_key(|object| (object.id, object.dir));
        loose.dedup_by_key(|object| object.id);
        store.loose = loose;
        store.dirs = dirs;
        (store, troubles)
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.first_loose as usize + self.loose.len()
    }

    /// The canonical number of an object.
    pub(crate) fn find(&self, id: &[u8]) -> Option<u32> {
        for pack in &self.packs {
            if let Some(position) = pack.find(id) {
                return Some(pack.first + position);
            }
        }
        let found = self.loose.binary_search_by(|object| object.id.as_bytes().cmp(id)).ok()?;
        Some(self.first_loose + found as u32)
    }

    /// Whether this pack's copy is the canonical one.
    pub(crate) fn is_canonical(&self, pack: usize, position: u32) -> bool {
        let Some(own) = self.packs.get(pack) else { return false };
        let id = own.raw_id(position);
        self.packs.iter().take(pack).all(|earlier| earlier.find(id).is_none())
    }

    /// The id of a number.
    pub(crate) fn id(&self, number: u32) -> Option<ObjectId> {
        match self.in_pack(number) {
            Some((pack, position)) => self.packs[pack].id(position),
            None => {
                let index = number.checked_sub(self.first_loose)?;
                self.loose.get(index as usize).map(|object| object.id)
            }
        }
    }

    /// The number of the loose object with this index.
    pub(crate) fn loose_number(&self, index: usize) -> u32 {
        self.first_loose + index as u32
    }

    fn in_pack(&self, number: u32) -> Option<(usize, u32)> {
        if number >= self.first_loose {
            return None;
        }
        let pack = self.packs.partition_point(|pack| pack.first <= number).checked_sub(1)?;
        Some((pack, number - self.packs[pack].first))
    }

    /// Where an object lies, for reading many in a good order.
    pub(crate) fn address(&self, number: u32) -> (usize, u64) {
        match self.in_pack(number) {
            Some((pack, position)) => (pack, self.packs[pack].offset(position)),
            None => (usize::MAX, u64::from(number)),
        }
    }

    /// Ids that begin with these hexadecimal digits; at most two, because two are ambiguous.
    pub(crate) fn abbreviated(&self, hex: &[u8]) -> Vec<ObjectId> {
        let mut low = hex.to_vec();
        low.resize(self.hash_len * 2, b'0');
        let Some(low) = ObjectId::from_hex(&low) else { return Vec::new() };
        let fits = |id: &ObjectId| id.to_string().as_bytes().starts_with(hex);
        let mut found = Vec::new();
        for pack in &self.packs {
            let start = pack.lower_bound(low.as_bytes());
            found.extend((start..pack.len()).map_while(|at| pack.id(at).filter(fits)).take(2));
        }
        let start = self.loose.partition_point(|object| object.id < low);
        found.extend(self.loose[start..].iter().map(|object| object.id).take_while(fits).take(2));
        found.sort_unstable();
        found.dedup();
        found.truncate(2);
        found
    }
}

/// Reads single objects by id, with a few bases kept.
pub(crate) struct Reader<'a> {
    store: &'a Store,
    inflater: Inflater,
    delta: Buffer,
    cache: HashMap<(usize, u64), (Kind, Buffer)>,
    cached: VecDeque<(usize, u64)>,
    cached_bytes: usize,
}

impl<'a> Reader<'a> {
    /// A reader of this store.
    pub(crate) fn new(store: &'a Store) -> Reader<'a> {
        Reader {
            store,
            inflater: Inflater::new(store.limit),
            delta: Buffer::default(),
            cache: HashMap::new(),
            cached: VecDeque::new(),
            cached_bytes: 0,
        }
    }

    /// Reads an object by its raw id.
    pub(crate) fn read_id(&mut self, id: &[u8]) -> Result<(Kind, Buffer), Fault> {
        let number = self.store.find(id).ok_or(Fault::Missing)?;
        self.read(number)
    }

    /// Reads an object by its number.
    pub(crate) fn read(&mut self, number: u32) -> Result<(Kind, Buffer), Fault> {
        let Some((pack, position)) = self.store.in_pack(number) else {
            return self.read_loose(number);
        };
        let mut at = (pack, self.store.packs[pack].offset(position));
        let mut deltas = Vec::new();
        let (kind, mut bytes) = loop {
            if let Some((kind, cached)) = self.cache.get(&at) {
                break (*kind, copy(cached));
            }
            if deltas.len() > MAX_DEPTH {
                return Err(Fault::Limit("its delta chain is too long"));
            }
            let (pack, offset) = at;
            let own = &self.store.packs[pack];
            let (header, packed) = own
                .entry(offset, own.end())
                .ok_or(Fault::Corrupt("its header makes no sense"))?;
            let base = match header.stored {
                Stored::Whole(kind) => {
                    let mut out = Buffer::default();
                    self.inflater.exact(packed, header.size, &mut out)?;
                    break (kind, out);
                }
                Stored::Earlier(distance) => offset
                    .checked_sub(distance)
                    .filter(|&base| base < offset)
                    .map(|base| (pack, base))
                    .ok_or(Fault::Corrupt("its delta base lies outside the pack"))?,
                Stored::Named(id) => match own.find(id) {
                    Some(base) => (pack, own.offset(base)),
                    // A thin leftover: the base is in another pack, or loose.
                    None => match self.store.find(id) {
                        None => return Err(no_base(id)),
                        Some(base) => match self.store.in_pack(base) {
                            Some((other, at)) => (other, self.store.packs[other].offset(at)),
                            None => {
                                deltas.push((packed, header.size));
                                break self.read_loose(base)?;
                            }
                        },
                    },
                },
            };
            deltas.push((packed, header.size));
            at = base;
        };
        let mut copied = Vec::new();
        while let Some((packed, size)) = deltas.pop() {
            self.inflater.exact(packed, size, &mut self.delta)?;
            let mut out = Buffer::default();
            let limit = self.inflater.limit;
            delta::apply(bytes.bytes(), self.delta.bytes(), limit, &mut out, &mut copied)?;
            bytes = out;
        }
        self.keep(self.store.address(number), kind, &bytes);
        Ok((kind, bytes))
    }

    fn read_loose(&mut self, number: u32) -> Result<(Kind, Buffer), Fault> {
        let index = number.checked_sub(self.store.first_loose).ok_or(Fault::Missing)?;
        let object = self.store.loose.get(index as usize).ok_or(Fault::Missing)?;
        let dir = self.store.dirs.get(object.dir as usize).ok_or(Fault::Missing)?;
        let mut out = Buffer::default();
        let kind = loose::read(dir, &object.id, &mut self.inflater, &mut out)?;
        Ok((kind, out))
    }

    fn keep(&mut self, at: (usize, u64), kind: Kind, bytes: &Buffer) {
        let size = bytes.bytes().len() + 4096;
        if size > CACHE_BYTES / 4 || self.cache.contains_key(&at) {
            return;
        }
        while self.cached_bytes + size > CACHE_BYTES {
            let Some(oldest) = self.cached.pop_front() else { break };
            if let Some((_, gone)) = self.cache.remove(&oldest) {
                self.cached_bytes -= gone.bytes().len() + 4096;
            }
        }
        self.cache.insert(at, (kind, copy(bytes)));
        self.cached.push_back(at);
        self.cached_bytes += size;
    }
}

fn copy(bytes: &Buffer) -> Buffer {
    let mut copy = Buffer::default();
    copy.resize(bytes.bytes().len()).copy_from_slice(bytes.bytes());
    copy
}

fn no_base(id: &[u8]) -> Fault {
    ObjectId::from_bytes(id).map_or(Fault::Missing, Fault::NoBase)
}

fn list(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A folder or file that cannot be read, as trouble.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    let reason = format!("cannot be read: {error}; check permissions");
    (GapKind::Unreadable, path.display().to_string(), reason)
}
