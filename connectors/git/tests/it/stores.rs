//! Every way in which a repository stores objects gives the same objects, each once.

use std::fs;

use keymuster_api::{GapKind, Spot};
use keymuster_git::{RepositorySpec, discover};

use super::{
    fixture::{Fixture, text},
    mock::{How, assert_complete, run, run_with, spec, sweep},
};

/// A history with long files that change a little, a tag, and several folders.
pub(crate) fn history(format: &str) -> Fixture {
    let mut fixture = Fixture::with_format(format);
    for version in 0..12u64 {
        let mut lines = text(7, 400);
        lines.insert_str(
            (version as usize * 97) % 5000,
            &format!("changed in {version}\n"),
        );
        fixture.write("src/long.txt", &lines);
        fixture.write(&format!("docs/{version}.md"), text(version, 20));
        fixture.commit(&format!("version {version}"));
    }
    fixture.git(&["tag", "-a", "v1", "-m", "the first"]);
    fixture
}

#[test]
fn loose_objects_are_read() {
    let fixture = history("sha1");
    assert_complete(&fixture, &fixture.path(), &sweep(&fixture.path()));
}

#[test]
fn packs_are_read_whatever_their_depth_and_window() {
    let fixture = history("sha1");
    for (depth, window) in [("50", "250"), ("1", "10"), ("0", "0"), ("4095", "20")] {
        let (depth, window) = (format!("--depth={depth}"), format!("--window={window}"));
        fixture.git(&["repack", "-q", "-adf", &depth, &window]);
        let seen = sweep(&fixture.path());
        assert_complete(&fixture, &fixture.path(), &seen);
        if depth != "--depth=0" {
            assert!(
                seen.copied > 50_000,
                "most bytes are copies: {}",
                seen.copied
            );
        }
    }
}

#[test]
fn packs_with_deltas_by_name_are_read() {
    let fixture = history("sha1");
    fixture.git(&["config", "repack.useDeltaBaseOffset", "false"]);
    fixture.git(&["repack", "-q", "-adf"]);
    let seen = sweep(&fixture.path());
    assert_complete(&fixture, &fixture.path(), &seen);
    assert!(
        seen.copied > 50_000,
        "most bytes are copies: {}",
        seen.copied
    );
}

#[test]
fn the_old_index_format_is_read() {
    let fixture = history("sha1");
    fixture.git(&["config", "pack.indexVersion", "1"]);
    fixture.git(&["repack", "-q", "-adf"]);
    assert_complete(&fixture, &fixture.path(), &sweep(&fixture.path()));
}

#[test]
fn sha256_repositories_are_read() {
    let fixture = history("sha256");
    assert_complete(&fixture, &fixture.path(), &sweep(&fixture.path()));
    fixture.git(&["repack", "-q", "-adf"]);
    let seen = sweep(&fixture.path());
    assert_complete(&fixture, &fixture.path(), &seen);
    assert_eq!(seen.places("changed in 3").len(), 1);
}

/// Several packs, the same objects in two of them and loose as well: each is lent once.
#[test]
fn an_object_that_is_stored_three_times_is_lent_once() {
    let mut fixture = history("sha1");
    fixture.git(&["repack", "-q", "-d"]);
    fixture.write("src/long.txt", text(7, 401));
    fixture.commit("more");
    fixture.git(&["repack", "-q", "-d"]);
    // All of it once more, kept beside the others, and some of it loose.
    let all = fixture.git(&["rev-list", "--objects", "--all"]);
    let path = fixture.path();
    fixture.git_in(
        &path,
        &["pack-objects", "-q", ".git/objects/pack/pack"],
        all.as_bytes(),
    );
    fixture.blob(text(7, 401).as_bytes());
    fixture.write("new.txt", "new");
    fixture.commit("loose");
    let packs = fs::read_dir(path.join(".git/objects/pack")).unwrap();
    assert!(
        packs
            .filter(|name| name.as_ref().unwrap().path().extension().unwrap() == "pack")
            .count()
            >= 3
    );
    assert_complete(&fixture, &path, &sweep(&path));
}

