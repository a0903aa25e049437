//! What earlier runs knew of a repository, and what this one leaves to the next.
//!
//! Three things are kept: which objects were searched and what they hold (`record`), the graph
//! of trees and commits (`graph_wire`), and the counts of a run that saw everything. An object
//! is known by its id, so a repack loses nothing; packs that are still the same files are not
//! even opened to their entries. While a run goes on, what is done is kept in pieces, from which
//! a killed run resumes.
//!
//! A repository in exactly the state of the last whole run is not looked into at all.

mod graph_wire;
mod record;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keymuster_api::{
    Candidate, Cx, Memo, ObjectId, Place, Spot,
    wire::{Reader, Writer},
};

use crate::{
    delta::Kind,
    graph::Graph,
    repository::{History, Repository},
    store::Store,
};
use record::{Objects, Record, Section};

/// Changes whenever what is kept is written or meant differently.
const FORMAT: u32 = 1;
/// Objects searched between two checkpoints.
const PIECE: usize = 1 << 11;
/// A graph that is larger is read from the packs again.
const MAX_GRAPH: usize = 512 << 20;

/// The memory of one repository.
pub(crate) struct Memory {
    memo: Arc<dyn Memo>,
    unit: String,
    state: Vec<u8>,
    /// The packs of the last whole run, if all of them are still there: they stand first in
    /// the store, and need no look.
    sections: Vec<Section>,
    /// Objects that were searched, by number.
    known: Bits,
    /// Trees and commits of the graph that was kept, by number.
    in_graph: Bits,
    graph: Mutex<Option<Graph>>,
    has_graph: bool,
    journal: Mutex<Journal>,
}

/// What is known beyond the sections, by object number, and how much of it is kept already.
#[derive(Default)]
struct Journal {
    records: Vec<Record>,
    candidates: Vec<(u32, Kind, Vec<Candidate>)>,
    kept: (usize, usize),
}

/// One object that was searched.
pub(crate) struct Done {
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    pub(crate) candidates: Vec<Candidate>,
}

#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(len: usize) -> Bits {
        Bits(vec![0; len / 64 + 1])
    }
    fn has(&self, at: u32) -> bool {
        self.0
            .get(at as usize / 64)
            .is_some_and(|word| word & (1 << (at % 64)) != 0)
    }
    /// Whether it is new.
    fn add(&mut self, at: u32) -> bool {
        let is_new = !self.has(at);
        if let Some(word) = self.0.get_mut(at as usize / 64) {
            *word |= 1 << (at % 64);
        }
        is_new
    }
}

/// What the memory says of a repository that was just opened.
pub(crate) enum Recalled {
    /// It is as it was; these are the counts of then.
    Unchanged(Vec<u8>),
    /// Some of it may be known.
    Partly(Box<Memory>),
}

/// Asks the memory about a repository. Brings its packs into the order of the last run, so
/// that what was kept by number still holds, and tells what known objects hold.
pub(crate) fn recall(repo: &mut Repository, cx: &Cx<'_>) -> Option<Recalled> {
    let memo = cx.memo?;
    if repo.spec.history != History::All || repo.spec.since.is_some() {
        return None;
    }
    let folder = &repo.layout.common_dir;
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let unit = format!("git {}", folder.display());
    let state = state(repo)?;
    if let Some(note) = memo.unchanged(repo.system, repo.resource, &unit, &state) {
        return Some(Recalled::Unchanged(note));
    }
    let mut memory = Memory {
        memo: Arc::clone(memo),
        unit,
        state,
        sections: Vec::new(),
        known: Bits::of(repo.store.len()),
        in_graph: Bits::of(repo.store.len()),
        graph: Mutex::default(),
        has_graph: false,
        journal: Mutex::default(),
    };
    memory.load(repo);
    Some(Recalled::Partly(Box::new(memory)))
}

