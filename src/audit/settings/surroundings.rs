//! What stands around a slot: the environment that hands it out, the project whose pipelines get
//! it. A part of EXP-02.

use keymuster_api::{Slot, store};

use crate::audit::{
    CheckCx,
    checks::places::{Stage, stage},
};

/// An environment of production that nothing protects.
pub(in crate::audit) const OPEN: &str = "its environment takes every branch, and nobody reviews";
/// A project that runs what forks propose.
pub(in crate::audit) const FORKS: &str = "given to pipelines of forks, because it is not protected";

/// What is weak about a slot's surroundings, as far as its host tells how they are set up.
pub(in crate::audit) fn weakness(cx: &CheckCx<'_>, slot: &Slot) -> Option<&'static str> {
    match slot.store.as_str() {
        store::ACTIONS_SECRET => {
            let (_, environment) = slot.scope.rsplit_once('@')?;
            let told = |name: &str| cx.estate.setting(&slot.scope, name);
            let is_open =
                told("required-reviewers") == Some("0") && told("branch-policy") == Some("none");
            (is_open && stage(environment) == Some(Stage::Production)).then_some(OPEN)
        }
        store::GITLAB_VARIABLE => {
            let project = slot.scope.split(['@', '#']).next()?;
            let runs = cx.estate.setting(project, "fork-pipelines-in-parent") == Some("true");
            let is_protected = slot.property("protected").any(|value| value == "true");
            (runs && !is_protected).then_some(FORKS)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::audit::checks::testing::World;

    fn environment(settings: &[(&str, &str)]) -> World {
        let mut world = World::new();
        let scope = "github:acme/web@production";
        world.slot_of(scope, "actions.secret", "KEY");
        for (name, value) in settings {
            world.set(scope, name, value);
        }
        world
    }

    #[test]
    fn true_an_environment_that_nothing_protects() {
        let world = environment(&[("required-reviewers", "0"), ("branch-policy", "none")]);
        let finding = world.finding("EXP-02");
        assert_eq!(finding.severity, Severity::High, "it is production's");
        assert!(finding.evidence[0].value.ends_with(super::OPEN));
    }

    #[test]
    fn near_miss_reviewed_or_for_some_branches_or_not_told() {
        for settings in [
            &[("required-reviewers", "1"), ("branch-policy", "none")][..],
            &[("required-reviewers", "0"), ("branch-policy", "protected")],
            &[],
        ] {
            environment(settings).assert_passes("EXP-02");
        }
    }

    #[test]
    fn true_and_near_miss_pipelines_of_forks() {
        let variable = |protected: &str, runs: &str| {
            let mut world = World::new();
            let key = world.key("deploy");
            let slot = world.slot(key, "gitlab:acme/web", "gitlab.variable", "KEY");
            slot.properties = [
                ("masked", "true"),
                ("protected", protected),
                ("environment-scope", "staging"),
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .to_vec();
            world.set("gitlab:acme/web", "fork-pipelines-in-parent", runs);
            world
        };
        let finding = variable("false", "true").finding("EXP-02");
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.evidence[0].value.contains(super::FORKS));
        variable("true", "true").assert_passes("EXP-02");
        assert_eq!(
            variable("false", "false").finding("EXP-02").severity,
            Severity::Medium
        );
    }
}
