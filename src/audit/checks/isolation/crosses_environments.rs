//! ISO-02: production and what comes before it share a credential.
//!
//! # Why
//! Development is open to many; with it, so is production.
//!
//! # How it is decided
//! What says which environment a credential belongs to: its record, its principal's tags, the
//! paths where its secret stands, the slots that hold it. Where one says production and another
//! something before it: high; critical where the record says that it is none of production's, and
//! production holds it and it works. Tests, doubtful and suppressed sightings do not count. Not
//! evaluated where nothing says an environment.
//!
//! # Remedy
//! One credential for each environment.

use keymuster_api::{Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Subject,
    checks::places::{Slots, Stage, stage, stage_of_path},
    words,
};

/// The check.
pub(in crate::audit::checks) struct CrossesEnvironments;

static ABOUT: CheckAbout = CheckAbout {
    id: "ISO-02",
    slug: "crosses-environments",
    title: "Crosses environments",
    why: "Development is open to many; with it, so is production.",
    decided: "record, tags, paths or slots say production in one place and something before it in another",
    remedy: "one credential for each environment",
    needs: &[Input::Inventory, Input::Locations],
};

impl Check for CrossesEnvironments {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let slots = Slots::of(cx);
        for (ix, credential) in cx.credentials() {
            let dead = credential.status == Status::Disabled || cx.is_spent(credential);
            if dead || !cx.is_live(credential) {
                continue;
            }
            let subject = Subject::Credential(ix);
            let mut told: Vec<(Stage, String, String)> = Vec::new();
            let record = cx.record_of(ix);
            let said = record.and_then(|record| stage(record.environment.as_deref()?));
            if let (Some(said), Some(record)) = (said, record) {
                let word = record.environment.clone().unwrap_or_default();
                told.push((
                    said,
                    format!("{word}, says the record"),
                    record.source.to_string(),
                ));
            }
            if let Some(identity) = cx.estate.identity_of(credential) {
                let tag = cx.environment(None, Some(identity));
                let source = cx.text(identity.key).to_owned();
                told.extend(stage(tag).map(|stage| (stage, format!("{tag}, says a tag"), source)));
            }
            for sighting in cx.leaks(credential) {
                let place = cx.place(sighting);
                told.extend(stage_of_path(&sighting.path).map(|s| (s, place, "path".to_owned())));
            }
            for one in cx.estate.usage.of(ix).iter().filter(|one| one.sure) {
                let consumer = &cx.estate.gathered.consumers[one.consumer as usize];
                for word in consumer.environment.iter().flat_map(|all| all.split(", ")) {
                    let place = consumer.key.0.clone();
                    told.extend(stage(word).map(|s| (s, place, one.source.locator.clone())));
                }
            }
            for slot in slots.of_credential(cx, credential) {
                let scope = slot.scope.rsplit_once('@').map_or("", |(_, name)| name);
                let scoped = slot
                    .properties
                    .iter()
                    .find(|(name, _)| name == "environment-scope");
                let word = scoped.map_or(scope, |(_, value)| value);
                told.extend(stage(word).map(|s| (s, slot.key.0.clone(), "slot".to_owned())));
            }
            let in_production = told.iter().any(|(stage, ..)| *stage == Stage::Production);
            let before = told.iter().any(|(stage, ..)| *stage == Stage::Before);
            if told.is_empty() {
                out.not_evaluated(&subject, Input::Locations);
            } else if !(in_production && before) {
                out.pass(&subject);
            } else {
                let works = credential.listed && credential.status == Status::Active;
                let severity = match said {
                    Some(Stage::Before) if works => Severity::Critical,
                    _ => Severity::High,
                };
                out.fail(subject, severity, |draft| {
                    for (stage, what, source) in &told {
                        let label = match stage {
                            Stage::Production => "production",
                            Stage::Before => "before production",
                        };
                        draft.evidence(label, what.as_str(), source.as_str());
                    }
                    draft.remedy(format!(
                        "issue one credential for production and one for the rest; then {}",
                        words::revoke(cx, ix)
                    ));
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use crate::audit::checks::testing::{World, suppressed};

    #[test]
    fn true_two_paths_of_one_secret() {
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", "deploy/prod/app.env");
        world.seen(secret, "web", "deploy/staging/app.env");
        let finding = world.finding("ISO-02");
        assert_eq!(
            (finding.severity, finding.evidence.len()),
            (Severity::High, 2)
        );
    }

    #[test]
    fn true_a_development_key_in_production_is_critical() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.seen(key, "web", "values-prod.yaml");
        assert_eq!(world.finding("ISO-02").severity, Severity::Critical);
        world.inventory.as_mut().expect("given").records[0].environment = Some("prod".to_owned());
        world.assert_passes("ISO-02");
        world.slot(key, "github:acme/web@staging", "actions.secret", "KEY");
        assert_eq!(world.finding("ISO-02").severity, Severity::High);
    }

    #[test]
    fn near_miss_tests_and_suppressed_places() {
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", "deploy/prod/app.env");
        world.seen(secret, "web", "tests/dev/app.env");
        world.seen(secret, "web", "deploy/dev/app.env").suppressed = suppressed(None);
        world.assert_passes("ISO-02");
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.seen(key, "web", "values-prod.yaml");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("ISO-02");
    }

    #[test]
    fn missing_any_environment() {
        let mut world = World::new();
        world.key("deploy");
        world.assert_lacks("ISO-02", "locations");
    }
}
