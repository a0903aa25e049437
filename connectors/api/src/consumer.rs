//! Who uses slots: jobs, services, agents. Texts name a slot; which one that is, the estate
//! works out, because only there texts and the lists of hosts meet.
//!
//! # Scopes
//! `<host>:<path>[@<environment>]`: `github:acme`, `github:acme/app`,
//! `github:acme/app@production`, `gitlab:group/sub/project`. The host is `github` for
//! github.com, `gitlab` for gitlab.com, `bitbucket` for bitbucket.org, and the host's name for
//! all others. Whoever lists slots and whoever reads texts make them with [`scope`], or they
//! do not meet. Something that is no code host's stands under its own word:
//! `kubernetes:<namespace>`, `circleci:acme@<context>`.
//!
//! Of a slot, the environment may be a pattern (`gitlab:g/p@review/*`); of a use, `@*` stands
//! for an environment that only the run knows.

use serde::{Deserialize, Serialize};

use crate::{Key, Slot, Source};

/// The kinds of stores, the words of [`Slot::store`].
pub mod store {
    /// Secrets of GitHub Actions: organisation, repository, environment.
    pub const ACTIONS_SECRET: &str = "actions.secret";
    /// Variables of GitHub Actions, which are readable.
    pub const ACTIONS_VARIABLE: &str = "actions.variable";
    /// Secrets that only runs of Dependabot get.
    pub const DEPENDABOT_SECRET: &str = "dependabot.secret";
    /// Secrets of Codespaces.
    pub const CODESPACES_SECRET: &str = "codespaces.secret";
    /// Secrets of coding agents.
    pub const AGENTS_SECRET: &str = "agents.secret";
    /// Variables of coding agents.
    pub const AGENTS_VARIABLE: &str = "agents.variable";
    /// CI/CD variables of GitLab: instance, group, project.
    pub const GITLAB_VARIABLE: &str = "gitlab.variable";
    /// Secure files of GitLab.
    pub const GITLAB_SECURE_FILE: &str = "gitlab.secure-file";
    /// Credentials of Jenkins, by their id.
    pub const JENKINS_CREDENTIAL: &str = "jenkins.credential";
    /// Contexts and project variables of CircleCI.
    pub const CIRCLECI_VARIABLE: &str = "circleci.variable";
    /// Variables and variable groups of Azure Pipelines.
    pub const AZURE_VARIABLE: &str = "azure.variable";
    /// Service connections of Azure Pipelines.
    pub const AZURE_CONNECTION: &str = "azure.connection";
    /// Secure files of Azure Pipelines.
    pub const AZURE_SECURE_FILE: &str = "azure.secure-file";
    /// Variables of Bitbucket: workspace, repository, deployment.
    pub const BITBUCKET_VARIABLE: &str = "bitbucket.variable";
    /// Secrets of a Buildkite cluster.
    pub const BUILDKITE_SECRET: &str = "buildkite.secret";
    /// Secrets of Kubernetes.
    pub const KUBERNETES_SECRET: &str = "kubernetes.secret";
    /// Secrets that a Compose file names.
    pub const COMPOSE_SECRET: &str = "compose.secret";
    /// Paths of a vault: HashiCorp, AWS, GCP, Azure.
    pub const VAULT: &str = "vault";
    /// Variables of the environment in which something is started.
    pub const ENVIRONMENT: &str = "environment";
    /// Input variables of Terraform.
    pub const TERRAFORM_VARIABLE: &str = "terraform.variable";
}

/// The name of a scope: `host` as in an address, `path` below it, and an environment.
///
/// On GitHub none of them tell upper from lower case, so there all are lower-cased.
pub fn scope(host: &str, path: &str, environment: Option<&str>) -> String {
    let host = host.to_ascii_lowercase();
    let word = match host.as_str() {
        "github.com" | "ssh.github.com" | "api.github.com" => "github",
        "gitlab.com" | "altssh.gitlab.com" => "gitlab",
        "bitbucket.org" | "altssh.bitbucket.org" => "bitbucket",
        other => other,
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let full = match environment {
        Some(environment) => format!("{path}@{environment}"),
        None => path.to_owned(),
    };
    match word {
        "github" => format!("{word}:{}", full.to_lowercase()),
        _ => format!("{word}:{full}"),
    }
}

/// The natural key of a slot: `github:acme/app:actions.secret:DEPLOY_KEY`.
///
/// Names of GitHub's slots do not tell upper from lower case: they are upper-cased, here and
/// by whoever looks for them.
pub fn slot_key(scope: &str, store: &str, name: &str) -> Key {
    Key(format!("{scope}:{store}:{}", slot_name(store, name)))
}

/// A slot's name as it is compared.
pub fn slot_name(store: &str, name: &str) -> String {
    let word = store.split('.').next().unwrap_or(store);
    match word {
        "actions" | "dependabot" | "codespaces" | "agents" => name.to_ascii_uppercase(),
        _ => name.to_owned(),
    }
}

impl Slot {
    /// The values of one of its properties. Known ones: `visibility` (`all`, `private`,
    /// `selected`), `repository` (a scope, once for each selected one), `masked`, `protected`,
    /// `hidden` (`true`, `false`), `environment-scope` (GitLab's pattern).
    pub fn property<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of = self
            .properties
            .iter()
            .filter(move |(known, _)| known == name);
        of.map(|(_, value)| value.as_str())
    }
}

