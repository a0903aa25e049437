//! Life through the nights: the units and jobs that people copy, run as they stand; evidence, its
//! chain and its replay; tickets; runs that overlap, and runs that are killed.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use serde_json::Value;

use crate::world::{Ran, World, secret};

const DAYS: [&str; 4] = [
    "2026-06-01T02:00:00Z",
    "2026-06-02T02:00:00Z",
    "2026-06-03T02:00:00Z",
    "2026-06-04T02:00:00Z",
];

/// A tree with a leaked token, a register, evidence.
fn company() -> World {
    let world = World::new();
    let token = secret("{github-token:ghp_}", 1);
    world.write("repos/app/deploy.sh", format!("export TOKEN={token}\n"));
    world.write(
        "inventory.csv",
        "Record ID,Name,Owner,Purpose\nR1,old key,ada,backup\n",
    );
    world.write(
        "keymuster.toml",
        "estate = \"acme\"\n[state]\ndir = \"state\"\n[[inventory]]\nfile = \"inventory.csv\"\n[[connector]]\ntype = \"files\"\npaths = [\"repos/*\"]\n[report]\ndir = \"out\"\nformats = [\"json\"]\n[evidence]\ndir = \"evidence\"\nsigning-key = { file = \"evidence.key\" }\n",
    );
    for args in [&["key", "new"][..], &["key", "evidence", "evidence.key"]] {
        let ran = world.run(args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    world
}

fn audit(world: &World, now: &str) -> Ran {
    let ran = world.run(&["audit", "--now", now]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    ran
}

/// The root that a run told.
fn root(ran: &Ran) -> String {
    let line = ran
        .stderr
        .lines()
        .find(|line| line.starts_with("evidence: "));
    let line = line.unwrap_or_else(|| panic!("no root in: {}", ran.stderr));
    line.rsplit(' ').next().expect("a root").to_owned()
}

fn runs(world: &World) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(world.path("evidence"))
        .expect("evidence")
        .map(|entry| entry.expect("entry").path())
        .collect();
    all.sort();
    all
}

#[test]
fn evidence_is_verified_and_replayed() {
    let world = company();
    let first = audit(&world, DAYS[0]);
    assert!(!first.stdout.contains("since "), "{}", first.stdout);
    let second = audit(&world, DAYS[1]);
    let newest = root(&second);
    let verify = |more: &[&str]| {
        world.run(&[&["verify", "evidence", "--key", "evidence.key.pub"], more].concat())
    };
    let ran = verify(&["--root", &newest]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("2 runs"), "{}", ran.stdout);
    for run in runs(&world) {
        let run = run.to_str().expect("UTF-8").to_owned();
        // With the estate's key, and from another place without it.
        let ran = world.run(&["replay", &run]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("made with the estate's key"),
            "{}",
            ran.stdout
        );
        let elsewhere = World::new();
        let ran = elsewhere.run(&["replay", &run]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("taken from the evidence"),
            "{}",
            ran.stdout
        );
    }
    // The newest run is dropped: only the root tells.
    let last = runs(&world).pop().expect("a run");
    fs::rename(&last, world.path("kept")).expect("moved");
    assert_eq!(verify(&[]).code, 0);
    assert_eq!(verify(&["--root", &newest]).code, 1);
    fs::rename(world.path("kept"), &last).expect("moved");
    // One byte.
    let file = last.join("findings.jsonl");
    let text = fs::read_to_string(&file).expect("read");
    let milder = text.replacen("\"score\":", "\"score\":1", 1);
    assert_ne!(milder, text);
    fs::write(&file, milder).expect("written");
    let ran = verify(&[]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("WRONG"), "{}", ran.stdout);
    assert_eq!(
        world.run(&["replay", last.to_str().expect("UTF-8")]).code,
        1
    );
    // No secret, no key.
    let key = world.read("evidence.key");
    let body = key.lines().nth(1).expect("a PEM file").to_owned();
    for (path, bytes) in [
        world.files("evidence"),
        world.files("out"),
        world.files("state"),
    ]
    .concat()
    {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&body), "{}", path.display());
    }
}

#[test]
fn the_evidence_key_is_an_openssl_key() {
    let Ok(version) = Command::new("openssl").arg("version").output() else {
        return;
    };
    if !version.status.success() {
        return;
    }
    let world = company();
    let openssl = |args: &[&str]| {
        let mut command = Command::new("openssl");
        let output = command.args(args).current_dir(world.path(".")).output();
        let output = output.expect("openssl runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let public = openssl(&["pkey", "-in", "evidence.key", "-pubout"]);
    assert_eq!(public, world.read("evidence.key.pub"));
    // A key that OpenSSL made signs too.
    fs::remove_file(world.path("evidence.key")).expect("removed");
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "evidence.key"]);
    audit(&world, DAYS[0]);
    openssl(&[
        "pkey",
        "-in",
        "evidence.key",
        "-pubout",
        "-out",
        "other.pub",
    ]);
    assert_eq!(
        world
            .run(&["verify", "evidence", "--key", "other.pub"])
            .code,
        0
    );
    let ran = world.run(&["verify", "evidence", "--key", "evidence.key.pub"]);
    assert_eq!(ran.code, 1, "another key: {}", ran.stdout);
}

