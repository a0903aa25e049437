//! `audit`: the whole run as configured: sweep, resolve, reconcile, check, report; the ledger
//! is updated.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;

use super::{
    Exit,
    config::Config,
    evidence::Evidence,
    global::Global,
    ground::{Standing, read_ground},
    scan,
    sources::sweep,
    state,
};
use crate::{
    audit::{self, Judged},
    engine::{Engine, RuleSet, Seal},
    estate::Gathered,
    evidence::{BundleInput, balance, publish, write_facts},
    judgement::{Case, Earlier, judge},
    ledger::{self, Changes, Copied, DOCUMENTS, Kept, Ledger, RunRow},
    report::{
        ChangesEntry, Document, DocumentInput, FindingEntry, FormatCx, RunFacts, RunSummary,
        Timings, TrendEntry, format, write_file,
    },
};

/// Runs that a trend shows.
const TREND: usize = 90;
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

pub(super) fn run_with(global: &Global, config: &Config, args: &Args) -> Result<Exit> {
    let folder = match &global.state {
        Some(folder) => folder.clone(),
        None => config.state_folder()?,
    };
    let seal = key(config, &folder, args)?;
    // One run at a time: until its end, this one holds the lock.
    let _lock = (!args.ephemeral)
        .then(|| state::lock(&folder))
        .transpose()?;
    let engine = Engine::new(RuleSet::embedded()?, seal.clone());
    let standing = read_ground(config, args, &engine, global.now())?;
    let (mut ledger, evidence) = if args.ephemeral {
        (Ledger::ephemeral()?, None)
    } else {
        let ledger = Ledger::open(&folder.join(LEDGER_FILE))?;
        let evidence = Evidence::open(config, &ledger)?;
        (ledger, evidence)
    };
    fs::create_dir_all(&standing.out)
        .with_context(|| format!("cannot make the report folder {}", standing.out.display()))?;
    let mut run = Run {
        global,
        config,
        args,
        seal,
        standing,
        evidence,
        clock: Clock::default(),
        started: Timestamp::now(),
    };
    let gathered = run.sweep(&engine, &folder)?;
    let (document, changes) = run.judge(gathered, &mut ledger)?;
    // An exception that does not count is one that somebody relies on.
    let notes = changes.notes.iter().filter(|_| !global.quiet);
    let about_inventory = run.standing.ground.inventory.iter();
    let about_inventory = about_inventory.flat_map(|one| &one.notes);
    for note in notes.chain(about_inventory.filter(|_| global.verbose > 0)) {
        super::note(note);
    }
    write(global, &run.standing, &document)?;
    let fails = |finding: &FindingEntry| {
        finding.check != "COV-01" && scan::fails(&run.standing.fail_on, finding.grade())
    };
    let has_gaps = !document.gaps.is_empty();
    Ok(Exit::of(
        document.open().any(fails),
        has_gaps && !args.allow_gaps,
    ))
}

/// A run on its way.
struct Run<'a> {
    global: &'a Global,
    config: &'a Config,
    args: &'a Args,
    seal: Seal,
    standing: Standing,
    evidence: Option<Evidence>,
    clock: Clock,
    started: Timestamp,
}

