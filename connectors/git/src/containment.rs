//! From blobs to places: at which paths, in which commits, at which tips; and for each
//! secret, which commits brought it in.
//!
//! A path is followed once per version of its folder, not once per commit: nodes are pairs of
//! a path and a tree, taken level by level, each with its newest commit and its tips.

use hashbrown::HashMap;

use crate::{
    closure::{Closure, Target},
    graph::{Graph, MISSING},
    history::{self, Tip},
    plan::NONE,
    repository::Repository,
};

/// Deeper paths are hostile; git itself refuses them long before.
const MAX_DEPTH: usize = 4096;
/// Nodes that are followed at most.
const MAX_NODES: usize = 24_000_000;
/// Different paths that are followed at most: a few forged trees can make 2^40 of them.
const MAX_PATHS: usize = 2_000_000;
/// Longer paths are hostile.
const MAX_PATH_BYTES: usize = 16 << 10;
/// Refs that are named per place at most, those that people look at first in front.
const MAX_TIPS: usize = 1000;
/// Secrets whose introducing commits are computed in one pass.
const WORDS: usize = 8;

/// Where a wanted blob is.
pub(crate) struct Hit {
    /// The path.
    pub(crate) path: u32,
    /// The blob, by index.
    pub(crate) blob: u32,
    /// The newest commit that holds it there, as its rank; [`NONE`] if only a tag's tree does.
    pub(crate) rank: u32,
    /// Tips whose tree holds it there, by index, unsorted.
    pub(crate) tips: Vec<u32>,
}

/// Places of wanted blobs.
pub(crate) struct Places {
    /// Every (path, blob), in the order of discovery.
    pub(crate) hits: Vec<Hit>,
    /// Commits by rank, newest first.
    pub(crate) order: Vec<u32>,
    /// Each path's folder and name, and its length.
    parents: Vec<(u32, u32, u32)>,
    /// Whether a limit was reached, so that places may be missing.
    pub(crate) truncated: bool,
}

impl Places {
    /// A path's bytes.
    pub(crate) fn path(&self, graph: &Graph, path: u32) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = path;
        while let Some(&(parent, name, _)) = self.parents.get(at as usize) {
            names.push(&*graph.names[name as usize]);
            at = parent;
        }
        names.reverse();
        names.join(&b'/')
    }
}

struct Node {
    path: u32,
    tree: u32,
    rank: u32,
    tips: Vec<u32>,
}

/// Finds the places of every blob of the closure.
pub(crate) fn places(
    repo: &Repository,
    graph: &Graph,
    closure: &Closure,
    reached: &[bool],
    tips: &[(String, keymuster_api::ObjectId, Option<Tip>)],
) -> Places {
    let root_of = |commit: u32| {
        let tree = graph.commits[commit as usize].tree;
        (tree != MISSING)
            .then(|| closure.dense(graph.tree(tree)?))
            .flatten()
    };
    let order = history::newest_first(repo, graph, reached, |commit| root_of(commit).is_some());
    let mut level = Level::default();
    for (rank, &commit) in order.iter().enumerate() {
        if let Some(tree) = root_of(commit) {
            level.add(NONE, tree, rank as u32, &[]);
        }
    }
    for (tip, (_, _, peeled)) in tips.iter().enumerate() {
        let tree = match *peeled {
            Some(Tip::Commit(commit)) => root_of(commit),
            Some(Tip::Tree(tree)) => closure.dense(tree),
            _ => None,
        };
        if let Some(tree) = tree {
            level.add(NONE, tree, NONE, &[tip as u32]);
        }
    }
    let mut places = Places {
        hits: Vec::new(),
        order,
        parents: Vec::new(),
        truncated: false,
    };
    let mut path_numbers: HashMap<(u32, u32), u32> = HashMap::new();
    let mut hit_numbers: HashMap<(u32, u32), u32> = HashMap::new();
    let mut nodes = 0;
    for _ in 0..MAX_DEPTH {
        let mut below = Level::default();
        for node in level.nodes {
            nodes += 1;
            if nodes > MAX_NODES {
                places.truncated = true;
                return places;
            }
            for entry in closure.entries(node.tree) {
                let next = places.parents.len() as u32;
                let path = *path_numbers.entry((node.path, entry.name)).or_insert(next);
                if path == next {
                    let folder = places
                        .parents
                        .get(node.path as usize)
                        .map_or(0, |path| path.2);
                    let length = folder as usize + 1 + graph.names[entry.name as usize].len();
                    if next as usize >= MAX_PATHS || length > MAX_PATH_BYTES {
                        places.truncated = true;
                        path_numbers.remove(&(node.path, entry.name));
                        continue;
                    }
                    places.parents.push((node.path, entry.name, length as u32));
                }
                match entry.target() {
                    Target::Tree(tree) => below.add(path, tree, node.rank, &node.tips),
                    Target::Blob(blob) => {
                        let next = places.hits.len() as u32;
                        let at = *hit_numbers.entry((path, blob)).or_insert(next);
                        if at == next {
                            let tips = Vec::new();
                            places.hits.push(Hit {
                                path,
                                blob,
                                rank: NONE,
                                tips,
                            });
                        }
                        if let Some(hit) = places.hits.get_mut(at as usize) {
                            hit.rank = hit.rank.min(node.rank);
                            join(&mut hit.tips, &node.tips);
                        }
                    }
                }
            }
        }
        if below.nodes.is_empty() {
            return places;
        }
        level = below;
    }
    places.truncated = true;
    places
}

