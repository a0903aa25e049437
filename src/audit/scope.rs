//! Scopes: what was seen completely, so that absence from it means something.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{About, Gap, ResourceKind, Status};

use super::{CheckCx, Finding, Subject};
use crate::estate::Credential;

/// One scope of one connector.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    /// What was counted there, lower case.
    pub(super) whats: BTreeSet<String>,
    /// Counts that are not complete: what, received, expected, source.
    pub(super) partial: Vec<&'a keymuster_api::Coverage>,
    /// What was not seen.
    pub(super) gaps: Vec<&'a Gap>,
    /// The connectors that speak of it.
    systems: BTreeSet<u32>,
    /// Whether it is a repository or a tree, whose connector answers for it alone.
    source: bool,
}

/// Every scope, by name.
pub(super) struct Scopes<'a> {
    pub(super) all: BTreeMap<String, Scope<'a>>,
    /// Connectors with gaps that no scope takes.
    unplaced: BTreeSet<u32>,
}

impl<'a> Scopes<'a> {
    /// Reads coverage and gaps of a run.
    pub(super) fn of(cx: &CheckCx<'a>) -> Scopes<'a> {
        let gathered = &cx.estate.gathered;
        let mut all: BTreeMap<String, Scope<'a>> = BTreeMap::new();
        // By connector: the words a gap may name a scope with.
        let mut words: BTreeMap<(u32, &str), &str> = BTreeMap::new();
        let mut sources: BTreeSet<(u32, &str)> = BTreeSet::new();
        for resource in &gathered.resources {
            if matches!(resource.kind, ResourceKind::Repository | ResourceKind::Tree) {
                sources.insert((resource.system.0, resource.name.as_str()));
            }
        }
        for coverage in &gathered.coverage {
            let system = coverage.source.system.0;
            let scope = all.entry(coverage.scope.clone()).or_default();
            scope.whats.insert(coverage.what.to_lowercase());
            scope.systems.insert(system);
            let tail = tail(&coverage.scope);
            scope.source |= sources.contains(&(system, tail));
            if !coverage.complete {
                scope.partial.push(coverage);
            }
            words.insert((system, coverage.scope.as_str()), coverage.scope.as_str());
            words.insert((system, tail), coverage.scope.as_str());
        }
        for resource in &gathered.resources {
            let system = resource.system.0;
            if let Some(&scope) = words.get(&(system, resource.name.as_str())) {
                words
                    .entry((system, resource.location.as_str()))
                    .or_insert(scope);
            }
        }
        let mut unplaced = BTreeSet::new();
        for gap in &gathered.gaps {
            let system = gap.source.system.0;
            let scope = [&gap.subject, &gap.source.locator]
                .into_iter()
                .find_map(|text| named(&words, system, text));
            match scope {
                Some(scope) => all.entry(scope.to_owned()).or_default().gaps.push(gap),
                None => {
                    unplaced.insert(system);
                    let about = gathered.systems.get(system as usize);
                    let name = about.map_or_else(|| format!("connector {system}"), system_scope);
                    all.entry(name).or_default().gaps.push(gap);
                }
            }
        }
        Scopes { all, unplaced }
    }

    /// Whether everything of a scope was seen: it was counted, each count is complete, and
    /// nothing is missing. A gap that cannot be placed counts against every account of its
    /// connector; a repository's or tree's own count answers for it.
    pub(super) fn is_complete(&self, name: &str) -> bool {
        self.all.get(name).is_some_and(|scope| {
            !scope.whats.is_empty()
                && scope.partial.is_empty()
                && scope.gaps.is_empty()
                && (scope.source || scope.systems.is_disjoint(&self.unplaced))
        })
    }
}

/// The part of a scope's name behind its connector: `payments-api` of `git:payments-api`.
fn tail(scope: &str) -> &str {
    scope.split_once(':').map_or(scope, |(_, tail)| tail)
}

/// The scope that a gap's text names: by its whole, by its longest beginning that ends at a
/// boundary, else by one of its words.
fn named<'w>(words: &BTreeMap<(u32, &str), &'w str>, system: u32, text: &str) -> Option<&'w str> {
    let boundary = |c: char| c == ':' || c == '/' || c == '@' || c == ',' || c.is_whitespace();
    let whole = words.get(&(system, text));
    whole
        .or_else(|| {
            text.rmatch_indices(boundary)
                .find_map(|(at, _)| words.get(&(system, &text[..at])))
        })
        .or_else(|| {
            text.split(boundary)
                .find_map(|word| words.get(&(system, word)))
        })
        .copied()
}

/// The scope of what a connector cannot place.
pub(super) fn system_scope(about: &About) -> String {
    format!("{}: {}", about.kind, about.label)
}

/// `aws:123456789012`.
pub(super) fn account_scope(provider: &str, account: &str) -> String {
    format!("{provider}:{account}")
}

