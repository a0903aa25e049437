//! LIF-02: no end, or an end beyond the longest life of its tier.
//!
//! # Why
//! What has no end is never looked at again.
//!
//! # How it is decided
//! For credentials that are not disabled or revoked, and that a system lists or a record names. An end is what the system enforces
//! or what the record promises; a recorded reason for having none is an answer too. With an
//! end, its life (from issue to end) is held against the record's own maximum, else the
//! policy's for its tier, or for who holds it. Not evaluated without a register, unless the system enforces an end,
//! where the system does not say, and for a key whose id was not listed, which a record may
//! name. Medium; high for third parties and at T0.
//!
//! # Remedy
//! Record an end, or better: move to a short-lived credential.

use jiff::Timestamp;
use keymuster_api::{Known, Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Draft, Findings, Input, Subject,
        listing::{Listing, NO_KEY_ID},
        subject::days_between,
    },
    inventory::Record,
};

/// The check.
pub(in crate::audit::checks) struct NoExpiry;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-02",
    slug: "no-expiry",
    title: "No expiry, or lifetime above the tier maximum",
    why: "What has no end is never looked at again.",
    decided: "neither system nor record name an end or a reason for none, or the end lies beyond the tier's maximum",
    remedy: "record an end, or move to a short-lived credential",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for NoExpiry {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let listing = Listing::of(cx);
        for (ix, credential) in cx.credentials() {
            let dead = matches!(credential.status, Status::Disabled | Status::Revoked);
            let open = listing.is_open(ix);
            let record = cx.record_of_this_key(ix).filter(|_| !open);
            // What no system lists has only its record's end.
            let is_known = credential.listed || (record.is_some() && cx.is_live(credential));
            if dead || !is_known {
                continue;
            }
            let subject = Subject::Credential(ix);
            let enforced = credential.expires.value().copied();
            let promised = record.and_then(|record| record.expires_at);
            let Some(end) = [enforced, promised].into_iter().flatten().min() else {
                let explained = record.is_some_and(|record| record.no_expiry_reason.is_some());
                if explained {
                    out.pass(&subject);
                } else if cx.inventory.is_none() {
                    out.not_evaluated(&subject, Input::Inventory);
                } else if open {
                    out.not_evaluated_because(&subject, NO_KEY_ID);
                } else if cx.is_unconfirmed(ix) {
                    out.not_evaluated_because(&subject, "inventory: match to be confirmed");
                } else if credential.listed && credential.expires != Known::Never {
                    out.not_evaluated(&subject, Input::Discovered);
                } else {
                    out.fail(subject, Severity::Medium, |draft| {
                        endless(cx, ix, record, draft)
                    });
                }
                continue;
            };
            let made = credential
                .created
                .value()
                .copied()
                .or_else(|| record.and_then(|record| record.issued_at));
            // Without a date of issue its life is at least what is left of it.
            let life = days_between(made.unwrap_or(cx.now), end);
            let (limit, line) = maximum(cx, ix, record);
            if life <= limit {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let source = match promised {
                    Some(promised) if promised == end => {
                        record.map_or_else(String::new, |record| record.source.to_string())
                    }
                    _ => cx.sources(credential),
                };
                draft.evidence("expires", end.to_string(), source);
                created(cx, ix, made, draft);
                draft.evidence("lifetime", format!("{life} d, at most {limit} d"), line);
                draft.over_limit(life, limit);
                third_party(record, draft);
                draft.remedy(format!(
                    "shorten its life to {limit} days, or move to a short-lived credential"
                ));
            });
        }
    }
}

fn endless(cx: &CheckCx<'_>, ix: u32, record: Option<&Record>, draft: &mut Draft<'_>) {
    let credential = cx.credential(ix);
    let (limit, line) = maximum(cx, ix, record);
    if credential.listed {
        draft.evidence("expires, says the system", "never", cx.sources(credential));
    }
    match record {
        Some(record) => draft.evidence(
            "expires, says the record",
            "neither an end nor a reason for none",
            record.source.to_string(),
        ),
        None => draft.evidence("expires, says the record", "no record", "the register"),
    }
    created(cx, ix, credential.created.value().copied(), draft);
    draft.evidence("longest life", format!("{limit} d"), line);
    third_party(record, draft);
    draft.remedy(match record {
        Some(record) => format!(
            "give record {} an end within {limit} days, or a reason for having none; better, replace it by a short-lived credential (a role, workload identity)",
            record.id
        ),
        None => format!(
            "register it with an end within {limit} days; better, replace it by a short-lived credential (a role, workload identity)"
        ),
    });
}

fn created(cx: &CheckCx<'_>, ix: u32, made: Option<Timestamp>, draft: &mut Draft<'_>) {
    if let Some(made) = made {
        let age = format!("{made}, {} days ago", cx.days_since(made));
        draft.evidence("created", age, cx.sources(cx.credential(ix)));
    }
}