#[test]
fn the_change_comes_first_and_two_records_are_compared() {
    let world = company();
    audit(&world, DAYS[0]);
    fs::copy(world.path("out/findings.json"), world.path("old.json")).expect("copied");
    let token = secret("{github-token:ghp_}", 2);
    world.write("repos/app/more.sh", format!("export TOKEN={token}\n"));
    let ran = audit(&world, DAYS[1]);
    let first = ran.stdout.lines().next().expect("a line");
    assert!(
        first.starts_with("since 20260601T020000Z-") && first.contains("new"),
        "{first}"
    );
    let ran = world.run(&["report", "out/findings.json", "--compare", "old.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("new: "), "{}", ran.stdout);
    let ran = world.run(&[
        "report",
        "old.json",
        "--compare",
        "old.json",
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let value: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(value["appeared"].as_array().map(Vec::len), Some(0));
    // By the ledger's own names, too.
    let runs = world.run(&["report", "--compare", "20260601T020000Z"]);
    assert_eq!(runs.code, 2, "a run that is not there: {}", runs.stdout);
}

#[test]
fn a_period_is_told_from_every_run() {
    let world = company();
    for day in [DAYS[0], DAYS[1], DAYS[3]] {
        audit(&world, day);
    }
    let period =
        |words: &str| world.run(&["report", "--period", words, "--now", "2026-06-04T03:00:00Z"]);
    let ran = period("2026-06-01..2026-06-02");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout
            .contains("2 runs, 2 of them with sealed evidence"),
        "{}",
        ran.stdout
    );
    let ran = period("2026-06-01..2026-06-30");
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("no run for 48 hours"), "{}", ran.stdout);
    assert_eq!(period("2020-01-01..2020-02-01").code, 2);
    assert_eq!(period("soon").code, 2);
}

#[test]
fn tickets_go_around() {
    let world = company();
    audit(&world, DAYS[0]);
    let tickets = |args: &[&str]| {
        let ran = world.run(&[&["tickets"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let plan = tickets(&["plan", "--for", "jira"]);
    assert!(
        plan.contains(" create") && !plan.starts_with("jira, run : 0"),
        "{plan}"
    );
    tickets(&["export", "--for", "jira"]);
    let create = world.read("out/tickets/jira/create-1.csv");
    let rows = csv::Reader::from_reader(create.as_bytes());
    let ids: Vec<String> = rows
        .into_records()
        .map(|row| row.expect("a row")[8].to_owned())
        .collect();
    assert!(!ids.is_empty());
    // Nothing is created a second time before the keys are known.
    let plan = tickets(&["plan", "--for", "jira"]);
    assert!(plan.contains("0 create") && plan.contains("wait"), "{plan}");
    let mut export = String::from("Issue key,Status,Labels\n");
    for (number, id) in ids.iter().enumerate() {
        export.push_str(&format!(
            "SEC-{number},In Progress,fid-{}\n",
            id.to_lowercase()
        ));
    }
    world.write("jira.csv", export);
    let said = tickets(&["learn", "jira.csv", "--for", "jira"]);
    assert!(
        said.contains(&format!("{} keys learned", ids.len())),
        "{said}"
    );
    fs::remove_file(world.path("repos/app/deploy.sh")).expect("removed");
    world.run(&["audit", "--now", DAYS[1]]);
    let plan = tickets(&["plan", "--for", "jira", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(
        plan["counts"][0],
        serde_json::json!(["create", 0]),
        "{plan}"
    );
    tickets(&["export", "--for", "jira"]);
    assert!(
        !world.path("out/tickets/jira/create-1.csv").exists(),
        "it would be imported twice"
    );
}

/// Whoever comes second is told so, and changes nothing.
#[test]
fn runs_do_not_overlap() {
    let world = company();
    audit(&world, DAYS[0]);
    let lock = fs::File::options()
        .append(true)
        .open(world.path("state/run.lock"))
        .expect("the lock");
    lock.lock().expect("locked");
    let ran = world.run(&["audit", "--now", DAYS[1]]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("another run holds"), "{}", ran.stderr);
    drop(lock);
    audit(&world, DAYS[1]);
}

/// A run that is killed at any moment leaves what was before, or is whole; the chain goes on.
#[test]
fn a_killed_run_loses_nothing() {
    let world = company();
    let began = Instant::now();
    audit(&world, DAYS[0]);
    let whole = began.elapsed();
    let mut killed = 0;
    for number in 0..20u32 {
        let now = format!("2026-07-{:02}T02:00:00Z", number + 1);
        let mut child = world
            .command(&["audit", "--now", &now, "--quiet"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        // Spread over the run, and closest where it writes: at its end.
        let share = 1.05 - f64::from(number * number) / 420.0;
        std::thread::sleep(whole.mul_f64(share.max(0.05)));
        if child.try_wait().expect("waits").is_none() {
            child.kill().expect("killed");
            killed += 1;
        }
        child.wait().expect("waits");
        let ran = world.run(&["report", "--format", "json"]);
        assert_eq!(ran.code, 0, "the ledger is usable: {}", ran.stderr);
    }
    assert!(killed >= 5, "only {killed} runs were killed");
    let last = audit(&world, "2026-08-01T02:00:00Z");
    let ran = world.run(&[
        "verify",
        "evidence",
        "--key",
        "evidence.key.pub",
        "--root",
        &root(&last),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    // Every run that the ledger knows has its evidence, and every evidence its run.
    let ran = world.run(&[
        "report",
        "--period",
        "2026-06-01..2026-08-01",
        "--format",
        "json",
        "--now",
        "2026-08-02T00:00:00Z",
    ]);
    let period: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(period["runs"], period["sealed"]);
    assert_eq!(period["runs"].as_u64(), Some(runs(&world).len() as u64));
    let document: Value = serde_json::from_str(&world.read("out/findings.json")).expect("JSON");
    let first_seen = &document["findings"][0]["first_seen"];
    assert_eq!(first_seen, DAYS[0], "a finding keeps its first day");
}

#[test]
fn state_and_key_are_backed_up_and_restored() {
    let world = company();
    audit(&world, DAYS[0]);
    let ran = world.run(&["key", "backup", "backup"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        world.run(&["key", "backup", "backup"]).code,
        2,
        "nothing is overwritten"
    );
    audit(&world, DAYS[1]);
    fs::remove_dir_all(world.path("state")).expect("the disk is lost");
    assert_eq!(world.run(&["audit"]).code, 2, "no key, no audit");
    let ran = world.run(&["key", "restore", "backup"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        world.run(&["key", "restore", "backup"]).code,
        2,
        "nothing is overwritten"
    );
    let ran = world.run(&["report", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(document["run"]["now"], DAYS[0]);
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/nightly")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The command lines of the units and jobs, as they stand, in a world where their folders are.
#[test]
fn units_and_jobs_run_as_they_stand() {
    let line = |name: &str, head: &str| {
        let text = fixture(name);
        let line = text
            .lines()
            .map(str::trim)
            .find_map(|line| line.strip_prefix(head));
        line.unwrap_or_else(|| panic!("{name} has no {head}"))
            .to_owned()
    };
    let yaml = line("kubernetes-cronjob.yaml", "command: ");
    let words: Vec<String> = serde_json::from_str(&yaml).expect("a list of words");
    let crontab = fixture("crontab");
    let cron = crontab
        .lines()
        .find(|line| line.starts_with("17 2"))
        .expect("a line");
    let job = |name: &str, head: &str| {
        let text = fixture(name);
        let lines = text.lines().map(str::trim);
        let mut lines = lines.filter_map(|line| line.strip_prefix(head));
        let line = lines.find(|line| line.starts_with("keymuster audit"));
        line.unwrap_or_else(|| panic!("{name} runs no audit"))
            .to_owned()
    };
    let lines = [
        (line("keymuster.service", "ExecStart="), 1),
        (cron.splitn(6, ' ').nth(5).expect("a command").to_owned(), 0),
        (words[2].clone(), 0),
        (job("github-action.yml", "run: "), 0),
        (job("gitlab-ci.yml", "- "), 0),
    ];
    for (line, code) in lines {
        let world = company();
        let here = world.path("").display().to_string();
        let here = here.trim_end_matches('/');
        fs::create_dir(world.path("reports")).expect("folder");
        let program = env!("CARGO_BIN_EXE_keymuster");
        let script = line
            .replace("/usr/local/bin/keymuster", program)
            .replace("/etc/keymuster", here)
            .replace("/var/lib/keymuster/state", &format!("{here}/state"))
            .replace("/var/lib/keymuster/reports", &format!("{here}/reports"))
            .replace("/var/lib/keymuster", &format!("{here}/state"));
        let folder = PathBuf::from(program);
        let folder = folder.parent().expect("a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(world.path(""))
            .env_clear()
            .env("HOME", world.path("home"))
            .env("PATH", format!("{folder}:{path}"))
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.is_empty(), "{line} is quiet: {said}");
        assert_eq!(runs(&world).len(), 1, "{line}");
    }
}

/// As far as the tools are here, they read the units and manifests.
#[test]
fn units_and_manifests_are_well_formed() {
    let manifest = fixture("kubernetes-cronjob.yaml");
    for word in [
        "concurrencyPolicy: Forbid",
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
    ] {
        assert!(manifest.contains(word), "{word}");
    }
    let container = fixture("Containerfile");
    for word in [
        "USER 65532",
        "cargo build --locked",
        "ENTRYPOINT [\"keymuster\"]",
    ] {
        assert!(container.contains(word), "{word}");
    }
    let service = fixture("keymuster.service");
    assert!(service.contains("SuccessExitStatus=1 3"));
    let calendar = fixture("keymuster.timer");
    let calendar = calendar
        .lines()
        .find_map(|line| line.strip_prefix("OnCalendar="));
    let calendar = calendar.expect("a calendar");
    let mut analyze = Command::new("systemd-analyze");
    if let Ok(output) = analyze.args(["calendar", calendar]).output() {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}
