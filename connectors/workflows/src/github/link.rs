//! Which job of whose run uses what: reusable workflows are followed, also into other
//! repositories that are configured.
//!
//! A called workflow runs as part of its caller: its secrets and variables are those of the
//! caller's repository, its environments too. It sees the secrets that it is handed by name,
//! or all of them (`secrets: inherit`).
//! Source: docs.github.com/actions/how-tos/reuse-automations/reuse-workflows

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Consumer, ConsumerKind, GapKind, Key, Login, Source, SystemId, scope, slot_name, store,
};

use super::{Call, Job, Ref, Workflow, value::Known};
use crate::{
    expression::{Name, Wanted},
    file::{File, Found, Says as _},
    origin::Origin,
};

/// Workflows that call workflows: GitHub allows ten levels.
const MAX_LEVELS: usize = 10;
/// Jobs of one run, called ones included.
const MAX_JOBS: usize = 4096;
/// The token of the run is no slot.
const BUILT_IN: &str = "GITHUB_TOKEN";

/// Every workflow that was read, by the scope of its repository and its path.
#[derive(Default)]
pub(crate) struct Library(BTreeMap<(String, String), Stored>);

struct Stored {
    tree: String,
    origin: Origin,
    workflow: Workflow,
}

impl Library {
    /// Adds a workflow file.
    pub(crate) fn add(&mut self, file: &File<'_>, workflow: Workflow) {
        let key = (file.origin.scope(None), file.path.to_owned());
        let stored = Stored {
            tree: file.tree.to_owned(),
            origin: file.origin.clone(),
            workflow,
        };
        self.0.entry(key).or_insert(stored);
    }

    /// Follows every workflow that something starts.
    pub(crate) fn link(&self, system: SystemId, out: &mut Found) {
        for ((_, path), stored) in &self.0 {
            if !stored.workflow.runs_by_itself() {
                continue;
            }
            let file = File {
                system,
                tree: &stored.tree,
                origin: &stored.origin,
                path,
            };
            let mut run = Run {
                library: self,
                file,
                triggers: &stored.workflow.triggers,
                jobs: 0,
                out,
            };
            let level = Level {
                stored,
                path,
                inputs: stored.workflow.dispatch_inputs.clone(),
                supply: Supply::Own,
                via: None,
                names: Vec::new(),
                lines: None,
                permissions: None,
            };
            run.follow(&level);
        }
    }

    fn called(&self, from: &Origin, target: &str) -> Option<(&str, &Stored)> {
        let key = match target.strip_prefix("./") {
            Some(path) => (from.scope(None), path.to_owned()),
            None => {
                let (repository, path) = split(target)?;
                (scope(&from.host, repository, None), path.to_owned())
            }
        };
        let found = self.0.get_key_value(&key);
        found.map(|((_, path), stored)| (path.as_str(), stored))
    }
}

/// Repository and path of `owner/repo/.github/workflows/x.yml@ref`.
fn split(target: &str) -> Option<(&str, &str)> {
    let (place, _) = target.split_once('@').unwrap_or((target, ""));
    let at = place.match_indices('/').nth(1)?.0;
    Some((&place[..at], &place[at + 1..]))
}

/// One run: what a trigger of a workflow starts.
struct Run<'a, 'o> {
    library: &'a Library,
    /// The workflow that was started.
    file: File<'a>,
    triggers: &'a [String],
    jobs: usize,
    out: &'o mut Found,
}

/// A workflow in a run: the one that was started, or one that was called.
struct Level<'a> {
    stored: &'a Stored,
    path: &'a str,
    inputs: BTreeMap<String, Vec<String>>,
    supply: Supply,
    /// The workflow as it was called.
    via: Option<String>,
    /// The ids of the jobs that called.
    names: Vec<String>,
    /// The lines of the first of them.
    lines: Option<(u32, u32)>,
    permissions: Option<Vec<(String, String)>>,
}

/// Which secrets a workflow gets.
#[derive(Clone)]
enum Supply {
    /// Those of the run's repository.
    Own,
    /// What it is handed, by the name it has there.
    Handed(BTreeMap<String, Vec<Meant>>),
}

/// A slot that is meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Meant {
    store: &'static str,
    name: Option<String>,
    scopes: Vec<String>,
    certain: bool,
}

