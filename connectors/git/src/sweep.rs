//! Loads: delta trees in pack order, loose objects, and single objects by number.

use std::sync::Arc;

use keymuster_api::{Cx, Fresh, Gap, GapKind, Item, Load, LoadCx, ObjectId, Sink};

use crate::{
    buffer::Buffer,
    delta::Kind,
    fault::Fault,
    memory::{Done, Memory},
    plan::{Plan, Root},
    reader::Reader,
    repository::Repository,
    search::{Search, scan},
    walk::{Visit as _, Walker},
};

/// Compressed bytes of small delta trees that make one load.
const BATCH: u64 = 1 << 20;
/// Loose objects, or single objects, that make one load.
const BATCH_OBJECTS: usize = 256;

/// Emits the loads for every object of the store.
pub(crate) fn everything(repo: &Arc<Repository>, cx: &Cx<'_>, out: &mut dyn Sink) {
    let mut loads: Vec<(u64, Box<dyn Load>)> = Vec::new();
    let known = repo.memory.as_ref().map_or(0, Memory::known_packs);
    for (number, pack) in repo.store.packs.iter().enumerate().skip(known) {
        let plan = plan(repo, number);
        let mut batch = Batch {
            number,
            roots: Vec::new(),
            packed: 0,
            largest: 0,
        };
        for root in &plan.roots {
            let kind = Kind::from_number(plan.kind(root.entry));
            if kind == Some(Kind::Tree) || plan.needed[root.entry as usize] == 0 {
                continue;
            }
            if cx.cancel.is_cancelled() {
                break;
            }
            let (start, end) = plan.span(root.entry);
            let size = pack.entry(start, end).map_or(0, |(header, _)| header.size);
            let size = size.min(repo.spec.object_limit);
            // At most log2(n) versions are alive at once, see `plan`.
            let depth = u64::from(plan.needed[root.entry as usize].ilog2()) + 2;
            if root.packed >= BATCH {
                let alone = Batch {
                    number,
                    roots: vec![*root],
                    packed: root.packed,
                    largest: 0,
                };
                loads.push((root.packed, alone.load(repo, size * depth)));
                continue;
            }
            batch.roots.push(*root);
            batch.packed += root.packed;
            batch.largest = batch.largest.max(size * depth);
            if batch.packed >= BATCH {
                let full = std::mem::replace(
                    &mut batch,
                    Batch {
                        number,
                        roots: Vec::new(),
                        packed: 0,
                        largest: 0,
                    },
                );
                let largest = full.largest;
                loads.push((full.packed, full.load(repo, largest)));
            }
        }
        if !batch.roots.is_empty() {
            let largest = batch.largest;
            loads.push((batch.packed, batch.load(repo, largest)));
        }
    }
    // Heaviest first, so that the last loads to end are small.
    loads.sort_by_key(|&(packed, _)| std::cmp::Reverse(packed));
    let numbers: Vec<u32> = (0..repo.store.loose.len())
        .map(|at| repo.store.loose_number(at))
        .filter(|&number| !repo.is_known(number))
        .collect();
    cx.progress.expect(0, numbers.len() as u64);
    for (_, load) in loads {
        out.emit(Item::Work(load));
    }
    singles(repo, numbers, out);
    // While workers are busy.
    for number in known..repo.store.packs.len() {
        structure(repo, number, &plan(repo, number), out);
    }
}

/// Emits loads for single objects. Their kinds are known, and counted, when they are read.
pub(crate) fn singles(repo: &Arc<Repository>, mut numbers: Vec<u32>, out: &mut dyn Sink) {
    numbers.sort_by_key(|&number| (repo.store.address(number), number));
    for chunk in numbers.chunks(BATCH_OBJECTS) {
        let load = SinglesLoad {
            repo: Arc::clone(repo),
            numbers: chunk.to_vec(),
        };
        out.emit(Item::Work(Box::new(load)));
    }
}

/// The plan of a pack, where only canonical copies are to be seen, and only what is not known.
pub(crate) fn plan(repo: &Repository, number: usize) -> Arc<Plan> {
    repo.store.packs[number].plan(|position, kind| {
        repo.store.is_canonical(number, position) && repo.wants(number, position, kind)
    })
}

/// Counts what the pack's structure promises, and tells where it is broken.
fn structure(repo: &Repository, number: usize, plan: &Plan, out: &mut dyn Sink) {
    let mut counts = [0u64; 5];
    for entry in 0..plan.len() as u32 {
        if number == 0 || repo.store.is_canonical(number, plan.position(entry)) {
            counts[usize::from(plan.kind(entry)).min(4)] += 1;
        }
    }
    for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
        repo.tally.expect(kind, counts[usize::from(kind.number())]);
    }
    let pack = &repo.store.packs[number];
    let file = format!("{}: {}", repo.name, pack.path.display());
    if !pack.index_is_intact() {
        let reason = "its index does not have the checksum it records; run git index-pack";
        repo.tally.broken();
        out.gap(repo.gap(GapKind::Corrupt, file.clone(), reason.to_owned()));
    }
    if plan.misplaced > 0 {
        let reason = format!(
            "the index places {} objects outside the pack or on top of others; run git index-pack",
            plan.misplaced
        );
        repo.tally.broken();
        out.gap(repo.gap(GapKind::Corrupt, file.clone(), reason));
    }
    if plan.unreached > 0 {
        let reason = format!(
            "{} objects are stored as changes to each other, so none can be read; run git fsck",
            plan.unreached
        );
        repo.tally.broken();
        out.gap(repo.gap(GapKind::Corrupt, file, reason));
    }
    for &entry in &plan.senseless {
        let place = repo.entry_place(number, plan.offset(entry), plan.id(pack, entry));
        let below = plan.count_below(entry) - 1;
        let fault = Fault::Corrupt("its header makes no sense");
        if let Some(gap) = repo.object_gap(&place, &fault, below) {
            out.gap(gap);
        }
    }
}

