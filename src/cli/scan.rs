//! `scan`: content only, no inventory; for developers, hooks and CI.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use keymuster_api::{Connector, Severity};
use keymuster_files::{Root, Tree};

use super::{Exit, archives::ArchiveArgs, config, global::Global, rules, state};
use crate::{
    catalogue::Kinds,
    engine::{Engine, Seal},
    estate::{Gathered, Sighting},
    report::{
        FormatCx,
        scan::{RuleInfo, SCAN_FORMATS, ScanCx, Searched, scan_format},
    },
    suppress::Suppressions,
    sweep::{self, SweepOptions, registry},
};

/// Find secrets in directory trees, files, git histories and standard input.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Directories, files, git repositories; `-` for standard input [default: .].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How much of a repository's history: all (default in a repository), tips, none (default
    /// elsewhere), staged, or REV..REV.
    #[arg(long, value_name = "WHAT")]
    history: Option<String>,
    /// Only commits from this date on: 2026-01-31 or 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = config::date)]
    since: Option<Timestamp>,
    /// Rule files or folders besides the embedded ones; a rule of the same id replaces.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// Suppressions: what they cover is shown as suppressed.
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,
    /// Leave out what .gitignore names (by default it is scanned: secrets live there).
    #[arg(long)]
    respect_gitignore: bool,
    /// Tell every version of a file that holds a secret, not only the newest.
    #[arg(long)]
    every_version: bool,
    /// fast, or whole: the slow oracle that searches everything with every pattern.
    #[arg(long, value_name = "ENGINE", default_value = "fast", value_parser = ["fast", "whole"])]
    engine: String,
    /// Read everything again, and leave nothing for the next run. By default a scan with an
    /// estate key (of --state or the configuration) reads what changed in a repository's full
    /// history since the last one; memo.sqlite in the state folder remembers, sealed.
    #[arg(long)]
    no_memo: bool,
    #[command(flatten)]
    archives: ArchiveArgs,
    /// Exit with 1 at this severity or above: info, low, medium, high, critical, never.
    #[arg(long, value_name = "SEVERITY", default_value = "low", value_parser = ["info", "low", "medium", "high", "critical", "never"])]
    fail_on: String,
    /// Exit with 0 instead of 3 where something could not be read.
    #[arg(long)]
    allow_gaps: bool,
    /// How to write the result.
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = PossibleValuesParser::new(SCAN_FORMATS.iter().map(|format| format.name())))]
    format: String,
    /// Where to write it [default: standard output].
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let now = global.now();
    let format = scan_format(&args.format).context("unknown format")?;
    let mut output = Output::open(args.output.as_deref())?;
    let mut suppressions = args
        .suppressions
        .as_deref()
        .map(|file| read_suppressions(file, now))
        .transpose()?;
    let (seal, folder) = key(global)?;
    let engine = Engine::new(rules::load(&args.rules)?, seal);
    let paths = if args.paths.is_empty() {
        vec![PathBuf::from(".")]
    } else {
        args.paths.clone()
    };
    let (connectors, prefixes) = connectors(args, &paths)?;
    let cancel = global.watch();
    let bar = global.bar();
    let is_whole = args.engine == "whole";
    let memo = folder
        .filter(|_| !args.no_memo && !is_whole)
        .and_then(|folder| {
            state::open_memo(
                &folder,
                &engine,
                args.every_version,
                &args.archives.limits(),
            )
        });
    let options = SweepOptions {
        leads: None,
        jobs: global.jobs(),
        max_memory: global.max_memory,
        now,
        every_version: args.every_version,
        whole: is_whole,
        unpack: args.archives.limits(),
        cancel: &cancel,
        memo: memo.as_ref(),
        progress: &bar,
    };
    let mut gathered = sweep::sweep(&connectors, &engine, &options);
    bar.finish();
    if let Some(note) = memo.as_ref().and_then(|memo| memo.finish()) {
        super::note(&note);
    }
    if let Some(suppressions) = &mut suppressions {
        suppressions.apply(&mut gathered.sightings);
        suppressions
            .remarks()
            .iter()
            .for_each(|remark| super::note(remark));
    }
    let prefixes = prefixes_by_resource(&gathered, &prefixes);
    let before_merge = args
        .history
        .as_deref()
        .is_some_and(|history| history == "staged" || history.contains(".."));
    write(
        global,
        before_merge,
        format.name(),
        &gathered,
        &engine,
        &prefixes,
        &mut output,
    )?;
    let is_open = |sighting: &Sighting| {
        sighting.suppressed.is_none() && fails(&args.fail_on, sighting.severity)
    };
    let has_gaps = !gathered.gaps.is_empty();
    if has_gaps && (args.format != "terminal" || args.output.is_some()) {
        tell_gaps(global, &gathered);
    }
    Ok(Exit::of(
        gathered.sightings.iter().any(is_open),
        has_gaps && !args.allow_gaps,
    ))
}

