//! A group of 120 projects in three subgroups with planted defects, each with a twin that
//! differs in what makes it one; and the register and directory it is held against.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_simulator::{Dialect, Host, Route};
use serde_json::{Value, json};

use crate::{hosts::Pairs, world::secret};

/// How many projects there are.
pub(super) const PROJECTS: usize = 120;
/// The run's point in time.
pub(super) const NOW: &str = "2026-11-27T00:00:00Z";
/// In everything that is not to be told.
pub(super) const CANARY: &str = "Zx9CanaryQ7";

/// An estate: what the host has, what the register says, what must be found.
pub(super) struct Estate {
    pub(super) host: Host,
    pub(super) register: String,
    pub(super) expected: Pairs,
    /// How many defects were planted, and of which kinds.
    pub(super) defects: usize,
    pub(super) kinds: BTreeSet<String>,
    /// Values of variables that are tokens.
    pub(super) secrets: Vec<String>,
    project: usize,
    id: u64,
    lists: BTreeMap<String, Vec<Value>>,
}

/// Whether something is a defect, or its twin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Defect,
    Twin,
}

fn ago(what: &str) -> &'static str {
    match what {
        "yesterday" => "2026-11-26T08:00:00Z",
        "20" => "2026-11-07T00:00:00Z",
        "60" => "2026-09-28T00:00:00Z",
        "800" => "2024-09-18T00:00:00Z",
        "in 50" => "2027-01-16",
        _ => panic!("no date: {what}"),
    }
}

/// The number and the path of a project.
pub(super) fn project(n: usize) -> (u64, String) {
    let group = ["", "pay/", "pay/core/", "web/"][n % 4];
    (1000 + n as u64, format!("acme/{group}p{n:03}"))
}

impl Estate {
    pub(super) fn new(token: &str) -> Estate {
        let mut estate = Estate {
            host: Host {
                dialect: Dialect::GitLab,
                prefix: "/api/v4",
                token: token.to_owned(),
                ..Host::default()
            },
            register: "Record ID,Name,Type,Repo path,System,Owner,Purpose,Approved by,Approved at,Status,Reason for no expiry,Revocation path\n".to_owned(),
            expected: Pairs::new(),
            defects: 0,
            kinds: BTreeSet::new(),
            secrets: Vec::new(),
            project: 0,
            id: 5000,
            lists: BTreeMap::new(),
        };
        estate.quiet();
        // Twice each: a find may be luck.
        for _ in 0..2 {
            for side in [Side::Defect, Side::Twin] {
                estate.slots(side);
                estate.tokens(side);
                estate.keys_and_others(side);
                estate.flags(side);
                estate.dates(side);
            }
        }
        for (path, items) in std::mem::take(&mut estate.lists) {
            estate.host.routes.insert(path, Route::List(None, items));
        }
        estate
    }

    /// The next project that is nobody's yet.
    fn next(&mut self) -> (u64, String) {
        // They lie apart, on several pages.
        self.project += 7;
        project(self.project % PROJECTS)
    }

    fn number(&mut self) -> u64 {
        self.id += 1;
        self.id
    }

    pub(super) fn list(&mut self, path: &str, item: Value) {
        self.lists.entry(path.to_owned()).or_default().push(item);
    }

    /// One row of the register.
    fn record(&mut self, key: &str, reason: &str) {
        let id = self.number();
        self.register.push_str(&format!(
            "R-{id},record {id},,{key},system-{id},alice@acme.test,serves system {id},carol@acme.test,2026-01-05,active,{reason},runbook://{id}\n"
        ));
    }

    /// A defect must be found by these checks; its twin by none.
    fn plant(&mut self, side: Side, kind: &str, key: &str, checks: &[&str]) {
        if side == Side::Defect {
            self.defects += 1;
            self.kinds.insert(kind.to_owned());
            for check in checks {
                self.expected.insert(((*check).to_owned(), key.to_owned()));
            }
        }
    }

    /// Something that nobody registered, and its twin that somebody did.
    fn unregistered(&mut self, side: Side, kind: &str, key: &str, also: &[&str]) {
        let checks: Vec<&str> = ["INV-01"].into_iter().chain(also.iter().copied()).collect();
        self.plant(side, kind, key, &checks);
        if side == Side::Twin {
            self.record(key, "vendor offers none");
        }
    }

