//! Every endpoint that is read, and nothing else can be: the role and the token's scope that it
//! needs, what stays unseen without it. The verb is not in this list because there is one:
//! `GET`; but for [`KEYS`], which is a query.
//!
//! Roles and editions are those of docs.gitlab.com/api; every one of them is read with the scope
//! `read_api`. Ids stand in the paths, not names: a project that is renamed keeps its id.

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

const fn one(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        items: Items::One,
        paging: Paging::None,
        ..endpoint
    }
}

/// What paid editions have: 404 means that this one does not, and that there is nothing.
const fn paid(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        missing: Missing::Unsupported,
        without: Without::Nothing,
        ..endpoint
    }
}

/// Refused where the feature is off: nothing is hidden then.
const fn off(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        without: Without::Nothing,
        ..endpoint
    }
}

const ADMIN: &str = "an administrator's token (read_api, admin_mode)";
const OWNER: &str = "the role Owner of the group (read_api)";
const MAINTAINER: &str = "the role Maintainer of the project (read_api)";

macro_rules! endpoints {
    ($($(#[$meta:meta])* $name:ident = $value:expr;)+) => {
        $($(#[$meta])* pub(crate) const $name: Endpoint = $value;)+
        /// All of them.
        pub(crate) const ENDPOINTS: &[Endpoint] = &[$($name),+];
    };
}

endpoints! {
    /// Names and flags of variables, without their values.
    KEYS = one(list("/graphql", store::GITLAB_VARIABLE, "the role Owner of the group, Maintainer of the project (read_api)", "CI/CD variables"));
    /// Which edition this is.
    METADATA = one(list("/metadata", "edition", "any token (read_api)", "which edition the host is, and so which lists it can have"));
    /// Who one is, and with what.
    USER = one(list("/user", "identity", "any token (read_api, read_user)", "who the token acts as"));
    OWN_TOKEN = one(list("/personal_access_tokens/self", "identity", "a personal, project or group access token", "which scopes the token has"));

    ALL_GROUPS = list("/groups", "groups", "any token (read_api)", "groups");
    ALL_PROJECTS = list("/projects", "repositories", "any token (read_api)", "projects that are not public");
    INSTANCE_VARIABLES = list("/admin/ci/variables", store::GITLAB_VARIABLE, ADMIN, "variables of the instance");
    INSTANCE_TOKENS = list("/personal_access_tokens", "personal access tokens", ADMIN, "personal access tokens of every user");
    INSTANCE_DEPLOY_TOKENS = list("/deploy_tokens", "deploy tokens", ADMIN, "deploy tokens of the instance");
    INSTANCE_APPLICATIONS = list("/applications", "OAuth applications", ADMIN, "OAuth applications of the instance");
    INSTANCE_SERVICE_ACCOUNTS = paid(list("/service_accounts", "service accounts", ADMIN, "service accounts of the instance"));
    INSTANCE_HOOKS = list("/hooks", "webhooks", ADMIN, "system hooks");

    GROUP = one(list("/groups/{group}", "group", "any role in the group (read_api)", "the group"));
    SUBGROUPS = list("/groups/{group}/descendant_groups", "groups", "any role in the group (read_api)", "subgroups that are not public");
    GROUP_PROJECTS = list("/groups/{group}/projects", "repositories", "any role in the group (read_api)", "projects that are not public");
    GROUP_VARIABLES = list("/groups/{group}/variables", store::GITLAB_VARIABLE, OWNER, "variables of groups");
    GROUP_TOKENS = off(list("/groups/{group}/access_tokens", "group access tokens", OWNER, "group access tokens"));
    GROUP_DEPLOY_TOKENS = list("/groups/{group}/deploy_tokens", "deploy tokens", "the role Maintainer of the group (read_api)", "deploy tokens of groups");
    GROUP_HOOKS = paid(list("/groups/{group}/hooks", "webhooks", OWNER, "webhooks of groups"));
    GROUP_MEMBERS = list("/groups/{group}/members", "members", "any role in the group (read_api)", "who answers for a group");
    /// Of top-level groups.
    GROUP_SERVICE_ACCOUNTS = paid(list("/groups/{group}/service_accounts", "service accounts", OWNER, "service accounts of groups"));
    SERVICE_ACCOUNT_TOKENS = paid(list("/groups/{group}/service_accounts/{user}/personal_access_tokens", "service account tokens", OWNER, "tokens of service accounts"));
    /// Of the users that belong to a top-level group (GitLab.com).
    MANAGED_TOKENS = paid(list("/groups/{group}/manage/personal_access_tokens", "personal access tokens", "the role Owner of the top-level group (read_api; Ultimate, GitLab.com)", "personal access tokens of enterprise users"));
    MANAGED_KEYS = paid(list("/groups/{group}/manage/ssh_keys", "SSH keys", "the role Owner of the top-level group (read_api; Ultimate, GitLab.com)", "SSH keys of enterprise users"));

    PROJECT_VARIABLES = off(list("/projects/{project}/variables", store::GITLAB_VARIABLE, MAINTAINER, "variables of projects"));
    PROJECT_TOKENS = off(list("/projects/{project}/access_tokens", "project access tokens", MAINTAINER, "project access tokens"));
    PROJECT_DEPLOY_TOKENS = list("/projects/{project}/deploy_tokens", "deploy tokens", MAINTAINER, "deploy tokens of projects");
    PROJECT_DEPLOY_KEYS = list("/projects/{project}/deploy_keys", "deploy keys", MAINTAINER, "deploy keys");
    PROJECT_TRIGGERS = off(list("/projects/{project}/triggers", "pipeline triggers", MAINTAINER, "pipeline trigger tokens"));
    PROJECT_HOOKS = list("/projects/{project}/hooks", "webhooks", MAINTAINER, "webhooks of projects");
    PROJECT_JOB_TOKEN = one(off(list("/projects/{project}/job_token_scope", "job token scope", MAINTAINER, "which projects' jobs may come in")));
    PROJECT_SCHEDULES = off(list("/projects/{project}/pipeline_schedules", "pipeline schedules", "the role Developer of the project (read_api)", "pipeline schedules"));
    PROJECT_SCHEDULE = one(off(list("/projects/{project}/pipeline_schedules/{schedule}", "variables of schedules", MAINTAINER, "variables of pipeline schedules")));
    PROJECT_SECURE_FILES = paid(list("/projects/{project}/secure_files", store::GITLAB_SECURE_FILE, "the role Developer of the project (read_api)", "secure files"));
    PROJECT_BRANCHES = list("/projects/{project}/protected_branches", "protected branches", "the role Developer of the project (read_api)", "which branches are protected");
    PROJECT_ENVIRONMENTS = off(list("/projects/{project}/environments", "environments", "the role Reporter of the project (read_api)", "environments"));
    PROTECTED_ENVIRONMENTS = paid(list("/projects/{project}/protected_environments", "protected environments", MAINTAINER, "what protects environments"));
    PROJECT_MEMBERS = list("/projects/{project}/members", "members", "any role in the project (read_api)", "who answers for a project");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ENDPOINTS, KEYS};

    /// Paths of docs.gitlab.com/api that answer to `GET`, as they are documented there.
    const DOCUMENTED: &str = include_str!("../../../fixtures/gitlab/endpoints.txt");

    #[test]
    fn every_endpoint_is_documented_as_one_that_is_read() {
        let documented: BTreeSet<&str> = DOCUMENTED
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .collect();
        let mut paths = BTreeSet::new();
        for endpoint in ENDPOINTS.iter().filter(|one| **one != KEYS) {
            assert!(
                paths.insert(endpoint.path),
                "{} stands there twice",
                endpoint.path
            );
            assert!(
                endpoint.needs.contains("read_api") || endpoint.path.ends_with("/self"),
                "{} says no scope",
                endpoint.path
            );
        }
        assert_eq!(
            documented, paths,
            "write fixtures/gitlab/endpoints.txt anew"
        );
    }

    /// Answers to a `GET` that give out a secret, a file or a log.
    #[test]
    fn nothing_is_asked_that_gives_out_secrets() {
        for endpoint in ENDPOINTS {
            for word in [
                "/download",
                "/trace",
                "/artifacts",
                "registration",
                "/raw",
                "/archive",
                "/export",
            ] {
                assert!(!endpoint.path.contains(word), "{}", endpoint.path);
            }
        }
    }
}
