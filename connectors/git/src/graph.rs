//! The graph of a repository: which tree holds what under which name, which commit has which
//! tree and parents.
//!
//! Trees are stored as git stores them: as changes to other trees. A tree is a list of
//! operations of eight bytes each: a fresh entry (child, name) or a run of entries copied
//! from its base. Only fresh entries are parsed and looked up, so that reading the graph costs
//! hardly more than decoding the trees; a history of a million trees needs about 70 MB.

use hashbrown::{HashMap, HashSet};
use keymuster_api::{Copied, ObjectId};

use crate::{
    commit::{self, CommitHead},
    fault::Fault,
    graph_read,
    plan::NONE,
    repository::Repository,
    walk::{Part, Visit},
};

/// A child or parent that the store does not have.
pub(crate) const MISSING: u32 = NONE >> 2;
/// Marks an operation as a copied run.
const COPY: u32 = 1 << 31;
/// Marks a slot as a commit's.
const COMMIT: u32 = 1 << 31;
/// Missing objects are counted up to here.
const MAX_MISSING: usize = 4 << 20;

/// An operation that makes a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// One entry that the base does not have here.
    Fresh {
        /// Canonical number of the object, or [`MISSING`].
        child: u32,
        /// Index of the name.
        name: u32,
    },
    /// Entries of the base, unchanged.
    Copied {
        /// Position of the first in the base.
        from: u32,
        /// How many.
        count: u32,
    },
}

/// Trees and commits of one repository.
#[derive(Default)]
pub(crate) struct Graph {
    /// The base of each tree, as a tree; [`NONE`] where all of its entries are fresh.
    /// Trees are in preorder: a base, then everything made from it.
    pub(crate) base: Vec<u32>,
    /// The first tree behind the last that is made from this one.
    pub(crate) end: Vec<u32>,
    /// Canonical object number of each tree.
    pub(crate) object: Vec<u32>,
    op_start: Vec<u32>,
    ops: Vec<[u32; 2]>,
    /// Entry names.
    pub(crate) names: Vec<Box<[u8]>>,
    /// Commits, in no particular order.
    pub(crate) commits: Vec<Commit>,
    /// Parents of commits, as commits or [`MISSING`].
    pub(crate) parents: Vec<u32>,
    /// What each object number is: a tree, a commit, or neither.
    slot: Vec<u32>,
    /// How many objects are referred to and not there.
    pub(crate) missing: usize,
    /// Whether trees or commits could not be read, so that places may be unknown.
    pub(crate) damaged: bool,
}

/// A commit.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// Canonical object number.
    pub(crate) number: u32,
    /// Object number of its tree, or [`MISSING`].
    pub(crate) tree: u32,
    /// Range in [`Graph::parents`].
    pub(crate) parents: std::ops::Range<u32>,
    /// When it was committed, in seconds.
    pub(crate) committed: i64,
}

impl Graph {
    /// Decodes every tree and commit of the store.
    pub(crate) fn read(repo: &Repository, jobs: usize) -> Graph {
        graph_read::read(repo, jobs)
    }

