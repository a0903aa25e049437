//! Holds what exists against what is recorded: ranked keys, from the provider's own id down to
//! names that resemble each other, joined through indexes and never by comparing all with all.
//!
//! - A record that names a key of its own (an access key id) matches that key. If the estate
//!   has no such key, what else agrees (the principal, the place) is to be confirmed: the
//!   credential was probably changed and the record was not.
//! - A record of a principal covers all its keys. Beside a key's own record it is no duplicate.
//! - Between records that match equally well, one that is in force wins over one that is
//!   revoked or retired, then the earlier inventory, then the smaller record id.

mod credentials;
mod keys;
mod nearest;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    credentials::Subject,
    nearest::Tokens,
    records::{Recorded, Records},
};
use super::{Inventory, Match, MatchKey, Matches, Nearest, RecordStatus};
use crate::estate::Estate;

/// From here on a match counts.
const ACCEPTED: f64 = 0.80;
/// From here on a match is worth a question.
const TO_CONFIRM: f64 = 0.60;
/// More candidates to confirm than this are not asked about.
const MOST_TO_CONFIRM: usize = 10;

/// Matches every credential of the estate with the records of the inventory.
///
/// Deterministic: the order of neither side shows, except that earlier inventories win ties.
pub fn reconcile(estate: &Estate, inventory: &Inventory) -> Matches {
    let records = Records::new(inventory);
    let subjects = credentials::subjects(estate);
    let edges = edges(&subjects, &records);
    let mut matches = Matches {
        accepted: vec![None; subjects.len()],
        also: vec![Vec::new(); subjects.len()],
        to_confirm: vec![Vec::new(); subjects.len()],
        nearest: vec![Vec::new(); subjects.len()],
        of_record: vec![Vec::new(); inventory.records.len()],
    };
    let mut open: Vec<Vec<Match>> = Vec::with_capacity(subjects.len());
    for (credential, mut edges) in edges.into_iter().enumerate() {
        edges.sort_by(|a, b| {
            let (ra, rb) = (records.of(a), records.of(b));
            b.confidence
                .total_cmp(&a.confidence)
                .then(ra.ended.cmp(&rb.ended))
                .then(a.key.cmp(&b.key))
                .then(ra.rank.cmp(&rb.rank))
        });
        let certain = edges.partition_point(|edge| edge.confidence >= ACCEPTED);
        let rest = edges.split_off(certain);
        let mut certain = edges.into_iter();
        let Some(best) = certain.next() else {
            open.push(rest);
            continue;
        };
        open.push(Vec::new());
        matches.of_record[best.record as usize].push(credential as u32);
        let own = best.key <= MatchKey::Fingerprint;
        for edge in certain {
            let record = records.of(&edge);
            if !record.ended {
                matches.of_record[edge.record as usize].push(credential as u32);
            }
            // The principal's record beside the key's own: two levels, not two claims.
            let covers = own && edge.key == MatchKey::Principal && !record.names_a_key;
            if !covers {
                matches.also[credential].push(edge);
            }
        }
        matches.accepted[credential] = Some(best);
    }
    let tokens = Tokens::new(inventory, &subjects);
    for (credential, mut edges) in open.into_iter().enumerate() {
        if matches.accepted[credential].is_some() {
            continue;
        }
        // A record that has its credential is no candidate for another one.
        edges.retain(|edge| matches.of_record[edge.record as usize].is_empty());
        let (mut near, resembling) = tokens.nearest(credential, &subjects[credential], &records);
        for edge in resembling {
            let free = matches.of_record[edge.record as usize].is_empty();
            if free && edges.iter().all(|known| known.record != edge.record) {
                edges.push(edge);
            }
        }
        edges.retain(|edge| edge.confidence >= TO_CONFIRM);
        edges.truncate(MOST_TO_CONFIRM);
        near.retain(|near| edges.iter().all(|edge| edge.record != near.record));
        let asked = edges.iter().map(|edge| Nearest {
            record: edge.record,
            score: edge.confidence,
            because: edge.because.clone(),
        });
        matches.nearest[credential] = asked.chain(near).take(3).collect();
        matches.to_confirm[credential] = edges;
    }
    matches
}

