//! Answers `locate` and `named`: puts what containment found into the contract's words.

use std::sync::Arc;

use hashbrown::HashMap;
use keymuster_api::{CommitFact, GapKind, Located, ObjectId, PathBytes, SecretId, WantedSecret};

use crate::{
    closure::Closure,
    commit,
    containment::{self, Hit, Places},
    graph::{Graph, MISSING},
    history::{self, Tip},
    reader::Reader,
    repository::{History, Repository},
};

/// Paths that are named per secret at most.
const MAX_PATHS: usize = 1000;

/// Locates the secrets of one repository.
pub(crate) fn locate(
    repo: &Repository,
    wanted: &[&WantedSecret],
    every_version: bool,
    jobs: usize,
    out: &mut dyn FnMut(Located),
) {
    if wanted.is_empty() {
        return;
    }
    if repo.spec.history == History::Staged {
        staged(repo, wanted, out);
        return;
    }
    let graph = repo.graph(jobs);
    let mut blobs: Vec<u32> = wanted
        .iter()
        .flat_map(|secret| &secret.blobs)
        .filter_map(|id| repo.store.find(id.as_bytes()))
        .collect();
    blobs.sort_unstable();
    blobs.dedup();
    let secrets: Vec<Vec<u32>> = wanted
        .iter()
        .map(|secret| {
            let index = |id: &ObjectId| {
                let number = repo.store.find(id.as_bytes())?;
                blobs.binary_search(&number).ok().map(|at| at as u32)
            };
            secret.blobs.iter().filter_map(index).collect()
        })
        .collect();
    let tips = history::tips(repo, graph);
    let reached = history::reachable(graph, tips.iter().filter_map(|tip| tip.2));
    let closure = Closure::new(graph, repo.store.len(), &blobs);
    let places = containment::places(repo, graph, &closure, &reached, &tips);
    let introduced = containment::introduced(graph, &closure, &reached, &secrets, blobs.len());
    if closure.truncated || places.truncated {
        let reason = "its trees hold more paths than can be followed; some places are not told";
        repo.trouble(GapKind::Limit, repo.name.clone(), reason.to_owned());
    }
    let mut hits_of: Vec<Vec<u32>> = vec![Vec::new(); blobs.len()];
    for (at, hit) in places.hits.iter().enumerate() {
        hits_of[hit.blob as usize].push(at as u32);
    }
    let mut answer = Answer {
        repo,
        graph,
        places: &places,
        tips: &tips,
        blobs: &blobs,
        reader: Reader::new(&repo.store),
        facts: HashMap::new(),
    };
    for (at, secret) in wanted.iter().enumerate() {
        let introduced = match (&introduced[at], closure.truncated) {
            (Some(commits), false) => Some(answer.oldest_first(commits)),
            _ => None,
        };
        answer.blobs(
            secret,
            &secrets[at],
            &hits_of,
            introduced,
            every_version,
            out,
        );
        answer.messages(secret, out);
    }
}

/// What is staged has a path in the index, and no commit yet.
fn staged(repo: &Repository, wanted: &[&WantedSecret], out: &mut dyn FnMut(Located)) {
    let Some(scope) = repo.scope.get() else {
        return;
    };
    for secret in wanted {
        for blob in &secret.blobs {
            let Some(number) = repo.store.find(blob.as_bytes()) else {
                continue;
            };
            out(Located {
                path: scope.get(&number).cloned().flatten(),
                blob: Some(*blob),
                ..nowhere(repo.resource, secret.secret)
            });
        }
    }
}

fn nowhere(resource: u32, secret: SecretId) -> Located {
    Located {
        resource,
        secret,
        path: None,
        blob: None,
        message: None,
        commit: None,
        introduced: None,
        versions: 1,
        at_tip: None,
    }
}

struct Answer<'a> {
    repo: &'a Repository,
    graph: &'a Graph,
    places: &'a Places,
    tips: &'a [(String, ObjectId, Option<Tip>)],
    blobs: &'a [u32],
    reader: Reader<'a>,
    facts: HashMap<u32, Arc<CommitFact>>,
}

