//! Access keys: what lists, last-used answers and the credential report tell of one key is
//! brought together, so that there is one credential per key.
//!
//! The report counts keys (`access_key_1`, `access_key_2`) but names no id. A slot and a
//! listed key are one if the dates allow it; how well they agree decides between two.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{GapKind, Handle, Key, Known, Source, Status, Timestamp};

use super::{
    Book, arn,
    principals::{Principals, is_root, latest},
};
use crate::{
    parts::{At, ReportRow},
    wire::{LastUsedDetail, parse_time},
};

/// One access key.
#[derive(Debug, Clone)]
pub(super) struct AccessKey {
    pub(super) id: Option<String>,
    pub(super) key: Key,
    pub(super) user: Option<Key>,
    pub(super) user_name: Option<String>,
    pub(super) status: Status,
    pub(super) created: Known<Timestamp>,
    pub(super) last_used: Known<Timestamp>,
    pub(super) last_used_for: Option<String>,
    pub(super) source: Source,
}

impl AccessKey {
    /// The public identifier, where it is known.
    pub(super) fn handle(&self) -> Option<Handle> {
        self.id
            .as_ref()
            .map(|id| Handle::new("aws-access-key-id", id))
    }

    /// The account of the key's user.
    pub(super) fn account(&self) -> Option<&str> {
        self.user.as_ref().and_then(|user| arn::account(&user.0))
    }
}

/// The keys, and what is needed to say how complete they are.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) keys: BTreeMap<Key, AccessKey>,
    /// Users with a slot in the report for which no id was listed.
    pub(super) without_id: BTreeMap<Key, u32>,
    /// Users with at least one listed key.
    pub(super) listed: BTreeSet<Key>,
    /// Keys in the report by account.
    pub(super) reported: BTreeMap<String, u64>,
}

/// Reads all access keys.
pub(super) fn collect(book: &mut Book<'_>, principals: &mut Principals) -> Keys {
    let mut keys = Keys::default();
    add_listed(book, principals, &mut keys);
    add_last_used(book, principals, &mut keys);
    let rows: Vec<(Key, usize)> = principals
        .rows
        .iter()
        .map(|(key, row)| (key.clone(), *row))
        .collect();
    let mut by_user: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for key in keys.keys.values() {
        if let Some(user) = &key.user {
            by_user
                .entry(user.clone())
                .or_default()
                .push(key.key.clone());
        }
    }
    let parts = book.parts;
    for (user, row) in rows {
        let listed = by_user.remove(&user).unwrap_or_default();
        add_slots(book, &mut keys, &user, &parts.report[row], &listed);
    }
    keys
}

fn status(word: Option<&str>) -> Status {
    match word {
        Some("Active") => Status::Active,
        Some("Inactive") => Status::Disabled,
        Some("Expired") => Status::Revoked,
        _ => Status::Unknown,
    }
}

fn credential_key(id: &str) -> Key {
    Key(format!("aws:access-key:{id}"))
}

fn add_listed(book: &mut Book<'_>, principals: &mut Principals, keys: &mut Keys) {
    let parts = book.parts;
    for entry in &parts.access_keys {
        let source = book.source(entry);
        let id = entry.value.access_key_id.as_str();
        let user = resolve(
            book,
            principals,
            entry.value.user_name.as_deref(),
            entry.file,
            id,
            &source,
        );
        let new = AccessKey {
            id: Some(id.to_owned()),
            key: credential_key(id),
            user,
            user_name: entry.value.user_name.clone(),
            status: status(entry.value.status.as_deref()),
            created: entry.value.create_date.into(),
            last_used: Known::Unknown,
            last_used_for: None,
            source,
        };
        if let Some(user) = &new.user {
            keys.listed.insert(user.clone());
        }
        match keys.keys.get_mut(&new.key) {
            None => {
                keys.keys.insert(new.key.clone(), new);
            }
            Some(known) => {
                if known.status != new.status
                    || known.created != new.created
                    || known.user != new.user
                {
                    let reason = "listed twice with different data; the first is kept, export the list again".to_owned();
                    book.gap(GapKind::Corrupt, id, reason, new.source);
                }
            }
        }
    }
}

