//! INV-07: nobody can say which API or system a credential opens, or which credentials an API has.
//!
//! # Why
//! What a credential opens decides how bad its loss is; without the link nobody can tell.
//!
//! # How it is decided
//! Each record in force must name an API, application or system that stands in the catalogue.
//! Each API of the catalogue must be named by a record, and say what it is for, which data it
//! reaches, what it depends on, how one authenticates, how access is taken away, and who answers
//! for it. Low; medium at T0 and T1. Not evaluated without a catalogue, and the APIs' half not
//! without a register.
//!
//! # Remedy
//! Link both in the catalogue.

use std::collections::BTreeSet;

use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Modifier, Subject,
        checks::owner::in_force,
        recorded::{Recorded, Said},
    },
    context::{System, SystemKind},
    inventory::{Record, Tier},
};

/// The check.
pub(in crate::audit::checks) struct NoApiMap;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-07",
    slug: "no-api-map",
    title: "No API map",
    why: "What a credential opens decides how bad its loss is; without the link nobody can tell.",
    decided: "a record names nothing of the catalogue, or an API has no record or lacks one of its six facts",
    remedy: "link both in the catalogue",
    needs: &[Input::Inventory, Input::Catalogue],
};

impl Check for NoApiMap {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        let mut linked: BTreeSet<*const System> = BTreeSet::new();
        for (ix, record) in in_force(cx) {
            let subject = Subject::Record(ix);
            if cx.context.systems.is_none() {
                out.not_evaluated(&subject, Input::Catalogue);
                continue;
            }
            let told = links(&recorded, record);
            let found: Vec<&System> = told
                .iter()
                .flat_map(|name| names.systems(name).iter().copied())
                .collect();
            linked.extend(found.iter().map(|system| std::ptr::from_ref(*system)));
            if !found.is_empty() {
                out.pass(&subject);
                continue;
            }
            let (tier, why) = cx.tier_of_record(ix);
            out.fail(subject, severity(Some(tier)), |draft| {
                draft.ignore(Modifier::Tier);
                let row = record.source.to_string();
                let says = match told.as_slice() {
                    [] => "neither API nor system".to_owned(),
                    told => format!("{}, which no catalogue has", told.join(", ")),
                };
                draft.evidence("names", says, row.as_str());
                draft.evidence("tier", format!("{}: {why}", tier.as_str()), row.as_str());
                draft.remedy(format!(
                    "name in record {} ({row}) the API or system it opens, and add that to the catalogue",
                    record.id
                ));
            });
        }
        let apis = cx.context.systems.iter().flatten();
        for api in apis.filter(|system| system.kind == SystemKind::Api && !system.retired) {
            let subject = Subject::Entry(EntryKind::Api, api.name.clone());
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
                continue;
            }
            let is_linked = linked.contains(&std::ptr::from_ref(api));
            let missing = missing(api);
            if is_linked && missing.is_empty() {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, severity(api.tier), |draft| {
                draft.ignore(Modifier::Tier);
                if !is_linked {
                    draft.evidence("records of its credentials", "none", "the register");
                }
                draft.evidence(
                    "says nothing about",
                    missing.join(", "),
                    api.source.as_str(),
                );
                draft.remedy(format!(
                    "add to {}: {}{}",
                    api.source,
                    missing.join(", "),
                    if is_linked {
                        ""
                    } else {
                        "; register the credentials that open it"
                    }
                ));
            });
        }
    }
}

fn severity(tier: Option<Tier>) -> Severity {
    match tier {
        Some(Tier::T0 | Tier::T1) => Severity::Medium,
        _ => Severity::Low,
    }
}

/// What a record says that its credential opens.
fn links<'r>(recorded: &Recorded<'_>, record: &'r Record) -> Vec<&'r str> {
    let mut told = recorded.list(record, Said::Apis);
    told.extend(record.system.as_deref());
    told
}

/// What an API must say and does not.
fn missing(api: &System) -> Vec<&'static str> {
    [
        (api.owner.is_none(), "owner"),
        (api.purpose.is_none(), "business purpose"),
        (api.data_classes.is_empty(), "data sensitivity"),
        (api.dependencies.is_none(), "dependencies"),
        (api.auth.is_empty(), "authentication method"),
        (api.revocation.is_none(), "revocation path"),
    ]
    .into_iter()
    .filter_map(|(is_missing, what)| is_missing.then_some(what))
    .collect()
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::World,
        context::{Auth, AuthMethod, SystemKind},
        inventory::Tier,
    };

    fn complete(world: &mut World, name: &str) {
        let api = world.system(SystemKind::Api, name);
        api.owner = Some("payments".to_owned());
        api.purpose = Some("takes orders".to_owned());
        api.data_classes = vec!["internal".to_owned()];
        api.dependencies = Some(Vec::new());
        api.auth = vec![Auth {
            method: AuthMethod::OpenId,
            detail: "catalogue".to_owned(),
        }];
        api.revocation = Some("runbook 4".to_owned());
    }

    #[test]
    fn true_a_record_that_opens_nothing_known() {
        let mut world = World::new();
        let (record, row) = world.record("R-1");
        row.tier = Some(Tier::T1);
        world.context.systems = Some(Vec::new());
        let finding = world.finding("INV-07");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(
            finding.evidence[0]
                .value
                .starts_with("payments, which no catalogue has")
        );
        let row = &mut world.inventory.as_mut().expect("given").records[record as usize];
        row.tier = None;
        row.system = None;
        let finding = world.finding("INV-07");
        assert_eq!(finding.severity, Severity::Low);
        assert_eq!(finding.evidence[0].value, "neither API nor system");
    }

    #[test]
    fn true_an_api_without_record_or_without_a_fact() {
        let mut world = World::new();
        complete(&mut world, "orders");
        let finding = world.finding("INV-07");
        assert_eq!(finding.subject_key, "api:orders");
        assert_eq!(finding.owner, "payments");
        let (record, _) = world.record("R-1");
        world.said(record, "APIs", "Orders; other");
        let judged = world.judge("INV-07");
        assert_eq!(judged.findings, []);
        for number in 0..6 {
            let mut world = World::new();
            complete(&mut world, "orders");
            let (record, _) = world.record("R-1");
            world.said(record, "APIs", "orders");
            let api = &mut world.context.systems.as_mut().expect("given")[0];
            match number {
                0 => api.owner = None,
                1 => api.purpose = None,
                2 => api.data_classes.clear(),
                3 => api.dependencies = None,
                4 => api.auth.clear(),
                _ => api.revocation = None,
            }
            let finding = world.finding("INV-07");
            assert_eq!(finding.evidence[0].label, "says nothing about");
        }
    }

    #[test]
    fn near_miss_spelled_otherwise_or_retired() {
        let mut world = World::new();
        world.record("R-1");
        world.system(SystemKind::System, "Payments");
        world.system(SystemKind::Api, "old").retired = true;
        world.assert_passes("INV-07");
    }

    #[test]
    fn missing_catalogue_or_inventory() {
        let mut world = World::new();
        world.record("R-1");
        world.assert_lacks("INV-07", "catalogue");
        world.inventory = None;
        complete(&mut world, "orders");
        world.assert_lacks("INV-07", "inventory");
    }
}
