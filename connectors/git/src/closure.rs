//! Which trees hold a wanted object, at any depth, and through which of their entries.
//!
//! Goes from each wanted object to the trees where it is a fresh entry, down the changes that
//! keep that entry, and on with the trees found: the work is that of the answer, whatever the
//! size of the history.

use crate::{
    graph::{Graph, Op},
    plan::NONE,
};

/// Pairs of a tree and an entry that are followed at most; a hostile tree can hold one blob a
/// million times and be copied a million times.
const MAX_PAIRS: u64 = 64_000_000;
/// Operations that are looked at on the way, at most.
const MAX_STEPS: u64 = 4_000_000_000;

/// Trees that hold wanted objects, numbered densely.
pub(crate) struct Closure {
    /// The trees, ascending.
    pub(crate) trees: Vec<u32>,
    /// The dense number of each tree of the graph, or [`NONE`].
    dense: Vec<u32>,
    start: Vec<u32>,
    entries: Vec<Entry>,
    /// Whether a limit was reached, so that trees may be missing.
    pub(crate) truncated: bool,
}

/// An entry that leads to a wanted object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    target: u32,
    /// Index of its name.
    pub(crate) name: u32,
}

/// Where an entry leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a tree of the closure, by dense number.
    Tree(u32),
    /// To a wanted blob, by its index.
    Blob(u32),
}

const BLOB: u32 = 1 << 31;

impl Entry {
    /// Where it leads.
    pub(crate) fn target(self) -> Target {
        if self.target & BLOB != 0 {
            Target::Blob(self.target & !BLOB)
        } else {
            Target::Tree(self.target)
        }
    }
}

impl Closure {
    /// Closes over `blobs`: canonical numbers, sorted, each once.
    pub(crate) fn new(graph: &Graph, objects: usize, blobs: &[u32]) -> Closure {
        let (wanted, truncated) = mark(graph, objects, blobs);
        let mut trees = Vec::new();
        let mut dense = vec![NONE; graph.len() as usize];
        for tree in 0..graph.len() {
            let number = graph.object[tree as usize];
            if wanted.has(number) && graph.tree(number) == Some(tree) {
                dense[tree as usize] = trees.len() as u32;
                trees.push(tree);
            }
        }
        let mut closure = Closure {
            trees,
            dense,
            start: vec![0],
            entries: Vec::new(),
            truncated,
        };
        closure.fill(graph, blobs, &wanted);
        closure
    }

    /// The entries of a tree that lead to wanted objects, in the tree's order.
    pub(crate) fn entries(&self, dense: u32) -> &[Entry] {
        let at = dense as usize;
        &self.entries[self.start[at] as usize..self.start[at + 1] as usize]
    }

    /// The dense number of a tree.
    pub(crate) fn dense(&self, tree: u32) -> Option<u32> {
        self.dense
            .get(tree as usize)
            .copied()
            .filter(|&dense| dense != NONE)
    }

    /// One pass over all trees, bases first: which of their entries are wanted.
    fn fill(&mut self, graph: &Graph, blobs: &[u32], wanted: &Bits) {
        type Row = Vec<(u32, u32, u32)>; // position, child, name
        let mut open: Vec<(u32, Row)> = Vec::new();
        let mut spare: Vec<Row> = Vec::new();
        let mut pairs = 0u64;
        let mut tree = 0;
        let mut next = self.trees.clone().into_iter().peekable();
        while tree < graph.len() {
            while next.next_if(|&wanted| wanted < tree).is_some() {}
            let end = graph.end[tree as usize];
            // Of what is made from a tree nothing may be wanted: most trees are passed over.
            if next.peek().is_none_or(|&wanted| wanted >= end) {
                tree = end;
                continue;
            }
            while let Some((_, mut row)) = open.pop_if(|(end, _)| *end <= tree) {
                row.clear();
                spare.push(row);
            }
            let mut row = spare.pop().unwrap_or_default();
            let base: &[(u32, u32, u32)] = match open.last() {
                Some((_, base)) if graph.base[tree as usize] != NONE => base,
                _ => &[],
            };
            let mut position = 0;
            let ops = graph
                .ops(tree)
                .take(if pairs > MAX_PAIRS { 0 } else { usize::MAX });
            for op in ops {
                match op {
                    Op::Fresh { child, name } => {
                        if wanted.has(child) {
                            row.push((position, child, name));
                        }
                        position += 1;
                    }
                    Op::Copied { from, count } => {
                        let first = base.partition_point(|entry| entry.0 < from);
                        let kept = base[first..]
                            .iter()
                            .take_while(|entry| entry.0 - from < count);
                        row.extend(
                            kept.map(|&(at, child, name)| (at - from + position, child, name)),
                        );
                        position += count;
                    }
                }
            }
            pairs += row.len() as u64;
            if self.dense[tree as usize] != NONE {
                for &(_, child, name) in &row {
                    let target = match graph.tree(child) {
                        Some(tree) => self.dense[tree as usize],
                        None => match blobs.binary_search(&child) {
                            Ok(blob) => blob as u32 | BLOB,
                            Err(_) => continue,
                        },
                    };
                    if target != NONE {
                        self.entries.push(Entry { target, name });
                    }
                }
            }
            if self.dense[tree as usize] != NONE {
                self.start.push(self.entries.len() as u32);
            }
            if graph.end[tree as usize] > tree + 1 {
                open.push((graph.end[tree as usize], row));
            } else {
                row.clear();
                spare.push(row);
            }
            tree += 1;
        }
        self.truncated |= pairs > MAX_PAIRS;
    }

