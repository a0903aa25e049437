//! INV-04: several records claim one credential, or one record may be its.
//!
//! # Why
//! Two records have two owners, two ends and two truths; whoever reads the wrong one acts on
//! it.
//!
//! # How it is decided
//! A credential with a further record at 0.80 or above that speaks of the same thing (by the
//! same kind of key, or both by the key's own identity, or less than 0.10 apart), or with
//! records between 0.60 and 0.80 that somebody must confirm. A record of the principal beside
//! one of its key is no duplicate. Of a key without an id, records of different keys are not
//! evaluated: one may be its own, and the other that of its sibling. Medium; high where owners or states differ.
//!
//! # Remedy
//! Name the winning source and merge; confirm or refuse a match by writing the identifier
//! into the right record.

use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Draft, Findings, Input, Subject, listing::NO_KEY_ID,
        subject::name_different_keys,
    },
    inventory::{Match, MatchKey, Record},
};

/// The check.
pub(in crate::audit::checks) struct DuplicateRecords;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-04",
    slug: "duplicate-records",
    title: "Duplicate, conflicting or ambiguous records",
    why: "Two records have two owners, two ends and two truths.",
    decided: "two records match one credential, or a match between 0.60 and 0.80 waits for confirmation",
    remedy: "name the winning source and merge the records",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for DuplicateRecords {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, credential) in cx.credentials() {
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                if cx.is_live(credential) {
                    out.not_evaluated(&subject, Input::Inventory);
                }
                continue;
            }
            if let Some(accepted) = cx.matched(ix) {
                let also = cx
                    .matches
                    .also
                    .get(ix as usize)
                    .map_or(&[][..], Vec::as_slice);
                let siblings = |other: &Match| {
                    let records = (cx.record(accepted.record), cx.record(other.record));
                    credential.handle.is_none()
                        && matches!(records, (Some(a), Some(b)) if name_different_keys(a, b))
                };
                let (open, same): (Vec<&Match>, Vec<&Match>) = also
                    .iter()
                    .filter(|other| {
                        other.record != accepted.record && speak_of_one(accepted, other)
                    })
                    .partition(|other| siblings(other));
                if same.is_empty() && !open.is_empty() {
                    out.not_evaluated_because(&subject, NO_KEY_ID);
                } else if same.is_empty() {
                    match cx.record(accepted.record) {
                        Some(record) if !record.conflicts.is_empty() => {
                            disagreement(cx, subject, accepted, record, out);
                        }
                        _ => out.pass(&subject),
                    }
                } else {
                    duplicates(cx, subject, accepted, &same, out);
                }
            } else if cx.is_unconfirmed(ix) {
                let near = &cx.matches.to_confirm[ix as usize];
                out.fail(subject, Severity::Medium, |draft| {
                    for each in near {
                        show(cx, each, draft);
                    }
                    draft.title(format!("Match to be confirmed: {}", cx.label(credential)));
                    draft.remedy(format!(
                        "write {} into the record it belongs to, or register it on its own",
                        cx.label(credential)
                    ));
                });
            }
        }
    }
}

fn duplicates(
    cx: &CheckCx<'_>,
    subject: Subject,
    accepted: &Match,
    same: &[&Match],
    out: &mut Findings<'_>,
) {
    let rows: Vec<&Record> = std::iter::once(accepted)
        .chain(same.iter().copied())
        .filter_map(|each| cx.record(each.record))
        .collect();
    let owners = differing(
        rows.iter()
            .map(|row| row.owner.as_deref().unwrap_or("").to_lowercase()),
    );
    let states = differing(rows.iter().map(|row| {
        let ended = row
            .status
            .is_some_and(crate::inventory::RecordStatus::is_ended);
        if ended { "ended" } else { "in force" }.to_owned()
    }));
    out.fail(subject, Severity::Medium, |draft| {
        for each in std::iter::once(accepted).chain(same.iter().copied()) {
            show(cx, each, draft);
        }
        for (field, differs) in [("owners", &owners), ("states", &states)] {
            if let Some(values) = differs {
                draft.at_least(Severity::High);
                draft.evidence(
                    &format!("differing {field}"),
                    values.as_str(),
                    "the records above",
                );
            }
        }
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        draft.remedy(format!(
            "decide which of the records {} holds, correct it, and retire the others",
            ids.join(", ")
        ));
    });
}

/// Registers that were read as one record, and say different things.
fn disagreement(
    cx: &CheckCx<'_>,
    subject: Subject,
    accepted: &Match,
    record: &Record,
    out: &mut Findings<'_>,
) {
    out.fail(subject, Severity::Medium, |draft| {
        show(cx, accepted, draft);
        for conflict in &record.conflicts {
            if matches!(conflict.field.as_str(), "owner" | "status") {
                draft.at_least(Severity::High);
            }
            draft.evidence(
                &format!("differing {}", conflict.field),
                conflict.value.as_str(),
                conflict.source.to_string(),
            );
        }
        let files: Vec<String> = record.also.iter().map(ToString::to_string).collect();
        draft.title(format!("Registers disagree about {}", record.id));
        draft.remedy(format!(
            "decide whether {} or {} is right about it, and correct the other",
            record.source,
            files.join(", ")
        ));
    });
}

