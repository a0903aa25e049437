//! An engine that remembers everything it was lent, and checks what it was told.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use keymuster_api::{
    Cancel, Connector, Content, Coverage, Cx, Fresh, Gap, Item, Load, LoadCx, Located, Memo,
    NoProgress, ObjectId, PathBytes, Redaction, Redactor, SecretId, Sink, Spot, SystemId,
    Timestamp, Trace, Wanted, WantedSecret,
};
use keymuster_git::{GitConnector, History, RepositorySpec};

/// What one run over one repository gave.
pub(crate) struct Seen {
    pub(crate) connector: GitConnector,
    /// Blobs lent, with their bytes.
    pub(crate) blobs: BTreeMap<ObjectId, Vec<u8>>,
    /// Messages lent, with their bytes.
    pub(crate) messages: BTreeMap<ObjectId, Vec<u8>>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) coverage: Vec<Coverage>,
    /// Bytes that were told to be copied.
    pub(crate) copied: u64,
    /// Loads that were handed on.
    pub(crate) forks: u64,
}

pub(crate) fn spec(path: &Path) -> RepositorySpec {
    RepositorySpec {
        name: Some("fixture".to_owned()),
        ..RepositorySpec::new(path)
    }
}

/// Sweeps a repository's whole store.
pub(crate) fn sweep(path: &Path) -> Seen {
    run(spec(path), false)
}

pub(crate) fn sweep_history(path: &Path, history: History) -> Seen {
    run(
        RepositorySpec {
            history,
            ..spec(path)
        },
        false,
    )
}

pub(crate) fn run(spec: RepositorySpec, cancelled: bool) -> Seen {
    let how = How {
        cancelled,
        ..How::default()
    };
    run_with(spec, &how).expect("nothing stopped it")
}

/// How a run goes.
pub(crate) struct How {
    pub(crate) cancelled: bool,
    pub(crate) memo: Option<Arc<dyn Memo>>,
    /// After so many loads it is killed.
    pub(crate) loads: usize,
    pub(crate) max_memory: u64,
}

impl Default for How {
    fn default() -> How {
        How {
            cancelled: false,
            memo: None,
            loads: usize::MAX,
            max_memory: 1 << 30,
        }
    }
}

/// A run; `None` if it was killed.
pub(crate) fn run_with(spec: RepositorySpec, how: &How) -> Option<Seen> {
    let cancel = Cancel::new();
    let cx = &Cx {
        memo: how.memo.as_ref(),
        max_memory: how.max_memory,
        ..cx(&cancel)
    };
    let mut loads_left = how.loads;
    let engine = Engine::default();
    engine.cancelled.store(how.cancelled, Relaxed);
    let connector = GitConnector::new(vec![spec]);
    let mut sink = Collect::default();
    connector.sweep(cx, &mut sink).unwrap();
    let mut loads = std::mem::take(&mut sink.loads);
    while let Some(load) = loads.pop() {
        if loads_left == 0 {
            return None;
        }
        loads_left -= 1;
        if let Err(gap) = load.load(&engine) {
            engine.gap(gap);
        }
        loads.append(&mut engine.forked.lock().unwrap());
    }
    if how.memo.is_some() {
        // As the sweep does: trees are read before the end.
        connector.named(cx, &|_| false, &mut |_, _, _| {}).unwrap();
    }
    connector.settle(cx, &mut sink).unwrap();
    assert!(sink.loads.is_empty(), "settling emits no work");
    let mut gaps = engine.gaps.into_inner().unwrap();
    gaps.append(&mut sink.gaps);
    gaps.sort();
    let mut seen = Seen {
        connector,
        blobs: BTreeMap::new(),
        messages: BTreeMap::new(),
        gaps,
        coverage: sink.coverage,
        copied: engine.copied.into_inner(),
        forks: engine.forks.into_inner(),
    };
    for (spot, bytes) in engine.contents.into_inner().unwrap() {
        let twice = match spot {
            Spot::Blob { id } => seen.blobs.insert(id, bytes),
            Spot::Message { id } => seen.messages.insert(id, bytes),
            _ => panic!("git lends blobs and messages"),
        };
        assert!(twice.is_none(), "an object was lent twice");
    }
    Some(seen)
}

impl Seen {
    /// Blobs and messages that hold a text.
    pub(crate) fn holding(&self, needle: &str) -> WantedSecret {
        let holds = |objects: &BTreeMap<ObjectId, Vec<u8>>| {
            let hits = objects.iter().filter(|(_, bytes)| {
                bytes
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes())
            });
            hits.map(|(id, _)| *id).collect()
        };
        WantedSecret {
            resource: 0,
            secret: SecretId([0; 16]),
            blobs: holds(&self.blobs),
            messages: holds(&self.messages),
        }
    }

    pub(crate) fn locate(&self, secrets: Vec<WantedSecret>, every_version: bool) -> Vec<Located> {
        let mut found = Vec::new();
        let wanted = Wanted {
            secrets,
            every_version,
        };
        with_cx(|cx| {
            self.connector
                .locate(cx, &wanted, &mut |located| found.push(located))
        })
        .unwrap();
        found
    }

    /// Where one text is.
    pub(crate) fn places(&self, needle: &str) -> Vec<Located> {
        self.locate(vec![self.holding(needle)], false)
    }

    pub(crate) fn named(&self, wanted: &dyn Fn(&[u8]) -> bool) -> Vec<(ObjectId, PathBytes)> {
        let mut found = Vec::new();
        let mut take = |_: u32, id, path| found.push((id, path));
        with_cx(|cx| self.connector.named(cx, wanted, &mut take)).unwrap();
        found.sort();
        found
    }

    pub(crate) fn reread(&self, spots: &[Spot]) -> Vec<Option<Vec<u8>>> {
        let mut found = vec![None; spots.len()];
        let spots: Vec<(u32, Spot)> = spots.iter().map(|spot| (0, spot.clone())).collect();
        let mut take = |at: usize, bytes: &[u8]| found[at] = Some(bytes.to_vec());
        with_cx(|cx| self.connector.reread(cx, &spots, &mut take)).unwrap();
        found
    }

    /// Gaps that were met after the sweep.
    pub(crate) fn settle(&self) -> Vec<Gap> {
        let mut sink = Collect::default();
        with_cx(|cx| self.connector.settle(cx, &mut sink)).unwrap();
        sink.gaps
    }

    pub(crate) fn covered(&self, what: &str) -> &Coverage {
        self.coverage
            .iter()
            .find(|coverage| coverage.what == what)
            .unwrap()
    }
}

