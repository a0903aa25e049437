//! A host with one group, and runs against it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use keymuster_api::{Cancel, Connector as _, Cx, Memo, NoProgress, Preflight, SystemId};
use keymuster_gitlab::{GitlabConnector, GitlabSpec, Values};
use keymuster_http::Patience;
use keymuster_simulator::{Dialect, Host, Route, Running};
use keymuster_support::{Finder, Told};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) const TOKEN: &str = "t0ken";
/// GitLab.com's own host key, which it publishes, and its fingerprint.
pub(crate) const PUBLIC: (&str, &str) = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf",
    "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
);

/// A host that runs.
pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) memo: Option<Arc<dyn Memo>>,
    pub(crate) cancel: Cancel,
}

/// What a test changes in a configuration.
pub(crate) type Change<'a> = &'a dyn Fn(&mut GitlabSpec);

impl World {
    pub(crate) fn new(host: Host) -> World {
        World {
            running: Running::start(host),
            memo: None,
            cancel: Cancel::new(),
        }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.running.host
    }

    pub(crate) fn connector(&self, change: Change<'_>) -> Result<GitlabConnector, String> {
        let mut spec = GitlabSpec {
            group: Some("acme".to_owned()),
            base: format!("{}/api/v4", self.running.address()),
            token: Some(Zeroizing::new(TOKEN.to_owned())),
            instance: true,
            values: Values::Never,
            leave_out: Vec::new(),
            clones: true,
            record: None,
            replay: None,
            patience: Patience {
                attempts: 4,
                pauses: 20,
                first: Duration::from_millis(1),
                longest: Duration::from_secs(5),
                pages: 1000,
            },
        };
        change(&mut spec);
        GitlabConnector::new(spec)
    }

    fn cx<'a>(&'a self, cancel: &'a Cancel) -> Cx<'a> {
        Cx {
            system: SystemId(0),
            now: "2026-11-27T00:00:00Z".parse().expect("a time"),
            jobs: 1,
            max_memory: 1 << 30,
            cancel,
            progress: &NoProgress,
            redactor: &Finder,
            memo: self.memo.as_ref(),
        }
    }

    pub(crate) fn sweep(&self, change: Change<'_>) -> Told {
        let mut told = Told::default();
        let connector = self.connector(change).expect("a connector");
        connector
            .sweep(&self.cx(&self.cancel), &mut told)
            .expect("a sweep");
        told
    }

    pub(crate) fn doctor(&self, change: Change<'_>) -> Result<Preflight, String> {
        let connector = self.connector(change).expect("a connector");
        connector
            .doctor(&self.cx(&self.cancel))
            .map_err(|error| error.message)
    }

    /// A text without the address, which differs from run to run.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(self.running.address(), "http://host")
    }
}

pub(crate) fn list(items: Vec<Value>) -> Route {
    Route::List(None, items)
}

/// A recording's folder.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    (folder, path)
}

/// A project as it is listed; `CANARY…` in whatever is not to be told.
pub(crate) fn project(id: u64, path: &str) -> Value {
    json!({
        "id": id, "path_with_namespace": path, "visibility": "private", "default_branch": "main",
        "archived": false, "empty_repo": false, "repository_access_level": "enabled", "public_jobs": true,
        "runners_token": "CANARYrunners", "import_url": "https://u:CANARYimport@x.test/y.git",
        "http_url_to_repo": "https://evil.test/x.git", "ci_allow_fork_pipelines_to_run_in_parent_project": id == 11,
        "ci_pipeline_variables_minimum_override_role": "developer",
    })
}

/// Everything that is asked of a project, and is empty.
pub(crate) fn quiet(host: &mut Host, id: u64, path: &str) {
    for what in [
        "variables",
        "access_tokens",
        "deploy_tokens",
        "deploy_keys",
        "triggers",
        "hooks",
        "pipeline_schedules",
        "secure_files",
        "protected_branches",
        "environments",
        "protected_environments",
        "members",
    ] {
        let route = format!("/projects/{id}/{what}");
        host.routes.insert(route, list(vec![]));
    }
    let scope = Route::One(json!({"inbound_enabled": true, "outbound_enabled": false}));
    host.routes
        .insert(format!("/projects/{id}/job_token_scope"), scope);
    let variables = format!("/projects/{id}/variables");
    host.variables.insert(path.to_owned(), variables);
}

fn token(id: u64, name: &str, user: u64) -> Value {
    json!({"id": id, "name": name, "scopes": ["api"], "user_id": user, "access_level": 40, "revoked": false, "active": true,
           "created_at": "2026-01-02T03:04:05.000Z", "expires_at": "2027-01-02", "last_used_at": null, "token": "CANARYtoken", "description": "CANARYdescription"})
}

fn variable(key: &str, value: &str, more: Value) -> Value {
    let mut of = json!({"key": key, "value": value, "variable_type": "env_var", "protected": false, "masked": false, "hidden": false, "raw": false, "environment_scope": "*", "description": "CANARYdescription"});
    for (name, value) in more.as_object().into_iter().flatten() {
        of[name] = value.clone();
    }
    of
}

