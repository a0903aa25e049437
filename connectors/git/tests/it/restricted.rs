//! Parts of a history: tips, ranges, dates, the index.

use std::collections::BTreeSet;

use keymuster_api::{GapKind, Timestamp};
use keymuster_git::{History, RepositorySpec};

use super::{
    fixture::{Fixture, text},
    mock::{Seen, run, spec, sweep_history},
};

fn contents(seen: &Seen) -> BTreeSet<String> {
    seen.blobs
        .values()
        .map(|bytes| String::from_utf8(bytes.clone()).unwrap())
        .collect()
}

fn set(contents: &[&str]) -> BTreeSet<String> {
    contents
        .iter()
        .map(|content| (*content).to_owned())
        .collect()
}

fn history() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.write("a", "a1");
    fixture.write("dir/kept", "kept");
    fixture.commit("one");
    fixture.git(&["tag", "-a", "v1", "-m", "one"]);
    fixture.write("a", "a2");
    fixture.commit("two");
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.write("dir/b", "b1");
    fixture.commit("side");
    fixture.git(&["checkout", "-q", "main"]);
    fixture.write("a", "a3");
    fixture.commit("three");
    fixture.tick();
    fixture.git(&["merge", "-q", "--no-commit", "side"]);
    fixture.write("evil", "evil");
    fixture.write("moved", "kept");
    fixture.commit("merge");
    fixture.git(&["repack", "-q", "-ad"]);
    fixture
}

#[test]
fn tips_are_the_files_of_every_ref() {
    let fixture = history();
    let seen = sweep_history(&fixture.path(), History::Tips);
    assert_eq!(seen.gaps, []);
    assert_eq!(
        contents(&seen),
        set(&["a1", "a2", "a3", "b1", "evil", "kept"])
    );
    fixture.git(&["branch", "-qD", "side"]);
    fixture.git(&["tag", "-d", "v1"]);
    let seen = sweep_history(&fixture.path(), History::Tips);
    assert_eq!(contents(&seen), set(&["a3", "b1", "evil", "kept"]));
}

#[test]
fn no_history_is_nothing() {
    let seen = sweep_history(&history().path(), History::None);
    assert!(seen.blobs.is_empty() && seen.gaps.is_empty());
}

/// A range is what its commits brought in, with their messages; what lay elsewhere in the
/// tree where it begins is not new.
#[test]
fn ranges_are_what_their_commits_brought_in() {
    let fixture = history();
    let range = |text: &str| sweep_history(&fixture.path(), History::Range(text.to_owned()));
    assert_eq!(
        contents(&range("v1..HEAD")),
        set(&["a2", "a3", "b1", "evil"])
    );
    assert_eq!(contents(&range("HEAD^..HEAD")), set(&["b1", "evil"]));
    assert_eq!(contents(&range("HEAD~2..HEAD~")), set(&["a3"]));
    assert_eq!(contents(&range("main..side")), set(&[]));
    assert_eq!(contents(&range("main^..refs/heads/side")), set(&["b1"]));
    assert_eq!(contents(&range("HEAD^2~..HEAD^2")), set(&["b1"]));
    let short = fixture.git(&["rev-parse", "--short", "v1^{}"]);
    let seen = range(&format!("{short}.."));
    assert_eq!(contents(&seen), set(&["a2", "a3", "b1", "evil"]));
    assert_eq!(seen.messages.len(), 4, "two, side, three, merge");
    let places = seen.places("evil");
    assert_eq!(places[0].path, Some("evil".into()));
    assert_eq!(
        places[0].introduced.as_ref().unwrap()[0].id,
        fixture.rev("HEAD")
    );
    assert_eq!(
        seen.named(&|_| true).len(),
        4,
        "only what was searched is named"
    );
}

#[test]
fn unknown_revisions_are_gaps() {
    let fixture = history();
    for text in [
        "nowhere..HEAD",
        "HEAD",
        "HEAD~9..HEAD",
        "v1...HEAD",
        "abc..HEAD",
    ] {
        let seen = sweep_history(&fixture.path(), History::Range(text.to_owned()));
        assert_eq!(seen.gaps.len(), 1, "{text}");
        assert_eq!(seen.gaps[0].kind, GapKind::Missing);
        assert!(
            seen.gaps[0]
                .reason
                .contains(text.split("..").next().unwrap()),
            "{}",
            seen.gaps[0]
        );
    }
}

#[test]
fn since_is_what_newer_commits_brought_in() {
    let fixture = history();
    let at = fixture
        .git(&["log", "-1", "--format=%ct", "v1"])
        .parse()
        .unwrap();
    let since = Some(Timestamp::from_second(at).unwrap());
    let seen = run(
        RepositorySpec {
            since,
            ..spec(&fixture.path())
        },
        false,
    );
    assert_eq!(
        contents(&seen),
        set(&["a2", "a3", "b1", "evil", "kept"]),
        "kept is at a new path"
    );
    assert_eq!(seen.messages.len(), 4);
    let since = Some(Timestamp::from_second(at + 100_000).unwrap());
    let seen = run(
        RepositorySpec {
            since,
            ..spec(&fixture.path())
        },
        false,
    );
    assert!(seen.blobs.is_empty() && seen.messages.is_empty());
}

/// What is staged is searched with the path that the index knows, in each index format.
#[test]
fn staged_files_are_those_that_differ_from_head() {
    for version in ["2", "3", "4"] {
        let fixture = history();
        fixture.write("dir/deep/new", "NEEDLE-STAGED");
        fixture.write("a", "changed NEEDLE-STAGED");
        fixture.write("later", "later");
        fixture.git(&["add", "-A", "dir", "a"]);
        fixture.git(&["add", "-N", "later"]);
        fixture.git(&["update-index", "--index-version", version]);
        let seen = sweep_history(&fixture.path(), History::Staged);
        assert_eq!(seen.gaps, []);
        assert_eq!(
            contents(&seen),
            set(&["NEEDLE-STAGED", "changed NEEDLE-STAGED"]),
            "{version}"
        );
        let places = seen.places("NEEDLE-STAGED");
        let paths: BTreeSet<String> = places
            .iter()
            .map(|place| place.path.as_ref().unwrap().to_string())
            .collect();
        assert_eq!(paths, set(&["a", "dir/deep/new"]));
        assert!(places.iter().all(|place| place.commit.is_none()));
        assert_eq!(
            seen.named(&|name| name == b"new")[0].1,
            "dir/deep/new".into()
        );
    }
}

#[test]
fn everything_staged_before_the_first_commit_is_new() {
    let fixture = Fixture::new();
    fixture.write("a", text(1, 3));
    fixture.git(&["add", "-A"]);
    assert_eq!(
        sweep_history(&fixture.path(), History::Staged).blobs.len(),
        1
    );
}

#[test]
fn a_split_index_is_a_gap() {
    let fixture = history();
    fixture.git(&["update-index", "--split-index"]);
    let seen = sweep_history(&fixture.path(), History::Staged);
    assert_eq!(seen.gaps[0].kind, GapKind::Unsupported);
}
