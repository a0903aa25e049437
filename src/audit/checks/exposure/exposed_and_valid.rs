//! EXP-03: exposed, and still valid after the time allowed for revoking it.
//!
//! # Why
//! Leaked credentials are tried within minutes; each further hour is an open door.
//!
//! # How it is decided
//! For exposed secrets that a system lists as active: hours since the first exposure (the
//! earliest commit that brought it in, or the first run that saw it; never before it was made)
//! against the policy. Where nobody says whether it works, or since when it is exposed, it is
//! not evaluated. Critical.
//!
//! # Remedy
//! Revoke it now, then look for use by others.

use keymuster_api::{Known, Severity, Status};

use crate::audit::{Check, CheckAbout, CheckCx, Findings, Input, Subject, words};

/// The check.
pub(in crate::audit::checks) struct ExposedAndValid;

static ABOUT: CheckAbout = CheckAbout {
    id: "EXP-03",
    slug: "exposed-and-valid",
    title: "Exposed and still valid past SLA",
    why: "Leaked credentials are tried within minutes; each further hour is an open door.",
    decided: "a system lists the exposed credential as active, longer after its exposure than the policy allows",
    remedy: "revoke it now, then look for use by others",
    needs: &[Input::Locations, Input::Discovered],
};

impl Check for ExposedAndValid {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let allowed = i64::from(cx.policy.sla.exposed_hours);
        for (ix, credential) in cx.credentials() {
            let place = cx.counted(credential).find(|sighting| !sighting.public);
            let Some(place) = place else {
                continue;
            };
            let subject = Subject::Credential(ix);
            match credential.status {
                Status::Disabled | Status::Revoked => {
                    out.pass(&subject);
                    continue;
                }
                Status::Active if credential.listed => {}
                Status::Active | Status::Unknown => {
                    if cx.is_spent(credential) {
                        out.pass(&subject);
                    } else {
                        out.not_evaluated(&subject, Input::Discovered);
                    }
                    continue;
                }
            }
            let Some(first) = cx.first_exposed(credential) else {
                out.not_evaluated(&subject, Input::History);
                continue;
            };
            let hours = (cx.now.as_second() - first.as_second()).div_euclid(3600);
            if hours <= allowed {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Critical, |draft| {
                draft.evidence("first exposure", first.to_string(), cx.place(place));
                draft.evidence(
                    "valid since then",
                    format!("{hours} h, at most {allowed} h"),
                    format!("policy {}: {}", cx.policy.name, cx.policy.sla.source),
                );
                draft.evidence("system's status", "active", cx.sources(credential));
                match credential.last_used {
                    Known::Known(used) if used > first => {
                        draft.evidence("used since", used.to_string(), cx.sources(credential));
                    }
                    Known::Never => {
                        draft.evidence("used since", "never used", cx.sources(credential))
                    }
                    _ => {}
                }
                draft.over_limit(hours, allowed);
                draft.remedy(format!(
                    "now: {}; then review what it did since {first}",
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::audit::checks::testing::{World, ago};

    #[test]
    fn true_since_the_first_commit() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "payments-api", "src/a.py");
        let finding = world.finding("EXP-03");
        assert_eq!(finding.severity, Severity::Critical);
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value == "240 h, at most 24 h")
        );
        assert!(finding.evidence.iter().any(|e| e.label == "used since"));
    }

    #[test]
    fn true_since_an_earlier_run() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "tree", "a.py").introduced = None;
        world.assert_lacks("EXP-03", "history");
        let subject = world
            .estate
            .text(world.estate.credentials[0].subject)
            .to_owned();
        world.first_exposed.insert(subject, ago(2));
        assert_eq!(world.findings("EXP-03").len(), 1);
    }

    #[test]
    fn near_miss_disabled_new_or_made_yesterday() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "payments-api", "src/a.py");
        world.credential(key).status = Status::Disabled;
        world.assert_passes("EXP-03");
        // The commit claims to be older than the key: author dates are what authors' clocks say.
        world.credential(key).status = Status::Active;
        world.credential(key).created = Known::Known(ago(1));
        world.assert_passes("EXP-03");
        // Its public id alone is no exposure.
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "payments-api", "src/a.py").public = true;
        world.assert_ignores("EXP-03");
    }

    #[test]
    fn missing_proof_of_life() {
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "payments-api", "src/a.py");
        world.assert_lacks("EXP-03", "discovered");
    }
}