#[derive(Default)]
struct Level {
    nodes: Vec<Node>,
    numbers: HashMap<(u32, u32), u32>,
}

impl Level {
    fn add(&mut self, path: u32, tree: u32, rank: u32, tips: &[u32]) {
        let next = self.nodes.len() as u32;
        let at = *self.numbers.entry((path, tree)).or_insert(next);
        if at == next {
            self.nodes.push(Node {
                path,
                tree,
                rank,
                tips: tips.to_vec(),
            });
        } else if let Some(node) = self.nodes.get_mut(at as usize) {
            node.rank = node.rank.min(rank);
            join(&mut node.tips, tips);
        }
    }
}

/// Adds tips; of too many, the first stay. The first of a union are among the first of its
/// parts, so cutting early loses nothing.
fn join(tips: &mut Vec<u32>, more: &[u32]) {
    tips.extend_from_slice(more);
    if tips.len() > 4 * MAX_TIPS {
        cut(tips);
    }
}

/// Sorts tips, drops repetitions, and keeps the first.
pub(crate) fn cut(tips: &mut Vec<u32>) {
    tips.sort_unstable();
    tips.dedup();
    tips.truncate(MAX_TIPS);
}

/// For each secret (a list of blobs, by index), the commits that hold it where no parent
/// does; `None` where a missing parent forbids an answer. Commits that no ref reaches count
/// only for secrets that no other commit holds.
pub(crate) fn introduced(
    graph: &Graph,
    closure: &Closure,
    reached: &[bool],
    secrets: &[Vec<u32>],
    blobs: usize,
) -> Vec<Option<Vec<u32>>> {
    let order = closure.bottom_up();
    let mut answer: Vec<Option<Vec<u32>>> = vec![Some(Vec::new()); secrets.len()];
    for (chunk_number, chunk) in secrets.chunks(WORDS * 64).enumerate() {
        let first = chunk_number * WORDS * 64;
        let words = chunk.len().div_ceil(64);
        let mut of_blob = vec![[0u64; WORDS]; blobs];
        for (at, secret) in chunk.iter().enumerate() {
            for &blob in secret {
                of_blob[blob as usize][at / 64] |= 1 << (at % 64);
            }
        }
        let mut of_tree = vec![0u64; closure.trees.len() * words];
        for &tree in &order {
            let mut bits = [0u64; WORDS];
            for entry in closure.entries(tree) {
                let more = match entry.target() {
                    Target::Blob(blob) => &of_blob[blob as usize][..words],
                    Target::Tree(child) => &of_tree[child as usize * words..][..words],
                };
                bits.iter_mut()
                    .zip(more)
                    .for_each(|(bits, more)| *bits |= more);
            }
            of_tree[tree as usize * words..][..words].copy_from_slice(&bits[..words]);
        }
        let held = |commit: u32| -> [u64; WORDS] {
            let mut bits = [0; WORDS];
            let tree = graph.commits[commit as usize].tree;
            if let Some(tree) = graph.tree(tree).and_then(|tree| closure.dense(tree)) {
                bits[..words].copy_from_slice(&of_tree[tree as usize * words..][..words]);
            }
            bits
        };
        let mut known = [0u64; WORDS];
        for wanted in [true, false] {
            let before = known;
            for commit in 0..graph.commits.len() as u32 {
                let number = graph.commits[commit as usize].number;
                if reached[commit as usize] != wanted || graph.commit(number) != Some(commit) {
                    continue;
                }
                let mut new = held(commit);
                for (at, word) in new.iter_mut().enumerate() {
                    *word &= !before[at];
                    known[at] |= *word;
                }
                if new == [0; WORDS] {
                    continue;
                }
                let mut lacks_parent = false;
                for &parent in graph.parents(commit) {
                    if parent == MISSING {
                        lacks_parent = true;
                        continue;
                    }
                    new.iter_mut()
                        .zip(held(parent))
                        .for_each(|(new, old)| *new &= !old);
                }
                for (word, mut bits) in new.into_iter().enumerate() {
                    while bits != 0 {
                        let secret = first + word * 64 + bits.trailing_zeros() as usize;
                        bits &= bits - 1;
                        match answer.get_mut(secret) {
                            Some(list) if lacks_parent => *list = None,
                            Some(Some(list)) => list.push(commit),
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    answer
}
