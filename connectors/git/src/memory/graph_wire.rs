//! The graph as bytes. It speaks of objects by their number in the store, so it holds only for
//! a store whose packs are still the first, in the same order; loose objects are named.

use keymuster_api::wire::{Reader, Writer};

use super::FORMAT;
use crate::{
    graph::{COPY, Commit, Graph, MISSING},
    ops::Ops,
    plan::NONE,
    store::Store,
};

/// Writes a graph; `trees` is how many different ones were read, and their bytes. A graph with
/// holes is not kept: what is missing may come.
pub(super) fn write(
    graph: &Graph,
    state: &[u8],
    store: &Store,
    trees: (u64, u64),
    out: &mut Writer,
) {
    if graph.missing != 0 || graph.damaged {
        return;
    }
    out.short(FORMAT);
    out.blob(state);
    out.short(store.first_loose);
    out.number(store.loose.len() as u64);
    store.loose.iter().for_each(|loose| out.id(&loose.id));
    out.number(trees.0);
    out.number(trees.1);
    out.shorts(&graph.base);
    out.shorts(&graph.object);
    out.shorts(&graph.op_start);
    out.number(u64::from(graph.ops.len()));
    out.bytes.reserve(graph.ops.len() as usize * 8);
    for [a, b] in graph.ops.iter() {
        out.short(a);
        out.short(b);
    }
    out.number(graph.names.len() as u64);
    graph.names.iter().for_each(|name| out.blob(name));
    out.number(graph.commits.len() as u64);
    for commit in &graph.commits {
        out.short(commit.number);
        out.short(commit.tree);
        out.short(commit.parents.start);
        out.short(commit.parents.end);
        out.number(commit.committed as u64);
    }
    out.shorts(&graph.parents);
}

/// Reads a graph of this state, in the numbers of the store as it is now.
pub(super) fn read(bytes: &[u8], state: &[u8], store: &Store) -> Option<(Graph, (u64, u64))> {
    let mut from = Reader::new(bytes);
    if from.short()? != FORMAT || from.blob()? != state {
        return None;
    }
    let first_loose = from.short()?;
    if first_loose > store.first_loose {
        return None;
    }
    let count = from.count(21)?;
    let loose: Vec<u32> = (0..count)
        .map(|_| {
            let id = from.id()?;
            Some(store.find(id.as_bytes()).unwrap_or(NONE))
        })
        .collect::<Option<_>>()?;
    // `None` where the object is gone: then the graph would tell of what is not there.
    let renumber = |number: u32| -> Option<u32> {
        match number.checked_sub(first_loose) {
            None => Some(number),
            Some(_) if number == MISSING => Some(number),
            Some(at) => loose
                .get(at as usize)
                .copied()
                .filter(|&number| number != NONE),
        }
    };
    let trees = (from.number()?, from.number()?);
    let base = from.shorts()?;
    let mut object = from.shorts()?;
    let op_start = from.shorts()?;
    let count = from.count(8)?;
    let (pairs, _) = from.take(count * 8)?.as_chunks::<8>();
    let mut ops: Vec<[u32; 2]> = pairs
        .iter()
        .map(|&[a, b, c, d, e, f, g, h]| {
            [
                u32::from_le_bytes([a, b, c, d]),
                u32::from_le_bytes([e, f, g, h]),
            ]
        })
        .collect();
    let count = from.count(8)?;
    let names: Vec<Box<[u8]>> = (0..count)
        .map(|_| Some(from.blob()?.into()))
        .collect::<Option<_>>()?;
    let count = from.count(24)?;
    let mut commits = Vec::with_capacity(count);
    for _ in 0..count {
        commits.push(Commit {
            number: renumber(from.short()?).filter(|&number| number != MISSING)?,
            tree: renumber(from.short()?)?,
            parents: from.short()?..from.short()?,
            committed: from.number()? as i64,
        });
    }
    let parents = from.shorts()?;
    if !from.rest.is_empty() {
        return None;
    }
    for number in &mut object {
        *number = renumber(*number).filter(|&number| number != MISSING)?;
    }
    for op in &mut ops {
        if op[0] & COPY == 0 {
            op[0] = renumber(op[0])?;
            if op[1] as usize >= names.len() {
                return None;
            }
        }
    }
    let is_sound = op_start.len() == base.len() + 1
        && object.len() == base.len()
        && op_start.is_sorted()
        && op_start.first() == Some(&0)
        && op_start.last().map(|&end| end as usize) == Some(ops.len())
        && (0u32..)
            .zip(&base)
            .all(|(at, &base)| base == NONE || base < at)
        && parents
            .iter()
            .all(|&parent| parent == MISSING || (parent as usize) < commits.len())
        && commits.iter().all(|commit| {
            commit.parents.start <= commit.parents.end
                && commit.parents.end as usize <= parents.len()
        });
    let mut known = Ops::default();
    known.push(ops);
    let graph = Graph {
        base,
        object,
        op_start,
        ops: known,
        names,
        commits,
        parents,
        ..Graph::default()
    };
    is_sound.then_some((graph, trees))
}
