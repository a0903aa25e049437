//! A host with one organisation, and runs against it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use keymuster_api::{Cancel, Connector as _, Cx, Memo, NoProgress, Preflight, SystemId};
use keymuster_github::{GithubConnector, GithubSpec, Login, Values};
use keymuster_http::Patience;
use keymuster_simulator::{Host, Route, Running, Server};
use keymuster_support::{Finder, Told};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) const TOKEN: &str = "t0ken";

/// A host that runs.
pub(crate) struct World {
    pub(crate) host: Arc<Host>,
    pub(crate) server: Server,
    pub(crate) memo: Option<Arc<dyn Memo>>,
    pub(crate) cancel: Cancel,
}

/// What a test changes in a configuration.
pub(crate) type Change<'a> = &'a dyn Fn(&mut GithubSpec);

impl World {
    pub(crate) fn new(host: Host) -> World {
        let Running { host, server } = Running::start(host);
        World {
            host,
            server,
            memo: None,
            cancel: Cancel::new(),
        }
    }

    pub(crate) fn connector(&self, change: Change<'_>) -> GithubConnector {
        let mut spec = GithubSpec {
            organization: "acme".to_owned(),
            base: self.server.address().to_owned(),
            login: Some(Login::Token(Zeroizing::new(TOKEN.to_owned()))),
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
                pages: 100,
            },
        };
        change(&mut spec);
        GithubConnector::new(spec).expect("a connector")
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
        let connector = self.connector(change);
        connector
            .sweep(&self.cx(&self.cancel), &mut told)
            .expect("a sweep");
        told
    }

    pub(crate) fn doctor(&self, change: Change<'_>) -> Result<Preflight, String> {
        let connector = self.connector(change);
        connector
            .doctor(&self.cx(&self.cancel))
            .map_err(|error| error.message)
    }

    /// The address, which differs from run to run.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(self.server.address(), "http://host")
    }
}

pub(crate) fn list(items: Vec<Value>) -> Route {
    Route::List(None, items)
}

pub(crate) fn under(member: &'static str, items: Vec<Value>) -> Route {
    Route::List(Some(member), items)
}

/// A recording's folder.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    (folder, path)
}