#[test]
fn unreachable_blobs_are_lent_and_have_no_place() {
    let fixture = history("sha1");
    fixture.blob(b"nobody knows NEEDLE-LOST");
    let seen = sweep(&fixture.path());
    assert_complete(&fixture, &fixture.path(), &seen);
    let places = seen.places("NEEDLE-LOST");
    assert_eq!(places.len(), 1);
    assert_eq!((&places[0].path, &places[0].commit), (&None, &None));
    assert_eq!(places[0].at_tip.as_deref(), Some(&[][..]));
}

/// Objects borrowed from another repository count as this one's; a loop of borrowing ends.
#[test]
fn alternates_are_followed_once() {
    let mut fixture = history("sha1");
    fixture.git(&["repack", "-q", "-adf"]);
    let clone = fixture.beside("clone");
    fixture.git(&["clone", "-q", "--shared", ".", clone.to_str().unwrap()]);
    let info = fixture.path().join(".git/objects/info");
    fs::create_dir_all(&info).unwrap();
    fs::write(
        info.join("alternates"),
        clone.join(".git/objects").to_str().unwrap(),
    )
    .unwrap();
    fixture.tick();
    fs::write(clone.join("own.txt"), "own NEEDLE-OWN").unwrap();
    fixture.git_in(&clone, &["add", "-A"], b"");
    fixture.git_in(&clone, &["commit", "-q", "-m", "own"], b"");
    fs::remove_file(info.join("alternates")).unwrap();
    assert_complete(&fixture, &clone, &sweep(&clone));
    fs::write(
        info.join("alternates"),
        clone.join(".git/objects").to_str().unwrap(),
    )
    .unwrap();
    let seen = sweep(&clone);
    assert_eq!(seen.gaps, []);
    assert_eq!(seen.places("NEEDLE-OWN")[0].path, Some("own.txt".into()));
    fs::write(info.join("alternates"), "/nowhere/objects\n").unwrap();
    assert_eq!(
        sweep(&clone).gaps[0].kind,
        GapKind::Missing,
        "what is borrowed is not there"
    );
}

#[test]
fn worktrees_bare_repositories_and_mirrors_are_recognised() {
    let mut fixture = history("sha1");
    let path = fixture.path();
    let layout = discover(&path).unwrap();
    assert_eq!(layout.worktree, Some(path.clone()));
    assert_eq!(
        discover(&path.join(".git")).unwrap().worktree,
        Some(path.clone())
    );
    assert_eq!(discover(&path.join("src")), None);

    let linked = fixture.beside("linked");
    fixture.git(&[
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().unwrap(),
    ]);
    fixture.tick();
    fs::write(linked.join("own.txt"), "NEEDLE-LINKED").unwrap();
    fixture.git_in(&linked, &["add", "-A"], b"");
    fixture.git_in(&linked, &["commit", "-q", "-m", "on no branch"], b"");
    let layout = discover(&linked).unwrap();
    assert_ne!(layout.git_dir, layout.common_dir);
    for place in [&path, &linked] {
        let seen = sweep(place);
        assert_complete(&fixture, place, &seen);
        let found = seen.places("NEEDLE-LINKED");
        let tips = found[0].at_tip.clone().unwrap();
        assert!(
            tips.contains(&"worktrees/linked/HEAD".to_owned()),
            "{tips:?}"
        );
    }

    for kind in ["--bare", "--mirror"] {
        let bare = fixture.beside(&format!("copy{kind}.git"));
        fixture.git(&["clone", "-q", kind, ".", bare.to_str().unwrap()]);
        assert_eq!(discover(&bare).unwrap().worktree, None);
        assert_complete(&fixture, &bare, &sweep(&bare));
        assert_eq!(
            RepositorySpec::new(&bare).display_name(),
            format!("copy{kind}")
        );
    }
}

/// A shallow clone says so, and does not pretend to know who brought a secret in.
#[test]
fn shallow_clones_are_gaps_and_introductions_unknown() {
    let mut fixture = history("sha1");
    fixture.write("later.txt", "NEEDLE-LATER");
    let later = fixture.commit("later");
    fixture.write("more.txt", "more");
    fixture.commit("more");
    let clone = fixture.beside("shallow");
    let url = format!("file://{}", fixture.path().display());
    fixture.git(&[
        "clone",
        "-q",
        "--depth=2",
        "--branch=main",
        &url,
        clone.to_str().unwrap(),
    ]);
    let seen = sweep(&clone);
    assert_eq!(seen.gaps.len(), 1);
    assert!(seen.gaps[0].reason.contains("shallow"), "{}", seen.gaps[0]);
    assert!(seen.coverage.iter().all(|coverage| !coverage.complete));
    // The commit that brought it in is the oldest here, and its parents are not here.
    let found = seen.places("NEEDLE-LATER");
    assert_eq!(found[0].introduced, None);
    assert!(found[0].commit.is_some());
    // With one more commit the answer is there.
    fixture.git_in(&clone, &["fetch", "-q", "--deepen=1"], b"");
    let found = sweep(&clone).places("NEEDLE-LATER");
    let introduced = found[0].introduced.clone().unwrap();
    assert_eq!(
        introduced.iter().map(|fact| fact.id).collect::<Vec<_>>(),
        [later]
    );
}

