//! OWN-06: the owner is a mailbox, a platform, an interim arrangement, or owns too much.
//!
//! # Why
//! A mailbox decides nothing, whoever runs the gateway does not know the business behind it, and
//! whoever owns everything looks after nothing.
//!
//! # How it is decided
//! For records in force that name an owner. Generic: a name that stands for nobody (`noreply`,
//! `it-support`, a bot), unless the directory has a team of that name. Operator: one of the
//! policy's operator teams, unless a business sponsor or somebody else reviews it. Interim:
//! without an end, or past it. Low; medium at T0 and T1. One owner of more than the policy's share
//! or number of records in force is a finding of its own, medium. A name that is neither generic
//! nor in the directory is not evaluated without one.
//!
//! # Remedy
//! Name the service team.

use std::collections::BTreeMap;

use keymuster_api::Severity;

use super::{in_force, is_same};
use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Directory, EntryKind, Findings, Input, Modifier, Party,
        Subject,
        recorded::{Recorded, Said},
    },
    context::same_name,
    inventory::{OwnerKind, Record, Tier},
};

/// The check.
pub(in crate::audit::checks) struct GenericOwner;

static ABOUT: CheckAbout = CheckAbout {
    id: "OWN-06",
    slug: "generic-owner",
    title: "Generic, operator or overloaded owner",
    why: "A mailbox decides nothing, and whoever owns everything looks after nothing.",
    decided: "the owner is a mailbox, bot or operator team, interim without end, or owns more than the policy's share",
    remedy: "name the service team",
    needs: &[Input::Inventory, Input::People],
};

impl Check for GenericOwner {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let directory = cx.people.map(Directory::new);
        let recorded = Recorded::of(cx.inventory);
        let mut owned: BTreeMap<String, u32> = BTreeMap::new();
        let mut total = 0;
        for (ix, record) in in_force(cx) {
            let Some(owner) = record.owner.as_deref() else {
                continue;
            };
            total += 1;
            *owned.entry(who(directory.as_ref(), owner)).or_default() += 1;
            let subject = Subject::Record(ix);
            let party = directory.as_ref().map(|directory| directory.party(owner));
            let Some(what) = fault(cx, &recorded, directory.as_ref(), record, owner) else {
                match party {
                    None => out.not_evaluated(&subject, Input::People),
                    Some(_) => out.pass(&subject),
                }
                continue;
            };
            let (tier, _) = cx.tier_of_record(ix);
            let severity = match tier {
                Tier::T0 | Tier::T1 => Severity::Medium,
                _ => Severity::Low,
            };
            out.fail(subject, severity, |draft| {
                draft.ignore(Modifier::Tier);
                let row = record.source.to_string();
                draft.evidence("owner", format!("{owner}: {what}"), row.as_str());
                draft.evidence("tier", tier.as_str(), row.as_str());
                draft.remedy(format!(
                    "name in record {} ({row}) the person or team that decides about it",
                    record.id
                ));
            });
        }
        overloaded(cx, &owned, total, out);
    }
}

/// Under which name an owner is counted.
fn who(directory: Option<&Directory<'_>>, owner: &str) -> String {
    match directory.map_or(Party::Unknown, |directory| directory.party(owner)) {
        Party::Active(person) | Party::Left(person) => person.id.clone(),
        Party::Team(team) | Party::Dissolved(team) => team.name.clone(),
        Party::Unknown => owner.trim().to_lowercase(),
    }
}

fn fault(
    cx: &CheckCx<'_>,
    recorded: &Recorded<'_>,
    directory: Option<&Directory<'_>>,
    record: &Record,
    owner: &str,
) -> Option<String> {
    let party = directory.map_or(Party::Unknown, |directory| directory.party(owner));
    if party == Party::Unknown && is_generic(owner) {
        return Some("stands for nobody".to_owned());
    }
    let operators = &cx.policy.practice.owners.operators;
    if operators
        .iter()
        .any(|team| same_name(team, owner) || party.team() == Some(team))
    {
        let reviewer = recorded.text(record, Said::Reviewer);
        let decides = recorded.text(record, Said::BusinessSponsor).is_some()
            || reviewer.is_some_and(|reviewer| !is_same(directory, reviewer, owner));
        if !decides {
            return Some("runs the platform, and no sponsor or other reviewer decides".to_owned());
        }
    }
    if record.owner_kind == Some(OwnerKind::Interim) {
        return match recorded.time(record, Said::InterimUntil) {
            Some(Ok(until)) if until >= cx.now => None,
            Some(Ok(until)) => Some(format!("interim, until {until}")),
            _ => Some("interim, without an end".to_owned()),
        };
    }
    None
}

/// Whether a name stands for nobody: a mailbox for all, a list, a bot.
fn is_generic(owner: &str) -> bool {
    const WHOLE: &[&str] = &[
        "admin",
        "admins",
        "administrator",
        "all",
        "bot",
        "devops",
        "dev",
        "engineering",
        "everyone",
        "helpdesk",
        "info",
        "infra",
        "infrastructure",
        "it",
        "itsupport",
        "mail",
        "mailbox",
        "noreply",
        "operations",
        "ops",
        "owner",
        "platform",
        "postmaster",
        "root",
        "security",
        "servicedesk",
        "shared",
        "support",
        "sysadmin",
        "system",
        "team",
        "tech",
        "user",
        "users",
        "webmaster",
    ];
    const MARKS: &[&str] = &["noreply", "bot", "mailbox", "helpdesk", "svc"];
    let owner = owner.trim().to_lowercase();
    let name = owner
        .trim_start_matches('@')
        .split('@')
        .next()
        .unwrap_or_default();
    let squeezed: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    WHOLE.contains(&squeezed.as_str())
        || squeezed.contains("noreply")
        || words.any(|word| MARKS.contains(&word))
}

