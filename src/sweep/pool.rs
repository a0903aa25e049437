//! Work on rayon: heaviest first, bounded by bytes in flight, and no waiting inside a worker.
//!
//! Every load pushed spawns one task, and every task runs the heaviest load that fits into the
//! memory left; a task that finds nothing to fit ends, and is spawned again when a load is done.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use keymuster_api::{
    Candidate, Content, Gap, GapKind, Load, LoadCx, Place, ReadSeek, Source, Spot, SystemId, Trace,
};
use rayon::Scope;

use super::{SweepOptions, inside, position::position};
use crate::{engine::Engine, estate::Position};

/// One candidate in a file or slot, with its position: told as it is.
pub(super) struct Told {
    pub(super) place: Place,
    pub(super) candidate: Candidate,
    pub(super) position: Position,
}

/// All candidates of a blob or message: which of them are told depends on its path.
pub(super) struct Held {
    pub(super) place: Place,
    pub(super) candidates: Vec<Candidate>,
}

/// What the engine found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) told: Vec<Told>,
    pub(super) held: Vec<Held>,
}

pub(super) struct Pool<'e> {
    engine: &'e Engine,
    options: &'e SweepOptions<'e>,
    queue: Mutex<BinaryHeap<Queued>>,
    in_flight: AtomicU64,
    stalled: AtomicUsize,
    found: Mutex<Found>,
    gaps: Mutex<Vec<Gap>>,
}

struct Queued {
    weight: u64,
    load: Box<dyn Load>,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Queued) -> bool {
        self.weight == other.weight
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> Ordering {
        self.weight.cmp(&other.weight)
    }
}

impl<'e> Pool<'e> {
    pub(super) fn new(engine: &'e Engine, options: &'e SweepOptions<'e>) -> Pool<'e> {
        Pool {
            engine,
            options,
            queue: Mutex::default(),
            in_flight: AtomicU64::new(0),
            stalled: AtomicUsize::new(0),
            found: Mutex::default(),
            gaps: Mutex::default(),
        }
    }

    pub(super) fn push<'s>(&'s self, scope: &Scope<'s>, load: Box<dyn Load>) {
        let weight = load.weight();
        lock(&self.queue).push(Queued { weight, load });
        scope.spawn(move |scope| self.run_one(scope));
    }

    /// What was found and what was not seen, after the scope has ended.
    pub(super) fn finish(self) -> (Found, Vec<Gap>) {
        let found = self
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let gaps = self
            .gaps
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (found, gaps)
    }

    fn run_one<'s>(&'s self, scope: &Scope<'s>) {
        let Some(Queued { weight, load }) = self.take() else {
            return;
        };
        let cx = Worker { pool: self, scope };
        match catch_unwind(AssertUnwindSafe(|| load.load(&cx))) {
            Ok(Ok(())) => {}
            Ok(Err(gap)) => lock(&self.gaps).push(gap),
            Err(_) => lock(&self.gaps).push(Gap {
                kind: GapKind::Failed,
                subject: "a piece of work".to_owned(),
                reason: "a worker failed unexpectedly; please report this as a bug".to_owned(),
                source: Source {
                    system: SystemId(0),
                    locator: String::new(),
                },
            }),
        }
        self.in_flight.fetch_sub(weight, SeqCst);
        for _ in 0..self.stalled.swap(0, SeqCst) {
            scope.spawn(move |scope| self.run_one(scope));
        }
    }

    /// The heaviest load, if it fits beside what is in flight; alone it always does.
    fn take(&self) -> Option<Queued> {
        let mut queue = lock(&self.queue);
        let weight = queue.peek()?.weight;
        let in_flight = self.in_flight.load(SeqCst);
        if in_flight > 0 && in_flight + weight > self.options.max_memory {
            // Under the queue's lock, so that whoever is in flight sees it when done.
            self.stalled.fetch_add(1, SeqCst);
            if self.in_flight.load(SeqCst) > 0 {
                return None;
            }
            self.stalled.fetch_sub(1, SeqCst);
        }
        self.in_flight.fetch_add(weight, SeqCst);
        queue.pop()
    }
}

/// What a worker lends to a load.
struct Worker<'p, 's> {
    pool: &'s Pool<'s>,
    scope: &'p Scope<'s>,
}

impl LoadCx for Worker<'_, '_> {
    fn scan(&self, content: &Content<'_>) -> Trace {
        let engine = self.pool.engine;
        let searched = inside::Searched {
            engine,
            options: self.pool.options,
        };
        let mut opened = searched.content(content, &mut |gap| self.gap(gap));
        let mut trace = match &opened {
            Some(opened) if opened.is_seen => inside::trace(content.bytes.len()),
            _ if self.pool.options.whole => engine.search_whole(content),
            _ => engine.search(content),
        };
        if let Some(opened) = &mut opened {
            opened.join(&mut trace);
        }
        if !trace.candidates.is_empty() {
            keep(engine, content, &trace, &self.pool.found);
        }
        trace
    }

    fn opens(&self, head: &[u8]) -> bool {
        self.pool.options.unpack.depth > 0 && crate::unpack::format(head).is_some()
    }

    fn open(&self, place: &Place, source: &mut dyn ReadSeek, length: u64) -> bool {
        let searched = inside::Searched {
            engine: self.pool.engine,
            options: self.pool.options,
        };
        let Some(opened) = searched.open(place, source, length, &mut |gap| self.gap(gap)) else {
            return false;
        };
        let trace = Trace {
            candidates: opened.candidates,
            ..Trace::default()
        };
        let content = Content {
            place,
            bytes: &[],
            origin: Default::default(),
            class: None,
            fresh: keymuster_api::Fresh::Everything,
        };
        keep(self.pool.engine, &content, &trace, &self.pool.found);
        opened.is_seen
    }

    fn fork(&self, loads: Vec<Box<dyn Load>>) {
        for load in loads {
            self.pool.push(self.scope, load);
        }
    }

    fn gap(&self, gap: Gap) {
        lock(&self.pool.gaps).push(gap);
    }

    fn is_cancelled(&self) -> bool {
        self.pool.options.cancel.is_cancelled()
    }

    fn advance(&self, bytes: u64, objects: u64) {
        self.pool.options.progress.advance(bytes, objects);
    }
}

fn keep(engine: &Engine, content: &Content<'_>, trace: &Trace, found: &Mutex<Found>) {
    let place = content.place;
    match &place.spot {
        Spot::Blob { .. } | Spot::Message { .. } => {
            lock(found).held.push(Held {
                place: place.clone(),
                candidates: trace.candidates.clone(),
            });
        }
        Spot::File { .. } | Spot::Slot { .. } | Spot::Object { .. } => {
            let path = match &place.spot {
                Spot::File { path } => Some(path.0.as_slice()),
                _ => None,
            };
            let told: Vec<Told> = inside::winners(engine, &trace.candidates, path)
                .into_iter()
                .map(|candidate| Told {
                    place: place.clone(),
                    position: inside::position(candidate).unwrap_or_else(|| {
                        position(content.bytes, &content.origin, &candidate.span)
                    }),
                    candidate: candidate.clone(),
                })
                .collect();
            lock(found).told.extend(told);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
