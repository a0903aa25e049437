//! Where things are: compared with the oracle, commit by commit and path by path.

use std::{collections::BTreeSet, fs};

use super::{
    fixture::{Fixture, Random, text},
    mock::{Seen, assert_complete, sweep},
    oracle,
};

/// Asserts that everything told of a text is what the oracle finds.
fn assert_told(fixture: &Fixture, seen: &Seen, needle: &str) {
    let wanted = seen.holding(needle);
    let blobs: BTreeSet<_> = wanted.blobs.iter().copied().collect();
    assert!(!blobs.is_empty(), "{needle} is in no blob");
    let commits = oracle::commits(fixture);
    let expected = oracle::answer(fixture, &commits, &blobs);
    let told = oracle::told(&seen.locate(vec![wanted], false));
    assert_eq!(told, expected, "{needle}");
}

fn ids(seen: &Seen, needle: &str) -> Vec<keymuster_api::ObjectId> {
    let places = seen.places(needle);
    places[0]
        .introduced
        .as_ref()
        .unwrap()
        .iter()
        .map(|fact| fact.id)
        .collect()
}

/// Content that only a merge commit has was brought in by the merge.
#[test]
fn an_evil_merge_introduces_what_no_parent_has() {
    let mut fixture = Fixture::new();
    fixture.write("a", "a");
    fixture.commit("root");
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.write("b", "b");
    fixture.commit("side");
    fixture.git(&["checkout", "-q", "main"]);
    fixture.write("c", "c");
    fixture.commit("main");
    fixture.tick();
    fixture.git(&["merge", "-q", "--no-commit", "side"]);
    fixture.write("evil", "NEEDLE-EVIL");
    let merge = fixture.commit("merge");
    let seen = sweep(&fixture.path());
    assert_eq!(ids(&seen, "NEEDLE-EVIL"), [merge]);
    assert_told(&fixture, &seen, "NEEDLE-EVIL");
}

/// A merge that brings a branch's secret along introduces nothing; the branch did. A secret
/// that two branches brought in each for itself has two introductions.
#[test]
fn merges_introduce_nothing_that_a_parent_has() {
    let mut fixture = Fixture::new();
    fixture.write("a", "a");
    fixture.commit("root");
    for side in ["one", "two", "three"] {
        fixture.git(&["checkout", "-q", "-b", side, "main"]);
        fixture.write(side, format!("NEEDLE-BOTH in {side}"));
        fixture.commit(side);
    }
    fixture.git(&["checkout", "-q", "main"]);
    fixture.tick();
    fixture.git(&["merge", "-q", "-m", "octopus", "one", "two", "three"]);
    let seen = sweep(&fixture.path());
    assert_eq!(
        ids(&seen, "NEEDLE-BOTH"),
        [fixture.rev("one"), fixture.rev("two"), fixture.rev("three")]
    );
    assert_told(&fixture, &seen, "NEEDLE-BOTH");
}

/// History is told as it was recorded: grafts and replacements change what git shows, and
/// neither hide an introduction nor make one.
#[test]
fn grafts_and_replacements_do_not_rewrite_history() {
    let mut fixture = Fixture::new();
    fixture.write("a", "a");
    fixture.commit("root");
    fixture.write("a", "NEEDLE-GRAFT\n");
    let added = fixture.commit("add");
    fixture.write("b", "b");
    let after = fixture.commit("after");
    let grafts = fixture.path().join(".git/info/grafts");
    fs::create_dir_all(grafts.parent().unwrap()).unwrap();
    fs::write(&grafts, format!("{after}\n")).unwrap();
    assert_eq!(
        fixture.git(&["rev-list", "--count", "HEAD"]),
        "1",
        "git obeys"
    );
    let seen = sweep(&fixture.path());
    fs::remove_file(&grafts).unwrap();
    assert_eq!(ids(&seen, "NEEDLE-GRAFT"), [added]);
    assert_told(&fixture, &seen, "NEEDLE-GRAFT");

    // The replacement is a commit without parents, and stands under a ref of its own.
    fixture.git(&["replace", "--graft", &after.to_string()]);
    let replacement = fixture.rev(&format!("refs/replace/{after}"));
    fixture.git(&["config", "core.useReplaceRefs", "false"]);
    let seen = sweep(&fixture.path());
    assert_eq!(ids(&seen, "NEEDLE-GRAFT"), [added, replacement]);
    assert_told(&fixture, &seen, "NEEDLE-GRAFT");
}