/// For each credential the records it may be, each once, by their strongest key.
fn edges(subjects: &[Subject<'_>], records: &Records<'_>) -> Vec<Vec<Match>> {
    let mut all: Vec<BTreeMap<u32, Match>> = vec![BTreeMap::new(); subjects.len()];
    // Own keys first: which records have found theirs decides about their weaker keys.
    let mut found: BTreeSet<u32> = BTreeSet::new();
    for (credential, subject) in subjects.iter().enumerate() {
        for (key, shown) in &subject.natives {
            for &record in records.under(key) {
                found.insert(record);
                let because = format!("identifier {shown}");
                offer(
                    &mut all[credential],
                    credential,
                    record,
                    MatchKey::NativeId,
                    1.0,
                    because,
                );
            }
        }
        if let Some(key) = &subject.fingerprint {
            for &record in records.under(key) {
                let because = "the same secret".to_owned();
                offer(
                    &mut all[credential],
                    credential,
                    record,
                    MatchKey::Fingerprint,
                    1.0,
                    because,
                );
            }
        }
    }
    masked(subjects, records, &mut found, &mut all);
    let holders = credentials::holders(subjects);
    for (credential, subject) in subjects.iter().enumerate() {
        let mut weak = Vec::new();
        principal(subject, records, &mut weak);
        located(subject, records, &holders, subjects, &mut weak);
        hinted(subject, records, &mut weak);
        named(subject, records, &mut weak);
        for (record, key, confidence, because) in weak {
            let recorded = &records.all[record as usize];
            if recorded.names_a_key && found.contains(&record) {
                continue;
            }
            let (confidence, because) = doubts(subject, recorded, key, confidence, because);
            offer(
                &mut all[credential],
                credential,
                record,
                key,
                confidence,
                because,
            );
        }
    }
    all.into_iter()
        .map(|edges| edges.into_values().collect())
        .collect()
}

type Weak = (u32, MatchKey, f64, String);

fn offer(
    edges: &mut BTreeMap<u32, Match>,
    credential: usize,
    record: u32,
    key: MatchKey,
    confidence: f64,
    because: String,
) {
    let better = edges
        .get(&record)
        .is_none_or(|known| (known.confidence, key) < (confidence, known.key));
    if better {
        edges.insert(
            record,
            Match {
                credential: credential as u32,
                record,
                key,
                confidence,
                because,
            },
        );
    }
}

/// What speaks against a match by anything but the credential's own key.
fn doubts(
    subject: &Subject<'_>,
    record: &Recorded<'_>,
    key: MatchKey,
    confidence: f64,
    because: String,
) -> (f64, String) {
    if record.names_a_key && subject.has_own_id {
        return (
            confidence.min(0.75),
            format!("{because}, but the record names another key"),
        );
    }
    let before = match (record.record.revoked_at, subject.created) {
        (Some(revoked), Some(created)) => record.ended && revoked < created,
        _ => false,
    };
    if before {
        let why = "but the record ended before the credential was made";
        return (confidence.min(0.70), format!("{because}, {why}"));
    }
    if key == MatchKey::Principal && keys::kinds_differ(record.record, subject.kind) {
        return (
            confidence.min(0.75),
            format!("{because}, but the record is of another kind"),
        );
    }
    (confidence, because)
}

/// Rank 3: the principal.
fn principal(subject: &Subject<'_>, records: &Records<'_>, out: &mut Vec<Weak>) {
    for (key, shown) in &subject.principals {
        for &record in records.under(key) {
            out.push((
                record,
                MatchKey::Principal,
                0.95,
                format!("principal {shown}"),
            ));
        }
        for record in records.globs(key) {
            out.push((
                record,
                MatchKey::Principal,
                0.95,
                format!("principals like {shown}"),
            ));
        }
    }
    if let Some((key, shown)) = &subject.user {
        for &record in records.under(key) {
            out.push((
                record,
                MatchKey::Principal,
                0.95,
                format!("user {shown} of the account"),
            ));
        }
    }
    if let Some((key, shown)) = &subject.only_user {
        for &record in records.under(key) {
            let because = format!("user {shown}, but the record names no account");
            out.push((record, MatchKey::Principal, 0.70, because));
        }
    }
}

/// Rank 4: the place. Where several credentials lie in one place, it names none of them, unless
/// the provider tells which.
fn located(
    subject: &Subject<'_>,
    records: &Records<'_>,
    holders: &BTreeMap<&str, Vec<u32>>,
    subjects: &[Subject<'_>],
    out: &mut Vec<Weak>,
) {
    for (key, shown) in &subject.locators {
        let here = holders.get(key.as_str()).map_or(&[][..], Vec::as_slice);
        for &record in records.under(key) {
            let provider = records.all[record as usize].record.provider.as_deref();
            let fits = |other: &Subject<'_>| provider.is_none_or(|p| keys::same(p, other.provider));
            if !fits(subject) && here.len() > 1 {
                continue;
            }
            let fitting = here
                .iter()
                .filter(|&&other| fits(&subjects[other as usize]))
                .count();
            if here.len() == 1 || fitting == 1 {
                out.push((
                    record,
                    MatchKey::Locator,
                    0.85,
                    format!("stored in {shown}"),
                ));
            } else {
                let because = format!("stored in {shown}, with {} others", here.len() - 1);
                out.push((record, MatchKey::Locator, 0.65, because));
            }
        }
    }
}

/// Rank 5, decoded: what the credential itself says about its account and subject.
fn hinted(subject: &Subject<'_>, records: &Records<'_>, out: &mut Vec<Weak>) {
    for (key, shown, confidence) in &subject.hints {
        for &record in records.under(key) {
            out.push((
                record,
                MatchKey::Hint,
                *confidence,
                format!("it names {shown}"),
            ));
        }
    }
    // The account alone names a record only if it is the account's only one.
    if let (Some(key), false) = (&subject.decoded_account, subject.listed)
        && let [record] = records.under(key)
    {
        let because = "the only record of its account".to_owned();
        out.push((*record, MatchKey::Hint, 0.70, because));
    }
}

/// Rank 6: name, system, environment.
fn named(subject: &Subject<'_>, records: &Records<'_>, out: &mut Vec<Weak>) {
    for name in &subject.names {
        for system in &subject.systems {
            for &record in records.under(&keys::named(name, system)) {
                let given = records.all[record as usize].record.environment.as_deref();
                let (confidence, because) = match given {
                    Some(given) if subject.environments.contains(&given) => {
                        (0.70, "the same name, system and environment")
                    }
                    Some(given) if !subject.environments.is_empty() && given != "unknown" => {
                        continue;
                    }
                    _ => (0.65, "the same name and system"),
                };
                out.push((record, MatchKey::Name, confidence, because.to_owned()));
            }
        }
    }
}

/// Rank 5, masked: the ends of an id that a register left.
fn masked(
    subjects: &[Subject<'_>],
    records: &Records<'_>,
    found: &mut BTreeSet<u32>,
    all: &mut [BTreeMap<u32, Match>],
) {
    if records.masks.is_empty() {
        return;
    }
    let index = credentials::Ends::new(subjects);
    for mask in &records.masks {
        let record = &records.all[mask.record as usize];
        let mut fitting = index.fitting(&mask.head, &mask.tail);
        let agreeing: Vec<u32> = fitting
            .iter()
            .copied()
            .filter(|&at| records::agree(record, &subjects[at as usize]))
            .collect();
        let agrees = agreeing.len() == 1;
        if agrees {
            fitting = agreeing;
        }
        let both_ends = mask.head.len() >= 8 || !mask.head.is_empty() && !mask.tail.is_empty();
        let confidence = match (fitting.len(), agrees, both_ends) {
            (1, true, true) => 0.90,
            (1, true, false) => 0.85,
            (1, false, true) => 0.80,
            (1, false, false) => 0.70,
            _ => 0.60,
        };
        for &credential in fitting.iter().take(MOST_TO_CONFIRM) {
            if confidence >= ACCEPTED {
                found.insert(mask.record);
            }
            let because = format!("masked id {}", super::text::shown(mask.shown));
            let edges = &mut all[credential as usize];
            offer(
                edges,
                credential as usize,
                mask.record,
                MatchKey::Hint,
                confidence,
                because,
            );
        }
    }
}

/// Whether a record says that its credential is gone.
fn is_ended(status: Option<RecordStatus>) -> bool {
    status.is_some_and(RecordStatus::is_ended)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
