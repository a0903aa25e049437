//! Runs connectors side by side, feeds the engine, collects facts.
//!
//! Each connector has a thread of its own and sends items through a bounded channel; this
//! thread files facts and hands work to the pool ([`pool`]), where containers are opened ([`inside`]). When everything is drained, what
//! matched is located and looked at a second time ([`second`]).

mod inside;
mod memo;
mod pool;
mod position;
pub mod registry;
mod second;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use keymuster_api::{
    Cancel, Connector, Cx, Gap, GapKind, Item, Memo, Progress, Sink, Source, SystemId, Timestamp,
};

use crate::{
    engine::Engine,
    estate::{Gathered, Resource, Sighting},
    unpack::Limits,
};
pub use memo::SweepMemo;
use pool::Pool;

/// How a sweep runs.
pub struct SweepOptions<'a> {
    /// Worker threads, at least 1.
    pub jobs: usize,
    /// Bytes that loads in flight may hold together.
    pub max_memory: u64,
    /// The run's point in time.
    pub now: Timestamp,
    /// Whether every blob that holds a secret is told, or the newest per path.
    pub every_version: bool,
    /// Whether contents are searched by the slow oracle.
    pub whole: bool,
    /// How far containers of files are opened.
    pub unpack: Limits,
    /// Set when the run should finish.
    pub cancel: &'a Cancel,
    /// What earlier runs left, if this one may know.
    pub memo: Option<&'a Arc<SweepMemo>>,
    /// Told of progress.
    pub progress: &'a dyn Progress,
}

/// Items in the channel: enough to keep workers busy, few enough to bound memory.
const CHANNEL: usize = 1024;

/// Sweeps all connectors.
pub fn sweep(
    connectors: &[Box<dyn Connector>],
    engine: &Engine,
    options: &SweepOptions<'_>,
) -> Gathered {
    let mut gathered = Gathered {
        systems: connectors
            .iter()
            .map(|connector| connector.about().clone())
            .collect(),
        ..Gathered::default()
    };
    let workers = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs.max(1))
        .thread_name(|index| format!("worker-{index}"))
        .build()
        .expect("the system gives a handful of threads");
    let pool = Pool::new(engine, options);
    let shared = options.memo.map(|memo| Arc::clone(memo) as Arc<dyn Memo>);
    let memo = shared.as_ref();
    let mut announced: BTreeMap<(SystemId, u32), Resource> = BTreeMap::new();
    options.progress.phase("reading");
    thread::scope(|threads| {
        let (sender, receiver) = crossbeam_channel::bounded::<(SystemId, Item)>(CHANNEL);
        for (system, connector) in (0u32..).map(SystemId).zip(connectors) {
            let sender = sender.clone();
            let run = move || run_connector(&**connector, system, engine, options, memo, &sender);
            thread::Builder::new()
                .name(connector.about().kind.to_owned())
                .spawn_scoped(threads, run)
                .expect("the system gives a thread per connector");
        }
        drop(sender);
        workers.in_place_scope(|scope| {
            for (system, item) in &receiver {
                match item {
                    Item::Work(load) => pool.push(scope, load),
                    Item::Resource(fact) => {
                        let resource = Resource {
                            system,
                            id: fact.id,
                            kind: fact.kind,
                            name: fact.name,
                            location: fact.location,
                        };
                        announced.insert((system, fact.id), resource);
                    }
                    fact => gathered.take(fact),
                }
            }
        });
    });
    let resources = Resources::new(announced);
    let (mut found, gaps) = pool.finish();
    if let Some(memo) = options.memo {
        found.held.extend(memo.take_told());
    }
    gathered.gaps.extend(gaps);
    let (mut sightings, histories) = second::sightings(
        connectors,
        engine,
        options,
        &workers,
        &resources,
        found,
        &mut gathered.gaps,
    );
    for (system, connector) in (0u32..).map(SystemId).zip(connectors) {
        let mut sink = FactSink(&mut gathered);
        if let Err(error) = connector.settle(&cx(system, engine, options, memo), &mut sink) {
            let label = connector.about().label.clone();
            sink.gap(Gap {
                kind: GapKind::Failed,
                subject: label.clone(),
                reason: error.message,
                source: Source {
                    system,
                    locator: label,
                },
            });
        }
    }
    remember(
        connectors,
        options,
        &resources,
        &histories,
        &gathered.gaps,
        &mut sightings,
    );
    merge(&mut sightings);
    gathered.resources = resources.all;
    gathered.sightings = sightings;
    sort(&mut gathered);
    gathered
}