    /// What every instance has, and what answers to every list.
    fn quiet(&mut self) {
        let mut one = |path: &str, value: Value| {
            self.host.routes.insert(path.to_owned(), Route::One(value));
        };
        one(
            "/metadata",
            json!({"version": "18.5.0-ee", "enterprise": true}),
        );
        one(
            "/groups/acme",
            json!({"id": 1, "full_path": "acme", "parent_id": null, "visibility": "private", "runners_token": CANARY}),
        );
        for path in [
            "/admin/ci/variables",
            "/personal_access_tokens",
            "/deploy_tokens",
            "/applications",
            "/service_accounts",
            "/hooks",
            "/groups/1/service_accounts",
            "/groups/1/manage/personal_access_tokens",
            "/groups/1/manage/ssh_keys",
        ] {
            self.lists.insert(path.to_owned(), Vec::new());
        }
        let groups = ["acme", "acme/pay", "acme/pay/core", "acme/web"];
        for (n, path) in groups.iter().enumerate() {
            let id = n + 1;
            if n > 0 {
                self.list(
                    "/groups/acme/descendant_groups",
                    json!({"id": id, "full_path": path, "parent_id": 1}),
                );
            }
            for what in [
                "variables",
                "access_tokens",
                "deploy_tokens",
                "hooks",
                "members",
            ] {
                self.lists
                    .insert(format!("/groups/{id}/{what}"), Vec::new());
            }
            let members = format!("/groups/{id}/members");
            self.list(&members, json!({"id": 3, "username": "alice", "state": "active", "access_level": 50, "email": CANARY}));
            let variables = format!("/groups/{id}/variables");
            self.host.variables.insert((*path).to_owned(), variables);
        }
        let variables = "/admin/ci/variables".to_owned();
        self.host.variables.insert(String::new(), variables);
        for n in 0..PROJECTS {
            let (id, path) = project(n);
            self.list("/groups/acme/projects", json!({
                "id": id, "path_with_namespace": path, "visibility": "private", "default_branch": "main", "archived": false,
                "runners_token": CANARY, "import_url": CANARY, "description": "=cmd|' /C calc'!A0 <script>",
            }));
            for what in [
                "variables",
                "access_tokens",
                "deploy_tokens",
                "deploy_keys",
                "triggers",
                "hooks",
                "pipeline_schedules",
                "secure_files",
                "environments",
                "protected_environments",
                "members",
            ] {
                self.lists
                    .insert(format!("/projects/{id}/{what}"), Vec::new());
            }
            self.list(&format!("/projects/{id}/protected_branches"), json!({"id": id, "name": "main", "push_access_levels": [{"access_level": 40}], "allow_force_push": false}));
            let scope = Route::One(json!({"inbound_enabled": true, "outbound_enabled": false}));
            self.host
                .routes
                .insert(format!("/projects/{id}/job_token_scope"), scope);
            let variables = format!("/projects/{id}/variables");
            self.host.variables.insert(path.clone(), variables.clone());
            // What every project has is in order.
            self.list(
                &variables,
                variable("DEPLOY_TOKEN", &format!("{CANARY}{path}"), true, true, "*"),
            );
            self.list(
                &variables,
                variable("REGION", "eu-central-1", false, false, "*"),
            );
            self.record(
                &format!("127.0.0.1:{path}:gitlab.variable:DEPLOY_TOKEN"),
                "vendor offers none",
            );
        }
    }

