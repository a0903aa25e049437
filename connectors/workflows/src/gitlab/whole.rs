//! A pipeline with all it includes, and its jobs with all they take over.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    ConsumerKind, GapKind, Key, Login, LoginMethod, SlotUse, Source, scope, store,
};

use super::{Include, Part, Pipelines, block::Block};
use crate::{
    file::{File, Found, Says as _},
    github::CLOUD_VARIABLES,
    origin::Origin,
    shell::Scripts,
};

/// Beginnings of names that GitLab sets.
const BUILT_IN: &[&str] = &["CI_", "GITLAB_", "FF_", "TRIGGER_PAYLOAD", "CHAT_"];
/// GitLab allows 11 levels of `extends`.
const MAX_EXTENDS: usize = 11;
/// GitLab includes at most 150 files.
const MAX_INCLUDES: usize = 150;
/// Scripts that take their cloud's key from the environment.
const CLOUD_COMMANDS: &[(&str, &str)] = &[
    ("aws ", "aws"),
    ("terraform ", "aws"),
    ("tofu ", "aws"),
    ("gcloud ", "gcp"),
];

/// A pipeline with all it includes.
pub(super) struct Whole<'a> {
    pipelines: &'a Pipelines,
    file: File<'a>,
    shared: Block,
    jobs: BTreeMap<String, Block>,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Whole<'a> {
    /// Nothing taken yet; `file` is where the pipeline begins.
    pub(super) fn new(pipelines: &'a Pipelines, file: File<'a>) -> Whole<'a> {
        Whole {
            pipelines,
            file,
            shared: Block::default(),
            jobs: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Takes a file, and what it includes.
    pub(super) fn take(&mut self, key: (&str, &str), part: &'a Part, out: &mut Found) {
        if self.seen.len() >= MAX_INCLUDES
            || !self.seen.insert((key.0.to_owned(), key.1.to_owned()))
        {
            return;
        }
        let here = File {
            tree: &part.tree,
            origin: &part.origin,
            path: key.1,
            ..self.file
        };
        for include in &part.includes {
            match include {
                Include::Local(path, line) => {
                    self.local(&part.origin, path, here.source(*line), out)
                }
                Include::Project(project, files, line) => {
                    let home = Origin {
                        host: part.origin.host.clone(),
                        path: project.clone(),
                    };
                    for path in files {
                        self.local(&home, path, here.source(*line), out);
                    }
                }
                Include::Elsewhere(what, line) => {
                    let reason = format!(
                        "it includes {what}, which is not read; which slots its jobs use is not known"
                    );
                    out.gaps
                        .push((GapKind::Missing, here.source(*line), reason));
                }
            }
        }
        self.shared.lay_over(&part.shared);
        for (name, block) in &part.jobs {
            match self.jobs.get_mut(name) {
                // What stands in the including file is laid over what it includes.
                Some(known) => known.lay_over(block),
                None => {
                    self.jobs.insert(name.clone(), block.clone());
                }
            }
        }
    }

    fn local(&mut self, home: &Origin, path: &str, source: Source, out: &mut Found) {
        let path = path.trim_start_matches('/');
        let scope = home.scope(None);
        if path.contains('*') || path.contains('$') {
            let (head, tail) = path.split_once('*').unwrap_or((path, ""));
            let found: Vec<_> = self
                .pipelines
                .0
                .iter()
                .filter(|((of, at), _)| {
                    *of == scope
                        && at.starts_with(head)
                        && at.ends_with(tail.trim_start_matches('*'))
                })
                .collect();
            for ((of, at), part) in found {
                self.take((of, at), part, out);
            }
            return;
        }
        let key = (scope, path.to_owned());
        match self.pipelines.0.get_key_value(&key) {
            Some(((of, at), part)) => self.take((of, at), part, out),
            None => {
                let reason = format!(
                    "it includes {path} of {}, which was not read; add that repository to the paths of the workflows connector",
                    home.path
                );
                out.gaps.push((GapKind::Missing, source, reason));
            }
        }
    }

    /// Tells every job.
    pub(super) fn tell(&self, out: &mut Found) {
        for (name, block) in &self.jobs {
            if name.starts_with('.') {
                continue;
            }
            let mut job = block.clone();
            let mut seen = BTreeSet::new();
            self.inherit(&mut job, &block.extends, 0, &mut seen);
            self.inherit(&mut job, &block.takes, 0, &mut seen);
            job.lay_over(&self.shared);
            self.job(name, &job, out);
        }
    }

    fn inherit(
        &self,
        job: &mut Block,
        names: &[String],
        depth: usize,
        seen: &mut BTreeSet<String>,
    ) {
        if depth >= MAX_EXTENDS {
            return;
        }
        for name in names {
            let Some(base) = self.jobs.get(name) else {
                continue;
            };
            if seen.insert(name.clone()) {
                job.lay_over(base);
                self.inherit(job, &base.extends, depth + 1, seen);
                self.inherit(job, &base.takes, depth + 1, seen);
            }
        }
    }

    fn job(&self, name: &str, job: &Block, out: &mut Found) {
        let here = File {
            tree: &job.tree,
            path: &job.path,
            ..self.file
        };
        let mut consumer = self
            .file
            .consumer(ConsumerKind::Job, "gitlab-ci", name, job.lines);
        if job.path != self.file.path {
            consumer.via = Some(format!("{}:{}", job.tree, job.path));
            consumer.lines = (1, 1);
        }
        consumer.source = here.source(job.lines.0);
        consumer.environment.clone_from(&job.environment);
        let by = consumer.key.clone();
        let environment = job.environment.as_deref();
        let open = environment.is_some_and(|name| name.contains('$'));
        let environment = if open { Some("*") } else { environment };
        let mut scopes = Vec::new();
        for place in [
            vec![self.file.origin.scope(None)],
            self.file.origin.above(),
            vec![scope(&self.file.origin.host, "", None)],
        ]
        .concat()
        {
            scopes.extend(environment.map(|name| format!("{place}@{name}")));
            scopes.push(place);
        }
        let own = |text: &str, name: &str| {
            !text.contains(&format!("${name}")) && !text.contains(&format!("${{{name}"))
        };
        let scripts = Scripts {
            store: store::GITLAB_VARIABLE,
            scopes: scopes.clone(),
            own: job
                .variables
                .iter()
                .filter(|(name, text, _)| own(text, name))
                .map(|(name, _, _)| name.clone())
                .collect(),
            built_in: BUILT_IN,
        };
        let from = out.uses.len();
        for (text, line) in job.all_texts() {
            scripts.uses(&here, &by, (text, *line), "script", &mut out.uses);
        }
        for (variable, text, line) in &job.variables {
            scripts.uses(
                &here,
                &by,
                (text, *line),
                &format!("variable {variable}"),
                &mut out.uses,
            );
        }
        for (path, line) in &job.vault {
            let use_ = here.named(&by, store::VAULT, path, ("secrets", *line));
            out.uses
                .push(use_.within(vec!["vault:".to_owned()]).certain());
        }
        self.implied(job, &here, &by, &scripts, out);
        consumer.logins = logins(job, &out.uses[from..]);
        out.consumers.push(consumer);
    }

    /// Commands of clouds read their key from the environment, where variables are put unasked.
    fn implied(
        &self,
        job: &Block,
        here: &File<'_>,
        by: &Key,
        scripts: &Scripts<'_>,
        out: &mut Found,
    ) {
        if job.federated.is_some() {
            return;
        }
        for (command, cloud) in CLOUD_COMMANDS {
            let runs = job.all_texts().find(|(text, _)| {
                text.lines()
                    .any(|line| line.trim_start().starts_with(command))
            });
            let Some((_, line)) = runs else { continue };
            for (variable, of) in CLOUD_VARIABLES {
                if of == cloud && scripts.may_be(variable) && !variable.starts_with("GCP") {
                    let how = format!("taken from the environment by {}", command.trim());
                    let use_ = here.named(by, store::GITLAB_VARIABLE, variable, (&how, *line));
                    out.uses.push(use_.within(scripts.scopes.clone()));
                }
            }
        }
    }
}

