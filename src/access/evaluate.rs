//! One request, one answer: is this principal allowed to do this on that?
//!
//! The order is AWS's for requests within one account (IAM user guide, "Policy evaluation
//! logic"): an explicit Deny anywhere ends it; then every level of service control policies,
//! the boundary and the identity's policies must each allow. A policy of the resource itself
//! is not looked at here; trust policies are read for problems only.

use keymuster_api::{IdentityKind, Key};

use super::{
    condition::{Context, Layers, Lookup, Seen, Tri, all},
    holdings::{Bundle, Held},
    policy::{Document, Effect, Statement},
};

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// It is not.
    NotAllowed,
    /// It depends on what is not known; the answer says on what.
    Conditional,
    /// It is.
    Allowed,
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Key,
    /// What for: `s3:GetObject`.
    pub action: &'a str,
    /// On what: an ARN, or `*` for actions that take none.
    pub resource: &'a str,
    /// What is known of the request.
    pub context: &'a Context,
}

/// One statement that decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The policy.
    pub policy: Key,
    /// The statement's place in the document, from 0.
    pub statement: u32,
    /// The statement's name.
    pub sid: Option<String>,
    /// The text that matched: `Allow iam:* on *`.
    pub matched: String,
    /// The group through which the policy reaches the principal.
    pub via: Option<Key>,
}

/// Why an answer is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The statements that decided: grants first, in the order of evaluation.
    pub steps: Vec<Step>,
    /// What the answer depends on: `needs MFA`, `source IP` …; sorted.
    pub conditions: Vec<String>,
}

/// An answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Yes, no, or it depends.
    pub decision: Decision,
    /// Why; empty where nothing spoke of the request at all.
    pub evidence: Evidence,
}

impl Answer {
    pub(super) fn not_allowed() -> Answer {
        Answer {
            decision: Decision::NotAllowed,
            evidence: Evidence::default(),
        }
    }
}

/// What a set of policies says to a request.
struct Verdict {
    tri: Tri,
    steps: Vec<Step>,
    conditions: Vec<String>,
}

/// What is asked, with everything that is known.
struct Asked<'a> {
    documents: &'a [Document],
    policies: &'a [Key],
    action: &'a str,
    resource: &'a str,
    context: &'a dyn Lookup,
}

impl Asked<'_> {
    /// The strongest statement of this effect: a certain one ends the search.
    fn strongest<'h>(&self, held: impl IntoIterator<Item = &'h Held>, effect: Effect) -> Verdict {
        let mut best = Verdict {
            tri: Tri::No,
            steps: Vec::new(),
            conditions: Vec::new(),
        };
        for held in held {
            for statement in &self.documents[held.document as usize].statements {
                if statement.effect != effect {
                    continue;
                }
                let mut unknown = Vec::new();
                let (tri, matched) = self.applies(statement, &mut unknown);
                if tri == Tri::No {
                    continue;
                }
                let step = Step {
                    policy: self.policies[held.policy as usize].clone(),
                    statement: statement.index,
                    sid: statement.sid.clone(),
                    matched,
                    via: held.via.clone(),
                };
                if tri == Tri::Yes {
                    return Verdict {
                        tri,
                        steps: vec![step],
                        conditions: Vec::new(),
                    };
                }
                best.tri = Tri::Unknown;
                best.steps.push(step);
                best.conditions.extend(unknown);
            }
        }
        best
    }

    fn applies(&self, statement: &Statement, unknown: &mut Vec<String>) -> (Tri, String) {
        let no = (Tri::No, String::new());
        let action = statement
            .actions
            .iter()
            .find(|action| action.glob.matches(self.action));
        if action.is_some() == statement.not_action {
            return no;
        }
        let Some(resources) = &statement.resources else {
            return no;
        };
        let mut on = Tri::No;
        let mut place = None;
        for resource in resources {
            let hit = resource.matches(self.resource, self.context, unknown);
            if hit > on {
                (on, place) = (hit, Some(resource));
            }
            if on == Tri::Yes {
                break;
            }
        }
        if statement.not_resource {
            on = !on;
        }
        if on == Tri::No {
            return no;
        }
        let conditions = all(statement
            .conditions
            .iter()
            .map(|clause| clause.holds(self.context, unknown)));
        let tri = on.min(conditions);
        if tri == Tri::No {
            return no;
        }
        let effect = match statement.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let list = |texts: Vec<&str>| {
            let more = texts.len().saturating_sub(3);
            let mut text = texts.into_iter().take(3).collect::<Vec<_>>().join(", ");
            if more > 0 {
                text.push_str(&format!(" and {more} more"));
            }
            text
        };
        let what = match action {
            Some(action) => action.text.to_string(),
            None => format!(
                "NotAction {}",
                list(
                    statement
                        .actions
                        .iter()
                        .map(|action| &*action.text)
                        .collect()
                )
            ),
        };
        let whereon = match place {
            Some(place) if !statement.not_resource => place.text.to_string(),
            _ => format!(
                "NotResource {}",
                list(resources.iter().map(|resource| &*resource.text).collect())
            ),
        };
        (tri, format!("{effect} {what} on {whereon}"))
    }
}

