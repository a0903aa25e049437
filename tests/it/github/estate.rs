//! An organisation of 300 repositories with planted defects, each with a twin that differs in
//! what makes it one; and the register and directory it is held against.

use std::collections::BTreeSet;

use keymuster_simulator::{Host, Route};
use serde_json::{Value, json};

use crate::{hosts::Pairs, world::secret};

/// How many repositories there are.
pub(super) const REPOSITORIES: usize = 300;
/// The run's point in time.
pub(super) const NOW: &str = "2026-11-27T00:00:00Z";
/// In everything that is not to be told.
pub(super) const CANARY: &str = "Zx9CanaryQ7";

/// An estate: what the host has, what the register says, what must be found.
pub(super) struct Estate {
    pub(super) host: Host,
    pub(super) register: String,
    pub(super) expected: Pairs,
    /// How many defects were planted, and how many kinds they are of.
    pub(super) defects: usize,
    pub(super) kinds: BTreeSet<String>,
    repository: usize,
    id: u64,
    lists: std::collections::BTreeMap<String, (Option<&'static str>, Vec<Value>)>,
    bulk: std::collections::BTreeMap<String, (u64, u64)>,
}

/// Whether something is a defect, or its twin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Defect,
    Twin,
}

const DAYS_AGO: [(&str, &str); 6] = [
    ("yesterday", "2026-11-26T08:00:00Z"),
    ("20", "2026-11-07T00:00:00Z"),
    ("60", "2026-09-28T00:00:00Z"),
    ("200", "2026-05-11T00:00:00Z"),
    ("800", "2024-09-18T00:00:00Z"),
    ("in 50", "2027-01-16T00:00:00Z"),
];

fn ago(what: &str) -> &'static str {
    DAYS_AGO
        .iter()
        .find(|(name, _)| *name == what)
        .expect("a date")
        .1
}

impl Estate {
    pub(super) fn new(token: &str) -> Estate {
        let mut estate = Estate {
            host: Host {
                token: token.to_owned(),
                ..Host::default()
            },
            register: "Record ID,Name,Type,Repo path,System,Owner,Purpose,Approved by,Approved at,Status,Reason for no expiry,Revocation path\n".to_owned(),
            expected: Pairs::new(),
            defects: 0,
            kinds: BTreeSet::new(),
            repository: 0,
            id: 1000,
            lists: Default::default(),
            bulk: Default::default(),
        };
        estate.quiet();
        // Twice each: a find may be luck.
        for _ in 0..2 {
            for side in [Side::Defect, Side::Twin] {
                estate.slots(side);
                estate.keys_and_hooks(side);
                estate.tokens(side);
                estate.dates(side);
            }
        }
        estate.finish();
        estate
    }

    /// The next repository that is nobody's yet.
    fn next(&mut self) -> String {
        // They lie apart, on several pages.
        self.repository += 7;
        format!("acme/r{:03}", self.repository % REPOSITORIES)
    }

    fn number(&mut self) -> u64 {
        self.id += 1;
        self.id
    }

