//! `audit`: the whole run as configured: sweep, resolve, reconcile, check, report; the ledger
//! is updated.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;
use keymuster_api::{Connector, Gap, GapKind, Source, SystemId};
use keymuster_files::{Root, Tree};

use super::{
    Exit,
    config::{self, Config, ConnectorTable},
    context,
    global::Global,
    scan, state,
};
use crate::{
    access::{self, AccessFacts, Evidence},
    audit::{self, CheckCx, Exceptions, Judged, Policy, PrivilegeFact},
    catalogue::Kinds,
    context::Context,
    engine::{Engine, RuleSet, Seal},
    estate::{self, Estate},
    inventory::{self, Inventory, InventoryMap, InventorySpec, Matches, People},
    ledger::{self, Ledger},
    report::{Document, DocumentInput, FormatCx, RunFacts, Timings, format, write_file},
    sweep::{self, SweepMemo, SweepOptions, registry},
};

/// Name of the ledger in the state folder.
pub(super) const LEDGER_FILE: &str = "ledger.sqlite";

/// Sweep, join, hold against the register, check and report, as keymuster.toml says.
#[derive(clap::Args, Default)]
pub(super) struct Args {
    /// Where the reports go [default: report.dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Which reports: json, jsonl, csv, sarif, markdown [default: report.formats].
    #[arg(long, value_name = "F,F", value_delimiter = ',')]
    pub(super) format: Vec<String>,
    /// Without the estate's key and ledger: ids hold for this run only.
    #[arg(long)]
    pub(super) ephemeral: bool,
    /// Read everything again, and leave nothing for the next run; by default memo.sqlite in the
    /// state folder remembers, sealed, what was read of repositories' histories.
    #[arg(long)]
    pub(super) no_memo: bool,
    /// Thresholds: cis, pci or default [default: policy.preset].
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    /// Exit with 1 at this severity or above [default: policy.fail-on, else low].
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical", "never"])]
    pub(super) fail_on: Option<String>,
    /// Exit with 0 instead of 3 where something could not be seen; the report says so.
    #[arg(long)]
    pub(super) allow_gaps: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let config = Config::load(global)?;
    run_with(global, &config, args)
}

/// What a run stands on, read before anything is swept: each of it stops the run if it is wrong.
pub(super) struct Ground {
    pub(super) policy: Policy,
    pub(super) exceptions: Option<Exceptions>,
    pub(super) inventory: Option<Inventory>,
    pub(super) people: Option<People>,
    pub(super) context: Context,
    pub(super) fail_on: String,
    formats: Vec<String>,
    out: PathBuf,
}

