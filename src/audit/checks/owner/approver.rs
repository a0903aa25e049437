//! OWN-05: nobody who may has said yes.
//!
//! # Why
//! An approval by whoever wants the thing is none, and one by somebody who is not entitled to it
//! cannot be defended.
//!
//! # How it is decided
//! For records in force: an approver is named, is neither the owner nor who asked for it (the
//! record's requester, or that of the ticket it refers to), and stands in the list of approvers
//! for the record's tier and system. At T0, and where regulated data is reached, a business
//! sponsor and an owner of the policy must be named, too. Medium; high at T0. Without a list of
//! approvers a record in which nothing else is wrong is not evaluated.
//!
//! # Remedy
//! Have it approved again by somebody who may.

use keymuster_api::Severity;

use super::{in_force, is_same};
use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Directory, Findings, Input, Party, Subject,
        recorded::{Recorded, Said},
    },
    context::{Approvers, same_name},
    inventory::{Record, Tier},
};

/// The check.
pub(in crate::audit::checks) struct Approver;

static ABOUT: CheckAbout = CheckAbout {
    id: "OWN-05",
    slug: "approver",
    title: "Approver or sponsor missing, not entitled, or self",
    why: "An approval by whoever wants the thing is none.",
    decided: "no approver, one who is owner or requester, or one who is not in the list for this tier and system",
    remedy: "have it approved again by somebody who may",
    needs: &[Input::Inventory, Input::Approvers],
};

impl Check for Approver {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let directory = cx.people.map(Directory::new);
        let recorded = Recorded::of(cx.inventory);
        let names = cx.context.names();
        for (ix, record) in in_force(cx) {
            let subject = Subject::Record(ix);
            let (tier, _) = cx.tier_of_record(ix);
            let mut wrong: Vec<(&str, String, String)> = Vec::new();
            let row = record.source.to_string();
            match record.approver.as_deref() {
                None => wrong.push(("approver", "none".to_owned(), row.clone())),
                Some(approver) => {
                    let asked = recorded.text(record, Said::Requester);
                    let ticket = record.approval_ref.as_deref().and_then(|r| names.ticket(r));
                    let of_ticket = ticket.and_then(|t| t.requester.as_deref().map(|r| (r, t)));
                    let selves = [
                        record
                            .owner
                            .as_deref()
                            .map(|owner| (owner, "owner", row.clone())),
                        asked.map(|asked| (asked, "requester", row.clone())),
                        of_ticket.map(|(asked, t)| (asked, "requester", t.source.clone())),
                    ];
                    for (other, what, source) in selves.into_iter().flatten() {
                        if is_same(directory.as_ref(), approver, other) {
                            let says = format!("{approver}, who is its {what}");
                            wrong.push(("approver", says, source));
                        }
                    }
                    if let Some(list) = &cx.context.approvers
                        && !is_entitled(directory.as_ref(), list, approver, tier, record)
                    {
                        let says = format!(
                            "{approver} may not approve {} of {}",
                            tier.as_str(),
                            record.system.as_deref().unwrap_or("no system"),
                        );
                        let place = format!("{}, version {}", list.source, list.version);
                        wrong.push(("not entitled", says, place));
                    }
                }
            }
            if tier == Tier::T0 || is_regulated(record) {
                for (what, said) in [
                    ("business sponsor", Said::BusinessSponsor),
                    ("policy owner", Said::PolicyOwner),
                ] {
                    if recorded.text(record, said).is_none() {
                        wrong.push((what, "none".to_owned(), row.clone()));
                    }
                }
            }
            if wrong.is_empty() {
                match cx.context.approvers {
                    Some(_) => out.pass(&subject),
                    None => out.not_evaluated(&subject, Input::Approvers),
                }
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                for (what, says, source) in wrong {
                    draft.evidence(what, says, source);
                }
                draft.evidence("tier", tier.as_str(), row.as_str());
                draft.remedy(format!(
                    "have record {} ({row}) approved by somebody of the list of approvers, and name sponsor and policy owner where its tier asks for them",
                    record.id
                ));
            });
        }
    }
}

