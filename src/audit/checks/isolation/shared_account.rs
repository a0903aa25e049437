//! ISO-03: several teams use one account.
//!
//! # Why
//! What one team does, all of them did; and none of them can change it without the others.
//!
//! # How it is decided
//! For credentials that somebody must answer for, by the teams that use them: those the record
//! lists (`used by`), owners of the repositories in which the secret stands (catalogue, maintainer
//! claims), people that logs show using them. Two or more teams: high, unless the record names a
//! delegate or split for it. A person counts as their team. Not evaluated where no team is known.
//!
//! # Remedy
//! One identity for each team; an exception with an end until then.

use std::collections::BTreeMap;

use keymuster_api::{ClaimRole, Event, EventKind, Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Directory, Findings, Input, Subject,
        recorded::{Recorded, Said},
    },
    context::{Names, name_key},
};

/// The check.
pub(in crate::audit::checks) struct SharedAccount;

static ABOUT: CheckAbout = CheckAbout {
    id: "ISO-03",
    slug: "shared-account",
    title: "Shared platform account",
    why: "What one team does, all of them did.",
    decided: "the record, the owners of the places where it stands, or logs show two teams",
    remedy: "one identity for each team; an exception with an end until then",
    needs: &[Input::Inventory, Input::Catalogue, Input::Usage],
};

impl Check for SharedAccount {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let directory = cx.people.map(Directory::new);
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        let mut used: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in &cx.estate.gathered.events {
            if event.kind == EventKind::Used {
                used.entry(&event.subject.0).or_default().push(event);
            }
        }
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let subject = Subject::Credential(ix);
            let teams = teams(cx, ix, directory.as_ref(), &names, &recorded, &used);
            let agreed = cx.record_of(ix).is_some_and(|record| {
                [Said::Delegate, Said::Split]
                    .into_iter()
                    .any(|said| recorded.text(record, said).is_some())
            });
            if teams.is_empty() {
                out.not_evaluated(&subject, Input::Usage);
            } else if teams.len() < 2 || agreed {
                out.pass(&subject);
            } else {
                out.fail(subject, Severity::High, |draft| {
                    for (name, how, source) in teams.values() {
                        draft.evidence("team", format!("{name}, {how}"), source.as_str());
                    }
                    let shown: Vec<&str> = teams.values().map(|(name, ..)| name.as_str()).collect();
                    draft.remedy(format!(
                        "issue one identity each for {}; until then an exception with an end",
                        shown.join(", ")
                    ));
                });
            }
        }
    }
}

type Teams = BTreeMap<String, (String, &'static str, String)>;

fn teams(
    cx: &CheckCx<'_>,
    ix: u32,
    directory: Option<&Directory<'_>>,
    names: &Names<'_>,
    recorded: &Recorded<'_>,
    used: &BTreeMap<&str, Vec<&Event>>,
) -> Teams {
    let credential = cx.credential(ix);
    let mut teams = Teams::new();
    let mut add = |party: &str, how: &'static str, source: String| {
        let team = directory.and_then(|directory| directory.party(party).team());
        let name = team.unwrap_or(party).trim();
        if !name.is_empty() {
            let entry = (name.to_owned(), how, source);
            teams.entry(name_key(name)).or_insert(entry);
        }
    };
    if let Some(record) = cx.record_of(ix) {
        for team in recorded.list(record, Said::UsedBy) {
            add(team, "says the record", record.source.to_string());
        }
    }
    for sighting in cx.leaks(credential) {
        let repository = &cx.estate.resource_of(sighting).name;
        for system in names.systems(repository) {
            if let Some(owner) = &system.owner {
                add(owner, "owns the place where it stands", cx.place(sighting));
            }
        }
    }
    for claim in cx.estate.claims(&credential.claims) {
        if claim.role == ClaimRole::Maintainer {
            add(
                &claim.party,
                "looks after the place where it stands",
                claim.source.locator.clone(),
            );
        }
    }
    let aliases = credential.aliases.iter().copied();
    for key in std::iter::once(credential.subject).chain(aliases) {
        for event in used.get(cx.text(key)).into_iter().flatten() {
            // Somebody a directory does not know says nothing about a team.
            let by = event.by.as_deref().filter(|by| {
                directory.is_some_and(|directory| directory.party(by).team().is_some())
            });
            if let Some(by) = by {
                add(by, "used it", event.source.locator.clone());
            }
        }
    }
    teams
}

#[cfg(test)]
mod tests {
    use keymuster_api::{ClaimRole, Event, EventKind, Severity, Source, Status, SystemId};

    use crate::{
        audit::checks::testing::{World, ago},
        context::SystemKind,
        inventory::PersonStatus,
    };

    #[test]
    fn true_said_owned_or_used_by_two_teams() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.said(0, "Used by", "payments; growth");
        assert_eq!(world.finding("ISO-03").severity, Severity::High);
        world.said(0, "Delegate", "platform on-call");
        world.assert_passes("ISO-03");
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", "a.py");
        world.system(SystemKind::System, "web").owner = Some("growth".to_owned());
        world.claim(secret, ClaimRole::Maintainer, "payments");
        assert_eq!(world.finding("ISO-03").evidence.len(), 2);
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.said(0, "Used by", "payments");
        world.person("bob", PersonStatus::Active).team = Some("growth".to_owned());
        let subject = world
            .estate
            .text(world.estate.credentials[0].subject)
            .to_owned();
        world.estate.gathered.events.push(Event {
            subject: subject.into(),
            kind: EventKind::Used,
            at: ago(2),
            by: Some("bob".to_owned()),
            source: Source {
                system: SystemId(0),
                locator: "log.jsonl:4".to_owned(),
            },
        });
        assert_eq!(world.findings("ISO-03").len(), 1);
        world.estate.gathered.events[0].by = Some("10.0.0.1".to_owned());
        world.assert_passes("ISO-03");
    }

    #[test]
    fn near_miss_a_person_and_their_team() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.person("ada", PersonStatus::Active);
        world.registered(key);
        world.said(0, "Used by", "Payments; ada@acme.example");
        world.assert_passes("ISO-03");
        world.said(0, "Used by", "payments; growth");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("ISO-03");
    }

    #[test]
    fn missing_any_team() {
        let mut world = World::new();
        world.key("deploy");
        world.assert_lacks("ISO-03", "usage");
    }
}