pub(super) fn fails(fail_on: &str, severity: Severity) -> bool {
    fail_on
        .parse::<Severity>()
        .is_ok_and(|least| severity >= least)
}

fn read_suppressions(file: &Path, now: Timestamp) -> Result<Suppressions> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the suppressions {}", file.display()))?;
    Ok(Suppressions::read(&file.display().to_string(), &text, now)?)
}

/// The estate's key if there is one (so that ids in suppressions hold), with its folder, else
/// one for this run.
pub(super) fn key(global: &Global) -> Result<(Seal, Option<PathBuf>)> {
    let folder = match (&global.state, config::find(global)?) {
        (Some(folder), _) => Some(folder.clone()),
        (None, Some(config)) => Some(config.state_folder()?),
        (None, None) => None,
    };
    let known = folder
        .as_deref()
        .map(state::read_key)
        .transpose()?
        .flatten();
    match known {
        Some(seal) => Ok((seal, folder)),
        None => {
            if global.verbose > 0 {
                super::note(
                    "no estate key: secret ids hold for this run only; `keymuster init` makes a key",
                );
            }
            Ok((state::passing_key()?, None))
        }
    }
}

/// What stands before the paths of a resource, by its location.
type Prefixes = BTreeMap<String, String>;

/// A connector for everything that is no repository, one for the repositories.
fn connectors(args: &Args, paths: &[PathBuf]) -> Result<(Vec<Box<dyn Connector>>, Prefixes)> {
    let mut trees = Vec::new();
    let mut repositories = Vec::new();
    let mut prefixes = BTreeMap::new();
    for path in paths {
        if path.as_os_str() == "-" {
            trees.push(Tree {
                root: Root::Stdin,
                name: "stdin".to_owned(),
                respect_gitignore: false,
                skip_git: false,
                exclude: Vec::new(),
            });
            continue;
        }
        match fs::metadata(path) {
            Err(error) => bail!(
                "cannot read {}: {error}; name an existing directory, file or repository",
                path.display()
            ),
            // A pipe or a device has no end that could be known beforehand.
            Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => bail!(
                "{0} is neither a file nor a directory; send it through standard input: keymuster scan - < {0}",
                path.display()
            ),
            Ok(_) => {}
        }
        let name = name_of(path);
        let repository = registry::discover(path);
        let history = match (&args.history, &repository) {
            (Some(history), _) => history.as_str(),
            (None, Some(_)) => "all",
            (None, None) => "none",
        };
        let location = path.display().to_string();
        if paths.len() > 1 && path.is_dir() {
            prefixes.insert(
                location.clone(),
                format!("{}/", location.trim_end_matches('/')),
            );
        } else if let (Some(parent), true) = (path.parent(), path.is_file() && paths.len() > 1)
            && !parent.as_os_str().is_empty()
        {
            prefixes.insert(location.clone(), format!("{}/", parent.display()));
        }
        let has_worktree = repository.as_ref().is_none_or(|found| found.has_worktree);
        let wants_worktree =
            !matches!(history, "staged") && !history.contains("..") && args.since.is_none();
        if history != "none" {
            if repository.is_none() {
                bail!(
                    "{} is no git repository; leave out --history or name a repository",
                    path.display()
                );
            }
            repositories.push(registry::Repository {
                path: path.clone(),
                name: name.clone(),
                history: history.to_owned(),
                since: args.since,
            });
        }
        if has_worktree && wants_worktree {
            trees.push(Tree {
                root: Root::Path(path.clone()),
                name,
                respect_gitignore: args.respect_gitignore,
                skip_git: false,
                exclude: args
                    .output
                    .as_deref()
                    .and_then(|file| fs::canonicalize(file).ok())
                    .into_iter()
                    .collect(),
            });
        }
    }
    let mut connectors: Vec<Box<dyn Connector>> = Vec::new();
    if !repositories.is_empty() {
        connectors.push(registry::git(repositories).map_err(|message| anyhow::anyhow!(message))?);
    }
    if !trees.is_empty() {
        connectors.push(registry::files(trees));
    }
    Ok((connectors, prefixes))
}

