//! Reading trees and commits into a part of the graph.
//!
//! A tree that is stored as changes keeps the entries of its base where a copied range covers
//! them to their last byte; only the others are parsed, interned and looked up.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use keymuster_api::{Copied, ObjectId};

use crate::{
    commit::{self, CommitHead},
    delta::Kind,
    fault::Fault,
    graph::{COPY, MAX_MISSING, MISSING},
    plan::{NONE, Plan},
    repository::Repository,
    sweep,
    tree::TreeEntry,
    walk::{Part, Visit},
};

/// A part of the graph, read by one worker.
#[derive(Default)]
pub(crate) struct Shard {
    /// The base of each tree, within the shard.
    pub(crate) base: Vec<u32>,
    /// The object number of each tree.
    pub(crate) object: Vec<u32>,
    /// Where each tree's operations end.
    pub(crate) op_end: Vec<u32>,
    /// Operations, names within the shard.
    pub(crate) ops: Vec<[u32; 2]>,
    /// Names, with their numbers.
    pub(crate) names: HashMap<Box<[u8]>, u32>,
    /// Commits.
    pub(crate) commits: Vec<CommitHead>,
    /// Ids that are referred to and not there.
    pub(crate) missing: HashSet<ObjectId>,
    /// Whether something could not be read.
    pub(crate) damaged: bool,
}

/// Reads the trees or commits of a delta tree into a shard.
pub(crate) struct ShardVisit<'a> {
    /// The repository.
    pub(crate) repo: &'a Repository,
    /// The pack, `None` for objects read one by one.
    pub(crate) pack: Option<usize>,
    /// Whether these are commits, and not trees.
    pub(crate) commits: bool,
    /// Where it goes.
    pub(crate) shard: Shard,
    /// The number of the object that is visited, where there is no pack.
    pub(crate) number: u32,
    /// The pack's plan.
    plan: Option<Arc<Plan>>,
    /// Operations whose objects are not looked up yet: many at once wait for memory together.
    pending: Vec<u32>,
    /// The ids of those, one behind the other.
    pending_ids: Vec<u8>,
}

/// Look-ups that are made at once.
const LOOK_UPS: usize = 256;

/// What is kept of a tree while others are made from it.
pub(crate) struct TreeNote {
    tree: u32,
    /// Where each entry begins, and where the last one ends.
    bounds: Vec<u32>,
}

