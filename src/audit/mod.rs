//! Judgement: checks over the reconciled estate, the findings they make, and the policy that
//! sets their thresholds.
//!
//! [`run`] asks every check of [`CHECKS`]; [`follow()`] says of findings of earlier runs, which
//! no check made this time, whether that proves anything; [`Exceptions`] say which findings
//! the organisation accepts for a while.
//!
//! Invariant: pure. No I/O, no clock; `now` is a value in [`CheckCx`].
//! Invariant: the estate's key never comes in here, only a function that seals with it.

use std::cmp::Ordering;

mod check;
pub mod checks;
pub mod controls;
mod draft;
mod exceptions;
mod facet;
mod feeds;
mod finding;
mod findings;
mod follow;
mod history;
mod listing;
mod party;
mod pipelines;
mod policy;
mod policy_file;
mod practice;
mod recorded;
mod route;
mod scope;
mod score;
mod settings;
mod subject;
mod verdicts;
mod words;

pub use check::{
    Check, CheckAbout, CheckCx, Grant, Input, KindAdvice, PrivilegeFact, TrustFinding,
    TrustFindingKind,
};
pub use checks::{CHECKS, find};
pub use draft::{Draft, Modifier};
pub use exceptions::{Exceptions, ExceptionsError};
pub use feeds::{feeds, page as checks_page};
pub use finding::{EntryKind, Evidence, Finding, Population, ScoreTerm, State, Subject};
pub use findings::{Findings, finding_id};
pub use follow::{Earlier, Outcome, follow};
pub use history::{History, Past, to_remember};
pub use party::{Directory, Party};
pub use policy::{Exposure, Field, Limit, Policy, Sensitivity, Sla};
pub use policy_file::{PolicyError, PolicyFile};
pub use practice::{Bulk, ControlPoints, Owners, Practice};
pub use scope::{Trail, Trails};
pub use verdicts::{Verdict, Verdicts};

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What a run of checks gives.
#[derive(Debug, Default)]
pub struct Judged {
    /// Findings: severity, then score, both falling; then check and subject.
    pub findings: Vec<Finding>,
    /// How each check's population came out, by check.
    pub population: Vec<Population>,
    /// Faults of checks: a finding without evidence, a subject judged twice. A run with any is
    /// no audit.
    pub problems: Vec<String>,
    /// Every verdict, for [`follow()`].
    pub verdicts: Verdicts,
    /// When each exposed secret was first exposed, by subject, for the ledger.
    pub exposures: BTreeMap<String, Timestamp>,
}

/// Asks every check. `seal` is HMAC-SHA-256 under the estate's key.
pub fn run(cx: &CheckCx<'_>, seal: &dyn Fn(&[u8]) -> [u8; 32]) -> Judged {
    run_some(cx, seal, CHECKS)
}

/// Asks these checks.
pub fn run_some(
    cx: &CheckCx<'_>,
    seal: &dyn Fn(&[u8]) -> [u8; 32],
    checks: &[&'static dyn Check],
) -> Judged {
    let Some(first) = checks.first() else {
        return Judged::default();
    };
    let mut out = Findings::new(cx, seal, first.about());
    for check in checks {
        out.begin(check.about());
        check.run(cx, &mut out);
    }
    let population = out.verdicts.populations();
    for counted in &population {
        if counted.evaluated != counted.passed + counted.failed {
            out.problems
                .push(format!("{}: its population does not add up", counted.check));
        }
    }
    Judged {
        findings: out.sorted(),
        population,
        problems: out.problems,
        verdicts: out.verdicts,
        exposures: out.exposures,
    }
}

/// The order of findings: severity, then score, both falling; then check and subject.
pub fn order(a: &Finding, b: &Finding) -> Ordering {
    (b.severity, b.score)
        .cmp(&(a.severity, a.score))
        .then_with(|| (a.check.id, &a.subject_key).cmp(&(b.check.id, &b.subject_key)))
}
