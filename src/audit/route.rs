//! Who must act on a finding, and why they.

use std::collections::BTreeSet;

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
    /// Maintainer, creator, author.
    rank: u8,
    /// Doubt in percent.
    doubt: u8,
    /// As the source writes it.
    pub(super) party: String,
    /// In what capacity.
    pub(super) role: &'static str,
    /// Where.
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

/// Who might be asked, best first: those the directory knows, then maintainers before creators
/// before authors. Somebody who left is none.
pub(super) fn candidates<'a>(
    cx: &CheckCx<'a>,
    directory: Option<&Directory<'_>>,
    claims: &[u32],
    credentials: impl Iterator<Item = &'a Credential>,
) -> Vec<Candidate> {
    let mut all = BTreeSet::new();
    let mut add = |party: &str, rank: u8, role, doubt, source: String| {
        let known = directory.map_or(Party::Unknown, |directory| directory.party(party));
        if known.is_gone() || party.trim().is_empty() {
            return;
        }
        all.insert(Candidate {
            unknown: known == Party::Unknown,
            rank,
            doubt,
            party: party.to_owned(),
            role,
            source,
        });
    };
    for claim in cx.estate.claims(claims) {
        let (rank, role) = match claim.role {
            ClaimRole::Owner => continue,
            ClaimRole::Maintainer => (0, "maintainer"),
            ClaimRole::Creator => (1, "creator"),
            ClaimRole::Author => (2, "author"),
        };
        let doubt = 100 - claim.confidence.min(100);
        add(
            &claim.party,
            rank,
            role,
            doubt,
            claim.source.locator.clone(),
        );
    }
    for credential in credentials {
        for sighting in cx.counted(credential).filter(|sighting| !sighting.public) {
            for commit in sighting.introduced.iter().flatten() {
                let resource = &cx.estate.resource_of(sighting).name;
                add(
                    &commit.author,
                    2,
                    "author",
                    50,
                    format!("{resource}@{}", commit.id),
                );
            }
        }
    }
    all.into_iter().collect()
}
