//! LIF-09: something ended or happened, and the credential lives on unchanged.
//!
//! # Why
//! Who left still knows it, what was retired still opens doors, what was touched by an incident
//! may be in other hands.
//!
//! # How it is decided
//! For credentials that somebody must answer for: an event of the feed touches their owner or
//! creator, application, environment, repository, vendor, or themselves; the policy's hours have
//! passed; and they were not made or rotated since. High; critical for incidents. Not evaluated
//! without a feed of events, and where an event touches a credential of which nobody knows when it
//! was made.
//!
//! # Remedy
//! Revoke or rotate on the event.

use keymuster_api::{Severity, Status};

use super::touched;
use crate::{
    audit::{Check, CheckAbout, CheckCx, Findings, Input, Subject, words},
    context::LifeEventKind,
};

/// The check.
pub(in crate::audit::checks) struct LifecycleEvent;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-09",
    slug: "lifecycle-event",
    title: "Lifecycle event without action",
    why: "Who left still knows it, what was retired still opens doors.",
    decided: "an event touches it, the policy's hours have passed, and it was neither revoked nor rotated since",
    remedy: "revoke or rotate on the event",
    needs: &[Input::Events, Input::Discovered],
};

impl Check for LifecycleEvent {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        use LifeEventKind as K;
        let kinds = [
            K::Leaver,
            K::ApplicationRetired,
            K::RepositoryArchived,
            K::VendorEnded,
            K::EnvironmentDeleted,
            K::Incident,
        ];
        let events = touched::Index::of(cx, &kinds);
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let subject = Subject::Credential(ix);
            if cx.context.events.is_none() {
                out.not_evaluated(&subject, Input::Events);
                continue;
            }
            let touching = events.of_credential(cx, ix);
            let renewed = credential.rotated.or(credential.created).value().copied();
            let hours = |at: jiff::Timestamp| (cx.now - at).as_secs() / 3600;
            let limit = |kind| {
                cx.policy
                    .practice
                    .event_hours
                    .get(&kind)
                    .copied()
                    .unwrap_or(0)
            };
            let late: Vec<_> = touching
                .iter()
                .filter(|(event, _)| renewed.is_none_or(|renewed| renewed < event.at))
                .filter(|(event, _)| hours(event.at) > i64::from(limit(event.kind)))
                .collect();
            if late.is_empty() {
                out.pass(&subject);
                continue;
            }
            // A secret that was only seen has no date; it was there before the run at least.
            if renewed.is_none() && credential.listed {
                out.not_evaluated(&subject, Input::Discovered);
                continue;
            }
            let worst = late.iter().any(|(event, _)| event.kind == K::Incident);
            let severity = if worst {
                Severity::Critical
            } else {
                Severity::High
            };
            out.fail(subject, severity, |draft| {
                for (event, how) in &late {
                    let what = format!(
                        "{} of {} at {} ({how}), {} hours ago, at most {}",
                        event.kind.as_str(),
                        event.subject,
                        event.at,
                        hours(event.at),
                        limit(event.kind)
                    );
                    draft.evidence("event", what, event.source.as_str());
                    if let Some(reference) = &event.reference {
                        draft.evidence("reference", reference.as_str(), event.source.as_str());
                    }
                    draft.over_limit(hours(event.at), i64::from(limit(event.kind).max(1)));
                }
                let source = format!(
                    "policy {}: {}",
                    cx.policy.name, cx.policy.practice.event_source
                );
                draft.evidence("service level", "hours by event", source);
                if let Some(at) = renewed {
                    draft.evidence("last rotated", at.to_string(), cx.sources(credential));
                }
                draft.remedy(if worst {
                    format!("revoke it now: {}", words::revoke(cx, ix))
                } else {
                    format!("{}, or {}", words::revoke(cx, ix), words::rotate(cx, ix))
                });
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{ClaimRole, Known, Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago},
        context::LifeEventKind as K,
        inventory::{Identifier, PersonStatus},
    };

    #[test]
    fn true_each_kind_of_event() {
        for (kind, subject, how) in [
            (K::Leaver, "ada@acme.example", "(owner)"),
            (K::Leaver, "Dora", "(creator)"),
            (K::ApplicationRetired, "Payments", "(application)"),
            (K::EnvironmentDeleted, "payments dev", "(environment)"),
            (K::RepositoryArchived, "acme/web", "(repository)"),
            (K::VendorEnded, "Twilio Inc", "(vendor)"),
        ] {
            let mut world = World::new();
            world.person("dora", PersonStatus::Active).name = Some("Dora".to_owned());
            let key = world.key("deploy");
            world.claim(key, ClaimRole::Creator, "dora@acme.example");
            let record = world.registered(key);
            record.vendor = Some("twilio inc".to_owned());
            record.identifiers.push(Identifier {
                scheme: "repo_path".to_owned(),
                value: "web:deploy.sh".to_owned(),
            });
            world.event(kind, subject, 20);
            let finding = world.finding("LIF-09");
            assert_eq!(finding.severity, Severity::High);
            assert!(
                finding.evidence[0].value.contains(how),
                "{:?}",
                finding.evidence
            );
        }
    }

    #[test]
    fn true_an_incident_is_critical() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.event(K::Incident, "deploy", 1);
        let finding = world.finding("LIF-09");
        assert_eq!(finding.severity, Severity::Critical);
        assert!(
            finding.evidence[0]
                .value
                .contains("24 hours ago, at most 4")
        );
        world.credential(key).rotated = Known::Known(ago(0));
        world.assert_passes("LIF-09");
        // A secret that lies in an archived repository.
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "web", "a.sh");
        world.event(K::RepositoryArchived, "web", 8);
        assert_eq!(world.findings("LIF-09").len(), 1);
    }

    #[test]
    fn near_miss_in_time_rotated_or_somebody_else() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.event(K::Leaver, "ada@acme.example", 1);
        world.assert_passes("LIF-09");
        world.event(K::Leaver, "adam@acme.example", 20);
        world.event(K::Leaver, "ada@acme.example", 31);
        world.event(K::Leaver, "ada@acme.example", -3);
        world.event(K::VendorEnded, "payments", 20);
        world.assert_passes("LIF-09");
        world.event(K::Leaver, "ada@acme.example", 20);
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("LIF-09");
    }

    #[test]
    fn missing_events_or_dates() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.assert_lacks("LIF-09", "events");
        world.event(K::Leaver, "ada@acme.example", 20);
        world.credential(key).rotated = Known::Unknown;
        world.credential(key).created = Known::Unknown;
        world.assert_lacks("LIF-09", "discovered");
    }
}
