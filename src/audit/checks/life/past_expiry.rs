//! LIF-01: past its recorded or own end, and still active.
//!
//! # Why
//! The approval has run out; whatever it does now, nobody allowed.
//!
//! # How it is decided
//! For credentials that are not disabled or revoked: the record's end, else the system's, lies
//! before the run, and the system lists it as active. A date without a time lasts till the end
//! of that day. Not evaluated where no system says whether it works, and where neither a
//! register nor the system could name an end; nor for a key whose id was not listed, which a
//! record may name. High; critical at T0.
//!
//! # Remedy
//! Revoke it, or renew it with approval.

use keymuster_api::{Known, Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Subject,
    listing::{Listing, NO_KEY_ID},
    words,
};

/// The check.
pub(in crate::audit::checks) struct PastExpiry;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-01",
    slug: "past-expiry",
    title: "Past expiry, still active",
    why: "The approval has run out; whatever it does now, nobody allowed.",
    decided: "the recorded or own end lies before the run, and the system lists it as active",
    remedy: "revoke it, or renew it with approval",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for PastExpiry {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let listing = Listing::of(cx);
        for (ix, credential) in cx.credentials() {
            if matches!(credential.status, Status::Disabled | Status::Revoked) {
                continue;
            }
            let record = cx.record_of_this_key(ix).filter(|record| !ended(record));
            if !credential.listed && record.is_none() {
                continue;
            }
            let subject = Subject::Credential(ix);
            if cx.inventory.is_some() && listing.is_open(ix) {
                out.not_evaluated_because(&subject, NO_KEY_ID);
                continue;
            }
            let recorded =
                record.and_then(|record| Some((record.expires_at?, record.source.to_string())));
            let end = recorded.or_else(|| {
                let own = credential.expires.value().copied()?;
                Some((own, cx.sources(credential)))
            });
            let Some((end, source)) = end else {
                // No end is LIF-02's matter, unless nobody could have named one.
                if record.is_some() || credential.expires == Known::Never && cx.inventory.is_some()
                {
                    out.pass(&subject);
                } else if cx.inventory.is_none() {
                    out.not_evaluated(&subject, Input::Inventory);
                } else {
                    out.not_evaluated(&subject, Input::Discovered);
                }
                continue;
            };
            if end >= cx.now {
                out.pass(&subject);
            } else if credential.listed && credential.status == Status::Active {
                let days = cx.days_since(end);
                out.fail(subject, Severity::High, |draft| {
                    draft.evidence("expiry", format!("{end}, {days} days ago"), source);
                    draft.evidence("system's status", "active", cx.sources(credential));
                    if let Known::Known(used) = credential.last_used {
                        draft.evidence("last use", used.to_string(), cx.sources(credential));
                    }
                    draft.over_limit(days, 1);
                    draft.remedy(format!(
                        "{}, or renew its approval with a new end",
                        words::revoke(cx, ix)
                    ));
                });
            } else {
                out.not_evaluated(&subject, Input::Discovered);
            }
        }
    }
}

/// What has ended is INV-03's matter.
fn ended(record: &crate::inventory::Record) -> bool {
    record
        .status
        .is_some_and(crate::inventory::RecordStatus::is_ended)
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago, now},
        inventory::Tier,
    };

    #[test]
    fn true_ended_by_record_or_system() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = Some(ago(3));
        let finding = world.finding("LIF-01");
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.evidence[0].value.ends_with("3 days ago"));
        let mut world = World::new();
        let key = world.key("deploy");
        world.credential(key).expires = Known::Known(ago(1));
        assert_eq!(world.findings("LIF-01").len(), 1);
    }

    #[test]
    fn true_t0_is_critical() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        record.expires_at = Some(ago(3));
        record.tier = Some(Tier::T0);
        assert_eq!(world.finding("LIF-01").severity, Severity::Critical);
    }

    #[test]
    fn near_miss_the_last_moment_and_disabled() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = Some(now());
        world.assert_passes("LIF-01");
        world.inventory.as_mut().expect("given").records[0].expires_at = Some(ago(9));
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("LIF-01");
    }

    #[test]
    fn missing_status_or_inventory() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = Some(ago(3));
        world.credential(key).status = Status::Unknown;
        world.assert_lacks("LIF-01", "discovered");
        world.inventory = None;
        world.assert_lacks("LIF-01", "inventory");
    }
}