    fn slots(&mut self, side: Side) {
        let name = format!("INSTANCE_TOKEN_{}", self.number());
        self.list(
            "/admin/ci/variables",
            variable(&name, &format!("{CANARY}{name}"), true, true, "*"),
        );
        let key = format!("127.0.0.1::gitlab.variable:{name}");
        self.unregistered(side, "variable of the instance", &key, &[]);
        let name = format!("GROUP_TOKEN_{}", self.number());
        self.list(
            "/groups/3/variables",
            variable(&name, &format!("{CANARY}{name}"), true, true, "*"),
        );
        let key = format!("127.0.0.1:acme/pay/core:gitlab.variable:{name}");
        self.unregistered(side, "variable of a group", &key, &[]);
        for (pattern, place) in [("*", ""), ("review/*", "@review/*")] {
            let ((id, path), name) = (self.next(), format!("API_KEY_{}", self.number()));
            self.list(
                &format!("/projects/{id}/variables"),
                variable(&name, &format!("{CANARY}{name}"), true, true, pattern),
            );
            let key = format!("127.0.0.1:{path}{place}:gitlab.variable:{name}");
            self.unregistered(
                side,
                &format!("variable of a project for {pattern}"),
                &key,
                &[],
            );
        }
        let ((id, path), n) = (self.next(), self.number());
        self.list(&format!("/projects/{id}/secure_files"), json!({"id": n, "name": format!("{n}.jks"), "checksum": CANARY, "created_at": ago("20"), "expires_at": null}));
        let key = format!("127.0.0.1:{path}:gitlab.secure-file:{n}.jks");
        self.unregistered(side, "secure file", &key, &[]);
        // A variable that holds a token, and one that holds a word.
        let ((id, path), name) = (self.next(), format!("COLOUR_{}", self.number()));
        let value = match side {
            Side::Defect => secret("{github-token:ghp_}", self.id),
            Side::Twin => "blue".to_owned(),
        };
        self.list(
            &format!("/projects/{id}/variables"),
            variable(&name, &value, false, true, "*"),
        );
        if side == Side::Defect {
            self.secrets.push(value);
        }
        let key = format!("127.0.0.1:{path}:gitlab.variable:{name}");
        self.plant(
            side,
            "credential in a variable of another name",
            &key,
            &["INV-01", "EXP-02"],
        );
        // Variables of schedules can be neither masked nor protected.
        let ((id, path), n) = (self.next(), self.number());
        let name = if side == Side::Defect {
            "PASSWORD"
        } else {
            "MODE"
        };
        let of = json!({"id": n, "description": "nightly", "active": true, "owner": {"id": 3, "username": "alice"}, "created_at": ago("20")});
        self.list(&format!("/projects/{id}/pipeline_schedules"), of.clone());
        let mut whole = of;
        whole["variables"] =
            json!([{"key": name, "variable_type": "env_var", "value": format!("{CANARY}{n}")}]);
        self.host.routes.insert(
            format!("/projects/{id}/pipeline_schedules/{n}"),
            Route::One(whole),
        );
        let key = format!("127.0.0.1:{path}#schedule-{n}:gitlab.variable:{name}");
        self.plant(side, "secret in a schedule", &key, &["INV-01", "EXP-02"]);
    }

    /// An access token; gives its key here.
    fn token(
        &mut self,
        place: &str,
        user: u64,
        made: &str,
        ends: Option<&str>,
        used: Option<&str>,
    ) -> String {
        let id = self.number();
        self.list(place, json!({"id": id, "name": format!("token {id}"), "scopes": ["read_api"], "user_id": user, "access_level": 20, "revoked": false, "active": true, "created_at": ago(made), "expires_at": ends.map(ago), "last_used_at": used.map(ago), "token": CANARY}));
        format!("127.0.0.1:access-token:{id}")
    }

    fn tokens(&mut self, side: Side) {
        let (ends, used) = (Some("in 50"), Some("yesterday"));
        let key = self.token("/groups/2/access_tokens", 600, "20", ends, used);
        self.unregistered(side, "group access token", &key, &[]);
        let (id, _) = self.next();
        let key = self.token(
            &format!("/projects/{id}/access_tokens"),
            601,
            "20",
            ends,
            used,
        );
        self.unregistered(side, "project access token", &key, &[]);
        let key = self.token("/personal_access_tokens", 3, "20", ends, used);
        self.unregistered(side, "personal access token", &key, &[]);
        let user = self.number();
        self.list(
            "/groups/1/service_accounts",
            json!({"id": user, "username": format!("sa-{user}"), "name": "Service account"}),
        );
        let place = format!("/groups/1/service_accounts/{user}/personal_access_tokens");
        let key = self.token(&place, user, "20", ends, used);
        self.unregistered(side, "service account token", &key, &[]);
        let key = self.deploy_token("/groups/4/deploy_tokens", ends);
        self.unregistered(side, "deploy token", &key, &[]);
    }

    fn deploy_token(&mut self, place: &str, ends: Option<&str>) -> String {
        let id = self.number();
        self.list(place, json!({"id": id, "name": format!("pull {id}"), "username": format!("gitlab+deploy-token-{id}"), "expires_at": ends.map(ago), "revoked": false, "expired": false, "scopes": ["read_registry"], "token": CANARY}));
        format!("127.0.0.1:deploy-token:{id}")
    }