impl Run<'_, '_> {
    fn follow(&mut self, level: &Level<'_>) {
        for job in &level.stored.workflow.jobs {
            self.jobs += 1;
            if self.jobs > MAX_JOBS {
                let reason = format!(
                    "a run of it has more than {MAX_JOBS} jobs; the calls of workflows beyond are not followed"
                );
                let source = self.file.source(1);
                self.out.gaps.push((GapKind::Limit, source, reason));
                return;
            }
            self.job(level, job);
        }
    }

    fn job(&mut self, level: &Level<'_>, job: &Job) {
        let known = Known {
            inputs: &level.inputs,
            job,
        };
        let environments = job.environment.as_deref().map(|name| {
            let mut names = known.text(name).unwrap_or_else(|| vec!["*".to_owned()]);
            names.retain(|name| !name.is_empty());
            names
        });
        let environments = environments.unwrap_or_default();
        let here = File {
            system: self.file.system,
            tree: &level.stored.tree,
            origin: &level.stored.origin,
            path: level.path,
        };
        let consumer = self.consumer(level, job, &environments, &here);
        let by = consumer.key.clone();
        let at = self.out.consumers.len();
        self.out.consumers.push(consumer);
        let mut told = BTreeSet::new();
        for found in &job.refs {
            for meant in self.meant(level, known, &environments, &found.wanted) {
                if told.insert((meant.clone(), found.how.clone())) {
                    self.tell(&by, meant, found, &here);
                }
            }
        }
        let logins = job.logins.iter().map(|draft| {
            let meant = draft
                .wanted
                .iter()
                .flat_map(|wanted| self.meant(level, known, &environments, wanted));
            let slots: BTreeSet<String> = meant.filter_map(|meant| meant.name).collect();
            let target = draft.target.as_deref();
            let target = target
                .and_then(|text| known.text(text))
                .map(|all| all.join(", "));
            Login {
                provider: draft.provider.to_owned(),
                method: draft.method,
                by: draft.by.clone(),
                target: target.or_else(|| draft.target.clone()),
                slots: slots.into_iter().collect(),
                line: draft.line,
            }
        });
        let mut logins: Vec<Login> = logins.collect();
        logins.sort();
        logins.dedup();
        if job
            .refs
            .iter()
            .any(|found| found.wanted == Wanted::Secret(Name::All))
        {
            let property = ("takes-all-secrets".to_owned(), "true".to_owned());
            self.out.consumers[at].properties.push(property);
        }
        self.out.consumers[at].logins = logins;
        if let Some(call) = &job.call {
            self.call(level, job, call, &by, known, &environments, &here);
        }
    }

    fn consumer(
        &self,
        level: &Level<'_>,
        job: &Job,
        environments: &[String],
        here: &File<'_>,
    ) -> Consumer {
        let mut names = level.names.clone();
        names.push(job.id.clone());
        let name = names.join("/");
        let lines = level.lines.unwrap_or(job.lines);
        let mut consumer = self
            .file
            .consumer(ConsumerKind::Job, "github-actions", &name, lines);
        consumer.environment = (!environments.is_empty()).then(|| environments.join(", "));
        let permissions = job.permissions.as_ref().or(level.permissions.as_ref());
        consumer.permissions = permissions.cloned().unwrap_or_default();
        consumer.triggers = self.triggers.to_vec();
        consumer.via = level.via.clone();
        consumer.source = here.source(job.lines.0);
        if job.takes_proposals {
            let property = ("runs-proposals".to_owned(), "true".to_owned());
            consumer.properties.push(property);
        }
        consumer
    }

    /// The slots that a reference means in this run; none for the token of the run.
    fn meant(
        &self,
        level: &Level<'_>,
        known: Known<'_>,
        environments: &[String],
        wanted: &Wanted,
    ) -> Vec<Meant> {
        let (store, name) = match wanted {
            Wanted::Secret(name) => (store::ACTIONS_SECRET, name),
            Wanted::Variable(name) => (store::ACTIONS_VARIABLE, name),
        };
        let names: Vec<Option<String>> = match name {
            Name::All => vec![None],
            Name::Exact(name) => vec![Some(slot_name(store, name))],
            Name::Computed(text) => match known.expression(text) {
                Some(all) => all
                    .iter()
                    .map(|name| Some(slot_name(store, name)))
                    .collect(),
                None => vec![None],
            },
        };
        let mut all = Vec::new();
        for name in names {
            // An empty name, as inputs have it by default, stands for no secret.
            if name.as_deref() == Some("") {
                continue;
            }
            if name.as_deref() == Some(BUILT_IN) && store == store::ACTIONS_SECRET {
                continue;
            }
            match (&level.supply, store, &name) {
                (Supply::Handed(handed), store::ACTIONS_SECRET, Some(name)) => {
                    all.extend(handed.get(name).into_iter().flatten().cloned());
                    // A secret of the job's own environment stands before what is handed.
                    for environment in environments {
                        let scopes = vec![self.file.origin.scope(Some(environment))];
                        all.push(Meant {
                            store,
                            name: Some(name.clone()),
                            scopes,
                            certain: false,
                        });
                    }
                }
                (Supply::Handed(handed), store::ACTIONS_SECRET, None) => {
                    all.extend(handed.values().flatten().cloned());
                }
                _ => all.extend(self.own(store, name, environments)),
            }
        }
        all
    }