/// Adds the sightings of resources that are as they were, and keeps those of resources that
/// were seen as far as they can be.
fn remember(
    connectors: &[Box<dyn Connector>],
    options: &SweepOptions<'_>,
    resources: &Resources,
    histories: &second::Histories,
    gaps: &[Gap],
    sightings: &mut Vec<Sighting>,
) {
    let Some(memo) = options.memo else { return };
    for &(system, id) in resources.announced.keys() {
        let label = connectors
            .get(system.0 as usize)
            .map(|connector| connector.about().label.as_str());
        let is_whole = !gaps.iter().any(|gap| {
            // Gaps inside a resource are its connector's to judge; these are ours.
            let locator = gap.source.locator.as_str();
            locator.is_empty() || gap.source.system == system && Some(locator) == label
        });
        if is_whole && !options.cancel.is_cancelled() {
            let seen = histories.get(&(system, id)).map_or(&[][..], Vec::as_slice);
            memo.keep((system, id), seen);
        }
    }
    for ((system, id), known) in memo.take_unchanged() {
        let number = resources.number(system, id);
        sightings.extend(known.into_iter().map(|sighting| Sighting {
            resource: number,
            ..sighting
        }));
    }
}

/// Everything that arrives in the order of threads gets an order of its own, so that the same
/// inputs give the same bytes.
fn sort(gathered: &mut Gathered) {
    gathered.gaps.sort();
    gathered.gaps.dedup();
    gathered
        .credentials
        .sort_by(|a, b| (&a.key, &a.source).cmp(&(&b.key, &b.source)));
    gathered
        .identities
        .sort_by(|a, b| (&a.key, &a.source).cmp(&(&b.key, &b.source)));
    gathered
        .policies
        .sort_by(|a, b| (&a.key, &a.source, &a.attached).cmp(&(&b.key, &b.source, &b.attached)));
    gathered
        .trusts
        .sort_by(|a, b| (&a.identity, &a.source).cmp(&(&b.identity, &b.source)));
    gathered
        .memberships
        .sort_by(|a, b| (&a.member, &a.group, &a.source).cmp(&(&b.member, &b.group, &b.source)));
    gathered
        .slots
        .sort_by(|a, b| (&a.key, &a.source).cmp(&(&b.key, &b.source)));
    gathered
        .references
        .sort_by(|a, b| (&a.by, &a.to, &a.source).cmp(&(&b.by, &b.to, &b.source)));
    gathered.consumers.sort();
    gathered.uses.sort();
    gathered.settings.sort();
    gathered.settings.dedup();
    gathered.claims.sort_by(|a, b| {
        (&a.subject, &a.party, a.role, &a.source).cmp(&(&b.subject, &b.party, b.role, &b.source))
    });
    gathered.events.sort_by(|a, b| {
        (&a.subject, a.at, a.kind, &a.source).cmp(&(&b.subject, b.at, b.kind, &b.source))
    });
    gathered
        .coverage
        .sort_by(|a, b| (&a.scope, &a.what, &a.source).cmp(&(&b.scope, &b.what, &b.source)));
    gathered
        .leads
        .sort_by(|a, b| (&a.address, &a.name, &a.source).cmp(&(&b.address, &b.name, &b.source)));
}

