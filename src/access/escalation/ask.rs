//! Many questions to one principal, cheaply: which of its statements speak of an action is
//! looked up once, and reasons are kept only where an answer is not certain.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    catalogue::{ActionSet, Catalogue},
    witness::witness,
};
use crate::access::{
    condition::{Lookup, Tri},
    evaluate::reaches,
    glob::Glob,
    holdings::{Bundle, Held},
    policy::{Document, Effect, Statement},
};

/// So many resources are made and tried for one question.
const MAX_TRIES: usize = 256;

/// An answer and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) tri: Tri,
    pub(super) conditions: Vec<String>,
}

impl Weight {
    pub(super) fn no() -> Weight {
        Weight::new(Tri::No, Vec::new())
    }

    pub(super) fn yes() -> Weight {
        Weight::new(Tri::Yes, Vec::new())
    }

    fn new(tri: Tri, conditions: Vec<String>) -> Weight {
        Weight { tri, conditions }
    }

    /// Both must hold.
    pub(super) fn and(mut self, other: &Weight) -> Weight {
        self.tri = self.tri.min(other.tri);
        if self.tri == Tri::Unknown {
            self.conditions.extend(other.conditions.iter().cloned());
            self.conditions.sort();
            self.conditions.dedup();
        } else {
            self.conditions.clear();
        }
        self
    }
}

/// Which actions of the catalogue each statement of each document speaks of.
pub(super) struct Sets {
    of: Vec<Vec<ActionSet>>,
}

impl Sets {
    pub(super) fn new(catalogue: &Catalogue, documents: &[Document]) -> Sets {
        let mut known: HashMap<&str, ActionSet> = HashMap::new();
        let of = documents
            .iter()
            .map(|document| {
                document
                    .statements
                    .iter()
                    .map(|statement| {
                        let mut set = ActionSet::default();
                        for action in &statement.actions {
                            let one = known
                                .entry(&action.text)
                                .or_insert_with(|| catalogue.matched(&action.glob));
                            set.union(one);
                        }
                        if statement.not_action {
                            set.complement(catalogue.actions.len())
                        } else {
                            set
                        }
                    })
                    .collect()
            })
            .collect();
        Sets { of }
    }

    /// Everything of the catalogue that these documents allow somewhere.
    pub(super) fn allowed(&self, documents: &[Document], held: &[Held]) -> ActionSet {
        let mut all = ActionSet::default();
        for held in held {
            let ix = held.document as usize;
            for (statement, set) in documents[ix].statements.iter().zip(&self.of[ix]) {
                if statement.effect == Effect::Allow {
                    all.union(set);
                }
            }
        }
        all
    }

    fn speaking<'a>(
        &self,
        documents: &'a [Document],
        held: &Held,
        action: u16,
        effect: Effect,
        out: &mut Vec<&'a Statement>,
    ) {
        let ix = held.document as usize;
        for (statement, set) in documents[ix].statements.iter().zip(&self.of[ix]) {
            if statement.effect == effect && set.contains(action) {
                out.push(statement);
            }
        }
    }
}

/// The statements that decide about one action of one principal.
pub(super) struct Lens<'a> {
    allow: Vec<&'a Statement>,
    deny: Vec<&'a Statement>,
    limits: Vec<Vec<&'a Statement>>,
    /// Whether it is allowed on everything, whatever the request.
    pub(super) blanket: bool,
    root: bool,
}

/// Whose grant is in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Granted {
    /// Its own policies must grant.
    ByIdentity,
    /// The resource names it: only what is denied and what is limited matters.
    ByResource,
}

fn covers(statement: &Statement) -> bool {
    statement.conditions.is_empty()
        && !statement.not_resource
        && statement
            .resources
            .iter()
            .flatten()
            .any(|pattern| pattern.fixed().is_some_and(Glob::is_any))
}

