//! Restricted histories: which objects belong to the tips, to a range of commits, to a time,
//! or to what is staged. Objects are read one by one, because few are wanted.

use hashbrown::{HashMap, HashSet};
use keymuster_api::{Cancel, GapKind, PathBytes, Timestamp};

use crate::{
    buffer::Buffer,
    commit::{self, CommitHead},
    delta::Kind,
    fault::Fault,
    reader::Reader,
    refs,
    repository::Repository,
    revision, staged,
    tree::TreeEntry,
};

const MISSING: u32 = u32::MAX;
/// Folders deeper than this are hostile.
const MAX_DEPTH: usize = 4096;

/// The objects that belong to a restricted history, with a path where one is known.
pub(crate) type Scope = HashMap<u32, Option<PathBytes>>;

/// The files of every tip.
pub(crate) fn tips(repo: &Repository, cancel: &Cancel) -> Scope {
    let mut walk = Walk::new(repo, cancel);
    for found in &repo.refs {
        let mut id = found.id;
        for _ in 0..16 {
            let Some(number) = repo.store.find(id.as_bytes()) else {
                break;
            };
            match walk.reader.read(number) {
                Ok((Kind::Commit, bytes)) => {
                    if let Some(head) = walk.head(number, &bytes) {
                        walk.everything(head.tree);
                    }
                    break;
                }
                Ok((Kind::Tree, _)) => {
                    walk.everything(number);
                    break;
                }
                Ok((Kind::Tag, bytes)) => match commit::tagged(bytes.bytes()) {
                    Some(target) => id = target,
                    None => break,
                },
                Ok((Kind::Blob, _)) => {
                    walk.blobs.insert(number);
                    break;
                }
                Err(fault) => {
                    walk.fault(number, &fault);
                    break;
                }
            }
        }
    }
    walk.blobs
        .into_iter()
        .map(|number| (number, None))
        .collect()
}

/// What commits brought in: those of `range` if one is given, else all that refs reach; of
/// these only those made after `since`. With their messages.
///
/// A file counts if it differs from that of every parent and is in none of the trees in which
/// the range begins. A file that older history held, and the beginning of the range does not,
/// is searched again.
pub(crate) fn commits(
    repo: &Repository,
    range: Option<&str>,
    since: Option<Timestamp>,
    cancel: &Cancel,
) -> Result<Scope, String> {
    let mut walk = Walk::new(repo, cancel);
    let (old, new) = match range {
        Some(range) => {
            let (from, to) = revision::range(repo, &mut walk.reader, range)?;
            let old = walk.ancestors(vec![from], &HashSet::new());
            let known = old.iter().map(|commit| commit.number).collect();
            (known, walk.ancestors(vec![to], &known_of(&old)))
        }
        None => {
            let tips = repo
                .refs
                .iter()
                .filter_map(|found| repo.store.find(found.id.as_bytes()));
            let tips: Vec<u32> = tips.collect();
            (HashSet::new(), walk.ancestors(tips, &HashSet::new()))
        }
    };
    let since = since.map(Timestamp::as_second);
    let mut edges: Vec<u32> = Vec::new();
    let mut messages = Vec::new();
    for commit in &new {
        if since.is_some_and(|since| commit.authored <= since && commit.committed <= since) {
            continue;
        }
        messages.push(commit.number);
        let mut parents = Vec::new();
        for &parent in &commit.parents {
            if let Some(head) = walk.commit(parent) {
                parents.push(head.tree);
                if old.contains(&parent) {
                    edges.push(head.tree);
                }
            }
        }
        walk.difference(commit.tree, parents);
    }
    if range.is_some() {
        let mut before = Walk::new(repo, cancel);
        edges.sort_unstable();
        edges.dedup();
        for tree in edges {
            before.everything(tree);
        }
        walk.blobs.retain(|blob| !before.blobs.contains(blob));
    }
    Ok(walk
        .blobs
        .into_iter()
        .chain(messages)
        .map(|number| (number, None))
        .collect())
}

