//! The inventory's side: records under their keys.

use std::collections::BTreeMap;

use rayon::{
    iter::{IntoParallelRefIterator as _, ParallelIterator as _},
    slice::ParallelSliceMut as _,
};

use super::{
    super::{Inventory, Match, Record, identify},
    credentials::Subject,
    is_ended,
    keys::{self, Key},
};

/// One record, with what matching asks of it again and again.
pub(super) struct Recorded<'a> {
    pub(super) record: &'a Record,
    /// Whether it says that its credential is gone.
    pub(super) ended: bool,
    /// Whether it names one key of a principal.
    pub(super) names_a_key: bool,
    /// Its place among records that match equally well.
    pub(super) rank: (usize, &'a str),
}

/// A masked id.
pub(super) struct Mask<'a> {
    pub(super) record: u32,
    pub(super) head: String,
    pub(super) tail: String,
    pub(super) shown: &'a str,
}

/// All records, and their index.
pub(super) struct Records<'a> {
    pub(super) all: Vec<Recorded<'a>>,
    pub(super) masks: Vec<Mask<'a>>,
    /// Keys with the records under them, sorted.
    index: Vec<(Key, u32)>,
    /// Names of principals that end in `*`, without it.
    globs: BTreeMap<String, Vec<u32>>,
}

/// What one record is filed under.
#[derive(Default)]
struct Filed<'a> {
    keys: Vec<Key>,
    globs: Vec<String>,
    masks: Vec<(&'a str, &'a str, &'a str)>,
}

impl<'a> Records<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Records<'a> {
        let mut order: BTreeMap<&str, usize> = BTreeMap::new();
        let mut all = Vec::with_capacity(inventory.records.len());
        for record in &inventory.records {
            let next = order.len();
            let inventory = *order
                .entry(record.source.inventory.as_str())
                .or_insert(next);
            let mut schemes = record.identifiers.iter().map(|i| i.scheme.as_str());
            all.push(Recorded {
                record,
                ended: is_ended(record.status),
                names_a_key: schemes.any(keys::names_a_key),
                rank: (inventory, record.id.as_str()),
            });
        }
        let filed: Vec<Filed<'a>> = inventory.records.par_iter().map(file).collect();
        let mut records = Records {
            all,
            masks: Vec::new(),
            index: Vec::with_capacity(filed.iter().map(|one| one.keys.len()).sum()),
            globs: BTreeMap::new(),
        };
        for (record, filed) in (0u32..).zip(filed) {
            records
                .index
                .extend(filed.keys.into_iter().map(|key| (key, record)));
            for glob in filed.globs {
                records.globs.entry(glob).or_default().push(record);
            }
            records
                .masks
                .extend(filed.masks.into_iter().map(|(head, tail, shown)| Mask {
                    record,
                    head: head.to_lowercase(),
                    tail: tail.to_lowercase(),
                    shown,
                }));
        }
        records.index.par_sort_unstable();
        records.index.dedup();
        records
    }

    /// The records under a key, in the inventory's order.
    pub(super) fn under(&self, key: Key) -> impl ExactSizeIterator<Item = u32> {
        let from = self.index.partition_point(|(known, _)| *known < key);
        let here = &self.index[from..];
        let count = here.iter().take_while(|(known, _)| *known == key).count();
        here[..count].iter().map(|&(_, record)| record)
    }

    /// The records whose ARN with `*` covers a principal.
    pub(super) fn globs(&self, principal: &str) -> Vec<u32> {
        if self.globs.is_empty() {
            return Vec::new();
        }
        let name = keys::principal_text(principal);
        let ends = name.char_indices().map(|(i, c)| i + c.len_utf8());
        let found = ends.filter_map(|end| self.globs.get(&name[..end]));
        found.flatten().copied().collect()
    }

    /// The record of a match.
    pub(super) fn of(&self, edge: &Match) -> &Recorded<'a> {
        &self.all[edge.record as usize]
    }
}

fn file(record: &Record) -> Filed<'_> {
    let mut filed = Filed::default();
    let account = account(record);
    let mut user = None;
    for identifier in &record.identifiers {
        let value = identifier.value.as_str();
        match identifier.scheme.as_str() {
            "fingerprint_hmac" => filed.keys.push(keys::fingerprint(value)),
            "masked" => {
                if let Some((head, tail)) = identify::mask(value) {
                    filed.masks.push((head, tail, value));
                }
            }
            "arn" => file_arn(value, &mut filed),
            "client_email" | "email" => filed.keys.push(keys::principal(value)),
            "principal" => {
                user = Some(value);
                filed.keys.push(keys::principal(value));
            }
            "vault_path" => {
                filed.keys.push(keys::locator(&format!("vault:{value}")));
                filed.keys.push(keys::locator(value));
            }
            "ci_variable" | "k8s_secret" | "repo_path" => filed.keys.push(keys::locator(value)),
            scheme => {
                filed.keys.push(keys::native(scheme, value));
                if matches!(scheme, "client_id" | "object_id" | "guid") {
                    filed.keys.push(keys::principal(value));
                }
                if scheme == "identifier" {
                    filed.keys.push(keys::locator(value));
                }
            }
        }
    }
    if let (Some(user), Some(account)) = (user.or(record.name.as_deref()), &account) {
        filed.keys.push(keys::user(account, user));
    }
    if let (Some(user), None) = (user, &account) {
        filed.keys.push(keys::only_user(user));
    }
    if let (Some(account), true) = (&account, record.identifiers.is_empty()) {
        filed.keys.push(keys::only_account(account));
    }
    if let (Some(name), Some(system)) = (&record.name, &record.system) {
        filed.keys.push(keys::named(name, system));
    }
    filed
}

/// An ARN, or the beginning of some: `…:user/payments-*` is a record of all such users, as
/// long as it says more than the account.
fn file_arn(value: &str, filed: &mut Filed<'_>) {
    let Some(start) = value.trim().strip_suffix('*') else {
        filed.keys.push(keys::principal(value));
        return;
    };
    let start = keys::principal_text(start);
    let names_some = start
        .rsplit_once('/')
        .is_some_and(|(_, name)| name.len() >= 3);
    if names_some {
        filed.globs.push(start);
    }
}

/// The record's account, given or inside an ARN.
fn account(record: &Record) -> Option<String> {
    let arns = record.identifiers.iter().filter(|i| i.scheme == "arn");
    let inside = || arns.filter_map(|i| keys::account_of_arn(&i.value)).next();
    let account = record.account.as_deref().or_else(inside)?;
    Some(keys::account(account))
}

/// Whether anything besides a masked id speaks for a record: account, principal, name.
pub(super) fn agree(recorded: &Recorded<'_>, subject: &Subject<'_>) -> bool {
    let record = recorded.record;
    let account = account(record);
    if account.is_some() && account == subject.account {
        return true;
    }
    let principal = |value: &str| {
        let key = keys::principal(value);
        subject.principals.iter().any(|(known, _)| *known == key)
    };
    let named = |name: &str| subject.names.iter().any(|known| keys::same(known, name));
    record.name.as_deref().is_some_and(named)
        || record.identifiers.iter().any(|i| match i.scheme.as_str() {
            "arn" | "client_email" | "email" | "client_id" => principal(&i.value),
            "principal" => principal(&i.value) || named(&i.value),
            _ => false,
        })
}