pub(super) fn run_with(global: &Global, config: &Config, args: &Args) -> Result<Exit> {
    let started = Timestamp::now();
    let now = global.now();
    let folder = match &global.state {
        Some(folder) => folder.clone(),
        None => config.state_folder()?,
    };
    let seal = key(config, &folder, args)?;
    let engine = Engine::new(RuleSet::embedded()?, seal.clone());
    let ground = ground(config, args, &engine, now)?;
    let mut ledger = if args.ephemeral {
        Ledger::ephemeral()?
    } else {
        Ledger::open(&folder.join(LEDGER_FILE))?
    };
    fs::create_dir_all(&ground.out)
        .with_context(|| format!("cannot make the report folder {}", ground.out.display()))?;
    let kinds = config::advice(Kinds::embedded());

    let mut clock = Clock::default();
    let estate = clock.time("sweep", || {
        let memo = (!args.ephemeral && !args.no_memo)
            .then(|| state::open_memo(&folder, &engine, false, &config.file.archives.limits()))
            .flatten();
        sweep(global, config, &engine, now, &ground, &folder, memo)
    })?;
    let privileges = clock.time("access", || privileges(&estate, now));
    let matches = clock.time("reconcile", || match &ground.inventory {
        Some(inventory) => inventory::reconcile(&estate, inventory),
        None => Matches::default(),
    });
    let first_exposed = ledger.first_exposed()?;
    let history = ledger.history()?;
    let cx = CheckCx {
        estate: &estate,
        privileges: &privileges,
        inventory: ground.inventory.as_ref(),
        matches: &matches,
        people: ground.people.as_ref(),
        kinds: &kinds,
        policy: &ground.policy,
        context: &ground.context,
        exceptions: ground.exceptions.as_ref(),
        history: &history,
        first_exposed: &first_exposed,
        now,
    };
    let mut judged = clock.time("check", || audit::run(&cx, &|text| seal.subject(text)));
    if let Some(problem) = judged.problems.first() {
        bail!(
            "the checks contradict themselves, so this is no audit; please report this as a bug: {problem}"
        );
    }
    let has_gaps = !estate.gathered.gaps.is_empty();
    let run_id = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), &seal.key_id()[..4]);
    let facts = ledger::RunFacts {
        id: run_id.clone(),
        at: started,
        now,
        tool: format!("keymuster {}", env!("CARGO_PKG_VERSION")),
        complete: !has_gaps,
        key_id: seal.key_id(),
    };
    let changes = clock.time("ledger", || {
        ledger.settle(&facts, &cx, &mut judged, ground.exceptions.as_ref())
    })?;
    ledger.remember(&history, &audit::to_remember(&cx))?;
    let document = document(
        config,
        args,
        &ground,
        &estate,
        &matches,
        &judged,
        &kinds,
        &facts,
        clock.timings(started),
    );
    let json = serde_json::to_string(&document).context("cannot write the record of the run")?;
    ledger.put_document(&run_id, &json)?;
    // An exception that does not count is one that somebody relies on.
    let inventory_notes = ground.inventory.iter().flat_map(|one| &one.notes);
    let told = changes.notes.iter().filter(|_| !global.quiet);
    for note in told.chain(inventory_notes.filter(|_| global.verbose > 0)) {
        super::note(note);
    }
    write(global, &ground, &document)?;
    let is_open = |finding: &audit::Finding| {
        finding.state.is_open()
            && finding.check.id != "COV-01"
            && scan::fails(&ground.fail_on, finding.severity)
    };
    Ok(Exit::of(
        judged.findings.iter().any(is_open),
        has_gaps && !args.allow_gaps,
    ))
}

pub(super) fn key(config: &Config, folder: &Path, args: &Args) -> Result<Seal> {
    if args.ephemeral {
        return state::passing_key();
    }
    match config.key(folder)? {
        Some(seal) => Ok(seal),
        None => bail!(
            "there is no estate key in {}, and without it every finding would get a new name; make one with `keymuster key new`, restore the folder from its backup, or run with --ephemeral",
            folder.display()
        ),
    }
}

pub(super) fn ground(
    config: &Config,
    args: &Args,
    engine: &Engine,
    now: Timestamp,
) -> Result<Ground> {
    let table = &config.file.policy;
    let mut policy = Policy::preset(
        args.preset
            .as_deref()
            .or(table.preset.as_deref())
            .unwrap_or("default"),
    )?;
    if let Some(file) = &table.file {
        let path = config.path(file);
        let text = read(&path, "policy")?;
        policy = Policy::from_toml(&text, &policy)
            .map_err(|error| anyhow!("{}:{error}", path.display()))?;
    }
    let exceptions = match &config.file.exceptions {
        None => None,
        Some(table) => {
            let path = config.path(&table.file);
            Some(Exceptions::from_toml(
                &read(&path, "exceptions")?,
                &path.display().to_string(),
            )?)
        }
    };
    let fail_on = args
        .fail_on
        .clone()
        .or_else(|| table.fail_on.clone())
        .unwrap_or_else(|| "low".to_owned());
    if fail_on != "never" && fail_on.parse::<keymuster_api::Severity>().is_err() {
        bail!(
            "{}: fail-on = \"{fail_on}\" is none of: info, low, medium, high, critical, never",
            config.path.display()
        );
    }
    let formats = if args.format.is_empty() {
        config.file.report.formats.clone()
    } else {
        args.format.clone()
    };
    for name in &formats {
        if format(name).is_none() {
            let known: Vec<_> = crate::report::FORMATS
                .iter()
                .map(|format| format.name())
                .collect();
            bail!(
                "'{name}' is no report format; known are: {}",
                known.join(", ")
            );
        }
    }
    Ok(Ground {
        policy,
        exceptions,
        inventory: inventory(config, engine)?,
        people: people(config, now)?,
        context: context::read(config, engine)?,
        fail_on,
        formats,
        out: args
            .out
            .clone()
            .unwrap_or_else(|| config.path(&config.file.report.dir)),
    })
}

fn read(path: &Path, what: &str) -> Result<String> {
    fs::read_to_string(path)
        .with_context(|| {
            let path = path.display();
            format!("cannot read {path}; name the {what} file relative to keymuster.toml, or leave the line out")
        })
}

