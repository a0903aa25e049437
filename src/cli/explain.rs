//! `explain WORD`: the page of a check, a rule, a kind, or a finding's check.

use anyhow::{Result, bail};

use super::{Exit, answer, config, global::Global, scan, state};
use crate::{
    audit::CHECKS,
    catalogue::Kinds,
    engine::{Engine, RuleSet},
    report::{explain_check, explain_kind, explain_rule},
};

/// What a check, rule or kind is, why it matters, what to do.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A check (LIF-06 or dormant), a rule or a kind (github.pat), or a finding's id.
    word: String,
    /// The run a finding's id is looked up in [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let page = scan::page(global, true);
    let mut out = std::io::stdout().lock();
    let mut word = args.word.clone();
    if word.starts_with("KM-") {
        let document = answer::document(global, args.run.as_deref())?;
        match document
            .findings
            .iter()
            .find(|finding| finding.finding_id == word)
        {
            Some(finding) => word = finding.check.clone(),
            None => bail!(
                "run {} has no finding {word}; `keymuster report` shows them",
                document.run.id
            ),
        }
    }
    if let Some(check) = CHECKS
        .iter()
        .find(|check| check.about().id.eq_ignore_ascii_case(&word) || check.about().slug == word)
    {
        explain_check(check.about(), &page, &mut out)?;
        return Ok(Exit::Clean);
    }
    let engine = Engine::new(RuleSet::embedded()?, state::passing_key()?);
    let rules = scan::rule_infos(&engine);
    let kinds = config::advice(Kinds::embedded());
    let mut known = false;
    if let Some(rule) = rules.get(&word) {
        explain_rule(&word, rule, &page, &mut out)?;
        known = true;
    }
    if let Some(kind) = kinds.get(&word) {
        explain_kind(&word, kind, &page, &mut out)?;
        known = true;
    }
    if known {
        return Ok(Exit::Clean);
    }
    let words = CHECKS
        .iter()
        .flat_map(|check| [check.about().id, check.about().slug])
        .chain(rules.keys().map(String::as_str))
        .chain(kinds.keys().map(String::as_str));
    let nearest = words
        .map(|known| {
            (
                strsim::damerau_levenshtein(&word.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .min();
    let hint = nearest
        .filter(|(distance, _)| *distance <= 4)
        .map_or(String::new(), |(_, known)| {
            format!("; did you mean {known}?")
        });
    bail!(
        "'{word}' is no check, rule, kind or finding{hint}; see `keymuster checks list` and `keymuster rules list`"
    )
}
