//! What the audits of code hosts share.

use std::collections::BTreeSet;

use keymuster_simulator::Failing;
use serde_json::Value;

use crate::world::{Ran, World};

/// The point in time of these runs.
const NOW: &str = "2026-11-27T00:00:00Z";

/// A check and the key of what it speaks of.
pub(crate) type Pairs = BTreeSet<(String, String)>;

pub(crate) fn audit(world: &World) -> Ran {
    world.run(&["audit", "--now", NOW, "--quiet", "-vvv"])
}

/// The record of a run without the times it took.
pub(crate) fn record(world: &World) -> Value {
    let mut document: Value = serde_json::from_str(&world.read("out/findings.json")).expect("JSON");
    document["run"]
        .as_object_mut()
        .expect("a run")
        .remove("timings");
    document
        .as_object_mut()
        .expect("an object")
        .remove("timings");
    document
}

pub(crate) fn found(document: &Value, checks: &[&str]) -> Pairs {
    let findings = document["findings"].as_array().expect("findings");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .filter(|finding| checks.contains(&text(finding, "check").as_str()))
        .map(|finding| (text(finding, "check"), text(finding, "subject")))
        .collect()
}

/// Subjects are handles where there is one; the estate's keys are told in the credentials.
pub(crate) fn by_key(document: &Value, pairs: Pairs) -> Pairs {
    let credentials = document["credentials"].as_array().expect("credentials");
    let key_of = |subject: &str| {
        let credential = credentials.iter().find(|one| one["subject"] == subject)?;
        let aliases = credential["aliases"].as_array()?;
        aliases
            .iter()
            .filter_map(Value::as_str)
            .find(|alias| alias.starts_with("127.0.0.1:"))
            .map(str::to_owned)
    };
    let named = pairs.into_iter().map(|(check, subject)| {
        let key = key_of(&subject).unwrap_or(subject);
        (check, key)
    });
    named.collect()
}

/// No value and no token is in any file of the world, nor in what the program said.
pub(crate) fn assert_clean(world: &World, ran: &Ran, secrets: &[String]) {
    let mut texts = vec![
        ("stdout".to_owned(), ran.stdout.clone()),
        ("stderr".to_owned(), ran.stderr.clone()),
    ];
    for folder in ["out", "state", "tape", "home"] {
        for (path, bytes) in world.files(folder) {
            texts.push((
                path.display().to_string(),
                String::from_utf8_lossy(&bytes).into_owned(),
            ));
        }
    }
    for (name, text) in texts {
        for secret in secrets {
            let at = text.find(secret.as_str());
            assert!(at.is_none(), "{name} tells {}", &secret[..6]);
        }
    }
}

pub(crate) fn failing() -> Failing {
    Failing {
        per_mille: 120,
        seed: 11,
        times: 1,
    }
}
