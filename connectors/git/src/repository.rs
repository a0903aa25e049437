//! One opened repository: its store, what it was asked for, and the count of what was seen.

use std::{
    path::PathBuf,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use hashbrown::HashMap;
use keymuster_api::{
    Coverage, Cx, Gap, GapKind, ObjectId, PathBytes, Resource, ResourceKind, Source, SystemId,
    Timestamp,
};

use crate::{
    delta::Kind,
    fault::Fault,
    graph::Graph,
    layout::{self, RepositoryLayout},
    memory::{self, Done, Memory, Recalled},
    refs::{self, Ref},
    store::{Store, Trouble},
};

/// Objects larger than this are not read unless the caller says otherwise.
pub const DEFAULT_OBJECT_LIMIT: u64 = 256 << 20;
/// One damaged pack must not drown a report: further gaps are counted, not listed.
const MAX_GAPS: u64 = 100;

/// Which part of a history is searched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum History {
    /// Every object of the store, reachable or not.
    #[default]
    All,
    /// The files of every ref's tip.
    Tips,
    /// Nothing.
    None,
    /// What the commits of `A..B` brought in, and their messages.
    Range(String),
    /// What is staged and differs from HEAD.
    Staged,
}

/// A repository to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySpec {
    /// The working tree, the `.git` folder, or the bare repository.
    pub path: PathBuf,
    /// Its name in reports; the folder's name without `.git` if `None`.
    pub name: Option<String>,
    /// Which part of its history.
    pub history: History,
    /// Only commits authored or committed after this.
    pub since: Option<Timestamp>,
    /// No object may be larger, in bytes; larger ones are gaps.
    pub object_limit: u64,
}

impl RepositorySpec {
    /// All of the history of the repository at this path.
    pub fn new(path: impl Into<PathBuf>) -> RepositorySpec {
        RepositorySpec {
            path: path.into(),
            name: None,
            history: History::All,
            since: None,
            object_limit: DEFAULT_OBJECT_LIMIT,
        }
    }

    /// The name in reports.
    pub fn display_name(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let path = self
            .path
            .canonicalize()
            .unwrap_or_else(|_| self.path.clone());
        let path = match path.file_name() {
            Some(last) if last == ".git" => path.parent().unwrap_or(&path).to_owned(),
            _ => path,
        };
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        name.strip_suffix(".git").map(str::to_owned).unwrap_or(name)
    }
}

/// One opened repository.
pub(crate) struct Repository {
    pub(crate) resource: u32,
    pub(crate) system: SystemId,
    pub(crate) name: String,
    pub(crate) spec: RepositorySpec,
    pub(crate) layout: RepositoryLayout,
    pub(crate) store: Store,
    pub(crate) refs: Vec<Ref>,
    pub(crate) graph: OnceLock<Graph>,
    /// In restricted histories: the objects that were searched, with a path where the index
    /// knows one.
    pub(crate) scope: OnceLock<HashMap<u32, Option<PathBytes>>>,
    pub(crate) tally: Tally,
    /// What earlier runs knew, where this one asks.
    pub(crate) memory: Option<Memory>,
    /// Whether it is as an earlier run left it, so that nothing of it is read.
    pub(crate) is_unchanged: bool,
    /// Bytes of bases that parts of delta trees wait with …
    pub(crate) parked: AtomicU64,
    /// … and how many that may be.
    pub(crate) park_limit: u64,
    told_missing: AtomicBool,
    /// How many objects an earlier run missed, where nothing changed since.
    known_missing: Option<usize>,
    /// What was wrong and is not told yet.
    pub(crate) troubles: Mutex<Vec<Trouble>>,
}

/// Counts of what was seen, by kind.
#[derive(Default)]
pub(crate) struct Tally {
    expected: [AtomicU64; 5],
    received: [AtomicU64; 5],
    bytes: [AtomicU64; 5],
    gaps: AtomicU64,
    told_cancelled: AtomicBool,
}

impl Tally {
    pub(crate) fn expect(&self, kind: Kind, count: u64) {
        self.expected[usize::from(kind.number())].fetch_add(count, Relaxed);
    }

    pub(crate) fn saw(&self, kind: Kind, count: u64, bytes: u64) {
        self.received[usize::from(kind.number())].fetch_add(count, Relaxed);
        self.bytes[usize::from(kind.number())].fetch_add(bytes, Relaxed);
    }

    pub(crate) fn broken(&self) {
        self.gaps.fetch_add(1, Relaxed);
    }

    /// How many of a kind were seen.
    pub(crate) fn received(&self, kind: Kind) -> u64 {
        self.received[usize::from(kind.number())].load(Relaxed)
    }

    /// How many trees were seen, and their bytes.
    pub(crate) fn trees(&self) -> (u64, u64) {
        let at = usize::from(Kind::Tree.number());
        (
            self.received[at].load(Relaxed),
            self.bytes[at].load(Relaxed),
        )
    }

