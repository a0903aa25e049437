//! Lends the contents of a delta tree to the engine, and hands large subtrees on.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use keymuster_api::{
    Content, Copied, Fresh, Gap, Load, LoadCx, ObjectId, Origin, Place, Spot, Trace,
};

use crate::{
    delta::Kind,
    fault::Fault,
    memory::Done,
    plan::Plan,
    repository::Repository,
    sweep,
    walk::{Part, Visit, Walker},
};

/// Siblings that another load handed on.
struct PartLoad {
    repo: Arc<Repository>,
    number: usize,
    kind: Kind,
    uncounted: bool,
    part: Part<Option<Trace>>,
    /// Counts the base's bytes until the last of its parts is done.
    _parked: Arc<Parked>,
}

/// Bytes of a base that parts of a tree wait with.
struct Parked {
    repo: Arc<Repository>,
    bytes: u64,
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.repo.parked.fetch_sub(self.bytes, Relaxed);
    }
}

impl Load for PartLoad {
    fn weight(&self) -> u64 {
        self.part.base.len() as u64 * 4
    }

    fn load(self: Box<Self>, cx: &dyn LoadCx) -> Result<(), Gap> {
        let repo = &self.repo;
        let plan = sweep::plan(repo, self.number);
        let pack = &repo.store.packs[self.number];
        let mut walker = Walker::new(pack, &plan, repo.spec.object_limit);
        let mut search = Search::new(repo, self.number, &plan, cx);
        search.kind = self.kind;
        search.uncounted = self.uncounted;
        walker.part(self.part, &mut search);
        search.end()
    }
}

/// Lends each content of a delta tree to the engine.
pub(crate) struct Search<'a> {
    repo: &'a Arc<Repository>,
    number: usize,
    plan: &'a Plan,
    cx: &'a dyn LoadCx,
    /// The kind of all entries of the tree.
    pub(crate) kind: Kind,
    /// Whether the kind was not known when the others were counted.
    pub(crate) uncounted: bool,
    stopped: bool,
    objects: u64,
    bytes: u64,
    done: Vec<Done>,
}

impl<'a> Search<'a> {
    /// A search over one pack.
    pub(crate) fn new(
        repo: &'a Arc<Repository>,
        number: usize,
        plan: &'a Plan,
        cx: &'a dyn LoadCx,
    ) -> Self {
        Search {
            repo,
            number,
            plan,
            cx,
            kind: Kind::Blob,
            uncounted: false,
            stopped: false,
            objects: 0,
            bytes: 0,
            done: Vec::new(),
        }
    }

    /// Lends one content; `None` where the object is seen in another pack, or known.
    fn lend(&mut self, entry: u32, bytes: &[u8], fresh: Fresh<'_>) -> Option<Trace> {
        let position = self.plan.position(entry);
        if self.number != 0 && !self.repo.store.is_canonical(self.number, position) {
            return None;
        }
        let pack = &self.repo.store.packs[self.number];
        let id = pack.id(position)?;
        if self.uncounted {
            self.repo.tally.expect(self.kind, 1);
        }
        let number = pack.first + position;
        if self.repo.is_known(number) {
            return None;
        }
        self.repo.tally.saw(self.kind, 1, bytes.len() as u64);
        self.objects += 1;
        self.bytes += bytes.len() as u64;
        if self.objects == 256 {
            self.report();
        }
        let trace = scan(self.repo, self.cx, self.kind, id, bytes, fresh);
        if self.repo.memory.is_some() {
            self.done.push(Done {
                number,
                kind: self.kind,
                size: bytes.len() as u64,
                candidates: trace.candidates.clone(),
            });
        }
        Some(trace)
    }

    fn report(&mut self) {
        self.cx.advance(self.bytes, self.objects);
        (self.bytes, self.objects) = (0, 0);
    }

    /// Reports the rest, and whether the run was stopped.
    pub(crate) fn end(mut self) -> Result<(), Gap> {
        self.report();
        self.repo.done(self.done);
        if self.stopped {
            self.repo.cancelled()
        } else {
            Ok(())
        }
    }
}

/// Lends one object to the engine.
pub(crate) fn scan(
    repo: &Repository,
    cx: &dyn LoadCx,
    kind: Kind,
    id: ObjectId,
    bytes: &[u8],
    fresh: Fresh<'_>,
) -> Trace {
    let spot = match kind {
        Kind::Blob | Kind::Tree => Spot::Blob { id },
        Kind::Commit | Kind::Tag => Spot::Message { id },
    };
    let place = Place {
        system: repo.system,
        resource: repo.resource,
        spot,
    };
    cx.scan(&Content {
        place: &place,
        bytes,
        origin: Origin::default(),
        class: None,
        fresh,
    })
}

impl Visit for Search<'_> {
    type Note = Option<Trace>;
    const FORKS: bool = true;

    fn whole(&mut self, entry: u32, bytes: &[u8]) -> Option<Trace> {
        self.lend(entry, bytes, Fresh::Everything)
    }

    fn made(
        &mut self,
        entry: u32,
        bytes: &[u8],
        copied: &[Copied],
        base: &Option<Trace>,
    ) -> Option<Trace> {
        // A base that was searched in another pack left no trace here.
        let fresh = match base {
            Some(base) => Fresh::Only { copied, base },
            None => Fresh::Everything,
        };
        self.lend(entry, bytes, fresh)
    }

    fn lost(&mut self, entry: u32, fault: Fault) {
        let pack = &self.repo.store.packs[self.number];
        let (offset, id) = (self.plan.offset(entry), self.plan.id(pack, entry));
        let place = self.repo.entry_place(self.number, offset, id);
        let below = self.plan.count_below(entry) - 1;
        if let Some(gap) = self.repo.object_gap(&place, &fault, below) {
            self.cx.gap(gap);
        }
    }

    fn stop(&mut self) -> bool {
        self.stopped |= self.cx.is_cancelled();
        self.stopped
    }

    fn may_fork(&self, size: u64) -> bool {
        // A tree that is not handed on is walked here: slower at the end, and the same.
        self.repo.parked.load(Relaxed).saturating_add(size) <= self.repo.park_limit
    }

    fn fork(&mut self, parts: Vec<Part<Option<Trace>>>) {
        let bytes = parts.first().map_or(0, |part| part.base.len() as u64);
        self.repo.parked.fetch_add(bytes, Relaxed);
        let parked = Arc::new(Parked {
            repo: Arc::clone(self.repo),
            bytes,
        });
        let loads = parts.into_iter().map(|part| {
            Box::new(PartLoad {
                repo: Arc::clone(self.repo),
                number: self.number,
                kind: self.kind,
                uncounted: self.uncounted,
                part,
                _parked: Arc::clone(&parked),
            }) as Box<dyn Load>
        });
        self.cx.fork(loads.collect());
    }
}
