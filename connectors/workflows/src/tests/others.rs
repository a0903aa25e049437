//! The other platforms, manifests and agents.

use keymuster_api::LoginMethod;

use super::{one, repository, sweep};

#[test]
fn gitlab_follows_includes_and_what_jobs_take_over() {
    let shared = repository(
        "gitlab.com/acme/ci",
        &[(
            "/deploy.yml".trim_start_matches('/'),
            ".deploy:\n  script:\n    - deploy $DEPLOY_TOKEN\n  environment: {name: production}\n",
        )],
    );
    let app = repository(
        "gitlab.com/acme/team/app",
        &[
            (
                ".gitlab-ci.yml",
                "include:
  - project: acme/ci
    file: /deploy.yml
  - local: ci/test.yml
variables: {PLAIN: x, BOTH: \"$OTHER\"}
deploy:
  extends: .deploy
  before_script: [\"echo $PLAIN $CI_COMMIT_SHA $BOTH\"]
cloud:
  id_tokens: {T: {aud: sts}}
  script: [\"aws sts assume-role-with-web-identity --role-arn $ROLE_ARN\"]
static:
  script: |
    set -e
    aws s3 ls
vault:
  script: [x]
  secrets: {PW: {vault: prod/db/password@kv}}
",
            ),
            ("ci/test.yml", "test:\n  script: [\"t $TEST_TOKEN\"]\n"),
        ],
    );
    let told = sweep(vec![app, shared]);
    assert_eq!(
        told.names("#deploy"),
        ["gitlab.variable DEPLOY_TOKEN", "gitlab.variable OTHER"]
    );
    let token = told
        .uses
        .iter()
        .find(|one| one.name.as_deref() == Some("DEPLOY_TOKEN"));
    assert_eq!(
        token.expect("a use").scopes,
        [
            "gitlab:acme/team/app@production",
            "gitlab:acme/team/app",
            "gitlab:acme/team@production",
            "gitlab:acme/team",
            "gitlab:acme@production",
            "gitlab:acme",
            "gitlab:@production",
            "gitlab:",
        ]
    );
    assert!(
        told.names("#test")
            .contains(&"gitlab.variable TEST_TOKEN".to_owned())
    );
    let method = |key: &str| told.consumer(key).logins.first().map(|one| one.method);
    assert_eq!(method("#cloud"), Some(LoginMethod::Federated));
    assert_eq!(method("#static"), Some(LoginMethod::Static));
    assert!(
        told.names("#vault")
            .contains(&"vault prod/db/password@kv".to_owned())
    );
    assert!(told.gaps.is_empty(), "{:?}", told.gaps);
}

#[test]
fn gitlab_tells_what_it_could_not_include() {
    let told = sweep(vec![repository(
        "gitlab.com/acme/app",
        &[(
            ".gitlab-ci.yml",
            "include:\n  - remote: https://ci.example/x.yml\n  - project: a/b\n    file: [c.yml]\n  - template: Auto-DevOps.gitlab-ci.yml\n",
        )],
    )]);
    assert_eq!(
        told.gaps.len(),
        2,
        "GitLab's own templates are known to GitLab"
    );
}

#[test]
fn jenkins_credentials_belong_to_their_stage() {
    let told = one(
        "Jenkinsfile",
        "pipeline {
  environment { A = credentials('id-a') }
  stages {
    stage('Deploy') {
      steps {
        withCredentials([string(credentialsId: \"id-b\", variable: 'X')]) { sh 'echo }' }
        sshagent(['id-c', 'id-d']) { }
        // credentialsId: 'id-gone'
      }
    }
  }
}
",
    );
    assert_eq!(told.names("#pipeline"), ["jenkins.credential id-a"]);
    assert_eq!(
        told.names("#Deploy"),
        [
            "jenkins.credential id-b",
            "jenkins.credential id-c",
            "jenkins.credential id-d"
        ]
    );
    assert_eq!(told.consumer("#Deploy").lines, (4, 10));
}

#[test]
fn circleci_contexts_and_commands() {
    let told = one(
        ".circleci/config.yml",
        "commands:
  ship: {steps: [{run: {command: \"push $SHIP_TOKEN\"}}]}
jobs:
  deploy:
    docker: [{image: x, auth: {password: $DOCKER_PASSWORD}}]
    environment: {REGION: eu}
    steps: [checkout, ship, {run: \"echo $REGION $CIRCLE_SHA1\"}, {aws-cli/setup: {aws_access_key_id: MY_KEY_ID}}]
workflows:
  main:
    jobs:
      - deploy: {context: [prod]}
",
    );
    assert_eq!(
        told.names("#main/deploy"),
        [
            "circleci.variable *",
            "circleci.variable DOCKER_PASSWORD",
            "circleci.variable MY_KEY_ID",
            "circleci.variable SHIP_TOKEN"
        ]
    );
    let token = told
        .uses
        .iter()
        .find(|one| one.name.as_deref() == Some("SHIP_TOKEN"));
    assert_eq!(
        token.expect("a use").scopes,
        ["circleci:acme@prod", "circleci:acme/app"]
    );
    assert_eq!(
        told.consumer("#main/deploy").logins[0].method,
        LoginMethod::Static
    );
}

#[test]
fn azure_groups_connections_and_macros() {
    let told = one(
        "azure-pipelines.yml",
        "variables:
  - group: shared
  - {name: plain, value: x}
stages:
  - stage: ship
    jobs:
      - deployment: prod
        environment: production
        strategy: {runOnce: {deploy: {steps: [{script: \"echo $(DbPassword) $(plain) $(Build.BuildId) $(date)\"}]}}}
      - job: scan
        steps:
          - task: AzureCLI@2
            inputs: {azureSubscription: my-connection}
          - task: AzureKeyVault@2
            inputs: {KeyVaultName: kv, SecretsFilter: \"a, b\"}
",
    );
    assert_eq!(
        told.names("#ship/prod"),
        ["azure.variable *", "azure.variable DbPassword"]
    );
    assert_eq!(
        told.names("#ship/scan"),
        [
            "azure.connection my-connection",
            "azure.variable *",
            "vault a",
            "vault b"
        ]
    );
    assert_eq!(
        told.consumer("#ship/prod").environment.as_deref(),
        Some("production")
    );
}

#[test]
fn bitbucket_and_buildkite() {
    let told = one(
        "bitbucket-pipelines.yml",
        "pipelines:
  branches:
    main:
      - step:
          name: Deploy
          deployment: production
          script: [\"deploy $TOKEN $BITBUCKET_COMMIT\", {pipe: p, variables: {K: $AWS_SECRET_ACCESS_KEY}}]
      - parallel:
          - step: {oidc: true, script: [x]}
",
    );
    assert_eq!(
        told.names("#branches/main/Deploy"),
        [
            "bitbucket.variable AWS_SECRET_ACCESS_KEY",
            "bitbucket.variable TOKEN"
        ]
    );
    let logins = |key: &str| told.consumer(key).logins[0].method;
    assert_eq!(logins("/Deploy"), LoginMethod::Static);
    assert_eq!(logins("/2"), LoginMethod::Federated);
    let told = one(
        ".buildkite/pipeline.yml",
        "secrets: [ALL]
steps:
  - label: ship
    command: \"push $$TOKEN; buildkite-agent secret get OTHER\"
    secrets: {PW: db_password}
",
    );
    assert_eq!(
        told.names("#ship"),
        [
            "buildkite.secret ALL",
            "buildkite.secret OTHER",
            "buildkite.secret TOKEN",
            "buildkite.secret db_password"
        ]
    );
}

#[test]
fn compose_kubernetes_and_helm() {
    let told = sweep(vec![repository(
        "github.com/acme/app",
        &[
            (
                "deploy/compose.yml",
                "services:
  db:
    environment: {POSTGRES_PASSWORD: \"${DB_PASSWORD}\", PLAIN: x}
    env_file: ../prod.env
    secrets: [db_key]
secrets: {db_key: {file: ./key.txt}}
",
            ),
            (
                "k8s/app.yaml",
                "apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: x}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      imagePullSecrets: [{name: pull}]
      containers:
        - env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]
          envFrom: [{secretRef: {name: all}}]
      volumes: [{name: v, secret: {secretName: tls}}]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: ext}
spec: {secretStoreRef: {name: vault}, data: [{secretKey: a, remoteRef: {key: prod/api}}]}
",
            ),
            (
                "chart/values.yaml",
                "db: {existingSecret: chart-db}\nimagePullSecrets: [x]\n",
            ),
            (
                "chart/templates/d.yaml",
                "apiVersion: v1\nkind: Pod\n{{- if .x }}\na: {{ .b }}\n",
            ),
            (
                "tests/k8s.yaml",
                "apiVersion: v1\nkind: Pod\nspec: {a: {secretKeyRef: {name: no}}}\n",
            ),
        ],
    )]);
    assert_eq!(
        told.names("#db"),
        ["compose.secret db_key", "environment DB_PASSWORD"]
    );
    let files: Vec<&str> = told
        .consumer("#db")
        .properties
        .iter()
        .map(|(_, v)| v.as_str())
        .collect();
    assert_eq!(files, ["deploy/key.txt", "prod.env"]);
    assert_eq!(
        told.names("#Deployment/api"),
        [
            "kubernetes.secret all",
            "kubernetes.secret db",
            "kubernetes.secret pull",
            "kubernetes.secret tls"
        ]
    );
    assert_eq!(told.names("#ExternalSecret/ext"), ["vault prod/api"]);
    assert_eq!(
        told.names("#chart"),
        ["kubernetes.secret chart-db", "kubernetes.secret x"]
    );
    let slots: Vec<&str> = told.slots.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(slots, ["db", "ext"]);
    assert!(
        !told
            .uses
            .iter()
            .any(|one| one.name.as_deref() == Some("no"))
    );
    assert!(told.gaps.is_empty(), "{:?}", told.gaps);
}

#[test]
fn terraform_names_variables_and_paths_of_vaults() {
    let told = one(
        "infra/main.tf",
        "variable \"db_password\" { sensitive = true }
# var.old_token
resource \"x\" \"y\" {
  password = var.db_password
  url      = \"https://${var.api_token}@h\"
  count    = var.size
}
data \"vault_generic_secret\" \"s\" {
  path = \"secret/prod/db\"
}
",
    );
    assert_eq!(
        told.names("#infra/main.tf"),
        [
            "terraform.variable api_token",
            "terraform.variable db_password",
            "vault secret/prod/db"
        ]
    );
}

#[test]
fn tools_of_agents() {
    let told = one(
        ".mcp.json",
        "{ // the tools
  \"mcpServers\": {
    \"db\": {\"command\": \"/usr/bin/npx\", \"args\": [\"-y\", \"db\"],
           \"env\": {\"DB_TOKEN\": \"${DB_TOKEN}\", \"API_KEY\": \"literal-value\", \"MODE\": \"x\"}},
    \"far\": {\"url\": \"https://mcp.example.com/sse\", \"headers\": {\"Authorization\": \"Bearer ${env:FAR}\"},},
  },
}
",
    );
    assert_eq!(told.names("#db"), ["environment DB_TOKEN"]);
    let has = |key: &str, name: &str, value: &str| {
        let properties = &told.consumer(key).properties;
        properties.iter().any(|(n, v)| n == name && v == value)
    };
    assert!(has("#db", "literal", "API_KEY") && has("#db", "command", "npx"));
    assert!(!has("#db", "literal", "MODE") && !has("#db", "literal", "DB_TOKEN"));
    assert_eq!(told.names("#far"), ["environment FAR"]);
    assert!(has("#far", "remote", "mcp.example.com"));
    assert_eq!(told.consumer("#far").lines, (5, 5));
    let told = one(
        ".codex/config.toml",
        "[mcp_servers.gh]\nurl = \"https://api.example.com/mcp\"\nbearer_token_env_var = \"GH_TOKEN\"\n[mcp_servers.gh.env]\nX_SECRET = \"v\"\n",
    );
    assert_eq!(told.names("#gh"), ["environment GH_TOKEN"]);
    assert_eq!(told.consumer("#gh").properties.len(), 2);
}
