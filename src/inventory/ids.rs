//! What records are called: ids for those that have none, distinct ones for those of a register
//! that share one.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::{
    Inventory, Record,
    text::{shown, squeezed},
};

/// An id for a record that has none, which survives sorting and editing the register: from its
/// identifiers, or from name and system.
pub(super) fn derived_id(record: &Record) -> String {
    let mut parts: Vec<String> = record
        .identifiers
        .iter()
        .filter(|i| i.scheme != "fingerprint_hmac" || record.identifiers.len() == 1)
        .map(|i| format!("{}:{}", i.scheme, i.value.to_lowercase()))
        .collect();
    if parts.is_empty() {
        let part = |text: &Option<String>| squeezed(text.as_deref().unwrap_or_default());
        parts = vec![format!(
            "name:{}:{}",
            part(&record.name),
            part(&record.system)
        )];
    }
    parts.sort();
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Gives the second record of an id the suffix `-2`, and so on.
pub(super) fn distinct_ids(inventory: &mut Inventory, file: &str) {
    let mut used: BTreeSet<String> = inventory.records.iter().map(|r| r.id.clone()).collect();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for record in &mut inventory.records {
        let Some(&first) = seen.get(&record.id) else {
            seen.insert(record.id.clone(), record.source.row);
            continue;
        };
        let mut n = 2;
        while used.contains(&format!("{}-{n}", record.id)) {
            n += 1;
        }
        inventory.notes.push(format!(
            "{file}: rows {first} and {} have the same id `{}`",
            record.source.row,
            shown(&record.id)
        ));
        record.id = format!("{}-{n}", record.id);
        used.insert(record.id.clone());
    }
}
