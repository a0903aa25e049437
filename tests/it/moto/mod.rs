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
    parts::{Exported, export},
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
        .collect();
    Audit {
        code: ran.code,
        found,
        document,
    }
}

/// A subject as `company.rs` calls it: keys by their user and number, records by their id.
fn named(subject: &str) -> String {
    let key = EXPORTED
        .keys
        .iter()
        .find(|(_, key)| subject.contains(&key.id));
    match key {
        Some((name, _)) => name.clone(),
        None => subject.trim_start_matches("record:register:").to_owned(),
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
