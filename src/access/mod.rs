//! Who can do what: a policy evaluator over the facts of the estate. Pure: no I/O, no clock,
//! and nothing in it fails; what cannot be understood is a [`Problem`], or makes an answer
//! conditional.
//!
//! The unit is the principal, never the policy: rights are what is left of the union of its
//! policies after every Deny, its permissions boundary and the control policies of its
//! account. Questions are put as requests and answered by effect; no catalogue of actions is
//! needed, so that a service nobody has heard of never silences a check.
//!
//! Modules in reading order: [`glob`] matches names, [`condition`] and [`policy`] read
//! documents, `holdings` brings together what binds a
//! principal, [`evaluate`] answers one request, [`joint`] one with policies of
//! resource and session, [`privileges`] asks the requests that tell
//! what a principal really is, [`trust`] says who may become a role, and [`escalation`] finds
//! the ways from one principal to the rights of others. All of that is AWS. Systems with roles that
//! are given at places are read by a module each ([`kubernetes`], [`gcp`], [`entra`]); what they say has
//! one shape ([`standing`]), and [`others`] follows the steps within and between all systems (`reach`,
//! `across`).

mod across;
pub mod condition;
pub mod entra;
pub mod escalation;
pub mod evaluate;
pub mod gcp;
pub mod glob;
mod granted;
mod grants;
mod holdings;
pub mod joint;
pub mod kubernetes;
pub mod others;
pub mod policy;
pub mod privileges;
mod reach;
pub mod standing;
pub mod trust;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use keymuster_api::{Credential, Identity, Key, Membership, Policy, Reference, Timestamp, Trust};

pub use condition::{Context, Tri};
pub use escalation::{Escalation, Hop, Way};
pub use evaluate::{Answer, Decision, Evidence, Request, Step};
pub use granted::{Granted, granted};
pub use grants::{GrantedAction, covers};
pub use joint::Besides;
pub use others::Others;
pub use privileges::Privilege;
pub use standing::{Ability, Ineffective, Standing, Step as ReachStep};
pub use trust::{TrustFact, TrustKind};

use holdings::{Bundle, Index};
use policy::Document;

/// The facts that rights are made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccessFacts<'a> {
    /// Principals.
    pub identities: &'a [Identity],
    /// Policies with what they are tied to.
    pub policies: &'a [Policy],
    /// Trust policies.
    pub trusts: &'a [Trust],
    /// Users in groups; accounts (`aws:account:<id>`) in levels of their organisation.
    pub memberships: &'a [Membership],
    /// Credentials: how many keys a user has.
    pub credentials: &'a [Credential],
    /// What runs as which role: functions, machines, instance profiles.
    pub references: &'a [Reference],
    /// When the questions are put.
    pub now: Option<Timestamp>,
}

/// Something in a policy that could not be understood as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The policy; the role, for a trust policy.
    pub policy: Key,
    /// What it is; lower case, no full stop.
    pub message: String,
    /// Whether some of the policy was not understood and left out.
    pub unread: bool,
}

/// What every principal can really do.
#[derive(Debug, Default)]
pub struct Access {
    documents: Vec<Document>,
    policies: Vec<Key>,
    bundles: BTreeMap<Key, Bundle>,
    privileges: BTreeMap<Key, Privilege>,
    escalations: BTreeMap<Key, Escalation>,
    trust_facts: Vec<TrustFact>,
    problems: Vec<Problem>,
}

