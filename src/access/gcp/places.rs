//! Projects, folders, organisations: what is below what.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::AccessFacts;

/// The hierarchy, as far as exports tell.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    above: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// The one organisation that is spoken of: what nothing is known to be above of is in it.
    only: Option<&'a str>,
}

impl<'a> Places<'a> {
    /// Reads memberships of places.
    pub(super) fn new(facts: &AccessFacts<'a>) -> Places<'a> {
        let mut places = Places::default();
        let mut organizations: BTreeSet<&str> = BTreeSet::new();
        for membership in facts.memberships {
            let (Some(place), Some(above)) = (
                membership.member.0.strip_prefix("gcp:"),
                membership.group.0.strip_prefix("gcp:"),
            ) else {
                continue;
            };
            places.above.entry(place).or_default().insert(above);
            organizations.extend(
                [above]
                    .iter()
                    .filter(|one| one.starts_with("organization/")),
            );
        }
        for policy in facts.policies {
            if let Some(place) = policy.key.0.strip_prefix("gcp:policy:")
                && place.starts_with("organization/")
            {
                organizations.insert(place);
            }
        }
        if organizations.len() == 1 {
            places.only = organizations.first().copied();
        }
        places
    }

    /// A place and everything above it.
    pub(super) fn up<'p>(&'p self, place: &'p str) -> Vec<&'p str> {
        let mut all = vec![place];
        let mut at = 0;
        while let Some(one) = all.get(at).copied() {
            for &above in self.above.get(one).into_iter().flatten() {
                if !all.contains(&above) {
                    all.push(above);
                }
            }
            at += 1;
        }
        let has_top = all.iter().any(|one| one.starts_with("organization/"));
        all.extend(self.only.filter(|_| !has_top));
        all
    }
}

/// The kind of a place: `project`, `folder`, `organization`, `account`, else `resource`.
pub(super) fn kind(place: &str) -> &str {
    match place.split_once('/') {
        Some((kind @ ("project" | "folder" | "organization" | "account"), _)) => kind,
        _ => "resource",
    }
}
