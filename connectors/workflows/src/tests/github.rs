//! GitHub: who names what, over calls and repositories.

use keymuster_api::LoginMethod;

use super::{one, repository, sweep};

const CI: &str = ".github/workflows/ci.yml";

#[test]
fn a_job_names_what_stands_in_it_and_around_it() {
    let told = one(
        CI,
        "on: [push]
env:
  SHARED: ${{ secrets.SHARED }}
jobs:
  build:
    runs-on: ${{ vars.RUNNER }}
    steps:
      - run: echo ${{ secrets.build_token }} ${{ github.token }} ${{ secrets.GITHUB_TOKEN }}
        if: vars.ON == 'yes'
      - run: echo 'secrets.NOT'  # ${{ secrets.COMMENT_OF_YAML }}
  deploy:
    environment: production
    permissions: {id-token: write, contents: read}
    steps:
      - uses: acme/push@v1
        with: {key: \"${{ secrets['DEPLOY_KEY'] }}\"}
",
    );
    assert_eq!(
        told.names("#build"),
        [
            "actions.secret BUILD_TOKEN",
            "actions.secret SHARED",
            "actions.variable ON",
            "actions.variable RUNNER"
        ]
    );
    assert_eq!(
        told.names("#deploy"),
        ["actions.secret DEPLOY_KEY", "actions.secret SHARED"]
    );
    let deploy = told.consumer("#deploy");
    assert_eq!(deploy.environment.as_deref(), Some("production"));
    assert_eq!(deploy.permissions.len(), 2);
    let key = told
        .uses
        .iter()
        .find(|one| one.name.as_deref() == Some("DEPLOY_KEY"));
    let key = key.expect("a use");
    assert_eq!(
        key.scopes,
        [
            "github:acme/app@production",
            "github:acme/app",
            "github:acme"
        ]
    );
    assert_eq!((key.how.as_str(), key.certain), ("with key", true));
    assert!(
        key.source.locator.ends_with("ci.yml:16"),
        "{}",
        key.source.locator
    );
    assert!(told.gaps.is_empty() && told.coverage[0].complete);
}

/// `ship` calls `shared`, which calls its own `inner`.
fn shared() -> Box<dyn crate::Tree> {
    repository(
        "github.com/acme/shared",
        &[
            (
                ".github/workflows/ship.yml",
                "on:
  workflow_call:
    inputs: {target: {default: staging}}
    secrets: {token: {required: true}}
jobs:
  push:
    environment: ${{ inputs.target }}
    steps:
      - run: push ${{ secrets.TOKEN }} ${{ secrets.UNPASSED }} ${{ vars.REGION }}
  inner:
    uses: ./.github/workflows/inner.yml
    secrets: inherit
",
            ),
            (
                ".github/workflows/inner.yml",
                "on: workflow_call
jobs:
  last:
    steps: [{run: \"x ${{ secrets.TOKEN }} ${{ secrets.OTHER }}\"}]
",
            ),
        ],
    )
}

#[test]
fn what_is_handed_over_by_name_keeps_its_slot_under_another_name() {
    let caller = repository(
        "github.com/acme/app",
        &[(
            CI,
            "on: push
jobs:
  ship:
    uses: acme/shared/.github/workflows/ship.yml@v1
    with: {target: production}
    secrets: {token: \"${{ secrets.DEPLOY }}\"}
",
        )],
    );
    let told = sweep(vec![caller, shared()]);
    assert_eq!(
        told.names("app:.github/workflows/ci.yml#ship"),
        ["actions.secret DEPLOY"]
    );
    let push = told.names("#ship/push");
    assert!(
        push.contains(&"actions.secret DEPLOY".to_owned()),
        "{push:?}"
    );
    assert!(push.contains(&"actions.variable REGION".to_owned()));
    assert_eq!(told.names("#ship/inner/last"), ["actions.secret DEPLOY"]);
    let consumer = told.consumer("#ship/push");
    assert_eq!(consumer.environment.as_deref(), Some("production"));
    assert_eq!(consumer.scope, "github:acme/app");
    assert!(
        consumer
            .via
            .as_deref()
            .is_some_and(|via| via.ends_with("ship.yml@v1"))
    );
    // Nothing starts the called workflows by themselves.
    assert!(
        told.uses
            .iter()
            .all(|one| one.by.0.starts_with("github:acme/app:"))
    );
    assert!(told.gaps.is_empty());
}

#[test]
fn what_is_inherited_is_the_callers_own() {
    let caller = repository(
        "github.com/acme/app",
        &[(
            CI,
            "on: push
jobs:
  ship:
    uses: acme/shared/.github/workflows/ship.yml@v1
    secrets: inherit
",
        )],
    );
    let told = sweep(vec![caller, shared()]);
    assert!(told.names("ci.yml#ship").is_empty());
    assert_eq!(
        told.names("#ship/push"),
        [
            "actions.secret TOKEN",
            "actions.secret UNPASSED",
            "actions.variable REGION"
        ]
    );
    assert_eq!(
        told.names("#ship/inner/last"),
        ["actions.secret OTHER", "actions.secret TOKEN"]
    );
    let token = told
        .uses
        .iter()
        .find(|one| one.by.0.ends_with("#ship/push"));
    assert_eq!(
        token.expect("a use").scopes[0],
        "github:acme/app@staging",
        "the default of the input"
    );
}

#[test]
fn a_workflow_that_was_not_read_gets_everything_and_is_told() {
    let told = one(
        CI,
        "on: push
jobs:
  far: {uses: other/far/.github/workflows/x.yml@main, secrets: inherit}
  named:
    uses: other/far/.github/workflows/x.yml@main
    secrets: {a: \"${{ secrets.A }}\"}
",
    );
    assert_eq!(told.names("#far"), ["actions.secret *"]);
    assert_eq!(told.names("#named"), ["actions.secret A"]);
    assert_eq!(told.gaps.len(), 1, "only what is inherited is not known");
    assert!(told.gaps[0].reason.contains("other/far"));
}

#[test]
fn calls_in_a_circle_end() {
    let told = one(
        CI,
        "on: [push, workflow_call]
jobs:
  a: {uses: ./.github/workflows/ci.yml, secrets: inherit}
  b: {uses: ./.github/workflows/ci.yml, secrets: inherit}
  c: {steps: [{run: \"${{ secrets.A }}\"}]}
",
    );
    assert!(
        told.names("#a/b/c")
            .contains(&"actions.secret A".to_owned())
    );
    assert!(told.gaps.iter().any(|gap| gap.kind.as_str() == "limit"));
    assert!(told.consumers.len() < 5000);
}

#[test]
fn computed_names_are_worked_out_where_the_matrix_tells() {
    let told = one(
        CI,
        "on: push
jobs:
  a:
    strategy:
      matrix:
        env: [dev, prod]
        include: [{env: qa, secret: QA_KEY}]
    environment: ${{ matrix.env }}
    steps:
      - run: x ${{ secrets[format('{0}_KEY', matrix.env)] }} ${{ secrets[matrix.secret] }}
  b:
    steps: [{run: \"${{ secrets[steps.x.outputs.name] }} ${{ toJSON(secrets) }}\"}]
",
    );
    let names: Vec<String> = told.names("#a");
    assert_eq!(
        names,
        [
            "actions.secret DEV_KEY",
            "actions.secret PROD_KEY",
            "actions.secret QA_KEY"
        ]
    );
    assert_eq!(
        told.consumer("#a").environment.as_deref(),
        Some("dev, prod, qa")
    );
    assert_eq!(told.names("#b"), ["actions.secret *"]);
    let all = &told.consumer("#b").properties;
    assert!(all.iter().any(|(name, _)| name == "takes-all-secrets"));
}

#[test]
fn an_input_that_nobody_gives_names_no_secret() {
    let told = one(
        CI,
        "on:
  push:
  workflow_call: {inputs: {which: {type: string}, must: {type: string, required: true}}}
jobs:
  own: {steps: [{run: \"${{ secrets[inputs.which] }}\"}]}
",
    );
    assert_eq!(
        told.names("#own"),
        ["actions.secret *"],
        "started otherwise, it is open"
    );
    let called = |given: &str| {
        let caller = format!(
            "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n    secrets: inherit\n    with: {{{given}}}\n"
        );
        let told = sweep(vec![repository(
            "github.com/acme/app",
            &[
                (CI, &caller),
                (
                    ".github/workflows/called.yml",
                    "on: {workflow_call: {inputs: {which: {type: string}}}}\njobs: {b: {steps: [{run: \"${{ secrets[inputs.which] }}\"}]}}\n",
                ),
            ],
        )]);
        told.names("#a/b")
    };
    assert!(called("").is_empty());
    assert_eq!(called("which: my_key"), ["actions.secret MY_KEY"]);
    assert_eq!(called("which: \"${{ github.ref }}\""), ["actions.secret *"]);
}

#[test]
fn logins_are_static_or_federated() {
    let told = one(
        CI,
        "on: pull_request_target
jobs:
  static:
    env: {ARM_CLIENT_SECRET: \"${{ secrets.ARM }}\"}
    steps:
      - uses: actions/checkout@v4
        with: {ref: \"${{ github.event.pull_request.head.sha }}\"}
      - uses: aws-actions/configure-aws-credentials@v4.0.2
        with:
          aws-access-key-id: ${{ secrets.AWS_ID }}
          aws-secret-access-key: ${{ secrets.AWS_KEY }}
      - run: npm publish
        env: {NODE_AUTH_TOKEN: \"${{ secrets.NPM }}\"}
  trusted:
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with: {role-to-assume: \"arn:aws:iam::1:role/x\"}
      - uses: pypa/gh-action-pypi-publish@release/v1
      - uses: docker/login-action@v3
        with: {registry: ghcr.io, password: \"${{ secrets.GITHUB_TOKEN }}\"}
",
    );
    let of = |key: &str| -> Vec<(String, LoginMethod, String)> {
        let logins = told.consumer(key).logins.iter();
        logins
            .map(|one| (one.provider.clone(), one.method, one.slots.join(",")))
            .collect()
    };
    let is = |provider: &str, method, slots: &str| (provider.to_owned(), method, slots.to_owned());
    assert_eq!(
        of("#static"),
        [
            is("aws", LoginMethod::Static, "AWS_ID,AWS_KEY"),
            is("azure", LoginMethod::Static, "ARM"),
            is("npm", LoginMethod::Static, "NPM"),
        ]
    );
    assert_eq!(
        of("#trusted"),
        [
            is("aws", LoginMethod::Federated, ""),
            is("pypi", LoginMethod::Federated, ""),
        ]
    );
    let properties = &told.consumer("#static").properties;
    assert!(properties.iter().any(|(name, _)| name == "runs-proposals"));
}

#[test]
fn dependabot_has_secrets_of_its_own_and_owners_are_told() {
    let told = sweep(vec![repository(
        "github.com/acme/app",
        &[
            (
                ".github/dependabot.yml",
                "registries:\n  npm:\n    type: npm-registry\n    token: ${{secrets.NPM}}\n",
            ),
            (
                ".github/CODEOWNERS",
                "* @acme/all\n/.github/ @acme/platform\n",
            ),
            (
                "catalog-info.yaml",
                "kind: Component\nspec:\n  owner: group:default/shop\n",
            ),
        ],
    )]);
    assert_eq!(told.names("#npm"), ["dependabot.secret NPM"]);
    let parties: Vec<&str> = told.claims.iter().map(|one| one.party.as_str()).collect();
    assert_eq!(parties, ["shop", "@acme/platform"]);
}
