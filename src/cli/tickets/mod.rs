//! `tickets`: what would be created, updated, closed and reopened in a tracker, the files that do
//! it, and the tracker's own export read back.

mod learn;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Subcommand, builder::PossibleValuesParser};

use super::{Exit, audit::LEDGER_FILE, config::Config, global::Global, scan, state};
use crate::{
    ledger::{Act, Exported, Ledger, Standing, Step, plan},
    report::{
        Document, FindingEntry, Job, PlanFile, Rights, Run, TRACKERS, Tracker, content, tracker,
        write_tickets,
    },
};

/// Tickets of a tracker: plan, export import files, learn the tracker's keys.
///
/// The ledger remembers which finding is which ticket, so that a file updates what is there. The
/// circle: `export`, import the files, export the tracker's issues as CSV, `learn` them.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: TicketsVerb,
}

#[derive(Subcommand)]
enum TicketsVerb {
    /// What would be done, and why. Nothing is written.
    Plan(PlanArgs),
    /// Write the import files, and tickets.plan.json for somebody to approve.
    Export(ExportArgs),
    /// Read a tracker's export back: which finding has which key, and is it closed?
    Learn(learn::Args),
}

#[derive(clap::Args)]
struct PlanArgs {
    /// The tracker.
    #[arg(long = "for", value_name = "TRACKER", value_parser = names())]
    tracker: String,
    /// Once more what earlier files said: they were never imported.
    #[arg(long)]
    again: bool,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
}

#[derive(clap::Args)]
struct ExportArgs {
    /// The tracker.
    #[arg(long = "for", value_name = "TRACKER", value_parser = names())]
    tracker: String,
    /// Once more what earlier files said: they were never imported.
    #[arg(long)]
    again: bool,
    /// The files are imported by an administrator, who may import more at once.
    #[arg(long)]
    admin: bool,
    /// Where the files go [default: tickets/TRACKER in the report folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(TRACKERS.iter().map(|tracker| tracker.name()))
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    match &args.verb {
        TicketsVerb::Plan(args) => show(global, args),
        TicketsVerb::Export(args) => export(global, args),
        TicketsVerb::Learn(args) => learn::run(global, args),
    }
}

/// The ledger of the configured estate.
fn ledger(global: &Global) -> Result<(Ledger, PathBuf)> {
    let folder = match &global.state {
        Some(folder) => folder.clone(),
        None => Config::load(global)?.state_folder()?,
    };
    let path = folder.join(LEDGER_FILE);
    anyhow::ensure!(
        path.is_file(),
        "there is no ledger in {}; run `keymuster audit` first, or name the state folder with --state",
        folder.display()
    );
    Ok((Ledger::open(&path)?, folder))
}

/// How everything stands, and what is to be done about it.
struct Planned {
    run: String,
    document: Document,
    standing: Vec<Standing>,
    steps: Vec<Step>,
}

impl Planned {
    fn new(ledger: &Ledger, tracker: &dyn Tracker, again: bool) -> Result<Planned> {
        let newest = ledger.runs()?.into_iter().next();
        let newest = newest.context("the ledger has no run yet; run `keymuster audit` first")?;
        let standing = ledger.standing()?;
        let tickets = ledger.tickets(tracker.name())?;
        let said = |one: &Standing| content(&FindingEntry::of(&one.finding));
        let steps = plan(&standing, &tickets, &said, again);
        let run = Run {
            id: newest.facts.id.clone(),
            now: newest.facts.now.to_string(),
            ..Run::default()
        };
        Ok(Planned {
            run: newest.facts.id,
            document: Document::of_standing(&standing, run),
            standing,
            steps,
        })
    }

    fn jobs(&self) -> Vec<Job<'_>> {
        // Both are in the order of their ids.
        let mut findings = self.document.findings.iter();
        let jobs = self.steps.iter().filter_map(|step| {
            let finding = findings.find(|finding| finding.finding_id == step.finding)?;
            Some(Job { step, finding })
        });
        jobs.collect()
    }
}

fn known(name: &str) -> Result<&'static dyn Tracker> {
    tracker(name).with_context(|| format!("'{name}' is no tracker"))
}

fn show(global: &Global, args: &PlanArgs) -> Result<Exit> {
    let tracker = known(&args.tracker)?;
    let (ledger, _) = ledger(global)?;
    let planned = Planned::new(&ledger, tracker, args.again)?;
    let jobs = planned.jobs();
    let files = tracker.files(&jobs, Rights::User);
    let plan = PlanFile::new(tracker.name(), &planned.run, &jobs, &files);
    let mut out = std::io::stdout().lock();
    match &*args.format {
        "json" => plan.write_json(&mut out)?,
        _ => plan.write(&scan::page(global, true), &mut out)?,
    }
    Ok(Exit::Clean)
}

fn export(global: &Global, args: &ExportArgs) -> Result<Exit> {
    let tracker = known(&args.tracker)?;
    let (mut ledger, folder) = ledger(global)?;
    let _lock = state::lock(&folder)?;
    let planned = Planned::new(&ledger, tracker, args.again)?;
    let jobs = planned.jobs();
    let rights = match args.admin {
        true => Rights::Administrator,
        false => Rights::User,
    };
    let files = tracker.files(&jobs, rights);
    let plan = PlanFile::new(tracker.name(), &planned.run, &jobs, &files);
    let dir = match &args.out {
        Some(dir) => dir.clone(),
        None => {
            let config = Config::load(global).context("name a folder with --out DIR")?;
            let out = config.path(&config.file.report.dir);
            out.join("tickets").join(tracker.name())
        }
    };
    let list = write_tickets(&dir, tracker, &planned.document, &files, &plan)?;
    ledger.exported(tracker.name(), &said(&planned), global.now())?;
    plan.write(&scan::page(global, true), &mut std::io::stdout().lock())?;
    for file in &plan.files {
        let path = dir.join(&file.file);
        global.say(&format!(
            "{} ({} to {})",
            path.display(),
            file.tickets,
            file.does
        ));
    }
    global.say(&format!(
        "{}: look it over, import the files, then `keymuster tickets learn` the tracker's export",
        list.display()
    ));
    Ok(Exit::Clean)
}

/// What the files say.
fn said(planned: &Planned) -> Vec<Exported> {
    let by_id = |id: &str| planned.standing.iter().find(|one| one.finding.id == id);
    let told = |step: &&Step| !matches!(step.act, Act::Wait | Act::None);
    let steps = planned.steps.iter().filter(told);
    steps
        .filter_map(|step| {
            let entry = FindingEntry::of(&by_id(&step.finding)?.finding);
            Some(Exported {
                finding: step.finding.clone(),
                content: content(&entry),
                open: step.act != Act::Close,
            })
        })
        .collect()
}
