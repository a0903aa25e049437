//! Holds what exists against what is recorded: ranked keys, from the provider's own id down to
//! names that resemble each other, joined through indexes and never by comparing all with all.
//!
//! - A record that names a key of its own (an access key id) matches that key. If the estate
//!   has no such key, what else agrees (the principal, the place) is to be confirmed: the
//!   credential was probably changed and the record was not.
//! - A record of a principal covers all its keys. Beside a key's own record it is no duplicate.
//! - Between records that match equally well, one that is in force wins over one that is
//!   revoked or retired, then the earlier inventory, then the smaller record id.

mod confirmed;
mod credentials;
mod keys;
mod nearest;
mod records;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use self::{
    confirmed::Decided,
    credentials::{Holders, Subject, Subjects},
    keys::Key,
    nearest::Tokens,
    records::{Recorded, Records},
};
use super::{Confirmations, Inventory, Match, MatchKey, Matches, Nearest, RecordStatus};
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
    reconcile_confirmed(estate, inventory, &Confirmations::default()).0
}

/// The same, with what people decided about single pairs; and what is to be told about that.
pub fn reconcile_confirmed(
    estate: &Estate,
    inventory: &Inventory,
    confirmations: &Confirmations,
) -> (Matches, Vec<String>) {
    let records = Records::new(inventory);
    let subjects = Subjects::new(estate);
    let decided = Decided::new(estate, inventory, confirmations);
    let edges = edges(&subjects, &records, &decided);
    let count = subjects.len();
    let mut matches = Matches {
        accepted: vec![None; count],
        also: vec![Vec::new(); count],
        to_confirm: vec![Vec::new(); count],
        nearest: vec![Vec::new(); count],
        of_record: vec![Vec::new(); inventory.records.len()],
    };
    let mut open: Vec<(u32, Vec<Match>)> = Vec::new();
    for (credential, edges) in (0u32..).zip(edges) {
        if let Some(rest) = assign(&mut matches, &records, credential, edges) {
            open.push((credential, rest));
        }
    }
    let names: Vec<u32> = open.iter().map(|(credential, _)| *credential).collect();
    let tokens = Tokens::new(inventory, &subjects, &names);
    let of_record = &matches.of_record;
    let asked: Vec<_> = open
        .into_par_iter()
        .map(|(credential, edges)| {
            let subject = subjects.of(credential as usize);
            let is_free = |record: u32| of_record[record as usize].is_empty();
            let (near, resembling) = tokens.nearest(credential, &subject, &records, &is_free);
            let differs = |record: u32| decided.is_different(credential, record);
            (credential, ask(edges, near, resembling, &is_free, &differs))
        })
        .collect();
    for (credential, (edges, nearest)) in asked {
        matches.to_confirm[credential as usize] = edges;
        matches.nearest[credential as usize] = nearest;
    }
    (matches, decided.notes)
}

/// Takes the best of a credential's edges, if one is certain; else gives back what is not.
fn assign(
    matches: &mut Matches,
    records: &Records<'_>,
    credential: u32,
    mut edges: Vec<Match>,
) -> Option<Vec<Match>> {
    edges.sort_by(|a, b| {
        let (ra, rb) = (records.of(a), records.of(b));
        let decided = |edge: &Match| edge.key != MatchKey::Confirmed;
        decided(a)
            .cmp(&decided(b))
            .then(b.confidence.total_cmp(&a.confidence))
            .then(ra.ended.cmp(&rb.ended))
            .then(a.key.cmp(&b.key))
            .then(ra.rank.cmp(&rb.rank))
    });
    let certain = edges.partition_point(|edge| edge.confidence >= ACCEPTED);
    let rest = edges.split_off(certain);
    let mut certain = edges.into_iter();
    let Some(best) = certain.next() else {
        return Some(rest);
    };
    matches.of_record[best.record as usize].push(credential);
    let own = best.key <= MatchKey::Fingerprint;
    for edge in certain {
        let record = records.of(&edge);
        if !record.ended {
            matches.of_record[edge.record as usize].push(credential);
        }
        // The principal's record beside the key's own: two levels, not two claims.
        let covers = own && edge.key == MatchKey::Principal && !record.names_a_key;
        if !covers {
            matches.also[credential as usize].push(edge);
        }
    }
    matches.accepted[credential as usize] = Some(best);
    None
}