/// Logins: a key of a cloud that is used, or a token of the job.
fn logins(job: &Block, uses: &[SlotUse]) -> Vec<Login> {
    let mut all: BTreeMap<&str, Login> = BTreeMap::new();
    for use_ in uses {
        let name = use_.name.as_deref().unwrap_or("");
        let Some((_, cloud)) = CLOUD_VARIABLES.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let line = use_
            .source
            .locator
            .rsplit(':')
            .next()
            .and_then(|line| line.parse().ok());
        let login = all.entry(cloud).or_insert_with(|| Login {
            provider: (*cloud).to_owned(),
            method: LoginMethod::Static,
            by: "environment".to_owned(),
            target: None,
            slots: Vec::new(),
            line: line.unwrap_or(job.lines.0),
        });
        if !login.slots.iter().any(|known| known == name) {
            login.slots.push(name.to_owned());
            login.slots.sort();
        }
    }
    if let Some(line) = job.federated {
        let says = |words: &[&str]| {
            job.all_texts()
                .any(|(text, _)| words.iter().any(|word| text.contains(word)))
        };
        for (cloud, words) in [
            (
                "aws",
                &["assume-role-with-web-identity", "AWS_ROLE_ARN", "ROLE_ARN"][..],
            ),
            ("gcp", &["workloadIdentityPools", "WORKLOAD_IDENTITY"][..]),
            ("azure", &["--federated-token", "AZURE_FEDERATED"][..]),
            ("vault", &["vault write auth", "VAULT_AUTH_ROLE"][..]),
        ] {
            let sets = job
                .variables
                .iter()
                .any(|(name, _, _)| words.iter().any(|word| name.contains(word)));
            if says(words) || sets {
                all.insert(
                    cloud,
                    Login {
                        provider: cloud.to_owned(),
                        method: LoginMethod::Federated,
                        by: "id_tokens".to_owned(),
                        target: None,
                        slots: Vec::new(),
                        line,
                    },
                );
            }
        }
    }
    all.into_values().collect()
}
