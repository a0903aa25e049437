//! The graph of a repository: which tree holds what under which name, which commit has which
//! tree and parents.
//!
//! Trees are stored as git stores them: as changes to other trees. A tree is a list of
//! operations of eight bytes each: a fresh entry (child, name) or a run of entries copied
//! from its base. Only fresh entries are parsed and looked up, so that reading the graph costs
//! hardly more than decoding the trees; a history of a million trees needs about 70 MB.

use hashbrown::{HashMap, HashSet};
use keymuster_api::ObjectId;

use crate::{graph_read, ops::Ops, plan::NONE, repository::Repository, shard::Shard};

/// A child or parent that the store does not have.
pub(crate) const MISSING: u32 = NONE >> 2;
/// Marks an operation as a copied run.
pub(crate) const COPY: u32 = 1 << 31;
/// Marks a slot as a commit's.
const COMMIT: u32 = 1 << 31;
/// Missing objects are counted up to here.
pub(crate) const MAX_MISSING: usize = 4 << 20;

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
    /// Where each tree's operations begin, and where the last end.
    pub(crate) op_start: Vec<u32>,
    /// Operations, as [`Graph::ops`] reads them.
    pub(crate) ops: Ops,
    /// Entry names.
    pub(crate) names: Vec<Box<[u8]>>,
    /// Commits, in no particular order.
    pub(crate) commits: Vec<Commit>,
    /// Parents of commits, as commits or [`MISSING`].
    pub(crate) parents: Vec<u32>,
    /// What each object number is: a tree, a commit, or neither.
    pub(crate) slot: Vec<u32>,
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
        let ops = self.ops.slice(self.op_start[at], self.op_start[at + 1]);
        ops.iter().map(|&[a, b]| {
            if a & COPY != 0 {
                Op::Copied {
                    from: a & !COPY,
                    count: b,
                }
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

    /// Where each object is a fresh entry: for `child`, the trees, ascending.
    pub(crate) fn occurrences(&self) -> Occurrences {
        let objects = self.slot.len();
        let mut start = vec![0u32; objects + 2];
        for (child, _) in self.ops.fresh() {
            if let Some(count) = start.get_mut(child as usize + 2) {
                *count += 1;
            }
        }
        for at in 2..start.len() {
            start[at] += start[at - 1];
        }
        let mut trees = vec![0u32; start.last().copied().unwrap_or(0) as usize];
        let mut tree = 0;
        for (at, op) in (0u32..).zip(self.ops.iter()) {
            while self.op_start[tree as usize + 1] <= at {
                tree += 1;
            }
            if op[0] & COPY == 0
                && let Some(next) = start.get_mut(op[0] as usize + 1)
                && let Some(place) = trees.get_mut(*next as usize)
            {
                *place = tree;
                *next += 1;
            }
        }
        Occurrences { start, trees }
    }

    /// The positions at which a tree has this object as a fresh entry.
    pub(crate) fn positions(&self, tree: u32, object: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = 0;
        self.ops(tree).filter_map(move |op| {
            let here = at;
            match op {
                Op::Fresh { child, .. } => {
                    at += 1;
                    (child == object).then_some(here)
                }
                Op::Copied { count, .. } => {
                    at += count;
                    None
                }
            }
        })
    }

    /// Joins shards to what is known, in their order, so that the result does not depend on who
    /// read which.
    pub(crate) fn join(known: Graph, shards: Vec<Shard>, objects: usize) -> Graph {
        let mut graph = Graph {
            slot: vec![NONE; objects],
            ..known
        };
        if graph.op_start.is_empty() {
            graph.op_start.push(0);
        }
        let known_parents = graph.parents.len();
        let mut names: HashMap<Box<[u8]>, u32> = HashMap::new();
        if shards.iter().any(|shard| !shard.names.is_empty()) {
            names.extend(graph.names.iter().cloned().zip(0u32..));
        }
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
            graph.base.extend(
                shard
                    .base
                    .iter()
                    .map(|&at| if at == NONE { NONE } else { at + offset }),
            );
            graph.object.extend(&shard.object);
            let mut ops = shard.ops;
            for [child, name] in &mut ops {
                if *child & COPY == 0 {
                    *name = renamed[*name as usize];
                }
            }
            let first_op = graph.ops.push(ops);
            graph
                .op_start
                .extend(shard.op_end.iter().map(|end| end + first_op));
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
        for parent in &mut graph.parents[known_parents..] {
            let slot = graph.slot.get(*parent as usize).copied().unwrap_or(NONE);
            *parent = if slot != NONE && slot & COMMIT != 0 {
                slot & !COMMIT
            } else {
                MISSING
            };
        }
        graph
    }
}

/// Trees by the children they have as fresh entries.
pub(crate) struct Occurrences {
    start: Vec<u32>,
    trees: Vec<u32>,
}

impl Occurrences {
    /// The trees that have this object as a fresh entry; one that has it twice comes twice.
    pub(crate) fn of(&self, child: u32) -> &[u32] {
        let at = child as usize;
        match (self.start.get(at), self.start.get(at + 1)) {
            (Some(&start), Some(&end)) => self
                .trees
                .get(start as usize..end as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }
}
