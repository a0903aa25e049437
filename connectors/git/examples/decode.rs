//! Measures decoding: sweeps a repository with an engine that looks at nothing, then locates
//! random blobs. `decode REPOSITORY [--jobs N] [--locate N] [--named NAME]`
#![allow(clippy::print_stdout, reason = "a tool for measuring")]

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use keymuster_api::{
    Cancel, Connector, Content, Cx, Fresh, Gap, Item, Load, LoadCx, NoProgress, ObjectId,
    Redaction, Redactor, SecretId, Sink, Spot, SystemId, Timestamp, Trace, Wanted, WantedSecret,
};
use keymuster_git::{GitConnector, RepositorySpec};

#[derive(Default)]
struct Run {
    queue: Mutex<(VecDeque<Box<dyn Load>>, usize)>,
    wake: Condvar,
    bytes: AtomicU64,
    fresh: AtomicU64,
    objects: AtomicU64,
    gaps: Mutex<Vec<Gap>>,
    blobs: Mutex<Vec<ObjectId>>,
    keep: AtomicBool,
}

impl LoadCx for Run {
    fn scan(&self, content: &Content<'_>) -> Trace {
        self.bytes.fetch_add(content.bytes.len() as u64, Relaxed);
        let copied = match content.fresh {
            Fresh::Everything => 0,
            Fresh::Only { copied, .. } => copied.iter().map(|range| range.len).sum(),
        };
        self.fresh
            .fetch_add((content.bytes.len() - copied) as u64, Relaxed);
        let seen = self.objects.fetch_add(1, Relaxed);
        if self.keep.load(Relaxed)
            && seen.is_multiple_of(64)
            && let Spot::Blob { id } = content.place.spot
        {
            self.blobs.lock().expect("no panic").push(id);
        }
        Trace::default()
    }

    fn fork(&self, loads: Vec<Box<dyn Load>>) {
        let mut queue = self.queue.lock().expect("no panic");
        for load in loads {
            queue.0.push_front(load);
        }
        self.wake.notify_all();
    }

    fn gap(&self, gap: Gap) {
        self.gaps.lock().expect("no panic").push(gap);
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn advance(&self, _bytes: u64, _objects: u64) {}
}

impl Run {
    fn work(&self) {
        loop {
            let mut queue = self.queue.lock().expect("no panic");
            let load = loop {
                if let Some(load) = queue.0.pop_front() {
                    queue.1 += 1;
                    break load;
                }
                if queue.1 == 0 {
                    return;
                }
                queue = self.wake.wait(queue).expect("no panic");
            };
            drop(queue);
            if let Err(gap) = load.load(self) {
                self.gap(gap);
            }
            self.queue.lock().expect("no panic").1 -= 1;
            self.wake.notify_all();
        }
    }
}

struct Collect<'a>(&'a Run, Vec<Item>);

impl Sink for Collect<'_> {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Work(load) => self.0.queue.lock().expect("no panic").0.push_back(load),
            Item::Gap(gap) => self.0.gap(gap),
            other => self.1.push(other),
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

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat
        .split(' ')
        .nth(13)
        .and_then(|ticks| ticks.parse::<f64>().ok());
    ticks.unwrap_or(0.0) / 100.0
}

fn anon() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("RssAnon"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse().ok())
        .unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, default: usize| {
        value(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let jobs = number("--jobs", 2);
    let path = arguments.first().expect("usage: decode REPOSITORY");
    let connector = GitConnector::new(vec![RepositorySpec::new(path)]);
    let cancel = Cancel::new();
    let cx = Cx {
        system: SystemId(0),
        now: Timestamp::UNIX_EPOCH,
        jobs,
        max_memory: 2 << 30,
        cancel: &cancel,
        progress: &NoProgress,
        redactor: &NoRedactor,
        memo: None,
    };
    let run = Run::default();
    let wanted = number("--locate", 0);
    run.keep.store(wanted > 0, Relaxed);
    let peak = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                peak.fetch_max(anon(), Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        let tell = |what: &str, from: (Instant, f64)| {
            println!(
                "{what:12} user {:6.2} s  wall {:6.2} s  peak anon {:5} MB",
                cpu() - from.1,
                from.0.elapsed().as_secs_f64(),
                peak.swap(0, Relaxed) / 1024
            );
        };
        let start = (Instant::now(), cpu());
        let mut sink = Collect(&run, Vec::new());
        connector.sweep(&cx, &mut sink).expect("swept");
        tell("sweep", start);
        let loads = (Instant::now(), cpu());
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| run.work());
            }
        });
        tell("loads", loads);
        println!(
            "{} objects, {:.0} MB reconstructed, {:.0} MB fresh",
            run.objects.load(Relaxed),
            run.bytes.load(Relaxed) as f64 / 1e6,
            run.fresh.load(Relaxed) as f64 / 1e6
        );
        if let Some(name) = value("--named") {
            let from = (Instant::now(), cpu());
            let mut count = 0;
            connector
                .named(&cx, &|found| found == name.as_bytes(), &mut |_, _, _| {
                    count += 1
                })
                .expect("named");
            tell("named", from);
            println!("{count} blobs are named {name}");
        }
        if wanted > 0 {
            let mut blobs = run.blobs.lock().expect("no panic").clone();
            blobs.sort_unstable();
            let step = blobs.len().checked_div(wanted).unwrap_or(0).max(1);
            let secrets: Vec<WantedSecret> = blobs
                .into_iter()
                .step_by(step)
                .take(wanted)
                .enumerate()
                .map(|(at, blob)| WantedSecret {
                    resource: 0,
                    secret: SecretId((at as u128).to_be_bytes()),
                    blobs: vec![blob],
                    messages: Vec::new(),
                })
                .collect();
            println!("{} wanted", secrets.len());
            let wanted = Wanted {
                secrets,
                every_version: false,
            };
            for what in ["locate", "locate again"] {
                let from = (Instant::now(), cpu());
                let (mut places, mut unreached, mut introduced) = (0, 0, 0);
                connector
                    .locate(&cx, &wanted, &mut |located| {
                        places += 1;
                        unreached += usize::from(located.commit.is_none());
                        introduced += located.introduced.map_or(0, |list| list.len());
                    })
                    .expect("located");
                tell(what, from);
                println!("{places} places, {unreached} in no commit, {introduced} introduced");
            }
        }
        connector.settle(&cx, &mut sink).expect("settled");
        for item in &sink.1 {
            if let Item::Coverage(coverage) = item {
                println!(
                    "{} {} of {}, complete {}",
                    coverage.what,
                    coverage.received,
                    coverage.expected.unwrap_or(0),
                    coverage.complete
                );
            }
        }
        for gap in run.gaps.lock().expect("no panic").iter().take(10) {
            println!("gap: {gap}");
        }
        done.store(true, Relaxed);
    });
}
