//! What service accounts, users and groups of a Kubernetes cluster can really do.
//!
//! RBAC only grants, so rights are a union; the traps are in *where* they are granted. A
//! RoleBinding grants within its namespace, whatever kind of role it gives, and nothing that
//! belongs to no namespace. Who may `bind` or `escalate` is bound by no role it has.
//! (kubernetes.io/docs/reference/access-authn-authz/rbac)
//!
//! Modules in reading order: [`rule`] matches a right with the rules of roles, [`scope`] knows
//! what belongs to no namespace, [`catalogue`] the ways further, [`cluster`] brings together what
//! binds whom, [`ways`] tries each way and draws the steps.

mod catalogue;
mod cluster;
mod rule;
mod scope;
mod ways;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{IdentityKind, Key};

use super::{
    AccessFacts, GrantedAction, Problem, TrustFact, TrustKind,
    reach::Graph,
    standing::{Ineffective, Standing, Standings},
};
use cluster::{Cluster, Held, Place};

/// A group that the API server lets do everything, whatever RBAC says.
const MASTERS: &str = "system:masters";
/// Whoever asks without a credential, or with any.
const EVERYBODY: &[&str] = &[
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
];
/// Roles that the API server itself gives to everybody.
const DISCOVERY: &[&str] = &[
    "system:basic-user",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
];

/// Whether a key is one of Kubernetes.
pub(super) fn is_ours(key: &Key) -> bool {
    key.0.starts_with("kubernetes:")
}

/// Adds the standings of every principal of every cluster, and the steps between them.
pub(super) fn assess(
    facts: &AccessFacts<'_>,
    standings: &mut Standings,
    graph: &mut Graph,
    problems: &mut Vec<Problem>,
) {
    let mut clusters: BTreeMap<&str, Cluster<'_>> = BTreeMap::new();
    for policy in facts.policies.iter().filter(|policy| is_ours(&policy.key)) {
        let name = cluster::name_of(&policy.key.0);
        let cluster = clusters.entry(name).or_insert_with(|| Cluster::new(name));
        if let Err(message) = cluster.policy(policy) {
            problems.push(Problem {
                policy: policy.key.clone(),
                message,
                unread: true,
            });
        }
    }
    for (name, cluster) in &mut clusters {
        for identity in facts.identities {
            if identity.provider == "kubernetes" && identity.account.as_deref() == Some(name) {
                cluster.principal(identity);
            }
        }
        for reference in facts.references.iter().filter(|one| is_ours(&one.by)) {
            cluster.reference(reference);
        }
        for credential in facts.credentials {
            cluster.credential(credential);
        }
        ways::draw(cluster, standings, graph);
    }
}

/// What a principal's bindings say by themselves, without any way further.
fn plain(cluster: &Cluster<'_>, key: &Key, kind: IdentityKind, held: &[Held<'_>]) -> Standing {
    let mut standing = Standing::default();
    let name = key.0.rsplit('/').next().unwrap_or_default();
    if kind == IdentityKind::Group && name == MASTERS {
        standing.admin = Some("the API server lets system:masters do everything".to_owned());
    }
    for one in held {
        if one.rules.iter().any(|rule| rule.is_everything()) {
            match one.place {
                Place::Cluster => {
                    standing.admin.get_or_insert_with(|| one.because("*:*"));
                }
                Place::Space(space) => {
                    let part = format!("namespace {space}");
                    if !standing.parts.iter().any(|(known, _)| *known == part) {
                        standing.parts.push((part, one.because("*:*")));
                    }
                }
                Place::EverySpace => {}
            }
        }
    }
    if standing.admin.is_some() {
        standing.parts.clear();
    }
    standing.ineffective = ineffective(key, held);
    standing.grants = grants(held);
    if EVERYBODY.contains(&name) {
        standing.trusts = public(cluster, key, name, held);
    }
    standing
}

/// What a RoleBinding grants of things that are in no namespace.
fn ineffective(key: &Key, held: &[Held<'_>]) -> Vec<Ineffective> {
    let mut all = Vec::new();
    for one in held {
        let Place::Space(space) = one.place else {
            continue;
        };
        if one.via.is_some() || !one.subjects.contains(key) {
            continue;
        }
        let mut resources: Vec<String> = Vec::new();
        for rule in one.rules {
            for name in rule.without_namespace() {
                if !resources.contains(&name) {
                    resources.push(name);
                }
            }
        }
        if !resources.is_empty() {
            all.push(Ineffective {
                binding: one.binding_name.to_owned(),
                resources,
                why: format!(
                    "they are in no namespace, and a RoleBinding grants only what is in {space}"
                ),
            });
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Each right as `resource[.group][/subresource]:verb`.
fn grants(held: &[Held<'_>]) -> Vec<GrantedAction> {
    let mut all: BTreeSet<GrantedAction> = BTreeSet::new();
    for one in held {
        for action in one.rules.iter().flat_map(|rule| rule.actions()) {
            all.insert(GrantedAction {
                action,
                policy: one.binding.clone(),
                via: one.via.cloned(),
            });
        }
    }
    all.into_iter().collect()
}

/// Roles that everybody has, beyond those that tell how to talk to the cluster.
fn public(cluster: &Cluster<'_>, key: &Key, who: &str, held: &[Held<'_>]) -> Vec<TrustFact> {
    let odd = held.iter().filter(|one| {
        let role = one.role.0.rsplit('/').next().unwrap_or_default();
        !DISCOVERY.contains(&role) && one.subjects.contains(key)
    });
    odd.map(|one| TrustFact {
        role: key.clone(),
        kind: TrustKind::Public,
        who: who.to_owned(),
        why: format!("{} in {}", one.because("its rights"), cluster.name),
        statement: 0,
    })
    .collect()
}
