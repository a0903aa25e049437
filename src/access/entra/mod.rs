//! What applications, users and groups can really do in a tenant of Microsoft Entra, and on Azure.
//!
//! Rights are single grants: permissions that an application has by itself, roles in the directory,
//! roles at a scope of Azure. Who may give an application a secret has what it has: its owners, and
//! whoever administers applications. (learn.microsoft.com/entra/identity/role-based-access-control)

mod catalogue;
mod federation;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use keymuster_api::{Identity, IdentityKind, Key, Policy};
use serde::Deserialize;

use super::{
    AccessFacts, GrantedAction, Problem,
    reach::{Graph, Node},
    standing::{Ability, Standing, Standings},
};
use catalogue::{Gain, catalogue};

/// So many applications that a right gives are named.
const NAMED: usize = 3;

/// A grant, as the connector writes it.
#[derive(Debug, Deserialize)]
struct GrantText {
    kind: String,
    role: String,
    name: Option<String>,
    scope: String,
    everybody: bool,
    permissions: Vec<String>,
    eligible: bool,
    condition: Option<String>,
}

/// What a role of Azure may do.
#[derive(Debug, Deserialize)]
struct RoleText {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

impl RoleText {
    fn allows(&self, action: &str) -> bool {
        let hits = |list: &[String]| list.iter().any(|one| super::covers(one, action));
        hits(&self.actions) && !hits(&self.not_actions)
    }
}

/// A grant with the policy it was told by.
struct Grant<'a> {
    policy: &'a Key,
    text: GrantText,
}

impl Grant<'_> {
    fn named(&self) -> &str {
        self.text.name.as_deref().unwrap_or(&self.text.role)
    }

    fn because(&self) -> String {
        let scope = match self.text.scope.as_str() {
            "/" => "the whole of it",
            scope => scope,
        };
        format!("{} on {scope}", self.named())
    }

    /// What stands between the grant and its use.
    fn condition(&self) -> Option<String> {
        match (&self.text.condition, self.text.eligible) {
            (Some(condition), _) => Some(condition.clone()),
            (None, true) => Some("the role is activated".to_owned()),
            (None, false) => None,
        }
    }
}

fn is_ours(key: &Key) -> bool {
    key.0.starts_with("entra:") || key.0.starts_with("azure:")
}

/// Adds the standings of every principal, and the steps between them.
pub(super) fn assess(
    facts: &AccessFacts<'_>,
    standings: &mut Standings,
    graph: &mut Graph,
    problems: &mut Vec<Problem>,
) {
    let mut grants: BTreeMap<&Key, Vec<Grant<'_>>> = BTreeMap::new();
    let mut roles: BTreeMap<&str, RoleText> = BTreeMap::new();
    for policy in facts.policies.iter().filter(|policy| is_ours(&policy.key)) {
        if let Err(error) = take(policy, &mut grants, &mut roles) {
            problems.push(Problem {
                policy: policy.key.clone(),
                message: format!("no grant of Entra: {error}"),
                unread: true,
            });
        }
    }
    if grants.is_empty() {
        return;
    }
    let identities: Vec<&Identity> = facts
        .identities
        .iter()
        .filter(|one| one.provider == "entra")
        .collect();
    for identity in &identities {
        if identity.kind == IdentityKind::App {
            graph.member(&apps(identity), Node::One(identity.key.clone()));
        }
    }
    let mut owned: BTreeMap<&Key, Vec<&Key>> = BTreeMap::new();
    for membership in facts.memberships.iter().filter(|one| is_ours(&one.group)) {
        owned
            .entry(&membership.member)
            .or_default()
            .push(&membership.group);
    }
    let mut trusts: BTreeMap<&Key, Vec<super::TrustFact>> = BTreeMap::new();
    for trust in facts.trusts.iter().filter(|trust| is_ours(&trust.identity)) {
        match federation::judge(trust) {
            Ok(odd) => trusts.entry(&trust.identity).or_default().extend(odd),
            Err(error) => problems.push(Problem {
                policy: trust.identity.clone(),
                message: format!("no federated credential: {error}"),
                unread: true,
            }),
        }
    }
    for identity in identities {
        let own = grants.get(&identity.key).map_or(&[][..], Vec::as_slice);
        let owns = owned.get(&identity.key).map_or(&[][..], Vec::as_slice);
        let mut standing = judge(identity, own, owns, &roles, graph);
        standing.trusts = trusts.remove(&identity.key).unwrap_or_default();
        if standing.admin.is_some() {
            graph.admin(&identity.key, Vec::new());
        }
        standings.insert(identity.key.clone(), standing);
    }
}

fn take<'a>(
    policy: &'a Policy,
    grants: &mut BTreeMap<&'a Key, Vec<Grant<'a>>>,
    roles: &mut BTreeMap<&'a str, RoleText>,
) -> Result<(), serde_json::Error> {
    if let Some(role) = policy.key.0.strip_prefix("azure:role:") {
        roles.insert(role, serde_json::from_str(&policy.document)?);
        return Ok(());
    }
    for tie in &policy.attached {
        let text: GrantText = serde_json::from_str(&policy.document)?;
        let grant = Grant {
            policy: &policy.key,
            text,
        };
        grants.entry(&tie.to).or_default().push(grant);
    }
    Ok(())
}