/// A group with a subgroup and two projects, and one of everything.
pub(crate) fn acme() -> Host {
    let mut host = Host {
        dialect: Dialect::GitLab,
        prefix: "/api/v4",
        token: TOKEN.to_owned(),
        ..Host::default()
    };
    quiet(&mut host, 11, "acme/web");
    quiet(&mut host, 12, "acme/team/api");
    let mut set = |path: &str, route: Route| {
        host.routes.insert(path.to_owned(), route);
    };
    set(
        "/metadata",
        Route::One(
            json!({"version": "18.5.0-ee", "enterprise": true, "kas": {"externalUrl": "CANARYkas"}}),
        ),
    );
    set(
        "/user",
        Route::One(
            json!({"id": 1, "username": "auditor", "is_admin": true, "private_email": "CANARYmail"}),
        ),
    );
    set(
        "/personal_access_tokens/self",
        Route::One(json!({"id": 90, "scopes": ["read_api", "read_repository"]})),
    );
    set(
        "/admin/ci/variables",
        list(vec![
            json!({"key": "REGISTRY_TOKEN", "value": "CANARYinstance", "variable_type": "file", "protected": true, "masked": true}),
        ]),
    );
    set(
        "/personal_access_tokens",
        list(vec![
            token(51, "bot", 701),
            token(61, "laptop", 3),
            token(71, "deploy", 42),
            token(81, "runner", 43),
        ]),
    );
    set("/deploy_tokens", list(vec![]));
    set(
        "/applications",
        list(vec![
            json!({"id": 5, "application_id": "client-id-of-grafana", "application_name": "grafana", "callback_url": "http://grafana.acme.test/login/CANARYpath?x=CANARYquery\nhttps://b.acme.test/", "confidential": true, "secret": "CANARYapp"}),
        ]),
    );
    set(
        "/service_accounts",
        list(vec![
            json!({"id": 43, "username": "sa-runner", "name": "Runner"}),
        ]),
    );
    set(
        "/hooks",
        list(vec![
            json!({"id": 31, "url": "https://siem.acme.test/CANARYpath", "enable_ssl_verification": true, "push_events": true}),
        ]),
    );
    set(
        "/groups/acme",
        Route::One(
            json!({"id": 1, "full_path": "acme", "parent_id": null, "visibility": "private", "require_two_factor_authentication": false, "runners_token": "CANARYgroup", "projects": [{"runners_token": "CANARYgroup"}]}),
        ),
    );
    set(
        "/groups/acme/descendant_groups",
        list(vec![
            json!({"id": 2, "full_path": "acme/team", "parent_id": 1, "visibility": "private"}),
        ]),
    );
    set(
        "/groups/acme/projects",
        list(vec![
            project(11, "acme/web"),
            project(12, "acme/team/api"),
            project(13, "acme/../x"),
        ]),
    );
    set(
        "/groups/1/variables",
        list(vec![
            variable(
                "AWS_SECRET_ACCESS_KEY",
                "CANARYaws",
                json!({"masked": true, "protected": true, "environment_scope": "prod*"}),
            ),
            variable("REGION", "eu-central-1", json!({})),
        ]),
    );
    set(
        "/groups/1/access_tokens",
        list(vec![token(41, "group bot", 601)]),
    );
    set(
        "/groups/1/deploy_tokens",
        list(vec![
            json!({"id": 21, "name": "pull", "username": "gitlab+deploy-token-21", "expires_at": null, "revoked": false, "expired": false, "scopes": ["read_registry"], "token": "CANARYdeploy"}),
        ]),
    );
    set("/groups/1/hooks", list(vec![]));
    set(
        "/groups/1/members",
        list(vec![
            json!({"id": 3, "username": "dora", "state": "active", "access_level": 50, "email": "CANARYmail"}),
            json!({"id": 601, "username": "group_1_bot_ab", "state": "active", "access_level": 40, "created_by": {"id": 3, "username": "dora"}}),
        ]),
    );
    set(
        "/groups/1/service_accounts",
        list(vec![
            json!({"id": 42, "username": "sa-deploy", "name": "Deploy"}),
        ]),
    );
    set(
        "/groups/1/service_accounts/42/personal_access_tokens",
        list(vec![token(71, "deploy", 42)]),
    );
    set(
        "/groups/1/manage/personal_access_tokens",
        Route::Refuse(404, "404 Not Found"),
    );
    set(
        "/groups/1/manage/ssh_keys",
        list(vec![
            json!({"id": 15, "title": "laptop", "key": PUBLIC.0, "user_id": 3, "created_at": "2020-01-01T00:00:00Z", "expires_at": null, "last_used_at": null}),
        ]),
    );
    for path in ["variables", "access_tokens", "deploy_tokens", "members"] {
        set(&format!("/groups/2/{path}"), list(vec![]));
    }
    set(
        "/projects/11/variables",
        list(vec![
            variable("DEPLOY_TOKEN", "CANARYvariable", json!({})),
            variable(
                "DEPLOY_TOKEN",
                "CANARYother",
                json!({"environment_scope": "review/*", "masked": true}),
            ),
            variable(
                "HIDDEN",
                "",
                json!({"hidden": true, "masked": true, "value": null}),
            ),
        ]),
    );
    set(
        "/projects/11/access_tokens",
        list(vec![token(51, "bot", 701)]),
    );
    set(
        "/projects/11/deploy_keys",
        list(vec![
            json!({"id": 7, "title": "ci", "key": PUBLIC.0, "fingerprint_sha256": PUBLIC.1, "created_at": "2020-01-01T00:00:00Z", "expires_at": null, "can_push": true}),
        ]),
    );
    set(
        "/projects/12/deploy_keys",
        list(vec![
            json!({"id": 7, "title": "ci", "key": PUBLIC.0, "created_at": "2020-01-01T00:00:00Z", "expires_at": null, "can_push": false, "last_used_at": "2026-11-01T00:00:00Z"}),
        ]),
    );
    set(
        "/projects/11/triggers",
        list(vec![
            json!({"id": 10, "description": "from outside", "token": "whole-token-of-a-trigger-CANARYtrigger", "created_at": "2016-01-07T09:53:58.235Z", "last_used": null, "owner": {"id": 3, "username": "dora"}}),
            json!({"id": 9, "description": "of others", "token": "6d05", "created_at": "2016-01-07T09:53:58.235Z", "last_used": "2026-11-20T00:00:00Z", "owner": null}),
        ]),
    );
    set(
        "/projects/11/hooks",
        list(vec![
            json!({"id": 32, "url": "http://ci.acme.test/h/CANARYpath?token=CANARYtoken", "enable_ssl_verification": false, "push_events": true, "tag_push_events": false, "token": "CANARYhook"}),
            json!({"id": 33, "url": "https://ci.acme.test/", "enable_ssl_verification": true, "custom_headers": [{"key": "X-Api-Key", "value": "CANARYheader"}, {"key": "X-Trace"}], "created_at": "2024-01-01T00:00:00Z"}),
        ]),
    );
    set(
        "/projects/11/job_token_scope",
        Route::One(json!({"inbound_enabled": false, "outbound_enabled": false})),
    );
    set(
        "/projects/11/pipeline_schedules",
        list(vec![
            json!({"id": 4, "description": "nightly", "active": true, "owner": {"id": 3, "username": "dora"}, "created_at": "2025-01-01T00:00:00Z"}),
        ]),
    );
    set(
        "/projects/11/pipeline_schedules/4",
        Route::One(
            json!({"id": 4, "description": "nightly", "active": true, "owner": {"id": 3, "username": "dora"}, "variables": [{"key": "NIGHTLY_PASSWORD", "variable_type": "env_var", "value": "CANARYnightly"}]}),
        ),
    );
    set(
        "/projects/11/secure_files",
        list(vec![
            json!({"id": 8, "name": "release.jks", "checksum": "CANARYchecksum", "created_at": "2025-02-22T22:22:22.222Z", "expires_at": null}),
        ]),
    );
    set(
        "/projects/11/protected_branches",
        list(vec![
            json!({"id": 1, "name": "ma*", "push_access_levels": [{"access_level": 30}], "allow_force_push": true, "code_owner_approval_required": false}),
        ]),
    );
    set(
        "/projects/11/environments",
        list(vec![
            json!({"id": 1, "name": "production", "state": "available", "tier": "production", "external_url": "https://CANARYenv.test"}),
            json!({"id": 2, "name": "review/a", "state": "available", "tier": "development"}),
        ]),
    );
    set(
        "/projects/11/protected_environments",
        list(vec![
            json!({"name": "production", "deploy_access_levels": [{"access_level": 40}], "required_approval_count": 0, "approval_rules": [{"required_approvals": 2}]}),
        ]),
    );
    set(
        "/projects/11/members",
        list(vec![
            json!({"id": 4, "username": "carl", "state": "active", "access_level": 40}),
            json!({"id": 701, "username": "project_11_bot_cd", "state": "active", "access_level": 40, "created_by": {"id": 4, "username": "carl"}}),
        ]),
    );
    // Secure files are off at the other project, and its environments cannot be protected.
    set(
        "/projects/12/secure_files",
        Route::Refuse(403, "403 Forbidden"),
    );
    host.routes.remove("/projects/12/protected_environments");
    host.routes.remove("/groups/2/hooks");
    host.variables
        .insert("acme".to_owned(), "/groups/1/variables".to_owned());
    host.variables
        .insert("acme/team".to_owned(), "/groups/2/variables".to_owned());
    host.variables
        .insert(String::new(), "/admin/ci/variables".to_owned());
    host
}