    /// Dense numbers with children before the trees that hold them. Trees that hold
    /// themselves, which only a forged store has, come in some order.
    pub(crate) fn bottom_up(&self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.trees.len());
        let mut seen = vec![false; self.trees.len()];
        let mut stack: Vec<(u32, u32)> = Vec::new();
        for top in 0..self.trees.len() as u32 {
            if std::mem::replace(&mut seen[top as usize], true) {
                continue;
            }
            stack.push((top, 0));
            while let Some((tree, next)) = stack.last_mut() {
                let Some(entry) = self.entries(*tree).get(*next as usize) else {
                    order.push(*tree);
                    stack.pop();
                    continue;
                };
                *next += 1;
                if let Target::Tree(child) = entry.target()
                    && !std::mem::replace(&mut seen[child as usize], true)
                {
                    stack.push((child, 0));
                }
            }
        }
        order
    }
}

/// Marks every tree from which a wanted blob can be reached.
fn mark(graph: &Graph, objects: usize, blobs: &[u32]) -> (Bits, bool) {
    let mut wanted = Bits::new(objects);
    let occurrences = graph.occurrences();
    let mut queue: Vec<u32> = Vec::new();
    for &blob in blobs {
        if wanted.set(blob) {
            queue.push(blob);
        }
    }
    let (mut pairs, mut steps) = (0u64, 0u64);
    let mut stack: Vec<(u32, u32)> = Vec::new();
    while let Some(object) = queue.pop() {
        for of_tree in occurrences.of(object).chunk_by(|a, b| a == b) {
            let fresh = graph.positions(of_tree[0], object);
            stack.extend(fresh.map(|position| (of_tree[0], position)));
            while let Some((tree, position)) = stack.pop() {
                pairs += 1;
                if pairs > MAX_PAIRS || steps > MAX_STEPS {
                    return (wanted, true);
                }
                let number = graph.object[tree as usize];
                if wanted.set(number) {
                    queue.push(number);
                }
                let end = graph.end[tree as usize];
                let mut child = tree + 1;
                while child < end {
                    let mut at = 0;
                    for op in graph.ops(child) {
                        steps += 1;
                        match op {
                            Op::Fresh { .. } => at += 1,
                            Op::Copied { from, count } => {
                                if position >= from && position - from < count {
                                    stack.push((child, at + (position - from)));
                                }
                                at += count;
                            }
                        }
                    }
                    child = graph.end[child as usize];
                }
            }
        }
    }
    (wanted, false)
}

/// A set of object numbers.
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set of numbers below `len`.
    pub(crate) fn new(len: usize) -> Bits {
        Bits(vec![0; len / 64 + 1])
    }

    /// Whether the number is in the set.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.0
            .get(number as usize / 64)
            .is_some_and(|word| word >> (number % 64) & 1 != 0)
    }

    /// Adds a number; tells whether it is new.
    pub(crate) fn set(&mut self, number: u32) -> bool {
        match self.0.get_mut(number as usize / 64) {
            Some(word) => {
                let bit = 1 << (number % 64);
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
            None => false,
        }
    }
}