impl Memory {
    fn load(&mut self, repo: &mut Repository) {
        let kept = self.memo.pieces(&self.unit, "objects").pop();
        let kept = kept.and_then(|bytes| Objects::read(&bytes, repo.store.hash_len));
        let mut candidates = Vec::new();
        if let Some(kept) = kept {
            if arrange(&mut repo.store, &kept.sections) {
                let first_new = repo.store.packs.get(kept.sections.len());
                let end = first_new.map_or(repo.store.first_loose, |pack| pack.first);
                for number in 0..end {
                    self.known.add(number);
                }
                for section in &kept.sections {
                    section.count(&repo.tally);
                }
                self.sections = kept.sections;
            } else {
                repo.store.packs.iter().for_each(|pack| pack.prepare_find());
                for section in &kept.sections {
                    self.learn(repo, &section.records);
                }
            }
            self.learn(repo, &kept.loose);
            candidates.extend(kept.candidates);
            if self.sections.len() == kept.section_count {
                self.load_graph(repo, &kept.state);
            }
        }
        for piece in self.memo.pieces(&self.unit, "done") {
            if let Some(piece) = Objects::read(&piece, repo.store.hash_len) {
                self.learn(repo, &piece.loose);
                candidates.extend(piece.candidates);
            }
        }
        let journal = lock(&self.journal);
        let kept_records = journal.records.len();
        drop(journal);
        for (id, kind, held) in candidates {
            let Some(number) = repo.store.find(id.as_bytes()) else {
                continue; // pruned since
            };
            if self.known.has(number) {
                self.memo.told(place(repo, id, kind), held.clone());
                lock(&self.journal).candidates.push((number, kind, held));
            }
        }
        let mut journal = lock(&self.journal);
        journal.candidates.sort_by_key(|&(number, ..)| number);
        journal.candidates.dedup_by_key(|&mut (number, ..)| number);
        journal.kept = (kept_records, journal.candidates.len());
    }

    /// Objects that are still there are known, and counted.
    fn learn(&mut self, repo: &Repository, records: &[u8]) {
        for (id, kind, size) in record::parse(records, repo.store.hash_len) {
            let Some(number) = repo.store.find(id) else {
                continue; // pruned since
            };
            let in_pack = repo.store.in_pack(number).is_some();
            if in_pack && kind == Kind::Tree || !self.known.add(number) {
                continue;
            }
            if !in_pack {
                repo.tally.expect(kind, 1); // a pack's plan counts what is in it
            }
            if kind != Kind::Tree {
                repo.tally.saw(kind, 1, size); // the graph counts trees
            }
            let record = Record { number, kind, size };
            lock(&self.journal).records.push(record);
        }
    }

    fn load_graph(&mut self, repo: &Repository, state: &[u8]) {
        let Some(bytes) = self.memo.pieces(&self.unit, "graph").pop() else {
            return;
        };
        let Some((graph, trees)) = graph_wire::read(&bytes, state, &repo.store) else {
            return;
        };
        for &number in &graph.object {
            self.in_graph.add(number);
        }
        for commit in &graph.commits {
            self.in_graph.add(commit.number);
        }
        repo.tally.saw(Kind::Tree, trees.0, trees.1);
        self.graph = Mutex::new(Some(graph));
        self.has_graph = true;
    }

    /// The graph of the last run, in the numbers of this one; given once.
    pub(crate) fn take_graph(&self) -> Option<Graph> {
        lock(&self.graph).take()
    }

    /// How many packs need no look, because all their objects are known.
    pub(crate) fn known_packs(&self) -> usize {
        self.sections.len()
    }

    /// How many packs need no look for the graph.
    pub(crate) fn packs_in_graph(&self) -> usize {
        if self.has_graph {
            self.sections.len()
        } else {
            0
        }
    }

    /// Whether an object was searched.
    pub(crate) fn is_known(&self, number: u32) -> bool {
        self.known.has(number)
    }

