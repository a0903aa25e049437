//! LIF-08: nobody knows how to end it, or how to go on afterwards.
//!
//! # Why
//! In an incident there is no time to find out who may revoke a key and what breaks then.
//!
//! # How it is decided
//! For records in force: how it is revoked and how the service recovers must be said, in a form
//! that can be followed (no empty words, no address without a host); whoever revokes must be
//! there; and where a drill is recorded, or the tier is T0 or the holder a third party, the last
//! one must be younger than the policy's limit. Medium; high at T0 and for third parties. Not
//! evaluated where a revoker is named, nothing else is wrong, and no people directory is given.
//!
//! # Remedy
//! Write the runbook, name who revokes, exercise it.

use keymuster_api::Severity;

use super::is_third_party;
use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Directory, Findings, Input, Subject,
        checks::owner::in_force,
        recorded::{Recorded, Said},
    },
    inventory::{Record, Tier},
};

/// The check.
pub(in crate::audit::checks) struct NoRevocationPath;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-08",
    slug: "no-revocation-path",
    title: "No workable revocation path or recovery procedure",
    why: "In an incident there is no time to find out who may revoke a key and what breaks then.",
    decided: "revocation or recovery is not said in a form that can be followed, the revoker has left, or no drill is young enough",
    remedy: "write the runbook, name who revokes, exercise it",
    needs: &[Input::Inventory, Input::People],
};

impl Check for NoRevocationPath {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let directory = cx.people.map(Directory::new);
        let recorded = Recorded::of(cx.inventory);
        for (ix, record) in in_force(cx) {
            let subject = Subject::Record(ix);
            let (tier, _) = cx.tier_of_record(ix);
            let outside = record.trust_tier.as_deref().is_some_and(is_third_party);
            let mut wrong: Vec<(&str, String)> = Vec::new();
            for (what, said) in [
                ("revocation path", &record.revocation_path),
                ("recovery procedure", &record.recovery_procedure),
            ] {
                match said.as_deref() {
                    None => wrong.push((what, "empty".to_owned())),
                    Some(text) if is_dead(text) => wrong.push((what, format!("dead form: {text}"))),
                    Some(_) => {}
                }
            }
            let revokers = revokers(&recorded, record);
            if let Some(directory) = &directory {
                for revoker in revokers
                    .iter()
                    .filter(|name| directory.party(name).is_gone())
                {
                    wrong.push(("revoker", format!("{revoker}, who is not there any more")));
                }
            }
            if let Some(says) = drill(cx, &recorded, record, tier == Tier::T0 || outside) {
                wrong.push(("drill", says));
            }
            if wrong.is_empty() {
                if directory.is_none() && !revokers.is_empty() {
                    out.not_evaluated(&subject, Input::People);
                } else {
                    out.pass(&subject);
                }
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let row = record.source.to_string();
                for (what, says) in &wrong {
                    draft.evidence(what, says.as_str(), row.as_str());
                }
                if outside {
                    draft.at_least(Severity::High);
                    let tier = record.trust_tier.clone().unwrap_or_default();
                    draft.evidence("held by", tier, row.as_str());
                }
                let whats: Vec<&str> = wrong.iter().map(|(what, _)| *what).collect();
                draft.remedy(format!(
                    "mend {} of record {} ({row}): a runbook that can be opened, who revokes, and the day it was last exercised",
                    whats.join(", "),
                    record.id
                ));
            });
        }
    }
}

/// Who revokes: who is named, and every mail in the path.
fn revokers<'r>(recorded: &Recorded<'_>, record: &'r Record) -> Vec<&'r str> {
    let mut all = recorded.list(record, Said::Revoker);
    let path = record.revocation_path.as_deref().unwrap_or_default();
    let words = path.split(|c: char| c.is_whitespace() || ",;()<>".contains(c));
    all.extend(words.filter(|word| {
        word.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !name.contains('/')
        })
    }));
    all
}

