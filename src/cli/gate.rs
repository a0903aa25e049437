//! `gate`: the same checks and ids on a change set, at release time.
//!
//! Only what the change brings in is judged: a credential in it must stand in the register, with
//! somebody who answers for it and an end. What the register does not have is told as the row to
//! add.

use std::io::Write as _;

use anyhow::{Context as _, Result, anyhow, bail};
use keymuster_api::Connector;

use super::{
    Exit, audit,
    config::{self, Config},
    global::Global,
    scan,
};
use crate::{
    audit::{CheckCx, Finding, History, Subject, find, run_some},
    catalogue::Kinds,
    engine::{Engine, RuleSet},
    estate::{self, Estate},
    inventory::{self, Matches},
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
    let ground = audit::ground(&config, &as_audit, &engine, now)?;
    if ground.inventory.is_none() {
        bail!(
            "{}: without an [[inventory]] every credential would look new; name the register",
            config.path.display()
        );
    }
    let estate = change(global, args, &engine)?;
    let matches = match &ground.inventory {
        Some(inventory) => {
            inventory::reconcile_confirmed(&estate, inventory, &ground.confirmations).0
        }
        None => Matches::default(),
    };
    let kinds = config::advice(Kinds::embedded());
    let privileges = vec![None; estate.identities.len()];
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
        history: &History::new(),
        first_exposed: &Default::default(),
        now,
    };
    let checks: Vec<_> = CHECKS.iter().filter_map(|id| find(id)).collect();
    let mut judged = run_some(&cx, &|text| seal.subject(text), &checks);
    if let Some(problem) = judged.problems.first() {
        bail!("the checks contradict themselves; please report this as a bug: {problem}");
    }
    // The rest of the register is not what this change is about.
    judged
        .findings
        .retain(|finding| is_of_change(&matches, finding));
    if let Some(exceptions) = &ground.exceptions {
        // What covers nothing here may cover much in the audit.
        exceptions.apply(&cx, &mut judged.findings);
    }
    tell(&judged.findings, &config)?;
    for gap in &estate.gathered.gaps {
        super::note(&format!("not seen: {gap}"));
    }
    let fails = judged
        .findings
        .iter()
        .any(|finding| finding.state.is_open() && scan::fails(&ground.fail_on, finding.severity));
    Ok(Exit::of(fails, !estate.gathered.gaps.is_empty()))
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

fn change(global: &Global, args: &Args, engine: &Engine) -> Result<Estate> {
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
    Ok(estate::resolve(gathered))
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