struct Batch {
    number: usize,
    roots: Vec<Root>,
    packed: u64,
    largest: u64,
}

impl Batch {
    fn load(self, repo: &Arc<Repository>, weight: u64) -> Box<dyn Load> {
        Box::new(PackLoad {
            repo: Arc::clone(repo),
            number: self.number,
            roots: self.roots,
            weight: weight + (1 << 16),
        })
    }
}

/// Delta trees of one pack.
struct PackLoad {
    repo: Arc<Repository>,
    number: usize,
    roots: Vec<Root>,
    weight: u64,
}

impl Load for PackLoad {
    fn weight(&self) -> u64 {
        self.weight
    }

    fn load(self: Box<Self>, cx: &dyn LoadCx) -> Result<(), Gap> {
        let repo = &self.repo;
        let pack = &repo.store.packs[self.number];
        let plan = plan(repo, self.number);
        let mut walker = Walker::new(pack, &plan, repo.spec.object_limit);
        let mut search = Search::new(repo, self.number, &plan, cx);
        for root in &self.roots {
            if search.stop() {
                break;
            }
            if root.thin {
                thin(repo, self.number, root.entry, &mut walker, &mut search);
            } else if let Some(kind) = Kind::from_number(plan.kind(root.entry)) {
                search.kind = kind;
                walker.root(root.entry, &mut search);
            }
        }
        search.end()
    }
}

/// A thin leftover: its base is in another pack, or loose, and tells its kind.
fn thin(
    repo: &Repository,
    number: usize,
    entry: u32,
    walker: &mut Walker<'_>,
    search: &mut Search<'_>,
) {
    match thin_base(repo, number, entry) {
        Ok((Kind::Tree, _)) => {}
        Ok((kind, base)) => {
            search.kind = kind;
            // Its kind was not known when the others were counted.
            search.uncounted = true;
            walker.thin_root(entry, base.bytes(), search);
            search.uncounted = false;
        }
        Err(fault) => search.lost(entry, fault),
    }
}

/// The base of a thin leftover.
pub(crate) fn thin_base(
    repo: &Repository,
    number: usize,
    entry: u32,
) -> Result<(Kind, Buffer), Fault> {
    let pack = &repo.store.packs[number];
    let (start, end) = plan(repo, number).span(entry);
    match pack.entry(start, end).map(|(header, _)| header.stored) {
        Some(crate::delta::Stored::Named(id)) => match Reader::new(&repo.store).read_id(id) {
            Err(Fault::Missing) => {
                Err(ObjectId::from_bytes(id).map_or(Fault::Missing, Fault::NoBase))
            }
            other => other,
        },
        _ => Err(Fault::Corrupt("its header makes no sense")),
    }
}

/// Objects read one by one.
struct SinglesLoad {
    repo: Arc<Repository>,
    numbers: Vec<u32>,
}

impl Load for SinglesLoad {
    fn weight(&self) -> u64 {
        1 << 20
    }

    fn load(self: Box<Self>, cx: &dyn LoadCx) -> Result<(), Gap> {
        let repo = &self.repo;
        let mut reader = Reader::new(&repo.store);
        let mut done = Vec::new();
        for &number in &self.numbers {
            if cx.is_cancelled() {
                repo.done(done);
                return repo.cancelled();
            }
            let Some(id) = repo.store.id(number) else {
                continue;
            };
            match reader.read(number) {
                Ok((kind @ Kind::Tree, bytes)) => {
                    repo.tally.expect(Kind::Tree, 1);
                    done.push(Done {
                        number,
                        kind,
                        size: bytes.bytes().len() as u64,
                        candidates: Vec::new(),
                    });
                }
                Ok((kind, bytes)) => {
                    let bytes = bytes.bytes();
                    repo.tally.expect(kind, 1);
                    repo.tally.saw(kind, 1, bytes.len() as u64);
                    let trace = scan(repo, cx, kind, id, bytes, Fresh::Everything);
                    cx.advance(bytes.len() as u64, 1);
                    done.push(Done {
                        number,
                        kind,
                        size: bytes.len() as u64,
                        candidates: trace.candidates,
                    });
                }
                Err(fault) => {
                    if let Some(gap) = repo.object_gap(&format!("object {id}"), &fault, 0) {
                        cx.gap(gap);
                    }
                }
            }
        }
        repo.done(done);
        Ok(())
    }
}
