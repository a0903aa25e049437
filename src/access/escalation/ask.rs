//! Many questions to one principal, cheaply: which of its statements speak of an action is
//! looked up once, and reasons are kept only where an answer is not certain.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
};

use super::{
    catalogue::{ActionSet, Catalogue, catalogue},
    witness::{Tangled, witness},
};
use crate::access::{
    condition::{Lookup, Tri},
    evaluate::{controls_resources_of, reaches},
    glob::{Glob, Pattern},
    holdings::{Bundle, Held},
    policy::{Document, Effect, Statement},
};

/// So many resources are made and tried for one question.
const MAX_TRIES: usize = 256;
/// So many statements are looked at for one question, tries together.
const MAX_WORK: usize = 500_000;

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

/// What a statement speaks of: which actions of the catalogue, and on what, as a number that
/// statements on the same resources share.
struct Speaks {
    actions: ActionSet,
    on: u32,
}

/// What each statement of each document speaks of.
pub(super) struct Sets {
    of: Vec<Vec<Speaks>>,
}

/// What two statements share if they mean the same resources, whatever the request: whether
/// these are left out, and which they are.
type On<'a> = (bool, Vec<(bool, &'a str)>);

impl Sets {
    pub(super) fn new<'d>(catalogue: &Catalogue, documents: &'d [Document]) -> Sets {
        let mut known: HashMap<&str, ActionSet> = HashMap::new();
        let mut places: HashMap<On<'_>, u32> = HashMap::new();
        let mut count = 0;
        let mut place = |statement: &'d Statement| {
            let fresh = count;
            count += 1;
            if depends(statement) {
                return fresh;
            }
            let texts = statement.resources.iter().flatten();
            let texts = texts
                .map(|pattern| (pattern.fixed().is_some(), &*pattern.text))
                .collect();
            *places
                .entry((statement.not_resource, texts))
                .or_insert(fresh)
        };
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
                            set = set.complement(catalogue.actions.len());
                        }
                        Speaks {
                            actions: set,
                            on: place(statement),
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
            for (statement, speaks) in documents[ix].statements.iter().zip(&self.of[ix]) {
                if statement.effect == Effect::Allow {
                    all.union(&speaks.actions);
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
        out: &mut Vec<(u32, &'a Statement)>,
    ) {
        let ix = held.document as usize;
        for (statement, speaks) in documents[ix].statements.iter().zip(&self.of[ix]) {
            if statement.effect == effect && speaks.actions.contains(action) {
                out.push((speaks.on, statement));
            }
        }
    }
}

/// Whether what a statement means depends on more than action and resource.
fn depends(statement: &Statement) -> bool {
    let mut resources = statement.resources.iter().flatten();
    !statement.conditions.is_empty() || resources.any(Pattern::is_variable)
}

/// What two lenses share if they give the same answers, whatever the request: the numbers of
/// what is allowed, denied and left by each limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LensKey {
    root: bool,
    allow: Vec<u32>,
    deny: Vec<u32>,
    limits: Vec<Vec<u32>>,
}

/// The statements that decide about one action of one principal.
pub(super) struct Lens<'a> {
    allow: Vec<&'a Statement>,
    deny: Vec<&'a Statement>,
    limits: Vec<Vec<&'a Statement>>,
    /// Whether it is allowed on everything, whatever the request.
    pub(super) blanket: bool,
    /// What lenses with the same answers share; `None` where answers depend on the request.
    pub(super) key: Option<Arc<LensKey>>,
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

/// Statements with their numbers: each once, in the order of the numbers.
fn parted(mut all: Vec<(u32, &Statement)>) -> (Vec<u32>, Vec<&Statement>) {
    all.sort_by_key(|(on, _)| *on);
    all.dedup_by_key(|(on, _)| *on);
    all.into_iter().unzip()
}

impl<'a> Lens<'a> {
    pub(super) fn new(
        sets: &Sets,
        documents: &'a [Document],
        bundle: &Bundle,
        action: u16,
    ) -> Lens<'a> {
        let mut allow = Vec::new();
        for held in &bundle.identity {
            sets.speaking(documents, held, action, Effect::Allow, &mut allow);
        }
        let mut deny = Vec::new();
        let controlled = controls_resources_of(&catalogue().actions[usize::from(action)].name);
        let resource = if controlled {
            &bundle.resource
        } else {
            &[][..]
        };
        for held in bundle.own().chain(resource) {
            sets.speaking(documents, held, action, Effect::Deny, &mut deny);
        }
        let mut limits = Vec::new();
        for limit in bundle.limits(documents) {
            let mut allow = Vec::new();
            for held in limit {
                sets.speaking(documents, held, action, Effect::Allow, &mut allow);
            }
            limits.push(parted(allow));
        }
        let ((allow_on, allow), (deny_on, deny)) = (parted(allow), parted(deny));
        let (limits_on, limits): (Vec<_>, Vec<_>) = limits.into_iter().unzip();
        let any = |statements: &[&Statement]| statements.iter().any(|one| covers(one));
        let blanket =
            deny.is_empty() && any(&allow) && limits.iter().all(|limit: &Vec<_>| any(limit));
        let mut all = allow.iter().chain(&deny).chain(limits.iter().flatten());
        let root = bundle.kind == keymuster_api::IdentityKind::Root;
        let key = LensKey {
            root,
            allow: allow_on,
            deny: deny_on,
            limits: limits_on,
        };
        Lens {
            key: (!all.any(|statement| depends(statement))).then(|| Arc::new(key)),
            allow,
            deny,
            limits,
            blanket,
            root,
        }
    }

    /// What the names of allowed resources begin with: nothing else can be allowed. `None` where
    /// anything may be.
    pub(super) fn beginnings(&self) -> Option<Vec<&'a str>> {
        if self.root {
            return None;
        }
        let mut all = Vec::new();
        for statement in &self.allow {
            if statement.not_resource {
                return None;
            }
            for pattern in statement.resources.iter().flatten() {
                let text = &*pattern.text;
                // A variable begins with a dollar sign; where it is none, less is cut off than might.
                let end = text.find(['*', '?', '$']).unwrap_or(text.len());
                if end == 0 {
                    return None;
                }
                all.push(&text[..end]);
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
    lenses: &[Rc<Lens<'_>>],
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
    // Patterns by text, each with the sets of statements that have it.
    let sets = lenses
        .iter()
        .flat_map(|lens| std::iter::once(&lens.allow).chain(&lens.limits));
    let mut patterns: BTreeMap<&str, (Glob, Vec<usize>)> = BTreeMap::new();
    let mut statements = 1;
    for (number, set) in sets.enumerate() {
        statements += set.len();
        for statement in set.iter().filter(|statement| !statement.not_resource) {
            for pattern in statement.resources.iter().flatten() {
                if let Some(glob) = pattern.filled(context)
                    && !glob.is_any()
                    && kind.may_meet(&glob)
                {
                    let entry = patterns
                        .entry(&pattern.text)
                        .or_insert_with(|| (glob.into_owned(), Vec::new()));
                    entry.1.push(number);
                }
            }
        }
    }
    let mut search = Search {
        lenses,
        context,
        left: (MAX_WORK / statements).clamp(4, MAX_TRIES),
        given_up: false,
        best: (Weight::no(), String::new()),
    };
    let all: Vec<&(Glob, Vec<usize>)> = patterns.values().collect();
    // A name without wildcards is its own witness: with another pattern it makes no other.
    let wild: Vec<_> = all.iter().filter(|(glob, _)| !glob.is_plain()).collect();
    let pairs = wild.iter().enumerate().flat_map(|(at, one)| {
        let others = wild[at + 1..].iter();
        // Patterns of one set are alternatives.
        let others = others.filter(move |(_, sets)| one.1 != *sets || one.1.len() > 1);
        others.map(move |other| (&one.0, &other.0))
    });
    let _ = search.attempt(&[&kind])
        || all.iter().any(|(glob, _)| search.attempt(&[&kind, glob]))
        || pairs
            .into_iter()
            .any(|(one, other)| search.attempt(&[&kind, one, other]));
    if search.given_up && search.best.0.tri == Tri::No {
        let reason = "patterns too many or too tangled to be compared".to_owned();
        return (Weight::new(Tri::Unknown, vec![reason]), template.to_owned());
    }
    search.best
}

/// Resources are made and tried, until one is surely allowed.
struct Search<'s, 'a> {
    lenses: &'s [Rc<Lens<'a>>],
    context: &'s dyn Lookup,
    left: usize,
    given_up: bool,
    best: (Weight, String),
}

impl Search<'_, '_> {
    /// Tries a resource that all patterns mean; whether the search is over.
    fn attempt(&mut self, parts: &[&Glob]) -> bool {
        if self.left == 0 {
            self.given_up = true;
            return true;
        }
        self.left -= 1;
        let resource = match witness(parts) {
            Ok(Some(resource)) => resource,
            Ok(None) => return false,
            Err(Tangled) => {
                self.given_up = true;
                return false;
            }
        };
        let weight = self.lenses.iter().fold(Weight::yes(), |sum, lens| {
            if sum.tri == Tri::No {
                return sum;
            }
            sum.and(&lens.weigh(Granted::ByIdentity, &resource, self.context))
        });
        let done = weight.tri == Tri::Yes;
        if weight.tri > self.best.0.tri {
            self.best = (weight, resource);
        }
        done
    }
}
