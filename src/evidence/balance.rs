//! The population proof: what a run says of itself must add up, counted once more from what it
//! lists.

use std::collections::BTreeMap;

use crate::report::Document;

/// What does not add up; empty where all does.
pub fn balance(doc: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    for one in &doc.coverage {
        let all = one.expected.is_none_or(|expected| one.received >= expected);
        say(
            all || !one.complete,
            format!(
                "{}: {} of {} {} were received, and it is called complete",
                one.scope,
                one.received,
                one.expected.unwrap_or_default(),
                one.what
            ),
        );
    }
    if let Some(sum) = &doc.reconciliation {
        let matched = doc
            .credentials
            .iter()
            .filter(|one| one.matched.is_some())
            .count() as u64;
        let listed = doc.credentials.len() as u64;
        say(
            sum.credentials == listed,
            format!(
                "{} credentials were discovered, {listed} are listed",
                sum.credentials
            ),
        );
        say(
            sum.registered == matched,
            format!(
                "{} credentials are registered, {matched} have a record",
                sum.registered
            ),
        );
        say(
            sum.registered + sum.to_confirm + sum.unregistered == sum.credentials,
            "registered, to confirm and unregistered are not all credentials".to_owned(),
        );
        say(
            sum.records_matched + sum.records_unmatched == sum.records,
            "matched and unmatched records are not all records".to_owned(),
        );
    }
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &doc.findings {
        if !matches!(&*finding.state, "fixed" | "not_evaluated" | "superseded") {
            *found.entry(&finding.check).or_default() += 1;
        }
    }
    for one in &doc.population {
        let missing: u64 = one.not_evaluated.iter().map(|part| part.count).sum();
        let findings = found.remove(&*one.check).unwrap_or_default();
        say(
            one.total == one.evaluated + missing && one.evaluated == one.passed + one.failed,
            format!("{}: its population does not add up", one.check),
        );
        // Rows that go by one id make one finding.
        say(
            findings <= one.failed && (findings > 0) == (one.failed > 0),
            format!(
                "{}: {} subjects failed, {findings} findings are told",
                one.check, one.failed
            ),
        );
    }
    for (check, findings) in found {
        say(
            false,
            format!("{check}: {findings} findings of a check without population"),
        );
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::balance;
    use crate::report::{CoverageEntry, Document, FindingEntry, PopulationEntry, Reconciliation};

    #[test]
    fn each_sum_is_looked_at() {
        assert_eq!(balance(&Document::default()), [""; 0]);
        let wrong = |change: &dyn Fn(&mut Document)| {
            let mut doc = Document::default();
            change(&mut doc);
            balance(&doc).len()
        };
        let coverage = |complete| CoverageEntry {
            expected: Some(3),
            received: 2,
            complete,
            ..CoverageEntry::default()
        };
        assert_eq!(wrong(&|doc| doc.coverage.push(coverage(true))), 1);
        assert_eq!(wrong(&|doc| doc.coverage.push(coverage(false))), 0);
        let sums = |registered, records_matched| Reconciliation {
            credentials: 0,
            registered,
            records: 1,
            records_matched,
            records_unmatched: 1,
            ..Reconciliation::default()
        };
        assert_eq!(wrong(&|doc| doc.reconciliation = Some(sums(0, 0))), 0);
        assert_eq!(wrong(&|doc| doc.reconciliation = Some(sums(1, 0))), 2);
        assert_eq!(wrong(&|doc| doc.reconciliation = Some(sums(0, 1))), 1);
        let population = |failed| PopulationEntry {
            check: "LIF-06".to_owned(),
            total: 1,
            evaluated: 1,
            passed: 1 - failed,
            failed,
            ..PopulationEntry::default()
        };
        let finding = || FindingEntry {
            check: "LIF-06".to_owned(),
            state: "open".to_owned(),
            ..FindingEntry::default()
        };
        assert_eq!(wrong(&|doc| doc.population.push(population(0))), 0);
        assert_eq!(wrong(&|doc| doc.population.push(population(1))), 1);
        assert_eq!(wrong(&|doc| doc.findings.push(finding())), 1);
        assert_eq!(
            wrong(&|doc| {
                doc.population.push(population(1));
                doc.findings.push(finding());
            }),
            0
        );
    }
}
