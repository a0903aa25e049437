//! Hostile and broken files: bounded time and memory, a gap each, and the rest goes on.

use std::{fmt::Write as _, time::Instant};

use super::{Told, one, repository, sweep};

const CI: &str = ".github/workflows/ci.yml";
const GOOD: &str = "on: push\njobs:\n  ok: {steps: [{run: \"${{ secrets.OK }}\"}]}\n";

/// A bad workflow beside a good one: the good one is read, and one gap says what and where.
fn beside(text: &str) -> Told {
    let told = sweep(vec![repository(
        "github.com/acme/app",
        &[(CI, text), (".github/workflows/good.yml", GOOD)],
    )]);
    assert_eq!(told.names("good.yml#ok"), ["actions.secret OK"]);
    assert_eq!(told.gaps.len(), 1, "{:?}", told.gaps);
    assert!(!told.coverage[0].complete);
    told
}

#[test]
fn tabs_and_broken_yaml_are_gaps_with_their_line() {
    let told = beside("on: push\njobs:\n\tx:\n\t\tsteps: []\n");
    assert!(
        told.gaps[0].subject.ends_with("ci.yml:3"),
        "{:?}",
        told.gaps[0]
    );
    beside("jobs: {a: [}\n");
    beside("jobs: *nothing\n");
    beside("a: &a [*a]\n");
}

#[test]
fn a_key_that_stands_twice_is_told_and_nothing_is_lost() {
    let told = beside(
        "on: push
jobs:
  a: {steps: [{run: \"${{ secrets.A }}\"}]}
  a: {steps: [{run: \"${{ secrets.B }}\"}]}
",
    );
    assert_eq!(
        told.names("ci.yml#a"),
        ["actions.secret A", "actions.secret B"]
    );
    assert!(told.gaps[0].reason.contains("'a' stands twice"));
}

#[test]
fn an_alias_bomb_is_cut_and_told() {
    let mut text = "on: push\nx0: &x0 [\"${{ secrets.A }}\"]\n".to_owned();
    for n in 1..40 {
        let list = vec![format!("*x{}", n - 1); 12].join(", ");
        writeln!(text, "x{n}: &x{n} [{list}]").expect("text");
    }
    text.push_str("jobs:\n  a: {steps: [{run: *x39}]}\n");
    let begun = Instant::now();
    let told = beside(&text);
    assert_eq!(told.gaps[0].kind.as_str(), "limit");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn anchors_are_followed() {
    let told = one(
        CI,
        "on: push
jobs:
  a: &job
    env: &env {T: \"${{ secrets.T }}\"}
    steps: []
  b: *job
  c: {env: *env, steps: []}
",
    );
    for job in ["#a", "#b", "#c"] {
        assert_eq!(told.names(job), ["actions.secret T"], "{job}");
    }
}

#[test]
fn five_megabytes_are_read_and_nine_are_not() {
    let mut text = "on: push\njobs:\n".to_owned();
    let mut count = 0;
    while text.len() < 5 << 20 {
        writeln!(
            text,
            "  j{count}:\n    steps:\n      - run: echo {} ${{{{ secrets.S{count} }}}}",
            "x".repeat(900)
        )
        .expect("text");
        count += 1;
    }
    let begun = Instant::now();
    // More jobs than a run may have: told, and the first are there.
    let told = beside(&text);
    assert_eq!(told.names("ci.yml#j7"), ["actions.secret S7"]);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    let huge = format!("on: push\njobs: {{}}\n#{}\n", "x".repeat(9 << 20));
    assert_eq!(beside(&huge).gaps[0].kind.as_str(), "limit");
}

#[test]
fn expressions_nested_a_hundred_deep_are_read() {
    let inner = format!(
        "{}secrets.DEEP{}",
        "format('{0}', ".repeat(100),
        ")".repeat(100)
    );
    let told = one(
        CI,
        &format!(
            "on: push\njobs:\n  a:\n    if: {}vars.V{}\n    steps: [{{run: \"${{{{ {inner} }}}}\"}}]\n",
            "(".repeat(100),
            ")".repeat(100)
        ),
    );
    assert_eq!(
        told.names("#a"),
        ["actions.secret DEEP", "actions.variable V"]
    );
}

#[test]
fn nesting_beyond_the_limit_is_told() {
    beside(&format!("a: {}{}\n", "[".repeat(400), "]".repeat(400)));
}

#[test]
fn texts_that_are_none_of_ours_are_left_alone() {
    for (path, text) in [
        (CI, "just text"),
        (CI, ""),
        (CI, "on: push\njobs: [1, 2]\n"),
        (CI, "on: push\njobs: {a: null, b: text, c: {steps: text}}\n"),
        (".gitlab-ci.yml", "[]"),
        (
            ".gitlab-ci.yml",
            "a: {script: {b: c}, extends: {d: e}, variables: text}\n",
        ),
        ("azure-pipelines.yml", "stages: {a: b}\nvariables: text\n"),
        (
            ".circleci/config.yml",
            "workflows: {a: text, version: 2}\njobs: []\n",
        ),
        ("bitbucket-pipelines.yml", "pipelines: [x]\n"),
        (".buildkite/pipeline.yml", "- wait\n- {command: [1]}\n"),
        ("compose.yml", "services: [a]\n"),
        ("k.yaml", "apiVersion: v1\nkind: [x]\n"),
        (".mcp.json", "{\"mcpServers\": [1]}"),
        ("main.tf", "}}}} \"\" data \"vault_kv_secret\" {"),
        ("Jenkinsfile", "credentialsId: '\nstage(\n}}}"),
        (".github/CODEOWNERS", "[\n[x] @a\n* \n"),
    ] {
        let told = one(path, text);
        assert!(told.gaps.is_empty(), "{path}: {:?}", told.gaps);
    }
}