/// A rename moves a secret to another path and introduces nothing. A removal and its revert
/// are two introductions.
#[test]
fn renames_introduce_nothing_and_reverts_do() {
    let mut fixture = Fixture::new();
    fixture.write("old/name.txt", "NEEDLE-MOVED\n");
    let first = fixture.commit("add");
    fixture.git(&["mv", "old", "new"]);
    fixture.commit("rename");
    fixture.git(&["rm", "-q", "new/name.txt"]);
    fixture.commit("remove");
    fixture.tick();
    fixture.git(&["revert", "--no-edit", "HEAD"]);
    let revert = fixture.rev("HEAD");
    let seen = sweep(&fixture.path());
    assert_eq!(ids(&seen, "NEEDLE-MOVED"), [first, revert]);
    assert_told(&fixture, &seen, "NEEDLE-MOVED");
    let places = seen.places("NEEDLE-MOVED");
    let paths: Vec<String> = places
        .iter()
        .map(|place| place.path.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(paths, ["new/name.txt", "old/name.txt"]);
    assert_eq!(
        places[0].at_tip.as_deref(),
        Some(&["refs/heads/main".to_owned()][..])
    );
    assert_eq!(
        places[1].at_tip.as_deref(),
        Some(&[][..]),
        "the old path is at no tip"
    );
}

/// The same secret in another blob is no new introduction.
#[test]
fn an_edit_around_a_secret_does_not_introduce_it_again() {
    let mut fixture = Fixture::new();
    fixture.write("a", "NEEDLE-KEPT\n");
    let first = fixture.commit("add");
    fixture.write("a", "line above\nNEEDLE-KEPT\n");
    let second = fixture.commit("edit");
    let seen = sweep(&fixture.path());
    assert_eq!(ids(&seen, "NEEDLE-KEPT"), [first]);
    let place = &seen.places("NEEDLE-KEPT")[0];
    assert_eq!(
        (place.versions, place.commit.as_ref().unwrap().id),
        (2, second)
    );
    assert_eq!(
        place.commit.as_ref().unwrap().author,
        "Ann Author <ann@example.com>"
    );
    let every = seen.locate(vec![seen.holding("NEEDLE-KEPT")], true);
    assert_eq!(every.len(), 2, "each version is told if all are asked for");
    assert_eq!(every[1].commit.as_ref().unwrap().id, first);
    assert_told(&fixture, &seen, "NEEDLE-KEPT");
}

/// Histories that have nothing in common stay apart.
#[test]
fn two_roots_are_two_introductions() {
    let mut fixture = Fixture::new();
    fixture.write("a", "NEEDLE-ROOT");
    let first = fixture.commit("one root");
    fixture.git(&["checkout", "-q", "--orphan", "other"]);
    let second = fixture.commit("other root");
    let seen = sweep(&fixture.path());
    assert_eq!(ids(&seen, "NEEDLE-ROOT"), [first, second]);
    assert_told(&fixture, &seen, "NEEDLE-ROOT");
}

/// What is stashed is in the history, the older entries of the stash as well.
#[test]
fn stashes_and_notes_have_places() {
    let mut fixture = Fixture::new();
    fixture.write("a", "a");
    fixture.commit("root");
    for name in ["OLDER", "NEWER"] {
        fixture.write("a", format!("NEEDLE-{name}"));
        fixture.tick();
        fixture.git(&["stash", "push", "-q"]);
    }
    fixture.tick();
    fixture.git(&["notes", "add", "-m", "NEEDLE-NOTE", "HEAD"]);
    let seen = sweep(&fixture.path());
    assert_complete(&fixture, &fixture.path(), &seen);
    for (needle, tip) in [
        ("NEEDLE-NEWER", "refs/stash"),
        ("NEEDLE-OLDER", "refs/stash@{1}"),
        ("NEEDLE-NOTE", "refs/notes/commits"),
    ] {
        let places = seen.places(needle);
        assert_eq!(
            places[0].at_tip.as_deref(),
            Some(&[tip.to_owned()][..]),
            "{needle}"
        );
        assert!(places[0].commit.is_some(), "{needle}");
    }
}

/// Messages of commits and annotated tags are places of their own.
#[test]
fn messages_are_located_by_their_commit_or_tag() {
    let mut fixture = Fixture::new();
    fixture.write("a", "a");
    let commit = fixture.commit("NEEDLE-MESSAGE");
    fixture.git(&["tag", "-a", "v1", "-m", "NEEDLE-TAG"]);
    fixture.git(&["repack", "-q", "-ad"]);
    let seen = sweep(&fixture.path());
    let places = seen.places("NEEDLE-MESSAGE");
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].message, Some(commit));
    assert_eq!((&places[0].path, places[0].blob), (&None, None));
    assert_eq!(
        places[0].at_tip.as_deref(),
        Some(&["refs/heads/main".to_owned()][..])
    );
    let places = seen.places("NEEDLE-TAG");
    assert_eq!(places[0].message, Some(fixture.rev("v1")));
    assert_eq!(
        places[0].commit.as_ref().unwrap().author,
        "Carl Committer <carl@example.com>"
    );
    assert_eq!(
        places[0].at_tip.as_deref(),
        Some(&["refs/tags/v1".to_owned()][..])
    );
}

