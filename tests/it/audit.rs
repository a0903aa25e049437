//! The whole run, from files on disk.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{World, has_git, secret};

const NOW: &str = "2026-06-01T02:00:00Z";

fn document(world: &World, path: &str) -> Value {
    serde_json::from_str(&world.read(path)).expect("JSON")
}

fn checks(document: &Value) -> BTreeSet<String> {
    document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["check"].as_str().expect("check").to_owned())
        .collect()
}

/// The demo shows every headline class, is silent about the healthy and the switched-off
/// credential, and says the same bytes whatever the number of jobs.
#[test]
fn the_demo_shows_the_point_and_nothing_false() {
    if !has_git() || !cfg!(feature = "aws-iam") {
        return;
    }
    let world = World::new();
    let ran = world.run(&["demo", "company", "--now", NOW]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = document(&world, "company/out/findings.json");
    let found = checks(&document);
    for check in [
        "INV-01", "INV-02", "INV-03", "INV-06", "OWN-01", "OWN-02", "LIF-03", "LIF-06", "PRV-02",
        "EXP-01", "EXP-03", "ISO-01",
    ] {
        assert!(found.contains(check), "{check} is missing");
    }
    assert!(
        !found.contains("COV-01"),
        "everything of the demo can be seen"
    );
    let text = world.read("company/out/findings.json");
    for healthy in ["payments-settlement", "build-cache"] {
        let named = document["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|finding| finding.to_string().contains(healthy))
            .count();
        assert_eq!(named, 0, "{healthy} must be silent");
        assert!(
            text.contains(healthy),
            "{healthy} must be in the population"
        );
    }
    for coverage in document["coverage"].as_array().expect("coverage") {
        assert_eq!(coverage["complete"], true, "{coverage}");
    }

    let again = |jobs: &str, out: &str| {
        let ran = world.run(&[
            "audit",
            "--config",
            "company/keymuster.toml",
            "--now",
            NOW,
            "-j",
            jobs,
            "--out",
            out,
            "--format",
            "json,csv,sarif,markdown",
        ]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let mut document =
            serde_json::from_str::<Value>(&world.read(&format!("{out}/findings.json")))
                .expect("JSON");
        document["timings"] = Value::Null;
        (
            document,
            world.read(&format!("{out}/findings.csv")),
            world.read(&format!("{out}/findings.sarif")),
        )
    };
    let one = again("1", "one");
    let two = again("3", "two");
    assert_eq!(one.0, two.0);
    assert_eq!((one.1, one.2), (two.1, two.2));
}

/// Answer and explain work on what the demo found.
#[test]
fn questions_are_answered_from_the_ledger() {
    if !has_git() || !cfg!(feature = "aws-iam") {
        return;
    }
    let world = World::new();
    world.run(&["demo", "company", "--now", NOW]);
    let document = document(&world, "company/out/findings.json");
    let finding = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["check"] == "INV-01")
        .expect("INV-01");
    let id = finding["finding_id"].as_str().expect("id");
    let config = ["--config", "company/keymuster.toml"];
    let ran = world.run(&[&["answer", id][..], &config].concat());
    assert_eq!(
        ran.code, 1,
        "an unregistered credential leaves the questions open: {}",
        ran.stdout
    );
    assert!(ran.stdout.contains("who approved it"), "{}", ran.stdout);
    assert_eq!(
        world
            .run(&[&["answer", "REG-001"][..], &config].concat())
            .code,
        0
    );
    let ran = world.run(&[&["answer", "nobody"][..], &config].concat());
    assert_eq!(ran.code, 2);
    let ran = world.run(&[&["explain", id][..], &config].concat());
    assert!(
        ran.stdout.contains("INV-01"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}

fn estate(world: &World) {
    world.write("keymuster.toml", "estate = \"ids\"\n[state]\ndir = \"state\"\n[[connector]]\ntype = \"git\"\npaths = [\"repos/*\"]\n[report]\ndir = \"out\"\nformats = [\"json\"]\n");
    assert_eq!(world.run(&["key", "new"]).code, 0);
}

fn exposed(world: &World, day: u32) -> Vec<(String, String)> {
    let now = format!("2026-06-{day:02}T02:00:00Z");
    let ran = world.run(&["audit", "--now", &now, "-q"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let document = document(world, "out/findings.json");
    let findings = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["check"] == "EXP-01");
    findings
        .map(|finding| {
            (
                finding["finding_id"].as_str().expect("id").to_owned(),
                finding["state"].as_str().expect("state").to_owned(),
            )
        })
        .collect()
}

/// A finding's id names the credential: it survives moved lines, renames, rebases, a repack and
/// a fresh clone, and taking the secret out of the tip does not fix it.
#[test]
fn finding_ids_last() {
    if !has_git() {
        return;
    }
    let world = World::new();
    estate(&world);
    let token = secret("{github-token:ghp_}", 21);
    world.write("repos/app/a.py", format!("T = \"{token}\"\n"));
    world.commit_all("repos/app", "2024-01-01T00:00:00Z", "one");
    let first = exposed(&world, 1);
    assert_eq!(first.len(), 1);
    let id = first[0].0.clone();
    assert_eq!(first[0].1, "new");

    world.write("repos/app/a.py", format!("# moved\n\n\nT = \"{token}\"\n"));
    world.commit_all("repos/app", "2024-01-02T00:00:00Z", "moved lines");
    assert_eq!(exposed(&world, 2), [(id.clone(), "open".to_owned())]);

    world.git("repos/app", &["mv", "a.py", "b.py"]);
    world.commit_all("repos/app", "2024-01-03T00:00:00Z", "renamed");
    assert_eq!(exposed(&world, 3), [(id.clone(), "open".to_owned())]);

    world.git(
        "repos/app",
        &["checkout", "--quiet", "--orphan", "rewritten"],
    );
    world.commit_all("repos/app", "2024-01-04T00:00:00Z", "history rewritten");
    world.git("repos/app", &["branch", "-D", "main"]);
    world.git("repos/app", &["reflog", "expire", "--expire=all", "--all"]);
    world.git("repos/app", &["gc", "--quiet", "--prune=now"]);
    assert_eq!(exposed(&world, 4), [(id.clone(), "open".to_owned())]);

    world.git("repos", &["clone", "--quiet", "--no-local", "app", "clone"]);
    std::fs::remove_dir_all(world.path("repos/app")).expect("remove");
    std::fs::rename(world.path("repos/clone"), world.path("repos/app")).expect("rename");
    assert_eq!(exposed(&world, 5), [(id.clone(), "open".to_owned())]);

    std::fs::remove_file(world.path("repos/app/b.py")).expect("remove");
    world.commit_all("repos/app", "2024-01-06T00:00:00Z", "taken out");
    assert_eq!(
        exposed(&world, 6),
        [(id, "open".to_owned())],
        "taken out of the tip is not fixed"
    );
}

/// Without a register, a key or a readable people file there is no audit.
#[test]
fn what_an_audit_stands_on_must_be_sound() {
    let world = World::new();
    world.write("repos/a.txt", "harmless\n");
    let base = "estate = \"e\"\n[state]\ndir = \"state\"\n[[connector]]\ntype = \"files\"\npaths = [\"repos\"]\n";
    let code = |config: &str| {
        world.write("keymuster.toml", config);
        let ran = world.run(&["audit"]);
        (ran.code, ran.stderr)
    };
    let (exit, stderr) = code(base);
    assert_eq!(exit, 2, "no key");
    assert!(stderr.contains("keymuster key new"), "{stderr}");
    world.run(&["key", "new"]);
    assert_eq!(code(base).0, 0);
    let (exit, stderr) = code(&format!("{base}[[inventory]]\nfile = \"missing.csv\"\n"));
    assert_eq!(exit, 2);
    assert!(stderr.contains("missing.csv"), "{stderr}");
    world.write(
        "register.csv",
        "Name,Owner,Expires\na,x,01/02/2026\nb,y,03/04/2026\n",
    );
    let (exit, stderr) = code(&format!("{base}[[inventory]]\nfile = \"register.csv\"\n"));
    assert_eq!(exit, 2, "a date order is never guessed: {stderr}");
    assert!(
        stderr.contains("register.csv") && stderr.contains("date-order"),
        "{stderr}"
    );
    let (exit, stderr) = code("estate = \"e\"\n[polcy]\n");
    assert_eq!(exit, 2);
    assert!(
        stderr.contains("keymuster.toml:2") && stderr.contains("did you mean `policy`?"),
        "{stderr}"
    );
    let (exit, stderr) = code(&base.replace("repos", "nowhere"));
    assert_eq!(exit, 3, "a path that names nothing is a gap: {stderr}");
}

/// Our own reports and state inside a swept tree are not evidence of anything.
#[test]
fn own_files_are_not_swept() {
    let world = World::new();
    let token = secret("{github-token:ghp_}", 30);
    world.write("a.txt", format!("{token}\n"));
    world.write("out/old-report.txt", format!("{token}\n"));
    world.write("keymuster.toml", "estate = \"own\"\n[state]\ndir = \"state\"\n[[connector]]\ntype = \"files\"\npaths = [\".\"]\n[report]\ndir = \"out\"\nformats = [\"json\"]\n");
    world.run(&["key", "new"]);
    assert_eq!(world.run(&["audit"]).code, 1);
    let document = document(&world, "out/findings.json");
    let places = document["credentials"][0]["places"].to_string();
    assert!(
        places.contains("a.txt") && !places.contains("old-report"),
        "{places}"
    );
}