    /// The operations that make a tree.
    pub(crate) fn ops(&self, tree: u32) -> impl Iterator<Item = Op> + '_ {
        let at = tree as usize;
        let (start, end) = (self.op_start[at] as usize, self.op_start[at + 1] as usize);
        self.ops[start..end].iter().map(|&[a, b]| {
            if a & COPY != 0 {
                Op::Copied { from: a & !COPY, count: b }
            } else {
                Op::Fresh { child: a, name: b }
            }
        })
    }

    /// How many trees there are.
    pub(crate) fn len(&self) -> u32 {
        self.base.len() as u32
    }

    /// The tree that is this object.
    pub(crate) fn tree(&self, number: u32) -> Option<u32> {
        let slot = *self.slot.get(number as usize)?;
        (slot & COMMIT == 0).then_some(slot)
    }

    /// The commit that is this object.
    pub(crate) fn commit(&self, number: u32) -> Option<u32> {
        let slot = *self.slot.get(number as usize)?;
        (slot != NONE && slot & COMMIT != 0).then_some(slot & !COMMIT)
    }

    /// The parents of a commit.
    pub(crate) fn parents(&self, commit: u32) -> &[u32] {
        let range = &self.commits[commit as usize].parents;
        &self.parents[range.start as usize..range.end as usize]
    }

    /// Every fresh entry: the child, the name.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.ops.iter().filter(|op| op[0] & COPY == 0).map(|&[child, name]| (child, name))
    }

    /// Where each object is a fresh entry: for `child`, indexes into the operations.
    pub(crate) fn occurrences(&self) -> Occurrences {
        let objects = self.slot.len();
        let mut start = vec![0u32; objects + 2];
        for (child, _) in self.fresh() {
            if let Some(count) = start.get_mut(child as usize + 2) {
                *count += 1;
            }
        }
        for at in 2..start.len() {
            start[at] += start[at - 1];
        }
        let mut ops = vec![0u32; start.last().copied().unwrap_or(0) as usize];
        for (at, op) in self.ops.iter().enumerate() {
            if op[0] & COPY == 0
                && let Some(next) = start.get_mut(op[0] as usize + 1)
                && let Some(place) = ops.get_mut(*next as usize)
            {
                *place = at as u32;
                *next += 1;
            }
        }
        Occurrences { start, ops }
    }

    /// The tree an operation belongs to, and the position of its entry there.
    pub(crate) fn op_place(&self, op: u32) -> (u32, u32) {
        let tree = self.op_start.partition_point(|&start| start <= op) - 1;
        let before = &self.ops[self.op_start[tree] as usize..op as usize];
        let position = before.iter().map(|&[a, b]| if a & COPY == 0 { 1 } else { b }).sum();
        (tree as u32, position)
    }

    /// Joins shards, in their order, so that the result does not depend on who read which.
    pub(crate) fn join(shards: Vec<Shard>, objects: usize) -> Graph {
        let mut graph = Graph { slot: vec![NONE; objects], ..Graph::default() };
        graph.op_start.push(0);
        let mut names: HashMap<Box<[u8]>, u32> = HashMap::new();
        let mut missing: HashSet<ObjectId> = HashSet::new();
        for shard in shards {
            let mut renamed = vec![0u32; shard.names.len()];
            // A bijection: the order of this iteration decides numbers, so it is made stable.
            let mut local: Vec<(Box<[u8]>, u32)> = shard.names.into_iter().collect();
            local.sort_unstable_by_key(|&(_, number)| number);
            for (name, number) in local {
                let next = names.len() as u32;
                renamed[number as usize] = match names.get(&name) {
                    Some(&known) => known,
                    None => {
                        graph.names.push(name.clone());
                        names.insert(name, next);
                        next
                    }
                };
            }
            let offset = graph.base.len() as u32;
            let first_op = graph.ops.len() as u32;
            graph.base.extend(shard.base.iter().map(|&at| if at == NONE { NONE } else { at + offset }));
            graph.object.extend(&shard.object);
            graph.op_start.extend(shard.op_end.iter().map(|end| end + first_op));
            graph.ops.extend(shard.ops.iter().map(|&[a, b]| {
                if a & COPY == 0 { [a, renamed[b as usize]] } else { [a, b] }
            }));
            for head in shard.commits {
                let start = graph.parents.len() as u32;
                graph.parents.extend(&head.parents);
                let parents = start..graph.parents.len() as u32;
                graph.commits.push(Commit {
                    number: head.number,
                    tree: head.tree,
                    parents,
                    committed: head.committed,
                });
            }
            if missing.len() < MAX_MISSING {
                missing.extend(shard.missing);
            }
            graph.damaged |= shard.damaged;
        }
        graph.missing = missing.len();
        graph.end = (1..=graph.len()).collect();
        for tree in (0..graph.base.len()).rev() {
            if let Some(base) = graph.end.get(graph.base[tree] as usize).copied() {
                graph.end[graph.base[tree] as usize] = base.max(graph.end[tree]);
            }
        }
        // Backwards, so that the first of several copies wins.
        for (tree, &number) in graph.object.iter().enumerate().rev() {
            graph.slot[number as usize] = tree as u32;
        }
        for (at, commit) in graph.commits.iter().enumerate().rev() {
            graph.slot[commit.number as usize] = at as u32 | COMMIT;
        }
        for parent in &mut graph.parents {
            let slot = graph.slot.get(*parent as usize).copied().unwrap_or(NONE);
            *parent = if slot != NONE && slot & COMMIT != 0 { slot & !COMMIT } else { MISSING };
        }
        graph
    }
}

/// Fresh entries by child.
pub(crate) struct Occurrences {
    start: Vec<u32>,
    ops: Vec<u32>,
}

