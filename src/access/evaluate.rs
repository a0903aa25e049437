//! One request, one answer: is this principal allowed to do this on that?
//!
//! The order is AWS's for requests within one account (IAM user guide, "Policy evaluation
//! logic"): an explicit Deny anywhere ends it; then every level of service control policies,
//! the boundary and the identity's policies must each allow. A policy of the resource itself
//! is not looked at here; trust policies are read for problems only.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{AttachmentKind, Identity, IdentityKind, Key};

use super::{
    AccessFacts, Problem,
    condition::{Context, Layers, Lookup, Tri, all},
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

/// A policy as it reaches a principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    pub(super) document: u32,
    policy: u32,
    via: Option<Key>,
}

/// Everything that decides about one principal.
#[derive(Debug, Clone)]
pub(super) struct Bundle {
    pub(super) key: Key,
    pub(super) kind: IdentityKind,
    pub(super) account: String,
    pub(super) partition: String,
    /// Inline, attached, and those of groups.
    pub(super) identity: Vec<Held>,
    /// Boundaries, each of which must allow.
    pub(super) boundaries: Vec<Held>,
    /// Levels of service control policies, each of which must allow.
    pub(super) levels: Vec<Vec<Held>>,
    /// Resource control policies: only their Denies matter, AWS itself allows everything.
    pub(super) resource: Vec<Held>,
    /// What is known of every request of this principal.
    pub(super) context: Context,
    /// Groups of a user.
    pub(super) groups: Vec<Key>,
    /// Whether answers depend on the principal beyond its policies.
    pub(super) depends_on_context: bool,
}

impl Bundle {
    /// Every policy that can take something away.
    fn every(&self) -> impl Iterator<Item = &Held> {
        self.identity
            .iter()
            .chain(&self.boundaries)
            .chain(self.levels.iter().flatten())
            .chain(&self.resource)
    }