    /// The counts, for a run that finds the repository unchanged.
    pub(crate) fn write(&self) -> Vec<u8> {
        let all = [&self.expected, &self.received, &self.bytes];
        let counts = all.into_iter().flatten();
        counts
            .flat_map(|count| count.load(Relaxed).to_le_bytes())
            .collect()
    }

    fn restore(&self, counts: [u64; 15]) {
        let all = [&self.expected, &self.received, &self.bytes];
        for (count, known) in all.into_iter().flatten().zip(counts) {
            count.store(known, Relaxed);
        }
    }
}

impl Repository {
    /// Opens a repository.
    ///
    /// # Errors
    /// A gap, if there is none at the path or its format is unknown.
    pub(crate) fn open(
        spec: &RepositorySpec,
        resource: u32,
        system: SystemId,
    ) -> Result<Repository, Gap> {
        let name = spec.display_name();
        let failed = |kind, reason: String| Gap {
            kind,
            subject: name.clone(),
            reason,
            source: Source {
                system,
                locator: spec.path.display().to_string(),
            },
        };
        let layout = layout::discover(&spec.path).ok_or_else(|| {
            let reason = format!(
                "{} is no git repository; correct the path",
                spec.path.display()
            );
            failed(GapKind::Missing, reason)
        })?;
        let format = layout::format(&layout.common_dir).map_err(|format| {
            failed(
                GapKind::Unsupported,
                format!("its object format {format} is not known"),
            )
        })?;
        let (store, mut troubles) = Store::open(&layout, format.hash, spec.object_limit);
        if format.reftable {
            let reason = "its refs are in a reftable, which cannot be read; provenance is missing";
            troubles.push((GapKind::Unsupported, name.clone(), reason.to_owned()));
        }
        let refs = refs::read(&layout, store.hash_len, &mut troubles);
        if layout::read_text(&layout.common_dir.join("shallow")).is_ok_and(|text| !text.is_empty())
        {
            let reason = "a shallow clone: older commits are not in it; run git fetch --unshallow";
            troubles.push((GapKind::Missing, name.clone(), reason.to_owned()));
        }
        Ok(Repository {
            resource,
            system,
            name,
            spec: spec.clone(),
            layout,
            store,
            refs,
            graph: OnceLock::new(),
            scope: OnceLock::new(),
            tally: Tally::default(),
            memory: None,
            is_unchanged: false,
            parked: AtomicU64::new(0),
            park_limit: u64::MAX,
            told_missing: AtomicBool::new(false),
            known_missing: None,
            troubles: Mutex::new(troubles),
        })
    }

    /// Asks the memory of earlier runs, if there is one.
    pub(crate) fn recall(&mut self, cx: &Cx<'_>) {
        match memory::recall(self, cx) {
            Some(Recalled::Unchanged(note)) => {
                self.is_unchanged = true;
                if let Some((counts, missing)) = memory::counts(&note) {
                    self.tally.restore(counts);
                    self.known_missing = Some(missing);
                }
            }
            Some(Recalled::Partly(memory)) => self.memory = Some(*memory),
            None => {}
        }
    }

