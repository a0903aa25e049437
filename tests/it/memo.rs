//! The second night: with the memory of earlier runs a scan writes the bytes it writes without.

use std::fs;

use crate::world::{World, has_git, secret};

const KEY: &str = "5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b";

/// A world with a key, and a history with three secrets in it.
fn world() -> World {
    let world = World::new();
    world.write("state/seal.key", KEY);
    for version in 0..8u64 {
        let lines: String = (0..200).map(|line| format!("line {line}\n")).collect();
        let token = secret("{github-token:ghp_}", version / 3);
        world.write(
            "app/src/main.py",
            format!("{lines}token = '{token}'\nversion = {version}\n"),
        );
        world.write(
            "app/.pgpass",
            format!("db.example.com:5432:app:app:{}\n", secret("{alnum:20}", 40)),
        );
        world.commit_all(
            "app",
            &format!("2024-03-0{}T12:00:00Z", version + 1),
            "more",
        );
    }
    world
}

/// Scans with the memory and without, and holds the results against each other.
#[track_caller]
fn agrees(world: &World, note: &str) {
    for more in [&[][..], &["--every-version"]] {
        let scan = |memo: &[&str]| {
            let base = ["scan", "app", "--format", "jsonl", "--state", "state"];
            world.run(&[&base[..], more, memo].concat())
        };
        let cold = scan(&["--no-memo"]);
        assert!(cold.stdout.len() > 1000, "{}", cold.stderr);
        for _ in 0..2 {
            let warm = scan(&[]);
            assert_eq!(warm.stdout, cold.stdout, "{note}");
            assert_eq!(warm.code, cold.code, "{note}");
            assert_eq!(warm.stderr, cold.stderr, "{note}");
        }
    }
}

#[test]
fn cold_and_warm_scans_write_the_same_bytes() {
    if !has_git() {
        return;
    }
    let world = world();
    agrees(&world, "first");
    world.git("app", &["repack", "-q", "-adf"]);
    agrees(&world, "repacked");
    world.write(
        "app/new.env",
        format!("KEY={}\n", secret("{github-token:ghp_}", 77)),
    );
    world.commit_all("app", "2024-04-01T12:00:00Z", "a new secret");
    agrees(&world, "a new commit");
    world.git("app", &["checkout", "-q", "-b", "side"]);
    agrees(&world, "a branch, nothing else");
    world.write("app/new.env", "KEY=\n");
    world.commit_all("app", "2024-04-02T12:00:00Z", "removed");
    agrees(&world, "removed at the tip");
    world.git("app", &["checkout", "-q", "main"]);
    world.git("app", &["branch", "-q", "-D", "side"]);
    world.git("app", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("app", &["gc", "-q", "--prune=now"]);
    agrees(&world, "collected");
    // Another key, and other rules: nothing of before is told.
    world.write("state/seal.key", KEY.replace('5', "6"));
    agrees(&world, "another key");
}

#[test]
fn a_memory_that_cannot_be_used_is_put_aside_and_said() {
    if !has_git() {
        return;
    }
    let world = world();
    let scan = || world.run(&["scan", "app", "--format", "jsonl", "--state", "state"]);
    let first = scan();
    assert!(world.path("state/memo.sqlite").exists());
    world.write(
        "state/memo.sqlite",
        "no database, but long enough to be taken for one",
    );
    let second = scan();
    assert_eq!(second.stdout, first.stdout);
    assert!(
        second.stderr.contains("memo.sqlite.bad"),
        "{}",
        second.stderr
    );
    // Damage in the middle, where the pieces are.
    let mut bytes = fs::read(world.path("state/memo.sqlite")).expect("made anew");
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..] {
        *byte ^= 0x55;
    }
    fs::write(world.path("state/memo.sqlite"), bytes).expect("is written");
    let third = scan();
    assert_eq!(third.stdout, first.stdout);
    assert!(
        third.stderr.contains("memory of earlier runs"),
        "{}",
        third.stderr
    );
    assert_eq!(scan().stdout, first.stdout);
}

#[test]
fn without_a_key_nothing_is_left() {
    let world = World::new();
    world.write("app/a.txt", "nothing");
    world.run(&["scan", "app", "--state", "state"]);
    assert!(!world.path("state/memo.sqlite").exists());
}
