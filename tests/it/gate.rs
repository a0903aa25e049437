//! The gate at release: a change that brings in what the register does not answer for is stopped.

use crate::world::{World, has_git, secret};

const NOW: &str = "2026-06-01T00:00:00Z";

/// A repository with one harmless commit, a register with this row, and the estate's key.
fn world(row: &str) -> World {
    let world = World::new();
    world.write("app/readme.md", "harmless\n");
    world.commit_all("app", "2026-05-01T00:00:00Z", "first");
    world.write(
        "keymuster.toml",
        "estate = \"gate\"\n[state]\ndir = \"state\"\n[[inventory]]\nfile = \"inventory.csv\"\n",
    );
    world.write(
        "inventory.csv",
        format!("record_id,repo_path,credential_type,name,system,owner,purpose,approver,approved_at,scope,expires_at,revocation_path,recovery_procedure\n{row}\n"),
    );
    assert_eq!(world.run(&["key", "new"]).code, 0);
    world
}

const OTHER: &str = "R-9,app:other.py,personal_access_token,other,app,ada,x,boss,2026-05-01,repo,2026-08-01,runbook 1,runbook 2";

fn gate(world: &World, more: &[&str]) -> (i32, String, String) {
    let args = [&["gate", "--repository", "app", "--now", NOW][..], more].concat();
    let ran = world.run(&args);
    (ran.code, ran.stdout, ran.stderr)
}

#[test]
fn a_new_credential_without_record_fails_and_says_what_to_add() {
    if !has_git() {
        return;
    }
    let world = world(OTHER);
    let (code, stdout, stderr) = gate(&world, &[]);
    assert_eq!(code, 0, "nothing is staged: {stdout}{stderr}");
    world.write(
        "app/deploy.py",
        format!("T = \"{}\"\n", secret("{github-token:ghp_}", 3)),
    );
    world.git("app", &["add", "deploy.py"]);
    let (code, stdout, stderr) = gate(&world, &[]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    for part in [
        "INV-01",
        "OWN-01",
        "EXP-01",
        "add to inventory.csv:",
        "deploy.py:1",
        "KM-",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    assert!(
        !stdout.contains("R-9"),
        "the rest of the register is not the change's: {stdout}"
    );
    // The same as a range, and the same ids as the audit's.
    world.commit_all("app", "2026-05-02T00:00:00Z", "second");
    let (code, range, stderr) = gate(&world, &["HEAD~1..HEAD"]);
    assert_eq!(code, 1, "{range}{stderr}");
    let id = |text: &str| {
        let at = text.find("KM-").expect("an id");
        text[at..at + 19].to_owned()
    };
    assert_eq!(id(&stdout), id(&range));
    let (code, ..) = gate(&world, &["HEAD..HEAD"]);
    assert_eq!(code, 0);
}

#[test]
fn a_gate_needs_a_register_and_a_change() {
    if !has_git() {
        return;
    }
    let world = world(OTHER);
    let (code, _, stderr) = gate(&world, &["yesterday"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("REV..REV"), "{stderr}");
    let (code, _, stderr) = gate(&world, &["--repository", "home"]);
    assert_eq!(code, 2, "{stderr}");
    world.write(
        "keymuster.toml",
        "estate = \"gate\"\n[state]\ndir = \"state\"\n",
    );
    let (code, _, stderr) = gate(&world, &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("[[inventory]]"), "{stderr}");
}
