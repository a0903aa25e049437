//! Names in workflows of cloned repositories, held against the slots that the host lists: those
//! of environments, repositories and the organisation, inherited or not.

use std::collections::BTreeSet;

use keymuster_simulator::{Route, Running};
use serde_json::{Value, json};

use super::{Estate, TOKEN, world};
use crate::{
    hosts::{audit, by_key, found, record},
    world::World,
};

const DEPLOY: &str = "on: push
jobs:
  ship:
    runs-on: ubuntu-latest
    environment: production
    steps:
      - run: ./ship
        env:
          KEY: ${{ secrets.DEPLOY }}
          OF_ORG: ${{ secrets.SOME }}
          GONE: ${{ secrets.GONE }}
  call:
    uses: acme/shared/.github/workflows/reuse.yml@main
    secrets: inherit
";
const REUSE: &str = "on:
  workflow_call:
    secrets:
      INHERITED:
        required: true
jobs:
  inner:
    runs-on: ubuntu-latest
    steps:
      - run: ./inner
        env:
          TOKEN: ${{ secrets.INHERITED }}
";
const OTHER: &str = "on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: ./build
        env:
          OF_ORG: ${{ secrets.SOME }}
          OF_ALL: ${{ secrets.ALL }}
";

#[test]
fn phantoms_orphans_and_inherited_secrets_are_told_of_cloned_repositories() {
    let seeds = World::new();
    seeds.write("work/web/.github/workflows/deploy.yml", DEPLOY);
    seeds.write("work/shared/.github/workflows/reuse.yml", REUSE);
    seeds.write("work/api/.github/workflows/ci.yml", OTHER);
    seeds.write("work/web/.github/CODEOWNERS", "* @acme/web\n");
    let repositories = ["web", "shared", "api"];
    for repo in repositories {
        let work = format!("work/{repo}");
        seeds.commit_all(&work, "2026-01-01T00:00:00Z", "one");
        let bare = seeds.path(&format!("srv/acme/{repo}.git"));
        let bare = bare.to_str().expect("a path");
        seeds.git(&work, &["clone", "--quiet", "--bare", ".", bare]);
    }
    let mut estate = Estate::new(TOKEN);
    let mut set = |path: String, member, items: Vec<Value>| {
        estate.host.routes.insert(path, Route::List(member, items));
    };
    let secret = |name: &str| json!({"name": name, "created_at": "2026-11-07T00:00:00Z", "updated_at": "2026-11-07T00:00:00Z"});
    let of_org = |name: &str, visibility: &str| {
        let mut of = secret(name);
        of["visibility"] = json!(visibility);
        of
    };
    let listed = repositories
        .map(|name| json!({"name": name, "full_name": format!("acme/{name}"), "private": true}));
    set("/orgs/acme/repos".to_owned(), None, listed.to_vec());
    set(
        "/orgs/acme/actions/secrets".to_owned(),
        Some("secrets"),
        vec![
            of_org("SOME", "selected"),
            of_org("ALL", "private"),
            of_org("NOBODY", "private"),
        ],
    );
    let selected = vec![json!({"full_name": "acme/web"})];
    set(
        "/orgs/acme/actions/secrets/SOME/repositories".to_owned(),
        Some("repositories"),
        selected,
    );
    for repo in repositories {
        for (path, member) in [
            ("actions/secrets", Some("secrets")),
            ("actions/variables", Some("variables")),
            ("dependabot/secrets", Some("secrets")),
            ("codespaces/secrets", Some("secrets")),
            ("agents/secrets", Some("secrets")),
            ("agents/variables", Some("variables")),
            ("environments", Some("environments")),
            ("hooks", None),
            ("teams", None),
            ("keys", None),
        ] {
            set(format!("/repos/acme/{repo}/{path}"), member, vec![]);
        }
    }
    let own = ["DEPLOY", "INHERITED", "UNUSED"].map(secret);
    set(
        "/repos/acme/web/actions/secrets".to_owned(),
        Some("secrets"),
        own.to_vec(),
    );
    let open =
        json!({"name": "production", "protection_rules": [], "deployment_branch_policy": null});
    set(
        "/repos/acme/web/environments".to_owned(),
        Some("environments"),
        vec![open],
    );
    let at = "/repos/acme/web/environments/production";
    set(
        format!("{at}/secrets"),
        Some("secrets"),
        vec![secret("DEPLOY")],
    );
    set(format!("{at}/variables"), Some("variables"), vec![]);
    estate.host.bulk.clear();
    estate.host.git = Some(seeds.path("srv"));
    let running = Running::start(estate.host);
    let more = "clone = true\nleave-out = [\"actions policy\", \"default token permissions\", \"OIDC subject\"]";
    let world = world(&estate.register, running.address(), more);
    let ran = audit(&world);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let document = record(&world);
    let told = by_key(&document, found(&document, &["EXP-02", "LIF-06"]));
    let here = "127.0.0.1:acme";
    let pair = |check: &str, key: String| (check.to_owned(), key);
    let expected: BTreeSet<(String, String)> = [
        // Nobody has it; the organisation's is not for this repository.
        pair("EXP-02", format!("slot:{here}/web:actions.secret:GONE")),
        pair("EXP-02", format!("slot:{here}/api:actions.secret:SOME")),
        // Every branch gets it.
        pair(
            "EXP-02",
            format!("{here}/web@production:actions.secret:DEPLOY"),
        ),
        // The environment's stands before it; nobody names the others.
        pair("LIF-06", format!("{here}/web:actions.secret:DEPLOY")),
        pair("LIF-06", format!("{here}/web:actions.secret:UNUSED")),
        pair("LIF-06", format!("{here}:actions.secret:NOBODY")),
    ]
    .into();
    let slots: BTreeSet<_> = told
        .into_iter()
        .filter(|(_, key)| key.contains("actions.secret"))
        .collect();
    assert_eq!(slots, expected);
    let credentials = document["credentials"].as_array().expect("credentials");
    for (slot, job) in [
        (
            "acme/web@production:actions.secret:DEPLOY",
            "acme/web:.github/workflows/deploy.yml#ship",
        ),
        (
            "acme:actions.secret:SOME",
            "acme/web:.github/workflows/deploy.yml#ship",
        ),
        (
            "acme:actions.secret:ALL",
            "acme/api:.github/workflows/ci.yml#build",
        ),
        (
            "acme/web:actions.secret:INHERITED",
            "acme/web:.github/workflows/deploy.yml#call/inner",
        ),
    ] {
        let slot = format!("127.0.0.1:{slot}");
        let of = credentials
            .iter()
            .find(|one| one.to_string().contains(&slot));
        let of = of.map(ToString::to_string).unwrap_or_default();
        assert!(of.contains(job), "{slot} does not know {job}: {of}");
    }
}
