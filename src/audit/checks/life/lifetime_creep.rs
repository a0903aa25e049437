//! LIF-05: its end is put off again and again.
//!
//! # Why
//! What is prolonged to avoid an outage lives for ever, and each time with less thought.
//!
//! # How it is decided
//! From earlier runs: how often the end of a credential was moved later by more than a day. Twice
//! is medium; three times, or a move without a later approval, high; once counts where its whole
//! life is then longer than its tier allows. Not evaluated where no earlier run saw an end.
//!
//! # Remedy
//! Replace it by a workload identity, or set an end that holds.

use jiff::Timestamp;
use keymuster_api::Severity;

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Past, Subject, subject::days_between,
};

/// The check.
pub(in crate::audit::checks) struct LifetimeCreep;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-05",
    slug: "lifetime-creep",
    title: "Lifetime creep",
    why: "What is prolonged to avoid an outage lives for ever.",
    decided: "earlier runs saw its end moved at least twice, or once beyond its tier's longest life",
    remedy: "replace it by a workload identity, or set an end that holds",
    needs: &[Input::Discovered, Input::History],
};

/// One move of the end.
struct Moved {
    at: Timestamp,
    from: Timestamp,
    to: Timestamp,
    approved: Option<Timestamp>,
    is_approved: bool,
}

impl Check for LifetimeCreep {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, credential) in cx.credentials().filter(|(_, one)| cx.is_live(one)) {
            let record = cx.record_of_this_key(ix);
            let enforced = credential.expires.value().copied();
            let Some(end) = enforced.or_else(|| record?.expires_at) else {
                continue;
            };
            let subject = Subject::Credential(ix);
            let past = cx.history.get(cx.text(credential.subject));
            let past = past.map_or(&[][..], Vec::as_slice);
            if past.iter().all(|past| past.expires.is_none()) {
                out.not_evaluated(&subject, Input::History);
                continue;
            }
            let today = Past {
                at: cx.now,
                expires: Some(end),
                approved_at: record.and_then(|record| record.approved_at),
                ..Past::default()
            };
            let moved = moves(past, &today);
            let made = credential.created.value().copied();
            let made = made.or_else(|| record?.issued_at);
            let (tier, _) = cx.tier(ix);
            let limit = i64::from(cx.policy.lifetime(tier));
            let life = made.map(|made| days_between(made, end));
            let too_long = life.is_some_and(|life| life > limit);
            let unapproved = moved.iter().any(|one| !one.is_approved);
            let severity = match moved.len() {
                0 => None,
                1 if too_long && unapproved => Some(Severity::High),
                1 => too_long.then_some(Severity::Medium),
                2 if !unapproved => Some(Severity::Medium),
                _ => Some(Severity::High),
            };
            let Some(severity) = severity else {
                out.pass(&subject);
                continue;
            };
            out.fail(subject, severity, |draft| {
                for one in &moved {
                    let approved = match one.approved {
                        Some(at) if one.is_approved => format!("approved {at}"),
                        _ => "without a new approval".to_owned(),
                    };
                    let says = format!("{} to {}, {approved}", one.from, one.to);
                    draft.evidence("end moved", says, format!("the run of {}", one.at));
                }
                if let Some(life) = life {
                    let source = format!("policy {}: {}", cx.policy.name, cx.policy.lifetime_source);
                    draft.evidence("whole life", format!("{life} d, at most {limit} d"), source);
                    draft.over_limit(life, limit);
                }
                draft.remedy(
                    "replace it by a workload identity (a role, federation) before its next end, and do not move that",
                );
            });
        }
    }
}

fn moves(past: &[Past], today: &Past) -> Vec<Moved> {
    let seen: Vec<&Past> = past
        .iter()
        .chain([today])
        .filter(|p| p.expires.is_some())
        .collect();
    let mut moved = Vec::new();
    for (before, after) in seen.iter().zip(seen.iter().skip(1)) {
        if let (Some(from), Some(to)) = (before.expires, after.expires)
            && days_between(from, to) > 1
        {
            moved.push(Moved {
                at: after.at,
                from,
                to,
                approved: after.approved_at,
                is_approved: after.approved_at > before.approved_at,
            });
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity};

    use crate::audit::checks::testing::{World, ago};

    /// A key that ends in 60 days, with these ends seen and approvals given before.
    fn world(seen: &[(i64, i64, i64)]) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).approved_at = Some(ago(1));
        for &(run, end, approved) in seen {
            let past = world.past(key, run);
            past.expires = Some(ago(end));
            past.approved_at = Some(ago(approved));
        }
        world
    }

    #[test]
    fn true_moved_twice() {
        let world = world(&[(90, 30, 100), (50, 0, 60)]);
        let finding = world.finding("LIF-05");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence[0].label, "end moved");
        assert!(finding.evidence[1].value.contains("approved"));
    }

    #[test]
    fn true_a_third_time_or_unapproved_is_high() {
        let three = world(&[(120, 60, 130), (90, 30, 100), (50, 0, 60)]);
        assert_eq!(three.finding("LIF-05").severity, Severity::High);
        let silent = world(&[(90, 30, 100), (50, 0, 100)]);
        let finding = silent.finding("LIF-05");
        assert_eq!(finding.severity, Severity::High);
        assert!(
            finding.evidence[0]
                .value
                .ends_with("without a new approval")
        );
    }

    #[test]
    fn true_once_beyond_the_longest_life() {
        let mut once = world(&[(50, 0, 60)]);
        once.assert_passes("LIF-05");
        once.credential(0).created = Known::Known(ago(306));
        assert_eq!(once.finding("LIF-05").severity, Severity::Medium);
        once.credential(0).created = Known::Known(ago(305));
        once.assert_passes("LIF-05");
    }

    #[test]
    fn near_miss_moved_earlier_or_by_a_day() {
        world(&[(90, -61, 100), (50, -59, 60)]).assert_passes("LIF-05");
        world(&[(90, -120, 100), (50, -90, 60)]).assert_passes("LIF-05");
    }

    #[test]
    fn missing_history() {
        let mut world = world(&[]);
        world.past(0, 10).owner = Some("ada".to_owned());
        world.assert_lacks("LIF-05", "history");
    }
}
