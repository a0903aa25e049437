//! Several registers as one: what two of them say of the same credential becomes one record,
//! field by field, and what they disagree about is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    Conflict, Inventory, Record, RecordSource,
    text::{fold, squeezed},
};

impl Inventory {
    /// All registers as one, in order of precedence (the lowest first). Records of different
    /// registers that name the same key, or the same principal or place and no key, are one:
    /// the first register's fields count, empty ones are filled, others are kept as conflicts.
    /// Where two registers use the same id for different records, the later record's gets `@`
    /// and its register's name.
    pub fn merge(mut parts: Vec<(u32, Inventory)>) -> Inventory {
        parts.sort_by_key(|(precedence, _)| *precedence);
        let mut merged = Inventory::default();
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut index: HashMap<String, Option<u32>> = HashMap::new();
        for (_, part) in parts {
            let mut joined: BTreeSet<u32> = BTreeSet::new();
            // Records of one register are not joined with each other.
            let mut keys_of_part: Vec<(String, u32)> = Vec::new();
            for mut record in part.records {
                let keys = keys(&record);
                let found: BTreeSet<Option<u32>> = keys
                    .iter()
                    .filter_map(|key| index.get(key).copied())
                    .collect();
                let same = match found.iter().collect::<Vec<_>>().as_slice() {
                    [Some(at)] if !joined.contains(at) => Some(*at),
                    _ => None,
                };
                let at = match same {
                    Some(at) => {
                        joined.insert(at);
                        join(&mut merged.records[at as usize], record);
                        at
                    }
                    None => {
                        rename(&mut record, &mut used);
                        merged.records.push(record);
                        merged.records.len() as u32 - 1
                    }
                };
                keys_of_part.extend(keys.into_iter().map(|key| (key, at)));
            }
            for (key, at) in keys_of_part {
                let known = index.entry(key).or_insert(Some(at));
                if *known != Some(at) {
                    *known = None;
                }
            }
            merged.leaked.extend(part.leaked);
            merged.notes.extend(part.notes);
        }
        merged
    }
}

/// Gives a record an id that no other has.
fn rename(record: &mut Record, used: &mut BTreeSet<String>) {
    if used.contains(&record.id) {
        let base = format!("{}@{}", record.id, record.source.inventory);
        let mut id = base.clone();
        let mut n = 2;
        while used.contains(&id) {
            id = format!("{base}-{n}");
            n += 1;
        }
        record.id = id;
    }
    used.insert(record.id.clone());
}

/// What makes records of two registers one: their keys; without any, the principal or place.
fn keys(record: &Record) -> Vec<String> {
    const OWN: &[&str] = &[
        "access_key_id",
        "key_id",
        "token_id",
        "spki_sha256",
        "serial_issuer",
        "ssh_fingerprint",
        "fingerprint_hmac",
    ];
    const BROAD: &[&str] = &[
        "arn",
        "client_email",
        "client_id",
        "object_id",
        "guid",
        "vault_path",
        "ci_variable",
        "k8s_secret",
        "app_installation",
    ];
    let named = |schemes: &[&str]| {
        let of = record.identifiers.iter();
        of.filter(|i| schemes.contains(&i.scheme.as_str()))
            .map(|i| format!("{}:{}", i.scheme, i.value.to_lowercase()))
            .collect::<Vec<_>>()
    };
    let own = named(OWN);
    // A record in force and one that ended are no two views of one thing, unless of the same key.
    let ended = record.status.is_some_and(super::RecordStatus::is_ended);
    let masked = record.identifiers.iter().any(|i| i.scheme == "masked");
    match own.is_empty() {
        true if masked => Vec::new(),
        true => named(BROAD)
            .into_iter()
            .map(|key| format!("{key} {ended}"))
            .collect(),
        false => own,
    }
}

/// Adds what a further register says.
fn join(first: &mut Record, other: Record) {
    let mut joining = Joining {
        source: other.source.clone(),
        conflicts: Vec::new(),
    };
    macro_rules! texts {
        ($($field:ident),*) => {
            $(joining.text(stringify!($field), &mut first.$field, other.$field);)*
        };
    }
    macro_rules! words {
        ($($field:ident),*) => {
            $(joining.word(stringify!($field), &mut first.$field, other.$field, |word| word.as_str().to_owned());)*
        };
    }
    macro_rules! dates {
        ($($field:ident),*) => {
            $(joining.date(stringify!($field), &mut first.$field, other.$field);)*
        };
    }
    texts!(
        credential_type,
        name,
        system,
        provider,
        account,
        environment,
        entity,
        owner,
        approver,
        approval_ref,
        purpose,
        trust_tier,
        no_expiry_reason,
        revocation_path,
        recovery_procedure,
        revoked_by,
        vendor
    );
    words!(tier, status);
    dates!(
        approved_at,
        issued_at,
        expires_at,
        last_rotated_at,
        last_reviewed_at,
        revoked_at
    );
    joining.word(
        "max_lifetime_days",
        &mut first.max_lifetime_days,
        other.max_lifetime_days,
        |days| days.to_string(),
    );
    joining.word(
        "rotation_days",
        &mut first.rotation_days,
        other.rotation_days,
        |days| days.to_string(),
    );
    joining.list("scope", &mut first.scope, other.scope);
    joining.list("data_classes", &mut first.data_classes, other.data_classes);
    first.owner_kind = first.owner_kind.or(other.owner_kind);
    for identifier in other.identifiers {
        if !first.identifiers.contains(&identifier) {
            first.identifiers.push(identifier);
        }
    }
    for (column, cell) in other.extra {
        first.extra.entry(column).or_insert(cell);
    }
    if let Some(details) = other.details {
        match &mut first.details {
            None => first.details = Some(details),
            Some(own) => {
                let mut roles: BTreeMap<_, _> = details.roles;
                roles.append(&mut own.roles);
                own.roles = roles;
                joining.date("contract_end", &mut own.contract_end, details.contract_end);
                joining.text("contract_ref", &mut own.contract_ref, details.contract_ref);
                joining.text("store", &mut own.store, details.store);
                joining.text(
                    "exception_ref",
                    &mut own.exception_ref,
                    details.exception_ref,
                );
                own.evidence.extend(details.evidence);
            }
        }
    }
    first.also.push(other.source);
    first.also.extend(other.also);
    first.conflicts.append(&mut joining.conflicts);
}