    /// Whether an earlier run searched this object.
    pub(crate) fn is_known(&self, number: u32) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.is_known(number))
    }

    /// Whether the kept graph has this tree or commit.
    pub(crate) fn is_in_graph(&self, number: u32) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.is_in_graph(number))
    }

    /// Whether an object of this kind (0: not known yet) must be decoded.
    pub(crate) fn wants(&self, pack: usize, position: u32, kind: u8) -> bool {
        let number = self.store.packs[pack].first + position;
        let memory = self.memory.as_ref();
        memory.is_none_or(|memory| memory.wants(number, kind))
    }

    /// Remembers objects that were searched.
    pub(crate) fn done(&self, done: Vec<Done>) {
        if let Some(memory) = &self.memory {
            memory.done(&self.store, done);
        }
    }

    /// Whether everything that is there was seen: nothing stopped, every object counted, and no
    /// gap but the one for objects that are not there, which only another state can change.
    pub(crate) fn is_whole(&self) -> bool {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = self.tally.expected.iter().zip(&self.tally.received);
        troubles.is_empty()
            && self.tally.gaps.load(Relaxed) == u64::from(self.told_missing.load(Relaxed))
            && !self.tally.told_cancelled.load(Relaxed)
            && counts
                .skip(1)
                .all(|(expected, received)| expected.load(Relaxed) == received.load(Relaxed))
    }

    /// What it announces itself as.
    pub(crate) fn resource(&self) -> Resource {
        Resource {
            id: self.resource,
            kind: ResourceKind::Repository,
            name: self.name.clone(),
            location: self.spec.path.display().to_string(),
        }
    }

    /// Whether every object of it was to be seen in this run.
    pub(crate) fn is_swept_whole(&self) -> bool {
        self.spec.history == History::All && self.spec.since.is_none() && !self.is_unchanged
    }

    /// The graph of its trees and commits, read at the first call: after the workers are done, so
    /// that no more threads are at work than there are jobs.
    pub(crate) fn graph(&self, jobs: usize) -> &Graph {
        self.graph.get_or_init(|| Graph::read(self, jobs))
    }

    /// The source of what it tells.
    pub(crate) fn source(&self) -> Source {
        Source {
            system: self.system,
            locator: self.spec.path.display().to_string(),
        }
    }

    /// A gap of this repository.
    pub(crate) fn gap(&self, kind: GapKind, subject: String, reason: String) -> Gap {
        Gap {
            kind,
            subject,
            reason,
            source: self.source(),
        }
    }

    /// The gap for an object, unless there were too many already.
    pub(crate) fn object_gap(&self, place: &str, fault: &Fault, below: u64) -> Option<Gap> {
        if self.tally.gaps.fetch_add(1, Relaxed) >= MAX_GAPS {
            return None;
        }
        let mut reason = fault.reason();
        if below > 0 {
            reason.push_str(&format!(
                "; {below} objects stored as changes to it are lost with it"
            ));
        }
        Some(self.gap(fault.kind(), format!("{}: {place}", self.name), reason))
    }

    /// Where an entry lies, for people.
    pub(crate) fn entry_place(&self, pack: usize, offset: u64, id: Option<ObjectId>) -> String {
        let file = self
            .store
            .packs
            .get(pack)
            .and_then(|pack| pack.path.file_name());
        let file = file.unwrap_or_default().to_string_lossy();
        match id {
            Some(id) => format!("object {id} at offset {offset} of {file}"),
            None => format!("offset {offset} of {file}"),
        }
    }

    /// Remembers something wrong until somebody can be told.
    pub(crate) fn trouble(&self, kind: GapKind, subject: String, reason: String) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if (troubles.len() as u64) < MAX_GAPS {
            troubles.push((kind, subject, reason));
        } else {
            self.tally.broken();
        }
    }

    /// What was wrong since the last call, as gaps.
    pub(crate) fn take_gaps(&self) -> Vec<Gap> {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let gaps: Vec<Gap> = troubles
            .drain(..)
            .map(|(kind, subject, reason)| self.gap(kind, subject, reason))
            .collect();
        for _ in &gaps {
            self.tally.broken();
        }
        gaps.into_iter().chain(self.missing()).collect()
    }

    /// One gap for all objects that others refer to and that are not there, once the graph
    /// knows.
    fn missing(&self) -> Option<Gap> {
        let missing = match self.known_missing {
            Some(known) => known,
            None => self.graph.get()?.missing,
        };
        if missing == 0 || self.told_missing.swap(true, Relaxed) {
            return None;
        }
        self.tally.broken();
        let why = if self.store.promisor {
            "it is a partial clone; run git fetch --refetch --no-filter"
        } else {
            "run git fsck and fetch the repository again"
        };
        let reason = format!("{missing} objects that it refers to are not in its store; {why}");
        Some(self.gap(GapKind::Missing, self.name.clone(), reason))
    }

    /// The gap of a run that was stopped: one per repository, however many loads it had.
    pub(crate) fn cancelled(&self) -> Result<(), Gap> {
        if self.tally.told_cancelled.swap(true, Relaxed) {
            return Ok(());
        }
        self.tally.broken();
        let reason = "the run was stopped before all of its objects were searched".to_owned();
        Err(self.gap(GapKind::Cancelled, self.name.clone(), reason))
    }

    /// How much was seen, and how many gaps were not listed.
    pub(crate) fn coverage(&self) -> (Vec<Coverage>, Option<Gap>) {
        let gaps = self.tally.gaps.load(Relaxed);
        let mut list = Vec::new();
        for (kind, what) in [
            (Kind::Blob, "blobs"),
            (Kind::Tree, "trees"),
            (Kind::Commit, "commits"),
            (Kind::Tag, "tags"),
        ] {
            let at = usize::from(kind.number());
            let expected = self.tally.expected[at].load(Relaxed);
            let received = self.tally.received[at].load(Relaxed);
            if kind == Kind::Tree && {
                let is_read = self.graph.get().is_some() || self.is_unchanged;
                !is_read || self.scope.get().is_some()
            } {
                continue; // trees were not asked for, or read for places only
            }
            list.push(Coverage {
                scope: format!("git:{}", self.name),
                what: what.to_owned(),
                expected: Some(expected),
                received,
                bytes: self.tally.bytes[at].load(Relaxed),
                complete: received == expected && gaps == 0,
                source: self.source(),
            });
        }
        let more = gaps.saturating_sub(MAX_GAPS);
        let gap = (more > 0).then(|| {
            let reason = format!("{more} more objects cannot be read; run git fsck");
            self.gap(GapKind::Corrupt, self.name.clone(), reason)
        });
        (list, gap)
    }
}
