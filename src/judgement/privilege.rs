//! What principals can really do, in the words checks use.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Gap, GapKind, Key};

use crate::{
    access::{self, AccessFacts, Evidence, Standing, standing::steps_in_words},
    audit::{Grant, PrivilegeFact, TrustFinding, TrustFindingKind},
    estate::{Estate, Identity},
};
use jiff::Timestamp;

/// What each principal can really do, in the words checks use; and the policies that were not
/// understood as a whole.
pub(super) fn privileges(
    estate: &Estate,
    now: Timestamp,
) -> (Vec<Option<PrivilegeFact>>, Vec<Gap>) {
    let gathered = &estate.gathered;
    if gathered.policies.is_empty() {
        let apps = estate.identities.iter();
        let facts = apps.map(|identity| of_host(estate, identity)).collect();
        return (facts, Vec::new());
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
    let others = access::others::assess_others(&facts, &access);
    let privileges = estate
        .identities
        .iter()
        .map(|identity| {
            if let Some(fact) = of_host(estate, identity) {
                return Some(fact);
            }
            if let Some(standing) = others.standing(&estate.text(identity.key).into()) {
                return Some(of_standing(standing));
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
        .collect();
    let problems = access.problems().iter().chain(others.problems());
    (privileges, unread(problems, &facts))
}

/// A gap for each policy of which something was left out: the rights of its holders are not
/// fully seen.
fn unread<'a>(
    problems: impl Iterator<Item = &'a access::Problem>,
    facts: &'a AccessFacts<'_>,
) -> Vec<Gap> {
    let mut why: BTreeMap<&Key, Vec<&str>> = BTreeMap::new();
    for problem in problems.filter(|problem| problem.unread) {
        why.entry(&problem.policy)
            .or_default()
            .push(&problem.message);
    }
    let policies = facts.policies.iter().map(|one| (&one.key, &one.source));
    let trusts = facts.trusts.iter().map(|one| (&one.identity, &one.source));
    let told = policies.chain(trusts).filter_map(|(key, source)| {
        let why = why.remove(key)?;
        let more = why.len().saturating_sub(3);
        let mut reason = why.into_iter().take(3).collect::<Vec<_>>().join("; ");
        if more > 0 {
            reason.push_str(&format!("; and {more} more"));
        }
        Some(Gap {
            kind: GapKind::Corrupt,
            subject: key.0.clone(),
            reason: format!("its policy was not understood as a whole: {reason}"),
            source: source.clone(),
        })
    });
    told.collect()
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
fn granted(access: &access::Access, key: &Key) -> Vec<Grant> {
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
fn escalation_facts(access: &access::Access, key: &Key) -> PrivilegeFact {
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
    fact.trusts = about.map(trust_finding).collect();
    fact
}

fn trust_finding(trust: &access::TrustFact) -> TrustFinding {
    TrustFinding {
        kind: match trust.kind {
            access::TrustKind::Public => TrustFindingKind::Public,
            access::TrustKind::CrossAccount => TrustFindingKind::CrossAccount,
            access::TrustKind::Deleted => TrustFindingKind::Deleted,
            access::TrustKind::BroadOidc => TrustFindingKind::BroadOidc,
            access::TrustKind::AllBut => TrustFindingKind::AllBut,
        },
        who: trust.who.clone(),
        why: trust.why.clone(),
    }
}

/// What roles of a system with places give.
fn of_standing(standing: &Standing) -> PrivilegeFact {
    let grants = standing.grants.iter();
    PrivilegeFact {
        admin: standing.admin.clone(),
        conditional_admin: standing.admin_if.clone(),
        wildcards: standing.parts.clone(),
        reaches_admin: standing.reaches.as_deref().map(steps_in_words),
        reaches_admin_if: standing.reaches_if.as_deref().map(steps_in_words),
        trusts: standing.trusts.iter().map(trust_finding).collect(),
        grants: grants
            .map(|one| Grant {
                action: one.action.clone(),
                policy: one.policy.0.clone(),
            })
            .collect(),
    }
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