/// Reads every policy once and assesses every principal.
pub fn assess(estate_facts: &AccessFacts<'_>) -> Access {
    let mut access = Access::default();
    let mut interned: HashMap<&str, u32> = HashMap::new();
    let mut of_policy = Vec::with_capacity(estate_facts.policies.len());
    for policy in estate_facts.policies {
        // What other systems grant is no document of AWS.
        let text = match others::is_foreign(&policy.key) {
            true => others::NO_DOCUMENT,
            false => policy.document.as_str(),
        };
        let document = intern(&mut access.documents, &mut interned, text);
        // What is wrong with a version that is not in force is nobody's concern.
        if escalation::version_of(policy).is_none() {
            access.note(&policy.key, document);
        }
        of_policy.push(document);
        access.policies.push(policy.key.clone());
    }
    let mut trusts: BTreeMap<&Key, u32> = BTreeMap::new();
    let trusted = estate_facts.trusts.iter();
    for trust in trusted.filter(|trust| !others::is_foreign(&trust.identity)) {
        let document = intern(&mut access.documents, &mut interned, &trust.document);
        access.note(&trust.identity, document);
        trusts.insert(&trust.identity, document);
    }
    let index = Index::new(estate_facts, &of_policy);
    let principals = estate_facts.identities.iter();
    for identity in principals.filter(|one| !others::is_of_others(&one.provider)) {
        let bundle = index.bundle(identity, &access.documents, estate_facts.now);
        access.bundles.insert(identity.key.clone(), bundle);
    }
    access.problems.extend(index.problems(&access.documents));
    access.problems.sort();
    access.problems.dedup();
    access.privileges = privileges::of_all(&access.documents, &access.policies, &access.bundles);
    access.escalations = escalation::of_all(&escalation::Ground {
        facts: estate_facts,
        documents: &access.documents,
        policies: &access.policies,
        of_policy: &of_policy,
        bundles: &access.bundles,
        trusts: &trusts,
        privileges: &access.privileges,
    });
    for (role, document) in trusts {
        let account = access
            .bundles
            .get(role)
            .map_or("", |bundle| bundle.account.as_str());
        let document = &access.documents[document as usize];
        access
            .trust_facts
            .extend(trust::facts(role, account, document));
    }
    access.trust_facts.sort();
    access
}

fn intern<'a>(
    documents: &mut Vec<Document>,
    interned: &mut HashMap<&'a str, u32>,
    text: &'a str,
) -> u32 {
    *interned.entry(text).or_insert_with(|| {
        documents.push(Document::parse(text));
        (documents.len() - 1) as u32
    })
}

impl Access {
    /// What the evaluator says of a principal; `None` for keys that are no principal (groups,
    /// and whatever is not in the facts).
    pub fn privilege(&self, key: &Key) -> Option<&Privilege> {
        self.privileges.get(key)
    }

    /// Every principal with its privilege, by key.
    pub fn privileges(&self) -> impl Iterator<Item = (&Key, &Privilege)> {
        self.privileges.iter()
    }

    /// Answers one request.
    pub fn can(&self, request: &Request<'_>) -> Answer {
        match self.bundles.get(request.principal) {
            Some(bundle) => evaluate::answer(&self.documents, &self.policies, bundle, request),
            None => Answer::not_allowed(),
        }
    }

    /// Why a request is not allowed that nothing denies.
    pub fn why_not(&self, request: &Request<'_>) -> &'static str {
        let Some(bundle) = self.bundles.get(request.principal) else {
            return "the principal is not in the exports";
        };
        let mut free = bundle.clone();
        free.boundaries.clear();
        let within = evaluate::answer(&self.documents, &self.policies, &free, request);
        if within.decision != Decision::NotAllowed {
            return "its permissions boundary leaves it out";
        }
        free.levels.clear();
        let within = evaluate::answer(&self.documents, &self.policies, &free, request);
        if within.decision != Decision::NotAllowed {
            return "a control policy of the organisation leaves it out";
        }
        "no policy of the principal allows it"
    }

    /// How a principal gets at more rights.
    pub fn escalation(&self, key: &Key) -> Option<&Escalation> {
        self.escalations.get(key)
    }

    /// The statements that allow a way: one answer for each of its actions.
    pub fn evidence(&self, principal: &Key, way: &Way) -> Vec<Answer> {
        let bundle = self.bundles.get(principal);
        let ask = |(action, resource, context): (&str, &str, &Context)| {
            let request = Request {
                principal,
                action,
                resource,
                context,
            };
            bundle.map(|bundle| evaluate::answer(&self.documents, &self.policies, bundle, &request))
        };
        way.questions(principal)
            .iter()
            .filter_map(|(action, resource, context)| ask((action, resource, context)))
            .collect()
    }

    /// What is odd about trust policies, by role.
    pub fn trust_facts(&self) -> &[TrustFact] {
        &self.trust_facts
    }

    /// Answers one request under the policies of a resource and a session besides.
    pub fn can_with(&self, request: &Request<'_>, besides: Besides<'_>) -> Answer {
        match self.bundles.get(request.principal) {
            Some(bundle) => {
                joint::answer(&self.documents, &self.policies, bundle, request, besides)
            }
            None => Answer::not_allowed(),
        }
    }

    /// What could not be understood as written, by policy.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn note(&mut self, key: &Key, document: u32) {
        let document = &self.documents[document as usize];
        let problems = document.problems.iter();
        self.problems.extend(problems.map(|message| Problem {
            policy: key.clone(),
            message: message.clone(),
            unread: document.unread,
        }));
    }
}