/// What kind of thing uses slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConsumerKind {
    /// A job of a pipeline.
    Job,
    /// Something that runs: a container, a workload.
    Service,
    /// A tool that acts for a language model.
    Agent,
    /// Infrastructure described as code.
    Infrastructure,
}

impl ConsumerKind {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            ConsumerKind::Job => "job",
            ConsumerKind::Service => "service",
            ConsumerKind::Agent => "agent",
            ConsumerKind::Infrastructure => "infrastructure",
        }
    }
}

/// How somebody proves to a cloud or a registry who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LoginMethod {
    /// With something that stays the same: a key, a password, a token.
    Static,
    /// With a token that the platform issues for the run (OIDC, workload identity).
    Federated,
}

/// A login that a text describes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Login {
    /// `aws`, `gcp`, `azure`, `vault`, `pypi` …
    pub provider: String,
    /// With what.
    pub method: LoginMethod,
    /// What does it: an action with its major version, a command.
    pub by: String,
    /// As whom or where, if the text tells: a role's ARN, an account.
    pub target: Option<String>,
    /// The names of the slots it takes, sorted.
    pub slots: Vec<String>,
    /// Line in the consumer's file, from 1.
    pub line: u32,
}

/// A job, a service, an agent: what uses slots, and breaks without them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Consumer {
    /// Its natural key: `github:acme/app:.github/workflows/deploy.yml#deploy`; a job that is
    /// reached through a reusable workflow is one for each call: `…#deploy/push`.
    pub key: Key,
    /// Job, service, agent …
    pub kind: ConsumerKind,
    /// Its name.
    pub name: String,
    /// `github`, `gitlab`, `jenkins`, `kubernetes`, `compose` …
    pub platform: String,
    /// The resource that holds its file, by the name other connectors give it.
    pub resource: String,
    /// The file in it: where its run begins.
    pub path: String,
    /// Its first and last line there, from 1.
    pub lines: (u32, u32),
    /// Whose run it is, as a scope: `github:acme/app`.
    pub scope: String,
    /// The environment it deploys to.
    pub environment: Option<String>,
    /// What its token may do: `contents` `write`; `*` stands for all. Empty if not told.
    pub permissions: Vec<(String, String)>,
    /// What starts it: `push`, `pull_request_target`.
    pub triggers: Vec<String>,
    /// What it logs in to.
    pub logins: Vec<Login>,
    /// The file that describes it where that is another one: `acme/shared/.github/workflows/x.yml@v1`.
    pub via: Option<String>,
    /// Further words, each with its value: `remote` (an agent's server), `test` …
    pub properties: Vec<(String, String)>,
    /// Who says so.
    pub source: Source,
}

/// A consumer names a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotUse {
    /// The consumer.
    pub by: Key,
    /// The kind of store, a word of [`store`].
    pub store: String,
    /// The slot's name; `None` for whichever the scopes hold.
    pub name: Option<String>,
    /// Where the slot may lie, nearest first: the first that has it is the one.
    pub scopes: Vec<String>,
    /// In what way: `env TOKEN`, `with password`, `inherits all` …
    pub how: String,
    /// Whether nothing but a slot can be meant. `$X` in a script may also be the machine's own.
    pub certain: bool,
    /// Who says so.
    pub source: Source,
}

#[cfg(test)]
mod tests {
    use super::{scope, slot_key, store};

    #[test]
    fn hosts_have_one_name_and_github_no_upper_case() {
        assert_eq!(scope("GitHub.com", "Acme/App.git", None), "github:acme/app");
        assert_eq!(
            scope("github.com", "acme/app", Some("Production")),
            "github:acme/app@production"
        );
        assert_eq!(scope("gitlab.com", "Acme/App/", None), "gitlab:Acme/App");
        assert_eq!(scope("ghe.acme.test", "a/b", None), "ghe.acme.test:a/b");
        assert_eq!(
            slot_key("github:a/b", store::ACTIONS_SECRET, "deploy_Key").0,
            "github:a/b:actions.secret:DEPLOY_KEY"
        );
        assert_eq!(
            slot_key("gitlab:a/b", store::GITLAB_VARIABLE, "deploy_Key").0,
            "gitlab:a/b:gitlab.variable:deploy_Key"
        );
    }
}
