//! Packs: entries of every kind, deltas on each other, trees and commits that refer to each other,
//! written from a script (`script`).

use std::{collections::BTreeMap, path::Path};

use super::{
    forge::Forged,
    reading::{self, Seen},
    script::Script,
};

/// Lays a script's repository out and reads it.
///
/// # Panics
/// If something is lent that the script does not say, or missing without a gap.
pub fn run(folder: &Path, input: &[u8]) -> Seen {
    let script = Script::read(input);
    let forged = Forged::new(&script);
    let index = forged.index(&forged.lines, script.index_version());
    let expected = script.expected();
    let of_kind = |wanted: u8| {
        let some = expected
            .iter()
            .filter(move |entry| matches!(&entry.object, Some((kind, _)) if *kind == wanted));
        some.map(|entry| entry.id.clone())
    };
    let tips: Vec<Vec<u8>> = of_kind(1).chain(of_kind(4)).take(8).collect();
    forged
        .lay_out(folder, &index, &tips)
        .expect("a folder to write in");
    let seen = reading::run(folder);

    // Ids that the script gives once, and whose bytes it knows.
    let mut known: BTreeMap<&[u8], Option<&(u8, Vec<u8>)>> = BTreeMap::new();
    for entry in &expected {
        known
            .entry(&entry.id)
            .and_modify(|several| *several = None)
            .or_insert(entry.object.as_ref());
    }
    for (id, bytes) in &seen.lent {
        if let Some(Some((_, right))) = known.get(id.as_bytes()) {
            assert!(bytes == right, "{id} is lent with other bytes");
        }
    }
    assert!(seen.is_found, "what was lent can be read again");
    if seen.gaps.is_empty() {
        assert_eq!(
            seen.received,
            expected.len() as u64,
            "no gap, and not every object was seen"
        );
        for (id, object) in &known {
            if let Some((1 | 3 | 4, _)) = object {
                let is_lent = seen.lent.iter().any(|(lent, _)| lent.as_bytes() == *id);
                assert!(is_lent, "no gap, and {id:02x?} was not lent");
            }
        }
    }
    seen
}
