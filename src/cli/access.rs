//! `access`: what every principal can really do, one question, and the way to an administrator.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Subcommand, ValueEnum};
use keymuster_api::{Connector, GapKind, Key};

use super::{Exit, config::Config, global::Global, note, scan, sources, state};
use crate::{
    access::{self, Access, AccessFacts, Decision, Others, Request, others},
    engine::{Engine, RuleSet},
    estate::Gathered,
    report,
    sweep::{self, SweepOptions, registry},
};

/// Every principal of the cloud exports, and what it can really do.
///
/// Reads exported files (`aws iam get-account-authorization-details`, credential reports, lists,
/// folders of control policies; what kubectl, gcloud, az and Microsoft Graph write), each recognised
/// by its content; without any, those of the configuration.
#[derive(clap::Args)]
#[command(subcommand_precedence_over_arg = true)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<AccessVerb>,
    /// Exported files, and folders of them.
    #[arg(value_name = "EXPORT")]
    exports: Vec<PathBuf>,
    /// Exported files for `can` and `graph`.
    #[arg(long = "export", value_name = "EXPORT", global = true)]
    more: Vec<PathBuf>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Form::Terminal, global = true)]
    format: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A page for people.
    Terminal,
    /// A line of JSON for each principal.
    Jsonl,
    /// One JSON object, for `can`.
    Json,
}