/// Whether a statement that means the action means the resource too, under its conditions.
pub(super) fn reaches(
    statement: &Statement,
    resource: &str,
    context: &dyn Lookup,
    unknown: &mut Vec<String>,
) -> Tri {
    let Some(resources) = &statement.resources else {
        return Tri::No;
    };
    let mut on = Tri::No;
    for pattern in resources {
        on = on.max(pattern.matches(resource, context, unknown));
        if on == Tri::Yes {
            break;
        }
    }
    if statement.not_resource {
        on = !on;
    }
    if on == Tri::No {
        return on;
    }
    on.min(all(statement
        .conditions
        .iter()
        .map(|clause| clause.holds(context, unknown))))
}

/// Whether a resource belongs to another account, where its name or the request tells.
pub(super) fn is_foreign(bundle: &Bundle, resource: &str, context: &Context) -> bool {
    if let Seen::Known([account]) = context.seen("aws:resourceaccount") {
        return *account != bundle.account;
    }
    let account = resource.split(':').nth(4).unwrap_or_default();
    !account.is_empty() && account != bundle.account
}

/// Whether resource control policies reach a service. IAM, Organizations and account management
/// are not among those that AWS lists (Organizations user guide, "Resource control policies").
pub(super) fn controls_resources_of(action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    !["iam", "organizations", "account"]
        .iter()
        .any(|name| service.eq_ignore_ascii_case(name))
}

/// Answers a request of the bundle's principal.
pub(super) fn answer(
    documents: &[Document],
    policies: &[Key],
    bundle: &Bundle,
    request: &Request<'_>,
) -> Answer {
    decide(documents, policies, bundle, request, false)
}

/// Answers as if the principal's own policies allowed everything: what its limits leave.
pub(super) fn limits(
    documents: &[Document],
    policies: &[Key],
    bundle: &Bundle,
    request: &Request<'_>,
) -> Answer {
    decide(documents, policies, bundle, request, true)
}

fn decide(
    documents: &[Document],
    policies: &[Key],
    bundle: &Bundle,
    request: &Request<'_>,
    granted: bool,
) -> Answer {
    let layers = Layers(request.context, &bundle.context);
    let asked = Asked {
        documents,
        policies,
        action: request.action,
        resource: request.resource,
        context: &layers,
    };
    let identity = if granted { &[][..] } else { &bundle.identity };
    let held = identity
        .iter()
        .chain(&bundle.boundaries)
        .chain(bundle.levels.iter().flatten());
    // A resource control policy binds who asks for resources of its own account.
    let controlled = controls_resources_of(request.action)
        && !is_foreign(bundle, request.resource, request.context);
    let resource = if controlled {
        &bundle.resource
    } else {
        &[][..]
    };
    let denied = asked.strongest(held.chain(resource), Effect::Deny);
    if denied.tri == Tri::Yes {
        let evidence = Evidence {
            steps: denied.steps,
            conditions: Vec::new(),
        };
        return Answer {
            decision: Decision::NotAllowed,
            evidence,
        };
    }
    let mut steps = Vec::new();
    let mut conditions = Vec::new();
    let mut tri = Tri::Yes;
    // The root of an account needs no policy.
    if !granted && bundle.kind != IdentityKind::Root {
        let verdict = asked.strongest(&bundle.identity, Effect::Allow);
        (tri, steps, conditions) = (verdict.tri, verdict.steps, verdict.conditions);
    } else if bundle.kind == IdentityKind::Root {
        steps.push(Step {
            policy: bundle.key.clone(),
            statement: 0,
            sid: None,
            matched: "the root user of the account".to_owned(),
            via: None,
        });
    }
    for limit in bundle.limits(documents) {
        if tri == Tri::No {
            break;
        }
        let verdict = asked.strongest(limit, Effect::Allow);
        tri = tri.min(verdict.tri);
        steps.extend(verdict.steps);
        conditions.extend(verdict.conditions);
    }
    if tri == Tri::No {
        return Answer::not_allowed();
    }
    if denied.tri == Tri::Unknown {
        tri = Tri::Unknown;
        steps.extend(denied.steps);
        conditions.extend(denied.conditions);
    }
    let decision = if tri == Tri::Yes {
        Decision::Allowed
    } else {
        Decision::Conditional
    };
    if decision == Decision::Allowed {
        conditions.clear();
    }
    conditions.sort();
    conditions.dedup();
    Answer {
        decision,
        evidence: Evidence { steps, conditions },
    }
}
