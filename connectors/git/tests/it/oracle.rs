//! The slow truth: every commit, every tree, as the git binary lists them.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Located, ObjectId};

use super::fixture::{Fixture, id};

/// A commit with all of its files.
pub(crate) struct Commit {
    pub(crate) parents: Vec<ObjectId>,
    pub(crate) committed: i64,
    pub(crate) authored: i64,
    pub(crate) generation: usize,
    pub(crate) files: BTreeMap<String, ObjectId>,
}

/// Every commit that a ref reaches.
pub(crate) fn commits(fixture: &Fixture) -> BTreeMap<ObjectId, Commit> {
    let list = fixture.git(&[
        "rev-list",
        "--all",
        "--topo-order",
        "--reverse",
        "--format=%H %ct %at %P",
    ]);
    let mut commits: BTreeMap<ObjectId, Commit> = BTreeMap::new();
    for line in list.lines().filter(|line| !line.starts_with("commit ")) {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let parents: Vec<ObjectId> = words[3..].iter().map(|hex| id(hex)).collect();
        let generation = parents
            .iter()
            .map(|parent| commits[parent].generation + 1)
            .max();
        let files = fixture.git(&["ls-tree", "-r", "-z", words[0]]);
        let files = files
            .split('\0')
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (head, path) = line.split_once('\t').unwrap();
                (path.to_owned(), id(head.split(' ').nth(2).unwrap()))
            });
        commits.insert(
            id(words[0]),
            Commit {
                parents,
                committed: words[1].parse().unwrap(),
                authored: words[2].parse().unwrap(),
                generation: generation.unwrap_or(0),
                files: files.collect(),
            },
        );
    }
    commits
}

/// What must be told of a secret that these blobs hold: per path the newest commit, its blob,
/// how many versions, the refs; and the introducing commits.
type Answer = (
    BTreeMap<String, (ObjectId, ObjectId, u32, Vec<String>)>,
    Vec<ObjectId>,
);

pub(crate) fn answer(
    fixture: &Fixture,
    commits: &BTreeMap<ObjectId, Commit>,
    blobs: &BTreeSet<ObjectId>,
) -> Answer {
    let holds = |commit: &ObjectId| {
        commits[commit]
            .files
            .values()
            .any(|blob| blobs.contains(blob))
    };
    let mut introduced: Vec<ObjectId> = commits
        .iter()
        .filter(|(at, commit)| holds(at) && !commit.parents.iter().any(holds))
        .map(|(at, _)| *at)
        .collect();
    introduced.sort_by_key(|at| (commits[at].authored, *at));
    let mut refs: Vec<(String, ObjectId)> = fixture
        .git(&[
            "for-each-ref",
            "--format=%(refname) %(objectname) %(*objectname)",
        ])
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
            (words[0].to_owned(), id(words.last().unwrap()))
        })
        .collect();
    refs.sort();
    let mut order: Vec<&ObjectId> = commits.keys().collect();
    order.sort_by_key(|at| (commits[*at].committed, commits[*at].generation, **at));
    let mut versions: BTreeMap<String, BTreeSet<ObjectId>> = BTreeMap::new();
    let mut newest: BTreeMap<String, (ObjectId, ObjectId)> = BTreeMap::new();
    for at in order {
        for (path, blob) in commits[at]
            .files
            .iter()
            .filter(|(_, blob)| blobs.contains(blob))
        {
            versions.entry(path.clone()).or_default().insert(*blob);
            newest.insert(path.clone(), (*at, *blob));
        }
    }
    let paths = newest.into_iter().map(|(path, (at, blob))| {
        let tips = refs.iter().filter(|(_, tip)| {
            let files = commits.get(tip).and_then(|commit| commit.files.get(&path));
            files.is_some_and(|blob| blobs.contains(blob))
        });
        let tips = tips.map(|(name, _)| name.clone()).collect();
        let count = versions[&path].len() as u32;
        (path, (at, blob, count, tips))
    });
    (paths.collect(), introduced)
}

/// The same, from what the connector told.
pub(crate) fn told(located: &[Located]) -> Answer {
    let mut paths = BTreeMap::new();
    let mut introduced = Vec::new();
    for place in located.iter().filter(|place| place.path.is_some()) {
        let path = place.path.as_ref().unwrap().to_string();
        let at_tip = place.at_tip.clone().unwrap();
        let commit = place.commit.as_ref().unwrap().id;
        let twice = paths.insert(path, (commit, place.blob.unwrap(), place.versions, at_tip));
        assert!(twice.is_none(), "one answer per path");
        introduced = place
            .introduced
            .as_ref()
            .unwrap()
            .iter()
            .map(|fact| fact.id)
            .collect();
    }
    (paths, introduced)
}
