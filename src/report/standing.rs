//! A principal of a system with roles and places, as `access` tells it.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::Identity;

use super::access::{HopLine, IneffectiveLine, Line, TrustLine, kind_word, trust_word};
use crate::access::Standing;

/// Targets of a way that a line names.
const NAMED: usize = 5;

/// The line of one principal.
pub(super) fn line<'a>(identity: &'a Identity, standing: &'a Standing) -> Line<'a> {
    let mut line = Line {
        account: identity.account.as_deref().unwrap_or_default(),
        principal: &identity.key.0,
        kind: kind_word(identity.kind),
        star_admin: standing.admin.is_some(),
        reaches_admin: standing.admin.is_some() || standing.reaches.is_some(),
        conditional_admin: standing.admin_if.is_some() || standing.reaches_if.is_some(),
        services_admin: standing
            .parts
            .iter()
            .map(|(part, _)| part.as_str())
            .collect(),
        ..Line::default()
    };
    let says = |what: &str, why: &Option<String>| why.as_ref().map(|why| format!("{what}: {why}"));
    line.evidence.extend(says("administrator", &standing.admin));
    line.evidence
        .extend(says("administrator under a condition", &standing.admin_if));
    for (part, why) in &standing.parts {
        line.evidence.push(format!("everything in {part}: {why}"));
    }
    let mut certain: BTreeSet<&str> = BTreeSet::new();
    let mut possible: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut scopes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ability in &standing.abilities {
        match &ability.condition {
            None => {
                certain.insert(ability.way);
            }
            Some(condition) => {
                possible.entry(ability.way).or_default().insert(condition);
            }
        }
        scopes
            .entry(&ability.right)
            .or_default()
            .insert(&ability.scope);
        let targets = line.targets.entry(ability.way).or_default();
        for target in &ability.targets {
            if targets.len() < NAMED && !targets.contains(&target.0.as_str()) {
                targets.push(&target.0);
            }
        }
        line.evidence.push(format!(
            "{}: {} in {}: {}",
            ability.way, ability.right, ability.scope, ability.because
        ));
    }
    line.targets.retain(|_, targets| !targets.is_empty());
    for (way, conditions) in possible {
        if !certain.contains(way) {
            line.conditional.push(way);
            let conditions: Vec<&str> = conditions.into_iter().collect();
            line.conditions.insert(way, conditions.join(", "));
        }
    }
    line.paths = certain.into_iter().collect();
    for (right, places) in scopes {
        // What holds everywhere holds in each place.
        let places: Vec<&str> = match places.get("cluster") {
            Some(everywhere) => vec![everywhere],
            None => places.into_iter().collect(),
        };
        line.effective.insert(right, places.join(", "));
    }
    let steps = standing.reaches.as_ref().or(standing.reaches_if.as_ref());
    line.chain = steps
        .into_iter()
        .flatten()
        .map(|step| HopLine {
            from: &step.from.0,
            path: &step.way,
            to: step.to.as_ref().map(|to| to.0.as_str()),
        })
        .collect();
    line.trust = standing
        .trusts
        .iter()
        .map(|fact| TrustLine {
            kind: trust_word(fact.kind),
            who: &fact.who,
            why: &fact.why,
        })
        .collect();
    line.ineffective = standing
        .ineffective
        .iter()
        .map(|one| IneffectiveLine {
            binding: &one.binding,
            resources: &one.resources,
            why: &one.why,
        })
        .collect();
    line
}
