//! What the steps of a job log in to, and whether with something that stays the same.
//!
//! The actions and their inputs are those of their own pages; commands that publish take their
//! token from the environment.

use keymuster_api::LoginMethod::{self, Federated, Static};

use super::LoginDraft;
use crate::{
    expression::{self, Wanted},
    yaml::Yaml,
};

/// An action that logs in.
struct Known {
    /// Its name.
    action: &'static str,
    /// To what.
    provider: &'static str,
    /// Inputs that take something static.
    statics: &'static [&'static str],
    /// Inputs that tell of a token of the run; none where that is what it does without input.
    federated: &'static [&'static str],
    /// The input that says as whom or where.
    target: &'static str,
}

const ACTIONS: &[Known] = &[
    // github.com/aws-actions/configure-aws-credentials
    Known {
        action: "aws-actions/configure-aws-credentials",
        provider: "aws",
        statics: &["aws-access-key-id", "aws-secret-access-key"],
        federated: &["role-to-assume"],
        target: "role-to-assume",
    },
    // github.com/google-github-actions/auth
    Known {
        action: "google-github-actions/auth",
        provider: "gcp",
        statics: &["credentials_json"],
        federated: &["workload_identity_provider"],
        target: "service_account",
    },
    // github.com/Azure/login
    Known {
        action: "azure/login",
        provider: "azure",
        statics: &["creds", "client-secret"],
        federated: &["client-id"],
        target: "client-id",
    },
    // github.com/hashicorp/vault-action
    Known {
        action: "hashicorp/vault-action",
        provider: "vault",
        statics: &["token", "secretId", "githubToken", "password"],
        federated: &["jwtGithubAudience", "role"],
        target: "role",
    },
    // docs.pypi.org/trusted-publishers
    Known {
        action: "pypa/gh-action-pypi-publish",
        provider: "pypi",
        statics: &["password"],
        federated: &[],
        target: "repository-url",
    },
    // github.com/rubygems/configure-rubygems-credentials
    Known {
        action: "rubygems/configure-rubygems-credentials",
        provider: "rubygems",
        statics: &["api-token"],
        federated: &["role-to-assume"],
        target: "role-to-assume",
    },
];

/// Variables that hold a static credential of a cloud, as its tools read them.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("AWS_SECRET_ACCESS_KEY", "aws"),
    ("AWS_ACCESS_KEY_ID", "aws"),
    ("GOOGLE_CREDENTIALS", "gcp"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "gcp"),
    ("GCP_SA_KEY", "gcp"),
    ("ARM_CLIENT_SECRET", "azure"),
    ("AZURE_CLIENT_SECRET", "azure"),
    ("AZURE_CREDENTIALS", "azure"),
];

const NPM: &[&str] = &["npm publish", "pnpm publish", "yarn npm publish"];
/// Variables that hold a token to publish with, and the commands that take it.
const PUBLISHERS: &[(&str, &str, &[&str])] = &[
    ("NODE_AUTH_TOKEN", "npm", NPM),
    ("NPM_TOKEN", "npm", NPM),
    ("CARGO_REGISTRY_TOKEN", "crates.io", &["cargo publish"]),
    ("TWINE_PASSWORD", "pypi", &["twine upload"]),
    ("UV_PUBLISH_TOKEN", "pypi", &["uv publish"]),
    ("GEM_HOST_API_KEY", "rubygems", &["gem push"]),
];

/// The logins of a job. `around` are the environments it stands in.
pub(super) fn logins(job: Yaml<'_>, around: &[Yaml<'_>]) -> Vec<LoginDraft> {
    let mut all = Vec::new();
    for env in around {
        of_variables(*env, &mut all);
    }
    let steps = job.get("steps").map(|steps| steps.items());
    for step in steps.into_iter().flatten() {
        if let Some(uses) = step.get_text("uses") {
            of_action(step, uses, &mut all);
        }
        if let Some(env) = step.get("env") {
            of_variables(env, &mut all);
        }
        if let Some(run) = step.get_text("run") {
            let mut envs = around.to_vec();
            envs.extend(step.get("env"));
            of_command(step, run, &envs, &mut all);
        }
    }
    all
}

/// The inputs of a step that calls an action.
#[derive(Clone, Copy)]
struct Inputs<'t>(Yaml<'t>);