/// The user of an entry; a gap where the name does not lead to one user.
fn resolve(
    book: &mut Book<'_>,
    principals: &mut Principals,
    name: Option<&str>,
    file: u32,
    subject: &str,
    source: &Source,
) -> Option<Key> {
    let found = principals.user(book, name?, file, source);
    if found.is_none() {
        book.stray(file, subject);
    }
    found
}

fn service_and_region(service: &str, region: &str) -> Option<String> {
    let words: Vec<&str> = [service, region]
        .into_iter()
        .filter(|word| {
            !word.is_empty() && !word.eq_ignore_ascii_case("n/a") && *word != "not_supported"
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn add_last_used(book: &mut Book<'_>, principals: &mut Principals, keys: &mut Keys) {
    let parts = book.parts;
    for entry in &parts.last_used {
        let source = book.source(entry);
        let key = match &entry.value.access_key_id {
            Some(id) => {
                let key = credential_key(id);
                if !keys.keys.contains_key(&key) {
                    let name = entry.value.user_name.as_deref();
                    let user = resolve(book, principals, name, entry.file, id, &source);
                    let new = AccessKey {
                        id: Some(id.clone()),
                        key: key.clone(),
                        user,
                        user_name: entry.value.user_name.clone(),
                        status: Status::Unknown,
                        created: Known::Unknown,
                        last_used: Known::Unknown,
                        last_used_for: None,
                        source: source.clone(),
                    };
                    keys.keys.insert(key.clone(), new);
                }
                Some(key)
            }
            // The answer names the user alone: with one key there is no doubt.
            None => entry.value.user_name.as_deref().and_then(|name| {
                let user = principals.user(book, name, entry.file, &source)?;
                let mut of_user = keys
                    .keys
                    .values()
                    .filter(|key| key.user.as_ref() == Some(&user));
                match (of_user.next(), of_user.next()) {
                    (Some(key), None) => Some(key.key.clone()),
                    _ => None,
                }
            }),
        };
        match key.and_then(|key| keys.keys.get_mut(&key)) {
            Some(key) => used(key, &entry.value.detail),
            None => {
                let reason = "the answer names no access key, and its user has not exactly one; \
                    name the file last-used-<key id>.json"
                    .to_owned();
                book.gap(
                    GapKind::Missing,
                    book.file(entry.file).to_owned(),
                    reason,
                    source,
                );
            }
        }
    }
}

fn used(key: &mut AccessKey, detail: &LastUsedDetail) {
    let at = detail.last_used_date.map_or(Known::Never, Known::Known);
    if latest(key.last_used, at) != key.last_used {
        key.last_used = latest(key.last_used, at);
        key.last_used_for = service_and_region(
            detail.service_name.as_deref().unwrap_or_default(),
            detail.region.as_deref().unwrap_or_default(),
        );
    }
}

/// An access key as the report sees it.
struct Slot {
    number: u32,
    active: bool,
    rotated: Known<Timestamp>,
    last_used: Known<Timestamp>,
    last_used_for: Option<String>,
}

fn slots(row: &ReportRow) -> Vec<Slot> {
    (1..=2)
        .filter_map(|number| {
            let cell = |name: &str| row.get(&format!("access_key_{number}_{name}"));
            let active = cell("active").eq_ignore_ascii_case("true");
            let rotated = parse_time(cell("last_rotated"));
            // An inactive slot without a date holds no key.
            (active || rotated.is_some()).then(|| Slot {
                number,
                active,
                rotated: rotated.into(),
                last_used: match cell("last_used_date") {
                    "" => Known::Unknown,
                    word if word.eq_ignore_ascii_case("n/a") => Known::Never,
                    date => parse_time(date).into(),
                },
                last_used_for: service_and_region(
                    cell("last_used_service"),
                    cell("last_used_region"),
                ),
            })
        })
        .collect()
}

fn add_slots(
    book: &mut Book<'_>,
    keys: &mut Keys,
    user: &Key,
    row: &At<ReportRow>,
    listed: &[Key],
) {
    let slots = slots(&row.value);
    if let Some(account) = arn::account(&user.0) {
        *keys.reported.entry(account.to_owned()).or_default() += slots.len() as u64;
    }
    let chosen = {
        let listed: Vec<&AccessKey> = listed.iter().filter_map(|key| keys.keys.get(key)).collect();
        assign(&slots, &listed)
    };
    for (slot, choice) in slots.iter().zip(chosen) {
        if let Some(key) = choice.and_then(|at| keys.keys.get_mut(&listed[at])) {
            if key.status == Status::Unknown {
                key.status = if slot.active {
                    Status::Active
                } else {
                    Status::Disabled
                };
            }
            key.created = key.created.or(slot.rotated);
            if latest(key.last_used, slot.last_used) != key.last_used {
                key.last_used = latest(key.last_used, slot.last_used);
                key.last_used_for = slot.last_used_for.clone();
            }
            continue;
        }
        let key = Key(format!("aws:access-key-slot:{}#{}", user.0, slot.number));
        if !is_root(user) {
            *keys.without_id.entry(user.clone()).or_default() += 1;
        }
        let new = AccessKey {
            id: None,
            key: key.clone(),
            user: Some(user.clone()),
            user_name: Some(row.value.get("user").to_owned()),
            status: if slot.active {
                Status::Active
            } else {
                Status::Disabled
            },
            created: slot.rotated,
            last_used: slot.last_used,
            last_used_for: slot.last_used_for.clone(),
            source: book.source(row),
        };
        keys.keys.insert(key, new);
    }
}

/// How well a slot and a key agree; `None` if they cannot be one.
///
/// `last_rotated` is when the key was made *or* its status last changed, so it never lies
/// before the key's creation.
fn agreement(slot: &Slot, key: &AccessKey) -> Option<u32> {
    let mut score = 1;
    if let (Known::Known(rotated), Known::Known(created)) = (slot.rotated, key.created) {
        let apart = rotated.as_second() - created.as_second();
        if apart < -60 {
            return None;
        }
        score += if apart <= 60 { 8 } else { 0 };
    }
    if let (Known::Known(a), Known::Known(b)) = (slot.last_used, key.last_used) {
        // The report keeps the first use of each quarter of an hour.
        score += if (a.as_second() - b.as_second()).abs() <= 15 * 60 {
            4
        } else {
            0
        };
    }
    let active = if slot.active {
        Status::Active
    } else {
        Status::Disabled
    };
    score += if key.status == active { 2 } else { 0 };
    Some(score)
}

/// For each slot the key that it is. At most two of each, so all ways are tried; the first of
/// equals wins, which keeps the order of the lists.
fn assign(slots: &[Slot], keys: &[&AccessKey]) -> Vec<Option<usize>> {
    fn best(
        slots: &[Slot],
        keys: &[&AccessKey],
        taken: &mut Vec<usize>,
    ) -> (u32, Vec<Option<usize>>) {
        let Some((slot, rest)) = slots.split_first() else {
            return (0, Vec::new());
        };
        let mut winner: Option<(u32, Vec<Option<usize>>)> = None;
        for (at, key) in keys.iter().enumerate().take(8) {
            if taken.contains(&at) {
                continue;
            }
            let Some(score) = agreement(slot, key) else {
                continue;
            };
            taken.push(at);
            let (more, mut choice) = best(rest, keys, taken);
            taken.pop();
            choice.insert(0, Some(at));
            if winner
                .as_ref()
                .is_none_or(|(known, _)| score + more > *known)
            {
                winner = Some((score + more, choice));
            }
        }
        let (more, mut choice) = best(rest, keys, taken);
        choice.insert(0, None);
        match winner {
            Some(winner) if winner.0 >= more => winner,
            _ => (more, choice),
        }
    }
    best(slots, keys, &mut Vec::new()).1
}
