//! Who must act on a finding, and why they.

use std::collections::BTreeMap;

use keymuster_api::ClaimRole;

use super::{
    CheckCx,
    party::{Directory, Party, address},
    subject::Owner,
};
use crate::{estate::Credential, inventory::Person};

/// Where findings go that nobody else can be asked about.
pub(super) const LAST_RESORT: &str = "security";

/// The addressee and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) to: String,
    pub(super) reason: String,
}

/// Somebody who might be asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// Not known to the directory.
    unknown: bool,
    /// What is left of a doubt of 1000, the more that speaks for them the less.
    doubt: u32,
    /// As the source writes it.
    pub(super) party: String,
    /// In what capacity, by the strongest source.
    pub(super) role: String,
    /// Where; then further places that speak for them.
    pub(super) source: String,
}

/// Routes to the owner who is there, else to the manager or team of the one who left, else to
/// the best candidate, else to the last resort.
pub(super) fn route(
    directory: Option<&Directory<'_>>,
    owner: Option<&Owner>,
    candidates: &[Candidate],
) -> Route {
    let Some(owner) = owner else {
        return best(candidates, "no owner is named");
    };
    let Some(directory) = directory else {
        return Route {
            to: owner.party.clone(),
            reason: format!(
                "owner says {}; no people directory to check against",
                owner.source
            ),
        };
    };
    match directory.party(&owner.party) {
        Party::Active(_) | Party::Team(_) => Route {
            to: owner.party.clone(),
            reason: format!("owner says {}", owner.source),
        },
        Party::Unknown => Route {
            to: owner.party.clone(),
            reason: format!("owner says {}; not in the people directory", owner.source),
        },
        Party::Left(person) => successor(directory, person),
        Party::Dissolved(team) => {
            best(candidates, &format!("nobody is left of team {}", team.name))
        }
    }
}

fn successor(directory: &Directory<'_>, left: &Person) -> Route {
    let manager = left.manager.as_deref().map(|name| directory.party(name));
    if let Some(Party::Active(manager)) = manager {
        return Route {
            to: address(manager).to_owned(),
            reason: format!("manager of {}, who left", left.id),
        };
    }
    let team = left.team.as_deref().map(|name| directory.party(name));
    if let Some(Party::Team(team)) = team {
        return Route {
            to: team.name.clone(),
            reason: format!("team of {}, who left", left.id),
        };
    }
    Route {
        to: LAST_RESORT.to_owned(),
        reason: format!("{} left, and neither manager nor team are there", left.id),
    }
}

fn best(candidates: &[Candidate], why: &str) -> Route {
    match candidates.first() {
        Some(candidate) => Route {
            to: candidate.party.clone(),
            reason: format!("{why}; {} says {}", candidate.role, candidate.source),
        },
        None => Route {
            to: LAST_RESORT.to_owned(),
            reason: format!("{why}, and nobody is near it"),
        },
    }
}

/// What speaks for somebody: how much in permille, in what capacity, where.
type Vote = (u32, String, String);

/// Everybody for whom something speaks.
struct Votes<'a, 'd> {
    directory: Option<&'d Directory<'a>>,
    /// By whom the directory knows them as, else by what they are called.
    all: BTreeMap<String, (bool, String, Vec<Vote>)>,
}

impl Votes<'_, '_> {
    /// Somebody who left is asked about no more; those who took over are.
    fn add(&mut self, party: &str, weight: u32, role: &str, source: String) {
        if party.trim().is_empty() {
            return;
        }
        let Some(directory) = self.directory else {
            self.count(
                party.trim().to_lowercase(),
                true,
                party,
                weight,
                role,
                source,
            );
            return;
        };
        match directory.party(party) {
            Party::Active(person) => {
                let key = format!("person {}", person.id);
                self.count(key, false, party, weight, role, source);
            }
            Party::Team(team) => {
                let key = format!("team {}", team.name);
                self.count(key, false, party, weight, role, source);
            }
            Party::Unknown => {
                self.count(
                    party.trim().to_lowercase(),
                    true,
                    party,
                    weight,
                    role,
                    source,
                );
            }
            Party::Left(person) => {
                let manager = person.manager.as_deref().map(|name| directory.party(name));
                if let Some(Party::Active(manager)) = manager {
                    let key = format!("person {}", manager.id);
                    let role = format!("manager of the {role}, who left");
                    self.count(key, false, address(manager), weight / 3, &role, source);
                }
            }
            Party::Dissolved(_) => {}
        }
    }

    fn count(
        &mut self,
        key: String,
        unknown: bool,
        party: &str,
        weight: u32,
        role: &str,
        source: String,
    ) {
        let entry = self.all.entry(key);
        let (_, _, votes) = entry.or_insert_with(|| (unknown, party.to_owned(), Vec::new()));
        // Ten commits to one repository speak once.
        let place = |source: &str| source.split('@').next().map(str::to_owned);
        let before = votes
            .iter_mut()
            .find(|(_, known, at)| known == role && place(at) == place(&source));
        match before {
            Some(before) if before.0 >= weight => {}
            Some(before) => *before = (weight, role.to_owned(), source),
            None => votes.push((weight, role.to_owned(), source)),
        }
    }

    fn ranked(self) -> Vec<Candidate> {
        let all = self.all.into_values();
        let mut ranked: Vec<Candidate> = all
            .map(|(unknown, party, mut votes)| {
                votes.sort_by(|a, b| (b.0, &a.1, &a.2).cmp(&(a.0, &b.1, &b.2)));
                let doubt = votes.iter().fold(1000, |doubt, (weight, ..)| {
                    doubt * (1000 - weight.min(&999)) / 1000
                });
                let sources: Vec<&str> = votes.iter().take(3).map(|vote| vote.2.as_str()).collect();
                Candidate {
                    unknown,
                    doubt,
                    role: votes.first().map(|vote| vote.1.clone()).unwrap_or_default(),
                    source: sources.join(", "),
                    party,
                }
            })
            .collect();
        ranked.sort();
        ranked
    }
}

/// Who might be asked, best first: those the directory knows before others, then by how much
/// speaks for them. A line of CODEOWNERS or of the catalogue says most, then who made it, then
/// who wrote it; several that agree say more than one. Somebody who left is none.
pub(super) fn candidates<'a>(
    cx: &CheckCx<'a>,
    directory: Option<&Directory<'_>>,
    claims: &[u32],
    credentials: impl Iterator<Item = &'a Credential>,
) -> Vec<Candidate> {
    let mut votes = Votes {
        directory,
        all: BTreeMap::new(),
    };
    for claim in cx.estate.claims(claims) {
        let (permille, role) = match claim.role {
            ClaimRole::Owner => continue,
            ClaimRole::Maintainer => (8, "maintainer"),
            ClaimRole::Creator => (6, "creator"),
            ClaimRole::Author => (10, "author"),
        };
        let weight = permille * u32::from(claim.confidence.min(100));
        votes.add(&claim.party, weight, role, claim.source.locator.clone());
    }
    for credential in credentials {
        for sighting in cx.counted(credential).filter(|sighting| !sighting.public) {
            for commit in sighting.introduced.iter().flatten() {
                let resource = &cx.estate.resource_of(sighting).name;
                let source = format!("{resource}@{}", commit.id);
                votes.add(&commit.author, 300, "author", source);
            }
        }
    }
    votes.ranked()
}
