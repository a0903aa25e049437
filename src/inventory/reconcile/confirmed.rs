//! What people decided about pairs, looked up in the estate and the inventory of this run.

use std::collections::{BTreeMap, HashMap};

use super::super::{Confirmations, Inventory, Match, MatchKey, text::shown};
use crate::estate::Estate;

/// Decisions by credential.
#[derive(Default)]
pub(super) struct Decided {
    /// Records by credential; the reason of a match, `None` where they are different things.
    pairs: BTreeMap<u32, Vec<(u32, Option<String>)>>,
    /// Decisions about what is no longer there.
    pub(super) notes: Vec<String>,
}

impl Decided {
    pub(super) fn new(
        estate: &Estate,
        inventory: &Inventory,
        confirmations: &Confirmations,
    ) -> Decided {
        let mut decided = Decided::default();
        if confirmations.entries.is_empty() {
            return decided;
        }
        let mut credentials: HashMap<&str, u32> = HashMap::new();
        for (at, credential) in (0u32..).zip(&estate.credentials) {
            for &name in credential.aliases.iter().chain([&credential.subject]) {
                credentials.insert(estate.text(name), at);
            }
            if let Some((_, value)) = credential.handle {
                credentials.entry(estate.text(value)).or_insert(at);
            }
        }
        let records: HashMap<&str, u32> = inventory
            .records
            .iter()
            .map(|record| record.id.as_str())
            .zip(0..)
            .collect();
        for entry in &confirmations.entries {
            let credential = credentials.get(entry.credential.as_str());
            let record = records.get(entry.record.as_str());
            let (Some(&credential), Some(&record)) = (credential, record) else {
                let (what, name) = match credential {
                    None => ("credential", &entry.credential),
                    Some(_) => ("record", &entry.record),
                };
                decided.notes.push(format!(
                    "{}: no {what} `{}` any more; the decision says nothing now",
                    entry.source,
                    shown(name)
                ));
                continue;
            };
            let because = entry.same.then(|| {
                format!(
                    "confirmed by {} on {} ({})",
                    entry.by, entry.at, entry.source
                )
            });
            decided
                .pairs
                .entry(credential)
                .or_default()
                .push((record, because));
        }
        decided
    }

    /// The matches that were confirmed.
    pub(super) fn edges(&self, credential: u32) -> Vec<Match> {
        let pairs = self.pairs.get(&credential).into_iter().flatten();
        pairs
            .filter_map(|(record, because)| {
                Some(Match {
                    credential,
                    record: *record,
                    key: MatchKey::Confirmed,
                    confidence: 1.0,
                    because: because.clone()?,
                })
            })
            .collect()
    }

    /// Whether somebody decided that they are different things.
    pub(super) fn is_different(&self, credential: u32, record: u32) -> bool {
        let pairs = self.pairs.get(&credential);
        pairs.is_some_and(|pairs| pairs.contains(&(record, None)))
    }
}