/// What is to be confirmed, and the three nearest records.
fn ask(
    mut edges: Vec<Match>,
    mut near: Vec<Nearest>,
    resembling: Vec<Match>,
    is_free: &dyn Fn(u32) -> bool,
    differs: &dyn Fn(u32) -> bool,
) -> (Vec<Match>, Vec<Nearest>) {
    // A record that has its credential is no candidate for another one.
    edges.retain(|edge| is_free(edge.record));
    for edge in resembling {
        if is_free(edge.record) && edges.iter().all(|known| known.record != edge.record) {
            edges.push(edge);
        }
    }
    edges.retain(|edge| edge.confidence >= TO_CONFIRM && !differs(edge.record));
    edges.truncate(MOST_TO_CONFIRM);
    near.retain(|near| {
        edges.iter().all(|edge| edge.record != near.record) && !differs(near.record)
    });
    let asked = edges.iter().map(|edge| Nearest {
        record: edge.record,
        score: edge.confidence,
        because: edge.because.clone(),
    });
    let nearest = asked.chain(near).take(3).collect();
    (edges, nearest)
}

/// For each credential the records it may be, each once, by their strongest key.
fn edges(subjects: &Subjects<'_>, records: &Records<'_>, decided: &Decided) -> Vec<Vec<Match>> {
    let count = subjects.len();
    // Own keys first: which records have found theirs decides about their weaker keys.
    let own: Vec<(Vec<Match>, Vec<Key>)> = (0..count)
        .into_par_iter()
        .map(|at| {
            let subject = subjects.of(at);
            let mut edges = decided.edges(at as u32);
            own_keys(&subject, at as u32, records, &mut edges);
            edges.retain(|edge| !decided.is_different(at as u32, edge.record));
            (
                edges,
                subject.locators.iter().map(|(key, _)| *key).collect(),
            )
        })
        .collect();
    let mut found = vec![false; records.all.len()];
    let mut places = Vec::new();
    let mut all = Vec::with_capacity(count);
    for (at, (edges, keys)) in (0u32..).zip(own) {
        edges
            .iter()
            .for_each(|edge| found[edge.record as usize] = true);
        places.extend(keys.into_iter().map(|key| (key, at)));
        all.push(edges);
    }
    let holders = Holders::new(places);
    masked(subjects, records, &mut found, &mut all);
    let weak = Weakly {
        subjects,
        records,
        holders: &holders,
        found: &found,
        decided,
    };
    (0u32..count as u32)
        .into_par_iter()
        .map(|at| weak.edges(at, &all[at as usize]))
        .collect()
}

/// Rank 1 and 2: ids of its own, the secret.
fn own_keys(subject: &Subject<'_>, credential: u32, records: &Records<'_>, edges: &mut Vec<Match>) {
    for (key, shown) in &subject.natives {
        for record in records.under(*key) {
            let because = format!("identifier {shown}");
            offer(edges, credential, record, MatchKey::NativeId, 1.0, because);
        }
    }
    if let Some(key) = subject.fingerprint {
        for record in records.under(key) {
            let because = "the same secret".to_owned();
            offer(
                edges,
                credential,
                record,
                MatchKey::Fingerprint,
                1.0,
                because,
            );
        }
    }
}

/// What the lower ranks are judged with.
struct Weakly<'a> {
    subjects: &'a Subjects<'a>,
    records: &'a Records<'a>,
    holders: &'a Holders,
    found: &'a [bool],
    decided: &'a Decided,
}

impl Weakly<'_> {
    fn edges(&self, credential: u32, own: &[Match]) -> Vec<Match> {
        let subject = self.subjects.of(credential as usize);
        let records = self.records;
        let mut weak = Vec::new();
        principal(&subject, records, &mut weak);
        located(&subject, self, &mut weak);
        hinted(&subject, records, &mut weak);
        named(&subject, records, &mut weak);
        let mut edges = own.to_vec();
        for (record, key, confidence, because) in weak {
            let recorded = &records.all[record as usize];
            let has_its_own = recorded.names_a_key && self.found[record as usize];
            if has_its_own || self.decided.is_different(credential, record) {
                continue;
            }
            let (confidence, because) = doubts(&subject, recorded, key, confidence, because);
            offer(&mut edges, credential, record, key, confidence, because);
        }
        edges
    }
}

