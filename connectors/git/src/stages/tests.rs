//! The seeds that fuzzing left, through the functions that fuzzing calls.

use std::{fs, path::PathBuf};

use super as stages;

#[allow(dead_code, unreachable_pub, reason = "the harness has further users")]
#[path = "../../../../tests/fuzz/harness/delta.rs"]
mod delta;
#[allow(dead_code, unreachable_pub, reason = "the harness has further users")]
#[path = "../../../../tests/fuzz/harness/format.rs"]
mod format;
#[allow(unreachable_pub, reason = "the harness has further users")]
#[path = "../../../../tests/fuzz/harness/object.rs"]
mod object;

/// What every seed of a target gives, in the order of their names.
fn replay<T>(target: &str, run: impl Fn(&[u8]) -> T) -> Vec<T> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/seeds")
        .join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| run(&fs::read(file).expect("a seed")))
        .collect()
}

#[test]
fn seeds_of_deltas_are_applied_or_refused_as_the_format_says() {
    let applied = replay("delta", delta::run);
    let good = applied.iter().filter(|&&applied| applied).count();
    assert!(
        good >= 5 && applied.len() - good >= 5,
        "{good} of {} are deltas",
        applied.len()
    );
}

#[test]
fn seeds_of_objects_are_read_or_refused_as_the_format_says() {
    let read = replay("object", object::run);
    for kind in [object::Kind::Commit, object::Kind::Tree, object::Kind::Tag] {
        let of_kind: Vec<bool> = read
            .iter()
            .filter(|(other, _)| *other == kind)
            .map(|&(_, is_good)| is_good)
            .collect();
        assert!(
            of_kind.contains(&true) && of_kind.contains(&false),
            "{kind:?}: {of_kind:?}"
        );
    }
}
