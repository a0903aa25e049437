//! GitHub's own examples of its answers (its OpenAPI description) are read whole.

use std::collections::BTreeSet;

use keymuster_api::GapKind;
use keymuster_simulator::{Host, Route};
use serde_json::Value;

use crate::world::{TOKEN, World};

#[test]
fn every_example_of_githubs_description_is_read() {
    let text = include_str!("../../../../fixtures/github/examples.json");
    let described: Value = serde_json::from_str(text).expect("JSON");
    let mut host = Host {
        token: TOKEN.to_owned(),
        ..Host::default()
    };
    for (path, answer) in described["answers"].as_object().expect("answers") {
        let path = path
            .replace("{org}", "acme")
            .replace("{owner}/{repo}", "octocat/Hello-World")
            .replace("{environment_name}", "staging");
        for name in [
            "GH_TOKEN",
            "GIST_ID",
            "MY_ARTIFACTORY_PASSWORD",
            "CREDENTIAL",
        ] {
            host.routes
                .insert(path.replace("{name}", name), Route::One(answer.clone()));
        }
    }
    let world = World::new(host);
    let told = world.sweep(&|spec| spec.leave_out = vec!["repository outlines".to_owned()]);
    let broken: Vec<_> = told
        .gaps
        .iter()
        .filter(|gap| gap.kind != GapKind::Missing)
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let asked = world.host.paths("GET").len();
    assert!(asked >= 35, "only {asked} paths were asked");
    let kinds: BTreeSet<&str> = told
        .credentials
        .iter()
        .map(|one| one.kind.as_str())
        .collect();
    for kind in [
        "github.actions-secret",
        "github.agents-secret",
        "github.app-installation",
        "github.codespaces-secret",
        "github.dependabot-secret",
        "github.deploy-key",
        "github.fine-grained-pat",
        "github.pat",
        "key.ssh",
    ] {
        assert!(kinds.contains(kind), "{kind} is none of {kinds:?}");
    }
    // Every slot and key of the examples has its dates.
    let undated: Vec<&str> = told
        .credentials
        .iter()
        .filter(|one| one.kind.ends_with("-secret") || one.kind == "github.deploy-key")
        .filter(|one| one.created.value().is_none())
        .map(|one| one.key.0.as_str())
        .collect();
    assert_eq!(undated, Vec::<&str>::new());
}