fn inventory(config: &Config, engine: &Engine) -> Result<Option<Inventory>> {
    let mut parts = Vec::new();
    for table in &config.file.inventory {
        let path = config.path(&table.file);
        let bytes = fs::read(&path)
            .with_context(|| format!("cannot read the inventory {}; correct the name in keymuster.toml, or begin one with `keymuster inventory template`", path.display()))?;
        let label = table.file.display().to_string();
        let map = InventoryMap::try_from(table.map.clone())
            .map_err(|message| anyhow!("{}: [inventory.map]: {message}", config.path.display()))?;
        let spec = InventorySpec {
            name: table.name.clone().unwrap_or_else(|| label.clone()),
            file_label: label,
            format: table.format.clone(),
            precedence: table.precedence,
            entity: table.entity.clone(),
            map,
        };
        parts.push((table.precedence, inventory::read(&spec, &bytes, engine)?));
    }
    Ok(if parts.is_empty() {
        None
    } else {
        Some(Inventory::merge(parts))
    })
}

fn people(config: &Config, now: Timestamp) -> Result<Option<People>> {
    match config.file.people.as_slice() {
        [] => Ok(None),
        [table] => {
            let path = config.path(&table.file);
            let bytes = fs::read(&path)
                .with_context(|| format!("cannot read the people file {}", path.display()))?;
            Ok(Some(inventory::read_people(
                &table.file.display().to_string(),
                &bytes,
                now,
            )?))
        }
        [_, _, ..] => bail!(
            "{}: several [[people]] files are not supported yet; join them into one",
            config.path.display()
        ),
    }
}