fn show(cx: &CheckCx<'_>, each: &Match, draft: &mut Draft<'_>) {
    if let Some(record) = cx.record(each.record) {
        let value = format!("{} at {:.2}: {}", record.id, each.confidence, each.because);
        draft.evidence("record", value, record.source.to_string());
    }
}

/// The different values, if there are several.
fn differing(values: impl Iterator<Item = String>) -> Option<String> {
    let mut values: Vec<String> = values.collect();
    values.sort();
    values.dedup();
    for value in values.iter_mut().filter(|value| value.is_empty()) {
        value.push_str("none");
    }
    (values.len() > 1).then(|| values.join(" / "))
}

/// Whether two matches are two records of one thing, rather than of a key and its principal.
fn speak_of_one(a: &Match, b: &Match) -> bool {
    let own = |key| matches!(key, MatchKey::NativeId | MatchKey::Fingerprint);
    if a.key == b.key || (own(a.key) && own(b.key)) {
        return true;
    }
    let levels = [a.key, b.key];
    let key_and_principal = levels.contains(&MatchKey::Principal) && levels.into_iter().any(own);
    !key_and_principal && (a.confidence - b.confidence).abs() < 0.10
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::{World, matching},
        inventory::{MatchKey, RecordStatus},
    };

    #[test]
    fn true_two_records_of_one_key() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        let (second, _) = world.record("R-2");
        world.matches.also[key as usize].push(matching(key, second, MatchKey::NativeId, 1.0));
        let finding = world.finding("INV-04");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.remediation.contains("R-0, R-2"));
        world.inventory.as_mut().expect("given").records[1].status = Some(RecordStatus::Revoked);
        assert_eq!(world.finding("INV-04").severity, Severity::High);
        world.inventory.as_mut().expect("given").records[1].status = None;
        world.inventory.as_mut().expect("given").records[1].owner = None;
        assert_eq!(world.finding("INV-04").severity, Severity::High);
    }

    #[test]
    fn true_two_registers_disagree() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        world_conflict(record, "purpose");
        assert_eq!(world.finding("INV-04").severity, Severity::Medium);
        let record = &mut world.inventory.as_mut().expect("given").records[0];
        world_conflict(record, "owner");
        let finding = world.finding("INV-04");
        assert_eq!(finding.severity, Severity::High);
        assert!(
            finding.remediation.contains("old.csv:7"),
            "{}",
            finding.remediation
        );
    }

    fn world_conflict(record: &mut crate::inventory::Record, field: &'static str) {
        let source = crate::inventory::RecordSource {
            inventory: "old".to_owned(),
            file: "old.csv".to_owned(),
            row: 7,
        };
        record.also = vec![source.clone()];
        record.conflicts.push(crate::inventory::Conflict {
            field: field.to_owned(),
            value: "bob".to_owned(),
            source,
        });
    }

    #[test]
    fn true_a_match_waits() {
        let mut world = World::new();
        let key = world.key("deploy");
        let (record, _) = world.record("R-1");
        world.matches.to_confirm[key as usize].push(matching(key, record, MatchKey::Hint, 0.7));
        assert_eq!(world.finding("INV-04").severity, Severity::Medium);
    }

    #[test]
    fn near_miss_a_record_of_the_principal() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        let (second, _) = world.record("R-2");
        world.matches.also[key as usize].push(matching(key, second, MatchKey::Principal, 0.95));
        world.assert_passes("INV-04");
    }

    #[test]
    fn missing_key_id() {
        let mut world = World::new();
        let key = world.unnamed_key("deploy");
        for (id, key_id) in [("R-1", "key-1"), ("R-2", "key-2")] {
            let row = world.record(id).1;
            row.identifiers[0].scheme = "access_key_id".to_owned();
            row.identifiers[0].value = key_id.to_owned();
        }
        world.accept(key, 0, MatchKey::Principal);
        world.matches.also[key as usize].push(matching(key, 1, MatchKey::Principal, 0.95));
        world.assert_lacks("INV-04", "discovered: its key id was not listed");
        // Two records of one key are two, whether its id was listed or not.
        let records = &mut world.inventory.as_mut().expect("given").records;
        records[1].identifiers = records[0].identifiers.clone();
        assert_eq!(world.findings("INV-04").len(), 1);
    }

    #[test]
    fn missing_inventory() {
        let mut world = World::new();
        world.key("deploy");
        world.inventory = None;
        world.assert_lacks("INV-04", "inventory");
    }
}
