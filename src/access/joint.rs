//! One request under more than the principal's own policies: the policy of the resource, and the
//! policy of a session.
//!
//! The rules are those of the IAM user guide, "Policy evaluation logic" and "Cross-account policy
//! evaluation logic": within an account either side may grant, across accounts both must; a
//! session policy only takes away; keys and roles are open only through their own policy.

use keymuster_api::{IdentityKind, Key};

use super::{
    condition::{Layers, Tri, all},
    evaluate::{self, Answer, Decision, Evidence, Request, Step, reaches},
    holdings::{Bundle, context_of},
    policy::{Document, Effect},
    trust::{Named, named_by, speaks},
};

/// Policies besides those of the exports.
#[derive(Debug, Clone, Copy, Default)]
pub struct Besides<'a> {
    /// The policy of the resource.
    pub resource: Option<&'a Document>,
    /// The policy given when the session was made.
    pub session: Option<&'a Document>,
}

/// What one document says.
struct Said {
    tri: Tri,
    named: Named,
    denied: Tri,
    conditions: Vec<String>,
    steps: Vec<Step>,
}

fn say(
    document: &Document,
    what: &str,
    bundle: &Bundle,
    request: &Request<'_>,
    by_principal: bool,
) -> Said {
    let own = context_of(bundle);
    let context = Layers(request.context, &own);
    let mut said = Said {
        tri: Tri::No,
        named: Named::No,
        denied: Tri::No,
        conditions: Vec::new(),
        steps: Vec::new(),
    };
    for statement in &document.statements {
        if !speaks(statement, request.action) {
            continue;
        }
        let named = if by_principal {
            let Some(element) = &statement.principal else {
                continue;
            };
            named_by(element, &bundle.key.0, &bundle.account)
        } else {
            Named::Itself
        };
        if named == Named::No {
            continue;
        }
        let mut unknown = Vec::new();
        let tri = match statement.resources {
            // A trust policy names no resource: it means the role that it belongs to.
            None if by_principal => all(statement
                .conditions
                .iter()
                .map(|clause| clause.holds(&context, &mut unknown))),
            _ => reaches(statement, request.resource, &context, &mut unknown),
        };
        if tri == Tri::No {
            continue;
        }
        let effect = match statement.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        said.steps.push(Step {
            policy: Key(what.to_owned()),
            statement: statement.index,
            sid: statement.sid.clone(),
            matched: format!("{effect} {} on {}", request.action, request.resource),
            via: None,
        });
        said.conditions.append(&mut unknown);
        match statement.effect {
            Effect::Deny => said.denied = said.denied.max(tri),
            Effect::Allow if (tri, named) > (said.tri, said.named) => {
                (said.tri, said.named) = (tri, named);
            }
            Effect::Allow => {}
        }
    }
    said
}

fn weight(decision: Decision) -> Tri {
    match decision {
        Decision::Allowed => Tri::Yes,
        Decision::Conditional => Tri::Unknown,
        Decision::NotAllowed => Tri::No,
    }
}

/// Answers with these policies besides.
pub(super) fn answer(
    documents: &[Document],
    policies: &[Key],
    bundle: &Bundle,
    request: &Request<'_>,
    besides: Besides<'_>,
) -> Answer {
    let own = evaluate::answer(documents, policies, bundle, request);
    let resource = besides
        .resource
        .map(|document| say(document, "resource policy", bundle, request, true));
    let session = besides
        .session
        .map(|document| say(document, "session policy", bundle, request, false));
    let refused = |steps: Vec<Step>| Answer {
        decision: Decision::NotAllowed,
        evidence: Evidence {
            steps,
            conditions: Vec::new(),
        },
    };
    for said in [&resource, &session].into_iter().flatten() {
        if said.denied == Tri::Yes {
            return refused(said.steps.clone());
        }
    }
    let own_denies = own.decision == Decision::NotAllowed && !own.evidence.steps.is_empty();
    if own_denies {
        return own;
    }
    let mut tri = weight(own.decision);
    let mut steps = own.evidence.steps;
    let mut conditions = own.evidence.conditions;
    let foreign = evaluate::is_foreign(bundle, request.resource, request.context);
    // Keys and roles are open only through their own policies.
    let closed = ["kms:", "sts:assumerole"]
        .iter()
        .any(|prefix| request.action.to_ascii_lowercase().starts_with(prefix));
    match &resource {
        Some(said) if foreign || closed => {
            let direct = !foreign && said.named == Named::Itself;
            tri = if direct {
                tri.max(said.tri.min(limited(documents, policies, bundle, request)))
            } else {
                tri.min(said.tri)
            };
        }
        Some(said) if said.named == Named::Itself => {
            tri = tri.max(said.tri.min(limited(documents, policies, bundle, request)));
        }
        Some(_) => {}
        // Another account's resource whose policy was not given: nobody knows.
        None if foreign && tri == Tri::Yes => {
            tri = Tri::Unknown;
            conditions.push("the policy of another account's resource".to_owned());
        }
        None => {}
    }
    if let Some(said) = &session {
        tri = tri.min(said.tri);
    }
    for said in [resource, session].into_iter().flatten() {
        tri = tri.min(!said.denied);
        steps.extend(said.steps);
        conditions.extend(said.conditions);
    }
    let decision = match tri {
        Tri::No => return Answer::not_allowed(),
        Tri::Unknown => Decision::Conditional,
        Tri::Yes => Decision::Allowed,
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

/// What its limits leave of a grant that names the principal itself: a user's boundary does not
/// count then, a role's does.
fn limited(
    documents: &[Document],
    policies: &[Key],
    bundle: &Bundle,
    request: &Request<'_>,
) -> Tri {
    if bundle.kind == IdentityKind::User && !bundle.boundaries.is_empty() {
        let mut free = bundle.clone();
        free.boundaries.clear();
        return weight(evaluate::limits(documents, policies, &free, request).decision);
    }
    weight(evaluate::limits(documents, policies, bundle, request).decision)
}