/// A commit that only its id names still tells where a secret was; it never displaces one
/// that a branch reaches.
#[test]
fn amended_commits_are_told_last() {
    let mut fixture = Fixture::new();
    fixture.write("a", "NEEDLE-AMENDED");
    fixture.commit("first try");
    fixture.write("b", "NEEDLE-DROPPED");
    fixture.tick();
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-q", "--amend", "-m", "second try"]);
    let dropped = fixture.rev("HEAD");
    fixture.git(&["rm", "-q", "b"]);
    fixture.tick();
    fixture.git(&["commit", "-q", "--amend", "-m", "third try"]);
    let third = fixture.rev("HEAD");
    let seen = sweep(&fixture.path());
    assert_eq!(ids(&seen, "NEEDLE-AMENDED"), [third]);
    assert_eq!(ids(&seen, "NEEDLE-DROPPED"), [dropped]);
    assert_eq!(
        seen.places("NEEDLE-DROPPED")[0].at_tip.as_deref(),
        Some(&[][..])
    );
}

/// A blob or a tree that a tag points at directly is at that tag, and in no commit.
#[test]
fn tagged_blobs_and_trees_are_at_their_tags() {
    let mut fixture = Fixture::new();
    fixture.write("a", "a");
    fixture.commit("root");
    let blob = fixture.blob(b"NEEDLE-BLOB");
    fixture.git(&["tag", "-a", "blob", "-m", "a blob", &blob.to_string()]);
    fixture.write("dir/b", "NEEDLE-TREE");
    fixture.git(&["add", "-A"]);
    let tree = fixture.git(&["write-tree"]);
    fixture.git(&["tag", "tree", &tree]);
    let seen = sweep(&fixture.path());
    let place = &seen.places("NEEDLE-BLOB")[0];
    assert_eq!(
        place.at_tip.as_deref(),
        Some(&["refs/tags/blob".to_owned()][..])
    );
    let place = &seen.places("NEEDLE-TREE")[0];
    assert_eq!(place.path, Some("dir/b".into()));
    assert_eq!(place.commit, None);
    assert_eq!(
        place.at_tip.as_deref(),
        Some(&["refs/tags/tree".to_owned()][..])
    );
}

