//! What ties facts and sightings: a natural key, a public handle that names one credential, what a
//! host publishes of it, the keyed name of the secret.

use std::collections::BTreeMap;

use keymuster_api::{SecretId, tie};

use super::Gathered;

/// Schemes whose values name a principal or an issuer, under which several credentials live.
const SHARED_SCHEMES: &[&str] = &[
    "arn",
    "client-email",
    "jwt-subject",
    "jwt-issuer",
    "user",
    "account",
];

/// What makes two things one credential.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Tie<'a> {
    Key(&'a str),
    Handle(&'a str, &'a str),
    Secret(SecretId),
}

/// A fact or a sighting, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Member {
    Listed(u32),
    Seen(u32),
}

/// Groups of facts and sightings that are tied, each sorted.
pub(super) fn group(gathered: &Gathered) -> Vec<Vec<Member>> {
    let mut members = Vec::new();
    let mut ties: Vec<Vec<Tie<'_>>> = Vec::new();
    // What hosts publish about their credentials, sealed.
    let mut published: BTreeMap<&str, Vec<Tie<'_>>> = BTreeMap::new();
    for setting in &gathered.settings {
        if tie::ALL.contains(&setting.name.as_str()) {
            let tie = Tie::Handle(&setting.name, &setting.value);
            published.entry(&setting.subject.0).or_default().push(tie);
        }
    }
    for (index, fact) in (0u32..).zip(&gathered.credentials) {
        let mut own = vec![Tie::Key(&fact.key.0)];
        own.extend(
            fact.handle
                .as_ref()
                .filter(|h| names_one(&h.scheme))
                .map(|h| Tie::Handle(&h.scheme, &h.value)),
        );
        own.extend(fact.secret.map(Tie::Secret));
        own.extend(published.remove(fact.key.0.as_str()).into_iter().flatten());
        members.push(Member::Listed(index));
        ties.push(own);
    }
    for (index, sighting) in (0u32..).zip(&gathered.sightings) {
        let handle = sighting
            .details
            .handle
            .as_ref()
            .filter(|h| names_one(&h.scheme));
        let mut own: Vec<Tie<'_>> = handle
            .map(|h| Tie::Handle(&h.scheme, &h.value))
            .into_iter()
            .collect();
        if !sighting.public || own.is_empty() {
            own.push(Tie::Secret(sighting.secret));
        }
        let facts = sighting.details.facts.iter();
        let facts = facts.filter(|(name, _)| tie::ALL.contains(&name.as_str()));
        own.extend(facts.map(|(name, value)| Tie::Handle(name, value)));
        members.push(Member::Seen(index));
        ties.push(own);
    }
    let mut sets = Sets::new(members.len());
    let mut first: BTreeMap<&Tie<'_>, usize> = BTreeMap::new();
    for (index, own) in ties.iter().enumerate() {
        for tie in own {
            match first.get(tie) {
                Some(&other) => sets.unite(index, other),
                None => {
                    first.insert(tie, index);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    for (index, member) in members.into_iter().enumerate() {
        groups.entry(sets.root(index)).or_default().push(member);
    }
    groups.into_values().collect()
}

pub(super) fn names_one(scheme: &str) -> bool {
    !SHARED_SCHEMES.contains(&scheme)
}

/// Disjoint sets, the smallest member as root, so that the outcome does not depend on order.
struct Sets(Vec<usize>);

impl Sets {
    fn new(len: usize) -> Sets {
        Sets((0..len).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