/// An organisation with two repositories and one of everything; `CANARY…` in whatever is not to
/// be told.
pub(crate) fn acme() -> Host {
    let mut host = Host {
        token: TOKEN.to_owned(),
        ..Host::default()
    };
    let mut set = |path: &str, route: Route| {
        host.routes.insert(path.to_owned(), route);
    };
    let secret = |name: &str, visibility: &str| json!({"name": name, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2025-01-02T03:04:05Z", "visibility": visibility, "selected_repositories_url": "https://x.test"});
    let plain = |name: &str| json!({"name": name, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2025-01-02T03:04:05Z"});
    set(
        "/orgs/acme",
        Route::One(
            json!({"login": "acme", "default_repository_permission": "write", "two_factor_requirement_enabled": false, "billing_email": "CANARYmail"}),
        ),
    );
    set(
        "/orgs/acme/actions/secrets",
        under(
            "secrets",
            vec![secret("ALL", "all"), secret("SOME", "selected")],
        ),
    );
    set(
        "/orgs/acme/actions/secrets/SOME/repositories",
        under(
            "repositories",
            vec![json!({"full_name": "acme/web", "temp_clone_token": "CANARYclone"})],
        ),
    );
    set(
        "/orgs/acme/actions/variables",
        under(
            "variables",
            vec![
                json!({"name": "REGION", "value": "eu-central-1", "visibility": "all"}),
                json!({"name": "LEAK", "value": "CANARYvariable", "visibility": "all"}),
            ],
        ),
    );
    set(
        "/orgs/acme/dependabot/secrets",
        under("secrets", vec![secret("REGISTRY", "private")]),
    );
    set(
        "/orgs/acme/codespaces/secrets",
        Route::Refuse(403, "Resource not accessible by integration"),
    );
    set(
        "/orgs/acme/actions/permissions",
        Route::One(
            json!({"enabled_repositories": "all", "allowed_actions": "all", "sha_pinning_required": false}),
        ),
    );
    set(
        "/orgs/acme/actions/permissions/workflow",
        Route::One(
            json!({"default_workflow_permissions": "write", "can_approve_pull_request_reviews": true}),
        ),
    );
    set(
        "/orgs/acme/actions/oidc/customization/sub",
        Route::One(json!({"include_claim_keys": ["repo", "context"]})),
    );
    set(
        "/orgs/acme/personal-access-tokens",
        list(vec![
            json!({"id": 1, "token_id": 77, "token_name": "deploy", "owner": {"login": "dora"}, "repository_selection": "all",
               "permissions": {"organization": {}, "repository": {"contents": "write", "metadata": "read", "new_thing": "admin"}},
               "access_granted_at": "2025-05-05T00:00:00Z", "token_expired": false, "token_expires_at": null, "token_last_used_at": null}),
        ]),
    );
    set(
        "/orgs/acme/personal-access-token-requests",
        list(vec![
            json!({"id": 2, "reason": "CANARYreason", "owner": {"login": "eve"}, "repository_selection": "subset", "permissions": {"repository": {"secrets": "write"}}, "created_at": "2026-11-01T00:00:00Z", "token_expires_at": "2027-01-01T00:00:00Z"}),
        ]),
    );
    set(
        "/orgs/acme/credential-authorizations",
        list(vec![
            json!({"login": "dora", "credential_id": 5, "credential_type": "personal access token", "token_last_eight": "CANARY78", "scopes": ["repo", "admin:org"], "credential_accessed_at": "2026-01-01T00:00:00Z", "authorized_credential_expires_at": null, "authorized_credential_note": "laptop"}),
            json!({"login": "dora", "credential_id": 6, "credential_type": "SSH key", "fingerprint": "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", "credential_accessed_at": null}),
        ]),
    );
    set(
        "/orgs/acme/installations",
        under(
            "installations",
            vec![
                json!({"id": 9, "app_slug": "robot", "app_id": 3, "repository_selection": "all", "permissions": {"contents": "write", "administration": "write", "CANARYpermission": "read"}, "events": ["push"], "created_at": "2023-01-01T00:00:00Z", "suspended_at": null, "access_tokens_url": "CANARYurl"}),
            ],
        ),
    );
    set(
        "/orgs/acme/hooks",
        list(vec![
            json!({"id": 11, "active": true, "events": ["push"], "config": {"url": "http://ci.acme.test/h/CANARYpath?token=CANARYtoken", "insecure_ssl": "1", "content_type": "json"}}),
            json!({"id": 12, "active": true, "events": ["*"], "config": {"url": "https://ci.acme.test/", "insecure_ssl": "0", "secret": "********"}, "created_at": "2024-01-01T00:00:00Z"}),
        ]),
    );
    set(
        "/orgs/acme/audit-log",
        list(vec![
            json!({"@timestamp": 1_790_000_000_000_i64, "action": "org.create_actions_secret", "actor": "dora", "key": "ALL", "org": "acme"}),
            json!({"@timestamp": 1_790_000_100_000_i64, "action": "git.clone", "actor": "dora", "hashed_token": "CANARYhash", "programmatic_access_type": "Personal access token (classic)", "token_scopes": "repo,admin:org"}),
            json!({"@timestamp": 1_790_000_200_000_i64, "action": "git.push", "actor": "dora", "hashed_token": "otherhash", "token_id": 77, "programmatic_access_type": "Fine-grained personal access token"}),
        ]),
    );
    set(
        "/orgs/acme/properties/values",
        list(vec![
            json!({"repository_full_name": "acme/web", "properties": [{"property_name": "Owner", "value": "team-web"}, {"property_name": "tier", "value": ["t1", "t2"]}]}),
        ]),
    );
    set(
        "/orgs/acme/repos",
        list(vec![
            json!({"name": "web", "full_name": "acme/web", "visibility": "public", "archived": false, "fork": false, "size": 12, "temp_clone_token": "CANARYclone", "clone_url": "https://evil.test/x.git"}),
            json!({"name": "api", "full_name": "acme/api", "private": true, "archived": true}),
            json!({"name": "..", "full_name": "acme/..", "private": true}),
        ]),
    );
    for repo in ["web", "api"] {
        let mut of = |path: &str, route: Route| {
            host.routes
                .insert(format!("/repos/acme/{repo}{path}"), route);
        };
        let is_web = repo == "web";
        of(
            "/actions/secrets",
            under(
                "secrets",
                if is_web {
                    vec![plain("DEPLOY")]
                } else {
                    vec![]
                },
            ),
        );
        of("/actions/variables", under("variables", vec![]));
        of("/dependabot/secrets", under("secrets", vec![]));
        of("/codespaces/secrets", under("secrets", vec![]));
        of(
            "/agents/secrets",
            under(
                "secrets",
                if is_web { vec![plain("AGENT")] } else { vec![] },
            ),
        );
        of("/hooks", list(vec![]));
        of(
            "/teams",
            list(if is_web {
                vec![
                    json!({"slug": "web", "permission": "admin"}),
                    json!({"slug": "readers", "permission": "pull"}),
                ]
            } else {
                vec![]
            }),
        );
        of(
            "/actions/permissions",
            Route::One(
                json!({"enabled": true, "allowed_actions": "selected", "sha_pinning_required": true}),
            ),
        );
        of(
            "/actions/permissions/workflow",
            Route::One(
                json!({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": false}),
            ),
        );
        of(
            "/environments",
            under(
                "environments",
                if is_web {
                    vec![
                        json!({"name": "production", "protection_rules": [{"type": "required_reviewers", "prevent_self_review": true, "reviewers": [{"type": "User", "reviewer": {"login": "x"}}]}, {"type": "wait_timer", "wait_timer": 30}], "deployment_branch_policy": {"protected_branches": true, "custom_branch_policies": false}}),
                        json!({"name": "a/b c", "protection_rules": null, "deployment_branch_policy": null}),
                    ]
                } else {
                    vec![]
                },
            ),
        );
        of(
            "/keys",
            list(vec![
                json!({"id": 21, "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "title": "ci", "read_only": false, "verified": true, "created_at": "2020-01-01T00:00:00Z", "last_used": null, "added_by": "ghost", "enabled": true}),
            ]),
        );
    }
    let mut set = |path: &str, route: Route| {
        host.routes.insert(path.to_owned(), route);
    };
    set(
        "/repos/acme/web/environments/production/secrets",
        under("secrets", vec![plain("DEPLOY")]),
    );
    set(
        "/repos/acme/web/environments/production/variables",
        under("variables", vec![]),
    );
    set(
        "/repos/acme/web/environments/a%2Fb%20c/secrets",
        under("secrets", vec![plain("SLASH")]),
    );
    set(
        "/repos/acme/web/environments/a%2Fb%20c/variables",
        under("variables", vec![]),
    );
    host.bulk = vec![
        json!({"nameWithOwner": "acme/web", "deployKeys": {"totalCount": 1}, "environments": {"totalCount": 2}, "githubOwners": {"text": "* @acme/web # CANARYcomment\n", "isTruncated": false}, "rootOwners": {"text": "* @acme/wrong"}}),
        json!({"nameWithOwner": "acme/api", "deployKeys": {"totalCount": 0}, "environments": {"totalCount": 0}, "rootOwners": {"text": "* @acme/api"}}),
        null(),
    ];
    host
}

fn null() -> Value {
    Value::Null
}