impl Occurrences {
    /// The operations that hold this object.
    pub(crate) fn of(&self, child: u32) -> &[u32] {
        let at = child as usize;
        match (self.start.get(at), self.start.get(at + 1)) {
            (Some(&start), Some(&end)) => {
                self.ops.get(start as usize..end as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

/// A part of the graph, read by one worker.
#[derive(Default)]
pub(crate) struct Shard {
    base: Vec<u32>,
    object: Vec<u32>,
    op_end: Vec<u32>,
    ops: Vec<[u32; 2]>,
    names: HashMap<Box<[u8]>, u32>,
    commits: Vec<CommitHead>,
    missing: HashSet<ObjectId>,
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
}

/// What is kept of a tree while others are made from it.
pub(crate) struct TreeNote {
    tree: u32,
    /// Where each entry begins, and where the last one ends.
    bounds: Vec<u32>,
}

impl<'a> ShardVisit<'a> {
    /// A visit that fills an empty shard.
    pub(crate) fn new(repo: &'a Repository, pack: Option<usize>, commits: bool) -> ShardVisit<'a> {
        ShardVisit { repo, pack, commits, shard: Shard::default(), number: 0 }
    }

    fn number(&self, entry: u32) -> u32 {
        let Some(number) = self.pack else { return self.number };
        let pack = &self.repo.store.packs[number];
        let position = crate::sweep::plan(self.repo, number).position(entry);
        if number == 0 {
            return pack.first + position;
        }
        self.repo.store.find(pack.raw_id(position)).unwrap_or(pack.first + position)
    }

    fn see(&mut self, entry: u32, bytes: &[u8], copied: &[Copied], base: Option<&TreeNote>) -> TreeNote {
        let number = self.number(entry);
        if self.commits {
            let store = &self.repo.store;
            match commit::head(bytes, MISSING, |id| store.find(id)) {
                Some(parsed) => {
                    self.shard.missing.extend(parsed.absent);
                    self.shard.commits.push(CommitHead { number, ..parsed.head });
                }
                None => self.broken(number, "its commit header makes no sense"),
            }
            return TreeNote { tree: NONE, bounds: Vec::new() };
        }
        let tree = self.shard.base.len() as u32;
        self.shard.base.push(base.map_or(NONE, |base| base.tree));
        self.shard.object.push(number);
        let bounds = self.entries(number, bytes, copied, base);
        self.shard.op_end.push(self.shard.ops.len() as u32);
        if self.pack.is_none_or(|pack| pack == 0) || self.is_canonical(entry) {
            self.repo.tally.saw(crate::delta::Kind::Tree, 1, bytes.len() as u64);
        }
        TreeNote { tree, bounds }
    }

    fn is_canonical(&self, entry: u32) -> bool {
        let Some(number) = self.pack else { return true };
        let position = crate::sweep::plan(self.repo, number).position(entry);
        self.repo.store.is_canonical(number, position)
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
                    bounds.extend(old[first..last].iter().map(|bound| bound.wrapping_add(shift)));
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
            let child = match self.repo.store.find(entry.id) {
                // A submodule's commit belongs to another repository.
                _ if entry.is_submodule() => MISSING,
                Some(child) => child,
                None => {
                    if self.shard.missing.len() < MAX_MISSING {
                        self.shard.missing.extend(ObjectId::from_bytes(entry.id));
                    }
                    MISSING
                }
            };
            self.shard.ops.push([child, name]);
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
        let id = self.repo.store.id(number).map(|id| id.to_string()).unwrap_or_default();
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
        let Some(number) = self.pack else { return };
        let plan = crate::sweep::plan(self.repo, number);
        let pack = &self.repo.store.packs[number];
        let place = self.repo.entry_place(number, plan.offset(entry), plan.id(pack, entry));
        let mut reason = fault.reason();
        let below = plan.count_below(entry) - 1;
        if below > 0 {
            reason.push_str(&format!("; {below} trees stored as changes to it are lost with it"));
        }
        self.repo.trouble(fault.kind(), format!("{}: {place}", self.repo.name), reason);
    }

    fn stop(&mut self) -> bool {
        false
    }

    fn fork(&mut self, _parts: Vec<Part<TreeNote>>) {}
}

/// One entry of a tree.
pub(crate) struct TreeEntry<'a> {
    /// Its mode, in octal digits.
    pub(crate) mode: &'a [u8],
    /// Its name.
    pub(crate) name: &'a [u8],
    /// The raw id of its object.
    pub(crate) id: &'a [u8],
    /// Its length in bytes.
    pub(crate) len: usize,
}

impl<'a> TreeEntry<'a> {
    /// The entry at the beginning of these bytes.
    pub(crate) fn parse(bytes: &'a [u8], hash_len: usize) -> Option<TreeEntry<'a>> {
        let space = bytes.iter().take(8).position(|&byte| byte == b' ')?;
        let end = space + 1 + memchr::memchr(0, bytes.get(space + 1..)?)?;
        let id = bytes.get(end + 1..end + 1 + hash_len)?;
        let (mode, name) = (&bytes[..space], &bytes[space + 1..end]);
        Some(TreeEntry { mode, name, id, len: end + 1 + hash_len })
    }

    /// Whether it is a folder.
    pub(crate) fn is_tree(&self) -> bool {
        matches!(self.mode, b"40000" | b"040000")
    }

    /// Whether it is a commit of another repository.
    pub(crate) fn is_submodule(&self) -> bool {
        self.mode == b"160000"
    }
}
