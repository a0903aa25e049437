//! LIF-10: it ends soon, it is used, and nothing is there to take over.
//!
//! # Why
//! Who uses it will learn of its end from the outage.
//!
//! # How it is decided
//! For listed, active credentials with an end ahead (the system's or the record's): within the
//! policy's days, used within the window after which a credential counts as dormant, and no newer
//! active credential of the same principal and kind. Information; medium within the last of the
//! policy's steps, and at T0. Not evaluated where its end is near and nobody knows whether it is
//! used.
//!
//! # Remedy
//! Rotate before the outage.

use keymuster_api::{Known, Severity, Status};

use crate::{
    audit::{Check, CheckAbout, CheckCx, Findings, Input, Modifier, Subject, words},
    estate::Credential,
    inventory::Tier,
};

/// The check.
pub(in crate::audit::checks) struct ExpiringSoon;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-10",
    slug: "expiring-soon",
    title: "Expiring soon without renewal",
    why: "Who uses it will learn of its end from the outage.",
    decided: "its end lies within the policy's days, it is used, and no newer credential stands beside it",
    remedy: "rotate before the outage",
    needs: &[Input::Discovered, Input::Usage],
};

impl Check for ExpiringSoon {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let steps = &cx.policy.expiring_days;
        let (Some(&first), Some(&last)) = (steps.first(), steps.last()) else {
            return;
        };
        for (ix, credential) in cx.credentials() {
            if !credential.listed || credential.status != Status::Active {
                continue;
            }
            let record = cx.record_of_this_key(ix);
            let ends = [
                credential
                    .expires
                    .value()
                    .map(|at| (*at, cx.sources(credential))),
                record.and_then(|r| Some((r.expires_at?, r.source.to_string()))),
            ];
            let Some((end, source)) = ends.into_iter().flatten().min_by_key(|(at, _)| *at) else {
                continue;
            };
            if end < cx.now {
                continue;
            }
            let subject = Subject::Credential(ix);
            let days = -cx.days_since(end);
            if days > i64::from(first) || has_successor(cx, ix, credential) {
                out.pass(&subject);
                continue;
            }
            let used = match credential.last_used {
                Known::Known(at) => at,
                Known::Never => {
                    out.pass(&subject);
                    continue;
                }
                _ => {
                    out.not_evaluated(&subject, Input::Usage);
                    continue;
                }
            };
            if cx.days_since(used) > i64::from(cx.policy.dormant.days) {
                out.pass(&subject);
                continue;
            }
            let urgent = days <= i64::from(last) || cx.tier(ix).0 == Tier::T0;
            let severity = if urgent {
                Severity::Medium
            } else {
                Severity::Info
            };
            out.fail(subject, severity, |draft| {
                draft.ignore(Modifier::Tier);
                draft.ignore(Modifier::Privilege);
                draft.evidence("ends", format!("{end}, in {days} days"), source);
                draft.evidence("last use", used.to_string(), cx.sources(credential));
                if let Some(what) = credential.last_used_for {
                    draft.evidence("used for", cx.text(what), cx.sources(credential));
                }
                draft.remedy(format!("before {end}: {}", words::rotate(cx, ix)));
            });
        }
    }
}

/// Whether a newer active credential of the same principal and kind stands beside it.
fn has_successor(cx: &CheckCx<'_>, ix: u32, credential: &Credential) -> bool {
    let made = credential.created.value();
    let siblings = cx
        .estate
        .identity_of(credential)
        .map(|one| &one.credentials);
    siblings.into_iter().flatten().any(|&other| {
        let sibling = cx.credential(other);
        other != ix
            && sibling.status == Status::Active
            && sibling.kind == credential.kind
            && sibling.created.value() > made
    })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago},
        inventory::Tier,
    };

    fn ending(days: i64) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = Some(ago(-days));
        world
    }

    #[test]
    fn true_thirty_days_tell_seven_urge() {
        assert_eq!(ending(30).finding("LIF-10").severity, Severity::Info);
        assert_eq!(ending(8).finding("LIF-10").severity, Severity::Info);
        assert_eq!(ending(7).finding("LIF-10").severity, Severity::Medium);
        let mut world = ending(30);
        world.inventory.as_mut().expect("given").records[0].tier = Some(Tier::T0);
        assert_eq!(world.finding("LIF-10").severity, Severity::Medium);
        let mut world = ending(60);
        world.credential(0).expires = Known::Known(ago(-20));
        assert!(
            world.finding("LIF-10").evidence[0]
                .value
                .ends_with("in 20 days")
        );
    }

    #[test]
    fn near_miss_later_unused_or_replaced() {
        ending(31).assert_passes("LIF-10");
        let mut world = ending(5);
        world.credential(0).last_used = Known::Known(ago(46));
        world.assert_passes("LIF-10");
        world.credential(0).last_used = Known::Known(ago(45));
        assert_eq!(world.findings("LIF-10").len(), 1);
        world.credential(0).last_used = Known::Never;
        world.assert_passes("LIF-10");
        let mut world = ending(5);
        let newer = world.key_of(0);
        world.credential(newer).created = Known::Known(ago(2));
        world.assert_passes("LIF-10");
        world.credential(newer).status = Status::Disabled;
        assert_eq!(world.findings("LIF-10").len(), 1);
        ending(-1).assert_ignores("LIF-10");
    }

    #[test]
    fn missing_telemetry() {
        let mut world = ending(5);
        world.credential(0).last_used = Known::Unsupported;
        world.assert_lacks("LIF-10", "usage");
    }
}
