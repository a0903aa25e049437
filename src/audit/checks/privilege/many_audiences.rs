//! PRV-05: it is valid beyond its one service.
//!
//! # Why
//! A token that every service takes lets whoever steals it from one into all.
//!
//! # How it is decided
//! For signed tokens that were found, by the audiences they say, and for credentials whose record
//! lists audiences: more than one audience, or one that is none of those the record approves.
//! Medium; high where the audiences belong to systems of different tiers. Not evaluated where a
//! token says no audience and no record does.
//!
//! # Remedy
//! One token for each service, bound to it.

use std::collections::BTreeSet;

use keymuster_api::{Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        recorded::{Recorded, Said},
        words,
    },
    context::same_name,
    inventory::Tier,
};

/// The check.
pub(in crate::audit::checks) struct ManyAudiences;

static ABOUT: CheckAbout = CheckAbout {
    id: "PRV-05",
    slug: "many-audiences",
    title: "Valid beyond its one service",
    why: "A token that every service takes lets whoever steals it from one into all.",
    decided: "a token or record names several audiences, or one that was not approved",
    remedy: "one token for each service, bound to it",
    needs: &[Input::Inventory, Input::Locations],
};

impl Check for ManyAudiences {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let recorded = Recorded::of(cx.inventory);
        let names = cx.context.names();
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let record = cx.record_of(ix);
            let approved = record.map_or_else(Vec::new, |r| recorded.list(r, Said::Audience));
            let facts = cx
                .leaks(credential)
                .flat_map(|sighting| &sighting.details.facts);
            let mut is_token = false;
            let mut said: BTreeSet<&str> = BTreeSet::new();
            for (name, value) in facts {
                is_token |= matches!(name.as_str(), "issuer" | "jwt-id" | "subject");
                if name == "audience" {
                    said.insert(value);
                }
            }
            if !is_token && said.is_empty() && approved.is_empty() {
                continue;
            }
            let subject = Subject::Credential(ix);
            if said.is_empty() && approved.is_empty() {
                out.not_evaluated(&subject, Input::Locations);
                continue;
            }
            let all: BTreeSet<&str> = said
                .iter()
                .copied()
                .chain(approved.iter().copied())
                .collect();
            let foreign: Vec<&str> = said
                .iter()
                .copied()
                .filter(|one| !approved.is_empty() && !approved.iter().any(|a| same_name(a, one)))
                .collect();
            let many = said.len() > 1 || (said.is_empty() && approved.len() > 1);
            if foreign.is_empty() && !many {
                out.pass(&subject);
                continue;
            }
            let tiers: BTreeSet<Tier> = all
                .iter()
                .flat_map(|name| names.systems(name))
                .filter_map(|system| system.tier)
                .collect();
            let severity = if tiers.len() > 1 {
                Severity::High
            } else {
                Severity::Medium
            };
            out.fail(subject, severity, |draft| {
                let place = cx.leaks(credential).next().map(|one| cx.place(one));
                let said: Vec<&str> = said.iter().copied().collect();
                draft.evidence(
                    "audiences it says",
                    said.join(", "),
                    place.unwrap_or_default(),
                );
                if let Some(record) = record {
                    let row = record.source.to_string();
                    draft.evidence("audiences approved", approved.join(", "), row.as_str());
                    draft.evidence("purpose", record.purpose.clone().unwrap_or_default(), row);
                }
                draft.evidence("not approved", foreign.join(", "), "the token");
                draft.remedy(format!(
                    "issue one token for each of {}, bound to it (aud); then {}",
                    all.iter().copied().collect::<Vec<_>>().join(", "),
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keymuster_api::{Details, Severity, Status};

    use crate::{audit::checks::testing::World, context::SystemKind, inventory::Tier};

    fn token(audiences: &[&str]) -> World {
        let mut world = World::new();
        let secret = world.secret("jwt.token");
        let issuer = ("issuer".to_owned(), "https://id.acme.example".to_owned());
        let said = audiences
            .iter()
            .map(|a| ("audience".to_owned(), (*a).to_owned()));
        world.seen(secret, "web", "a.env").details = Arc::new(Details {
            facts: std::iter::once(issuer).chain(said).collect(),
            ..Details::default()
        });
        world
    }

    #[test]
    fn true_several_audiences() {
        let mut world = token(&["orders", "stock"]);
        assert_eq!(world.finding("PRV-05").severity, Severity::Medium);
        world.system(SystemKind::Api, "Orders").tier = Some(Tier::T0);
        world.system(SystemKind::Api, "stock").tier = Some(Tier::T2);
        assert_eq!(world.finding("PRV-05").severity, Severity::High);
    }

    #[test]
    fn true_another_than_approved_or_several_approved() {
        let mut world = token(&["orders"]);
        world.registered(0);
        world.said(0, "Audience", "stock");
        assert!(
            world
                .finding("PRV-05")
                .evidence
                .iter()
                .any(|e| e.label == "not approved")
        );
        world.said(0, "Audience", "Orders");
        world.assert_passes("PRV-05");
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.said(0, "Audience", "orders; stock");
        assert_eq!(world.findings("PRV-05").len(), 1);
    }

    #[test]
    fn near_miss_one_audience_or_no_token() {
        token(&["orders"]).assert_passes("PRV-05");
        token(&["orders", "orders"]).assert_passes("PRV-05");
        let mut world = World::new();
        world.key("deploy");
        world.assert_ignores("PRV-05");
        let mut dead = token(&["orders", "stock"]);
        dead.credential(0).status = Status::Revoked;
        dead.assert_ignores("PRV-05");
    }

    #[test]
    fn missing_any_audience() {
        token(&[]).assert_lacks("PRV-05", "locations");
    }
}
