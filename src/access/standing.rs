//! What a principal of a system with grants (Kubernetes, Google Cloud, Entra) can really do.
//!
//! These systems have no documents to evaluate as AWS has, but roles, and places where they are
//! given. What follows from that is told in one shape, so that reports and checks need not know the
//! system.

use std::collections::BTreeMap;

use keymuster_api::Key;

use super::{GrantedAction, TrustFact};

/// What a principal can do beyond its own task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// It can do everything in its cluster, organisation, project or tenant: the grant.
    pub admin: Option<String>,
    /// It can under a condition: the grant and the condition.
    pub admin_if: Option<String>,
    /// Parts in which it can do everything (`namespace payments`), each with the grant.
    pub parts: Vec<(String, String)>,
    /// Rights that lead further, by way and name.
    pub abilities: Vec<Ability>,
    /// Grants without effect.
    pub ineffective: Vec<Ineffective>,
    /// Who may become it that should not.
    pub trusts: Vec<TrustFact>,
    /// Everything that its roles grant.
    pub grants: Vec<GrantedAction>,
    /// The steps to an administrator, of whatever system, if there are certain ones.
    pub reaches: Option<Vec<Step>>,
    /// The steps where a condition stands before one of them.
    pub reaches_if: Option<Vec<Step>>,
}

/// A right that leads further.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ability {
    /// The way's id: `k8s-pods-exec`.
    pub way: &'static str,
    /// The right: `pods.exec`.
    pub right: String,
    /// Where: `cluster`, or a namespace; a project, folder or organisation; a tenant or scope.
    pub scope: String,
    /// What it is, in words.
    pub title: String,
    /// What it depends on.
    pub condition: Option<String>,
    /// Whose rights it gives, some of them.
    pub targets: Vec<Key>,
    /// The grant.
    pub because: String,
}

/// A grant that grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ineffective {
    /// The binding's name.
    pub binding: String,
    /// What it seems to grant.
    pub resources: Vec<String>,
    /// Why it does not.
    pub why: String,
}

/// One step on the way to an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who takes it.
    pub from: Key,
    /// By what.
    pub way: String,
    /// Whose rights it gives; `None` where it gives every right by itself.
    pub to: Option<Key>,
    /// What it depends on.
    pub condition: Option<String>,
}

/// Every principal of these systems.
pub type Standings = BTreeMap<Key, Standing>;

/// Steps in words: `k8s-pods-exec to …, then …`.
pub fn steps_in_words(steps: &[Step]) -> String {
    let words = |step: &Step| match (&step.to, &step.condition) {
        (Some(to), None) => format!("{} to {}", step.way, to.0),
        (Some(to), Some(condition)) => format!("{} to {} (if {condition})", step.way, to.0),
        (None, None) => step.way.clone(),
        (None, Some(condition)) => format!("{} (if {condition})", step.way),
    };
    steps.iter().map(words).collect::<Vec<_>>().join(", then ")
}