impl<'t> Inputs<'t> {
    fn get(self, input: &str) -> Option<&'t str> {
        let text = self.0.get("with")?.get_text(input)?;
        (!text.is_empty()).then_some(text)
    }

    fn has(self, inputs: &[&str]) -> bool {
        inputs.iter().any(|input| self.get(input).is_some())
    }

    fn wanted(self, inputs: &[&str]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for input in inputs {
            expression::in_text(self.get(input).unwrap_or(""), &mut wanted);
        }
        wanted
    }
}

fn of_action(step: Yaml<'_>, uses: &str, out: &mut Vec<LoginDraft>) {
    let (name, version) = uses.split_once('@').unwrap_or((uses, ""));
    let inputs = Inputs(step);
    let by = match version.split('.').next() {
        Some(major) if major.starts_with('v') && major.len() < 5 => format!("{name}@{major}"),
        _ => name.to_owned(),
    };
    let login = |provider, method, inputs_of: &[&str], target: Option<&str>| LoginDraft {
        provider,
        method,
        by: by.clone(),
        target: target.map(str::to_owned),
        wanted: inputs.wanted(inputs_of),
        line: step.line(),
    };
    if name.eq_ignore_ascii_case("docker/login-action") {
        let registry = inputs.get("registry").unwrap_or("docker.io");
        let password = inputs.get("password").unwrap_or("");
        if is_static_password(password) {
            let given = ["username", "password"];
            out.push(login(cloud_of(registry), Static, &given, Some(registry)));
        }
        return;
    }
    let known = ACTIONS
        .iter()
        .find(|known| known.action.eq_ignore_ascii_case(name));
    let Some(known) = known else { return };
    let target = inputs.get(known.target);
    // Vault's action takes a token of the run only where it is told to.
    let may_trust = known.provider != "vault" || inputs.get("method") == Some("jwt");
    let method: Option<LoginMethod> = if inputs.has(known.statics) {
        Some(Static)
    } else if may_trust && (known.federated.is_empty() || inputs.has(known.federated)) {
        Some(Federated)
    } else {
        None
    };
    match method {
        Some(Static) => out.push(login(known.provider, Static, known.statics, target)),
        Some(Federated) => out.push(login(known.provider, Federated, known.federated, target)),
        None => {}
    }
}

/// Whether a password for a registry is a secret that stays the same: neither the run's own
/// token nor what an earlier step was given.
fn is_static_password(text: &str) -> bool {
    let mut wanted = Vec::new();
    expression::in_text(text, &mut wanted);
    let of_run = text.to_ascii_uppercase().contains("SECRETS.GITHUB_TOKEN");
    !wanted.is_empty() && !of_run && !text.contains("steps.")
}

fn cloud_of(registry: &str) -> &'static str {
    if registry.contains(".amazonaws.com") {
        "aws"
    } else if registry.contains("docker.pkg.dev") || registry.contains("gcr.io") {
        "gcp"
    } else if registry.contains(".azurecr.io") {
        "azure"
    } else {
        "registry"
    }
}

/// Keys of clouds in an environment.
fn of_variables(env: Yaml<'_>, out: &mut Vec<LoginDraft>) {
    for (key, value) in env.entries() {
        let (Some(name), Some(text)) = (key.text(), value.text()) else {
            continue;
        };
        let Some((_, provider)) = VARIABLES.iter().find(|(variable, _)| *variable == name) else {
            continue;
        };
        let mut wanted = Vec::new();
        expression::in_text(text, &mut wanted);
        // What an earlier step was given, or a path.
        if wanted.is_empty() {
            continue;
        }
        let same = out
            .iter_mut()
            .find(|known| known.by == "environment" && known.provider == *provider);
        match same {
            Some(known) => known.wanted.extend(wanted),
            None => out.push(LoginDraft {
                provider,
                method: Static,
                by: "environment".to_owned(),
                target: None,
                wanted,
                line: key.line(),
            }),
        }
    }
}

fn of_command(step: Yaml<'_>, run: &str, envs: &[Yaml<'_>], out: &mut Vec<LoginDraft>) {
    for (variable, provider, commands) in PUBLISHERS {
        let Some(command) = commands.iter().find(|command| run.contains(*command)) else {
            continue;
        };
        let given = envs.iter().rev().find_map(|env| env.get_text(variable));
        let mut wanted = Vec::new();
        expression::in_text(given.unwrap_or(""), &mut wanted);
        if !wanted.is_empty() {
            out.push(LoginDraft {
                provider,
                method: Static,
                by: (*command).to_owned(),
                target: None,
                wanted,
                line: step.line(),
            });
        }
    }
}