    /// Whether a tree or commit is in the kept graph.
    pub(crate) fn is_in_graph(&self, number: u32) -> bool {
        self.in_graph.has(number)
    }

    /// Whether a loose object needs no look for the graph.
    pub(crate) fn is_settled(&self, number: u32) -> bool {
        self.has_graph && (self.known.has(number) || self.in_graph.has(number))
    }

    /// Whether an object of this kind (0: not known yet) must be decoded.
    pub(crate) fn wants(&self, number: u32, kind: u8) -> bool {
        match Kind::from_number(kind) {
            None => true,
            Some(Kind::Tree) => !self.is_in_graph(number),
            Some(Kind::Commit) => !(self.is_known(number) && self.is_in_graph(number)),
            Some(Kind::Blob | Kind::Tag) => !self.is_known(number),
        }
    }

    /// Objects that were searched just now. Keeps a piece whenever enough came together.
    pub(crate) fn done(&self, store: &Store, done: Vec<Done>) {
        let mut journal = lock(&self.journal);
        for one in done {
            journal.records.push(Record {
                number: one.number,
                kind: one.kind,
                size: one.size,
            });
            if !one.candidates.is_empty() {
                let held = (one.number, one.kind, one.candidates);
                journal.candidates.push(held);
            }
        }
        if journal.records.len() - journal.kept.0 >= PIECE {
            self.checkpoint(store, &mut journal);
        }
    }

    fn checkpoint(&self, store: &Store, journal: &mut Journal) {
        let (from, from_candidates) = journal.kept;
        journal.kept = (journal.records.len(), journal.candidates.len());
        let mut piece = Objects::default();
        for record in &journal.records[from..] {
            record.write(store, &mut piece.loose);
        }
        piece.candidates = named(store, &journal.candidates[from_candidates..]);
        if !piece.loose.is_empty() {
            self.memo
                .add(&self.unit, "done", piece.write(store.hash_len));
        }
    }

    /// Keeps what this run knows, at its end: all of it if everything was seen, else what was
    /// done since the last checkpoint.
    pub(crate) fn settle(&self, repo: &Repository) {
        let mut journal = lock(&self.journal);
        let store = &repo.store;
        if !repo.is_whole() || !self.agrees(repo, &journal) {
            self.checkpoint(store, &mut journal);
            return;
        }
        journal.records.sort_unstable();
        let mut objects = Objects {
            state: self.state.clone(),
            sections: self.sections.clone(),
            section_count: store.packs.len(),
            candidates: named(store, &journal.candidates),
            ..Objects::default()
        };
        for (number, pack) in store.packs.iter().enumerate().skip(self.sections.len()) {
            let of_pack = pack.first..pack.first + pack.len();
            let start = journal
                .records
                .partition_point(|record| record.number < of_pack.start);
            let end = journal
                .records
                .partition_point(|record| record.number < of_pack.end);
            let records = &journal.records[start..end];
            let Some(section) = Section::of(repo, number, records) else {
                return;
            };
            objects.sections.push(section);
        }
        let loose = journal
            .records
            .partition_point(|record| record.number < store.first_loose);
        for record in &journal.records[loose..] {
            record.write(store, &mut objects.loose);
        }
        let mut graph = Writer::default();
        if let Some(read) = repo.graph.get() {
            graph_wire::write(read, &self.state, store, repo.tally.trees(), &mut graph);
        }
        if graph.bytes.len() > MAX_GRAPH {
            graph.bytes.clear();
        }
        let parts = vec![
            ("objects".to_owned(), objects.write(store.hash_len)),
            ("graph".to_owned(), graph.bytes),
            ("done".to_owned(), Vec::new()),
        ];
        self.memo.replace(&self.unit, parts);
        let (system, resource) = (repo.system, repo.resource);
        let mut note = repo.tally.write();
        let missing = repo.graph.get().map_or(0, |graph| graph.missing) as u64;
        note.extend_from_slice(&missing.to_le_bytes());
        self.memo
            .settled(system, resource, &self.unit, &self.state, note);
    }