impl Run<'_> {
    fn sweep(&mut self, engine: &Engine, folder: &Path) -> Result<Gathered> {
        let memo = (!self.args.ephemeral && !self.args.no_memo)
            .then(|| {
                let limits = self.config.file.archives.limits();
                state::open_memo(folder, engine, false, &limits)
            })
            .flatten();
        let mut own = vec![self.standing.out.as_path(), folder];
        own.extend(self.evidence.iter().map(|one| one.folder.as_path()));
        let now = self.standing.ground.now;
        self.clock.time("sweep", || {
            sweep(self.global, self.config, engine, now, &own, folder, memo)
        })
    }

    /// Judges what was gathered, and enters it into the memory together with its evidence.
    fn judge(&mut self, gathered: Gathered, ledger: &mut Ledger) -> Result<(Document, Changes)> {
        let ground = &self.standing.ground;
        let facts = self.evidence.as_ref();
        let facts = facts.map(|_| write_facts(&gathered, ground));
        let case = self.clock.time("join", || Case::new(gathered, ground));
        let complete = case.estate.gathered.gaps.is_empty();
        let earlier_runs = Earlier {
            first_exposed: ledger.first_exposed()?,
            history: ledger.history()?,
        };
        let cx = case.cx(ground, &earlier_runs);
        let judged = self
            .clock
            .time("check", || judge(&cx, &|text| self.seal.subject(text)));
        let mut judged = judged.map_err(|problem| anyhow!(problem))?;
        let facts_of_run = self.facts(complete);
        let mut earlier = ledger.runs()?;
        earlier.retain(|before| before.facts.id != facts_of_run.id);
        let since = earlier.first().map(|before| before.facts.id.clone());
        let before = match &self.evidence {
            Some(_) => ledger.copied()?,
            None => Vec::new(),
        };
        let mut made = None;
        let exceptions = ground.exceptions.as_ref();
        let changes = ledger.settle(
            &facts_of_run,
            &cx,
            &mut judged,
            exceptions,
            |judged, changes| {
                let mut document = self.document(&case, judged, &facts_of_run);
                document.changes = Some(ChangesEntry::new(changes, since));
                document.trend = trend(&earlier, &document);
                let root = self.prove(&document, facts, &before, &changes.notes, &facts_of_run)?;
                let kept = self.kept(&document, root.clone())?;
                made = Some((document, root));
                anyhow::Ok(kept)
            },
        )?;
        ledger.remember(&earlier_runs.history, &audit::to_remember(&cx))?;
        let mut changes = changes;
        changes.notes.extend(case.notes.iter().cloned());
        let (document, root) = made.context("a settled run has a document")?;
        if let (Some(evidence), Some(root)) = (&self.evidence, root) {
            let path = publish(&evidence.folder, &facts_of_run.id)?;
            let line = format!("evidence: {}, root {root}", path.display());
            self.global.say(&line);
        }
        Ok((document, changes))
    }

    /// What the ledger is told of the run.
    fn facts(&self, complete: bool) -> ledger::RunFacts {
        let now = self.standing.ground.now;
        let key_id = self.seal.key_id();
        let id = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), &key_id[..4]);
        ledger::RunFacts {
            id: match &self.evidence {
                Some(evidence) => evidence.free(&id),
                None => id,
            },
            at: self.started,
            now,
            tool: format!("keymuster {}", env!("CARGO_PKG_VERSION")),
            complete,
            key_id,
        }
    }

    fn document(&self, case: &Case, judged: &Judged, run: &ledger::RunFacts) -> Document {
        let ground = &self.standing.ground;
        Document::build(&DocumentInput {
            run: &told(self.config, self.args, &self.standing, run),
            estate: &case.estate,
            inventory: ground.inventory.as_ref(),
            matches: &case.matches,
            findings: &judged.findings,
            populations: &judged.population,
            kinds: &ground.kinds,
            timings: &self.clock.timings(self.started),
        })
    }

    /// Holds the sums of a run against one another, and leaves its evidence; gives the root.
    fn prove(
        &self,
        document: &Document,
        facts: Option<Vec<u8>>,
        before: &[Copied],
        notes: &[String],
        run: &ledger::RunFacts,
    ) -> Result<Option<String>> {
        if let Some(wrong) = balance(document).first() {
            bail!(
                "the sums of this run do not balance, so it is no audit; please report this as a bug: {wrong}"
            );
        }
        let (Some(evidence), Some(facts)) = (&self.evidence, facts) else {
            return Ok(None);
        };
        let told = told(self.config, self.args, &self.standing, run);
        let record = evidence.record(self.global, &self.standing, &told, run);
        let root = evidence.store(BundleInput {
            run: &record,
            facts,
            before,
            document,
            notes,
        })?;
        Ok(Some(root))
    }

    fn kept(&self, document: &Document, root: Option<String>) -> Result<Kept> {
        Ok(Kept {
            document: Some(
                serde_json::to_string(document).context("cannot write the record of the run")?,
            ),
            documents: self.config.file.state.keep_runs.unwrap_or(DOCUMENTS),
            summary: Some(RunSummary::new(document).to_json()),
            root,
        })
    }
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

/// How the estate came to where it is: the newest runs that left their numbers, and this one.
fn trend(earlier: &[RunRow], document: &Document) -> Vec<TrendEntry> {
    let summaries = earlier.iter().filter_map(|run| run.summary.as_deref());
    let mut points: Vec<TrendEntry> = summaries
        .filter_map(RunSummary::from_json)
        .take(TREND - 1)
        .map(|run| run.point())
        .collect();
    points.reverse();
    points.push(RunSummary::new(document).point());
    points
}

/// What reports tell of a run.
fn told(config: &Config, args: &Args, standing: &Standing, run: &ledger::RunFacts) -> RunFacts {
    let facts = [
        ("fail-on", standing.fail_on.clone()),
        ("preset", standing.settings.preset.clone()),
        ("allow-gaps", args.allow_gaps.to_string()),
    ];
    RunFacts {
        id: run.id.clone(),
        estate: config.file.estate.clone(),
        now: run.now,
        key_id: (!args.ephemeral).then(|| run.key_id.clone()),
        ephemeral: args.ephemeral,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        facts: facts.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

fn write(global: &Global, standing: &Standing, document: &Document) -> Result<()> {
    for name in &standing.formats {
        if let Some(format) = format(name) {
            write_file(&standing.out, format, document, &FormatCx::default())?;
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
