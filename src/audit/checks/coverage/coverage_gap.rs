//! COV-01: something that should have been seen was not.
//!
//! # Why
//! What was not looked at is not clean.
//!
//! # How it is decided
//! One finding per scope (an account, a repository, else the connector): a count that is not
//! complete, or anything that a connector says it could not see; and an account that the
//! register speaks of and no connector looked at, though a connector of its provider ran. A
//! connector that ran without saying what it counted is not evaluated. Medium; high where the
//! register has a T0 credential there. Gaps speak through the exit code 3, never through
//! `--fail-on`.
//!
//! # Remedy
//! Grant the right to read, or add the connector.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        scope::{Scope, Scopes, account_scope, system_scope},
    },
    inventory::{Record, Tier},
};

/// The check.
pub(in crate::audit::checks) struct CoverageGap;

static ABOUT: CheckAbout = CheckAbout {
    id: "COV-01",
    slug: "coverage-gap",
    title: "Coverage or telemetry gap",
    why: "What was not looked at is not clean.",
    decided: "a scope's count is not complete, or something in it could not be seen",
    remedy: "grant the right to read, or add the connector",
    needs: &[Input::Coverage],
};

/// At most so many gaps of a scope are shown one by one.
const SHOWN: usize = 20;

impl Check for CoverageGap {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let scopes = Scopes::of(cx);
        let recorded = recorded(cx);
        for (name, scope) in &scopes.all {
            let subject = Subject::Scope(name.clone());
            if scope.gaps.is_empty() && scope.partial.is_empty() {
                out.pass(&subject);
            } else {
                let records = recorded.get(name).map_or(&[][..], Vec::as_slice);
                seen_in_part(subject, name, scope, records, out);
            }
        }
        silent(cx, out);
        let providers: BTreeSet<&str> = scopes
            .all
            .keys()
            .filter_map(|name| Some(name.split_once(':')?.0))
            .collect();
        for (name, records) in recorded
            .iter()
            .filter(|(name, _)| !scopes.all.contains_key(*name))
        {
            let provider = name.split_once(':').map_or("", |(provider, _)| provider);
            // A provider no connector was configured for is a decision, not a gap.
            if providers.contains(provider) {
                unseen(name, records, out);
            }
        }
    }
}

fn seen_in_part(
    subject: Subject,
    name: &str,
    scope: &Scope<'_>,
    records: &[&Record],
    out: &mut Findings<'_>,
) {
    out.fail(subject, Severity::Medium, |draft| {
        for coverage in &scope.partial {
            let expected = coverage
                .expected
                .map_or_else(|| "?".to_owned(), |n| n.to_string());
            let value = format!("{} of {expected} {}", coverage.received, coverage.what);
            draft.evidence("seen", value, coverage.source.locator.as_str());
        }
        for gap in scope.gaps.iter().take(SHOWN) {
            let value = format!("{}: {}", gap.subject, gap.reason);
            draft.evidence(gap.kind.as_str(), value, gap.source.locator.as_str());
            draft.location(gap.subject.as_str());
        }
        if scope.gaps.len() > SHOWN {
            let more = format!("{} in all", scope.gaps.len());
            draft.evidence("not seen", more, "see the coverage");
        }
        at_t0(records, draft);
        let next = scope
            .gaps
            .first()
            .map_or("grant the right to read all of it", |gap| &gap.reason);
        draft.remedy(format!("make {name} readable: {next}"));
    });
}

/// An account of the register that no connector looked at.
fn unseen(name: &str, records: &[&Record], out: &mut Findings<'_>) {
    out.fail(Subject::Scope(name.to_owned()), Severity::Medium, |draft| {
        let ids: Vec<&str> = records
            .iter()
            .take(SHOWN)
            .map(|record| record.id.as_str())
            .collect();
        let first = records
            .first()
            .map_or_else(String::new, |record| record.source.to_string());
        draft.evidence(
            "recorded",
            format!("{} records: {}", records.len(), ids.join(", ")),
            first,
        );
        draft.evidence(
            "seen",
            "nothing: no connector looked at it",
            "the configuration",
        );
        at_t0(records, draft);
        draft.remedy(format!(
            "add {name} to a connector, or say that it is out of scope"
        ));
    });
}

