//! EXP-01: a secret stands in a source, now or in its history.
//!
//! # Why
//! Everybody who can read the source, or ever could, has it.
//!
//! # How it is decided
//! One finding per credential with all its places. A public identifier alone is no secret.
//! High; critical where a system lists the credential as active; medium where it is only in
//! the history and proven disabled or revoked, and for an encrypted key; low where nothing but
//! doubtful sightings, tests or an expired token speak for it. Where every sighting is
//! suppressed, it is shown as suppressed and does not count. Removing it from the newest
//! version mends nothing: the finding closes when the credential is proven dead.
//!
//! # Remedy
//! Revoke first, then purge.

use std::collections::BTreeSet;

use keymuster_api::{Confidence, Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Draft, Findings, Input, Subject,
        scope::proven_dead,
        subject::{is_test_path, only_in_history},
        words,
    },
    estate::{Credential, Sighting},
};

/// The check.
pub(in crate::audit::checks) struct SecretInSource;

static ABOUT: CheckAbout = CheckAbout {
    id: "EXP-01",
    slug: "secret-in-source",
    title: "Secret in source",
    why: "Everybody who can read the source, or ever could, has it.",
    decided: "the secret itself was found in a tree or a history",
    remedy: "revoke first, then purge",
    needs: &[Input::Locations],
};

/// At most so many places are shown as evidence; all are among the locations.
const SHOWN: usize = 20;

impl Check for SecretInSource {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let any_source = cx.has_sources();
        for (ix, credential) in cx.credentials() {
            let subject = Subject::Credential(ix);
            let secret = || {
                cx.estate
                    .sightings(credential)
                    .filter(|sighting| !sighting.public)
            };
            if secret().next().is_none() {
                if credential.listed && !any_source {
                    out.not_evaluated(&subject, Input::Locations);
                } else if credential.listed {
                    out.pass(&subject);
                }
                continue;
            }
            let counted: Vec<&Sighting> = secret().filter(|s| !cx.is_suppressed(s)).collect();
            if counted.is_empty() {
                let all: Vec<&Sighting> = secret().collect();
                out.fail(subject, Severity::Low, |draft| {
                    draft.suppressed();
                    for sighting in all.iter().take(SHOWN) {
                        let reason = sighting.suppressed.as_ref().map_or("", |s| &s.reason);
                        let by = sighting.suppressed.as_ref().map_or("", |s| &s.by);
                        draft.evidence(
                            "suppressed",
                            format!("{}: {reason}", cx.place(sighting)),
                            by,
                        );
                        draft.location(cx.place(sighting));
                    }
                });
                continue;
            }
            let first = cx.first_exposed(credential).unwrap_or(cx.now);
            out.exposed(cx.text(credential.subject), first);
            let severity = severity(cx, credential, &counted);
            out.fail(subject, severity, |draft| describe(cx, ix, &counted, draft));
        }
    }
}

fn severity(cx: &CheckCx<'_>, credential: &Credential, counted: &[&Sighting]) -> Severity {
    let doubtful = |sighting: &&Sighting| {
        sighting.confidence == Confidence::Low
            || sighting.severity <= Severity::Low
            || is_test_path(&sighting.path)
    };
    let encrypted = |sighting: &&Sighting| {
        let facts = &sighting.details.facts;
        facts
            .iter()
            .any(|(name, value)| name == "encrypted" && value == "true")
    };
    if proves_active(credential) {
        Severity::Critical
    } else if cx.is_spent(credential) || counted.iter().all(doubtful) {
        Severity::Low
    } else if counted.iter().all(encrypted) {
        Severity::Medium
    } else {
        // Proven dead takes one step off, which makes it medium, in the history or at the tip.
        Severity::High
    }
}

fn proves_active(credential: &Credential) -> bool {
    credential.listed && credential.status == Status::Active
}