/// The directory's name, also for `.` and `..`.
pub(super) fn name_of(path: &Path) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = full
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    match name.as_str() {
        "repo" | ".git" => full
            .parent()
            .and_then(Path::file_name)
            .map_or(name.clone(), |name| name.to_string_lossy().into_owned()),
        _ => name.trim_end_matches(".git").to_owned(),
    }
}

fn prefixes_by_resource(gathered: &Gathered, prefixes: &BTreeMap<String, String>) -> Vec<String> {
    gathered
        .resources
        .iter()
        .map(|resource| {
            prefixes
                .get(&resource.location)
                .cloned()
                .unwrap_or_default()
        })
        .collect()
}

pub(super) fn write(
    global: &Global,
    before_merge: bool,
    format: &str,
    gathered: &Gathered,
    engine: &Engine,
    prefixes: &[String],
    output: &mut Output,
) -> Result<()> {
    let rules = rule_infos(engine);
    let kinds = config::advice(Kinds::embedded());
    let mut searched = Searched::default();
    for coverage in &gathered.coverage {
        match coverage.what.as_str() {
            "files" => searched.files += coverage.received,
            _ => searched.blobs += coverage.received,
        }
        searched.bytes += coverage.bytes;
    }
    let cx = ScanCx {
        resources: &gathered.resources,
        prefixes,
        rules: &rules,
        kinds: &kinds,
        gaps: &gathered.gaps,
        searched,
        tool_version: env!("CARGO_PKG_VERSION"),
        before_merge,
        page: page(global, output.is_stdout()),
    };
    let format = scan_format(format).context("unknown format")?;
    let mut bytes = Vec::new();
    format.write(&gathered.sightings, &cx, &mut bytes)?;
    output.finish(&bytes)?;
    Ok(())
}

pub(super) fn page(global: &Global, is_stdout: bool) -> FormatCx {
    FormatCx {
        color: is_stdout && global.is_coloured(),
        width: 100,
        verbose: global.verbose > 0,
    }
}

pub(super) fn rule_infos(engine: &Engine) -> BTreeMap<String, RuleInfo> {
    engine
        .rules()
        .rules
        .iter()
        .map(|rule| {
            let info = RuleInfo {
                title: rule.title.to_string(),
                why: rule.why.to_string(),
                page: rule.page.as_deref().unwrap_or_default().to_owned(),
                severity: rule.severity,
            };
            (rule.id.to_string(), info)
        })
        .collect()
}

pub(super) fn tell_gaps(global: &Global, gathered: &Gathered) {
    let limit = if global.verbose > 0 { usize::MAX } else { 5 };
    for gap in gathered.gaps.iter().take(limit) {
        global.say(&format!("not seen: {gap}"));
    }
    if gathered.gaps.len() > limit {
        global.say(&format!(
            "and {} more that could not be seen; -v shows all",
            gathered.gaps.len() - limit
        ));
    }
}

/// Where results go; a file is opened before the sweep, so that a bad path fails at once.
pub(super) enum Output {
    Stdout,
    File(fs::File, PathBuf),
}

impl Output {
    pub(super) fn open(path: Option<&Path>) -> Result<Output> {
        match path {
            None => Ok(Output::Stdout),
            Some(path) => {
                let file = fs::File::create(path)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                Ok(Output::File(file, path.to_path_buf()))
            }
        }
    }

    fn is_stdout(&self) -> bool {
        matches!(self, Output::Stdout)
    }

    pub(super) fn finish(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Output::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()?;
            }
            Output::File(file, path) => file
                .write_all(bytes)
                .with_context(|| format!("cannot write {}", path.display()))?,
        }
        Ok(())
    }
}
