//! LIF-07: nobody has confirmed that it is still needed, or somebody confirmed without looking.
//!
//! # Why
//! A grant that nobody reviews stays when its reason has gone; a review of a hundred in ten
//! minutes is a signature, no decision.
//!
//! # How it is decided
//! For records in force: the last review, else the approval, else the issue, and the policy's
//! cadence for the tier. Rubber-stamped: one reviewer decided on more records than the policy
//! allows within its minutes (where the register says times, not only days), or kept a credential
//! that lay exposed at the time. Medium; high at T0.
//! Without a register there are no records, and nothing is judged; a record that gives no date at
//! all was never reviewed. Rubber stamps are not evaluated where a review names no reviewer.
//!
//! # Remedy
//! Review it, and record the decision.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        checks::owner::in_force,
        recorded::{Recorded, Said},
        subject::months_later,
    },
    inventory::Record,
};

/// The check.
pub(in crate::audit::checks) struct Recertification;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-07",
    slug: "recertification",
    title: "Recertification overdue or rubber-stamped",
    why: "A grant that nobody reviews stays when its reason has gone.",
    decided: "the last review is older than the tier's cadence, part of a batch too fast to be real, or kept what lay exposed",
    remedy: "review it, and record the decision",
    needs: &[Input::Inventory],
};

/// Why a review without a reviewer is not judged for being real.
const NO_REVIEWER: &str = "inventory: the review names no reviewer";

impl Check for Recertification {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let recorded = Recorded::of(cx.inventory);
        let batches = batches(cx, &recorded);
        for (ix, record) in in_force(cx) {
            let subject = Subject::Record(ix);
            let (tier, _) = cx.tier_of_record(ix);
            let months = cx.policy.review_months[tier as usize];
            let since = [
                ("last review", record.last_reviewed_at),
                ("never reviewed, approved", record.approved_at),
                ("never reviewed, issued", record.issued_at),
            ]
            .into_iter()
            .find_map(|(label, at)| Some((label, at?)));
            let overdue = since.is_none_or(|(_, at)| months_later(at, months) < cx.now);
            let batch = batches.get(&ix);
            let exposed = kept_while_exposed(cx, &recorded, ix, record);
            let reviewer = recorded.text(record, Said::Reviewer);
            if !overdue && batch.is_none() && exposed.is_none() {
                if record.last_reviewed_at.is_some() && reviewer.is_none() {
                    out.not_evaluated_because(&subject, NO_REVIEWER);
                } else {
                    out.pass(&subject);
                }
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let row = record.source.to_string();
                match since {
                    Some((label, at)) => {
                        let days = cx.days_since(at);
                        draft.evidence(label, format!("{at}, {days} days ago"), row.as_str());
                        if overdue {
                            draft.over_limit(days, i64::from(months) * 30);
                        }
                    }
                    None => draft.evidence("last review", "never; no date at all", row.as_str()),
                }
                let source = format!(
                    "policy {}, {}: {}",
                    cx.policy.name,
                    tier.as_str(),
                    cx.policy.review_source
                );
                draft.evidence("cadence", format!("{months} months"), source);
                if let Some(count) = batch {
                    let bulk = &cx.policy.practice.bulk;
                    let says = format!(
                        "{} decided on {count} records within {} minutes",
                        reviewer.unwrap_or_default(),
                        bulk.minutes
                    );
                    draft.evidence(
                        "batch",
                        says,
                        format!("policy {}: {}", cx.policy.name, bulk.source),
                    );
                }
                if let Some(at) = exposed {
                    let says = format!("kept while it lay exposed, since {at}");
                    draft.evidence("decision", says, row.as_str());
                }
                draft.remedy(format!(
                    "review record {} ({row}): keep, reduce or revoke, with reviewer and day",
                    record.id
                ));
            });
        }
    }
}

/// Records that were decided in a batch, each with the batch's size.
fn batches(cx: &CheckCx<'_>, recorded: &Recorded<'_>) -> BTreeMap<u32, usize> {
    let bulk = &cx.policy.practice.bulk;
    let mut by_reviewer: BTreeMap<String, Vec<(Timestamp, u32)>> = BTreeMap::new();
    for (ix, record) in in_force(cx) {
        let (Some(at), Some(reviewer)) = (
            record.last_reviewed_at,
            recorded.text(record, Said::Reviewer),
        ) else {
            continue;
        };
        // A day without a time tells nothing about minutes.
        if at.as_second().rem_euclid(86_400) != 0 {
            by_reviewer
                .entry(reviewer.to_lowercase())
                .or_default()
                .push((at, ix));
        }
    }
    let mut found = BTreeMap::new();
    for mut reviews in by_reviewer.into_values() {
        reviews.sort_unstable();
        let mut first = 0;
        for last in 0..reviews.len() {
            let minutes = |from: usize| (reviews[last].0 - reviews[from].0).as_secs() / 60;
            while minutes(first) >= i64::from(bulk.minutes) {
                first += 1;
            }
            let count = last + 1 - first;
            if count > bulk.count as usize {
                for &(_, ix) in &reviews[first..=last] {
                    let known = found.entry(ix).or_insert(count);
                    *known = count.max(*known);
                }
            }
        }
    }
    found
}