/// The configured connectors; globs that name nothing are told. `own` are our own folders, which
/// are not swept even where they lie inside a swept tree.
pub(super) fn connectors(
    config: &Config,
    own: &[PathBuf],
    nothing: &mut Vec<String>,
) -> Result<Vec<Box<dyn Connector>>> {
    let mut connectors: Vec<Box<dyn Connector>> = Vec::new();
    for table in &config.file.connector {
        match table {
            ConnectorTable::Files {
                paths,
                respect_gitignore,
            } => {
                let trees = config
                    .expand(paths, nothing)?
                    .into_iter()
                    .map(|path| Tree {
                        name: scan::name_of(&path),
                        root: Root::Path(path),
                        respect_gitignore: *respect_gitignore,
                        skip_git: false,
                        exclude: own.to_vec(),
                    })
                    .collect();
                connectors.push(registry::files(trees));
            }
            ConnectorTable::Git {
                paths,
                history,
                since,
            } => {
                let since = since
                    .as_deref()
                    .map(config::date)
                    .transpose()
                    .map_err(|why| anyhow!("{}: since: {why}", config.path.display()))?;
                let repositories = config
                    .expand(paths, nothing)?
                    .into_iter()
                    .filter(|path| path.is_dir())
                    .map(|path| registry::Repository {
                        name: scan::name_of(&path),
                        path,
                        history: history.clone().unwrap_or_else(|| "all".to_owned()),
                        since,
                    })
                    .collect();
                connectors.push(
                    registry::git(repositories)
                        .map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
            ConnectorTable::Workflows { paths, home } => {
                connectors.push(workflows(config, paths, home.clone(), own, nothing)?);
            }
            ConnectorTable::AwsIam { exports, account } => {
                let files = config.expand(exports, nothing)?;
                connectors.push(
                    registry::aws_iam(exports.join(", "), files, account.clone())
                        .map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
        }
    }
    Ok(connectors)
}

/// Pipelines of the named paths, or of all that other connectors read.
fn workflows(
    config: &Config,
    paths: &[String],
    home: Option<String>,
    own: &[PathBuf],
    nothing: &mut Vec<String>,
) -> Result<Box<dyn Connector>> {
    let all: Vec<String> = match paths {
        [] => config
            .file
            .connector
            .iter()
            .filter_map(|table| match table {
                ConnectorTable::Files { paths, .. } | ConnectorTable::Git { paths, .. } => {
                    Some(paths.clone())
                }
                _ => None,
            })
            .flatten()
            .collect(),
        paths => paths.to_vec(),
    };
    // What other connectors name and is not there is told by them.
    let mut unknown = Vec::new();
    let mut found = config.expand(&all, &mut unknown)?;
    if !paths.is_empty() {
        nothing.append(&mut unknown);
    }
    found.sort();
    found.dedup();
    let trees = found.into_iter().map(|path| registry::Pipelines {
        name: scan::name_of(&path),
        path,
    });
    registry::workflows(&all.join(", "), trees.collect(), home, own)
        .map_err(|message| anyhow!("{}: {message}", config.path.display()))
}

fn sweep(
    global: &Global,
    config: &Config,
    engine: &Engine,
    now: Timestamp,
    ground: &Ground,
    state: &Path,
    memo: Option<Arc<SweepMemo>>,
) -> Result<Estate> {
    let mut nothing = Vec::new();
    let own: Vec<PathBuf> = [ground.out.as_path(), state]
        .into_iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    let mut connectors = connectors(config, &own, &mut nothing)?;
    let mut dropped = Vec::new();
    if global.offline {
        connectors.retain(|connector| {
            let about = connector.about();
            if about.network {
                dropped.push(about.label.clone());
            }
            !about.network
        });
    }
    let cancel = global.watch();
    let bar = global.bar();
    let options = SweepOptions {
        jobs: global.jobs(),
        max_memory: global.max_memory,
        now,
        every_version: false,
        whole: false,
        unpack: config.file.archives.limits(),
        cancel: &cancel,
        memo: memo.as_ref(),
        progress: &bar,
    };
    let mut gathered = sweep::sweep(&connectors, engine, &options);
    bar.finish();
    if let Some(note) = memo.as_ref().and_then(|memo| memo.finish()) {
        super::note(&note);
    }
    let gap = |kind, subject: String, reason: &str| Gap {
        kind,
        subject,
        reason: reason.to_owned(),
        source: Source {
            system: SystemId(0),
            locator: config.path.display().to_string(),
        },
    };
    gathered.gaps.extend(nothing.into_iter().map(|glob| {
        gap(
            GapKind::Missing,
            glob,
            "names no file; correct the path in the configuration",
        )
    }));
    gathered.gaps.extend(dropped.into_iter().map(|label| {
        gap(
            GapKind::Missing,
            label,
            "left out, because --offline was given",
        )
    }));
    gathered.gaps.sort();
    Ok(estate::resolve(gathered))
}

/// What each principal can really do, in the words checks use.
fn privileges(estate: &Estate, now: Timestamp) -> Vec<Option<PrivilegeFact>> {
    let gathered = &estate.gathered;
    if gathered.policies.is_empty() {
        return vec![None; estate.identities.len()];
    }
    let facts = AccessFacts {
        identities: &gathered.identities,
        policies: &gathered.policies,
        trusts: &gathered.trusts,
        memberships: &gathered.memberships,
        credentials: &gathered.credentials,
        references: &gathered.references,
        now: Some(now),
    };
    let access = access::assess(&facts);
    estate
        .identities
        .iter()
        .map(|identity| {
            let privilege = access.privilege(&estate.text(identity.key).into())?;
            Some(PrivilegeFact {
                admin: privilege
                    .admin
                    .as_ref()
                    .or(privilege.self_granting.as_ref())
                    .map(words),
                conditional_admin: privilege.conditional.as_ref().map(words),
                wildcards: privilege
                    .wildcard_services
                    .iter()
                    .map(|(service, evidence)| (service.clone(), words(evidence)))
                    .collect(),
                grants: granted(&access, &estate.text(identity.key).into()),
                ..escalation_facts(&access, &estate.text(identity.key).into())
            })
        })
        .collect()
}

/// What the policies of a principal grant.
fn granted(access: &access::Access, key: &keymuster_api::Key) -> Vec<audit::Grant> {
    let grants = access.grants(key).unwrap_or_default().into_iter();
    grants
        .map(|one| audit::Grant {
            action: one.action,
            policy: match &one.via {
                Some(group) => format!("{} by {}", one.policy.0, group.0),
                None => one.policy.0,
            },
        })
        .collect()
}

/// The ways to more rights, and what is odd about a trust policy, in the words checks use.
fn escalation_facts(access: &access::Access, key: &keymuster_api::Key) -> PrivilegeFact {
    let mut fact = PrivilegeFact::default();
    if let Some(escalation) = access.escalation(key) {
        let chain = |hops: &Vec<access::Hop>| {
            let words = |hop: &access::Hop| match &hop.to {
                Some(to) => format!("{} to {}", hop.way, to.0),
                None => hop.way.to_owned(),
            };
            hops.iter().map(words).collect::<Vec<_>>().join(", then ")
        };
        let some = |hops: &Option<Vec<access::Hop>>| {
            hops.as_ref().filter(|hops| !hops.is_empty()).map(chain)
        };
        fact.reaches_admin = some(&escalation.reaches);
        fact.reaches_admin_if = some(&escalation.reaches_if).map(|chain| {
            let conditions: BTreeSet<&str> = escalation
                .ways
                .iter()
                .flat_map(|way| way.conditions.iter().map(String::as_str))
                .collect();
            let conditions: Vec<&str> = conditions.into_iter().collect();
            format!("{chain}; depends on {}", conditions.join(", "))
        });
    }
    let about = access.trust_facts().iter().filter(|fact| fact.role == *key);
    fact.trusts = about
        .map(|trust| audit::TrustFinding {
            kind: match trust.kind {
                access::TrustKind::Public => audit::TrustFindingKind::Public,
                access::TrustKind::CrossAccount => audit::TrustFindingKind::CrossAccount,
                access::TrustKind::Deleted => audit::TrustFindingKind::Deleted,
                access::TrustKind::BroadOidc => audit::TrustFindingKind::BroadOidc,
                access::TrustKind::AllBut => audit::TrustFindingKind::AllBut,
            },
            who: trust.who.clone(),
            why: trust.why.clone(),
        })
        .collect();
    fact
}

/// Policy, statement, matched text; then the conditions.
fn words(evidence: &Evidence) -> String {
    let mut parts: Vec<String> = Vec::new();
    for step in evidence.steps.iter().take(3) {
        let name = step
            .sid
            .clone()
            .unwrap_or_else(|| format!("statement {}", step.statement + 1));
        parts.push(format!("{} {name}: {}", step.policy.0, step.matched));
    }
    parts.dedup();
    if !evidence.conditions.is_empty() {
        parts.push(format!("if {}", evidence.conditions.join(" and ")));
    }
    parts.join("; ")
}

#[expect(
    clippy::too_many_arguments,
    reason = "the document is what all parts of a run come together in"
)]
fn document(
    config: &Config,
    args: &Args,
    ground: &Ground,
    estate: &Estate,
    matches: &Matches,
    judged: &Judged,
    kinds: &BTreeMap<String, audit::KindAdvice>,
    run: &ledger::RunFacts,
    timings: Timings,
) -> Document {
    let mut facts = BTreeMap::new();
    facts.insert("fail-on".to_owned(), ground.fail_on.clone());
    facts.insert(
        "preset".to_owned(),
        args.preset
            .clone()
            .or_else(|| config.file.policy.preset.clone())
            .unwrap_or_else(|| "default".to_owned()),
    );
    facts.insert("allow-gaps".to_owned(), args.allow_gaps.to_string());
    let run = RunFacts {
        id: run.id.clone(),
        estate: config.file.estate.clone(),
        now: run.now,
        key_id: (!args.ephemeral).then(|| run.key_id.clone()),
        ephemeral: args.ephemeral,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        facts,
    };
    Document::build(&DocumentInput {
        run: &run,
        estate,
        inventory: ground.inventory.as_ref(),
        matches,
        findings: &judged.findings,
        populations: &judged.population,
        kinds,
        timings: &timings,
    })
}

fn write(global: &Global, ground: &Ground, document: &Document) -> Result<()> {
    for name in &ground.formats {
        if let Some(format) = format(name) {
            write_file(&ground.out, format, document, &FormatCx::default())?;
        }
    }
    if !global.quiet {
        let page = scan::page(global, true);
        let mut bytes = Vec::new();
        format("terminal")
            .context("the terminal format is always there")?
            .write(document, &page, &mut bytes)?;
        let mut out = std::io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
    }
    Ok(())
}

/// How long each phase took.
#[derive(Default)]
struct Clock {
    milliseconds: BTreeMap<String, u64>,
}

impl Clock {
    fn time<T>(&mut self, phase: &str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        self.milliseconds
            .insert(phase.to_owned(), began.elapsed().as_millis() as u64);
        result
    }

    fn timings(&self, started: Timestamp) -> Timings {
        Timings {
            started: Some(started.to_string()),
            milliseconds: self.milliseconds.clone(),
        }
    }
}
