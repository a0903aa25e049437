//! ISO-01: one secret, several applications.
//!
//! # Why
//! It cannot be revoked without breaking all of them, and a leak of one is a leak of all.
//!
//! # How it is decided
//! The same secret (by its keyed name) stands in two or more repositories or trees of
//! different names. A clone has its origin's name; a folder inside another scanned folder is
//! no other application. Doubtful and suppressed sightings, tests and public identifiers do
//! not count; a secret that is proven dead or has expired is no reuse any more. High.
//!
//! # Remedy
//! One credential for each application.

use std::collections::BTreeMap;

use keymuster_api::{ResourceKind, Severity, Status};

use crate::{
    audit::{Check, CheckAbout, CheckCx, Findings, Input, Subject, words},
    estate::{Credential, Resource, Sighting},
};

/// The check.
pub(in crate::audit::checks) struct Reused;

static ABOUT: CheckAbout = CheckAbout {
    id: "ISO-01",
    slug: "reused",
    title: "Reused across systems",
    why: "It cannot be revoked without breaking all of them, and a leak of one is a leak of all.",
    decided: "the same secret stands in two or more repositories or trees of different names",
    remedy: "one credential for each application",
    needs: &[Input::Locations],
};

impl Check for Reused {
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
            let applications = applications(cx, credential);
            let dead = matches!(credential.status, Status::Disabled | Status::Revoked);
            if applications.is_empty() || dead || cx.is_spent(credential) {
                continue;
            }
            if applications.len() < 2 {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::High, |draft| {
                for sighting in applications.values() {
                    let name = cx.estate.resource_of(sighting).name.as_str();
                    draft.evidence("application", name, cx.place(sighting));
                }
                if let Some(secret) = credential.secret {
                    draft.evidence("secret id", secret.to_string(), "keyed, not the secret");
                }
                let names: Vec<&str> = applications
                    .values()
                    .map(|sighting| cx.estate.resource_of(sighting).name.as_str())
                    .collect();
                draft.remedy(format!(
                    "issue one credential each for {}; when all have moved, {}",
                    names.join(", "),
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

/// The first sighting in each application, by name.
fn applications<'a>(
    cx: &CheckCx<'a>,
    credential: &'a Credential,
) -> BTreeMap<String, &'a Sighting> {
    let mut found: BTreeMap<String, &Sighting> = BTreeMap::new();
    for sighting in cx.leaks(credential) {
        let resource = cx.estate.resource_of(sighting);
        if matches!(resource.kind, ResourceKind::Repository | ResourceKind::Tree) {
            found
                .entry(resource.name.to_lowercase())
                .or_insert(sighting);
        }
    }
    let all: Vec<&Resource> = found
        .values()
        .map(|sighting| cx.estate.resource_of(sighting))
        .collect();
    found.retain(|_, sighting| {
        let own = cx.estate.resource_of(sighting);
        !all.iter()
            .any(|other| lies_in(&own.location, &other.location))
    });
    found
}

/// Whether a path lies inside another.
fn lies_in(inner: &str, outer: &str) -> bool {
    let outer = outer.trim_end_matches('/');
    !outer.is_empty()
        && inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Confidence, ResourceKind, Severity, Status};

    use crate::audit::checks::testing::{World, suppressed};

    #[test]
    fn true_two_applications() {
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", "a.py");
        world.seen(secret, "payments-api", "b.py");
        let finding = world.finding("ISO-01");
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.remediation.contains("payments-api, web"));
    }

    #[test]
    fn near_miss_one_application_twice() {
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", "a.py");
        world.seen(secret, "web", "b.py");
        world.seen(secret, "Web", "b.py");
        world.seen(secret, "other", "tests/c.py");
        world.seen(secret, "third", "d.py").confidence = Confidence::Low;
        world.seen(secret, "fourth", "e.py").suppressed = suppressed(None);
        world.assert_passes("ISO-01");
    }

    #[test]
    fn near_miss_nested_folders_accounts_and_public_ids() {
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", "a.py");
        world.seen(secret, "web/sub", "a.py");
        world.seen(secret, "account", "policy.json");
        let account = world.repository("account");
        world.estate.gathered.resources[account as usize].kind = ResourceKind::Account;
        world.assert_passes("ISO-01");
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "a", "a.tf").public = true;
        world.seen(key, "b", "b.tf").public = true;
        world.assert_ignores("ISO-01");
    }

    #[test]
    fn near_miss_dead() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "a", "a.py");
        world.seen(key, "b", "b.py");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("ISO-01");
    }

    #[test]
    fn missing_sources() {
        let mut world = World::new();
        world.key("deploy");
        world.assert_lacks("ISO-01", "locations");
    }
}
