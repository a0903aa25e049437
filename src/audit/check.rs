//! Seam 3: what a check is, and what it may look at.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Exceptions, History};
use crate::{
    context::Context,
    estate::Estate,
    inventory::{Inventory, Matches, People},
};

/// What a check needs. Missing for a subject: not evaluated, never passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// An inventory was given.
    Inventory,
    /// Discovered credentials and principals.
    Discovered,
    /// Places: repositories, CI, vaults.
    Locations,
    /// Usage telemetry.
    Usage,
    /// Permissions.
    Permissions,
    /// A people directory was given.
    People,
    /// Catalogue.
    Catalogue,
    /// Earlier runs.
    History,
    /// Connector coverage.
    Coverage,
    /// A feed of lifecycle events was given.
    Events,
    /// A list of vendors was given.
    Vendors,
    /// A list of approvers was given.
    Approvers,
    /// A catalogue of scopes was given.
    Scopes,
    /// An export of tickets was given.
    Tickets,
    /// A file of exceptions was given.
    Exceptions,
}

impl Input {
    /// The word used in populations.
    pub fn as_str(self) -> &'static str {
        match self {
            Input::Inventory => "inventory",
            Input::Discovered => "discovered",
            Input::Locations => "locations",
            Input::Usage => "usage",
            Input::Permissions => "permissions",
            Input::People => "people",
            Input::Catalogue => "catalogue",
            Input::History => "history",
            Input::Coverage => "coverage",
            Input::Events => "events",
            Input::Vendors => "vendors",
            Input::Approvers => "approvers",
            Input::Scopes => "scopes",
            Input::Tickets => "tickets",
            Input::Exceptions => "exceptions",
        }
    }
}

/// What a check is; the same words serve `explain`, reports and SARIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckAbout {
    /// `LIF-06`.
    pub id: &'static str,
    /// `dormant`; the file's name, with `_` for `-`.
    pub slug: &'static str,
    /// `Dormant or never used`.
    pub title: &'static str,
    /// Why it matters, one or two sentences.
    pub why: &'static str,
    /// How it is decided.
    pub decided: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// What it needs.
    pub needs: &'static [Input],
}

/// What a principal can really do, as far as checks need it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrivilegeFact {
    /// It is an administrator: policy, statement, matched text.
    pub admin: Option<String>,
    /// It would be one under a condition: the condition.
    pub conditional_admin: Option<String>,
    /// Services it may administer wholly on every resource, each with its evidence.
    pub wildcards: Vec<(String, String)>,
    /// It is no administrator, but gets there: the steps.
    pub reaches_admin: Option<String>,
    /// It gets there under a condition: the steps and the condition.
    pub reaches_admin_if: Option<String>,
    /// What is odd about who may become it.
    pub trusts: Vec<TrustFinding>,
    /// What its policies grant.
    pub grants: Vec<Grant>,
}

/// An action that a policy grants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// As written: `s3:Get*`.
    pub action: String,
    /// The policy, and the group it comes through.
    pub policy: String,
}

/// What is odd about one entry of a trust policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustFindingKind {
    /// Everybody may become it.
    Public,
    /// Another account may.
    CrossAccount,
    /// A principal that was deleted.
    Deleted,
    /// Tokens that many can get.
    BroadOidc,
    /// Everybody but some.
    AllBut,
}

/// One odd entry of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustFinding {
    /// What it is.
    pub kind: TrustFindingKind,
    /// Who is trusted, as written.
    pub who: String,
    /// Why it is odd, or what narrows it.
    pub why: String,
}

/// What the catalogue of kinds says to the holder of such a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindAdvice {
    /// The kind's title.
    pub title: String,
    /// `person`, `service`, `app`, `machine`, `none`.
    pub class: String,
    /// How it is revoked.
    pub revoke: String,
    /// How it is rotated.
    pub rotate: String,
    /// `public`, `internal`, `confidential`, `regulated`.
    pub sensitivity: String,
    /// Usual longest lifetime in days, where the vendor sets one.
    pub lifetime_max_days: Option<u32>,
    /// Whether each of its credentials has a public identifier.
    pub has_handle: bool,
}

/// Everything a check may look at.
pub struct CheckCx<'a> {
    /// What exists.
    pub estate: &'a Estate,
    /// For each identity (by index) what it can really do; `None` where no policies were seen.
    pub privileges: &'a [Option<PrivilegeFact>],
    /// What should exist; `None` if no inventory was configured.
    pub inventory: Option<&'a Inventory>,
    /// How the two match (empty without inventory).
    pub matches: &'a Matches,
    /// Who is still there; `None` if no directory was configured.
    pub people: Option<&'a People>,
    /// Advice by kind id.
    pub kinds: &'a BTreeMap<String, KindAdvice>,
    /// Thresholds.
    pub policy: &'a super::Policy,
    /// What the organisation says besides its register.
    pub context: &'a Context,
    /// What the organisation accepts for a while; `None` if no such file was configured.
    pub exceptions: Option<&'a Exceptions>,
    /// What earlier runs saw, by subject.
    pub history: &'a History,
    /// When each secret was first seen exposed, by subject, from earlier runs.
    pub first_exposed: &'a BTreeMap<String, Timestamp>,
    /// The run's point in time.
    pub now: Timestamp,
}

/// One check: a pure function from what is known to findings.
pub trait Check: Sync {
    /// What it is.
    fn about(&self) -> &'static CheckAbout;
    /// Judges every subject of its population: found, passed, or not evaluated.
    fn run(&self, cx: &CheckCx<'_>, out: &mut super::Findings<'_>);
}
