//! `rules`: list them, check them, and see what they say of a file.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use keymuster_api::{Content, Fresh, PathClass, Place, Spot, SystemId};

use super::{Exit, global::Global, note, state};
use crate::{
    catalogue::Kinds,
    engine::{self, Engine, RuleSet},
};

/// Detection rules: list, check, try on a file.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: RulesVerb,
}

#[derive(Subcommand)]
enum RulesVerb {
    /// Every rule: id, confidence, title.
    List,
    /// Prove of every rule that its shapes are found and its misses are not.
    Check {
        /// Rule files or folders besides the embedded ones.
        #[arg(value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// What each rule says of a file, and why.
    Test {
        /// The file.
        file: PathBuf,
        /// Rule files or folders besides the embedded ones.
        #[arg(long, value_name = "PATH", num_args = 1..)]
        rules: Vec<PathBuf>,
    },
}

pub(super) fn run(_global: &Global, args: &Args) -> Result<Exit> {
    match &args.verb {
        RulesVerb::List => list(),
        RulesVerb::Check { rules } => check(rules),
        RulesVerb::Test { file, rules } => test(file, rules),
    }
}

/// The embedded rules, and those of the files and folders named.
pub(super) fn load(paths: &[PathBuf]) -> Result<RuleSet> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path)
            .with_context(|| format!("cannot read the rules {}", path.display()))?;
        if metadata.is_dir() {
            let mut inside: Vec<PathBuf> = fs::read_dir(path)
                .and_then(|entries| {
                    entries
                        .map(|entry| entry.map(|entry| entry.path()))
                        .collect()
                })
                .with_context(|| format!("cannot list the rules in {}", path.display()))?;
            inside.retain(|file| file.extension().is_some_and(|ext| ext == "toml"));
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    let mut texts = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("cannot read the rules {}", file.display()))?;
        texts.push((file.display().to_string(), text));
    }
    Ok(RuleSet::with_files(
        texts
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_str())),
    )?)
}

fn list() -> Result<Exit> {
    let rules = RuleSet::embedded()?;
    let mut out = anstream::stdout().lock();
    let width = rules
        .rules
        .iter()
        .map(|rule| rule.id.len())
        .max()
        .unwrap_or(0);
    for rule in &rules.rules {
        writeln!(
            out,
            "{:width$}  {:6}  {:8}  {}",
            rule.id, rule.confidence, rule.severity, rule.title
        )?;
    }
    let (prefixes, anchors, words) = rules.literals();
    writeln!(
        out,
        "{} rules; {prefixes} prefixes in the token lane, {anchors} anchors in the anchor lane, {words} words",
        rules.rules.len()
    )?;
    Ok(Exit::Clean)
}

fn check(paths: &[PathBuf]) -> Result<Exit> {
    let engine = Engine::new(load(paths)?, state::passing_key()?);
    let kinds = Kinds::embedded();
    let faults = engine::check(&engine, &|kind| kinds.get(kind).is_some());
    let mut out = anstream::stdout().lock();
    for fault in &faults {
        writeln!(out, "{}: {}: {}", fault.source, fault.rule, fault.message)?;
    }
    let count = engine.rules().rules.len();
    if faults.is_empty() {
        writeln!(
            out,
            "{count} rules hold: patterns are bounded and compile, shapes are found by the lanes as by the oracle, misses are not found, kinds exist"
        )?;
        return Ok(Exit::Clean);
    }
    writeln!(out, "{} faults in {count} rules", faults.len())?;
    Ok(Exit::Findings)
}

fn test(file: &PathBuf, paths: &[PathBuf]) -> Result<Exit> {
    let bytes = zeroize::Zeroizing::new(
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
    );
    let engine = Engine::new(load(paths)?, state::passing_key()?);
    let path = file.to_string_lossy();
    let place = Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::File {
            path: (&*path).into(),
        },
    };
    let content = Content {
        place: &place,
        bytes: &bytes,
        origin: Default::default(),
        class: None,
        fresh: Fresh::Everything,
    };
    let trace = engine.search(&content);
    let told = engine.winners(&trace.candidates, Some(path.as_bytes()));
    let mut out = anstream::stdout().lock();
    for candidate in &trace.candidates {
        let rule = &engine.rules().rules[candidate.rule as usize];
        let line = memchr::memchr_iter(b'\n', &bytes[..candidate.span.start]).count() + 1;
        let verdict = if told.contains(&candidate) {
            "reported".to_owned()
        } else if !candidate.verdicts.contains(PathClass::of(path.as_bytes())) {
            "kept silent: the rule does not hold in files of this class".to_owned()
        } else {
            "kept silent: another rule tells the same secret".to_owned()
        };
        writeln!(
            out,
            "{}:{line}: {} ({}): {}: {verdict}",
            file.display(),
            rule.id,
            candidate.confidence,
            candidate.details.preview
        )?;
    }
    let lanes = engine.explain_hits(&content, &trace);
    for (at, rule, why) in lanes {
        let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
        writeln!(out, "{}:{line}: {rule}: dropped: {why}", file.display())?;
    }
    if trace.hits.is_empty() && trace.candidates.is_empty() {
        note(
            "no rule saw a literal that it needs in this file; `keymuster rules list` shows the rules",
        );
    }
    Ok(if told.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}