fn at_t0(records: &[&Record], draft: &mut crate::audit::Draft<'_>) {
    if let Some(record) = records.iter().find(|record| record.tier == Some(Tier::T0)) {
        draft.at_least(Severity::High);
        draft.evidence(
            "T0 recorded there",
            record.id.as_str(),
            record.source.to_string(),
        );
    }
}

/// Connectors that said nothing of what they counted.
fn silent(cx: &CheckCx<'_>, out: &mut Findings<'_>) {
    let gathered = &cx.estate.gathered;
    let mut heard: BTreeSet<u32> = gathered
        .coverage
        .iter()
        .map(|c| c.source.system.0)
        .collect();
    heard.extend(gathered.gaps.iter().map(|gap| gap.source.system.0));
    let mut named = BTreeSet::new();
    for (ix, about) in (0..).zip(&gathered.systems) {
        let name = system_scope(about);
        if !heard.contains(&ix) && named.insert(name.clone()) {
            out.not_evaluated(&Subject::Scope(name), Input::Coverage);
        }
    }
}

/// Records in force, by the account they speak of.
fn recorded<'a>(cx: &CheckCx<'a>) -> BTreeMap<String, Vec<&'a Record>> {
    let mut by_scope: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    let records = cx.inventory.map_or(&[][..], |inventory| &inventory.records);
    for record in records {
        let ended = record
            .status
            .is_some_and(crate::inventory::RecordStatus::is_ended);
        if let (false, Some(provider), Some(account)) = (ended, &record.provider, &record.account) {
            let scope = account_scope(&provider.to_lowercase(), account.trim());
            by_scope.entry(scope).or_default().push(record);
        }
    }
    by_scope
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::{ACCOUNT, World},
        inventory::Tier,
    };

    /// A world in which only git ran.
    fn world() -> World {
        let mut world = World::new();
        world.covered("git:a");
        world.covered(&format!("aws:{ACCOUNT}"));
        world
    }

    #[test]
    fn true_one_finding_per_scope() {
        let mut world = world();
        world.repository("a");
        world.gap("a/one.bin");
        world.gap("a/two.bin");
        world
            .estate
            .gathered
            .gaps
            .retain(|gap| gap.source.system.0 == 1);
        world.covered("git:b").complete = false;
        let findings = world.findings("COV-01");
        let keys: Vec<&str> = findings.iter().map(|f| f.subject_key.as_str()).collect();
        assert_eq!(keys, ["scope:git:a", "scope:git:b"]);
        assert_eq!(findings[0].evidence.len(), 2);
        assert_eq!(findings[0].severity, Severity::Medium);
        assert_eq!(findings[0].route_to, "security");
    }

    #[test]
    fn true_an_account_nobody_looked_at() {
        let mut world = world();
        let (_, record) = world.record("R-1");
        record.account = Some("999900001111".to_owned());
        record.tier = Some(Tier::T0);
        let finding = world.finding("COV-01");
        assert_eq!(finding.subject_key, "scope:aws:999900001111");
        assert_eq!(finding.severity, Severity::High);
    }

    #[test]
    fn near_miss_all_seen_and_providers_out_of_scope() {
        let mut world = world();
        let (_, record) = world.record("R-1");
        record.provider = Some("salesforce".to_owned());
        record.account = Some("acme".to_owned());
        let population = world.population("COV-01");
        assert_eq!((population.passed, population.failed), (2, 0));
        assert_eq!(population.not_evaluated, []);
    }

    #[test]
    fn missing_counts() {
        let mut world = World::new();
        world.covered("git:a");
        let population = world.population("COV-01");
        assert_eq!((population.passed, population.failed), (1, 0));
        assert_eq!(population.not_evaluated, [("coverage".to_owned(), 1)]);
    }
}
