//! GitLab CI: pipelines, what they include from their own and other configured repositories,
//! and what jobs take over from others (`extends`, `default`, `!reference`).
//! Source: docs.gitlab.com/ci/yaml

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{ConsumerKind, GapKind, Login, LoginMethod, Source, SystemId, scope, store};

use crate::{
    file::{File, Found, Says as _},
    github::CLOUD_VARIABLES,
    origin::Origin,
    shell::Scripts,
    yaml::{Tree, Yaml},
};

/// Keys at the top that are no jobs.
const RESERVED: &[&str] = &[
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
    "types",
    "pages:deploy",
];
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

/// Whether a YAML file may be a part of a pipeline.
pub(crate) fn may_be_part(text: &str) -> bool {
    text.len() < 1 << 20
        && (text.contains("script:") || text.contains("\ninclude:"))
        && !text.contains("apiVersion:")
}

/// Every pipeline and part of one that was read, by the scope of its repository and its path.
#[derive(Default)]
pub(crate) struct Pipelines(BTreeMap<(String, String), Part>);

struct Part {
    tree: String,
    origin: Origin,
    includes: Vec<Include>,
    shared: Block,
    jobs: BTreeMap<String, Block>,
}

enum Include {
    Local(String, u32),
    Project(String, Vec<String>, u32),
    Elsewhere(String, u32),
}

/// A job, a hidden job, or what all share.
#[derive(Clone, Default)]
struct Block {
    lines: (u32, u32),
    tree: String,
    path: String,
    extends: Vec<String>,
    variables: Vec<(String, String, u32)>,
    /// Texts with variables, by the key they stand under.
    texts: BTreeMap<String, Vec<(String, u32)>>,
    takes: Vec<String>,
    environment: Option<String>,
    vault: Vec<(String, u32)>,
    federated: Option<u32>,
}

impl Pipelines {
    /// Adds a file.
    pub(crate) fn add(&mut self, file: &File<'_>, tree: &Tree) {
        let mut part = Part {
            tree: file.tree.to_owned(),
            origin: file.origin.clone(),
            includes: Vec::new(),
            shared: Block::default(),
            jobs: BTreeMap::new(),
        };
        for root in tree.documents() {
            // A component begins with a document of its inputs.
            if root.get("spec").is_some() && root.entries().len() == 1 {
                continue;
            }
            for include in root
                .get("include")
                .map(Yaml::items_or_self)
                .unwrap_or_default()
            {
                part.includes.extend(read_include(include));
            }
            for (key, value) in root.entries() {
                match key.text() {
                    Some("default") => part.shared.read(file, value),
                    Some(name) if !RESERVED.contains(&name) && value.is_map() => {
                        let mut block = Block::default();
                        block.read(file, value);
                        block.lines = (key.line(), value.end());
                        part.jobs.insert(name.to_owned(), block);
                    }
                    _ => {}
                }
            }
            part.shared.read(file, root);
        }
        let key = (file.origin.scope(None), file.path.to_owned());
        self.0.insert(key, part);
    }

    /// Follows every pipeline.
    pub(crate) fn link(&self, system: SystemId, out: &mut Found) {
        for ((scope, path), part) in &self.0 {
            if path != ".gitlab-ci.yml" {
                continue;
            }
            let file = File {
                system,
                tree: &part.tree,
                origin: &part.origin,
                path,
            };
            let mut whole = Whole {
                pipelines: self,
                file,
                shared: Block::default(),
                jobs: BTreeMap::new(),
                seen: BTreeSet::new(),
            };
            whole.take((scope, path), part, out);
            whole.tell(out);
        }
    }
}

fn read_include(node: Yaml<'_>) -> Vec<Include> {
    let line = node.line();
    if let Some(text) = node.text() {
        return vec![match text.contains("://") {
            true => Include::Elsewhere(text.to_owned(), line),
            false => Include::Local(text.to_owned(), line),
        }];
    }
    if let Some(project) = node.get_text("project") {
        let files = node.get("file").map(Yaml::texts).unwrap_or_default();
        let files = files.into_iter().map(str::to_owned).collect();
        return vec![Include::Project(project.to_owned(), files, line)];
    }
    if let Some(local) = node.get("local") {
        let texts = local.texts().into_iter();
        return texts
            .map(|text| Include::Local(text.to_owned(), line))
            .collect();
    }
    let elsewhere = ["remote", "component"]
        .iter()
        .find_map(|key| node.get_text(key));
    // Templates are GitLab's own.
    elsewhere
        .map(|text| Include::Elsewhere(text.to_owned(), line))
        .into_iter()
        .collect()
}

