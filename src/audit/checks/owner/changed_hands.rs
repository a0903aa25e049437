//! OWN-07: it changed hands, and nobody looked at it since.
//!
//! # Why
//! What an approval rested on, who asked and for what, may not be true any more.
//!
//! # How it is decided
//! For credentials with a record: an event says that their owner, application or repository was
//! transferred, or an earlier run saw another owner or the same owner in another team, after the
//! last review (or, where there was none, the approval). Medium; high at T0. Not evaluated without
//! a feed of events and without an earlier run that saw an owner.
//!
//! # Remedy
//! Attest it anew, or revoke it.

use jiff::Timestamp;
use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Directory, Findings, Input, Past, Subject,
        checks::life::touched, words,
    },
    context::LifeEventKind,
};

/// The check.
pub(in crate::audit::checks) struct ChangedHands;

static ABOUT: CheckAbout = CheckAbout {
    id: "OWN-07",
    slug: "changed-hands",
    title: "Changed hands without re-attestation",
    why: "What an approval rested on may not be true any more.",
    decided: "an event or an earlier run shows another owner or team after the last review",
    remedy: "attest it anew, or revoke it",
    needs: &[Input::Inventory, Input::Events, Input::History],
};

struct Change {
    at: Timestamp,
    what: String,
    source: String,
}

impl Check for ChangedHands {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let directory = cx.people.map(Directory::new);
        let events = touched::Index::of(cx, &[LifeEventKind::Transferred]);
        for (ix, credential) in cx.credentials().filter(|(_, one)| cx.is_live(one)) {
            let subject = Subject::Credential(ix);
            let Some(record) = cx.record_of(ix) else {
                if cx.inventory.is_none() {
                    out.not_evaluated(&subject, Input::Inventory);
                }
                continue;
            };
            let past = cx.history.get(cx.text(credential.subject));
            let past = past.map_or(&[][..], Vec::as_slice);
            let seen_owner = past.iter().any(|past| past.owner.is_some());
            if cx.context.events.is_none() && !seen_owner {
                out.not_evaluated(&subject, Input::History);
                continue;
            }
            let mut changes = of_runs(cx, directory.as_ref(), ix, past);
            changes.extend(
                events
                    .of_credential(cx, ix)
                    .into_iter()
                    .map(|(event, how)| Change {
                        at: event.at,
                        what: format!("{} ({how})", event.subject),
                        source: event.source.clone(),
                    }),
            );
            changes.sort_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)));
            let attested = record.last_reviewed_at.or(record.approved_at);
            changes.retain(|change| attested.is_none_or(|at| at < change.at));
            let Some(last) = changes.last() else {
                out.pass(&subject);
                continue;
            };
            out.fail(subject, Severity::Medium, |draft| {
                for change in &changes {
                    let value = format!("{}, {}", change.what, change.at);
                    draft.evidence("changed hands", value, change.source.as_str());
                }
                let says = match attested {
                    Some(at) => format!("{at}, {} days before", (last.at - at).as_hours() / 24),
                    None => "never".to_owned(),
                };
                draft.evidence("last attested", says, record.source.to_string());
                draft.remedy(format!(
                    "have the new owner attest record {}, or {}",
                    record.id,
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

/// Owners and teams that earlier runs saw, where the next or this run saw another.
fn of_runs(
    cx: &CheckCx<'_>,
    directory: Option<&Directory<'_>>,
    ix: u32,
    past: &[Past],
) -> Vec<Change> {
    let owner = cx.owner(cx.record_of(ix), &cx.credential(ix).claims);
    let owner = owner.map(|owner| owner.party);
    let team = owner
        .as_ref()
        .and_then(|owner| directory?.party(owner).team());
    let today = Past {
        at: cx.now,
        team: team.map(str::to_owned),
        owner,
        ..Past::default()
    };
    let mut changes = Vec::new();
    let after = past.iter().skip(1).chain([&today]);
    for (before, after) in past.iter().zip(after) {
        for (what, a, b) in [
            ("owner", &before.owner, &after.owner),
            ("team", &before.team, &after.team),
        ] {
            if let (Some(a), Some(b)) = (a, b)
                && !a.eq_ignore_ascii_case(b)
            {
                changes.push(Change {
                    at: after.at,
                    what: format!("{what} {a}, now {b}"),
                    source: "earlier runs".to_owned(),
                });
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::{World, ago},
        context::LifeEventKind,
        inventory::{PersonStatus, Tier},
    };

    #[test]
    fn true_the_application_was_transferred() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).last_reviewed_at = Some(ago(20));
        world.event(LifeEventKind::Transferred, "Payments", 10);
        let finding = world.finding("OWN-07");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.evidence[1].value.ends_with("10 days before"));
        world.inventory.as_mut().expect("given").records[0].tier = Some(Tier::T0);
        assert_eq!(world.finding("OWN-07").severity, Severity::High);
    }

    #[test]
    fn true_an_earlier_run_saw_another_owner_or_team() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.person("ada", PersonStatus::Active);
        let past = world.past(key, 30);
        past.owner = Some("bob@acme.example".to_owned());
        past.team = Some("payments".to_owned());
        assert!(
            world.finding("OWN-07").evidence[0]
                .value
                .starts_with("owner bob")
        );
        let past = world.past(key, 20);
        past.owner = Some("ada@acme.example".to_owned());
        past.team = Some("growth".to_owned());
        let finding = world.finding("OWN-07");
        assert_eq!(finding.evidence.len(), 4, "owner, team, team, attested");
        // Reviewed between the changes: the last one is still open.
        world.inventory.as_mut().expect("given").records[0].last_reviewed_at = Some(ago(10));
        assert_eq!(world.finding("OWN-07").evidence.len(), 2);
    }

    #[test]
    fn near_miss_reviewed_since_or_another_application() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).last_reviewed_at = Some(ago(10));
        world.event(LifeEventKind::Transferred, "payments", 10);
        world.event(LifeEventKind::Transferred, "growth", 1);
        world.event(LifeEventKind::Leaver, "ada@acme.example", 1);
        world.assert_passes("OWN-07");
        world.context.events = None;
        world.past(key, 5).owner = Some("ADA@acme.example".to_owned());
        world.assert_passes("OWN-07");
    }

    #[test]
    fn missing_events_and_history() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.past(key, 5).expires = Some(ago(1));
        world.assert_lacks("OWN-07", "history");
        world.inventory = None;
        world.assert_lacks("OWN-07", "inventory");
    }
}
