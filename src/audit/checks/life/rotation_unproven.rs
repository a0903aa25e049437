//! LIF-04: rotated on paper only, or half.
//!
//! # Why
//! A rotation that did not happen is worse than none: nobody looks again. One that left the old
//! key alive has doubled what can be stolen.
//!
//! # How it is decided
//! For listed, active credentials. Unproven: the record of this very key claims a rotation more
//! than a day after what the system says, or an earlier run saw the same secret before the day of
//! the claim. Unfinished: the same principal has a newer active credential of the same kind, older
//! than the policy's overlap. High. Not evaluated where the record claims a rotation and the
//! system does not say when; nor without a register, unless the principal has another key.
//!
//! # Remedy
//! Rotate for real; delete the old one.

use jiff::Timestamp;
use keymuster_api::{Severity, Status};

use crate::{
    audit::{Check, CheckAbout, CheckCx, Findings, Input, Subject, subject::days_between, words},
    estate::Credential,
};

/// The check.
pub(in crate::audit::checks) struct RotationUnproven;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-04",
    slug: "rotation-unproven",
    title: "Rotation unproven or unfinished",
    why: "A rotation that did not happen is worse than none: nobody looks again.",
    decided: "the claimed rotation is later than the system's, the secret is the same as before, or the old key still works beside the new one",
    remedy: "rotate for real; delete the old one",
    needs: &[Input::Inventory, Input::Discovered, Input::History],
};

impl Check for RotationUnproven {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let overlap = &cx.policy.practice.overlap;
        for (ix, credential) in cx.credentials() {
            if !credential.listed || credential.status != Status::Active {
                continue;
            }
            let subject = Subject::Credential(ix);
            let claimed = cx
                .record_of_this_key(ix)
                .and_then(|record| Some((record, record.last_rotated_at?)));
            let observed = credential.rotated.or(credential.created).value().copied();
            let successor = successor(cx, ix, credential);
            let overdue =
                successor.filter(|&(_, made)| cx.days_since(made) > i64::from(overlap.days));
            let same = claimed.and_then(|(_, at)| same_secret(cx, credential, at));
            let late = match (claimed, observed) {
                (Some((_, claimed)), Some(observed)) => days_between(observed, claimed) > 1,
                _ => false,
            };
            if late || same.is_some() || overdue.is_some() {
                out.fail(subject, Severity::High, |draft| {
                    if let Some((record, at)) = claimed.filter(|_| late || same.is_some()) {
                        draft.evidence(
                            "rotation claimed",
                            at.to_string(),
                            record.source.to_string(),
                        );
                    }
                    if let Some(at) = observed.filter(|_| late) {
                        draft.evidence("rotation observed", at.to_string(), cx.sources(credential));
                    }
                    if let Some(at) = same {
                        let says = format!("seen before, on {at}");
                        draft.evidence("same secret", says, "earlier runs");
                    }
                    if let Some((newer, made)) = overdue {
                        let newer = cx.credential(newer);
                        let days = cx.days_since(made);
                        let says = format!("{}, {days} days beside it", cx.label(newer));
                        draft.evidence("newer key", says, cx.sources(newer));
                        let source = format!("policy {}: {}", cx.policy.name, overlap.source);
                        draft.evidence("overlap", format!("{} d", overlap.days), source);
                        draft.over_limit(days, i64::from(overlap.days));
                    }
                    draft.remedy(match overdue {
                        Some(_) => words::disable_and_delete(cx, ix),
                        None => words::rotate(cx, ix),
                    });
                });
            } else if claimed.is_some() && observed.is_none() {
                out.not_evaluated(&subject, Input::Discovered);
            } else if cx.inventory.is_none() && successor.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
            } else {
                out.pass(&subject);
            }
        }
    }
}

/// The newest other active credential of the same principal and kind that was made later.
fn successor(cx: &CheckCx<'_>, ix: u32, credential: &Credential) -> Option<(u32, Timestamp)> {
    let made = *credential.created.value()?;
    let siblings = &cx.estate.identity_of(credential)?.credentials;
    siblings
        .iter()
        .filter(|&&other| other != ix)
        .filter_map(|&other| {
            let sibling = cx.credential(other);
            let alive = sibling.status == Status::Active && sibling.kind == credential.kind;
            let at = *sibling.created.value()?;
            (alive && at > made).then_some((other, at))
        })
        .max_by_key(|&(other, at)| (at, other))
}

/// When a run before the claimed rotation saw the secret of today.
fn same_secret(cx: &CheckCx<'_>, credential: &Credential, claimed: Timestamp) -> Option<Timestamp> {
    let secret = credential.secret?.to_string();
    let past = cx.history.get(cx.text(credential.subject))?;
    let mut before = past.iter().filter(|past| past.at < claimed);
    before
        .find(|past| past.secret.as_deref() == Some(&secret))
        .map(|past| past.at)
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, SecretId, Severity, Status};

    use crate::audit::checks::testing::{World, ago};

    #[test]
    fn true_claimed_later_than_observed() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).last_rotated_at = Some(ago(28));
        let finding = world.finding("LIF-04");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.evidence.len(), 2);
        assert!(finding.remediation.starts_with("make a second key"));
    }

    #[test]
    fn true_the_secret_is_the_same() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).last_rotated_at = Some(ago(30));
        world.credential(key).secret = Some(SecretId([7; 16]));
        world.past(key, 40).secret = Some(SecretId([7; 16]).to_string());
        assert_eq!(world.finding("LIF-04").evidence[1].label, "same secret");
        world.history.clear();
        world.past(key, 40).secret = Some(SecretId([8; 16]).to_string());
        world.past(key, 20).secret = Some(SecretId([7; 16]).to_string());
        world.assert_passes("LIF-04");
    }

    #[test]
    fn true_the_old_key_still_works() {
        let mut world = World::new();
        let old = world.key("deploy");
        let new = world.key_of(0);
        world.credential(old).created = Known::Known(ago(100));
        world.credential(new).created = Known::Known(ago(15));
        let finding = world.finding("LIF-04");
        assert!(finding.evidence[0].value.ends_with("15 days beside it"));
        assert!(finding.remediation.starts_with("disable it"));
        world.credential(new).created = Known::Known(ago(14));
        assert_eq!(world.findings("LIF-04"), []);
        world.credential(new).created = Known::Known(ago(15));
        world.credential(new).status = Status::Disabled;
        assert_eq!(world.findings("LIF-04"), []);
    }

    #[test]
    fn near_miss_a_day_of_difference() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).last_rotated_at = Some(ago(29));
        world.assert_passes("LIF-04");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("LIF-04");
    }

    #[test]
    fn missing_date_or_inventory() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).last_rotated_at = Some(ago(1));
        world.credential(key).rotated = Known::Unknown;
        world.credential(key).created = Known::Denied;
        world.assert_lacks("LIF-04", "discovered");
        world.inventory = None;
        world.assert_lacks("LIF-04", "inventory");
    }
}
