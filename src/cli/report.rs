//! `report`: the record of a run in another format, beside an older one, or all runs of a period;
//! no sweep.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::builder::PossibleValuesParser;
use jiff::{SignedDuration, Timestamp};

use super::{Exit, answer, audit::LEDGER_FILE, config, config::Config, global::Global, scan};
use crate::{
    ledger::Ledger,
    report::{Comparison, Document, FORMATS, Period, PeriodError, RunSummary, format},
};

/// Show a run again, in any format, without sweeping.
///
/// With --compare, what changed since another record (exit 1 if something new is open); with
/// --period, whether the controls operated all the time (exit 1 if they did not).
#[derive(clap::Args)]
pub(super) struct Args {
    /// A findings.json [default: the newest run in the ledger].
    file: Option<PathBuf>,
    /// How to show it; --compare and --period know terminal and json.
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = PossibleValuesParser::new(FORMATS.iter().map(|format| format.name())))]
    format: String,
    /// The run in the ledger [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// What changed since this findings.json, or since this run in the ledger.
    #[arg(long, value_name = "OLD", conflicts_with = "period")]
    compare: Option<String>,
    /// All runs of a period: 2026-01-01..2026-03-31, both days included.
    #[arg(long, value_name = "FROM..TO", conflicts_with_all = ["file", "run"])]
    period: Option<String>,
    /// The longest time between two runs that counts as all the time, in hours.
    #[arg(long, value_name = "HOURS", default_value_t = 26, requires = "period")]
    cadence: u64,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    if let Some(words) = &args.period {
        return period(global, args, words);
    }
    let document = match &args.file {
        Some(path) => read(path)?,
        None => answer::document(global, args.run.as_deref())?,
    };
    if let Some(old) = &args.compare {
        let old = match Path::new(old).is_file() {
            true => read(Path::new(old))?,
            false => answer::document(global, Some(old))?,
        };
        return compare(global, args, &old, &document);
    }
    let format = format(&args.format).context("unknown format")?;
    format.write(
        &document,
        &scan::page(global, true),
        &mut std::io::stdout().lock(),
    )?;
    Ok(Exit::Clean)
}

fn read(path: &Path) -> Result<Document> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Document::read(&bytes).with_context(|| path.display().to_string())
}

fn compare(global: &Global, args: &Args, old: &Document, new: &Document) -> Result<Exit> {
    let comparison = Comparison::new(old, new)?;
    let mut out = std::io::stdout().lock();
    match &*args.format {
        "terminal" => comparison.write(&scan::page(global, true), &mut out)?,
        "json" => comparison.write_json(&mut out)?,
        other => bail!("a comparison has no format '{other}'; choose terminal or json"),
    }
    let is_worse = !comparison.appeared.is_empty() || !comparison.returned.is_empty();
    Ok(match is_worse {
        true => Exit::Findings,
        false => Exit::Clean,
    })
}

fn period(global: &Global, args: &Args, words: &str) -> Result<Exit> {
    let (from, to) = bounds(words)?;
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
    let runs = Ledger::open(&path)?.runs()?;
    let runs: Vec<(RunSummary, Option<String>)> = runs
        .into_iter()
        .filter_map(|run| Some((RunSummary::from_json(&run.summary?)?, run.root)))
        .collect();
    let period = Period::new(from, to.min(global.now()), args.cadence, &runs)?;
    let mut out = std::io::stdout().lock();
    match &*args.format {
        "terminal" => period.write(&scan::page(global, true), &mut out)?,
        "json" => period.write_json(&mut out)?,
        other => bail!("a period has no format '{other}'; choose terminal or json"),
    }
    Ok(match period.operated() {
        true => Exit::Clean,
        false => Exit::Findings,
    })
}

/// The first moment of the first day, and the last of the last one.
fn bounds(words: &str) -> Result<(Timestamp, Timestamp)> {
    let bad = || PeriodError::Words(words.to_owned());
    let (from, to) = words.split_once("..").ok_or_else(bad)?;
    let from = config::date(from.trim()).map_err(|_| bad())?;
    let end = config::date(to.trim()).map_err(|_| bad())?;
    // A day is meant to its end, a point in time as it is.
    let end = match to.contains('T') {
        true => end,
        false => end + SignedDuration::from_hours(24) - SignedDuration::from_secs(1),
    };
    if end <= from {
        return Err(bad().into());
    }
    Ok((from, end))
}
