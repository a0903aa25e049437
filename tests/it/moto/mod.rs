//! An account in a real moto server, exported with the real `aws iam` commands, audited against
//! a register with twelve planted defects. Each has a twin that differs in the one fact that
//! decides. All twelve must be found, and nothing else.
//!
//! `company.rs` tells who is planted and why; `parts.rs` starts, fills and exports the server.

mod company;
mod parts;

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::Value;

use self::{
    company::Calendar,
    parts::{Exported, export, with_account},
};
use crate::world::World;

/// Made once for all tests here: it takes some seconds.
static EXPORTED: LazyLock<Exported> = LazyLock::new(|| export(&company::plan()));

const CONFIG: &str = r#"
estate = "moto"
[state]
dir = "state"
[[inventory]]
name = "register"
file = "inventory.csv"
[[people]]
file = "people.csv"
[policy]
preset = "cis"
[[connector]]
type = "aws-iam"
exports = ["aws/*"]
[report]
dir = "out"
formats = ["json"]
"#;

/// A check, and what it speaks of.
type Pairs = BTreeSet<(String, String)>;

/// One audit: what it found, and how it ended.
struct Audit {
    code: i32,
    found: Pairs,
    document: Value,
}

/// What some rows are besides what they are planted for, rightly: a record that is only requested
/// while its key works, two keys of one use that never became one, an owner that nobody knows, a
/// revocation that nothing proves.
const ALSO: &[(&str, &str)] = &[
    ("GOV-04", "REG-inv-03"),
    ("GOV-04", "REG-inv-03-twin"),
    ("INV-05", "inv-01-twin/1"),
    ("INV-05", "own-01/1"),
    ("INV-05", "own-01-twin/1"),
    ("LIF-04", "inv-04-twin/1"),
    ("LIF-04", "used/1"),
    ("OWN-05", "REG-inv-06"),
    ("OWN-05", "REG-inv-06-twin"),
];

/// Writes the company's files, the exports that `take` lets through, and audits.
fn audit(world: &World, config: &str, forgets: &[&str], take: impl Fn(&str) -> bool) -> Audit {
    for (file, bytes) in EXPORTED.files.iter().filter(|(file, _)| take(file)) {
        world.write(&format!("aws/{file}"), bytes);
    }
    world.write("inventory.csv", company::register(&EXPORTED, forgets));
    world.write("people.csv", company::people(&EXPORTED));
    world.write("keymuster.toml", config);
    let now = Calendar::of(&EXPORTED).now.to_string();
    let ran = world.run(&["audit", "--now", &now, "--ephemeral", "--quiet"]);
    assert!(
        [0, 1, 3].contains(&ran.code),
        "no audit: {} {}",
        ran.code,
        ran.stderr
    );
    let document: Value = serde_json::from_str(&world.read("out/findings.json")).expect("JSON");
    let findings = document["findings"].as_array().expect("findings");
    let found = findings
        .iter()
        .map(|finding| {
            let text = |member: &str| finding[member].as_str().unwrap_or_default();
            (text("check").to_owned(), named(text("subject")))
        })
        .filter(|(check, subject)| !ALSO.contains(&(&**check, &**subject)))
        .collect();
    Audit {
        code: ran.code,
        found,
        document,
    }
}

/// A subject as `company.rs` calls it: keys by their user and number (also where nobody listed
/// their ids), records by their id.
fn named(subject: &str) -> String {
    let key = EXPORTED
        .keys
        .iter()
        .find(|(_, key)| subject.contains(&key.id));
    let slot = subject
        .strip_prefix("aws:access-key-slot:")
        .and_then(|slot| slot.rsplit_once('/'));
    match (key, slot) {
        (Some((name, _)), _) => name.clone(),
        (None, Some((_, slot))) => slot.replace('#', "/"),
        (None, None) => subject.trim_start_matches("record:register:").to_owned(),
    }
}

fn pairs<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Pairs {
    all.into_iter()
        .map(|(check, subject)| (check.to_owned(), subject.to_owned()))
        .collect()
}

/// The twelve.
fn twelve() -> Pairs {
    let planted = company::planted();
    let pairs = pairs(planted.iter().map(|one| (one.check, &*one.subject)));
    assert_eq!(pairs.len(), 12);
    pairs
}

/// Says what is missing and what is too much, with the findings that are.
fn assert_found(audit: &Audit, expected: &Pairs) {
    let missing: Vec<_> = expected.difference(&audit.found).collect();
    let more: Vec<_> = audit.found.difference(expected).collect();
    let findings = audit.document["findings"].as_array().expect("findings");
    let told: Vec<String> = findings
        .iter()
        .filter(|finding| {
            let check = finding["check"].as_str().unwrap_or_default();
            let subject = named(finding["subject"].as_str().unwrap_or_default());
            more.iter().any(|(c, s)| c == check && *s == subject)
        })
        .map(|finding| format!("{finding:#}"))
        .collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "not found: {missing:?}\nfound and not planted: {more:?}\n{}",
        told.join("\n")
    );
}

#[test]
fn twelve_planted_defects_are_found_and_their_twins_are_not() {
    let audit = audit(&World::new(), CONFIG, &[], |_| true);
    assert_found(&audit, &twelve());
    assert_eq!(audit.code, 1);
    for coverage in audit.document["coverage"].as_array().expect("coverage") {
        assert_eq!(coverage["complete"], true, "{coverage}");
    }
    // Silent is not unseen: every key of the account was judged.
    let credentials = audit.document["credentials"].to_string();
    for (name, key) in &EXPORTED.keys {
        assert!(credentials.contains(&key.id), "{name} was not seen");
    }
}

