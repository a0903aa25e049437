//! What exports of a cluster become, as lines that can be read.

mod bad_input;
mod exports;

use std::{fs, path::Path, sync::Arc};

use keymuster_api::{
    Cancel, Connector as _, Cx, GapKind, Item, Known, Memo, NoProgress, Redaction, Redactor,
    SecretId, Sink, SystemId,
};

use crate::{KubernetesConnector, KubernetesSpec};

/// Seals by length and sum, and takes whatever begins with `sk-` for a secret.
struct Plain;

impl Redactor for Plain {
    fn redact(&self, text: &str) -> Vec<Redaction> {
        let start = text.find("sk-");
        let found = start.map(|start| Redaction {
            span: start..text.len(),
            rule: "test.key".to_owned(),
            kind: "test.key".to_owned(),
            secret: self.seal(text.as_bytes()),
            handle: None,
        });
        found.into_iter().collect()
    }
    fn seal(&self, secret: &[u8]) -> SecretId {
        let mut id = [0; 16];
        id[0] = secret.len() as u8;
        id[1] = secret.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        SecretId(id)
    }
}

#[derive(Default)]
struct Taken(Vec<Item>);

impl Sink for Taken {
    fn emit(&mut self, item: Item) {
        self.0.push(item);
    }
}

/// The facts of a folder.
fn sweep(folder: &Path, spec: impl FnOnce(&mut KubernetesSpec)) -> Vec<Item> {
    let mut own = KubernetesSpec {
        label: "kubernetes test".to_owned(),
        exports: vec![folder.to_owned()],
        cluster: Some("c".to_owned()),
        issuer: None,
    };
    spec(&mut own);
    let connector = KubernetesConnector::new(own).expect("a spec");
    let cancel = Cancel::default();
    let memo: Option<&Arc<dyn Memo>> = None;
    let cx = Cx {
        system: SystemId(0),
        now: "2026-06-01T00:00:00Z".parse().expect("a time"),
        jobs: 1,
        max_memory: 1 << 30,
        cancel: &cancel,
        progress: &NoProgress,
        redactor: &Plain,
        memo,
    };
    let mut out = Taken::default();
    connector.sweep(&cx, &mut out).expect("swept");
    out.0
}

/// The facts of these files.
fn facts_of(files: &[(&str, &str)]) -> Vec<Item> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    sweep(folder.path(), |_| {})
}

/// One line for each fact but coverage; keys without the cluster.
fn lines(items: &[Item]) -> Vec<String> {
    let short = |key: &str| key.strip_prefix("kubernetes:c/").unwrap_or(key).to_owned();
    let line = |item: &Item| {
        Some(match item {
            Item::Identity(one) => format!("{:?} {} {}", one.kind, short(&one.key.0), one.name),
            Item::Credential(one) => format!(
                "token {} of {} {:?} used {} secret {}",
                short(&one.key.0),
                one.identity
                    .as_ref()
                    .map_or(String::new(), |key| short(&key.0)),
                one.status,
                match one.last_used {
                    Known::Known(at) => at.to_string(),
                    other => other.absence().unwrap_or_default().to_owned(),
                },
                one.secret.is_some(),
            ),
            Item::Policy(one) => format!(
                "policy {} {} to {}",
                short(&one.key.0),
                one.document,
                one.attached
                    .iter()
                    .map(|tie| short(&tie.to.0))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            Item::Reference(one) => format!("runs {} as {}", short(&one.by.0), short(&one.to.0)),
            Item::Claim(one) => format!(
                "claim {} {} {}",
                short(&one.subject.0),
                one.party,
                one.confidence
            ),
            Item::Setting(one) => {
                format!("set {} {}={}", short(&one.subject.0), one.name, one.value)
            }
            Item::Gap(one) => format!(
                "gap {:?} {}: {}",
                one.kind,
                one.source.locator.rsplit('/').next().unwrap_or_default(),
                one.reason
            ),
            _ => return None,
        })
    };
    items.iter().filter_map(line).collect()
}

/// The gaps that are not about what else should have been exported.
fn gaps(items: &[Item]) -> Vec<String> {
    let gaps = items.iter().filter_map(|item| match item {
        Item::Gap(gap) if gap.kind != GapKind::Missing => Some(format!(
            "{:?} {}: {}",
            gap.kind,
            gap.source.locator.rsplit('/').next().unwrap_or_default(),
            gap.reason
        )),
        _ => None,
    });
    gaps.collect()
}
