//! Whether evidence is what a run left: hashes, signature, chain, sums.
//!
//! It is authentic only against a public key, and complete at its newer end only against a root
//! that was kept elsewhere: somebody who holds the folder can drop the newest runs.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

use super::{
    Bundle,
    bundle::{BEFORE, FACTS, RUN, RunRecord},
    canonical, hex,
    results::{DECISIONS, FINDINGS, MATCHES, POPULATION},
    statement::{self, STATEMENT},
};
use crate::report::{FindingEntry, PopulationEntry, Reconciliation};

/// A bundle, or why it could not be read.
pub type Loaded = Result<Bundle, (String, String)>;

/// What a check of evidence came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Runs in the order of their chain: id and root.
    pub runs: Vec<(String, String)>,
    /// What is wrong; empty where all holds.
    pub problems: Vec<String>,
}

/// Checks bundles. `root` must be that of one of them; `since` is the root of a run that may be
/// missing, because older evidence was put away.
pub fn verify(
    bundles: &[Loaded],
    key: Option<&VerifyingKey>,
    root: Option<&str>,
    since: Option<&str>,
) -> Verified {
    verify_each(bundles, &|bundle| one(bundle, key), root, since)
}

/// What a bundle says of itself and its root, or what is wrong with it.
pub(super) type Held = Result<(RunRecord, String), String>;

/// [`verify()`] with each bundle checked on its own by this.
pub(super) fn verify_each(
    bundles: &[Loaded],
    one: &dyn Fn(&Bundle) -> Held,
    root: Option<&str>,
    since: Option<&str>,
) -> Verified {
    let mut out = Verified::default();
    let mut records: BTreeMap<String, (RunRecord, String)> = BTreeMap::new();
    for bundle in bundles {
        let found = match bundle {
            Ok(bundle) => one(bundle).map_err(|why| (bundle.run.clone(), why)),
            Err((run, why)) => Err((run.clone(), why.clone())),
        };
        match found {
            Ok((record, root)) => {
                records.insert(record.id.clone(), (record, root));
            }
            Err((run, why)) => out.problems.push(format!("{run}: {why}")),
        }
    }
    if bundles.is_empty() {
        out.problems.push("there is no evidence here".to_owned());
    }
    chain(records, since, &mut out);
    if let Some(root) = root
        && !out.runs.iter().any(|(_, known)| known == root)
    {
        out.problems.push(format!(
            "no run has the root {root}: runs are missing, or this is other evidence"
        ));
    }
    out
}

/// One bundle on its own: what it says of itself, and its root.
pub(super) fn one(
    bundle: &Bundle,
    key: Option<&VerifyingKey>,
) -> Result<(RunRecord, String), String> {
    let wanted = [RUN, FACTS, BEFORE, POPULATION, MATCHES, FINDINGS, DECISIONS];
    for name in wanted {
        bundle.file(name).map_err(|error| error.to_string())?;
    }
    if let Some(name) = bundle
        .files
        .keys()
        .find(|name| **name != STATEMENT && !wanted.contains(&name.as_str()))
    {
        return Err(format!("{name} does not belong to it"));
    }
    let record = bundle.record().map_err(|error| error.to_string())?;
    if record.id != bundle.run {
        return Err(format!("it is the run {}", record.id));
    }
    if canonical::lines([&record]) != bundle.file(RUN).map_err(|error| error.to_string())? {
        return Err(format!("{RUN} is not written as it should be"));
    }
    if let Some(key) = key {
        let statement = bundle.files.get(STATEMENT).ok_or("it is not signed")?;
        statement::check(bundle, statement, key).map_err(|why| format!("{STATEMENT}: {why}"))?;
    }
    sums(bundle)?;
    Ok((record, hex(&bundle.root())))
}

/// The population proof, once more.
fn sums(bundle: &Bundle) -> Result<(), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Line {
        Scope(crate::report::CoverageEntry),
        Gap(crate::report::GapEntry),
        Reconciliation(Reconciliation),
        Check(PopulationEntry),
    }
    #[derive(Deserialize)]
    struct Matched {
        matched: Option<serde::de::IgnoredAny>,
    }
    let mut doc = crate::report::Document::default();
    for line in lines::<Line>(bundle, POPULATION)? {
        match line {
            Line::Scope(one) => doc.coverage.push(one),
            Line::Gap(one) => doc.gaps.push(one),
            Line::Reconciliation(one) => doc.reconciliation = Some(one),
            Line::Check(one) => doc.population.push(one),
        }
    }
    doc.findings = lines::<FindingEntry>(bundle, FINDINGS)?;
    doc.credentials = lines::<Matched>(bundle, MATCHES)?
        .into_iter()
        .map(|one| crate::report::CredentialEntry {
            matched: one.matched.map(|_| crate::report::MatchEntry::default()),
            ..crate::report::CredentialEntry::default()
        })
        .collect();
    match super::balance(&doc).first() {
        None => Ok(()),
        Some(wrong) => Err(format!("the sums do not balance: {wrong}")),
    }
}

fn lines<T: serde::de::DeserializeOwned>(bundle: &Bundle, file: &str) -> Result<Vec<T>, String> {
    let bytes = bundle.file(file).map_err(|error| error.to_string())?;
    serde_json::Deserializer::from_slice(bytes)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{file}: {error}"))
}

/// Puts runs into the order in which they name one another.
fn chain(
    mut records: BTreeMap<String, (RunRecord, String)>,
    since: Option<&str>,
    out: &mut Verified,
) {
    let firsts: Vec<String> = records
        .values()
        .filter(|(record, _)| match &record.before {
            None => true,
            Some(before) => since == Some(before.root.as_str()),
        })
        .map(|(record, _)| record.id.clone())
        .collect();
    if firsts.len() > 1 {
        out.problems
            .push(format!("several runs begin a chain: {}", firsts.join(", ")));
    }
    let mut by_before: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (record, _) in records.values() {
        if let Some(before) = &record.before {
            let next = by_before.entry(before.root.clone()).or_default();
            next.push(record.id.clone());
        }
    }
    for (root, next) in by_before.iter().filter(|(_, next)| next.len() > 1) {
        out.problems.push(format!(
            "several runs follow the root {root}: {}",
            next.join(", ")
        ));
    }
    let mut at = firsts.into_iter().next();
    let mut seen = BTreeSet::new();
    while let Some(id) = at.filter(|id| seen.insert(id.clone())) {
        let Some((_, root)) = records.remove(&id) else {
            break;
        };
        at = by_before.get(&root).and_then(|next| next.first()).cloned();
        let named = at.as_ref().and_then(|next| records.get(next));
        if let Some((next, _)) = named
            && next.before.as_ref().is_some_and(|before| before.run != id)
        {
            out.problems
                .push(format!("{}: it names another run before it", next.id));
        }
        out.runs.push((id, root));
    }
    for (record, _) in records.into_values() {
        let before = record.before.map_or_else(String::new, |before| before.run);
        out.problems.push(format!(
            "{}: the run before it, {before}, is missing or was changed",
            record.id
        ));
    }
}
