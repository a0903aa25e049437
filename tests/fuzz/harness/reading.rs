//! Does to a repository all that a run does, and checks what must hold of every repository.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use keymuster_api::{
    Cancel, Connector as _, Content, Coverage, Cx, Fresh, Gap, Item, Load, LoadCx, NoProgress,
    ObjectId, Redaction, Redactor, SecretId, Sink, Spot, SystemId, Timestamp, Trace, Wanted,
    WantedSecret,
};
use keymuster_git::{GitConnector, RepositorySpec};

use super::script::LIMIT;

/// What a run saw.
pub struct Seen {
    /// Blobs and messages that were lent, with their bytes; an id can come more than once, if the
    /// index lists it more than once.
    pub lent: Vec<(ObjectId, Vec<u8>)>,
    /// What was told to be missing.
    pub gaps: Vec<Gap>,
    /// How many objects of all kinds were seen.
    pub received: u64,
    /// Whether all that was lent could be read again by its id.
    pub is_found: bool,
}

/// At most so many places of one secret are told.
const MOST_PLACES: usize = 10_000;

/// Sweeps a repository, names, locates and reads again.
///
/// # Panics
/// If something does not hold.
pub fn run(folder: &Path) -> Seen {
    let cancel = Cancel::new();
    let cx = &Cx {
        system: SystemId(0),
        now: Timestamp::UNIX_EPOCH,
        jobs: 1,
        max_memory: 1 << 26,
        cancel: &cancel,
        progress: &NoProgress,
        redactor: &NoRedactor,
        memo: None,
    };
    let connector = GitConnector::new(vec![RepositorySpec {
        name: Some("forged".to_owned()),
        object_limit: LIMIT,
        ..RepositorySpec::new(folder)
    }]);
    let engine = Engine::default();
    let mut sink = Collect::default();
    connector.sweep(cx, &mut sink).expect("a sweep ends");
    let mut loads = std::mem::take(&mut sink.loads);
    while let Some(load) = loads.pop() {
        if let Err(gap) = load.load(&engine) {
            engine.gap(gap);
        }
        loads.append(&mut lock(&engine.forked));
    }
    let named = |name: &[u8]| name.ends_with(b"a");
    let mut names = 0;
    connector
        .named(cx, &named, &mut |_, _, _| names += 1)
        .expect("names are told");
    let lent = engine
        .lent
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    locate(&connector, cx, &lent);
    let is_found = read_again(&connector, cx, &lent);
    connector.settle(cx, &mut sink).expect("an end");
    assert!(sink.loads.is_empty(), "settling emits no work");
    let mut gaps = engine
        .gaps
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    gaps.append(&mut sink.gaps);
    for coverage in &sink.coverage {
        let is_all = coverage.expected == Some(coverage.received);
        assert!(
            !coverage.complete || is_all && gaps.is_empty(),
            "complete, and something is missing: {coverage:?}, {gaps:?}"
        );
    }
    Seen {
        lent: lent.into_iter().map(|(id, _, bytes)| (id, bytes)).collect(),
        gaps,
        is_found,
        received: sink.coverage.iter().map(|one| one.received).sum(),
    }
}

/// Asks for places of some objects.
fn locate(connector: &GitConnector, cx: &Cx<'_>, lent: &[(ObjectId, bool, Vec<u8>)]) {
    let of = |wanted: bool| -> Vec<ObjectId> {
        let some = lent.iter().filter(|(_, is_blob, _)| *is_blob == wanted);
        some.map(|&(id, _, _)| id).take(4).collect()
    };
    for every_version in [false, true] {
        let wanted = Wanted {
            secrets: vec![WantedSecret {
                resource: 0,
                secret: SecretId([0; 16]),
                blobs: of(true),
                messages: of(false),
            }],
            every_version,
        };
        let mut places = 0;
        connector
            .locate(cx, &wanted, &mut |_| places += 1)
            .expect("places are told");
        assert!(places <= MOST_PLACES, "{places} places");
    }
}

/// What is read by its id is what was lent; says whether everything was found.
fn read_again(connector: &GitConnector, cx: &Cx<'_>, lent: &[(ObjectId, bool, Vec<u8>)]) -> bool {
    let mut by_id: BTreeMap<ObjectId, Vec<&[u8]>> = BTreeMap::new();
    for (id, _, bytes) in lent {
        by_id.entry(*id).or_default().push(bytes);
    }
    let spots: Vec<(u32, Spot)> = by_id.keys().map(|&id| (0, Spot::Blob { id })).collect();
    let mut again = 0;
    let mut take = |at: usize, bytes: &[u8]| {
        again += 1;
        let (Spot::Blob { id } | Spot::Message { id }) = &spots[at].1 else {
            return;
        };
        assert!(
            by_id[id].len() > 1 || by_id[id].contains(&bytes),
            "{id} is read twice, and differs"
        );
    };
    connector.reread(cx, &spots, &mut take).expect("read again");
    again == spots.len()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An engine that remembers what it was lent.
#[derive(Default)]
struct Engine {
    lent: Mutex<Vec<(ObjectId, bool, Vec<u8>)>>,
    forked: Mutex<Vec<Box<dyn Load>>>,
    gaps: Mutex<Vec<Gap>>,
}

impl LoadCx for Engine {
    fn scan(&self, content: &Content<'_>) -> Trace {
        let mut lent = lock(&self.lent);
        assert!(content.bytes.len() as u64 <= LIMIT, "no object is larger");
        if let Fresh::Only { copied, base } = content.fresh {
            let (_, _, base) = &lent[base.traits as usize];
            let mut end = 0;
            for range in copied {
                assert!(range.len > 0 && range.at >= end, "sorted and disjoint");
                end = range.at + range.len;
                assert_eq!(
                    content.bytes.get(range.at..end),
                    base.get(range.from..range.from + range.len),
                    "what is said to be copied is the same in the base"
                );
            }
        }
        let (id, is_blob) = match content.place.spot {
            Spot::Blob { id } => (id, true),
            Spot::Message { id } => (id, false),
            _ => panic!("git lends blobs and messages"),
        };
        lent.push((id, is_blob, content.bytes.to_vec()));
        // The trace tells which content it came from.
        Trace {
            traits: lent.len() as u32 - 1,
            ..Trace::default()
        }
    }

    fn fork(&self, mut loads: Vec<Box<dyn Load>>) {
        lock(&self.forked).append(&mut loads);
    }

    fn gap(&self, gap: Gap) {
        lock(&self.gaps).push(gap);
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn advance(&self, _bytes: u64, _objects: u64) {}
}

#[derive(Default)]
struct Collect {
    loads: Vec<Box<dyn Load>>,
    gaps: Vec<Gap>,
    coverage: Vec<Coverage>,
}

impl Sink for Collect {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Work(load) => self.loads.push(load),
            Item::Gap(gap) => self.gaps.push(gap),
            Item::Coverage(coverage) => self.coverage.push(coverage),
            _ => {}
        }
    }
}

struct NoRedactor;

impl Redactor for NoRedactor {
    fn redact(&self, _text: &str) -> Vec<Redaction> {
        Vec::new()
    }

    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}