/// Before the scope of a place where a listed credential was seen: it says nothing about whether
/// the credential is gone, and all about what a check made of its exposure.
pub(super) const PLACE: &str = "place:";

/// What a later run must know to tell "gone" from "not seen".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    /// Whether a system listed the subject.
    pub listed: bool,
    /// The scopes that would show it, sorted; behind `place:` those where a listed one was seen.
    pub scopes: Vec<String>,
}

/// The coverage of a run, indexed by what credentials know of their scopes.
pub struct Trails<'a> {
    cx: &'a CheckCx<'a>,
    /// By connector.
    by_system: BTreeMap<u32, BTreeSet<&'a str>>,
    /// By connector and the name of the resource.
    by_resource: BTreeMap<(u32, &'a str), &'a str>,
    all: BTreeSet<&'a str>,
}

impl<'a> Trails<'a> {
    /// Indexes the coverage of a run.
    pub fn new(cx: &'a CheckCx<'a>) -> Trails<'a> {
        let mut trails = Trails {
            cx,
            by_system: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            all: BTreeSet::new(),
        };
        for coverage in &cx.estate.gathered.coverage {
            let (system, scope) = (coverage.source.system.0, coverage.scope.as_str());
            trails.by_system.entry(system).or_default().insert(scope);
            trails
                .by_resource
                .entry((system, tail(scope)))
                .or_insert(scope);
            trails.all.insert(scope);
        }
        trails
    }

    /// What to remember of a finding.
    pub fn of(&self, finding: &Finding) -> Trail {
        let cx = self.cx;
        let (listed, scopes) = match &finding.subject {
            Subject::Credential(ix) => {
                let credential = cx.credential(*ix);
                (credential.listed, self.scopes_of(credential))
            }
            Subject::Identity(ix) => {
                let identity = &cx.estate.identities[*ix as usize];
                let provider = cx.text(identity.provider);
                let account = identity
                    .account
                    .map(|account| account_scope(provider, cx.text(account)));
                (true, account.into_iter().collect())
            }
            Subject::Scope(name) => (false, BTreeSet::from([name.clone()])),
            Subject::Record(_) | Subject::Entry(..) => (false, BTreeSet::new()),
        };
        Trail {
            listed,
            scopes: scopes.into_iter().collect(),
        }
    }

    /// The scopes that would show a credential if it were still there.
    fn scopes_of(&self, credential: &'a Credential) -> BTreeSet<String> {
        let cx = self.cx;
        if credential.listed {
            let provider = cx.text(credential.provider);
            let account = credential
                .account
                .map(|account| account_scope(provider, cx.text(account)));
            let places = self
                .places_of(credential)
                .map(|scope| format!("{PLACE}{scope}"));
            let mut listing: BTreeSet<String> = match account {
                Some(scope) if self.all.contains(scope.as_str()) => BTreeSet::from([scope]),
                // The connector names its scopes otherwise: all of them must have been seen.
                _ => credential
                    .sources
                    .iter()
                    .filter_map(|source| self.by_system.get(&source.system.0))
                    .flatten()
                    .map(|scope| (*scope).to_owned())
                    .collect(),
            };
            listing.extend(places);
            return listing;
        }
        self.places_of(credential).collect()
    }

    /// The scopes of the places where it was seen.
    fn places_of(&self, credential: &'a Credential) -> impl Iterator<Item = String> {
        let cx = self.cx;
        cx.estate.sightings(credential).map(|sighting| {
            let resource = cx.estate.resource_of(sighting);
            let scope = self
                .by_resource
                .get(&(resource.system.0, resource.name.as_str()));
            // Without a count of its own nothing ever says that it was seen completely.
            scope.map_or_else(
                || format!("?:{}", resource.name),
                |scope| (*scope).to_owned(),
            )
        })
    }
}

/// Whether a system proves that a credential is dead.
pub(super) fn proven_dead(credential: &Credential) -> bool {
    credential.listed && matches!(credential.status, Status::Disabled | Status::Revoked)
}

#[cfg(test)]
mod tests {
    use super::Scopes;
    use crate::audit::checks::testing::World;

    #[test]
    fn a_gap_counts_against_the_scope_it_names() {
        let mut world = World::new();
        world.covered("git:a");
        world.covered("git:ab");
        world.gap("a/src/big.bin");
        let cx = world.cx();
        let scopes = Scopes::of(&cx);
        assert!(!scopes.is_complete("git:a"));
        assert!(!scopes.is_complete("git:nowhere"));
        // `a` is not `ab`; but an account takes no unplaced gaps.
        assert!(scopes.is_complete("git:ab"));
    }

    #[test]
    fn an_unplaced_gap_counts_against_the_accounts_of_its_connector() {
        let mut world = World::new();
        world.covered("aws:111122223333");
        assert!(Scopes::of(&world.cx()).is_complete("aws:111122223333"));
        world.gap("credential-report.csv");
        assert!(!Scopes::of(&world.cx()).is_complete("aws:111122223333"));
    }
}