fn overloaded(cx: &CheckCx<'_>, owned: &BTreeMap<String, u32>, total: u32, out: &mut Findings<'_>) {
    let owners = &cx.policy.practice.owners;
    for (owner, &count) in owned {
        let subject = Subject::Entry(EntryKind::Owner, owner.clone());
        let percent = u64::from(count) * 100 / u64::from(total.max(1));
        let by_share = total >= owners.least_population && percent > u64::from(owners.most_percent);
        if !by_share && count <= owners.most {
            out.pass(&subject);
            continue;
        }
        out.fail(subject, Severity::Medium, |draft| {
            draft.title(format!("One owner for too much: {owner}"));
            let share = format!("{count} of {total} records in force, {percent} %");
            draft.evidence("owns", share, "the register");
            let most = format!(
                "{} %, where there are at least {}; {} in number",
                owners.most_percent, owners.least_population, owners.most
            );
            draft.evidence(
                "at most",
                most,
                format!("policy {}: {}", cx.policy.name, owners.source),
            );
            draft.remedy(format!(
                "name the service teams that decide about what {owner} owns on paper"
            ));
        });
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use super::is_generic;
    use crate::{
        audit::checks::testing::{World, ago},
        inventory::{OwnerKind, PersonStatus, Tier},
    };

    fn owned_by(owner: &str) -> World {
        let mut world = World::new();
        world.record("R-1").1.owner = Some(owner.to_owned());
        world
    }

    fn first(world: &mut World) -> &mut crate::inventory::Record {
        &mut world.inventory.as_mut().expect("given").records[0]
    }

    #[test]
    fn true_generic_operator_and_interim() {
        let mut world = owned_by("it-support@acme.example");
        assert_eq!(world.finding("OWN-06").severity, Severity::Low);
        first(&mut world).tier = Some(Tier::T1);
        assert_eq!(world.finding("OWN-06").severity, Severity::Medium);
        let mut world = owned_by("gateway");
        world.policy.practice.owners.operators = vec!["Gateway".to_owned()];
        assert!(
            world.finding("OWN-06").evidence[0]
                .value
                .contains("runs the platform")
        );
        world.said(0, "reviewer", "gateway");
        assert_eq!(
            world.findings("OWN-06").len(),
            1,
            "who reviews themselves decides nothing"
        );
        world.said(0, "reviewer", "ada");
        assert_eq!(world.findings("OWN-06"), []);
        let mut world = owned_by("ciso@acme.example");
        first(&mut world).owner_kind = Some(OwnerKind::Interim);
        assert!(
            world.finding("OWN-06").evidence[0]
                .value
                .ends_with("without an end")
        );
        world.said(0, "interim_until", "2026-05-30");
        assert_eq!(world.findings("OWN-06").len(), 1);
        world.said(0, "interim_until", "2026-06-30");
        assert_eq!(world.findings("OWN-06"), []);
    }

    #[test]
    fn true_too_much_for_one() {
        let mut world = World::new();
        world.policy.practice.owners.least_population = 4;
        world.policy.practice.owners.most_percent = 50;
        for number in 0..4 {
            let owner = if number < 3 { "ada" } else { "bob" };
            world.record(&format!("R-{number}")).1.owner = Some(owner.to_owned());
        }
        let finding = world.finding("OWN-06");
        assert_eq!(finding.subject_key, "owner:ada");
        assert!(finding.evidence[0].value.starts_with("3 of 4"));
        world.policy.practice.owners.least_population = 5;
        assert_eq!(world.findings("OWN-06"), []);
        world.policy.practice.owners.most = 2;
        assert_eq!(world.findings("OWN-06").len(), 1);
    }

    #[test]
    fn near_miss_a_team_that_the_directory_has() {
        let mut world = owned_by("platform");
        world.team("platform", true);
        assert_eq!(world.findings("OWN-06"), []);
        let mut world = owned_by("ada");
        world.person("ada", PersonStatus::Active).ended_at = Some(ago(-9));
        assert_eq!(world.findings("OWN-06"), []);
        for name in [
            "Abbott",
            "it-security-payments",
            "ops-billing",
            "Robota",
            "ada@it.example",
        ] {
            assert!(!is_generic(name), "{name}");
        }
        for name in [
            "IT",
            "no-reply@x.example",
            "@acme/bot",
            "svc-deploy",
            "Renovate[bot]",
        ] {
            assert!(is_generic(name), "{name}");
        }
    }

    #[test]
    fn missing_directory() {
        let mut world = owned_by("ada");
        world.people = None;
        let population = world.population("OWN-06");
        assert_eq!(population.not_evaluated, [("people".to_owned(), 1)]);
    }
}
