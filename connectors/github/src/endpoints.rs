//! Every endpoint that is read, and nothing else can be: the permission it needs, what stays
//! unseen without it. The verb is not in this list because there is one: `GET`; but for
//! [`BULK`], which is a query.
//!
//! Permissions are those of GitHub Apps, as docs.github.com (permissions required for GitHub
//! Apps) and GitHub's OpenAPI description name them.

use keymuster_api::store;
use keymuster_http::{Endpoint, Items, Missing, Paging, Without};

const fn list(
    path: &'static str,
    what: &'static str,
    needs: &'static str,
    unseen: &'static str,
) -> Endpoint {
    Endpoint {
        path,
        items: Items::Array,
        paging: Paging::Link,
        what,
        needs,
        unseen,
        missing: Missing::Denied,
        without: Without::Unseen,
    }
}

const fn under(member: &'static str, endpoint: Endpoint) -> Endpoint {
    Endpoint {
        items: Items::Under(member),
        ..endpoint
    }
}

const fn one(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        items: Items::One,
        paging: Paging::None,
        ..endpoint
    }
}

/// A feature that not every host has: 404 means that there is nothing.
const fn optional(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        missing: Missing::Unsupported,
        without: Without::Nothing,
        ..endpoint
    }
}

/// Refused or not there where a feature is off: nothing is hidden then.
const fn off(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        without: Without::Nothing,
        ..endpoint
    }
}

