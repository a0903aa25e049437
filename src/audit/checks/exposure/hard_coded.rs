//! EXP-04: to revoke it, code must be changed in several places.
//!
//! # Why
//! What takes a release in three repositories is not revoked tonight.
//!
//! # How it is decided
//! The files at the tips (and in working trees) that hold the same secret. One copy is EXP-01's
//! matter; two or more are medium; copies in three repositories, or T0, high. Copies that only the
//! history has run nowhere and do not count, nor do tests, doubtful and suppressed ones; a secret
//! that is dead or has expired needs no revocation. Not evaluated where no source was read.
//!
//! # Remedy
//! Read it from a vault when the program runs.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Subject, subject::only_in_history, words,
};

/// The check.
pub(in crate::audit::checks) struct HardCoded;

static ABOUT: CheckAbout = CheckAbout {
    id: "EXP-04",
    slug: "hard-coded",
    title: "Revocation needs code changes",
    why: "What takes a release in three repositories is not revoked tonight.",
    decided: "two or more files at tips hold the same secret",
    remedy: "read it from a vault when the program runs",
    needs: &[Input::Locations],
};

impl Check for HardCoded {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let any_source = cx.has_sources();
        for (ix, credential) in cx.credentials() {
            let subject = Subject::Credential(ix);
            if !any_source {
                out.not_evaluated(&subject, Input::Locations);
                continue;
            }
            let dead = matches!(credential.status, Status::Disabled | Status::Revoked);
            let mut copies: BTreeMap<(&str, &str), String> = BTreeMap::new();
            for sighting in cx.leaks(credential).filter(|one| !only_in_history(one)) {
                let repository = cx.estate.resource_of(sighting).name.as_str();
                copies
                    .entry((repository, sighting.path.as_str()))
                    .or_insert_with(|| cx.place(sighting));
            }
            if copies.is_empty() || dead || cx.is_spent(credential) {
                continue;
            }
            if copies.len() < 2 {
                out.pass(&subject);
                continue;
            }
            let repositories: BTreeSet<&str> = copies.keys().map(|(name, _)| *name).collect();
            let severity = match repositories.len() {
                0..=2 => Severity::Medium,
                _ => Severity::High,
            };
            out.fail(subject, severity, |draft| {
                let count = format!("{} in {} repositories", copies.len(), repositories.len());
                draft.evidence("copies", count, "tips and working trees");
                for place in copies.values().take(20) {
                    draft.evidence("copy", place.as_str(), "content");
                }
                let names: Vec<&str> = repositories.iter().copied().collect();
                draft.remedy(format!(
                    "have {} read it from a vault when they run; then {}",
                    names.join(", "),
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Confidence, Severity, Status};

    use crate::{audit::checks::testing::World, inventory::Tier};

    #[test]
    fn true_two_copies_are_medium_three_repositories_high() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", "a.py");
        world.seen(key, "web", "b.py");
        let finding = world.finding("EXP-04");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence[0].value, "2 in 1 repositories");
        world.seen(key, "api", "b.py");
        assert_eq!(world.finding("EXP-04").severity, Severity::Medium);
        world.seen(key, "app", "b.py");
        assert_eq!(world.finding("EXP-04").severity, Severity::High);
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).tier = Some(Tier::T0);
        world.seen(key, "web", "a.py");
        world.seen(key, "web", "b.py");
        assert_eq!(world.finding("EXP-04").severity, Severity::High);
    }

    #[test]
    fn near_miss_one_file_the_rest_history_tests_or_doubt() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", "a.py");
        world.seen(key, "web", "a.py");
        world.seen(key, "web", "tests/b.py");
        world.seen(key, "web", "c.py").confidence = Confidence::Low;
        world.seen(key, "web", "d.py").at_tip = Some(Vec::new());
        world.assert_passes("EXP-04");
        world.seen(key, "web", "e.py");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("EXP-04");
    }

    #[test]
    fn missing_sources() {
        let mut world = World::new();
        world.key("deploy");
        world.assert_lacks("EXP-04", "locations");
    }
}
