//! Which slots a name can mean.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Slot, SlotUse};

use crate::estate::Gathered;

/// What a use was found to mean.
#[derive(Default)]
pub(super) struct Found {
    pub(super) slots: Vec<u32>,
    /// Slots that are shadowed, each with the one before it.
    pub(super) shadowed: Vec<(u32, u32)>,
    /// Whether only the run knows which.
    pub(super) open: bool,
    pub(super) phantom: bool,
}

/// Indices over what was gathered.
pub(super) struct Book<'g> {
    gathered: &'g Gathered,
    /// Slots by store and scope without environment.
    slots: BTreeMap<(&'g str, &'g str), Vec<u32>>,
    consumers: BTreeMap<&'g str, u32>,
    /// Scopes and stores of which everything is known.
    complete: BTreeSet<(&'g str, &'g str)>,
    /// Scopes below which a number of repositories is expected.
    expected: BTreeMap<&'g str, u64>,
    /// Scopes of which every pipeline was read.
    read: BTreeSet<&'g str>,
}

/// What the coverage of pipelines is called by the connector that reads them.
const PIPELINES: &str = "pipelines and manifests";
/// What the coverage of an organisation's repositories is called.
const REPOSITORIES: &str = "repositories";
/// What the coverage of a repository's environments is called.
const ENVIRONMENTS: &str = "environments";

impl<'g> Book<'g> {
    pub(super) fn new(gathered: &'g Gathered) -> Book<'g> {
        let mut slots: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
        for (number, slot) in (0u32..).zip(&gathered.slots) {
            let (base, _) = parts(&slot.scope);
            slots.entry((&slot.store, base)).or_default().push(number);
        }
        let consumers = (0u32..).zip(&gathered.consumers);
        let whole = gathered.coverage.iter().filter(|one| one.complete);
        let of = |what: &'static str| whole.clone().filter(move |one| one.what == what);
        Book {
            slots,
            consumers: consumers
                .map(|(number, one)| (one.key.0.as_str(), number))
                .collect(),
            complete: whole
                .clone()
                .map(|one| (one.scope.as_str(), one.what.as_str()))
                .collect(),
            expected: of(REPOSITORIES)
                .map(|one| (one.scope.as_str(), one.received))
                .collect(),
            read: of(PIPELINES).map(|one| one.scope.as_str()).collect(),
            gathered,
        }
    }

    pub(super) fn consumer(&self, key: &str) -> Option<u32> {
        self.consumers.get(key).copied()
    }

    pub(super) fn find(&self, use_: &SlotUse) -> Found {
        let mut found = Found::default();
        let by = self.consumer(&use_.by.0);
        let who = by.map_or("", |number| {
            self.gathered.consumers[number as usize].scope.as_str()
        });
        for scope in &use_.scopes {
            let (base, environment) = parts(scope);
            let here = self.slots.get(&(use_.store.as_str(), base));
            let fits = |number: &&u32| {
                let slot = &self.gathered.slots[**number as usize];
                let (_, pattern) = parts(&slot.scope);
                lives(pattern, environment)
                    && use_
                        .name
                        .as_ref()
                        .is_none_or(|name| *name == slot.name || is_same(slot, name))
                    && is_visible(slot, who)
            };
            let mut all: Vec<u32> = here.into_iter().flatten().filter(fits).copied().collect();
            all.sort_by_key(|&number| {
                std::cmp::Reverse(
                    parts(&self.gathered.slots[number as usize].scope)
                        .1
                        .map_or(0, str::len),
                )
            });
            let any = environment == Some("*");
            if any || use_.name.is_none() {
                found.open |= !all.is_empty();
                found.slots.extend(all);
                continue;
            }
            for number in all {
                match found.slots.first() {
                    Some(&first) if !found.open => found.shadowed.push((number, first)),
                    _ => found.slots.push(number),
                }
            }
        }
        found.slots.sort_unstable();
        found.slots.dedup();
        found.phantom = found.slots.is_empty()
            && use_.name.is_some()
            && use_.certain
            && !use_.scopes.is_empty()
            && use_
                .scopes
                .iter()
                .all(|scope| self.is_known(scope, &use_.store));
        found
    }

    /// Whether all slots of a store in a scope are known. Of an environment that is not there,
    /// all is known as soon as all environments are.
    fn is_known(&self, scope: &str, store: &str) -> bool {
        let (base, environment) = parts(scope);
        let told = |scope: &str, what: &str| self.complete.contains(&(scope, what));
        match environment {
            None => told(scope, store),
            Some("*") => false,
            Some(_) => {
                let listed = self.gathered.coverage.iter().any(|one| one.scope == scope);
                told(scope, store)
                    || (!listed && told(base, ENVIRONMENTS))
                    // GitLab lists variables of all environments with their project or group.
                    || (store.starts_with("gitlab") && told(base, store))
            }
        }
    }

    /// Whether everything that could name a slot was read: the pipelines of its repository, or
    /// of all repositories below its scope.
    pub(super) fn all_read(&self, slot: &Slot) -> bool {
        let (base, _) = parts(&slot.scope);
        if self.read.contains(base) {
            return true;
        }
        let below = format!("{base}/");
        let read = self
            .read
            .iter()
            .filter(|scope| scope.starts_with(&below))
            .count() as u64;
        self.expected
            .get(base)
            .is_some_and(|&expected| expected > 0 && read >= expected)
    }
}

/// A scope without its environment, and the environment.
fn parts(scope: &str) -> (&str, Option<&str>) {
    match scope.split_once('@') {
        Some((base, environment)) => (base, Some(environment)),
        None => (scope, None),
    }
}

/// Whether a slot of this environment (a pattern) is one that a scope with that environment has.
fn lives(pattern: Option<&str>, environment: Option<&str>) -> bool {
    match (pattern, environment) {
        (None, None) => true,
        (Some(_), Some("*")) => true,
        (Some(pattern), Some(environment)) => fits(pattern, environment),
        _ => false,
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn is_same(slot: &Slot, name: &str) -> bool {
    keymuster_api::slot_name(&slot.store, &slot.name) == *name
}

/// Whether a repository gets the slot: one of an organisation may be for selected ones.
fn is_visible(slot: &Slot, scope: &str) -> bool {
    let selected = slot.property("visibility").any(|value| value == "selected");
    !selected || slot.property("repository").any(|one| one == scope)
}