/// Large trees of changes are handed on in parts, and the parts fit together.
#[test]
fn large_delta_trees_are_forked() {
    let fixture = Fixture::new();
    let lines = text(1, 20_000);
    let mut ids = String::new();
    for version in 0..120usize {
        let mut lines = lines.clone();
        lines.insert_str(version * 4000, &format!("only in {version}\n"));
        ids.push_str(&format!("{}\n", fixture.blob(lines.as_bytes())));
    }
    let path = fixture.path();
    let pack = [
        "pack-objects",
        "-q",
        "--window=120",
        "--depth=3",
        ".git/objects/pack/pack",
    ];
    fixture.git_in(&path, &pack, ids.as_bytes());
    fixture.git(&["prune-packed", "-q"]);
    let seen = sweep(&path);
    assert_complete(&fixture, &path, &seen);
    assert!(seen.forks > 0, "nothing was handed on");
    // Where memory is short nothing waits with its base, and the result is the same.
    let how = How {
        max_memory: 1 << 20,
        ..How::default()
    };
    let short = run_with(spec(&path), &how).unwrap();
    assert_complete(&fixture, &path, &short);
    assert_eq!(short.forks, 0);
}

#[test]
fn objects_above_the_limit_are_gaps_and_the_rest_is_read() {
    for packed in [false, true] {
        let mut fixture = history("sha1");
        let large = fixture.blob(&vec![b'x'; 3_000_000]);
        fixture.write("large.bin", vec![b'x'; 3_000_000]);
        fixture.commit("large");
        if packed {
            fixture.git(&["repack", "-q", "-adf"]);
        }
        let seen = run(
            RepositorySpec {
                object_limit: 1_000_000,
                ..spec(&fixture.path())
            },
            false,
        );
        assert_eq!(seen.gaps.len(), 1);
        assert_eq!(seen.gaps[0].kind, GapKind::Limit);
        assert!(
            seen.gaps[0].subject.contains(&large.to_string()),
            "{}",
            seen.gaps[0]
        );
        assert_eq!(seen.blobs.len(), 24);
    }
}

#[test]
fn a_stopped_run_is_one_gap() {
    let fixture = history("sha1");
    fixture.git(&["repack", "-q", "-d"]);
    let seen = run(spec(&fixture.path()), true);
    assert_eq!(seen.gaps.len(), 1);
    assert_eq!(seen.gaps[0].kind, GapKind::Cancelled);
    assert!(seen.blobs.is_empty() && !seen.covered("blobs").complete);
}

#[test]
fn objects_are_read_again_by_id() {
    let fixture = history("sha1");
    fixture.git(&["repack", "-q", "-adf"]);
    let seen = sweep(&fixture.path());
    let mut spots: Vec<Spot> = seen.blobs.keys().map(|&id| Spot::Blob { id }).collect();
    spots.extend(seen.messages.keys().map(|&id| Spot::Message { id }));
    spots.push(Spot::Blob {
        id: keymuster_api::ObjectId::from_bytes(&[7; 20]).unwrap(),
    });
    let again = seen.reread(&spots);
    for (spot, bytes) in spots.iter().zip(&again) {
        match spot {
            Spot::Blob { id } => assert_eq!(bytes.as_ref(), seen.blobs.get(id)),
            Spot::Message { id } => assert_eq!(bytes.as_ref(), seen.messages.get(id)),
            _ => unreachable!("only these were asked"),
        }
    }
}

#[test]
fn paths_that_are_no_repository_are_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let seen = sweep(folder.path());
    assert_eq!(seen.gaps.len(), 1);
    assert_eq!(seen.gaps[0].kind, GapKind::Missing);
}
