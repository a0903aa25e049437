//! From what a run knows to its document. Nothing is judged here: what the audit decided is
//! written down, and what sources say is put beside it.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use keymuster_api::Source;

use super::{
    ChangesEntry, CheckEntry, CoverageEntry, Document, EvidenceEntry, FindingEntry, GapEntry,
    PopulationEntry, Reconciliation, Run, SCHEMA, ScoreEntry, Timings, Tool, Unevaluated,
    credentials::credentials,
};
use crate::{
    audit::{CheckAbout, Finding, KindAdvice, Population, Subject},
    estate::Estate,
    inventory::{Inventory, Matches},
    ledger::Changes,
};

/// What is told of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// The ledger's id of the run.
    pub id: String,
    /// The estate's configured name.
    pub estate: String,
    /// The run's point in time.
    pub now: Timestamp,
    /// The id of the estate's key; `None` for a key of this run alone.
    pub key_id: Option<String>,
    /// Whether finding ids hold for this run only.
    pub ephemeral: bool,
    /// keymuster's version.
    pub tool_version: String,
    /// Further facts by name: `preset`, `fail-on`, `allow-gaps`. Never the command line.
    pub facts: BTreeMap<String, String>,
}

/// What a document is built from.
#[derive(Clone, Copy)]
pub struct DocumentInput<'a> {
    /// The run.
    pub run: &'a RunFacts,
    /// What exists; its coverage and gaps are those of the document.
    pub estate: &'a Estate,
    /// What should exist.
    pub inventory: Option<&'a Inventory>,
    /// How the two match.
    pub matches: &'a Matches,
    /// What the checks found, in any order.
    pub findings: &'a [Finding],
    /// How the checks' populations came out.
    pub populations: &'a [Population],
    /// Titles of kinds.
    pub kinds: &'a BTreeMap<String, KindAdvice>,
    /// When and how long.
    pub timings: &'a Timings,
}

impl Document {
    /// Writes down what a run knows. The same input makes the same document.
    pub fn build(input: &DocumentInput<'_>) -> Document {
        let run = input.run;
        let mut findings: Vec<&Finding> = input.findings.iter().collect();
        findings.sort_by_key(|finding| {
            (
                Reverse((finding.severity, finding.score)),
                finding.check.id,
                &finding.subject_key,
                &finding.id,
            )
        });
        let checks: BTreeMap<&str, &CheckAbout> = findings
            .iter()
            .map(|finding| (finding.check.id, finding.check))
            .collect();
        let gathered = &input.estate.gathered;
        Document {
            schema: SCHEMA,
            tool: Tool {
                name: "keymuster".to_owned(),
                version: run.tool_version.clone(),
            },
            run: Run {
                id: run.id.clone(),
                estate: run.estate.clone(),
                now: run.now.to_string(),
                key_id: run.key_id.clone(),
                ephemeral: run.ephemeral,
                facts: run.facts.clone(),
            },
            coverage: gathered
                .coverage
                .iter()
                .map(|coverage| CoverageEntry {
                    scope: coverage.scope.clone(),
                    what: coverage.what.clone(),
                    expected: coverage.expected,
                    received: coverage.received,
                    bytes: coverage.bytes,
                    complete: coverage.complete,
                    source: source(input.estate, &coverage.source),
                })
                .collect(),
            gaps: gathered
                .gaps
                .iter()
                .map(|gap| GapEntry {
                    kind: gap.kind.as_str().to_owned(),
                    subject: gap.subject.clone(),
                    reason: gap.reason.clone(),
                    source: source(input.estate, &gap.source),
                })
                .collect(),
            population: input.populations.iter().map(population).collect(),
            reconciliation: input
                .inventory
                .map(|inventory| reconciliation(input, inventory)),
            credentials: credentials(input),
            findings: findings
                .into_iter()
                .map(|one| FindingEntry {
                    consumers: match one.subject {
                        Subject::Credential(ix) => Some(input.estate.usage.count(ix) as u64),
                        _ => None,
                    },
                    ..FindingEntry::of(one)
                })
                .collect(),
            checks: checks.into_values().map(CheckEntry::of).collect(),
            changes: None,
            trend: Vec::new(),
            timings: input.timings.clone(),
        }
    }
}

impl ChangesEntry {
    /// What the ledger told of a run.
    pub fn new(changes: &Changes, since: Option<String>) -> ChangesEntry {
        ChangesEntry {
            since,
            new: changes.new.clone(),
            fixed: changes.fixed.clone(),
            regressed: changes.regressed.clone(),
            worsened: changes.worsened.clone(),
            not_evaluated: changes.not_evaluated.clone(),
        }
    }
}