/// Whoever forgets a command is told, and nothing that was not looked at is called gone. The
/// exit code is that of gaps when findings do not count.
#[test]
fn half_an_export_is_told_and_calls_nothing_gone() {
    let config = CONFIG.replace("preset =", "fail-on = \"never\"\npreset =");
    let of_keys = |file: &str| file.starts_with("access-keys-") || file.starts_with("last-used-");
    /// Which of the exported files are kept.
    type Kept<'a> = &'a dyn Fn(&str) -> bool;
    let cases: [(&str, Kept<'_>); 5] = [
        ("no list of access keys", &|file| {
            !file.starts_with("access-keys-")
        }),
        ("neither lists nor last use", &|file| !of_keys(file)),
        ("one user's list missing", &|file| {
            file != "access-keys-inv-04-twin.json"
        }),
        ("no authorization details", &|file| {
            !file.starts_with("authorization")
        }),
        ("authorization details alone", &|file| {
            file.starts_with("authorization")
        }),
    ];
    for (name, take) in cases {
        let audit = audit(&World::new(), &config, &[], take);
        assert_eq!(audit.code, 3, "{name}");
        let of = |check: &str| audit.found.iter().filter(|pair| pair.0 == check).count();
        assert_eq!(of("COV-01"), 1, "{name}: {:?}", audit.found);
        // Half an export shows less, and nothing that is not there.
        let more: Vec<_> = audit
            .found
            .difference(&twelve())
            .filter(|pair| pair.0 != "COV-01")
            .cloned()
            .collect();
        assert_eq!(more, [], "{name}");
    }
    // Without the credential report nothing is missing: the lists say all there is to say.
    let audit = audit(&World::new(), &config, &[], |file| {
        !file.starts_with("credential-report")
    });
    assert_eq!(audit.code, 0);
    assert_found(&audit, &twelve());
}

/// A key that is in use and that the register forgot has no owner and no end either.
#[test]
fn a_forgotten_key_is_told_with_all_that_nobody_answers_for() {
    let audit = audit(&World::new(), CONFIG, &["REG-one-bucket"], |_| true);
    let mut expected = twelve();
    expected.extend(pairs(
        ["INV-01", "LIF-02", "OWN-01"].map(|check| (check, "one-bucket/1")),
    ));
    assert_found(&audit, &expected);
}

/// Read as it is now, an account tells what its exports tell.
#[test]
fn live_is_what_was_exported() {
    with_account(&company::plan(), |server, exported| {
        let now = Calendar::of(&exported).now.to_string();
        let principals = |world: &World, config: &str| {
            world.write("keymuster.toml", config);
            let ran = server.run(
                world,
                &["access", "--format", "jsonl", "--now", &now, "--quiet"],
            );
            let said = String::from_utf8_lossy(&ran.stderr);
            // moto knows no service-specific credentials and no Roles Anywhere.
            assert!(matches!(ran.status.code(), Some(0 | 3)), "{said}");
            String::from_utf8(ran.stdout).expect("JSON Lines")
        };
        let world = World::new();
        for (file, bytes) in &exported.files {
            world.write(&format!("aws/{file}"), bytes);
        }
        let tables = |table: &str| {
            format!("estate = \"moto\"\n[[connector]]\ntype = \"aws-iam\"\n{table}\n")
        };
        let from_files = principals(&world, &tables("exports = [\"aws/*\"]"));
        let live = principals(&World::new(), &tables("profile = \"default\""));
        assert!(from_files.lines().count() > 10);
        assert_eq!(live, from_files);
        let doctor = server.run(&world, &["connectors", "doctor"]);
        let said = String::from_utf8_lossy(&doctor.stdout);
        assert!(doctor.status.success(), "{said}");
        let world = World::new();
        world.write("keymuster.toml", tables("profile = \"default\""));
        let doctor = server.run(&world, &["connectors", "doctor"]);
        let said = String::from_utf8_lossy(&doctor.stdout);
        assert!(
            said.contains("iam:GetAccountAuthorizationDetails"),
            "{said}"
        );
    });
}

/// One key lies with its secret in two repositories, one of which took it out again; of another
/// key only the id is there, which is public.
#[cfg(feature = "git")]
#[test]
fn a_committed_key_meets_its_account() {
    let world = World::new();
    let (committed, mentioned) = (&EXPORTED.keys["committed/1"], &EXPORTED.keys["mentioned/1"]);
    let file = format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        committed.id, committed.secret
    );
    let made = EXPORTED.between.to_string();
    for repository in ["shop", "back-office"] {
        let folder = format!("repositories/{repository}");
        world.write(&format!("{folder}/deploy.env"), &file);
        let readme = format!("The reports are read with the key {}.\n", mentioned.id);
        world.write(&format!("{folder}/README.md"), readme);
        world.commit_all(&folder, &made, "Deploy");
    }
    std::fs::remove_file(world.path("repositories/back-office/deploy.env")).expect("a file");
    world.commit_all("repositories/back-office", &made, "Not here");
    let config = format!("{CONFIG}\n[[connector]]\ntype = \"git\"\npaths = [\"repositories/*\"]\n");
    let audit = audit(&world, &config, &[], |_| true);
    let mut expected = twelve();
    // What is exposed must be changed at once, so 45 days are overdue.
    expected.extend(pairs(
        ["EXP-01", "EXP-03", "ISO-01", "LIF-03"].map(|check| (check, "committed/1")),
    ));
    assert_found(&audit, &expected);
    let text = audit.document.to_string();
    assert!(!text.contains(&committed.secret), "the secret is told");
}