impl<'a> Lens<'a> {
    pub(super) fn new(
        sets: &Sets,
        documents: &'a [Document],
        bundle: &Bundle,
        action: u16,
    ) -> Lens<'a> {
        let mut lens = Lens {
            allow: Vec::new(),
            deny: Vec::new(),
            limits: Vec::new(),
            blanket: false,
            root: bundle.kind == keymuster_api::IdentityKind::Root,
        };
        for held in &bundle.identity {
            sets.speaking(documents, held, action, Effect::Allow, &mut lens.allow);
        }
        for held in bundle.every() {
            sets.speaking(documents, held, action, Effect::Deny, &mut lens.deny);
        }
        for limit in bundle.limits(documents) {
            let mut allow = Vec::new();
            for held in limit {
                sets.speaking(documents, held, action, Effect::Allow, &mut allow);
            }
            lens.limits.push(allow);
        }
        let any = |statements: &[&Statement]| statements.iter().any(|one| covers(one));
        lens.blanket =
            lens.deny.is_empty() && any(&lens.allow) && lens.limits.iter().all(|limit| any(limit));
        lens
    }

    /// The single resources that are allowed, if there are no patterns among them.
    pub(super) fn named(&self) -> Option<Vec<&'a str>> {
        let mut all = Vec::new();
        for statement in &self.allow {
            if statement.not_resource {
                return None;
            }
            for pattern in statement.resources.iter().flatten() {
                if !pattern.fixed().is_some_and(Glob::is_plain) {
                    return None;
                }
                all.push(&*pattern.text);
            }
        }
        Some(all)
    }

    /// Answers for one resource.
    pub(super) fn weigh(&self, granted: Granted, resource: &str, context: &dyn Lookup) -> Weight {
        let strongest = |statements: &[&Statement], conditions: &mut Vec<String>| {
            let mut best = Tri::No;
            for statement in statements {
                let mut unknown = Vec::new();
                match reaches(statement, resource, context, &mut unknown) {
                    Tri::Yes => return Tri::Yes,
                    Tri::Unknown => {
                        best = Tri::Unknown;
                        conditions.append(&mut unknown);
                    }
                    Tri::No => {}
                }
            }
            best
        };
        let mut conditions = Vec::new();
        let denied = strongest(&self.deny, &mut conditions);
        if denied == Tri::Yes {
            return Weight::no();
        }
        let mut tri = !denied;
        if granted == Granted::ByIdentity && !self.root {
            tri = tri.min(strongest(&self.allow, &mut conditions));
        }
        for limit in &self.limits {
            if tri == Tri::No {
                break;
            }
            tri = tri.min(strongest(limit, &mut conditions));
        }
        if tri != Tri::Unknown {
            return Weight::new(tri, Vec::new());
        }
        conditions.sort();
        conditions.dedup();
        Weight::new(tri, conditions)
    }
}

/// Whether there is a resource of this kind on which all of these actions are allowed, and which.
pub(super) fn somewhere(
    lenses: &[Arc<Lens<'_>>],
    template: &str,
    context: &dyn Lookup,
) -> (Weight, String) {
    if template == "*" {
        let weight = lenses.iter().fold(Weight::yes(), |sum, lens| {
            sum.and(&lens.weigh(Granted::ByIdentity, "*", context))
        });
        return (weight, "*".to_owned());
    }
    let kind = Glob::new(template);
    let mut patterns: BTreeMap<&str, Glob> = BTreeMap::new();
    for lens in lenses {
        for statement in lens.allow.iter().chain(lens.limits.iter().flatten()) {
            if statement.not_resource {
                continue;
            }
            for pattern in statement.resources.iter().flatten() {
                if let Some(glob) = pattern.filled(context)
                    && !glob.is_any()
                {
                    patterns.entry(&pattern.text).or_insert(glob.into_owned());
                }
            }
        }
    }
    let globs: Vec<&Glob> = patterns.values().collect();
    let mut best = (Weight::no(), String::new());
    let mut tries = 0;
    let mut attempt = |parts: &[&Glob]| {
        tries += 1;
        if tries > MAX_TRIES {
            return true;
        }
        let Some(resource) = witness(parts) else {
            return false;
        };
        let weight = lenses.iter().fold(Weight::yes(), |sum, lens| {
            if sum.tri == Tri::No {
                return sum;
            }
            sum.and(&lens.weigh(Granted::ByIdentity, &resource, context))
        });
        let done = weight.tri == Tri::Yes;
        if weight.tri > best.0.tri {
            best = (weight, resource);
        }
        done
    };
    if attempt(&[&kind]) {
        return best;
    }
    for glob in &globs {
        if attempt(&[&kind, glob]) {
            return best;
        }
    }
    for (number, one) in globs.iter().enumerate() {
        for other in &globs[number + 1..] {
            if attempt(&[&kind, one, other]) {
                return best;
            }
        }
    }
    best
}
