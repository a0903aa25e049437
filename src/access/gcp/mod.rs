//! What service accounts, users and workloads can really do on Google Cloud.
//!
//! Policies only add up (deny policies are not read): a role at a place holds there and below. Who
//! may make tokens of a service account, or have something run as it, has its rights.
//! (cloud.google.com/iam/docs/resource-hierarchy-access-control)
//!
//! Modules in reading order: `catalogue` knows predefined roles and the ways further, [`places`]
//! what is below what, [`federation`] who is let in from outside, [`ways`] tries each way.

mod catalogue;
mod condition;
mod federation;
mod places;
mod ways;

#[cfg(test)]
mod tests;

use keymuster_api::{Key, Timestamp};
use serde::Deserialize;

use super::{AccessFacts, Problem, reach::Graph, standing::Standings};

/// Whether a key is one of Google's, other than a service account, which is its mail.
fn is_ours(key: &Key) -> bool {
    key.0.starts_with("gcp:")
}

/// One binding of a policy.
#[derive(Debug, Clone, Deserialize)]
struct Binding {
    role: String,
    members: Vec<String>,
    condition: Option<String>,
}

/// A policy at a place.
#[derive(Debug, Deserialize)]
struct PolicyText {
    place: String,
    bindings: Vec<Binding>,
}

/// The permissions of a role.
#[derive(Debug, Deserialize)]
struct RoleText {
    permissions: Vec<String>,
}

/// Adds the standings of every principal, and the steps between them.
pub(super) fn assess(
    facts: &AccessFacts<'_>,
    standings: &mut Standings,
    graph: &mut Graph,
    problems: &mut Vec<Problem>,
) {
    let mut ground = ways::Ground::new(facts);
    for policy in facts.policies.iter().filter(|policy| is_ours(&policy.key)) {
        if let Err(error) = ground.policy(policy, facts.now) {
            problems.push(Problem {
                policy: policy.key.clone(),
                message: format!("no policy of Google Cloud: {error}"),
                unread: true,
            });
        }
    }
    for trust in facts.trusts.iter().filter(|trust| is_ours(&trust.identity)) {
        if let Err(error) = ground.federation.provider(trust) {
            problems.push(Problem {
                policy: trust.identity.clone(),
                message: format!("no provider of a pool: {error}"),
                unread: true,
            });
        }
    }
    if ground.has_policies() {
        ways::draw(&ground, standings, graph);
    }
}

/// Whether a binding's condition has run out, is met for now, or is not known.
fn holds(condition: Option<&str>, now: Option<Timestamp>) -> condition::Holds {
    match condition {
        None => condition::Holds::Yes,
        Some(text) => condition::holds(text, now),
    }
}