impl Answer<'_> {
    fn blobs(
        &mut self,
        secret: &WantedSecret,
        blobs: &[u32],
        hits_of: &[Vec<u32>],
        introduced: Option<Vec<Arc<CommitFact>>>,
        every_version: bool,
        out: &mut dyn FnMut(Located),
    ) {
        let mut hits: Vec<&Hit> = Vec::new();
        for &blob in blobs {
            let of_blob = &hits_of[blob as usize];
            hits.extend(of_blob.iter().map(|&hit| &self.places.hits[hit as usize]));
            if of_blob.is_empty() {
                let number = self.blobs[blob as usize];
                let names = self
                    .tips
                    .iter()
                    .filter(|tip| tip.2 == Some(Tip::Blob(number)));
                out(Located {
                    blob: self.repo.store.id(number),
                    introduced: introduced.clone(),
                    at_tip: Some(names.map(|tip| tip.0.clone()).collect()),
                    ..nowhere(self.repo.resource, secret.secret)
                });
            }
        }
        hits.sort_by_key(|hit| {
            (
                hit.path,
                hit.rank,
                self.repo.store.id(self.blobs[hit.blob as usize]),
            )
        });
        let mut at_paths: Vec<&[&Hit]> = hits.chunk_by(|a, b| a.path == b.path).collect();
        if at_paths.len() > MAX_PATHS {
            at_paths.sort_by_key(|hits| (hits[0].rank, hits[0].path)); // the newest stay
            at_paths.truncate(MAX_PATHS);
            let reason = "one secret is at more than 1000 paths; the newest are told".to_owned();
            self.repo
                .trouble(GapKind::Limit, self.repo.name.clone(), reason);
        }
        let mut at_paths: Vec<(Vec<u8>, &[&Hit])> = at_paths
            .into_iter()
            .map(|hits| (self.places.path(self.graph, hits[0].path), hits))
            .collect();
        at_paths.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (path, hits) in at_paths {
            let told = if every_version { hits.len() } else { 1 };
            let mut tips: Vec<u32> = hits
                .iter()
                .flat_map(|hit| hit.tips.iter().copied())
                .collect();
            containment::cut(&mut tips);
            let mut at_tip: Vec<String> = tips
                .iter()
                .map(|&tip| self.tips[tip as usize].0.clone())
                .collect();
            at_tip.sort_unstable();
            for hit in &hits[..told] {
                let commit = self.places.order.get(hit.rank as usize).copied();
                out(Located {
                    path: Some(PathBytes(path.clone())),
                    blob: self.repo.store.id(self.blobs[hit.blob as usize]),
                    commit: commit.and_then(|commit| self.fact_of(commit)),
                    introduced: introduced.clone(),
                    versions: hits.len() as u32,
                    at_tip: Some(at_tip.clone()),
                    ..nowhere(self.repo.resource, secret.secret)
                });
            }
        }
    }

    fn messages(&mut self, secret: &WantedSecret, out: &mut dyn FnMut(Located)) {
        for id in &secret.messages {
            let Some(number) = self.repo.store.find(id.as_bytes()) else {
                continue;
            };
            let fact = self.fact(number);
            let names = self
                .tips
                .iter()
                .filter(|tip| tip.1 == *id)
                .map(|tip| tip.0.clone());
            let mut at_tip: Vec<String> = names.collect();
            at_tip.sort_unstable();
            out(Located {
                message: Some(*id),
                introduced: fact.clone().map(|fact| vec![fact]),
                commit: fact,
                at_tip: Some(at_tip),
                ..nowhere(self.repo.resource, secret.secret)
            });
        }
    }

    fn oldest_first(&mut self, commits: &[u32]) -> Vec<Arc<CommitFact>> {
        let mut facts: Vec<Arc<CommitFact>> = commits
            .iter()
            .filter_map(|&commit| self.fact_of(commit))
            .collect();
        facts.sort_by_key(|fact| (fact.at, fact.id));
        facts
    }

    fn fact_of(&mut self, commit: u32) -> Option<Arc<CommitFact>> {
        self.fact(self.graph.commits[commit as usize].number)
    }

    fn fact(&mut self, number: u32) -> Option<Arc<CommitFact>> {
        if let Some(known) = self.facts.get(&number) {
            return Some(Arc::clone(known));
        }
        let id = self.repo.store.id(number)?;
        let (_, bytes) = self.reader.read(number).ok()?;
        let fact = Arc::new(commit::fact(id, bytes.bytes()));
        self.facts.insert(number, Arc::clone(&fact));
        Some(fact)
    }
}