/// `aws-iam: exports/report.csv:7`.
pub(super) fn source(estate: &Estate, source: &Source) -> String {
    match estate.gathered.systems.get(source.system.0 as usize) {
        Some(about) => format!("{}: {}", about.kind, source.locator),
        None => source.locator.clone(),
    }
}

fn population(population: &Population) -> PopulationEntry {
    let missing: u64 = population
        .not_evaluated
        .iter()
        .map(|(_, count)| count)
        .sum();
    PopulationEntry {
        check: population.check.clone(),
        total: population.evaluated + missing,
        evaluated: population.evaluated,
        passed: population.passed,
        failed: population.failed,
        not_evaluated: population
            .not_evaluated
            .iter()
            .map(|(input, count)| Unevaluated {
                input: input.clone(),
                count: *count,
            })
            .collect(),
    }
}

fn reconciliation(input: &DocumentInput<'_>, inventory: &Inventory) -> Reconciliation {
    let matches = input.matches;
    let all = input.estate.credentials.len() as u64;
    let registered = matches.accepted.iter().flatten().count() as u64;
    let to_confirm = matches
        .to_confirm
        .iter()
        .filter(|list| !list.is_empty())
        .count() as u64;
    let records = inventory.records.len() as u64;
    let matched = matches
        .of_record
        .iter()
        .filter(|list| !list.is_empty())
        .count() as u64;
    Reconciliation {
        credentials: all,
        registered,
        to_confirm,
        unregistered: all.saturating_sub(registered + to_confirm),
        records,
        records_matched: matched,
        records_unmatched: records.saturating_sub(matched),
    }
}

impl CheckEntry {
    fn of(check: &CheckAbout) -> CheckEntry {
        CheckEntry {
            id: check.id.to_owned(),
            slug: check.slug.to_owned(),
            title: check.title.to_owned(),
            why: check.why.to_owned(),
            decided: check.decided.to_owned(),
            remedy: check.remedy.to_owned(),
        }
    }
}

impl Document {
    /// Adds the words of a check, once.
    pub(crate) fn add_check(&mut self, check: &CheckAbout) {
        if !self.checks.iter().any(|known| known.id == check.id) {
            self.checks.push(CheckEntry::of(check));
        }
    }
}

impl FindingEntry {
    /// A finding, written down.
    pub fn of(finding: &Finding) -> FindingEntry {
        written(finding)
    }
}

fn written(finding: &Finding) -> FindingEntry {
    FindingEntry {
        finding_id: finding.id.clone(),
        check: finding.check.id.to_owned(),
        title: finding.title.clone(),
        severity: finding.severity.as_str().to_owned(),
        score: finding.score,
        state: finding.state.as_str().to_owned(),
        first_seen: finding.first_seen.to_string(),
        last_seen: finding.last_seen.to_string(),
        due: finding.due.map(|due| due.to_string()),
        sla_breached: finding.sla_breached,
        credential_type: filled(&finding.credential_type),
        credential: filled(&finding.credential),
        provider: filled(&finding.provider),
        account: filled(&finding.account),
        environment: filled(&finding.environment),
        locations: finding.locations.clone(),
        owner: filled(&finding.owner),
        owner_source: filled(&finding.owner_source),
        route_to: filled(&finding.route_to),
        approver: filled(&finding.approver),
        purpose: filled(&finding.purpose),
        expires: filled(&finding.expires),
        revocation_path: filled(&finding.revocation_path),
        record_id: filled(&finding.record_id),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| EvidenceEntry {
                label: evidence.label.clone(),
                value: evidence.value.clone(),
                source: evidence.source.clone(),
            })
            .collect(),
        remediation: finding.remediation.clone(),
        frameworks: finding.frameworks.clone(),
        slug: finding.check.slug.to_owned(),
        subject_kind: match finding.subject {
            Subject::Credential(_) => "credential",
            Subject::Record(_) => "record",
            Subject::Identity(_) => "identity",
            Subject::Scope(_) => "scope",
            Subject::Entry(..) => "entry",
        }
        .to_owned(),
        subject: finding.subject_key.clone(),
        route_reason: filled(&finding.route_reason),
        consumers: None,
        score_terms: finding
            .score_terms
            .iter()
            .map(|term| ScoreEntry {
                name: term.name.to_owned(),
                points: term.points,
            })
            .collect(),
    }
}

/// In findings an absent text is empty; in documents it is `null`.
pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