pub(crate) fn with_cx<T>(action: impl FnOnce(&Cx<'_>) -> T) -> T {
    action(&cx(&Cancel::new()))
}

fn cx(cancel: &Cancel) -> Cx<'_> {
    Cx {
        system: SystemId(0),
        now: Timestamp::UNIX_EPOCH,
        jobs: 2,
        max_memory: 1 << 30,
        cancel,
        progress: &NoProgress,
        redactor: &NoRedactor,
        memo: None,
    }
}

#[derive(Default)]
struct Engine {
    contents: Mutex<Vec<(Spot, Vec<u8>)>>,
    forked: Mutex<Vec<Box<dyn Load>>>,
    gaps: Mutex<Vec<Gap>>,
    cancelled: AtomicBool,
    copied: AtomicU64,
    forks: AtomicU64,
}

impl LoadCx for Engine {
    fn scan(&self, content: &Content<'_>) -> Trace {
        let mut contents = self.contents.lock().unwrap();
        if let Fresh::Only { copied, base } = content.fresh {
            let (_, base) = &contents[base.traits as usize];
            let mut end = 0;
            let mut last = None;
            for range in copied {
                assert!(
                    range.len > 0 && range.at >= end,
                    "ranges are sorted and disjoint"
                );
                end = range.at + range.len;
                assert_eq!(
                    content.bytes.get(range.at..end).unwrap(),
                    base.get(range.from..range.from + range.len).unwrap(),
                    "what is said to be copied is the same in the base"
                );
                assert_ne!(
                    last,
                    Some((range.at, range.from)),
                    "ranges in a row are one"
                );
                last = Some((end, range.from + range.len));
                self.copied.fetch_add(range.len as u64, Relaxed);
            }
        }
        contents.push((content.place.spot.clone(), content.bytes.to_vec()));
        // The trace tells which content it came from, so that bases can be compared.
        Trace {
            traits: contents.len() as u32 - 1,
            ..Trace::default()
        }
    }

    fn fork(&self, mut loads: Vec<Box<dyn Load>>) {
        self.forks.fetch_add(loads.len() as u64, Relaxed);
        self.forked.lock().unwrap().append(&mut loads);
    }

    fn gap(&self, gap: Gap) {
        self.gaps.lock().unwrap().push(gap);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
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
            Item::Resource(resource) => assert_eq!(resource.id, 0),
            _ => panic!("git emits nothing else"),
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

/// Every object of the store as git itself gives it, by id: kind and bytes.
pub(crate) fn truth(
    fixture: &super::fixture::Fixture,
    path: &Path,
) -> BTreeMap<ObjectId, (String, Vec<u8>)> {
    let raw = fixture.raw(path, &["cat-file", "--batch-all-objects", "--batch"], b"");
    let mut objects = BTreeMap::new();
    let mut rest = raw.as_slice();
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        let size: usize = words[2].parse().unwrap();
        let bytes = rest[end + 1..end + 1 + size].to_vec();
        objects.insert(super::fixture::id(words[0]), (words[1].to_owned(), bytes));
        rest = &rest[end + 2 + size..];
    }
    objects
}

/// Asserts that exactly the objects of the store were lent, with their right bytes, and that
/// this is what coverage says.
pub(crate) fn assert_complete(fixture: &super::fixture::Fixture, path: &Path, seen: &Seen) {
    let truth = truth(fixture, path);
    let of = |kinds: &[&str]| -> BTreeMap<ObjectId, Vec<u8>> {
        let mine = truth
            .iter()
            .filter(|(_, (kind, _))| kinds.contains(&kind.as_str()));
        mine.map(|(id, (_, bytes))| (*id, bytes.clone())).collect()
    };
    assert_eq!(seen.gaps, [], "nothing is missing");
    assert!(seen.blobs == of(&["blob"]), "blobs are those of git");
    assert!(
        seen.messages == of(&["commit", "tag"]),
        "messages are those of git"
    );
    for (what, kind) in [("blobs", "blob"), ("commits", "commit"), ("tags", "tag")] {
        let coverage = seen.covered(what);
        let count = of(&[kind]).len() as u64;
        assert_eq!(
            (coverage.received, coverage.expected),
            (count, Some(count)),
            "{what}"
        );
        assert!(coverage.complete);
    }
}