fn third_party(record: Option<&Record>, draft: &mut Draft<'_>) {
    if let Some((record, tier)) = record.and_then(|r| Some((r, r.trust_tier.as_deref()?)))
        && super::is_third_party(tier)
    {
        draft.at_least(Severity::High);
        draft.evidence("held by", tier, record.source.to_string());
    }
}

/// Longest life in days, and who says so.
fn maximum(cx: &CheckCx<'_>, ix: u32, record: Option<&Record>) -> (i64, String) {
    let (tier, why) = cx.tier(ix);
    let policy = cx.policy.lifetime(tier);
    // Somebody outside is held shorter, whatever the tier allows.
    let practice = &cx.policy.practice;
    let trust = record.and_then(|record| record.trust_tier.as_deref());
    let outside = trust.and_then(|trust| Some((trust, *practice.trust_days.get(trust)?)));
    if let Some((trust, days)) = outside.filter(|(_, days)| *days < policy)
        && record
            .and_then(|record| record.max_lifetime_days)
            .is_none_or(|own| own >= days)
    {
        let line = format!(
            "policy {}, {trust}: {}",
            cx.policy.name, practice.trust_source
        );
        return (i64::from(days), line);
    }
    match record.and_then(|record| Some((record, record.max_lifetime_days?))) {
        Some((record, own)) if own < policy => (i64::from(own), record.source.to_string()),
        _ => (
            i64::from(policy),
            format!(
                "policy {}, {} ({why}): {}",
                cx.policy.name,
                tier.as_str(),
                cx.policy.lifetime_source
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago},
        inventory::{MatchKey, Tier},
    };

    #[test]
    fn true_no_end_anywhere() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = None;
        let finding = world.finding("LIF-02");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.expires, "never");
        world.inventory.as_mut().expect("given").records[0].trust_tier =
            Some("third_party".to_owned());
        assert_eq!(world.finding("LIF-02").severity, Severity::High);
    }

    #[test]
    fn true_a_life_too_long() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        record.expires_at = Some(ago(-61));
        record.tier = Some(Tier::T0);
        // Made 30 days ago, ends in 61: 91 days, one too many at T0.
        assert_eq!(world.finding("LIF-02").severity, Severity::High);
        world.inventory.as_mut().expect("given").records[0].expires_at = Some(ago(-60));
        world.assert_passes("LIF-02");
    }

    #[test]
    fn true_somebody_outside_is_held_shorter() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        record.expires_at = Some(ago(-61));
        world.assert_passes("LIF-02");
        let record = &mut world.inventory.as_mut().expect("given").records[0];
        record.trust_tier = Some("partner".to_owned());
        let finding = world.finding("LIF-02");
        assert_eq!(finding.severity, Severity::High);
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value == "91 d, at most 90 d")
        );
        // The record's own maximum counts where it is shorter still.
        world.inventory.as_mut().expect("given").records[0].max_lifetime_days = Some(80);
        let finding = world.finding("LIF-02");
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value == "91 d, at most 80 d")
        );
        world.inventory.as_mut().expect("given").records[0].expires_at = Some(ago(-50));
        world.assert_passes("LIF-02");
    }

    #[test]
    fn true_seen_and_registered_without_an_end() {
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "web", "a.py");
        world.assert_ignores("LIF-02");
        world.registered(secret).expires_at = None;
        assert_eq!(world.findings("LIF-02").len(), 1);
        world.inventory.as_mut().expect("given").records[0].expires_at = Some(ago(-30));
        world.assert_passes("LIF-02");
    }

    #[test]
    fn near_miss_a_reason_or_disabled() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        record.expires_at = None;
        record.no_expiry_reason = Some("the vendor's robot cannot change it".to_owned());
        world.assert_passes("LIF-02");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("LIF-02");
    }

    #[test]
    fn missing_answer_or_inventory() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = None;
        world.credential(key).expires = Known::Denied;
        world.assert_lacks("LIF-02", "discovered");
        world.inventory = None;
        world.assert_lacks("LIF-02", "inventory");
    }

    #[test]
    fn missing_key_id() {
        let mut world = World::new();
        let key = world.unnamed_key("deploy");
        world.assert_lacks("LIF-02", "discovered: its key id was not listed");
        // The end that a record promises to another key is none of this one.
        let (record, row) = world.record("R-1");
        row.identifiers[0].scheme = "access_key_id".to_owned();
        world.accept(key, record, MatchKey::Principal);
        world.assert_lacks("LIF-02", "discovered: its key id was not listed");
        // What the system enforces needs no record.
        world.credential(key).expires = Known::Known(ago(-30));
        world.assert_passes("LIF-02");
    }
}
