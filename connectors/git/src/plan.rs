//! The plan of a pack: its entries in order, and the trees that their deltas make.
//!
//! 21 bytes per entry, because plans of large packs stay in memory for the whole run.

use keymuster_api::ObjectId;

use crate::{delta::Stored, pack::Pack};

/// No entry.
pub(crate) const NONE: u32 = u32::MAX;

/// Entries in the order of the pack, and who is whose delta.
pub(crate) struct Plan {
    /// Where each entry begins, ascending.
    offsets: Vec<u64>,
    /// Position of each entry in the index.
    positions: Vec<u32>,
    /// The first delta on this entry.
    first_child: Vec<u32>,
    /// The next delta on the same base. The heaviest comes last: the walk can then drop the
    /// base before it goes down, and at most log2(n) buffers are alive.
    next_sibling: Vec<u32>,
    /// Entries at and below this one that somebody wants to see; zero where all of them are
    /// in another pack as well.
    pub(crate) needed: Vec<u32>,
    /// The number of each entry's kind; 0 where it cannot be known.
    kinds: Vec<u8>,
    /// Roots in the order of the pack.
    pub(crate) roots: Vec<Root>,
    /// Entries whose offset lies outside, or is that of another entry.
    pub(crate) misplaced: u32,
    /// Entries whose header makes no sense.
    pub(crate) senseless: Vec<u32>,
    /// Entries that no root reaches: deltas on each other, or on unreadable ones.
    pub(crate) unreached: u32,
    end: u64,
}

/// The root of a delta tree.
#[derive(Clone, Copy)]
pub(crate) struct Root {
    /// The entry.
    pub(crate) entry: u32,
    /// Compressed bytes of the whole tree.
    pub(crate) packed: u64,
    /// Whether it is itself a delta, on an object outside the pack.
    pub(crate) thin: bool,
}