/// Whether a list of approvers has somebody for this tier and system.
fn is_entitled(
    directory: Option<&Directory<'_>>,
    list: &Approvers,
    approver: &str,
    tier: Tier,
    record: &Record,
) -> bool {
    let team = directory.and_then(|directory| match directory.party(approver) {
        Party::Active(person) => person.team.as_deref(),
        _ => None,
    });
    list.entries.iter().any(|entry| {
        let named = is_same(directory, &entry.who, approver)
            || team.is_some_and(|team| same_name(&entry.who, team));
        let system = record.system.as_deref().unwrap_or_default();
        named
            && (entry.tiers.is_empty() || entry.tiers.contains(&tier))
            && (entry.systems.is_empty()
                || entry.systems.iter().any(|known| same_name(known, system)))
    })
}

/// Whether a record reaches data that a law looks after.
pub(in crate::audit::checks) fn is_regulated(record: &Record) -> bool {
    const WORDS: &[&str] = &[
        "regulated",
        "pci",
        "cardholder",
        "card",
        "pii",
        "phi",
        "gdpr",
        "hipaa",
        "sox",
        "payment",
        "health",
        "personal",
    ];
    record.data_classes.iter().any(|class| {
        let class = class.to_lowercase();
        let mut parts = class.split(|c: char| !c.is_alphanumeric());
        parts.any(|part| WORDS.contains(&part))
    })
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::World,
        context::{self, Approvers},
        inventory::{PersonStatus, Tier},
    };

    fn list(world: &mut World, tiers: &[Tier], systems: &[&str]) {
        world.context.approvers = Some(Approvers {
            version: "2026-04".to_owned(),
            source: "approvers.toml".to_owned(),
            entries: vec![context::Approver {
                who: "boss@acme.example".to_owned(),
                tiers: tiers.to_vec(),
                systems: systems.iter().map(|s| (*s).to_owned()).collect(),
            }],
        });
    }

    #[test]
    fn true_nobody_oneself_or_not_entitled() {
        let mut world = World::new();
        world.record("R-1").1.approver = None;
        assert_eq!(world.finding("OWN-05").severity, Severity::Medium);
        let mut world = World::new();
        world.person("ada", PersonStatus::Active);
        world.record("R-1").1.approver = Some("ada".to_owned());
        let finding = world.finding("OWN-05");
        assert_eq!(finding.evidence[0].value, "ada, who is its owner");
        let mut world = World::new();
        let (record, _) = world.record("R-1");
        world.said(record, "Requested by", "BOSS@acme.example");
        assert!(
            world.finding("OWN-05").evidence[0]
                .value
                .contains("its requester")
        );
        for (tiers, systems) in [(&[Tier::T0][..], &[][..]), (&[], &["other"])] {
            let mut world = World::new();
            world.record("R-1");
            list(&mut world, tiers, systems);
            assert_eq!(world.finding("OWN-05").evidence[0].label, "not entitled");
        }
    }

    #[test]
    fn true_t0_needs_a_sponsor_and_is_high() {
        let mut world = World::new();
        list(&mut world, &[], &[]);
        let (record, row) = world.record("R-1");
        row.tier = Some(Tier::T0);
        let finding = world.finding("OWN-05");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.evidence[0].label, "business sponsor");
        world.said(record, "Sponsor", "carol");
        assert_eq!(world.finding("OWN-05").evidence[0].label, "policy owner");
        world.said(record, "policy_owner", "appsec");
        world.assert_passes("OWN-05");
        // Regulated data asks for both at any tier.
        let mut world = World::new();
        list(&mut world, &[], &[]);
        world.record("R-1").1.data_classes = vec!["PCI data".to_owned()];
        assert_eq!(
            world.finding("OWN-05").evidence[0].label,
            "business sponsor"
        );
    }

    #[test]
    fn near_miss_entitled_for_this_tier_and_system() {
        let mut world = World::new();
        world.record("R-1").1.data_classes = vec!["discarded".to_owned()];
        list(&mut world, &[Tier::T2], &["Payments"]);
        world.assert_passes("OWN-05");
    }

    #[test]
    fn missing_list_of_approvers() {
        let mut world = World::new();
        world.record("R-1");
        world.assert_lacks("OWN-05", "approvers");
    }
}