/// Whether a text cannot be followed: an address without a host, or empty words.
fn is_dead(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_lowercase();
    if let Some(rest) = ["https://", "http://"]
        .iter()
        .find_map(|p| lower.strip_prefix(p))
    {
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
        return !is_host || text.contains(char::is_whitespace);
    }
    const EMPTY: &[&str] = &[
        "manual",
        "manually",
        "yes",
        "no",
        "see wiki",
        "wiki",
        "ask it",
        "contact it",
        "see docs",
        "docs",
        "standard",
        "as usual",
        "per policy",
        "todo",
    ];
    text.chars().filter(|c| c.is_alphanumeric()).count() < 3 || EMPTY.contains(&lower.as_str())
}

fn drill(
    cx: &CheckCx<'_>,
    recorded: &Recorded<'_>,
    record: &Record,
    is_needed: bool,
) -> Option<String> {
    let limit = &cx.policy.practice.drill;
    match recorded.time(record, Said::RevocationDrillAt) {
        None => is_needed.then(|| "never exercised".to_owned()),
        Some(Err(text)) => Some(format!("no day: {text}")),
        Some(Ok(at)) => {
            let days = cx.days_since(at);
            (days > i64::from(limit.days)).then(|| {
                format!(
                    "{at}, {days} days ago, at most {} ({})",
                    limit.days, limit.source
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use super::is_dead;
    use crate::{
        audit::checks::testing::World,
        inventory::{PersonStatus, Record, Tier},
    };

    fn first(world: &mut World) -> &mut Record {
        &mut world.inventory.as_mut().expect("given").records[0]
    }

    #[test]
    fn true_empty_dead_or_nobody_there() {
        let mut world = World::new();
        world.record("R-1").1.revocation_path = None;
        let finding = world.finding("LIF-08");
        assert_eq!(
            (finding.severity, finding.evidence.len()),
            (Severity::Medium, 1)
        );
        first(&mut world).revocation_path = Some("https://wiki/".to_owned());
        assert!(
            world.finding("LIF-08").evidence[0]
                .value
                .starts_with("dead form")
        );
        first(&mut world).revocation_path = Some("runbook 7".to_owned());
        first(&mut world).recovery_procedure = None;
        assert_eq!(
            world.finding("LIF-08").evidence[0].label,
            "recovery procedure"
        );
        first(&mut world).recovery_procedure = Some("runbook 8".to_owned());
        world.assert_passes("LIF-08");
        world.person("gone", PersonStatus::Ended);
        first(&mut world).revocation_path = Some("mail <gone@acme.example>, then wait".to_owned());
        assert_eq!(world.finding("LIF-08").evidence[0].label, "revoker");
    }

    #[test]
    fn true_no_drill_at_t0_or_an_old_one() {
        let mut world = World::new();
        world.record("R-1").1.tier = Some(Tier::T0);
        let finding = world.finding("LIF-08");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.evidence[0].value, "never exercised");
        world.said(0, "Last drill", "2025-06-01");
        world.assert_passes("LIF-08");
        world.said(0, "Last drill", "2025-05-29");
        assert_eq!(world.findings("LIF-08").len(), 1);
        first(&mut world).tier = None;
        assert_eq!(
            world.findings("LIF-08").len(),
            1,
            "a recorded drill counts at any tier"
        );
        let mut world = World::new();
        world.record("R-1").1.trust_tier = Some("partner".to_owned());
        assert_eq!(world.finding("LIF-08").severity, Severity::High);
    }

    #[test]
    fn near_miss_forms_that_can_be_followed() {
        let mut world = World::new();
        world.person("ada", PersonStatus::Active);
        world.record("R-1").1.revocation_path = Some("ask ada@acme.example".to_owned());
        world.said(0, "revoker", "ada");
        world.assert_passes("LIF-08");
        for text in [
            "runbook 7",
            "https://wiki.acme.example/x",
            "aws iam delete-access-key",
            "PD#12",
        ] {
            assert!(!is_dead(text), "{text}");
        }
        for text in [
            "http://x",
            "https://wiki.acme.example and then",
            "manual",
            "-1",
            "https://.x",
        ] {
            assert!(is_dead(text), "{text}");
        }
    }

    #[test]
    fn missing_directory() {
        let mut world = World::new();
        world.record("R-1");
        world.said(0, "revoker", "ada");
        world.people = None;
        world.assert_lacks("LIF-08", "people");
    }
}
