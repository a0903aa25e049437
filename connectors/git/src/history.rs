//! The order of commits, and which of them the refs reach.

use keymuster_api::ObjectId;

use crate::{
    commit,
    delta::Kind,
    graph::{Graph, MISSING},
    reader::Reader,
    repository::Repository,
};

/// What a ref comes to once tags are peeled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tip {
    /// A commit of the graph.
    Commit(u32),
    /// A tree of the graph.
    Tree(u32),
    /// A blob, by object number.
    Blob(u32),
}

/// Peels a ref's target.
pub(crate) fn peel(
    repo: &Repository,
    graph: &Graph,
    reader: &mut Reader<'_>,
    id: ObjectId,
) -> Option<Tip> {
    let mut id = id;
    for _ in 0..16 {
        let number = repo.store.find(id.as_bytes())?;
        if let Some(commit) = graph.commit(number) {
            return Some(Tip::Commit(commit));
        }
        if let Some(tree) = graph.tree(number) {
            return Some(Tip::Tree(tree));
        }
        match reader.read(number) {
            Ok((Kind::Tag, bytes)) => id = commit::tagged(bytes.bytes())?,
            Ok((Kind::Blob, _)) => return Some(Tip::Blob(number)),
            _ => return None,
        }
    }
    None
}

/// The refs, those that people look at first in front, with what they come to.
pub(crate) fn tips(repo: &Repository, graph: &Graph) -> Vec<(String, ObjectId, Option<Tip>)> {
    let mut reader = Reader::new(&repo.store);
    let mut tips: Vec<_> = repo
        .refs
        .iter()
        .map(|found| {
            (
                found.name.clone(),
                found.id,
                peel(repo, graph, &mut reader, found.id),
            )
        })
        .collect();
    let class = |name: &str| match name {
        name if name.starts_with("refs/heads/") => 0,
        "HEAD" => 1,
        name if name.starts_with("refs/tags/") => 2,
        name if name.starts_with("refs/remotes/") => 3,
        _ => 4,
    };
    tips.sort_by(|a, b| (class(&a.0), &a.0).cmp(&(class(&b.0), &b.0)));
    tips
}

/// Which commits the tips reach.
pub(crate) fn reachable(graph: &Graph, tips: impl Iterator<Item = Tip>) -> Vec<bool> {
    let mut seen = vec![false; graph.commits.len()];
    let mut stack: Vec<u32> = tips
        .filter_map(|tip| match tip {
            Tip::Commit(commit) => Some(commit),
            _ => None,
        })
        .collect();
    while let Some(commit) = stack.pop() {
        if !std::mem::replace(&mut seen[commit as usize], true) {
            stack.extend(
                graph
                    .parents(commit)
                    .iter()
                    .filter(|&&parent| parent != MISSING),
            );
        }
    }
    seen
}

/// The length of the longest line of ancestors of each commit, for commits of one second.
fn generations(graph: &Graph) -> Vec<u32> {
    let mut generations = vec![0u32; graph.commits.len()];
    let mut entered = vec![false; graph.commits.len()];
    let mut stack: Vec<(u32, u32)> = Vec::new();
    for top in 0..graph.commits.len() as u32 {
        if std::mem::replace(&mut entered[top as usize], true) {
            continue;
        }
        stack.push((top, 0));
        while let Some((commit, next)) = stack.last_mut() {
            let parents = graph.parents(*commit);
            if let Some(&parent) = parents.get(*next as usize) {
                *next += 1;
                if parent != MISSING && !std::mem::replace(&mut entered[parent as usize], true) {
                    stack.push((parent, 0));
                }
                continue;
            }
            let longest = parents
                .iter()
                .filter(|&&parent| parent != MISSING)
                .map(|&parent| generations[parent as usize])
                .max();
            generations[*commit as usize] = longest.map_or(1, |longest| longest.saturating_add(1));
            stack.pop();
        }
    }
    generations
}

/// The commits that pass, newest first: those that refs reach before others, then by
/// committer date, then descendants first, then by id.
pub(crate) fn newest_first(
    repo: &Repository,
    graph: &Graph,
    reached: &[bool],
    pass: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let generations = generations(graph);
    let mut commits: Vec<u32> = (0..graph.commits.len() as u32)
        .filter(|&commit| {
            // A commit that is stored twice is one commit.
            graph.commit(graph.commits[commit as usize].number) == Some(commit) && pass(commit)
        })
        .collect();
    let key = |commit: u32| {
        let at = commit as usize;
        (reached[at], graph.commits[at].committed, generations[at])
    };
    commits.sort_unstable_by(|&a, &b| {
        key(b).cmp(&key(a)).then_with(|| {
            let id = |commit: u32| repo.store.id(graph.commits[commit as usize].number);
            id(b).cmp(&id(a))
        })
    });
    commits
}