#[derive(Subcommand)]
enum AccessVerb {
    /// Whether a principal may do something: exit 0 yes, 1 no, 3 if it depends on what is not known.
    Can {
        /// Its ARN, or its name where only one has it.
        principal: String,
        /// The action: `s3:GetObject`.
        action: String,
        /// The resource's ARN.
        #[arg(default_value = "*")]
        resource: String,
        /// What is known of the request: `aws:SourceIp=203.0.113.7`. An empty value says that the
        /// key is not there; a key given again has several values.
        #[arg(long, value_name = "KEY=VALUE")]
        context: Vec<String>,
        /// The policy of the resource, as a JSON file.
        #[arg(long, value_name = "FILE")]
        resource_policy: Option<PathBuf>,
        /// The policy of the session, as a JSON file.
        #[arg(long, value_name = "FILE")]
        session_policy: Option<PathBuf>,
    },
    /// The way to an administrator, as a DOT graph.
    Graph {
        /// Of this principal only.
        principal: Option<String>,
    },
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let paths: Vec<PathBuf> = args.exports.iter().chain(&args.more).cloned().collect();
    let gathered = gather(global, paths)?;
    let facts = AccessFacts {
        identities: &gathered.identities,
        policies: &gathered.policies,
        trusts: &gathered.trusts,
        memberships: &gathered.memberships,
        credentials: &gathered.credentials,
        references: &gathered.references,
        now: Some(global.now()),
    };
    let access = access::assess(&facts);
    let others = others::assess_others(&facts, &access);
    if access.privileges().next().is_none() && others.standings().is_empty() {
        unseen(&gathered, &access, &others);
        bail!(
            "the exports hold no principal; add `aws iam get-account-authorization-details`, or serviceaccounts and bindings of a cluster"
        );
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let exit = match &args.verb {
        None => {
            match args.format {
                Form::Terminal => {
                    let page = scan::page(global, true);
                    report::access::terminal(
                        &access,
                        &others,
                        &gathered.identities,
                        &page,
                        &mut out,
                    )?;
                }
                Form::Jsonl => {
                    report::access::jsonl(&access, &others, &gathered.identities, &mut out)?;
                }
                Form::Json => bail!(
                    "the list is written as terminal or jsonl; name one of these with --format"
                ),
            }
            unseen(&gathered, &access, &others)
        }
        Some(AccessVerb::Can {
            principal,
            action,
            resource,
            context,
            resource_policy,
            session_policy,
        }) => {
            unseen(&gathered, &access, &others);
            let principal = principal_of(&access, &others, principal)?;
            if others.standing(principal).is_some() {
                bail!(
                    "{} is no principal of AWS, and `can` answers for those; `keymuster access -v` tells what it can do",
                    principal.0
                );
            }
            let context = context_of(context)?;
            let request = Request {
                principal,
                action,
                resource,
                context: &context,
            };
            if !action.contains(':') {
                bail!("'{action}' is no action; write it with its service, as in s3:GetObject");
            }
            let of_resource = resource_policy.as_deref().map(policy).transpose()?;
            let of_session = session_policy.as_deref().map(policy).transpose()?;
            let besides = access::Besides {
                resource: of_resource.as_ref(),
                session: of_session.as_ref(),
            };
            let answer = access.can_with(&request, besides);
            let said = report::access::Can {
                principal,
                action,
                resource,
                answer: &answer,
                otherwise: access.why_not(&request),
            };
            match args.format {
                Form::Terminal => said.terminal(&mut out)?,
                Form::Json | Form::Jsonl => said.json(&mut out)?,
            }
            match answer.decision {
                Decision::Allowed => Exit::Clean,
                Decision::Conditional => Exit::Gaps,
                Decision::NotAllowed => Exit::Findings,
            }
        }
        Some(AccessVerb::Graph { principal }) => {
            let of = principal
                .as_deref()
                .map(|name| principal_of(&access, &others, name))
                .transpose()?;
            report::access::dot(&access, &others, of, &mut out)?;
            unseen(&gathered, &access, &others)
        }
    };
    out.flush()?;
    Ok(exit)
}

/// Reads the exports, or those that the configuration names.
fn gather(global: &Global, paths: Vec<PathBuf>) -> Result<Gathered> {
    let connectors: Vec<Box<dyn Connector>> = if paths.is_empty() {
        let config = Config::load(global)
            .context("no exports were named; give files, or a configuration that names some")?;
        let mut nothing = Vec::new();
        let mut all = sources::connectors(&config, &[], None, false, &mut nothing)?.all;
        for glob in nothing {
            note(&format!("not seen: '{glob}' names no file"));
        }
        all.retain(|connector| registry::exports::EXPORTS.contains(&connector.about().kind));
        all
    } else {
        for path in &paths {
            if !path.exists() {
                bail!(
                    "{} is not there; give the path of an export",
                    path.display()
                );
            }
        }
        let label: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        registry::exports::exports(&label.join(", "), paths).map_err(|why| anyhow!(why))?
    };
    if connectors.is_empty() {
        bail!(
            "the configuration names no cloud exports; add a [[connector]] of type aws-iam, gcp, entra or kubernetes, or name files"
        );
    }
    let engine = Engine::new(RuleSet::embedded()?, state::passing_key()?);
    let cancel = global.watch();
    let bar = global.bar();
    let options = SweepOptions {
        leads: None,
        jobs: global.jobs(),
        max_memory: global.max_memory,
        now: global.now(),
        every_version: false,
        whole: false,
        unpack: crate::unpack::Limits::default(),
        cancel: &cancel,
        progress: &bar,
        memo: None,
    };
    let gathered = sweep::sweep(&connectors, &engine, &options);
    bar.finish();
    Ok(gathered)
}

/// Tells what was not seen; what could not be read makes the run incomplete.
fn unseen(gathered: &Gathered, access: &Access, others: &Others) -> Exit {
    let mut exit = Exit::Clean;
    for gap in &gathered.gaps {
        note(&format!("not seen: {}: {}", gap.subject, gap.reason));
        if gap.kind != GapKind::Missing {
            exit = Exit::Gaps;
        }
    }
    for problem in access.problems().iter().chain(others.problems()) {
        note(&format!("policy {}: {}", problem.policy.0, problem.message));
        if problem.unread {
            exit = Exit::Gaps;
        }
    }
    exit
}

fn principal_of<'a>(access: &'a Access, others: &'a Others, name: &str) -> Result<&'a Key> {
    let of_aws = || access.privileges().map(|(key, _)| key);
    let all = || of_aws().chain(others.standings().keys());
    if let Some(key) = all().find(|key| key.0 == name) {
        return Ok(key);
    }
    let ends = |key: &Key| {
        let rest = key.0.strip_suffix(name);
        !name.is_empty() && rest.is_some_and(|rest| rest.ends_with(['/', ':']))
    };
    let mut named = all().filter(|key| ends(key));
    match (named.next(), named.next()) {
        (Some(key), None) => Ok(key),
        (Some(one), Some(other)) => bail!(
            "'{name}' may be {} or {}; give the whole ARN",
            one.0,
            other.0
        ),
        _ => bail!("no principal of the exports is called '{name}'; `keymuster access` lists them"),
    }
}

/// A policy from a file; what is wrong with it is told.
fn policy(path: &Path) -> Result<access::policy::Document> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the policy {}", path.display()))?;
    let document = access::policy::Document::parse(&text);
    for problem in &document.problems {
        note(&format!("policy {}: {problem}", path.display()));
    }
    if document.statements.is_empty() {
        bail!(
            "{} holds no statement; give a policy document",
            path.display()
        );
    }
    Ok(document)
}

fn context_of(given: &[String]) -> Result<access::Context> {
    let mut values: Vec<(String, Vec<&str>)> = Vec::new();
    for text in given {
        let Some((key, value)) = text.split_once('=') else {
            bail!("'{text}' is no KEY=VALUE; write --context aws:SourceIp=203.0.113.7");
        };
        let key = key.to_ascii_lowercase();
        match values.iter_mut().find(|(known, _)| *known == key) {
            Some((_, all)) => all.push(value),
            None => values.push((key, vec![value])),
        }
    }
    let mut context = access::Context::new();
    for (key, all) in values {
        context = if all == [""] {
            context.without(&key)
        } else {
            context.with(&key, &all)
        };
    }
    Ok(context)
}