type Weak = (u32, MatchKey, f64, String);

fn offer(
    edges: &mut Vec<Match>,
    credential: u32,
    record: u32,
    key: MatchKey,
    confidence: f64,
    because: String,
) {
    let edge = Match {
        credential,
        record,
        key,
        confidence,
        because,
    };
    match edges.iter_mut().find(|known| known.record == record) {
        None => edges.push(edge),
        Some(known) if (known.confidence, key) < (confidence, known.key) => *known = edge,
        Some(_) => {}
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
        for record in records.under(*key) {
            out.push((
                record,
                MatchKey::Principal,
                0.95,
                format!("principal {shown}"),
            ));
        }
        for record in records.globs(shown) {
            out.push((
                record,
                MatchKey::Principal,
                0.95,
                format!("principals like {shown}"),
            ));
        }
    }
    if let Some((key, shown)) = &subject.user {
        for record in records.under(*key) {
            out.push((
                record,
                MatchKey::Principal,
                0.95,
                format!("user {shown} of the account"),
            ));
        }
    }
    if let Some((key, shown)) = &subject.only_user {
        for record in records.under(*key) {
            let because = format!("user {shown}, but the record names no account");
            out.push((record, MatchKey::Principal, 0.70, because));
        }
    }
}

/// Rank 4: the place. Where several credentials lie in one place, it names none of them, unless
/// the provider tells which.
fn located(subject: &Subject<'_>, weak: &Weakly<'_>, out: &mut Vec<Weak>) {
    for (key, shown) in &subject.locators {
        for record in weak.records.under(*key) {
            let provider = weak.records.all[record as usize].record.provider.as_deref();
            let fits = |other: &str| provider.is_none_or(|provider| keys::same(provider, other));
            let here = weak.holders.of(*key);
            let holders = here.clone().count();
            if !fits(subject.provider) && holders > 1 {
                continue;
            }
            let fitting = here
                .filter(|&other| fits(weak.subjects.provider(other)))
                .count();
            if holders == 1 || fitting == 1 {
                let because = format!("stored in {shown}");
                out.push((record, MatchKey::Locator, 0.85, because));
            } else {
                let because = format!("stored in {shown}, with {} others", holders - 1);
                out.push((record, MatchKey::Locator, 0.65, because));
            }
        }
    }
}

/// Rank 5, decoded: what the credential itself says about its account and subject.
fn hinted(subject: &Subject<'_>, records: &Records<'_>, out: &mut Vec<Weak>) {
    for (key, shown, confidence) in &subject.hints {
        for record in records.under(*key) {
            out.push((
                record,
                MatchKey::Hint,
                *confidence,
                format!("it names {shown}"),
            ));
        }
    }
    // The account alone names a record only if it is the account's only one.
    if let (Some(key), false) = (subject.decoded_account, subject.listed)
        && let mut under = records.under(key)
        && under.len() == 1
        && let Some(record) = under.next()
    {
        let because = "the only record of its account".to_owned();
        out.push((record, MatchKey::Hint, 0.70, because));
    }
}

/// Rank 6: name, system, environment.
fn named(subject: &Subject<'_>, records: &Records<'_>, out: &mut Vec<Weak>) {
    for name in &subject.names {
        for system in &subject.systems {
            for record in records.under(keys::named(name, system)) {
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
    subjects: &Subjects<'_>,
    records: &Records<'_>,
    found: &mut [bool],
    all: &mut [Vec<Match>],
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
            .filter(|&at| records::agree(record, &subjects.of(at as usize)))
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
                found[mask.record as usize] = true;
            }
            let because = format!("masked id {}", super::text::shown(mask.shown));
            let edges = &mut all[credential as usize];
            offer(
                edges,
                credential,
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
#[cfg(test)]
pub(in crate::inventory) use world::World;