impl Block {
    fn read(&mut self, file: &File<'_>, node: Yaml<'_>) {
        self.tree = file.tree.to_owned();
        self.path = file.path.to_owned();
        for (key, value) in node.entries() {
            match key.text().unwrap_or("") {
                "extends" => self.extends = value.texts().into_iter().map(str::to_owned).collect(),
                "variables" => {
                    for (name, given) in value.entries() {
                        let text = given.text().or_else(|| given.get_text("value"));
                        if let (Some(name), Some(text)) = (name.text(), text) {
                            self.variables
                                .push((name.to_owned(), text.to_owned(), given.line()));
                        }
                    }
                }
                what @ ("script" | "before_script" | "after_script") => self.script(what, value, 0),
                "environment" => {
                    let name = value.text().or_else(|| value.get_text("name"));
                    self.environment = name.map(str::to_owned);
                }
                "id_tokens" => self.federated = Some(key.line()),
                "secrets" => {
                    for (name, given) in value.entries() {
                        let path = [
                            "vault",
                            "gcp_secret_manager",
                            "azure_key_vault",
                            "aws_secrets_manager",
                        ];
                        let found = path.iter().find_map(|kind| given.get(kind));
                        let text = found.and_then(|one| {
                            one.text()
                                .or_else(|| one.get_text("path").or_else(|| one.get_text("name")))
                        });
                        let text = text.or_else(|| name.text()).unwrap_or("");
                        self.vault.push((text.to_owned(), name.line()));
                    }
                }
                what @ ("image" | "services" | "rules" | "only" | "except" | "trigger"
                | "release") => {
                    let texts = self.texts.entry(what.to_owned()).or_default();
                    value.walk(&mut |_, scalar| {
                        if let Some(text) = scalar.text().filter(|text| text.contains('$')) {
                            texts.push((text.to_owned(), scalar.line()));
                        }
                    });
                }
                _ => {}
            }
        }
    }

    fn script(&mut self, what: &str, node: Yaml<'_>, depth: u8) {
        self.texts.entry(what.to_owned()).or_default();
        for item in node.items_or_self() {
            if let Some(text) = item.text() {
                let texts = self.texts.entry(what.to_owned()).or_default();
                texts.push((text.to_owned(), item.line()));
                continue;
            }
            let parts: Vec<&str> = item.items().filter_map(Yaml::text).collect();
            match parts[..] {
                // `!reference [.hidden, script]`: a job's name, and a key of it.
                [name, _]
                    if depth == 0
                        && item.items().count() == 2
                        && (name.starts_with('.') || parts[1].contains("script")) =>
                {
                    self.takes.push(name.to_owned());
                }
                _ if depth < 8 => self.script(what, item, depth + 1),
                _ => {}
            }
        }
    }
}

/// A pipeline with all it includes.
struct Whole<'a> {
    pipelines: &'a Pipelines,
    file: File<'a>,
    shared: Block,
    jobs: BTreeMap<String, Block>,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Whole<'a> {
    fn take(&mut self, key: (&str, &str), part: &'a Part, out: &mut Found) {
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

    fn tell(&self, out: &mut Found) {
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
        by: &keymuster_api::Key,
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

impl Block {
    fn all_texts(&self) -> impl Iterator<Item = &(String, u32)> {
        self.texts.values().flatten()
    }

    /// Takes what a base has and this one has not.
    fn lay_over(&mut self, base: &Block) {
        for variable in &base.variables {
            if !self
                .variables
                .iter()
                .any(|(name, _, _)| *name == variable.0)
            {
                self.variables.push(variable.clone());
            }
        }
        for (key, texts) in &base.texts {
            self.texts
                .entry(key.clone())
                .or_insert_with(|| texts.clone());
        }
        if self.environment.is_none() {
            self.environment.clone_from(&base.environment);
        }
        if self.vault.is_empty() {
            self.vault.clone_from(&base.vault);
        }
        if self.extends.is_empty() {
            self.extends.clone_from(&base.extends);
        }
        self.federated = self.federated.or(base.federated);
    }
}

/// Logins: a key of a cloud that is used, or a token of the job.
fn logins(job: &Block, uses: &[keymuster_api::SlotUse]) -> Vec<Login> {
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
