//! The rule files that fuzzing left, through the function that fuzzing calls.

use std::{collections::BTreeSet, fs, path::PathBuf};

#[allow(unreachable_pub, reason = "the harness has further users")]
#[path = "../fuzz/harness/rules.rs"]
mod rules;

use rules::Outcome;

#[test]
fn seeds_of_rule_files_are_refused_or_can_be_used() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds/rules");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    let outcomes: Vec<Outcome> = files
        .iter()
        .map(|file| rules::run(&fs::read(file).expect("a seed")))
        .collect();
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|one| wanted(one)).count();
    let refused = count(|one| *one == Outcome::Refused);
    let faulty = count(|one| *one == Outcome::Faulty);
    let sound = count(|one| matches!(one, Outcome::Sound(found) if *found > 0));
    assert!(
        refused >= 10 && faulty >= 3 && sound >= 5,
        "{refused} refused, {faulty} faulty, {sound} sound"
    );
}

/// A target has a harness, seeds, a dictionary and a line in the README; nothing is left over.
#[test]
fn no_fuzz_target_is_forgotten() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let names = |name: &str| -> BTreeSet<String> {
        fs::read_dir(folder.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .map(|entry| entry.expect("entry").path())
            .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
            .collect()
    };
    let targets = names("targets");
    assert!(targets.len() >= 5);
    assert_eq!(targets, names("seeds"));
    assert_eq!(targets, names("dictionaries"));
    let (manifest, readme) = (read("Cargo.toml"), read("README.md"));
    for target in targets {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")));
        assert!(readme.contains(&format!("| `{target}` |")));
        let uses = read(&format!("targets/{target}.rs"));
        assert!(uses.contains(&format!("keymuster_fuzz::{target}::run")));
        let seeds = fs::read_dir(folder.join("seeds").join(&target)).expect("seeds");
        assert!(seeds.count() >= 10, "{target} has seeds");
    }
}
