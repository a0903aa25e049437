//! What the catalogue says about single credentials: claims of those who look after the places
//! and the services they belong to.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Claim, ClaimRole, Key, Source, SystemId};

use super::{Catalogue, CodeOwners, Component};
use crate::{
    estate::{Credential, Estate},
    inventory::{Inventory, Matches, text::squeezed},
};

/// Trust in percent: a line about a part of a repository, one about all of it, one of an
/// optional section, the service that a credential is of.
const PART: u8 = 75;
const WHOLE: u8 = 55;
const OPTIONAL: u8 = 45;
const SERVICE: u8 = 70;
/// Places of one credential that are looked at.
const MOST_PLACES: usize = 64;

struct Index<'a> {
    code_owners: BTreeMap<String, Vec<(&'a CodeOwners, &'a str)>>,
    by_repository: BTreeMap<String, Vec<&'a Component>>,
    by_name: BTreeMap<String, Vec<&'a Component>>,
}

impl<'a> Index<'a> {
    fn new(catalogue: &'a Catalogue) -> Index<'a> {
        let mut index = Index {
            code_owners: BTreeMap::new(),
            by_repository: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        for (repository, owners, label) in &catalogue.code_owners {
            let of = index.code_owners.entry(last(repository)).or_default();
            of.push((owners, label));
        }
        for component in &catalogue.components {
            for repository in &component.repositories {
                let of = index.by_repository.entry(last(repository)).or_default();
                of.push(component);
            }
            for name in &component.names {
                index
                    .by_name
                    .entry(squeezed(name))
                    .or_default()
                    .push(component);
            }
        }
        index
    }
}

/// The last part of a repository's name: clones do not know whose they are.
fn last(name: &str) -> String {
    let name = name.trim_end_matches('/');
    name.rsplit('/').next().unwrap_or(name).to_lowercase()
}

/// A claim about one credential: who, how sure, where.
type Found = (String, u8, String);

/// Adds what the catalogue says to the estate's claims. `matches` tells the record's system,
/// which may be a service of the catalogue.
pub fn attach_claims(
    estate: &mut Estate,
    catalogue: &Catalogue,
    inventory: Option<&Inventory>,
    matches: &Matches,
) {
    if catalogue.components.is_empty() && catalogue.code_owners.is_empty() {
        return;
    }
    let index = Index::new(catalogue);
    let mut all: Vec<(usize, Vec<Found>)> = Vec::new();
    for (at, credential) in estate.credentials.iter().enumerate() {
        let accepted = matches.accepted.get(at).and_then(Option::as_ref);
        let record = accepted.and_then(|found| inventory?.records.get(found.record as usize));
        let system = record.and_then(|record| record.system.as_deref());
        let found = about(estate, credential, &index, system);
        if !found.is_empty() {
            all.push((at, found));
        }
    }
    for (at, found) in all {
        let subject = Key(estate.text(estate.credentials[at].subject).to_owned());
        for (party, confidence, locator) in found {
            let number = estate.gathered.claims.len() as u32;
            estate.gathered.claims.push(Claim {
                subject: subject.clone(),
                party,
                role: ClaimRole::Maintainer,
                observed: None,
                confidence,
                source: Source {
                    // No connector says so; the file does.
                    system: SystemId(u32::MAX),
                    locator,
                },
            });
            estate.credentials[at].claims.push(number);
        }
    }
}

fn about(
    estate: &Estate,
    credential: &Credential,
    index: &Index<'_>,
    system: Option<&str>,
) -> Vec<Found> {
    let mut found: BTreeMap<(String, String), u8> = BTreeMap::new();
    let mut add = |party: &str, confidence: u8, locator: String| {
        let known = found.entry((party.to_owned(), locator)).or_default();
        *known = confidence.max(*known);
    };
    let mut services: BTreeSet<&str> = BTreeSet::new();
    for sighting in estate.sightings(credential).take(MOST_PLACES) {
        let repository = last(&estate.resource_of(sighting).name);
        for (owners, label) in index.code_owners.get(&repository).into_iter().flatten() {
            for owner in owners.owners(&sighting.path) {
                let confidence = match (owner.optional, owner.everything) {
                    (true, _) => OPTIONAL,
                    (false, true) => WHOLE,
                    (false, false) => PART,
                };
                add(owner.party, confidence, format!("{label}:{}", owner.line));
            }
        }
        for component in index.by_repository.get(&repository).into_iter().flatten() {
            if let Some(owner) = &component.owner {
                add(owner, SERVICE, component.source.clone());
            }
        }
    }
    if let Some(identity) = estate.identity_of(credential) {
        for &(tag, value) in &identity.tags {
            let tag = squeezed(estate.text(tag));
            if matches!(
                tag.as_str(),
                "application" | "app" | "system" | "service" | "component"
            ) {
                services.insert(estate.text(value));
            }
        }
    }
    services.extend(system);
    for service in services {
        for component in index.by_name.get(&squeezed(service)).into_iter().flatten() {
            if let Some(owner) = &component.owner {
                add(owner, SERVICE, component.source.clone());
            }
        }
    }
    found
        .into_iter()
        .map(|((party, locator), confidence)| (party, confidence, locator))
        .collect()
}
