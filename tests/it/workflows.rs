//! Pipelines and manifests, from files on disk to the answer of what breaks.

use serde_json::Value;

use crate::world::{World, has_git, secret};

const CONFIG: &str =
    "estate = \"shop\"\n[state]\ndir = \"state\"\n[report]\ndir = \"out\"\nformats = [\"json\"]\n";

/// A shop whose token stands in a file that a service reads, in a pipeline and in a manifest,
/// from which a workload takes it.
fn shop(world: &World, folder: &str) -> String {
    let token = secret("{github-token:ghp_}", 11);
    for (path, text) in [
        ("app.env", format!("GITHUB_TOKEN={token}\n")),
        (
            "compose.yml",
            "services:\n  api: {image: x, env_file: [app.env]}\n  other: {image: x}\n".to_owned(),
        ),
        (
            ".github/workflows/ci.yml",
            format!(
                "on: push\njobs:\n  test:\n    environment: staging\n    env: {{TOKEN: {token}}}\n    steps: []\n  lint:\n    steps: []\n"
            ),
        ),
        (
            "k8s.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: gh}}\nstringData: {{token: {token}}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: bot}}\nspec: {{envFrom: [{{secretRef: {{name: gh}}}}]}}\n"
            ),
        ),
        (".github/CODEOWNERS", "* @acme/shop\n".to_owned()),
    ] {
        world.write(&format!("{folder}/{path}"), text);
    }
    token
}

fn audited(world: &World, connectors: &str) -> Value {
    world.write("keymuster.toml", format!("{CONFIG}{connectors}"));
    if !world.path("state").exists() {
        assert_eq!(world.run(&["key", "new"]).code, 0);
    }
    let ran = world.run(&["audit", "--now", "2026-06-01T02:00:00Z"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    serde_json::from_str(&world.read("out/findings.json")).expect("JSON")
}

fn breaking(document: &Value) -> Vec<(String, String)> {
    let credentials = document["credentials"].as_array().expect("credentials");
    let used = credentials
        .iter()
        .flat_map(|one| one["used_by"].as_array().expect("uses"));
    let text = |one: &Value| one.as_str().unwrap_or("").to_owned();
    used.filter(|one| !one["kind"].is_null())
        .map(|one| (text(&one["by"]), text(&one["how"])))
        .collect()
}

#[test]
fn what_breaks_is_told_for_what_lies_in_files() {
    if !cfg!(feature = "workflows") {
        return;
    }
    let world = World::new();
    shop(&world, "shop");
    let document = audited(
        &world,
        "[[connector]]\ntype = \"files\"\npaths = [\"shop\"]\n[[connector]]\ntype = \"workflows\"\nhome = \"github.com/acme\"\n",
    );
    let pair = |by: &str, how: &str| (format!("github:acme/shop:{by}"), how.to_owned());
    assert_eq!(
        breaking(&document),
        [
            pair(".github/workflows/ci.yml#test", "as a literal"),
            pair("compose.yml#api", "reads the file it stands in"),
            pair("k8s.yaml#Deployment/bot", "takes it from the secret gh"),
        ]
    );
    let findings = document["findings"].as_array().expect("findings");
    let exposed = findings.iter().find(|one| one["check"] == "EXP-01");
    let exposed = exposed.expect("the token stands in a source");
    assert_eq!(exposed["consumers"], 3);
    let answer = world.run(&["answer", exposed["finding_id"].as_str().expect("id")]);
    for part in [
        "what breaks without it",
        "1 job, 2 services",
        "environments staging",
        "tell @acme/shop",
        "compose.yml#api",
    ] {
        assert!(answer.stdout.contains(part), "{part}: {}", answer.stdout);
    }
}

/// A bare repository has no files but those of its HEAD.
#[test]
fn a_bare_repository_is_read_at_its_head() {
    if !has_git() || !cfg!(feature = "workflows") || !cfg!(feature = "git") {
        return;
    }
    let world = World::new();
    shop(&world, "shop");
    world.commit_all("shop", "2026-01-01T00:00:00Z", "all");
    world.git(
        ".",
        &["clone", "--quiet", "--bare", "shop", "bare/shop.git"],
    );
    let connectors = |paths: &str| {
        format!(
            "[[connector]]\ntype = \"git\"\npaths = [\"{paths}\"]\n[[connector]]\ntype = \"workflows\"\nhome = \"github.com/acme\"\n"
        )
    };
    let bare = breaking(&audited(&world, &connectors("bare/*")));
    let checked_out = breaking(&audited(&world, &connectors("shop")));
    assert_eq!(bare.len(), 3, "{bare:?}");
    assert_eq!(bare.len(), checked_out.len());
}