macro_rules! endpoints {
    ($($(#[$meta:meta])* $name:ident = $value:expr;)+) => {
        $($(#[$meta])* pub(crate) const $name: Endpoint = $value;)+
        /// All of them.
        pub(crate) const ENDPOINTS: &[Endpoint] = &[$($name),+];
    };
}

endpoints! {
    /// Bulk: many repositories with one question.
    BULK = one(list("/graphql", "repository outlines", "metadata, contents, administration, environments: read", "CODEOWNERS"));
    /// The organisation.
    ORG = one(list("/orgs/{org}", "organisation", "metadata: read", "the organisation"));
    ORG_REPOS = list("/orgs/{org}/repos", "repositories", "metadata: read", "repositories that are not public");
    ORG_ACTIONS_SECRETS = under("secrets", list("/orgs/{org}/actions/secrets", store::ACTIONS_SECRET, "organization_secrets: read", "the organisation's secrets of Actions"));
    ORG_ACTIONS_SECRET_REPOS = under("repositories", list("/orgs/{org}/actions/secrets/{name}/repositories", "repositories of a secret", "organization_secrets: read", "which repositories may use a secret"));
    ORG_ACTIONS_VARIABLES = under("variables", list("/orgs/{org}/actions/variables", store::ACTIONS_VARIABLE, "organization_actions_variables: read", "the organisation's variables of Actions"));
    ORG_DEPENDABOT_SECRETS = off(under("secrets", list("/orgs/{org}/dependabot/secrets", store::DEPENDABOT_SECRET, "organization_dependabot_secrets: read", "the organisation's secrets of Dependabot")));
    ORG_DEPENDABOT_SECRET_REPOS = under("repositories", list("/orgs/{org}/dependabot/secrets/{name}/repositories", "repositories of a secret", "organization_dependabot_secrets: read", "which repositories may use a secret"));
    ORG_CODESPACES_SECRETS = off(under("secrets", list("/orgs/{org}/codespaces/secrets", store::CODESPACES_SECRET, "a classic token with admin:org (apps cannot read it)", "the organisation's secrets of Codespaces")));
    ORG_CODESPACES_SECRET_REPOS = under("repositories", list("/orgs/{org}/codespaces/secrets/{name}/repositories", "repositories of a secret", "a classic token with admin:org (apps cannot read it)", "which repositories may use a secret"));
    ORG_AGENTS_SECRETS = optional(under("secrets", list("/orgs/{org}/agents/secrets", store::AGENTS_SECRET, "organization_agent_secrets: read", "the organisation's secrets of agents")));
    ORG_AGENTS_SECRET_REPOS = under("repositories", list("/orgs/{org}/agents/secrets/{name}/repositories", "repositories of a secret", "organization_agent_secrets: read", "which repositories may use a secret"));
    ORG_AGENTS_VARIABLES = optional(under("variables", list("/orgs/{org}/agents/variables", store::AGENTS_VARIABLE, "organization_agent_variables: read", "the organisation's variables of agents")));
    ORG_ACTIONS_PERMISSIONS = one(list("/orgs/{org}/actions/permissions", "actions policy", "organization_administration: read", "which actions may run"));
    ORG_WORKFLOW_PERMISSIONS = one(list("/orgs/{org}/actions/permissions/workflow", "default token permissions", "organization_administration: read", "what tokens of runs may do by default"));
    ORG_OIDC = one(optional(list("/orgs/{org}/actions/oidc/customization/sub", "OIDC subject", "organization_administration: read", "what identity tokens of runs say")));
    ORG_PATS = list("/orgs/{org}/personal-access-tokens", "fine-grained tokens", "organization_personal_access_tokens: read (apps only)", "fine-grained personal access tokens");
    ORG_PAT_REQUESTS = list("/orgs/{org}/personal-access-token-requests", "requests for tokens", "organization_personal_access_token_requests: read (apps only)", "requests for fine-grained personal access tokens");
    ORG_AUTHORIZATIONS = Endpoint { missing: Missing::Unsupported, ..list("/orgs/{org}/credential-authorizations", "authorised credentials", "organization_administration: read, and an owner", "classic tokens, SSH keys and OAuth authorisations of members") };
    ORG_INSTALLATIONS = under("installations", list("/orgs/{org}/installations", "app installations", "organization_administration: read", "installed GitHub Apps"));
    ORG_HOOKS = list("/orgs/{org}/hooks", "webhooks", "organization_hooks: read", "the organisation's webhooks");
    ORG_AUDIT_LOG = Endpoint { missing: Missing::Unsupported, ..list("/orgs/{org}/audit-log", "audit log", "organization_administration: read (GitHub Enterprise Cloud)", "who made secrets and keys, and which tokens were used") };
    ORG_PROPERTIES = off(list("/orgs/{org}/properties/values", "custom properties", "organization_custom_properties: read", "custom properties of repositories"));
    /// A repository, asked for where one of its lists is hidden: is it still there?
    REPO = one(Endpoint { missing: Missing::Absent, ..list("/repos/{owner}/{repo}", "repository", "metadata: read", "the repository") });
    REPO_ACTIONS_SECRETS = off(under("secrets", list("/repos/{owner}/{repo}/actions/secrets", store::ACTIONS_SECRET, "secrets: read", "secrets of Actions")));
    REPO_ACTIONS_VARIABLES = off(under("variables", list("/repos/{owner}/{repo}/actions/variables", store::ACTIONS_VARIABLE, "actions_variables: read", "variables of Actions")));
    REPO_DEPENDABOT_SECRETS = off(under("secrets", list("/repos/{owner}/{repo}/dependabot/secrets", store::DEPENDABOT_SECRET, "dependabot_secrets: read", "secrets of Dependabot")));
    REPO_CODESPACES_SECRETS = off(under("secrets", list("/repos/{owner}/{repo}/codespaces/secrets", store::CODESPACES_SECRET, "codespaces_secrets: read", "secrets of Codespaces")));
    REPO_AGENTS_SECRETS = optional(under("secrets", list("/repos/{owner}/{repo}/agents/secrets", store::AGENTS_SECRET, "agent_secrets: read", "secrets of agents")));
    REPO_AGENTS_VARIABLES = optional(under("variables", list("/repos/{owner}/{repo}/agents/variables", store::AGENTS_VARIABLE, "agent_variables: read", "variables of agents")));
    REPO_ENVIRONMENTS = off(under("environments", list("/repos/{owner}/{repo}/environments", "environments", "actions: read", "environments and what protects them")));
    ENV_SECRETS = under("secrets", list("/repos/{owner}/{repo}/environments/{environment_name}/secrets", store::ACTIONS_SECRET, "environments: read", "secrets of environments"));
    ENV_VARIABLES = under("variables", list("/repos/{owner}/{repo}/environments/{environment_name}/variables", store::ACTIONS_VARIABLE, "environments: read", "variables of environments"));
    REPO_KEYS = list("/repos/{owner}/{repo}/keys", "deploy keys", "administration: read", "deploy keys");
    REPO_HOOKS = list("/repos/{owner}/{repo}/hooks", "webhooks", "repository_hooks: read", "webhooks");
    REPO_ACTIONS_PERMISSIONS = one(list("/repos/{owner}/{repo}/actions/permissions", "actions policy", "administration: read", "which actions may run"));
    REPO_WORKFLOW_PERMISSIONS = one(off(list("/repos/{owner}/{repo}/actions/permissions/workflow", "default token permissions", "administration: read", "what tokens of runs may do by default")));
    REPO_OIDC = one(optional(list("/repos/{owner}/{repo}/actions/oidc/customization/sub", "OIDC subject", "actions: read", "what identity tokens of runs say")));
    REPO_TEAMS = list("/repos/{owner}/{repo}/teams", "teams", "administration: read", "which teams look after a repository");
    /// Who one is: as a user, and as an app.
    USER = one(list("/user", "identity", "any token", "who the token acts as"));
    INSTALLATION_REPOS = under("repositories", list("/installation/repositories", "identity", "an app's token", "which repositories the app may see"));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::{BULK, ENDPOINTS};

    /// Taken from GitHub's OpenAPI description (npm `@octokit/openapi`, MIT) by
    /// `tests/real-parts/github_endpoints.py`: for each of our paths its verbs, whether apps
    /// may use it, and the member that holds the list.
    const DESCRIBED: &str = include_str!("../../../fixtures/github/endpoints.json");

    #[test]
    fn every_endpoint_is_described_by_github_as_one_that_is_read() {
        let described: Value = serde_json::from_str(DESCRIBED).expect("JSON");
        let mut paths = BTreeSet::new();
        for endpoint in ENDPOINTS.iter().filter(|endpoint| **endpoint != BULK) {
            assert!(
                paths.insert(endpoint.path),
                "{} stands there twice",
                endpoint.path
            );
            let entry = &described["paths"][endpoint.path];
            assert!(
                entry.is_object(),
                "GitHub does not describe {}",
                endpoint.path
            );
            let member = match endpoint.items {
                keymuster_http::Items::Under(member) => member,
                keymuster_http::Items::Array => "[]",
                keymuster_http::Items::One => "{}",
            };
            assert_eq!(entry["items"], member, "{}", endpoint.path);
            let apps = entry["apps"].as_bool().expect("apps");
            let says_no_apps =
                endpoint.needs.contains("apps cannot") || endpoint.needs == "any token";
            assert_eq!(apps, !says_no_apps, "{}: {}", endpoint.path, endpoint.needs);
        }
        let known: BTreeSet<&str> = described["paths"]
            .as_object()
            .expect("paths")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(known, paths, "write fixtures/github/endpoints.json anew");
    }

    /// Answers to a `GET` that mint a token or give out a key.
    #[test]
    fn nothing_is_asked_that_gives_out_secrets() {
        for endpoint in ENDPOINTS {
            for word in [
                "token-for",
                "registration-token",
                "remove-token",
                "public-key",
                "access_tokens",
                "/logs",
                "/zipball",
                "/download",
            ] {
                assert!(!endpoint.path.contains(word), "{}", endpoint.path);
            }
        }
    }
}