struct Joining {
    source: RecordSource,
    conflicts: Vec<Conflict>,
}

impl Joining {
    fn differs(&mut self, field: &'static str, value: String) {
        self.conflicts.push(Conflict {
            field: field.to_owned(),
            value,
            source: self.source.clone(),
        });
    }

    fn text(&mut self, field: &'static str, own: &mut Option<String>, other: Option<String>) {
        match (&*own, other) {
            (Some(own), Some(other)) => {
                if fold(own) != fold(&other) && squeezed(own) != squeezed(&other) {
                    self.differs(field, other);
                }
            }
            (None, other) => *own = other,
            (Some(_), None) => {}
        }
    }

    fn word<T: PartialEq>(
        &mut self,
        field: &'static str,
        own: &mut Option<T>,
        other: Option<T>,
        shown: fn(&T) -> String,
    ) {
        match (&*own, other) {
            (Some(own), Some(other)) if *own != other => self.differs(field, shown(&other)),
            (None, other) => *own = other,
            _ => {}
        }
    }

    fn date(&mut self, field: &'static str, own: &mut Option<Timestamp>, other: Option<Timestamp>) {
        self.word(field, own, other, Timestamp::to_string);
    }

    fn list(&mut self, field: &'static str, own: &mut Vec<String>, other: Vec<String>) {
        if own.is_empty() {
            *own = other;
            return;
        }
        let set = |list: &[String]| list.iter().map(|item| fold(item)).collect::<BTreeSet<_>>();
        if !other.is_empty() && set(own) != set(&other) {
            self.differs(field, other.join("; "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Inventory, InventorySpec, read, tests::Hush};

    fn register(name: &str, text: &str) -> Inventory {
        let spec = InventorySpec {
            name: name.into(),
            file_label: format!("{name}.csv"),
            ..InventorySpec::default()
        };
        read(&spec, text.as_bytes(), &Hush).unwrap()
    }

    #[test]
    fn what_two_registers_say_of_one_key_is_one_record() {
        let merged = Inventory::merge(vec![
            (
                2,
                register(
                    "old",
                    "ID,Name,Key ID,Owner,Purpose,Status,Expires\nR1,deploy,K-1,bob,Ships it,revoked,2027-01-31\nR2,x,K-2,,,,\n",
                ),
            ),
            (
                1,
                register(
                    "new",
                    "ID,Name,Key ID,Owner,Purpose,Status,Expires\nR1,deploy,k-1,jane,,active,2027-01-31\nR3,x,K-3,,,,\n",
                ),
            ),
        ]);
        let ids: Vec<&str> = merged.records.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids, ["R1", "R3", "R2"]);
        let record = &merged.records[0];
        assert_eq!(record.owner.as_deref(), Some("jane"));
        assert_eq!(record.purpose.as_deref(), Some("Ships it"));
        let conflicts: Vec<String> = record
            .conflicts
            .iter()
            .map(|c| format!("{} {} {}", c.field, c.value, c.source))
            .collect();
        assert_eq!(
            conflicts,
            ["owner bob old.csv:2", "status revoked old.csv:2"]
        );
        assert_eq!(record.also[0].to_string(), "old.csv:2");
    }

    #[test]
    fn records_of_one_register_and_of_different_keys_stay_apart() {
        let arn = "arn:aws:iam::123456789012:user/ci";
        let merged = Inventory::merge(vec![
            (
                1,
                register("a", &format!("Name,Key ID,ARN\na,K-1,{arn}\nb,K-2,{arn}\n")),
            ),
            (
                2,
                register("b", &format!("Name,Key ID,ARN\nc,K-3,{arn}\nd,,{arn}\n")),
            ),
            (3, register("c", "Name,Key ID\ne,K-1\nf,K-1\n")),
        ]);
        let names: Vec<&str> = merged
            .records
            .iter()
            .map(|r| r.name.as_deref().unwrap())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d", "f"]);
        assert_eq!(merged.records[0].also.len(), 1);
    }
}