/// All applications of a tenant.
fn apps(identity: &Identity) -> String {
    let tenant = identity.account.as_deref().unwrap_or_default();
    format!("entra:applications of {tenant}")
}

/// Whether a scope of Azure is a subscription, or above one.
fn is_wide(scope: &str) -> bool {
    let scope = scope.trim_matches('/').to_lowercase();
    scope.is_empty()
        || scope.starts_with("providers/microsoft.management/managementgroups/")
        || (scope.starts_with("subscriptions/") && scope.matches('/').count() == 1)
}

fn judge(
    identity: &Identity,
    grants: &[Grant<'_>],
    owns: &[&Key],
    roles: &BTreeMap<&str, RoleText>,
    graph: &mut Graph,
) -> Standing {
    let mut standing = Standing::default();
    let me = Node::One(identity.key.clone());
    for grant in grants {
        add_grants(grant, &mut standing);
        let known = catalogue().get(&grant.text.kind, &grant.text.role);
        let custom = roles.get(grant.text.role.as_str());
        let condition = grant.condition();
        let (way, gain, title): (&'static str, Gain, &str) = match (known, custom) {
            (Some(known), _) => (&known.id, known.gain, &known.name),
            (None, Some(role)) if role.allows("Microsoft.Authorization/roleAssignments/write") => (
                "azure-role-assignments-write",
                Gain::Everything,
                "it gives itself every role at the scope",
            ),
            (None, Some(role))
                if role
                    .allows("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action") =>
            {
                (
                    "azure-assign-identities",
                    Gain::Identities,
                    "it has what it makes run as managed identities",
                )
            }
            _ => continue,
        };
        let is_azure = grant.text.kind == "azure-role";
        if is_whole(grant) && (!is_azure || is_wide(&grant.text.scope)) {
            match &condition {
                None => standing.admin = standing.admin.or_else(|| Some(grant.because())),
                Some(condition) => {
                    standing.admin_if = standing
                        .admin_if
                        .or_else(|| Some(format!("{} if {condition}", grant.because())));
                }
            }
        }
        if way == "rbac-contributor" && is_wide(&grant.text.scope) && condition.is_none() {
            standing
                .parts
                .push((grant.text.scope.clone(), grant.because()));
        }
        let steps = "further steps that depend on the tenant";
        let (node, extra) = match gain {
            // At a single resource it is every right to that.
            Gain::Everything if is_azure && !is_wide(&grant.text.scope) => (None, None),
            Gain::Everything => (Some(Node::Everything), None),
            Gain::Apps => (Some(Node::Pool(apps(identity))), None),
            Gain::Owned => (None, None),
            Gain::Identities => (
                Some(Node::Pool(apps(identity))),
                Some("one of them is a managed identity there"),
            ),
            Gain::Steps => (Some(Node::Everything), Some(steps)),
        };
        let conditions: Vec<&str> = condition.as_deref().into_iter().chain(extra).collect();
        let condition = (!conditions.is_empty()).then(|| conditions.join(", "));
        let targets = node
            .as_ref()
            .map_or_else(Vec::new, |node| graph.members(node, NAMED));
        if let Some(node) = node {
            graph.step(me.clone(), way, node, condition.as_deref());
        }
        standing.abilities.push(Ability {
            way,
            right: grant.named().to_owned(),
            scope: grant.text.scope.clone(),
            title: title.to_owned(),
            condition,
            targets,
            because: grant.because(),
        });
    }
    for app in owns {
        graph.step(me.clone(), "entra-owner", Node::One((*app).clone()), None);
        standing.abilities.push(Ability {
            way: "entra-owner",
            right: "owner".to_owned(),
            scope: app.0.clone(),
            title: "it gives the application a secret and is it".to_owned(),
            condition: None,
            targets: vec![(*app).clone()],
            because: format!("owner of {}", app.0),
        });
    }
    if standing.admin.is_some() {
        standing.admin_if = None;
        standing.parts.clear();
        standing.abilities.clear();
    }
    standing.abilities.sort();
    standing.abilities.dedup();
    standing
}

/// Whether a grant is every right by itself.
fn is_whole(grant: &Grant<'_>) -> bool {
    match grant.text.kind.as_str() {
        "directory-role" => grant.text.role == catalogue::GLOBAL_ADMINISTRATOR,
        "azure-role" => grant.text.role == catalogue::OWNER,
        _ => false,
    }
}

/// What a grant gives, by name.
fn add_grants(grant: &Grant<'_>, standing: &mut Standing) {
    let names: Vec<&str> = match grant.text.kind.as_str() {
        "delegated" => grant.text.permissions.iter().map(String::as_str).collect(),
        _ => vec![grant.named()],
    };
    let who = if grant.text.everybody {
        "everybody"
    } else {
        ""
    };
    for name in names {
        let action = match grant.text.kind.as_str() {
            "delegated" if who.is_empty() => format!("delegated:{name}"),
            "delegated" => format!("delegated-to-all:{name}"),
            kind => format!("{kind}:{name}"),
        };
        standing.grants.push(GrantedAction {
            action,
            policy: grant.policy.clone(),
            via: None,
        });
    }
    standing.grants.sort();
    standing.grants.dedup();
}