    /// What two principals share if they can do the same: documents by role, and the account.
    pub(super) fn signature(&self) -> Signature {
        let ids = |held: &[Held]| -> Vec<u32> {
            let set: BTreeSet<u32> = held.iter().map(|held| held.document).collect();
            set.into_iter().collect()
        };
        Signature {
            root: self.kind == IdentityKind::Root,
            account: self.account.clone(),
            identity: ids(&self.identity),
            boundaries: ids(&self.boundaries),
            levels: self.levels.iter().map(|level| ids(level)).collect(),
            resource: ids(&self.resource),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signature {
    root: bool,
    account: String,
    identity: Vec<u32>,
    boundaries: Vec<u32>,
    levels: Vec<Vec<u32>>,
    resource: Vec<u32>,
}

/// Policies by what they are tied to, and groups by member.
pub(super) struct Index<'a> {
    tied: BTreeMap<&'a Key, Vec<(AttachmentKind, u32, u32)>>,
    groups: BTreeMap<&'a Key, Vec<&'a Key>>,
    policies: Vec<&'a Key>,
}

impl<'a> Index<'a> {
    pub(super) fn new(facts: &AccessFacts<'a>, documents: &[u32]) -> Index<'a> {
        let mut tied: BTreeMap<&Key, Vec<(AttachmentKind, u32, u32)>> = BTreeMap::new();
        for (number, (policy, document)) in (0..).zip(facts.policies.iter().zip(documents)) {
            for tie in &policy.attached {
                tied.entry(&tie.to)
                    .or_default()
                    .push((tie.kind, number, *document));
            }
        }
        let mut groups: BTreeMap<&Key, Vec<&Key>> = BTreeMap::new();
        for membership in facts.memberships {
            groups
                .entry(&membership.member)
                .or_default()
                .push(&membership.group);
        }
        Index {
            tied,
            groups,
            policies: facts.policies.iter().map(|policy| &policy.key).collect(),
        }
    }

    fn held(&self, key: &Key, kinds: &[AttachmentKind], via: Option<&Key>) -> Vec<Held> {
        let ties = self.tied.get(key).map_or(&[][..], Vec::as_slice);
        ties.iter()
            .filter(|(kind, _, _)| kinds.contains(kind))
            .map(|(_, policy, document)| Held {
                document: *document,
                policy: *policy,
                via: via.cloned(),
            })
            .collect()
    }

    /// A key and every group above it, nearest first.
    fn above(&self, key: &Key) -> Vec<Key> {
        let mut all = vec![key.clone()];
        let mut at = 0;
        while let Some(next) = all.get(at) {
            let groups = self.groups.get(next).map_or(&[][..], Vec::as_slice);
            let new: Vec<Key> = groups
                .iter()
                .filter(|group| !all.contains(group))
                .map(|&group| group.clone())
                .collect();
            all.extend(new);
            at += 1;
        }
        all
    }

    pub(super) fn bundle(&self, identity: &Identity, documents: &[Document]) -> Bundle {
        let own = [AttachmentKind::Inline, AttachmentKind::Attached];
        let key = &identity.key;
        let groups: Vec<Key> = self
            .groups
            .get(key)
            .into_iter()
            .flatten()
            .map(|&group| group.clone())
            .collect();
        let mut held = self.held(key, &own, None);
        for group in &groups {
            held.extend(self.held(group, &own, Some(group)));
        }
        let account = identity.account.clone().unwrap_or_default();
        let mut levels = Vec::new();
        let mut resource = Vec::new();
        for level in self.above(&Key(format!("aws:account:{account}"))) {
            let policies = self.held(&level, &[AttachmentKind::Account], None);
            if !policies.is_empty() && !is_service_linked(key) {
                levels.push(policies);
            }
            resource.extend(self.held(&level, &[AttachmentKind::Resource], None));
        }
        let mut bundle = Bundle {
            key: key.clone(),
            kind: identity.kind,
            partition: key
                .0
                .split(':')
                .nth(1)
                .filter(|part| part.starts_with("aws"))
                .unwrap_or("aws")
                .to_owned(),
            account,
            identity: held,
            boundaries: self.held(key, &[AttachmentKind::Boundary], None),
            levels,
            resource,
            context: Context::new(),
            groups,
            depends_on_context: false,
        };
        let depends = |held: &Held| documents[held.document as usize].depends_on_context;
        let depends = bundle.every().any(depends);
        if depends {
            bundle.depends_on_context = true;
            bundle.context = context_of(identity);
        }
        bundle
    }

    /// Levels on which nothing is allowed: AWS lets no such level be, so an export of one's
    /// own control policies just lacks AWS's `FullAWSAccess`.
    pub(super) fn problems(&self, documents: &[Document]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for ties in self.tied.values() {
            let level: Vec<_> = ties
                .iter()
                .filter(|(kind, _, _)| *kind == AttachmentKind::Account)
                .collect();
            if let Some((_, first, _)) = level.first()
                && !level
                    .iter()
                    .any(|(_, _, document)| documents[*document as usize].allows)
            {
                problems.push(Problem {
                    policy: self.policies[*first as usize].clone(),
                    message: "no control policy of this level allows anything; FullAWSAccess is taken to be attached too".to_owned(),
                });
            }
        }
        problems
    }
}

/// Service-linked roles, which control policies do not bind.
fn is_service_linked(key: &Key) -> bool {
    key.0.contains(":role/aws-service-role/")
}

/// What holds for every request that this principal makes itself.
fn context_of(identity: &Identity) -> Context {
    let kind = match identity.kind {
        IdentityKind::Root => "Account",
        IdentityKind::User => "User",
        _ => "AssumedRole",
    };
    let mut context = Context::new()
        .with("aws:PrincipalArn", &[&identity.key.0])
        .with("aws:PrincipalType", &[kind])
        .with("aws:SecureTransport", &["true"])
        .with("aws:ViaAWSService", &["false"])
        .with("aws:PrincipalIsAWSService", &["false"])
        .without("aws:CalledVia")
        .without("aws:CalledViaFirst")
        .without("aws:CalledViaLast")
        .without("aws:PrincipalServiceName")
        .without("aws:PrincipalTag/");
    if let Some(account) = &identity.account {
        context = context.with("aws:PrincipalAccount", &[account]);
    }
    context = match identity.kind {
        IdentityKind::User => context.with("aws:username", &[&identity.name]),
        _ => context.without("aws:username"),
    };
    for (name, value) in &identity.tags {
        context = context.with(&format!("aws:PrincipalTag/{name}"), &[value]);
    }
    context
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
    let denied = if granted {
        asked.strongest(
            bundle
                .boundaries
                .iter()
                .chain(bundle.levels.iter().flatten())
                .chain(&bundle.resource),
            Effect::Deny,
        )
    } else {
        asked.strongest(bundle.every(), Effect::Deny)
    };
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
    let alone = bundle.boundaries.iter().map(std::slice::from_ref);
    let levels = bundle.levels.iter().map(Vec::as_slice).filter(|level| {
        level
            .iter()
            .any(|held| documents[held.document as usize].allows)
    });
    for limit in alone.chain(levels) {
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