/// The same secret of the same file in the working tree and in the history is one place.
fn merge(sightings: &mut Vec<Sighting>) {
    sightings.sort_by(|a, b| {
        let key = |s: &Sighting| {
            (
                s.resource,
                s.path.clone(),
                s.position,
                s.secret,
                s.rule.clone(),
                s.blob.is_none(),
                s.blob,
            )
        };
        key(a).cmp(&key(b))
    });
    let mut merged: Vec<Sighting> = Vec::with_capacity(sightings.len());
    for sighting in sightings.drain(..) {
        if let Some(last) = merged.last_mut()
            && (
                last.resource,
                &last.path,
                last.position,
                last.secret,
                &last.rule,
            ) == (
                sighting.resource,
                &sighting.path,
                sighting.position,
                sighting.secret,
                &sighting.rule,
            )
            && sighting.blob.is_none()
        {
            last.in_worktree |= sighting.in_worktree;
            continue;
        }
        merged.push(sighting);
    }
    *sightings = merged;
}

/// Resources in one list. Two connectors that read the same thing (the working tree and the
/// history of one repository) share an entry.
pub(crate) struct Resources {
    all: Vec<Resource>,
    index: BTreeMap<(SystemId, u32), u32>,
    announced: BTreeMap<(SystemId, u32), Resource>,
}

impl Resources {
    fn new(announced: BTreeMap<(SystemId, u32), Resource>) -> Resources {
        let mut all: Vec<Resource> = Vec::new();
        let mut index = BTreeMap::new();
        for (&key, resource) in &announced {
            let same = all.iter().position(|other| {
                other.name == resource.name && other.location == resource.location
            });
            let number = same.unwrap_or_else(|| {
                all.push(resource.clone());
                all.len() - 1
            });
            if resource.kind == keymuster_api::ResourceKind::Repository {
                all[number].kind = resource.kind;
            }
            index.insert(key, number as u32);
        }
        Resources {
            all,
            index,
            announced,
        }
    }

    pub(crate) fn number(&self, system: SystemId, id: u32) -> u32 {
        self.index.get(&(system, id)).copied().unwrap_or(0)
    }
}

pub(crate) fn cx<'a>(
    system: SystemId,
    engine: &'a Engine,
    options: &'a SweepOptions<'_>,
    memo: Option<&'a Arc<dyn Memo>>,
) -> Cx<'a> {
    Cx {
        system,
        now: options.now,
        jobs: options.jobs,
        max_memory: options.max_memory,
        cancel: options.cancel,
        progress: options.progress,
        redactor: engine,
        memo,
    }
}

/// Takes what connectors say when all work is done.
struct FactSink<'a>(&'a mut Gathered);

impl Sink for FactSink<'_> {
    fn emit(&mut self, item: Item) {
        self.0.take(item);
    }
}

struct ChannelSink<'a> {
    system: SystemId,
    sender: &'a crossbeam_channel::Sender<(SystemId, Item)>,
}

impl Sink for ChannelSink<'_> {
    fn emit(&mut self, item: Item) {
        // The receiver outlives every sender: it drains until the last one is gone.
        let _ = self.sender.send((self.system, item));
    }
}

fn run_connector(
    connector: &dyn Connector,
    system: SystemId,
    engine: &Engine,
    options: &SweepOptions<'_>,
    memo: Option<&Arc<dyn Memo>>,
    sender: &crossbeam_channel::Sender<(SystemId, Item)>,
) {
    let cx = cx(system, engine, options, memo);
    let mut sink = ChannelSink { system, sender };
    let label = connector.about().label.clone();
    let failed = |kind, reason: String| Gap {
        kind,
        subject: label.clone(),
        reason,
        source: Source {
            system,
            locator: label.clone(),
        },
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        match connector.preflight(&cx) {
            Ok(preflight) => {
                for missing in preflight.missing {
                    sink.gap(failed(GapKind::Missing, missing));
                }
            }
            Err(error) => return sink.gap(failed(GapKind::Failed, error.message)),
        }
        if let Err(error) = connector.sweep(&cx, &mut sink) {
            sink.gap(failed(GapKind::Failed, error.message));
        }
    }));
    if outcome.is_err() {
        sink.gap(failed(
            GapKind::Failed,
            "the connector failed unexpectedly; please report this as a bug".to_owned(),
        ));
    }
}