    fn list(&mut self, path: &str, member: Option<&'static str>, item: Value) {
        let list = self
            .lists
            .entry(path.to_owned())
            .or_insert((member, Vec::new()));
        list.1.push(item);
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

    /// What every organisation has, and what answers to every list.
    fn quiet(&mut self) {
        let routes = &mut self.host.routes;
        let mut one = |path: &str, value: Value| {
            routes.insert(path.to_owned(), Route::One(value));
        };
        one(
            "/orgs/acme",
            json!({"login": "acme", "description": CANARY}),
        );
        one(
            "/orgs/acme/actions/permissions",
            json!({"allowed_actions": "selected"}),
        );
        one(
            "/orgs/acme/actions/permissions/workflow",
            json!({"default_workflow_permissions": "read"}),
        );
        one(
            "/orgs/acme/actions/oidc/customization/sub",
            json!({"include_claim_keys": ["repo"]}),
        );
        for (path, member) in [
            ("/orgs/acme/actions/secrets", Some("secrets")),
            ("/orgs/acme/actions/variables", Some("variables")),
            ("/orgs/acme/dependabot/secrets", Some("secrets")),
            ("/orgs/acme/codespaces/secrets", Some("secrets")),
            ("/orgs/acme/agents/secrets", Some("secrets")),
            ("/orgs/acme/agents/variables", Some("variables")),
            ("/orgs/acme/installations", Some("installations")),
            ("/orgs/acme/personal-access-tokens", None),
            ("/orgs/acme/personal-access-token-requests", None),
            ("/orgs/acme/credential-authorizations", None),
            ("/orgs/acme/hooks", None),
            ("/orgs/acme/audit-log", None),
            ("/orgs/acme/properties/values", None),
        ] {
            self.lists.insert(path.to_owned(), (member, Vec::new()));
        }
        for n in 0..REPOSITORIES {
            let repo = format!("acme/r{n:03}");
            self.list("/orgs/acme/repos", None, json!({
                "name": format!("r{n:03}"), "full_name": repo, "private": true, "visibility": "private",
                "archived": false, "fork": false, "temp_clone_token": CANARY, "description": "=cmd|' /C calc'!A0 <script>",
            }));
            for (path, member) in [
                ("actions/secrets", Some("secrets")),
                ("actions/variables", Some("variables")),
                ("dependabot/secrets", Some("secrets")),
                ("codespaces/secrets", Some("secrets")),
                ("agents/secrets", Some("secrets")),
                ("agents/variables", Some("variables")),
                ("environments", Some("environments")),
                ("keys", None),
                ("hooks", None),
                ("teams", None),
            ] {
                self.lists
                    .insert(format!("/repos/{repo}/{path}"), (member, Vec::new()));
            }
            let mut one = |path: &str, value: Value| {
                self.host
                    .routes
                    .insert(format!("/repos/{repo}/{path}"), Route::One(value));
            };
            one(
                "actions/permissions",
                json!({"enabled": true, "allowed_actions": "selected"}),
            );
            one(
                "actions/permissions/workflow",
                json!({"default_workflow_permissions": "read"}),
            );
            one(
                "actions/oidc/customization/sub",
                json!({"use_default": true}),
            );
            // What every repository has is in order.
            self.list(
                &format!("/repos/{repo}/actions/secrets"),
                Some("secrets"),
                slot("DEPLOY", "20"),
            );
            self.record(
                &format!("127.0.0.1:{repo}:actions.secret:DEPLOY"),
                "vendor offers none",
            );
            self.bulk.insert(repo, (0, 0));
        }
    }

    fn slots(&mut self, side: Side) {
        for (word, store) in [
            ("actions", "actions.secret"),
            ("dependabot", "dependabot.secret"),
            ("codespaces", "codespaces.secret"),
            ("agents", "agents.secret"),
        ] {
            let name = format!("ORG_{}", self.number());
            let mut of = slot(&name, "20");
            of["visibility"] = json!("private");
            self.list(&format!("/orgs/acme/{word}/secrets"), Some("secrets"), of);
            self.unregistered(
                side,
                &format!("organisation {store}"),
                &format!("127.0.0.1:acme:{store}:{name}"),
                &[],
            );
            let repo = self.next();
            let name = format!("S_{}", self.number());
            self.list(
                &format!("/repos/{repo}/{word}/secrets"),
                Some("secrets"),
                slot(&name, "20"),
            );
            self.unregistered(
                side,
                &format!("repository {store}"),
                &format!("127.0.0.1:{repo}:{store}:{name}"),
                &[],
            );
        }
        let (repo, name) = (self.next(), format!("E_{}", self.number()));
        self.environment(&repo, "production", &name);
        self.unregistered(
            side,
            "environment actions.secret",
            &format!("127.0.0.1:{repo}@production:actions.secret:{name}"),
            &[],
        );
        // A variable that holds a token, and one that holds a word.
        let (repo, name) = (self.next(), format!("V_{}", self.number()));
        let value = match side {
            Side::Defect => secret("{github-token:ghp_}", self.id),
            Side::Twin => "eu-central-1".to_owned(),
        };
        self.list(
            &format!("/repos/{repo}/actions/variables"),
            Some("variables"),
            json!({"name": name, "value": value}),
        );
        self.plant(
            side,
            "credential in a variable",
            &format!("127.0.0.1:{repo}:actions.variable:{name}"),
            &["INV-01"],
        );
    }

    fn environment(&mut self, repo: &str, environment: &str, name: &str) {
        self.list(&format!("/repos/{repo}/environments"), Some("environments"), json!({"name": environment, "protection_rules": [{"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"note": CANARY}}]}], "deployment_branch_policy": {"protected_branches": true}}));
        self.bulk.entry(repo.to_owned()).or_default().1 += 1;
        self.list(
            &format!("/repos/{repo}/environments/{environment}/secrets"),
            Some("secrets"),
            slot(name, "20"),
        );
        self.lists.insert(
            format!("/repos/{repo}/environments/{environment}/variables"),
            (Some("variables"), Vec::new()),
        );
    }

    /// A deploy key; gives its key here.
    fn deploy_key(&mut self, repo: &str, made: &str, used: Option<&str>) -> String {
        let id = self.number();
        // No key: what is published of one, drawn from a number.
        let print = format!(
            "SHA256:{:0>43}",
            format!("{:x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        );
        self.list(&format!("/repos/{repo}/keys"), None, json!({"id": id, "key": print, "title": format!("key {id}"), "read_only": true, "verified": true, "created_at": ago(made), "last_used": used.map(ago), "added_by": "carol@acme.test", "enabled": true}));
        self.bulk.entry(repo.to_owned()).or_default().0 += 1;
        format!("127.0.0.1:deploy-key:{id}")
    }

    fn keys_and_hooks(&mut self, side: Side) {
        let repo = self.next();
        let key = self.deploy_key(&repo, "20", Some("yesterday"));
        self.unregistered(side, "deploy key", &key, &["LIF-02"]);
        let repo = self.next();
        let id = self.number();
        self.list(&format!("/repos/{repo}/hooks"), None, json!({"id": id, "active": true, "events": ["push"], "config": {"url": format!("https://ci.acme.test/{CANARY}?key={CANARY}"), "insecure_ssl": "0", "secret": "********"}, "created_at": ago("20")}));
        self.unregistered(
            side,
            "webhook secret",
            &format!("127.0.0.1:webhook:{id}"),
            &[],
        );
        let id = self.number();
        self.list("/orgs/acme/installations", Some("installations"), json!({"id": id, "app_slug": format!("robot-{id}"), "app_id": id, "repository_selection": "all", "permissions": {"contents": "read", "issues": "write"}, "events": [], "created_at": ago("20"), "suspended_at": null}));
        self.unregistered(
            side,
            "app installation",
            &format!("127.0.0.1:app-installation:{id}"),
            &[],
        );
    }

    /// A fine-grained token; gives its key here.
    fn pat(&mut self, owner: &str, expires: Option<&str>, used: &str) -> String {
        let id = self.number();
        self.list("/orgs/acme/personal-access-tokens", None, json!({"id": id, "token_id": id, "token_name": format!("token {id}"), "owner": {"login": owner}, "repository_selection": "subset", "permissions": {"repository": {"contents": "read"}}, "access_granted_at": ago("20"), "token_expired": false, "token_expires_at": expires.map(ago), "token_last_used_at": ago(used)}));
        format!("127.0.0.1:pat:{id}")
    }

    /// An authorised credential; gives its key here.
    fn authorization(&mut self, kind: &str, used: &str) -> String {
        let id = self.number();
        let print = (kind == "SSH key").then(|| format!("{id:0>43}"));
        self.list("/orgs/acme/credential-authorizations", None, json!({"login": "alice@acme.test", "credential_id": id, "fingerprint": print, "credential_type": kind, "token_last_eight": format!("{CANARY}{id}"), "scopes": ["repo"], "credential_accessed_at": ago(used), "authorized_credential_expires_at": ago("in 50"), "authorized_credential_note": format!("note {id}")}));
        format!("127.0.0.1:authorisation:{id}")
    }

    fn tokens(&mut self, side: Side) {
        let key = self.pat("alice@acme.test", Some("in 50"), "yesterday");
        self.unregistered(side, "fine-grained token", &key, &[]);
        let key = self.authorization("personal access token", "yesterday");
        self.unregistered(side, "authorised classic token", &key, &[]);
        let key = self.authorization("SSH key", "yesterday");
        self.unregistered(side, "authorised SSH key", &key, &[]);
    }

    fn dates(&mut self, side: Side) {
        let is = side == Side::Defect;
        let id = self.number();
        let level = if is { "write" } else { "read" };
        self.list("/orgs/acme/installations", Some("installations"), json!({"id": id, "app_slug": format!("keeper-{id}"), "app_id": id, "repository_selection": "all", "permissions": {"administration": level, "metadata": "read"}, "events": [], "created_at": ago("20"), "suspended_at": null}));
        let key = format!("127.0.0.1:app-installation:{id}");
        self.record(&key, "vendor offers none");
        self.plant(side, "app that administers", &key, &["PRV-02"]);
        let (repo, name) = (self.next(), format!("OLD_{}", self.number()));
        self.list(
            &format!("/repos/{repo}/actions/secrets"),
            Some("secrets"),
            slot(&name, if is { "800" } else { "20" }),
        );
        let key = format!("127.0.0.1:{repo}:actions.secret:{name}");
        self.record(&key, "vendor offers none");
        self.plant(side, "secret never rotated", &key, &["LIF-03"]);
        let repo = self.next();
        let key = self.deploy_key(&repo, "60", if is { None } else { Some("yesterday") });
        self.record(&key, "vendor offers none");
        self.plant(side, "deploy key never used", &key, &["LIF-06"]);
        let key = self.pat(
            "alice@acme.test",
            Some("in 50"),
            if is { "200" } else { "20" },
        );
        self.record(&key, "");
        self.plant(side, "token unused", &key, &["LIF-06"]);
        let key = self.pat(
            "alice@acme.test",
            if is { None } else { Some("in 50") },
            "yesterday",
        );
        self.record(&key, "");
        self.plant(side, "token without end", &key, &["LIF-02"]);
        let key = self.authorization("personal access token", if is { "200" } else { "20" });
        self.record(&key, "");
        self.plant(side, "authorised token unused", &key, &["LIF-06"]);
        let repo = self.next();
        let key = self.deploy_key(&repo, "20", Some("yesterday"));
        self.record(&key, if is { "" } else { "vendor offers none" });
        self.plant(side, "deploy key without end", &key, &["LIF-02"]);
    }

    fn finish(&mut self) {
        for (path, (member, items)) in std::mem::take(&mut self.lists) {
            self.host.routes.insert(path, Route::List(member, items));
        }
        self.host.bulk = self
            .bulk
            .iter()
            .map(|(repo, (keys, environments))| {
                json!({"nameWithOwner": repo, "deployKeys": {"totalCount": keys}, "environments": {"totalCount": environments}, "githubOwners": {"text": format!("* @acme/platform # {CANARY}\n"), "isTruncated": false}})
            })
            .collect();
    }
}

fn slot(name: &str, updated: &str) -> Value {
    json!({"name": name, "created_at": ago("800"), "updated_at": ago(updated), "selected_repositories_url": CANARY})
}

/// Everybody is there.
pub(super) fn people() -> &'static str {
    "id,name,mail,team,manager,status,end date\n\
     p1,Alice Moreau,alice@acme.test,platform,p3,active,\n\
     p3,Carol Ruiz,carol@acme.test,platform,,active,\n"
}
