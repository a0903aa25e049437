//! Reading single objects by id: for thin bases, tags, restricted histories, second looks.

use std::collections::VecDeque;

use hashbrown::HashMap;
use keymuster_api::ObjectId;

use crate::{
    buffer::Buffer,
    delta::{self, Kind, Stored},
    fault::Fault,
    inflate::Inflater,
    loose,
    store::Store,
};

/// Chains longer than this are hostile.
const MAX_DEPTH: usize = 10_000;
/// Bases kept while single objects are read.
const CACHE_BYTES: usize = 48 << 20;

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
            delta::apply(
                bytes.bytes(),
                self.delta.bytes(),
                limit,
                &mut out,
                &mut copied,
            )?;
            bytes = out;
        }
        self.keep(self.store.address(number), kind, &bytes);
        Ok((kind, bytes))
    }

    fn read_loose(&mut self, number: u32) -> Result<(Kind, Buffer), Fault> {
        let index = number
            .checked_sub(self.store.first_loose)
            .ok_or(Fault::Missing)?;
        let object = self.store.loose.get(index as usize).ok_or(Fault::Missing)?;
        let dir = self
            .store
            .dirs
            .get(object.dir as usize)
            .ok_or(Fault::Missing)?;
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
            let Some(oldest) = self.cached.pop_front() else {
                break;
            };
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
    copy.resize(bytes.bytes().len())
        .copy_from_slice(bytes.bytes());
    copy
}

fn no_base(id: &[u8]) -> Fault {
    ObjectId::from_bytes(id).map_or(Fault::Missing, Fault::NoBase)
}
