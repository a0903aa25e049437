//! Stages of reading a history: inflate, delta, the walk over delta trees, the graph, provenance.

use std::sync::Mutex;

use divan::{Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use keymuster_api::{
    Cancel, Connector as _, Content, Cx, Gap, Item, Load, LoadCx, NoProgress, ObjectId, Redaction,
    Redactor, SecretId, Sink, Spot, SystemId, Timestamp, Trace, Wanted, WantedSecret,
};
use keymuster_git::{
    GitConnector, RepositorySpec,
    stages::{Apply, Inflate},
};

use crate::inputs;

const LIMIT: u64 = 1 << 24;

/// Objects of 16 KiB, as packs hold them, and their sizes.
fn packed() -> Vec<(Vec<u8>, u64)> {
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write as _;
    (0..64)
        .map(|seed| {
            let code = inputs::code(seed, 16 << 10);
            let mut out = ZlibEncoder::new(Vec::new(), Compression::default());
            out.write_all(&code).unwrap();
            (out.finish().unwrap(), code.len() as u64)
        })
        .collect()
}

fn total(packed: &[(Vec<u8>, u64)]) -> BytesCount {
    BytesCount::new(packed.iter().map(|(_, size)| *size).sum::<u64>())
}

#[divan::bench]
fn inflate(bencher: Bencher<'_, '_>) {
    let packed = packed();
    let mut inflate = Inflate::new(LIMIT);
    bencher.counter(total(&packed)).bench_local(|| {
        for (bytes, size) in &packed {
            black_box(inflate.entry(bytes, *size).unwrap());
        }
    });
}

/// The same with the other inflater that is in the tree, to see which is worth having.
#[divan::bench]
fn inflate_zlib_rs(bencher: Bencher<'_, '_>) {
    let packed = packed();
    let mut inflate = flate2::Decompress::new(true);
    let mut out = vec![0; 1 << 20];
    bencher.counter(total(&packed)).bench_local(|| {
        for (bytes, size) in &packed {
            inflate.reset(true);
            let how = flate2::FlushDecompress::Finish;
            inflate.decompress(bytes, &mut out, how).unwrap();
            assert_eq!(inflate.total_out(), *size);
        }
    });
}

#[divan::bench]
fn delta(bencher: Bencher<'_, '_>) {
    let base = inputs::code(1, 24 << 10);
    let deltas: Vec<(Vec<u8>, usize)> = (0..64)
        .map(|seed| {
            let (version, copied) = inputs::edit(&base, seed, 8);
            (inputs::delta(&base, &version, &copied), version.len())
        })
        .collect();
    let bytes: usize = deltas.iter().map(|(_, len)| len).sum();
    let mut apply = Apply::default();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for (delta, len) in &deltas {
            let (version, _) = apply.apply(&base, delta, LIMIT).unwrap();
            assert_eq!(version.len(), *len);
        }
    });
}

/// A repository on disk, and what is needed to ask for it.
struct Ready {
    _folder: tempfile::TempDir,
    connector: GitConnector,
    blobs: Vec<ObjectId>,
    bytes: u64,
    loads: Vec<Box<dyn Load>>,
}

fn ready(commits: usize) -> Ready {
    let folder = tempfile::tempdir().unwrap();
    inputs::repository(folder.path(), commits);
    let connector = GitConnector::new(vec![RepositorySpec::new(folder.path())]);
    let (engine, loads) = swept(&connector);
    let nothing = Nothing::default();
    loads
        .into_iter()
        .for_each(|load| load.load(&nothing).unwrap());
    drop(engine);
    let (_, loads) = swept(&connector);
    Ready {
        _folder: folder,
        blobs: nothing.blobs.into_inner().unwrap(),
        bytes: nothing.bytes.into_inner().unwrap(),
        connector,
        loads,
    }
}

fn swept(connector: &GitConnector) -> (Collect, Vec<Box<dyn Load>>) {
    let mut sink = Collect::default();
    with_cx(|cx| connector.sweep(cx, &mut sink)).unwrap();
    let loads = std::mem::take(&mut sink.0);
    (sink, loads)
}

/// Every object inflated and its deltas applied, nothing searched.
#[divan::bench(sample_count = 20)]
fn walk(bencher: Bencher<'_, '_>) {
    let ready = ready(1000);
    bencher
        .counter(BytesCount::new(ready.bytes))
        .with_inputs(|| swept(&ready.connector).1)
        .bench_local_values(|loads| {
            let nothing = Nothing::default();
            loads
                .into_iter()
                .for_each(|load| load.load(&nothing).unwrap());
        });
}

/// Opening, planning, and reading every tree and commit.
#[divan::bench(sample_count = 20)]
fn graph(bencher: Bencher<'_, '_>) {
    let ready = ready(1000);
    let path = ready._folder.path().to_owned();
    bencher
        .counter(ItemsCount::new(1000u32))
        .with_inputs(|| GitConnector::new(vec![RepositorySpec::new(&path)]))
        .bench_local_values(|connector| {
            swept(&connector);
            with_cx(|cx| connector.named(cx, &|_| false, &mut |_, _, _| {})).unwrap();
        });
}

/// Places, commits and tips of 100 secrets in the same history, once the graph is there.
#[divan::bench(sample_count = 20)]
fn provenance(bencher: Bencher<'_, '_>) {
    let ready = ready(1000);
    assert!(!ready.loads.is_empty());
    let step = ready.blobs.len() / 100;
    let secrets: Vec<WantedSecret> = (0u128..)
        .zip(ready.blobs.iter().step_by(step))
        .map(|(at, blob)| WantedSecret {
            resource: 0,
            secret: SecretId(at.to_be_bytes()),
            blobs: vec![*blob],
            messages: Vec::new(),
        })
        .collect();
    let count = secrets.len();
    let wanted = Wanted {
        secrets,
        every_version: false,
    };
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let mut places = 0;
        with_cx(|cx| ready.connector.locate(cx, &wanted, &mut |_| places += 1)).unwrap();
        assert!(places >= count);
    });
}

fn with_cx<T>(action: impl FnOnce(&Cx<'_>) -> T) -> T {
    action(&Cx {
        system: SystemId(0),
        now: Timestamp::UNIX_EPOCH,
        jobs: 1,
        max_memory: 1 << 30,
        cancel: &Cancel::new(),
        progress: &NoProgress,
        redactor: &NoRedactor,
        memo: None,
    })
}

/// An engine that looks at nothing.
#[derive(Default)]
struct Nothing {
    blobs: Mutex<Vec<ObjectId>>,
    bytes: Mutex<u64>,
}

impl LoadCx for Nothing {
    fn scan(&self, content: &Content<'_>) -> Trace {
        *self.bytes.lock().unwrap() += content.bytes.len() as u64;
        if let Spot::Blob { id } = content.place.spot {
            self.blobs.lock().unwrap().push(id);
        }
        Trace::default()
    }

    fn fork(&self, loads: Vec<Box<dyn Load>>) {
        loads.into_iter().for_each(|load| load.load(self).unwrap());
    }

    fn gap(&self, gap: Gap) {
        panic!("{gap}");
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn advance(&self, _bytes: u64, _objects: u64) {}
}

#[derive(Default)]
struct Collect(Vec<Box<dyn Load>>);

impl Sink for Collect {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Work(load) => self.0.push(load),
            Item::Gap(gap) => panic!("{gap}"),
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