    fn deploy_key(&mut self, ends: Option<&str>, used: Option<&str>) -> String {
        let (project, _) = self.next();
        let id = self.number();
        // No key: what is published of one, drawn from a number.
        let print = format!(
            "SHA256:{:0>43}",
            format!("{:x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        );
        self.list(&format!("/projects/{project}/deploy_keys"), json!({"id": id, "key": print, "title": format!("key {id}"), "created_at": ago("60"), "expires_at": ends.map(ago), "last_used_at": used.map(ago), "can_push": false}));
        format!("127.0.0.1:deploy-key:{id}")
    }

    fn keys_and_others(&mut self, side: Side) {
        let key = self.deploy_key(Some("in 50"), Some("yesterday"));
        self.unregistered(side, "deploy key", &key, &[]);
        let ((project, _), id) = (self.next(), self.number());
        self.list(&format!("/projects/{project}/triggers"), json!({"id": id, "description": format!("trigger {id}"), "token": "6d05", "created_at": ago("20"), "expires_at": ago("in 50"), "last_used": ago("yesterday"), "owner": {"id": 3, "username": "alice"}}));
        let key = format!("127.0.0.1:pipeline-trigger:{id}");
        self.unregistered(side, "pipeline trigger", &key, &[]);
        let id = self.number();
        self.list("/applications", json!({"id": id, "application_id": format!("client-{id}"), "application_name": format!("app {id}"), "callback_url": format!("https://app.acme.test/{CANARY}"), "confidential": true, "secret": CANARY}));
        let key = format!("127.0.0.1:application:{id}");
        self.unregistered(side, "OAuth application", &key, &["LIF-02"]);
        let ((project, _), id) = (self.next(), self.number());
        self.list(&format!("/projects/{project}/hooks"), json!({"id": id, "url": format!("https://ci.acme.test/{CANARY}?key={CANARY}"), "enable_ssl_verification": true, "push_events": true, "custom_headers": [{"key": "Authorization", "value": CANARY}], "created_at": ago("20")}));
        let key = format!("127.0.0.1:webhook:{id}");
        self.unregistered(side, "hidden header of a webhook", &key, &[]);
    }

    fn flags(&mut self, side: Side) {
        let is = side == Side::Defect;
        for (kind, masked, protected) in [
            ("variable that is not masked", !is, true),
            ("variable that is not protected", true, !is),
        ] {
            let ((id, path), name) = (self.next(), format!("PASSWORD_{}", self.number()));
            self.list(
                &format!("/projects/{id}/variables"),
                variable(&name, &format!("{CANARY}{name}"), masked, protected, "*"),
            );
            let key = format!("127.0.0.1:{path}:gitlab.variable:{name}");
            self.record(&key, "vendor offers none");
            self.plant(side, kind, &key, &["EXP-02"]);
        }
    }

    fn dates(&mut self, side: Side) {
        let is = side == Side::Defect;
        let (id, _) = self.next();
        let place = format!("/projects/{id}/access_tokens");
        let ends = if is { None } else { Some("in 50") };
        let key = self.token(&place, 602, "20", ends, Some("yesterday"));
        self.record(&key, "");
        self.plant(side, "access token without end", &key, &["LIF-02"]);
        let used = if is { "60" } else { "20" };
        let key = self.token(
            "/personal_access_tokens",
            3,
            "60",
            Some("in 50"),
            Some(used),
        );
        self.record(&key, "");
        self.plant(side, "personal access token unused", &key, &["LIF-06"]);
        let key = self.deploy_key(Some("in 50"), if is { None } else { Some("yesterday") });
        self.record(&key, "");
        self.plant(side, "deploy key never used", &key, &["LIF-06"]);
        let key = self.deploy_token("/groups/1/deploy_tokens", ends);
        self.record(&key, "");
        self.plant(side, "deploy token without end", &key, &["LIF-02"]);
        let ((id, path), n) = (self.next(), self.number());
        let made = ago(if is { "800" } else { "20" });
        self.list(&format!("/projects/{id}/secure_files"), json!({"id": n, "name": format!("{n}.p12"), "checksum": CANARY, "created_at": made, "expires_at": null}));
        let key = format!("127.0.0.1:{path}:gitlab.secure-file:{n}.p12");
        self.record(&key, "vendor offers none");
        self.plant(side, "secure file never replaced", &key, &["LIF-03"]);
    }
}

fn variable(name: &str, value: &str, masked: bool, protected: bool, pattern: &str) -> Value {
    json!({"key": name, "value": value, "variable_type": "env_var", "protected": protected, "masked": masked, "hidden": false, "raw": false, "environment_scope": pattern, "description": CANARY})
}

/// Everybody is there.
pub(super) fn people() -> &'static str {
    "id,name,mail,team,manager,status,end date\n\
     p1,Alice Moreau,alice@acme.test,platform,p3,active,\n\
     p3,Carol Ruiz,carol@acme.test,platform,,active,\n"
}