impl<'a> ShardVisit<'a> {
    /// A visit that fills an empty shard.
    pub(crate) fn new(repo: &'a Repository, pack: Option<usize>, commits: bool) -> ShardVisit<'a> {
        ShardVisit {
            repo,
            pack,
            commits,
            shard: Shard::default(),
            number: 0,
            plan: pack.map(|number| sweep::plan(repo, number)),
            pending: Vec::new(),
            pending_ids: Vec::new(),
        }
    }

    /// What was read.
    pub(crate) fn finish(mut self) -> Shard {
        self.look_up();
        // Many shards wait for each other.
        self.shard.ops.shrink_to_fit();
        self.shard.op_end.shrink_to_fit();
        self.shard.base.shrink_to_fit();
        self.shard.object.shrink_to_fit();
        self.shard
    }

    /// Looks up what is pending.
    fn look_up(&mut self) {
        let store = &self.repo.store;
        let ids = self.pending_ids.chunks_exact(store.hash_len);
        let found = store.find_each(&self.pending_ids);
        for ((&op, id), found) in self.pending.iter().zip(ids).zip(found) {
            if found == NONE && self.shard.missing.len() < MAX_MISSING {
                self.shard.missing.extend(ObjectId::from_bytes(id));
            }
            self.shard.ops[op as usize][0] = if found == NONE { MISSING } else { found };
        }
        self.pending.clear();
        self.pending_ids.clear();
    }

    fn number(&self, entry: u32) -> u32 {
        let (Some(number), Some(plan)) = (self.pack, &self.plan) else {
            return self.number;
        };
        let pack = &self.repo.store.packs[number];
        let position = plan.position(entry);
        if number == 0 {
            return pack.first + position;
        }
        self.repo
            .store
            .find(pack.raw_id(position))
            .unwrap_or(pack.first + position)
    }

    fn see(
        &mut self,
        entry: u32,
        bytes: &[u8],
        copied: &[Copied],
        base: Option<&TreeNote>,
    ) -> TreeNote {
        let number = self.number(entry);
        if self.commits {
            let store = &self.repo.store;
            match commit::head(bytes, MISSING, |id| store.find(id)) {
                Some(parsed) => {
                    self.shard.missing.extend(parsed.absent);
                    self.shard.commits.push(CommitHead {
                        number,
                        ..parsed.head
                    });
                }
                None => self.broken(number, "its commit header makes no sense"),
            }
            return TreeNote {
                tree: NONE,
                bounds: Vec::new(),
            };
        }
        let tree = self.shard.base.len() as u32;
        self.shard.base.push(base.map_or(NONE, |base| base.tree));
        self.shard.object.push(number);
        let bounds = self.entries(number, bytes, copied, base);
        self.shard.op_end.push(self.shard.ops.len() as u32);
        let is_counted = self.repo.is_in_graph(number);
        if !is_counted && (self.pack.is_none_or(|pack| pack == 0) || self.is_canonical(entry)) {
            self.repo.tally.saw(Kind::Tree, 1, bytes.len() as u64);
        }
        TreeNote { tree, bounds }
    }

    fn is_canonical(&self, entry: u32) -> bool {
        match (self.pack, &self.plan) {
            (Some(number), Some(plan)) => {
                let position = plan.position(entry);
                self.repo.store.is_canonical(number, position)
            }
            _ => true,
        }
    }

    /// Records the operations of a tree; gives the bounds of its entries.
    fn entries(
        &mut self,
        number: u32,
        bytes: &[u8],
        copied: &[Copied],
        base: Option<&TreeNote>,
    ) -> Vec<u32> {
        let first_op = self.shard.ops.len();
        let old = base.map_or(&[][..], |base| &base.bounds);
        let mut bounds = Vec::with_capacity(old.len() + 2);
        let mut ranges = copied.iter().peekable();
        let mut at = 0;
        while at < bytes.len() {
            while ranges.next_if(|range| range.at + range.len <= at).is_some() {}
            if let Some(range) = ranges.peek()
                && range.at <= at
                && let from = at - range.at + range.from
                && let Ok(first) = old.binary_search(&(from as u32))
            {
                // Entries that lie in the range to their last byte were taken whole.
                let stop = range.from + range.len;
                let last = old.partition_point(|&bound| bound as usize <= stop) - 1;
                if last > first {
                    let shift = (at as u32).wrapping_sub(old[first]);
                    bounds.extend(
                        old[first..last]
                            .iter()
                            .map(|bound| bound.wrapping_add(shift)),
                    );
                    at += (old[last] - old[first]) as usize;
                    self.copy(first_op, first as u32, (last - first) as u32);
                    continue;
                }
            }
            let Some(entry) = TreeEntry::parse(&bytes[at..], self.repo.store.hash_len) else {
                self.broken(number, "its entries make no sense");
                break;
            };
            bounds.push(at as u32);
            at += entry.len;
            let name = match self.shard.names.get(entry.name) {
                Some(&known) => known,
                None => {
                    let next = self.shard.names.len() as u32;
                    self.shard.names.insert(entry.name.into(), next);
                    next
                }
            };
            // A submodule's commit belongs to another repository.
            if !entry.is_submodule() {
                self.pending.push(self.shard.ops.len() as u32);
                self.pending_ids.extend_from_slice(entry.id);
            }
            self.shard.ops.push([MISSING, name]);
        }
        if self.pending.len() >= LOOK_UPS {
            self.look_up();
        }
        bounds.push(at as u32);
        bounds
    }

    fn copy(&mut self, first_op: usize, from: u32, count: u32) {
        if self.shard.ops.len() > first_op
            && let Some([a, b]) = self.shard.ops.last_mut()
            && *a & COPY != 0
            && (*a & !COPY) + *b == from
        {
            *b += count;
        } else {
            self.shard.ops.push([from | COPY, count]);
        }
    }

    fn broken(&mut self, number: u32, what: &'static str) {
        self.shard.damaged = true;
        let id = self
            .repo
            .store
            .id(number)
            .map(|id| id.to_string())
            .unwrap_or_default();
        let fault = Fault::Corrupt(what);
        let subject = format!("{}: object {id}", self.repo.name);
        self.repo.trouble(fault.kind(), subject, fault.reason());
    }
}

impl Visit for ShardVisit<'_> {
    type Note = TreeNote;
    const FORKS: bool = false;

    fn whole(&mut self, entry: u32, bytes: &[u8]) -> TreeNote {
        self.see(entry, bytes, &[], None)
    }

    fn made(&mut self, entry: u32, bytes: &[u8], copied: &[Copied], base: &TreeNote) -> TreeNote {
        self.see(entry, bytes, copied, Some(base))
    }

    fn lost(&mut self, entry: u32, fault: Fault) {
        self.shard.damaged = true;
        if self.commits {
            return; // the sweep tells of commits
        }
        let (Some(number), Some(plan)) = (self.pack, &self.plan) else {
            return;
        };
        let pack = &self.repo.store.packs[number];
        let place = self
            .repo
            .entry_place(number, plan.offset(entry), plan.id(pack, entry));
        let mut reason = fault.reason();
        let below = plan.count_below(entry) - 1;
        if below > 0 {
            reason.push_str(&format!(
                "; {below} trees stored as changes to it are lost with it"
            ));
        }
        self.repo
            .trouble(fault.kind(), format!("{}: {place}", self.repo.name), reason);
    }

    fn stop(&mut self) -> bool {
        false
    }

    fn fork(&mut self, _parts: Vec<Part<TreeNote>>) {}
}