/// Since when a credential lay exposed that a review decided to keep.
fn kept_while_exposed(
    cx: &CheckCx<'_>,
    recorded: &Recorded<'_>,
    ix: u32,
    record: &Record,
) -> Option<Timestamp> {
    let reviewed = record.last_reviewed_at?;
    let decision = recorded
        .text(record, Said::ReviewDecision)
        .unwrap_or("keep");
    if !decision.to_lowercase().contains("keep") {
        return None;
    }
    let credentials = cx.matches.of_record.get(ix as usize)?;
    credentials
        .iter()
        .map(|&ix| cx.credential(ix))
        .filter(|credential| cx.leaks(credential).next().is_some())
        .filter_map(|credential| cx.first_exposed(credential))
        .filter(|&at| at < reviewed)
        .min()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::{World, ago},
        inventory::{RecordStatus, Tier},
    };

    fn reviewed(days: i64) -> World {
        let mut world = World::new();
        world.record("R-1").1.last_reviewed_at = Some(ago(days));
        world.said(0, "Reviewer", "carol");
        world
    }

    fn first(world: &mut World) -> &mut crate::inventory::Record {
        &mut world.inventory.as_mut().expect("given").records[0]
    }

    #[test]
    fn true_older_than_the_cadence() {
        // The cadence of this preset is three months: 2026-03-01 to 2026-06-01 are 92 days.
        let mut world = reviewed(93);
        assert_eq!(world.finding("LIF-07").severity, Severity::Medium);
        first(&mut world).tier = Some(Tier::T0);
        assert_eq!(world.finding("LIF-07").severity, Severity::High);
        first(&mut world).last_reviewed_at = None;
        assert!(
            world.finding("LIF-07").evidence[0]
                .label
                .starts_with("never reviewed")
        );
        first(&mut world).approved_at = None;
        assert!(
            world.finding("LIF-07").evidence[0]
                .value
                .starts_with("never")
        );
    }

    #[test]
    fn true_a_batch_too_fast_to_be_real() {
        let mut world = World::new();
        world.policy.practice.bulk.count = 3;
        let spread = |minutes: i64| {
            let mut records: Vec<jiff::Timestamp> = Vec::new();
            for number in 0..4 {
                let at = ago(10) + 1.hours() + (number * minutes).minutes();
                records.push(at);
            }
            records
        };
        for (number, at) in spread(3).into_iter().enumerate() {
            let (record, row) = world.record(&format!("R-{number}"));
            row.last_reviewed_at = Some(at);
            world.said(record, "Reviewer", "carol");
        }
        let findings = world.findings("LIF-07");
        assert_eq!(findings.len(), 4);
        assert!(
            findings[0].evidence[2]
                .value
                .starts_with("carol decided on 4 records")
        );
        for (number, at) in spread(4).into_iter().enumerate() {
            let records = &mut world.inventory.as_mut().expect("given").records;
            records[number].last_reviewed_at = Some(at);
        }
        assert_eq!(world.findings("LIF-07"), []);
    }

    #[test]
    fn true_kept_while_exposed() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", "deploy.sh");
        world.registered(key).last_reviewed_at = Some(ago(5));
        world.said(0, "Reviewer", "carol");
        assert!(
            world.finding("LIF-07").evidence[2]
                .value
                .contains("lay exposed")
        );
        world.said(0, "Decision", "revoke");
        assert_eq!(world.findings("LIF-07"), []);
        world.said(0, "Decision", "keep");
        world.inventory.as_mut().expect("given").records[0].last_reviewed_at = Some(ago(15));
        assert_eq!(world.findings("LIF-07"), [], "it was exposed later");
    }

    #[test]
    fn near_miss_the_last_day_and_ended_records() {
        let mut world = reviewed(92);
        world.assert_passes("LIF-07");
        first(&mut world).last_reviewed_at = Some(ago(900));
        first(&mut world).status = Some(RecordStatus::Revoked);
        world.assert_ignores("LIF-07");
    }

    #[test]
    fn missing_reviewer() {
        let mut world = World::new();
        world.record("R-1").1.last_reviewed_at = Some(ago(3));
        world.assert_lacks("LIF-07", "inventory: the review names no reviewer");
    }
}
