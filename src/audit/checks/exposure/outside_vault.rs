//! EXP-05: it lies outside the approved store, or in several.
//!
//! # Why
//! What a vault does not hold, it neither rotates nor logs; of two copies one is forgotten.
//!
//! # How it is decided
//! For credentials that somebody must answer for: the store that the record names must be one of
//! the policy's (where it lists any); a secret that should lie in a store and is found in source
//! lies outside it; and the same secret in two named places (slots, or vault paths of the record)
//! is one too many. Medium; high at T0. Not evaluated where neither a record nor a slot says where
//! it is kept.
//!
//! # Remedy
//! One source, in the vault.

use std::collections::BTreeSet;

use keymuster_api::{Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        checks::places::Slots,
        recorded::{Recorded, Said},
    },
    context::same_name,
};

/// The check.
pub(in crate::audit::checks) struct OutsideVault;

static ABOUT: CheckAbout = CheckAbout {
    id: "EXP-05",
    slug: "outside-vault",
    title: "Outside the approved vault, or in several",
    why: "What a vault does not hold, it neither rotates nor logs.",
    decided: "the store is none of the policy's, the secret stands in source beside it, or it lies in two places",
    remedy: "one source, in the vault",
    needs: &[Input::Inventory, Input::Locations],
};

impl Check for OutsideVault {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let recorded = Recorded::of(cx.inventory);
        let slots = Slots::of(cx);
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let subject = Subject::Credential(ix);
            let record = cx.record_of(ix);
            let store = record.and_then(|record| recorded.text(record, Said::Store));
            let mut places: BTreeSet<String> = slots
                .of_credential(cx, credential)
                .map(|slot| slot.key.0.clone())
                .collect();
            let paths = record.map_or(&[][..], |record| &record.identifiers);
            let paths = paths.iter().filter(|one| {
                matches!(
                    one.scheme.as_str(),
                    "vault_path" | "ci_variable" | "k8s_secret"
                )
            });
            places.extend(paths.map(|one| one.value.clone()));
            if store.is_none() && places.is_empty() {
                let missing = match cx.inventory {
                    None => Input::Inventory,
                    Some(_) => Input::Locations,
                };
                out.not_evaluated(&subject, missing);
                continue;
            }
            let approved = &cx.policy.practice.stores;
            let foreign = store.filter(|store| {
                !approved.is_empty() && !approved.iter().any(|known| same_name(known, store))
            });
            let outside: Vec<String> = cx.leaks(credential).map(|one| cx.place(one)).collect();
            if foreign.is_none() && outside.is_empty() && places.len() < 2 {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let row = record.map_or_else(|| "slots".to_owned(), |one| one.source.to_string());
                if let Some(store) = store {
                    draft.evidence("kept in, says the record", store, row.as_str());
                }
                if foreign.is_some() {
                    let source = format!("policy {}: stores", cx.policy.name);
                    draft.evidence("approved stores", approved.join(", "), source);
                }
                for place in places.iter().take(10) {
                    draft.evidence("place", place.as_str(), row.as_str());
                }
                for place in outside.iter().take(10) {
                    draft.evidence("outside", place.as_str(), "content");
                }
                draft.remedy(format!(
                    "keep {} in one approved store, have its users read it there, and delete the other copies",
                    cx.label(credential)
                ));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use crate::{
        audit::checks::testing::World,
        inventory::{Identifier, Tier},
    };

    fn kept(store: &str) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.said(0, "Store", store);
        world
    }

    #[test]
    fn true_in_source_beside_its_vault() {
        let mut world = kept("vault");
        world.seen(0, "web", "a.py");
        let finding = world.finding("EXP-05");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence[1].label, "outside");
        world.inventory.as_mut().expect("given").records[0].tier = Some(Tier::T0);
        assert_eq!(world.finding("EXP-05").severity, Severity::High);
    }

    #[test]
    fn true_another_store_or_two_places() {
        let mut world = kept("a shared drive");
        world.policy.practice.stores = vec!["Vault".to_owned()];
        assert_eq!(world.finding("EXP-05").evidence[1].value, "Vault");
        let mut world = kept("vault");
        world.slot(0, "github:acme/web", "actions.secret", "KEY");
        world.assert_passes("EXP-05");
        world.inventory.as_mut().expect("given").records[0]
            .identifiers
            .push(Identifier {
                scheme: "vault_path".to_owned(),
                value: "secret/data/web".to_owned(),
            });
        assert_eq!(world.findings("EXP-05").len(), 1);
    }

    #[test]
    fn near_miss_one_approved_place() {
        let mut world = kept("vault");
        world.policy.practice.stores = vec!["Vault".to_owned()];
        world.seen(0, "web", "tests/a.py");
        world.assert_passes("EXP-05");
        world.credential(0).status = Status::Disabled;
        world.assert_ignores("EXP-05");
    }

    #[test]
    fn missing_any_store() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.assert_lacks("EXP-05", "locations");
        world.inventory = None;
        world.assert_lacks("EXP-05", "inventory");
    }
}
