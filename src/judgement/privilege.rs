//! What principals can really do, in the words checks use.

use std::collections::BTreeSet;

use crate::{
    access::{self, AccessFacts, Evidence},
    audit::{Grant, PrivilegeFact, TrustFinding, TrustFindingKind},
    estate::{Estate, Identity},
};
use jiff::Timestamp;

/// What each principal can really do, in the words checks use.
pub(super) fn privileges(estate: &Estate, now: Timestamp) -> Vec<Option<PrivilegeFact>> {
    let gathered = &estate.gathered;
    if gathered.policies.is_empty() {
        let apps = estate.identities.iter();
        return apps.map(|identity| of_host(estate, identity)).collect();
    }
    let facts = AccessFacts {
        identities: &gathered.identities,
        policies: &gathered.policies,
        trusts: &gathered.trusts,
        memberships: &gathered.memberships,
        credentials: &gathered.credentials,
        references: &gathered.references,
        now: Some(now),
    };
    let access = access::assess(&facts);
    estate
        .identities
        .iter()
        .map(|identity| {
            if let Some(fact) = of_host(estate, identity) {
                return Some(fact);
            }
            let privilege = access.privilege(&estate.text(identity.key).into())?;
            Some(PrivilegeFact {
                admin: privilege
                    .admin
                    .as_ref()
                    .or(privilege.self_granting.as_ref())
                    .map(words),
                conditional_admin: privilege.conditional.as_ref().map(words),
                wildcards: privilege
                    .wildcard_services
                    .iter()
                    .map(|(service, evidence)| (service.clone(), words(evidence)))
                    .collect(),
                grants: granted(&access, &estate.text(identity.key).into()),
                ..escalation_facts(&access, &estate.text(identity.key).into())
            })
        })
        .collect()
}

/// What a host granted to an app, or to the tokens of a user or a bot.
fn of_host(estate: &Estate, identity: &Identity) -> Option<PrivilegeFact> {
    let key = estate.text(identity.key);
    let mut fact = access::granted(estate.settings(key));
    let active = identity.credentials.iter().filter(|&&ix| {
        let status = estate.credentials[ix as usize].status;
        status == keymuster_api::Status::Active
    });
    for &ix in active {
        let credential = &estate.credentials[ix as usize];
        let names = credential.aliases.iter().chain([&credential.subject]);
        for name in names
            .map(|&name| estate.text(name))
            .filter(|name| *name != key)
        {
            if let Some(more) = access::granted(estate.settings(name)) {
                fact.get_or_insert_default().add(more);
            }
        }
    }
    let granted = fact?;
    Some(PrivilegeFact {
        admin: granted.admin,
        wildcards: granted.everywhere,
        ..PrivilegeFact::default()
    })
}

/// What the policies of a principal grant.
fn granted(access: &access::Access, key: &keymuster_api::Key) -> Vec<Grant> {
    let grants = access.grants(key).unwrap_or_default().into_iter();
    grants
        .map(|one| Grant {
            action: one.action,
            policy: match &one.via {
                Some(group) => format!("{} by {}", one.policy.0, group.0),
                None => one.policy.0,
            },
        })
        .collect()
}

/// The ways to more rights, and what is odd about a trust policy, in the words checks use.
fn escalation_facts(access: &access::Access, key: &keymuster_api::Key) -> PrivilegeFact {
    let mut fact = PrivilegeFact::default();
    if let Some(escalation) = access.escalation(key) {
        let chain = |hops: &Vec<access::Hop>| {
            let words = |hop: &access::Hop| match &hop.to {
                Some(to) => format!("{} to {}", hop.way, to.0),
                None => hop.way.to_owned(),
            };
            hops.iter().map(words).collect::<Vec<_>>().join(", then ")
        };
        let some = |hops: &Option<Vec<access::Hop>>| {
            hops.as_ref().filter(|hops| !hops.is_empty()).map(chain)
        };
        fact.reaches_admin = some(&escalation.reaches);
        fact.reaches_admin_if = some(&escalation.reaches_if).map(|chain| {
            let conditions: BTreeSet<&str> = escalation
                .ways
                .iter()
                .flat_map(|way| way.conditions.iter().map(String::as_str))
                .collect();
            let conditions: Vec<&str> = conditions.into_iter().collect();
            format!("{chain}; depends on {}", conditions.join(", "))
        });
    }
    let about = access.trust_facts().iter().filter(|fact| fact.role == *key);
    fact.trusts = about
        .map(|trust| TrustFinding {
            kind: match trust.kind {
                access::TrustKind::Public => TrustFindingKind::Public,
                access::TrustKind::CrossAccount => TrustFindingKind::CrossAccount,
                access::TrustKind::Deleted => TrustFindingKind::Deleted,
                access::TrustKind::BroadOidc => TrustFindingKind::BroadOidc,
                access::TrustKind::AllBut => TrustFindingKind::AllBut,
            },
            who: trust.who.clone(),
            why: trust.why.clone(),
        })
        .collect();
    fact
}

/// Policy, statement, matched text; then the conditions.
fn words(evidence: &Evidence) -> String {
    let mut parts: Vec<String> = Vec::new();
    for step in evidence.steps.iter().take(3) {
        let name = step
            .sid
            .clone()
            .unwrap_or_else(|| format!("statement {}", step.statement + 1));
        parts.push(format!("{} {name}: {}", step.policy.0, step.matched));
    }
    parts.dedup();
    if !evidence.conditions.is_empty() {
        parts.push(format!("if {}", evidence.conditions.join(" and ")));
    }
    parts.join("; ")
}
