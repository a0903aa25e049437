//! `gate`: the same checks and ids on a change set, at release time.
//!
//! Only what the change brings in is judged: a credential in it must stand in the register, with
//! somebody who answers for it and an end. What the register does not have is told as the row to
//! add.

use std::io::Write as _;

use anyhow::{Context as _, Result, anyhow, bail};
use keymuster_api::Connector;

use super::{Exit, audit, config::Config, global::Global, ground::read_ground, scan};
use crate::{
    audit::{Finding, Subject, find, run_some},
    engine::{Engine, RuleSet},
    estate::Gathered,
    inventory::Matches,
    judgement::{Case, Earlier},
    sweep::{self, SweepOptions, registry},
};

/// The checks that a change set can answer: those about what stands in it, and about the record
/// behind it. Ages, use and rights are the audit's.
const CHECKS: &[&str] = &[
    "AGT-01", "AUT-01", "AUT-02", "EXP-01", "INV-01", "INV-03", "INV-06", "ISO-02", "LIF-01",
    "LIF-02", "OWN-01", "OWN-02", "PRV-04", "PRV-05",
];

/// Judge what a change brings in: new credentials without record, owner or end fail.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The change: REV..REV, or `staged` for what the next commit would add [default: staged].
    range: Option<String>,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: std::path::PathBuf,
    /// Without the estate's key: ids hold for this run only.
    #[arg(long)]
    ephemeral: bool,
    /// Thresholds: cis, pci or default [default: policy.preset].
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Exit with 1 at this severity or above [default: policy.fail-on, else low].
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical", "never"])]
    fail_on: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let config = Config::load(global)?;
    let now = global.now();
    let folder = match &global.state {
        Some(folder) => folder.clone(),
        None => config.state_folder()?,
    };
    let as_audit = audit::Args {
        ephemeral: args.ephemeral,
        preset: args.preset.clone(),
        fail_on: args.fail_on.clone(),
        ..audit::Args::default()
    };
    let seal = audit::key(&config, &folder, &as_audit)?;
    let engine = Engine::new(RuleSet::embedded()?, seal.clone());
    let standing = read_ground(&config, &as_audit, &engine, now)?;
    let ground = &standing.ground;
    if ground.inventory.is_none() {
        bail!(
            "{}: without an [[inventory]] every credential would look new; name the register",
            config.path.display()
        );
    }
    let case = Case::new(change(global, args, &engine)?, ground);
    // A change is judged by itself.
    let earlier = Earlier::default();
    let cx = case.cx(ground, &earlier);
    let checks: Vec<_> = CHECKS.iter().filter_map(|id| find(id)).collect();
    let mut judged = run_some(&cx, &|text| seal.subject(text), &checks);
    if let Some(problem) = judged.problems.first() {
        bail!("the checks contradict themselves; please report this as a bug: {problem}");
    }
    // The rest of the register is not what this change is about.
    judged
        .findings
        .retain(|finding| is_of_change(&case.matches, finding));
    if let Some(exceptions) = &ground.exceptions {
        // What covers nothing here may cover much in the audit.
        exceptions.apply(&cx, &mut judged.findings);
    }
    tell(&judged.findings, &config)?;
    for gap in &case.estate.gathered.gaps {
        super::note(&format!("not seen: {gap}"));
    }
    let fails = judged
        .findings
        .iter()
        .any(|finding| finding.state.is_open() && scan::fails(&standing.fail_on, finding.severity));
    Ok(Exit::of(fails, !case.estate.gathered.gaps.is_empty()))
}

/// Whether a finding is about what the change brings in.
fn is_of_change(matches: &Matches, finding: &Finding) -> bool {
    match finding.subject {
        Subject::Credential(_) => true,
        Subject::Record(ix) => {
            let credentials = matches.of_record.get(ix as usize);
            credentials.is_some_and(|credentials| !credentials.is_empty())
        }
        _ => false,
    }
}

fn change(global: &Global, args: &Args, engine: &Engine) -> Result<Gathered> {
    let range = args.range.clone().unwrap_or_else(|| "staged".to_owned());
    if range != "staged" && !range.contains("..") {
        bail!("'{range}' is no change; write REV..REV, or staged");
    }
    if registry::discover(&args.repository).is_none() {
        bail!(
            "{} is no git repository; name one with --repository",
            args.repository.display()
        );
    }
    let path = std::fs::canonicalize(&args.repository)
        .with_context(|| format!("cannot open {}", args.repository.display()))?;
    let connector = registry::git(vec![registry::Repository {
        name: scan::name_of(&path),
        path,
        history: range,
        since: None,
    }])
    .map_err(|message| anyhow!(message))?;
    let connectors: Vec<Box<dyn Connector>> = vec![connector];
    let cancel = global.watch();
    let bar = global.bar();
    let options = SweepOptions {
        jobs: global.jobs(),
        max_memory: global.max_memory,
        now: global.now(),
        every_version: false,
        whole: false,
        unpack: Default::default(),
        cancel: &cancel,
        memo: None,
        leads: None,
        progress: &bar,
    };
    let gathered = sweep::sweep(&connectors, engine, &options);
    bar.finish();
    Ok(gathered)
}

fn tell(findings: &[Finding], config: &Config) -> Result<()> {
    let register = config.file.inventory.first();
    let register = register.map_or_else(String::new, |table| table.file.display().to_string());
    let mut out = anstream::stdout().lock();
    for finding in findings {
        writeln!(
            out,
            "{:8}  {}  {}  {}",
            finding.severity.as_str(),
            finding.check.id,
            finding.title.replace(char::is_control, " "),
            finding.id
        )?;
        for place in finding.locations.iter().take(5) {
            writeln!(out, "          {}", place.replace(char::is_control, " "))?;
        }
        if finding.check.id == "INV-01" {
            writeln!(
                out,
                "          add to {register}: {} with owner, purpose, approver, approved_at, scope, expires_at, revocation_path",
                finding.credential.replace(char::is_control, " ")
            )?;
        }
        let remedy = finding.remediation.replace(char::is_control, " ");
        writeln!(out, "        → {remedy}")?;
    }
    let open = findings
        .iter()
        .filter(|finding| finding.state.is_open())
        .count();
    writeln!(
        out,
        "{}",
        match open {
            0 => "the change brings in nothing that the register does not answer for".to_owned(),
            1 => "1 open finding".to_owned(),
            _ => format!("{open} open findings"),
        }
    )?;
    Ok(())
}