fn known_of(commits: &[CommitHead]) -> HashSet<u32> {
    commits.iter().map(|commit| commit.number).collect()
}

/// What is staged and differs from HEAD, with its path.
///
/// # Errors
/// Why the index cannot be read.
pub(crate) fn staged(repo: &Repository, cancel: &Cancel) -> Result<Scope, (GapKind, String)> {
    let entries = staged::read(&repo.layout.git_dir.join("index"), repo.store.hash_len)?;
    let at_head = at_head(repo, cancel);
    let mut scope = Scope::new();
    for entry in entries {
        if at_head
            .get(&entry.path)
            .is_some_and(|id| *id == entry.id.as_bytes())
        {
            continue;
        }
        match repo.store.find(entry.id.as_bytes()) {
            Some(number) => {
                let path = scope.entry(number).or_insert(None);
                let path = path.get_or_insert_with(|| PathBytes(entry.path.clone()));
                if entry.path < path.0 {
                    path.0 = entry.path;
                }
            }
            None => {
                let path = PathBytes(entry.path);
                let subject = format!("{}: staged file {path}", repo.name);
                repo.trouble(GapKind::Missing, subject, Fault::Missing.reason());
            }
        }
    }
    Ok(scope)
}

/// The path and raw id of every file of HEAD.
pub(crate) fn at_head(repo: &Repository, cancel: &Cancel) -> HashMap<Vec<u8>, Vec<u8>> {
    let mut walk = Walk::new(repo, cancel);
    let mut files = HashMap::new();
    if let Some(head) = refs::head(&repo.layout, &repo.refs)
        && let Some(number) = repo.store.find(head.as_bytes())
        && let Some(head) = walk.commit(number)
    {
        walk.paths(head.tree, &mut files);
    }
    files
}

struct Walk<'a> {
    repo: &'a Repository,
    cancel: &'a Cancel,
    reader: Reader<'a>,
    blobs: HashSet<u32>,
    seen: HashSet<u32>,
    compared: HashSet<(u32, Vec<u32>)>,
}

/// Names in a tree, with whether it is a folder, and the object.
type Names = Vec<(Vec<u8>, bool, u32)>;

