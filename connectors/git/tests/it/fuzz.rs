//! The seeds that fuzzing left, through the functions that fuzzing calls.

use std::{collections::BTreeMap, fs, path::PathBuf};

#[path = "../../../../tests/fuzz/harness/forge.rs"]
mod forge;
#[path = "../../../../tests/fuzz/harness/format.rs"]
mod format;
#[path = "../../../../tests/fuzz/harness/index.rs"]
mod index;
#[path = "../../../../tests/fuzz/harness/pack.rs"]
mod pack;
#[path = "../../../../tests/fuzz/harness/reading.rs"]
mod reading;
#[path = "../../../../tests/fuzz/harness/script.rs"]
mod script;

/// Reads every seed of a target; how many gave contents, and how many gaps.
fn replay(target: &str, run: impl Fn(&std::path::Path, &[u8]) -> reading::Seen) -> (usize, usize) {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/seeds")
        .join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&seeds)
        .unwrap_or_else(|error| panic!("{}: {error}", seeds.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let folder = tempfile::tempdir().unwrap();
    let (mut contents, mut gaps) = (0, 0);
    for file in files {
        let seen = run(folder.path(), &fs::read(file).unwrap());
        contents += usize::from(!seen.lent.is_empty());
        gaps += usize::from(!seen.gaps.is_empty());
    }
    (contents, gaps)
}

#[test]
fn seeds_of_packs_are_read_or_are_gaps() {
    let (contents, gaps) = replay("pack", pack::run);
    assert!(contents >= 10 && gaps >= 8, "{contents} read, {gaps} gaps");
}

#[test]
fn seeds_of_indexes_are_read_or_are_gaps() {
    let (contents, gaps) = replay("index", index::run);
    assert!(contents >= 5 && gaps >= 5, "{contents} read, {gaps} gaps");
}

/// What the harness forges is what git would write: nothing is missing in it.
#[test]
fn the_good_script_is_a_repository() {
    let folder = tempfile::tempdir().unwrap();
    let seen = pack::run(folder.path(), &index::good());
    assert_eq!(seen.gaps, []);
    let texts: BTreeMap<u8, String> = seen
        .lent
        .iter()
        .map(|(id, bytes)| {
            (
                id.as_bytes()[0],
                String::from_utf8_lossy(bytes).into_owned(),
            )
        })
        .collect();
    assert_eq!(texts[&0x22], "some texmore");
    assert_eq!(texts[&0x33], "text!!");
    assert_eq!(texts.len(), 5, "three blobs, a commit, a tag");
    assert_eq!(seen.received, 6);
}
