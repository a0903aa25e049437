//! What follows from the facts of a run: the join, what principals can do, the match with the
//! register, and the verdicts of the checks. `audit` goes this road with what it has just swept,
//! `replay` with what evidence holds, so that both come to the same.
//!
//! Invariant: pure. No I/O, no clock; the same facts give the same verdicts.

mod privilege;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    audit::{self, CheckCx, Exceptions, History, Judged, KindAdvice, Policy, PrivilegeFact},
    context::Context,
    estate::{self, Estate, Gathered},
    inventory::{self, Catalogue, Confirmations, Inventory, Matches, People},
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
    /// What else the organisation says.
    pub context: Context,
    /// Who looks after what.
    pub catalogue: Catalogue,
    /// What people decided about pairs of credentials and records.
    pub confirmations: Confirmations,
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
    /// What a reader of the matches should know.
    pub notes: Vec<String>,
}

/// What earlier runs left.
#[derive(Default)]
pub struct Earlier {
    /// When secrets were first seen exposed.
    pub first_exposed: BTreeMap<String, Timestamp>,
    /// What they saw of credentials.
    pub history: History,
}

impl Case {
    /// Joins what was gathered, and holds it against the register.
    pub fn new(gathered: Gathered, ground: &Ground) -> Case {
        let mut estate = estate::resolve(gathered);
        let (privileges, unread) = privilege::privileges(&estate, ground.now);
        let gaps = &mut estate.gathered.gaps;
        gaps.extend(unread);
        gaps.sort();
        gaps.dedup();
        let inventory = ground.inventory.as_ref();
        let (matches, notes) = match inventory {
            Some(inventory) => {
                inventory::reconcile_confirmed(&estate, inventory, &ground.confirmations)
            }
            None => (Matches::default(), Vec::new()),
        };
        inventory::attach_claims(&mut estate, &ground.catalogue, inventory, &matches);
        Case {
            estate,
            privileges,
            matches,
            notes,
        }
    }

    /// What checks look at.
    pub fn cx<'a>(&'a self, ground: &'a Ground, earlier: &'a Earlier) -> CheckCx<'a> {
        CheckCx {
            estate: &self.estate,
            privileges: &self.privileges,
            inventory: ground.inventory.as_ref(),
            matches: &self.matches,
            people: ground.people.as_ref(),
            kinds: &ground.kinds,
            policy: &ground.policy,
            context: &ground.context,
            exceptions: ground.exceptions.as_ref(),
            history: &earlier.history,
            first_exposed: &earlier.first_exposed,
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