/// Blobs that some tree lists under a name that passes, each with one path: that of the
/// newest commit that has one, or the bare name where no commit has.
pub(crate) fn named(
    repo: &Repository,
    wanted: &dyn Fn(&[u8]) -> bool,
    jobs: usize,
    out: &mut dyn FnMut(u32, ObjectId, PathBytes),
) {
    if repo.spec.history == History::Staged {
        named_staged(repo, wanted, out);
        return;
    }
    let graph = repo.graph(jobs);
    let pass: Vec<bool> = graph.names.iter().map(|name| wanted(name)).collect();
    let scope = repo.scope.get();
    let mut found: Vec<(u32, u32)> = graph
        .ops
        .fresh()
        .filter(|&(child, name)| pass[name as usize] && child != MISSING)
        .filter(|&(child, _)| graph.tree(child).is_none() && graph.commit(child).is_none())
        .filter(|(child, _)| scope.is_none_or(|scope| scope.contains_key(child)))
        .collect();
    found.sort_unstable();
    found.dedup();
    let mut blobs: Vec<u32> = found.iter().map(|&(child, _)| child).collect();
    blobs.dedup();
    if blobs.is_empty() {
        return;
    }
    let reached = {
        let tips = history::tips(repo, graph);
        history::reachable(graph, tips.iter().filter_map(|tip| tip.2))
    };
    let closure = Closure::new(graph, repo.store.len(), &blobs);
    let places = containment::places(repo, graph, &closure, &reached, &[]);
    let mut best: HashMap<u32, (u32, Vec<u8>)> = HashMap::new();
    for hit in &places.hits {
        if best.get(&hit.blob).is_some_and(|known| known.0 < hit.rank) {
            continue;
        }
        let path = places.path(graph, hit.path);
        let name = PathBytes(path.clone());
        if wanted(name.name()) {
            let new = (hit.rank, path);
            match best.get_mut(&hit.blob) {
                Some(known) if *known <= new => {}
                Some(known) => *known = new,
                None => {
                    best.insert(hit.blob, new);
                }
            }
        }
    }
    for (at, &number) in blobs.iter().enumerate() {
        let Some(id) = repo.store.id(number) else {
            continue;
        };
        let path = match best.remove(&(at as u32)) {
            Some((_, path)) => path,
            None => {
                let names = found.iter().filter(|&&(child, _)| child == number);
                let names = names.map(|&(_, name)| graph.names[name as usize].to_vec());
                names.min().unwrap_or_default()
            }
        };
        out(repo.resource, id, PathBytes(path));
    }
}

fn named_staged(
    repo: &Repository,
    wanted: &dyn Fn(&[u8]) -> bool,
    out: &mut dyn FnMut(u32, ObjectId, PathBytes),
) {
    let Some(scope) = repo.scope.get() else {
        return;
    };
    let mut found: Vec<(ObjectId, PathBytes)> = Vec::new();
    // The order of a map does not matter: what is found is sorted below.
    for (&number, path) in scope {
        if let (Some(path), Some(id)) = (path, repo.store.id(number))
            && wanted(path.name())
        {
            found.push((id, path.clone()));
        }
    }
    found.sort_unstable();
    for (id, path) in found {
        out(repo.resource, id, path);
    }
}
