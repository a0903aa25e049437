//! How checks came out, subject by subject: what populations are counted from, and what says
//! of an earlier finding whether it was looked at again.

use std::collections::BTreeMap;

use super::{Population, Subject};

/// How a check came out for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Judged, without finding.
    Passed,
    /// Judged, with finding.
    Failed,
    /// An input was missing.
    NotEvaluated,
}

/// How the subjects of one check came out: one byte for each, by kind of subject.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) credentials: Vec<u8>,
    pub(super) records: Vec<u8>,
    pub(super) identities: Vec<u8>,
    pub(super) scopes: BTreeMap<String, u8>,
    pub(super) evaluated: u64,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) missing: BTreeMap<String, u64>,
}

/// The verdicts of a run, by check and subject.
#[derive(Debug, Clone, Default)]
pub struct Verdicts(pub(super) BTreeMap<&'static str, Tally>);

impl Verdicts {
    /// How a check came out for a subject; `None` if it did not belong to its population.
    pub fn of(&self, check: &str, subject: &Subject) -> Option<Verdict> {
        let tally = self.0.get(check)?;
        let at = |all: &[u8], ix: u32| all.get(ix as usize).copied().unwrap_or(0);
        let verdict = match subject {
            Subject::Credential(ix) => at(&tally.credentials, *ix),
            Subject::Record(ix) => at(&tally.records, *ix),
            Subject::Identity(ix) => at(&tally.identities, *ix),
            Subject::Scope(name) => tally.scopes.get(name).copied().unwrap_or(0),
            Subject::Entry(kind, name) => {
                let key = Subject::entry_key(*kind, name);
                tally.scopes.get(&key).copied().unwrap_or(0)
            }
        };
        match verdict {
            1 => Some(Verdict::Passed),
            2 => Some(Verdict::Failed),
            3 => Some(Verdict::NotEvaluated),
            _ => None,
        }
    }

    /// The counts of every check that ran.
    pub(super) fn populations(&self) -> Vec<Population> {
        self.0
            .iter()
            .map(|(check, tally)| Population {
                check: (*check).to_owned(),
                evaluated: tally.evaluated,
                passed: tally.passed,
                failed: tally.failed,
                not_evaluated: tally.missing.clone().into_iter().collect(),
            })
            .collect()
    }
}
