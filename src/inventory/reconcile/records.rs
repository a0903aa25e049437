//! The inventory's side: records under their keys.

use std::collections::{BTreeMap, HashMap};

use super::{
    super::{Inventory, Match, Record, identify, text::squeezed},
    credentials::Subject,
    is_ended, keys,
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
    index: HashMap<String, Vec<u32>>,
    /// Keys of principals that end in `*`, without it.
    globs: BTreeMap<String, Vec<u32>>,
}

impl<'a> Records<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Records<'a> {
        let mut order: BTreeMap<&str, usize> = BTreeMap::new();
        let mut records = Records {
            all: Vec::with_capacity(inventory.records.len()),
            masks: Vec::new(),
            index: HashMap::new(),
            globs: BTreeMap::new(),
        };
        for (at, record) in inventory.records.iter().enumerate() {
            let next = order.len();
            let inventory = *order
                .entry(record.source.inventory.as_str())
                .or_insert(next);
            records.all.push(Recorded {
                record,
                ended: is_ended(record.status),
                names_a_key: record
                    .identifiers
                    .iter()
                    .any(|i| keys::names_a_key(&i.scheme)),
                rank: (inventory, record.id.as_str()),
            });
            records.file(at as u32, record);
        }
        records
    }

    fn add(&mut self, key: String, record: u32) {
        let under = self.index.entry(key).or_default();
        if under.last() != Some(&record) {
            under.push(record);
        }
    }

    fn file(&mut self, at: u32, record: &'a Record) {
        let account = account(record);
        let mut user = None;
        for identifier in &record.identifiers {
            let value = identifier.value.as_str();
            match identifier.scheme.as_str() {
                "fingerprint_hmac" => self.add(format!("fp:{}", keys::compact(value)), at),
                "masked" => {
                    if let Some((head, tail)) = identify::mask(value) {
                        self.masks.push(Mask {
                            record: at,
                            head: head.to_lowercase(),
                            tail: tail.to_lowercase(),
                            shown: value,
                        });
                    }
                }
                "arn" => self.file_arn(at, value),
                "client_email" | "email" => self.add(keys::principal(value), at),
                "principal" => {
                    user = Some(value);
                    self.add(keys::principal(value), at);
                }
                "vault_path" => {
                    self.add(keys::locator(&format!("vault:{value}")), at);
                    self.add(keys::locator(value), at);
                }
                "ci_variable" | "k8s_secret" | "repo_path" => self.add(keys::locator(value), at),
                scheme => {
                    self.add(keys::native(scheme, value), at);
                    if matches!(scheme, "client_id" | "object_id" | "guid") {
                        self.add(keys::principal(value), at);
                    }
                    if scheme == "identifier" {
                        self.add(keys::locator(value), at);
                    }
                }
            }
        }
        if let (Some(user), Some(account)) = (user.or(record.name.as_deref()), &account) {
            self.add(keys::user(account, user), at);
        }
        if let (Some(user), None) = (user, &account) {
            self.add(keys::only_user(user), at);
        }
        if let (Some(account), true) = (&account, record.identifiers.is_empty()) {
            self.add(keys::only_account(account), at);
        }
        if let (Some(name), Some(system)) = (&record.name, &record.system) {
            self.add(keys::named(name, system), at);
        }
    }

    /// An ARN, or the beginning of some: `…:user/payments-*` is a record of all such users, as
    /// long as it says more than the account.
    fn file_arn(&mut self, at: u32, value: &str) {
        let key = keys::principal(value);
        match key.strip_suffix('*') {
            None => self.add(key, at),
            Some(start)
                if start
                    .rsplit_once('/')
                    .is_some_and(|(_, name)| name.len() >= 3) =>
            {
                self.globs.entry(start.to_owned()).or_default().push(at);
            }
            Some(_) => {}
        }
    }

    /// The records under a key, in the inventory's order.
    pub(super) fn under(&self, key: &str) -> &[u32] {
        self.index.get(key).map_or(&[], Vec::as_slice)
    }

    /// The records whose ARN with `*` covers a principal's key.
    pub(super) fn globs(&self, key: &str) -> Vec<u32> {
        if self.globs.is_empty() {
            return Vec::new();
        }
        let ends = key.char_indices().map(|(i, c)| i + c.len_utf8());
        let found = ends.filter_map(|end| self.globs.get(&key[..end]));
        found.flatten().copied().collect()
    }

    /// The record of a match.
    pub(super) fn of(&self, edge: &Match) -> &Recorded<'a> {
        &self.all[edge.record as usize]
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
    let named = |name: &str| {
        let name = squeezed(name);
        subject.names.iter().any(|known| squeezed(known) == name)
    };
    record.name.as_deref().is_some_and(named)
        || record.identifiers.iter().any(|i| match i.scheme.as_str() {
            "arn" | "client_email" | "email" | "client_id" => principal(&i.value),
            "principal" => principal(&i.value) || named(&i.value),
            _ => false,
        })
}
