//! What follows from the facts of a run: the join, what principals can do, the match with the
//! register, and the verdicts of the checks. `audit` goes this road with what it has just swept,
//! `replay` with what evidence holds, so that both come to the same.
//!
//! Invariant: pure. No I/O, no clock; the same facts give the same verdicts.

mod privilege;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    audit::{self, CheckCx, Exceptions, Judged, KindAdvice, Policy, PrivilegeFact},
    estate::{self, Estate, Gathered},
    inventory::{self, Inventory, Matches, People},
};

/// What facts are held against.
pub struct Ground {
    /// Thresholds.
    pub policy: Policy,
    /// What is accepted for a while.
    pub exceptions: Option<Exceptions>,
    /// What should exist.
    pub inventory: Option<Inventory>,
    /// Who is still there.
    pub people: Option<People>,
    /// Advice by kind id.
    pub kinds: BTreeMap<String, KindAdvice>,
    /// The run's point in time.
    pub now: Timestamp,
}

/// What exists, and what it has to do with the register.
pub struct Case {
    /// What exists.
    pub estate: Estate,
    /// What each identity can do; `None` where no policies were seen.
    pub privileges: Vec<Option<PrivilegeFact>>,
    /// How it matches the register.
    pub matches: Matches,
}

impl Case {
    /// Joins what was gathered, and holds it against the register.
    pub fn new(gathered: Gathered, ground: &Ground) -> Case {
        let estate = estate::resolve(gathered);
        let privileges = privilege::privileges(&estate, ground.now);
        let matches = match &ground.inventory {
            Some(inventory) => inventory::reconcile(&estate, inventory),
            None => Matches::default(),
        };
        Case {
            estate,
            privileges,
            matches,
        }
    }

    /// What checks look at. `first_exposed` comes from the memory between runs.
    pub fn cx<'a>(
        &'a self,
        ground: &'a Ground,
        first_exposed: &'a BTreeMap<String, Timestamp>,
    ) -> CheckCx<'a> {
        CheckCx {
            estate: &self.estate,
            privileges: &self.privileges,
            inventory: ground.inventory.as_ref(),
            matches: &self.matches,
            people: ground.people.as_ref(),
            kinds: &ground.kinds,
            policy: &ground.policy,
            first_exposed,
            now: ground.now,
        }
    }
}

/// Asks every check. `seal` is HMAC-SHA-256 under the estate's key.
///
/// # Errors
/// When the checks contradict themselves: then this is no audit.
pub fn judge(cx: &CheckCx<'_>, seal: &dyn Fn(&[u8]) -> [u8; 32]) -> Result<Judged, String> {
    let judged = audit::run(cx, seal);
    match judged.problems.first() {
        None => Ok(judged),
        Some(problem) => Err(format!(
            "the checks contradict themselves, so this is no audit; please report this as a bug: {problem}"
        )),
    }
}