impl Plan {
    /// Reads every header of the pack. `wanted` tells, for a position in the index and the
    /// number of a kind, whether this copy of the object is to be seen.
    pub(crate) fn new(pack: &Pack, wanted: impl Fn(u32, u8) -> bool) -> Plan {
        let end = pack.end();
        let mut pairs: Vec<(u64, u32)> = (0..pack.len())
            .map(|position| (pack.offset(position), position))
            .collect();
        let listed = pairs.len();
        pairs.retain(|&(offset, _)| offset >= 12 && offset < end);
        pairs.sort_unstable();
        pairs.dedup_by_key(|&mut (offset, _)| offset);
        let offsets: Vec<u64> = pairs.iter().map(|&(offset, _)| offset).collect();
        let positions: Vec<u32> = pairs.iter().map(|&(_, position)| position).collect();
        let misplaced = (listed - pairs.len()) as u32;
        drop(pairs);

        let count = offsets.len();
        let finder = Finder::new(&offsets, end);
        let mut parents = vec![NONE; count];
        let mut kinds = vec![0u8; count];
        let mut senseless = Vec::new();
        let mut thin = Vec::new();
        let mut in_order = true;
        for entry in 0..count {
            let stop = offsets.get(entry + 1).copied().unwrap_or(end);
            let Some((header, _)) = pack.entry(offsets[entry], stop) else {
                senseless.push(entry as u32);
                continue;
            };
            let parent = match header.stored {
                Stored::Whole(kind) => {
                    kinds[entry] = kind.number();
                    continue;
                }
                Stored::Earlier(distance) => offsets[entry]
                    .checked_sub(distance)
                    .and_then(|offset| finder.find(&offsets, offset)),
                Stored::Named(id) => match pack.find(id) {
                    Some(position) => finder.find(&offsets, pack.offset(position)),
                    None => {
                        thin.push(entry as u32);
                        continue;
                    }
                },
            };
            match parent {
                Some(parent) => {
                    in_order &= (parent as usize) < entry;
                    parents[entry] = parent;
                    if let Some(&kind) = kinds.get(parent as usize) {
                        kinds[entry] = kind;
                    }
                }
                None => senseless.push(entry as u32),
            }
        }
        drop(finder);

        let order = if in_order {
            None
        } else {
            Some(top_down(&parents))
        };
        let steps = order.as_ref().map_or(count, Vec::len);
        let step = |i: usize| order.as_ref().map_or(i, |order| order[i] as usize);
        let mut needed = vec![0u32; count];
        let mut packed = vec![0u64; count];
        for i in 0..steps {
            let entry = step(i);
            let stop = offsets.get(entry + 1).copied().unwrap_or(end);
            packed[entry] = stop - offsets[entry];
            if order.is_some() && parents[entry] != NONE {
                kinds[entry] = kinds[parents[entry] as usize];
            }
            needed[entry] = u32::from(wanted(positions[entry], kinds[entry]));
        }
        let mut heavy = vec![NONE; count];
        for i in (0..steps).rev() {
            let entry = step(i);
            let parent = parents[entry] as usize;
            if parent >= count {
                continue;
            }
            packed[parent] += packed[entry];
            needed[parent] += needed[entry];
            let heaviest = heavy[parent];
            if heaviest == NONE || needed[heaviest as usize] < needed[entry] {
                heavy[parent] = entry as u32;
            }
        }
        let (mut first_child, mut next_sibling) = (vec![NONE; count], vec![NONE; count]);
        for (parent, &heaviest) in heavy.iter().enumerate() {
            first_child[parent] = heaviest;
        }
        for entry in (0..count).rev() {
            let parent = parents[entry] as usize;
            if parent < count && heavy[parent] != entry as u32 {
                next_sibling[entry] = first_child[parent];
                first_child[parent] = entry as u32;
            }
        }
        let mut roots = Vec::new();
        let mut thin_left = thin.iter().copied().peekable();
        for entry in 0..count {
            let is_thin = thin_left.next_if_eq(&(entry as u32)).is_some();
            if parents[entry] == NONE && (kinds[entry] != 0 || is_thin) {
                roots.push(Root {
                    entry: entry as u32,
                    packed: packed[entry],
                    thin: is_thin,
                });
            }
        }
        Plan {
            offsets,
            positions,
            first_child,
            next_sibling,
            needed,
            kinds,
            roots,
            misplaced,
            senseless,
            unreached: (count - steps) as u32,
            end,
        }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Where an entry begins.
    pub(crate) fn offset(&self, entry: u32) -> u64 {
        self.offsets.get(entry as usize).copied().unwrap_or(0)
    }

    /// Where an entry begins and ends.
    pub(crate) fn span(&self, entry: u32) -> (u64, u64) {
        let end = self
            .offsets
            .get(entry as usize + 1)
            .copied()
            .unwrap_or(self.end);
        (self.offset(entry), end)
    }

    /// Its position in the index.
    pub(crate) fn position(&self, entry: u32) -> u32 {
        self.positions[entry as usize]
    }

    /// The first delta on it.
    pub(crate) fn first_child(&self, entry: u32) -> u32 {
        self.first_child[entry as usize]
    }

    /// The next delta on the same base.
    pub(crate) fn next_sibling(&self, entry: u32) -> u32 {
        self.next_sibling[entry as usize]
    }

    /// The number of its kind, 0 where only its base outside the pack can tell.
    pub(crate) fn kind(&self, entry: u32) -> u8 {
        self.kinds[entry as usize]
    }

    /// How many entries hang below these, themselves counted.
    pub(crate) fn count_below(&self, top: u32) -> u64 {
        let mut stack = vec![top];
        let mut count = 0;
        while let Some(entry) = stack.pop() {
            count += 1;
            let mut child = self.first_child(entry);
            while child != NONE {
                stack.push(child);
                child = self.next_sibling(child);
            }
        }
        count
    }

    /// The id of an entry.
    pub(crate) fn id(&self, pack: &Pack, entry: u32) -> Option<ObjectId> {
        pack.id(self.position(entry))
    }
}

/// Entries with every base before its deltas; those in cycles are left out.
fn top_down(parents: &[u32]) -> Vec<u32> {
    let (mut first, mut next) = (vec![NONE; parents.len()], vec![NONE; parents.len()]);
    let mut order = Vec::with_capacity(parents.len());
    for (entry, &parent) in parents.iter().enumerate().rev() {
        if parent == NONE {
            order.push(entry as u32);
        } else {
            next[entry] = first[parent as usize];
            first[parent as usize] = entry as u32;
        }
    }
    let mut at = 0;
    while let Some(&entry) = order.get(at) {
        at += 1;
        let mut child = first[entry as usize];
        while child != NONE {
            order.push(child);
            child = next[child as usize];
        }
    }
    order
}

/// Finds the entry that begins at an offset: a million times, so by bucket.
struct Finder {
    shift: u32,
    starts: Vec<u32>,
}

impl Finder {
    fn new(offsets: &[u64], end: u64) -> Finder {
        let per_entry = (end / (offsets.len() as u64).max(1)).max(1);
        let shift = per_entry.ilog2();
        let mut starts = vec![0u32; (end >> shift) as usize + 2];
        for &offset in offsets {
            starts[(offset >> shift) as usize + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        Finder { shift, starts }
    }

    fn find(&self, offsets: &[u64], offset: u64) -> Option<u32> {
        let bucket = (offset >> self.shift) as usize;
        let (low, high) = (*self.starts.get(bucket)?, *self.starts.get(bucket + 1)?);
        let found = offsets
            .get(low as usize..high as usize)?
            .binary_search(&offset)
            .ok()?;
        Some(low + found as u32)
    }
}
