//! Files in, facts out: each test is a repository or two.

mod bad_input;
mod github;
mod others;

use keymuster_api::{
    Cancel, Connector as _, Consumer, Coverage, Cx, Gap, Item, NoProgress, Redaction, Redactor,
    SecretId, Sink, Slot, SlotUse, SystemId, Timestamp,
};

use crate::{Tree, Trouble, WorkflowsConnector, WorkflowsSpec};

/// A repository in memory.
struct Texts {
    name: &'static str,
    origin: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
}

/// A repository of this origin with these files.
fn repository(origin: &'static str, files: &[(&'static str, &str)]) -> Box<dyn Tree> {
    Box::new(Texts {
        name: origin.rsplit('/').next().unwrap_or(origin),
        origin,
        files: files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes().to_vec()))
            .collect(),
    })
}

impl Tree for Texts {
    fn name(&self) -> &str {
        self.name
    }

    fn git_config(&self) -> Option<Vec<u8>> {
        let config = format!("[remote \"origin\"]\n\turl = https://{}.git\n", self.origin);
        Some(config.into_bytes())
    }

    fn read(
        &self,
        _cancel: &Cancel,
        wanted: &dyn Fn(&str) -> bool,
        out: &mut dyn FnMut(&str, &[u8]),
    ) -> Vec<Trouble> {
        for (path, bytes) in &self.files {
            if wanted(path) {
                out(path, bytes);
            }
        }
        Vec::new()
    }
}

struct Nothing;

impl Redactor for Nothing {
    fn redact(&self, _text: &str) -> Vec<Redaction> {
        Vec::new()
    }

    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

/// What the connector told.
#[derive(Default)]
struct Told {
    consumers: Vec<Consumer>,
    uses: Vec<SlotUse>,
    slots: Vec<Slot>,
    gaps: Vec<Gap>,
    coverage: Vec<Coverage>,
    claims: Vec<keymuster_api::Claim>,
}

impl Sink for Told {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Consumer(one) => self.consumers.push(one),
            Item::Use(one) => self.uses.push(one),
            Item::Slot(one) => self.slots.push(one),
            Item::Gap(one) => self.gaps.push(one),
            Item::Coverage(one) => self.coverage.push(one),
            Item::Claim(one) => self.claims.push(one),
            _ => {}
        }
    }
}

impl Told {
    /// What a consumer names, each as `store name`, sorted and each once.
    fn names(&self, consumer: &str) -> Vec<String> {
        let of = self.uses.iter().filter(|one| one.by.0.ends_with(consumer));
        let name = |one: &SlotUse| one.name.clone().unwrap_or_else(|| "*".to_owned());
        let mut all: Vec<String> = of
            .map(|one| format!("{} {}", one.store, name(one)))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn consumer(&self, key: &str) -> &Consumer {
        let mut all = self.consumers.iter();
        let found = all.find(|one| one.key.0.ends_with(key));
        found.unwrap_or_else(|| panic!("no {key} in {:#?}", self.consumers))
    }
}

fn sweep(trees: Vec<Box<dyn Tree>>) -> Told {
    let connector = WorkflowsConnector::new(WorkflowsSpec {
        label: "test".to_owned(),
        trees,
        home: None,
    });
    let cx = Cx {
        system: SystemId(0),
        now: Timestamp::UNIX_EPOCH,
        jobs: 1,
        max_memory: 1 << 30,
        cancel: &Cancel::default(),
        progress: &NoProgress,
        redactor: &Nothing,
        memo: None,
    };
    let mut told = Told::default();
    connector.sweep(&cx, &mut told).expect("it sweeps");
    told
}

/// The facts of one repository with one file.
fn one(path: &'static str, text: &str) -> Told {
    sweep(vec![repository("github.com/acme/app", &[(path, text)])])
}