#[test]
fn files_are_found_by_name_with_their_path() {
    let mut fixture = Fixture::new();
    fixture.write("deep/down/.pgpass", "one");
    fixture.write("deep/other", "two");
    fixture.commit("root");
    fixture.git(&["mv", "deep", "deeper"]);
    fixture.commit("moved");
    fixture.git(&["repack", "-q", "-adf"]);
    let seen = sweep(&fixture.path());
    let named = seen.named(&|name| name == b".pgpass");
    assert_eq!(named.len(), 1);
    assert_eq!(
        named[0].1,
        "deeper/down/.pgpass".into(),
        "the newest commit's path"
    );
}

/// A random history, stored in every way: all secrets at all paths, as the oracle says, with
/// merges, copies, moves and removals, and dates that run backwards.
#[test]
fn random_histories_are_located_exactly() {
    for seed in 0..4 {
        let mut fixture = Fixture::new();
        let mut random = Random(seed);
        let mut branches = vec!["main".to_owned()];
        fixture.write("start", text(seed, 30));
        fixture.commit("root");
        for step in 0..45 {
            let branch = branches[random.below(branches.len() as u64) as usize].clone();
            fixture.git(&["checkout", "-q", &branch]);
            match random.below(10) {
                0 if branches.len() < 5 => {
                    let name = format!("branch{step}");
                    fixture.git(&["checkout", "-q", "-b", &name]);
                    branches.push(name);
                }
                1 | 2 => {
                    let other = branches[random.below(branches.len() as u64) as usize].clone();
                    fixture.tick();
                    let merge = [
                        "merge",
                        "-q",
                        "--no-edit",
                        "-X",
                        "theirs",
                        "--no-ff",
                        &other,
                    ];
                    let path = fixture.path();
                    // Conflicts of names are left to git's own choice, or given up.
                    if std::panic::catch_unwind(|| fixture.git_in(&path, &merge, b"")).is_err() {
                        fixture.git(&["reset", "-q", "--hard"]);
                        fixture.git(&["clean", "-qfd"]);
                    }
                }
                3 => {
                    let files = fixture.git(&["ls-files"]);
                    let files: Vec<&str> = files.lines().collect();
                    let file = files[random.below(files.len() as u64) as usize];
                    fs::remove_file(fixture.path().join(file)).unwrap();
                    fixture.write(
                        &format!("moved/{step}"),
                        format!("NEEDLE-{}", random.below(5)),
                    );
                    fixture.commit("move");
                }
                _ => {
                    let file = format!(
                        "d{}/e{}/f{}",
                        random.below(3),
                        random.below(3),
                        random.below(2)
                    );
                    let needle = random.below(5);
                    let lines = text(random.below(4), 40);
                    fixture.write(&file, format!("{lines}NEEDLE-{needle}\n{lines}"));
                    if random.below(4) == 0 {
                        fixture.write(&format!("copy/{needle}"), format!("NEEDLE-{needle} again"));
                    }
                    fixture.commit("edit");
                }
            }
        }
        fixture.git(&["tag", "-a", "v1", "-m", "v1"]);
        for way in ["loose", "half", "packed", "by name", "shallow chains"] {
            match way {
                "half" => fixture.git(&["repack", "-q"]),
                "packed" => fixture.git(&["repack", "-q", "-adf", "--window=100"]),
                "by name" => fixture.git(&[
                    "-c",
                    "repack.useDeltaBaseOffset=false",
                    "repack",
                    "-q",
                    "-adF",
                ]),
                "shallow chains" => fixture.git(&["repack", "-q", "-adf", "--depth=2"]),
                _ => String::new(),
            };
            let seen = sweep(&fixture.path());
            assert_complete(&fixture, &fixture.path(), &seen);
            for needle in 0..5 {
                assert_told(&fixture, &seen, &format!("NEEDLE-{needle}"));
            }
        }
    }
}