fn describe(cx: &CheckCx<'_>, ix: u32, counted: &[&Sighting], draft: &mut Draft<'_>) {
    let credential = cx.credential(ix);
    for sighting in counted.iter().take(SHOWN) {
        draft.evidence("found", found(sighting), cx.place(sighting));
    }
    if counted.len() > SHOWN {
        let more = format!("{} more places", counted.len() - SHOWN);
        draft.evidence("found", more, "see the locations");
    }
    let mut brought: BTreeSet<(Option<jiff::Timestamp>, String, &str)> = BTreeSet::new();
    for commit in counted
        .iter()
        .filter_map(|s| s.introduced.as_ref())
        .flatten()
    {
        brought.insert((commit.at, commit.id.to_string(), &commit.author));
    }
    for (at, id, author) in brought.into_iter().take(5) {
        let when = at.map_or_else(String::new, |at| format!(" at {at}"));
        draft.evidence("brought in by", format!("{author}{when}"), id);
    }
    if let Some(secret) = credential.secret {
        draft.evidence("secret id", secret.to_string(), "keyed, not the secret");
    }
    if counted.iter().all(|sighting| only_in_history(sighting)) {
        draft.evidence(
            "only in the history",
            "no tip holds it any more",
            "the histories",
        );
    }
    if credential.listed {
        let status = crate::audit::checks::status_word(credential.status);
        draft.evidence("system's status", status, cx.sources(credential));
    }
    let repositories: BTreeSet<&str> = counted
        .iter()
        .map(|sighting| cx.estate.resource_of(sighting).name.as_str())
        .collect();
    let purge = format!(
        "purge it from {} (its history too: git filter-repo --replace-text)",
        repositories.into_iter().collect::<Vec<_>>().join(", ")
    );
    draft.remedy(if proven_dead(credential) {
        format!(
            "it is {}: {purge}, or accept it as dead",
            crate::audit::checks::status_word(credential.status)
        )
    } else {
        format!(
            "{}; issue a new one into a vault; then {purge}",
            words::revoke(cx, ix)
        )
    });
}

/// What was found, without a byte of it that its kind does not declare public.
fn found(sighting: &Sighting) -> String {
    let preview = &sighting.details.preview;
    let mut text = format!("{} ({} confidence)", sighting.rule, sighting.confidence);
    if !preview.is_empty() {
        text = format!("{text} {preview}");
    }
    if let Some(refs) = sighting.at_tip.as_ref().filter(|refs| !refs.is_empty()) {
        text = format!("{text}, at {}", refs.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keymuster_api::{Confidence, Details, Severity, Status};

    use crate::audit::{
        State,
        checks::testing::{World, suppressed},
    };

    #[test]
    fn true_one_finding_with_all_places() {
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "payments-api", "src/a.py");
        world.seen(secret, "web", "deploy.sh");
        let finding = world.finding("EXP-01");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.locations,
            ["payments-api:src/a.py:3", "web:deploy.sh:3"]
        );
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value.contains("Dora Dev"))
        );
        assert!(
            finding
                .remediation
                .contains("purge it from payments-api, web")
        );
        assert_eq!(world.judge("EXP-01").exposures.len(), 1);
    }

    #[test]
    fn true_active_is_critical_and_dead_is_medium() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "payments-api", "tests/a.py").confidence = Confidence::Low;
        assert_eq!(world.finding("EXP-01").severity, Severity::Critical);
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "payments-api", "src/a.py").at_tip = Some(vec![]);
        world.credential(key).status = Status::Disabled;
        assert_eq!(world.finding("EXP-01").severity, Severity::Medium);
    }

    #[test]
    fn true_doubt_is_low() {
        let mut world = World::new();
        let secret = world.secret("generic.secret");
        world.seen(secret, "a", "src/a.py").confidence = Confidence::Low;
        world.seen(secret, "a", "tests/b.py");
        assert_eq!(world.finding("EXP-01").severity, Severity::Low);
        let mut world = World::new();
        let token = world.secret("jwt");
        world.seen(token, "a", "src/a.py").details = Arc::new(Details {
            facts: vec![("expires".to_owned(), "2026-01-01T00:00:00Z".to_owned())],
            ..Details::default()
        });
        assert_eq!(world.finding("EXP-01").severity, Severity::Low);
    }

    #[test]
    fn near_miss_a_public_id_and_a_suppressed_place() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "docs", "runbook.md").public = true;
        world.assert_passes("EXP-01");
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "a", "README.md").suppressed = suppressed(None);
        let finding = world.finding("EXP-01");
        assert_eq!(finding.state, State::Suppressed);
        assert!(finding.evidence[0].value.contains("documentation example"));
        // Nothing to remember: it was not exposed, says whoever suppressed it.
        assert!(world.judge("EXP-01").exposures.is_empty());
    }

    #[test]
    fn missing_sources() {
        let mut world = World::new();
        world.key("deploy");
        world.assert_lacks("EXP-01", "locations");
    }
}