    /// A slot of the run's repository: one for each environment.
    fn own(
        &self,
        store: &'static str,
        name: Option<String>,
        environments: &[String],
    ) -> Vec<Meant> {
        let one = |scopes| Meant {
            store,
            certain: name.is_some(),
            name: name.clone(),
            scopes,
        };
        if environments.is_empty() {
            return vec![one(self.file.own_scopes(&[]))];
        }
        let of = |environment: &String| one(self.file.own_scopes(&[environment.as_str()]));
        environments.iter().map(of).collect()
    }

    fn tell(&mut self, by: &Key, meant: Meant, found: &Ref, here: &File<'_>) {
        let how = (found.how.as_str(), found.line);
        let mut use_ = match &meant.name {
            Some(name) => here.named(by, meant.store, name, how),
            None => here.any(by, meant.store, how),
        };
        use_ = use_.within(meant.scopes);
        self.out
            .uses
            .push(if meant.certain { use_.certain() } else { use_ });
    }

    #[expect(clippy::too_many_arguments, reason = "what a call stands in")]
    fn call(
        &mut self,
        level: &Level<'_>,
        job: &Job,
        call: &Call,
        by: &Key,
        known: Known<'_>,
        environments: &[String],
        here: &File<'_>,
    ) {
        let Some((path, stored)) = self.library.called(&level.stored.origin, &call.target) else {
            self.unseen(level, call, by, here);
            return;
        };
        if level.names.len() >= MAX_LEVELS {
            let source = here.source(call.line);
            let reason = format!("workflows call each other more than {MAX_LEVELS} deep");
            self.out.gaps.push((GapKind::Limit, source, reason));
            return;
        }
        let supply = if call.inherits {
            level.supply.clone()
        } else {
            let handed = call.secrets.iter().map(|(name, wanted)| {
                let meant = wanted
                    .iter()
                    .flat_map(|one| self.meant(level, known, environments, one));
                (name.clone(), meant.collect())
            });
            Supply::Handed(handed.collect())
        };
        let mut inputs = stored.workflow.call_inputs.clone();
        for (name, text) in &call.with {
            let values = known.text(text).unwrap_or_default();
            inputs.insert(name.clone(), values);
        }
        let mut names = level.names.clone();
        names.push(job.id.clone());
        let next = Level {
            stored,
            path,
            inputs,
            supply,
            via: Some(call.target.clone()),
            names,
            lines: level.lines.or(Some(job.lines)),
            permissions: job
                .permissions
                .clone()
                .or_else(|| level.permissions.clone()),
        };
        self.follow(&next);
    }

    /// The called workflow is none that was read: what it does with all secrets is not seen.
    fn unseen(&mut self, level: &Level<'_>, call: &Call, by: &Key, here: &File<'_>) {
        if !call.inherits {
            return;
        }
        let how = ("hands all over to a workflow that was not read", call.line);
        match &level.supply {
            Supply::Own => {
                let use_ = here.any(by, store::ACTIONS_SECRET, how);
                self.out
                    .uses
                    .push(use_.within(self.file.own_scopes(&["*"])));
            }
            Supply::Handed(handed) => {
                for meant in handed.values().flatten().cloned().collect::<BTreeSet<_>>() {
                    let found = Ref {
                        wanted: Wanted::Secret(Name::All),
                        how: how.0.to_owned(),
                        line: call.line,
                    };
                    self.tell(by, meant, &found, here);
                }
            }
        }
        let source: Source = here.source(call.line);
        let reason = match split(&call.target) {
            Some((repository, _)) if !call.target.starts_with("./") => format!(
                "it hands all its secrets to {}, and which of them are used there is not known; add {repository} to the paths of the workflows connector",
                call.target
            ),
            _ => format!("it calls {}, which is not there", call.target),
        };
        self.out.gaps.push((GapKind::Missing, source, reason));
    }
}