impl<'a> Walk<'a> {
    fn new(repo: &'a Repository, cancel: &'a Cancel) -> Walk<'a> {
        Walk {
            repo,
            cancel,
            reader: Reader::new(&repo.store),
            blobs: HashSet::new(),
            seen: HashSet::new(),
            compared: HashSet::new(),
        }
    }

    fn fault(&self, number: u32, fault: &Fault) {
        let id = self
            .repo
            .store
            .id(number)
            .map(|id| id.to_string())
            .unwrap_or_default();
        let subject = format!("{}: object {id}", self.repo.name);
        self.repo.trouble(fault.kind(), subject, fault.reason());
    }

    fn head(&self, number: u32, bytes: &Buffer) -> Option<CommitHead> {
        let store = &self.repo.store;
        let parsed = commit::head(bytes.bytes(), MISSING, |id| store.find(id));
        if parsed.is_none() {
            self.fault(number, &Fault::Corrupt("its commit header makes no sense"));
        }
        parsed.map(|parsed| CommitHead {
            number,
            ..parsed.head
        })
    }

    fn commit(&mut self, number: u32) -> Option<CommitHead> {
        if number == MISSING {
            return None;
        }
        match self.reader.read(number) {
            Ok((Kind::Commit, bytes)) => self.head(number, &bytes),
            Ok((Kind::Tag, bytes)) => {
                let target = commit::tagged(bytes.bytes())?;
                let target = self.repo.store.find(target.as_bytes())?;
                // One step is enough for nearly all tags; tags of tags end here.
                match self.reader.read(target) {
                    Ok((Kind::Commit, bytes)) => self.head(target, &bytes),
                    _ => None,
                }
            }
            Ok(_) => None,
            Err(fault) => {
                self.fault(number, &fault);
                None
            }
        }
    }

    /// Commits that these reach, but for those known.
    fn ancestors(&mut self, tips: Vec<u32>, known: &HashSet<u32>) -> Vec<CommitHead> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut stack = tips;
        while let Some(number) = stack.pop() {
            if self.cancel.is_cancelled() {
                break;
            }
            if number == MISSING || known.contains(&number) || !seen.insert(number) {
                continue;
            }
            if let Some(head) = self.commit(number) {
                if head.number != number
                    && (known.contains(&head.number) || !seen.insert(head.number))
                {
                    continue;
                }
                stack.extend(&head.parents);
                found.push(head);
            }
        }
        found
    }

    /// The entries of a tree; none if it cannot be read, which is told.
    fn names(&mut self, tree: u32) -> Names {
        let mut names = Vec::new();
        if tree == MISSING {
            return names;
        }
        match self.reader.read(tree) {
            Ok((Kind::Tree, bytes)) => {
                let mut rest = bytes.bytes();
                while !rest.is_empty() {
                    let Some(entry) = TreeEntry::parse(rest, self.repo.store.hash_len) else {
                        self.fault(tree, &Fault::Corrupt("its entries make no sense"));
                        break;
                    };
                    rest = &rest[entry.len..];
                    if !entry.is_submodule() {
                        let child = self.repo.store.find(entry.id).unwrap_or(MISSING);
                        names.push((entry.name.to_vec(), entry.is_tree(), child));
                    }
                }
            }
            Ok(_) => {}
            Err(fault) => self.fault(tree, &fault),
        }
        names
    }

    /// Adds every blob below a tree.
    fn everything(&mut self, tree: u32) {
        let mut stack = vec![tree];
        while let Some(tree) = stack.pop() {
            if self.cancel.is_cancelled() || !self.seen.insert(tree) {
                continue;
            }
            for (_, is_tree, child) in self.names(tree) {
                if is_tree {
                    stack.push(child);
                } else if child != MISSING {
                    self.blobs.insert(child);
                }
            }
        }
    }

    /// Adds every blob that a tree has and none of the others has at the same path.
    fn difference(&mut self, tree: u32, others: Vec<u32>) {
        let mut stack = vec![(tree, others)];
        while let Some((tree, others)) = stack.pop() {
            if self.cancel.is_cancelled()
                || others.contains(&tree)
                || !self.compared.insert((tree, others.clone()))
            {
                continue;
            }
            let old: Vec<HashMap<Vec<u8>, u32>> = others
                .iter()
                .map(|&other| {
                    self.names(other)
                        .into_iter()
                        .map(|(name, _, at)| (name, at))
                        .collect()
                })
                .collect();
            for (name, is_tree, child) in self.names(tree) {
                let same: Vec<u32> = old
                    .iter()
                    .filter_map(|names| names.get(&name).copied())
                    .collect();
                if child == MISSING || same.contains(&child) {
                    continue;
                }
                if is_tree {
                    stack.push((child, same));
                } else {
                    self.blobs.insert(child);
                }
            }
        }
    }

    /// The path and raw id of every blob below a tree.
    fn paths(&mut self, tree: u32, out: &mut HashMap<Vec<u8>, Vec<u8>>) {
        let mut stack = vec![(tree, Vec::new(), 0)];
        while let Some((tree, prefix, depth)) = stack.pop() {
            if self.cancel.is_cancelled() || depth > MAX_DEPTH {
                continue;
            }
            for (name, is_tree, child) in self.names(tree) {
                let path = [prefix.as_slice(), &name].concat();
                if is_tree {
                    stack.push((child, [&path[..], b"/"].concat(), depth + 1));
                } else if let Some(id) = self.repo.store.id(child) {
                    out.insert(path, id.as_bytes().to_vec());
                }
            }
        }
    }
}