    /// Whether every object that was counted is on record: one whose search failed is not.
    fn agrees(&self, repo: &Repository, journal: &Journal) -> bool {
        let mut counts = [0u64; 5];
        for section in &self.sections {
            for (count, (seen, _)) in counts.iter_mut().zip(section.totals) {
                *count += seen;
            }
        }
        for record in &journal.records {
            counts[usize::from(record.kind.number())] += 1;
        }
        [Kind::Blob, Kind::Commit, Kind::Tag]
            .iter()
            .all(|&kind| repo.tally.received(kind) == counts[usize::from(kind.number())])
    }
}

fn named(
    store: &Store,
    candidates: &[(u32, Kind, Vec<Candidate>)],
) -> Vec<(ObjectId, Kind, Vec<Candidate>)> {
    candidates
        .iter()
        .filter_map(|(number, kind, held)| Some((store.id(*number)?, *kind, held.clone())))
        .collect()
}

fn place(repo: &Repository, id: ObjectId, kind: Kind) -> Place {
    Place {
        system: repo.system,
        resource: repo.resource,
        spot: match kind {
            Kind::Blob | Kind::Tree => Spot::Blob { id },
            Kind::Commit | Kind::Tag => Spot::Message { id },
        },
    }
}

/// Brings the packs of the sections to the front, in their order; `false`, and nothing is
/// moved, if one of them is not there any more.
fn arrange(store: &mut Store, sections: &[Section]) -> bool {
    let rank = |identity: &[u8]| {
        sections
            .iter()
            .position(|section| section.identity == identity)
    };
    let ranks: Vec<Option<usize>> = store
        .packs
        .iter()
        .map(|pack| pack.identity().and_then(|identity| rank(&identity)))
        .collect();
    if ranks.iter().flatten().count() != sections.len() {
        return false;
    }
    let mut ranked: Vec<_> = ranks.into_iter().zip(store.packs.drain(..)).collect();
    ranked.sort_by_key(|(rank, _)| rank.unwrap_or(usize::MAX));
    let mut next = 0;
    for (_, mut pack) in ranked {
        pack.first = next;
        next += pack.len();
        store.packs.push(pack);
    }
    true
}

/// A name for everything that the result depends on: packs, loose objects, refs, how far the
/// history goes, and what was asked. `None` if it cannot be told.
fn state(repo: &Repository) -> Option<Vec<u8>> {
    let mut all = Writer::default();
    all.short(FORMAT);
    all.blob(repo.name.as_bytes());
    all.number(repo.spec.object_limit);
    all.bytes.push(u8::from(repo.store.promisor));
    let mut packs = Vec::new();
    for pack in &repo.store.packs {
        packs.push(pack.identity()?);
    }
    packs.sort_unstable();
    all.number(packs.len() as u64);
    packs.iter().for_each(|identity| all.blob(identity));
    all.number(repo.store.loose.len() as u64);
    repo.store.loose.iter().for_each(|loose| all.id(&loose.id));
    all.number(repo.refs.len() as u64);
    for found in &repo.refs {
        all.blob(found.name.as_bytes());
        all.id(&found.id);
    }
    let shallow = repo.layout.common_dir.join("shallow");
    all.blob(&crate::layout::read_text(&shallow).unwrap_or_default());
    let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha256);
    hasher.update(&all.bytes);
    Some(hasher.try_finalize().ok()?.as_bytes().to_vec())
}

/// Reads the counts of a run, and how many objects it missed.
pub(crate) fn counts(bytes: &[u8]) -> Option<([u64; 15], usize)> {
    let mut reader = Reader::new(bytes);
    let mut counts = [0; 15];
    for count in &mut counts {
        *count = reader.number()?;
    }
    let missing = reader.size()?;
    reader.rest.is_empty().then_some((counts, missing))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
