//! INV-03: the record says revoked, the system says active.
//!
//! # Why
//! Everybody believes that the door is shut.
//!
//! # How it is decided
//! For credentials with a record: the record's status is revoked or retired, and the system
//! lists the credential as active. A record that was matched by its principal or name and
//! names another key says nothing of this one. Not evaluated where no system says whether it
//! works, and where the record is that of a key while this key's id was not listed. High; critical if it was used after the recorded revocation.
//!
//! # Remedy
//! Revoke it in fact, and attach the system's proof to the record.

use keymuster_api::{Known, Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Subject,
    listing::{Listing, NO_KEY_ID},
    words,
};

/// The check.
pub(in crate::audit::checks) struct RevokedOnPaper;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-03",
    slug: "revoked-on-paper",
    title: "Revoked on paper, alive in fact",
    why: "Everybody believes that the door is shut.",
    decided: "the record's status is revoked or retired, and the system lists the credential as active",
    remedy: "revoke it in fact, and attach the system's proof to the record",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for RevokedOnPaper {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let listing = Listing::of(cx);
        for (ix, credential) in cx.credentials() {
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                if credential.listed {
                    out.not_evaluated(&subject, Input::Inventory);
                }
                continue;
            }
            let Some(record) = cx.record_of(ix) else {
                continue;
            };
            if listing.is_open(ix) {
                out.not_evaluated_because(&subject, NO_KEY_ID);
                continue;
            }
            let ended = record.status.filter(|status| status.is_ended());
            let (Some(status), true) = (ended, cx.record_of_this_key(ix).is_some()) else {
                out.pass(&subject);
                continue;
            };
            match credential.status {
                Status::Disabled | Status::Revoked => out.pass(&subject),
                Status::Active if credential.listed => {
                    let used_since = match (credential.last_used, record.revoked_at) {
                        (Known::Known(used), Some(revoked)) if used > revoked => Some(used),
                        _ => None,
                    };
                    out.fail(subject, Severity::High, |draft| {
                        let row = record.source.to_string();
                        let listed_by = cx.sources(credential);
                        draft.evidence("recorded status", status.as_str(), row.as_str());
                        if let Some(at) = record.revoked_at {
                            draft.evidence("revoked at", at.to_string(), row.as_str());
                        }
                        draft.evidence(
                            "revoked by",
                            record.revoked_by.clone().unwrap_or_default(),
                            row,
                        );
                        draft.evidence("system's status", "active", listed_by.as_str());
                        if let Some(used) = used_since {
                            draft.at_least(Severity::Critical);
                            draft.evidence("used since", used.to_string(), listed_by);
                        }
                        draft.remedy(format!(
                            "{}; then attach the system's answer to record {}",
                            words::revoke(cx, ix),
                            record.id
                        ));
                    });
                }
                Status::Active | Status::Unknown => out.not_evaluated(&subject, Input::Discovered),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago},
        inventory::{Identifier, MatchKey, RecordStatus},
    };

    #[test]
    fn true_alive_and_used() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        record.status = Some(RecordStatus::Revoked);
        record.revoked_at = Some(ago(5));
        assert_eq!(world.finding("INV-03").severity, Severity::Critical);
        world.credential(key).last_used = Known::Known(ago(6));
        assert_eq!(world.finding("INV-03").severity, Severity::High);
    }

    #[test]
    fn near_miss_disabled_or_in_force() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).status = Some(RecordStatus::Retired);
        world.credential(key).status = Status::Disabled;
        world.assert_passes("INV-03");
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.assert_passes("INV-03");
    }

    #[test]
    fn near_miss_the_record_is_of_the_old_key() {
        let mut world = World::new();
        let key = world.key("deploy");
        let (ix, record) = world.record("R-1");
        record.status = Some(RecordStatus::Revoked);
        record.identifiers = vec![Identifier {
            scheme: "access_key_id".to_owned(),
            value: format!("{}OLD", concat!("AK", "IA")),
        }];
        world.accept(key, ix, MatchKey::Principal);
        world.assert_passes("INV-03");
    }

    #[test]
    fn missing_status_or_inventory() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).status = Some(RecordStatus::Revoked);
        world.credential(key).status = Status::Unknown;
        world.assert_lacks("INV-03", "discovered");
        world.inventory = None;
        world.assert_lacks("INV-03", "inventory");
    }
}
