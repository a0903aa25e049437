//! Whole clusters: where rights hold, what they lead to.

use keymuster_api::{
    Attachment, AttachmentKind, Credential, Identity, IdentityKind, Key, Known, Policy, Reference,
    Source, Status, SystemId,
};
use serde_json::{Value, json};

use crate::access::{
    AccessFacts, Standing, assess,
    others::{Others, assess_others},
    standing::steps_in_words,
};

/// Facts of one cluster, `c`.
#[derive(Default)]
struct Facts {
    identities: Vec<Identity>,
    policies: Vec<Policy>,
    references: Vec<Reference>,
    credentials: Vec<Credential>,
}

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: "k8s.json:1".to_owned(),
    }
}

fn key(rest: &str) -> Key {
    Key(format!("kubernetes:c/{rest}"))
}

impl Facts {
    fn principal(mut self, kind: IdentityKind, rest: &str) -> Facts {
        self.identities.push(Identity {
            key: key(rest),
            kind,
            name: rest.to_owned(),
            provider: "kubernetes".to_owned(),
            account: Some("c".to_owned()),
            status: Status::Active,
            created: Known::Unknown,
            last_used: Known::Unknown,
            interactive: Known::Unknown,
            mfa: Known::Unknown,
            tags: Vec::new(),
            source: source(),
        });
        self
    }

    /// A service account `namespace/name`.
    fn account(self, name: &str) -> Facts {
        self.principal(
            IdentityKind::ServiceAccount,
            &format!("serviceaccount/{name}"),
        )
    }

    fn role(mut self, rest: &str, rules: Value) -> Facts {
        self.policies.push(Policy {
            key: key(rest),
            name: rest.to_owned(),
            document: json!({ "rules": rules }).to_string(),
            attached: Vec::new(),
            source: source(),
        });
        self
    }

    /// A binding of this role to these principals, in a namespace or in all.
    fn bound(mut self, role: &str, space: Option<&str>, to: &[&str]) -> Facts {
        let number = self.policies.len();
        let rest = match space {
            Some(space) => format!("rolebinding/{space}/b{number}"),
            None => format!("clusterrolebinding/b{number}"),
        };
        let attached = to.iter().map(|to| Attachment {
            to: key(to),
            kind: AttachmentKind::Attached,
        });
        self.policies.push(Policy {
            key: key(&rest),
            name: format!("b{number}"),
            document: json!({ "role": key(role).0, "namespace": space }).to_string(),
            attached: attached.collect(),
            source: source(),
        });
        self
    }

    /// One account `default/a` with one rule, in `default` or in the whole cluster.
    fn one(rule: Value, space: Option<&str>) -> Facts {
        Facts::default()
            .account("default/a")
            .role("clusterrole/r", json!([rule]))
            .bound("clusterrole/r", space, &["serviceaccount/default/a"])
    }

    fn pod(mut self, space: &str, account: &str) -> Facts {
        self.references.push(Reference {
            by: key(&format!("pod/{space}/p{}", self.references.len())),
            to: key(&format!("serviceaccount/{space}/{account}")),
            source: source(),
        });
        self
    }

    fn token(mut self, space: &str, account: &str) -> Facts {
        self.credentials.push(Credential {
            key: key(&format!("secret/{space}/{account}-token")),
            kind: "kubernetes.service-account-token".to_owned(),
            handle: None,
            secret: None,
            identity: Some(key(&format!("serviceaccount/{space}/{account}"))),
            provider: "kubernetes".to_owned(),
            account: Some("c".to_owned()),
            name: None,
            status: Status::Active,
            created: Known::Unknown,
            rotated: Known::Unknown,
            last_used: Known::Unknown,
            last_used_for: None,
            expires: Known::Never,
            source: source(),
        });
        self
    }

    /// With an administrator `kube-system/boss`.
    fn boss(self) -> Facts {
        self.account("kube-system/boss")
            .role("clusterrole/cluster-admin", json!([rule("*", "*", "*")]))
            .bound(
                "clusterrole/cluster-admin",
                None,
                &["serviceaccount/kube-system/boss"],
            )
    }

    fn judged(&self) -> Others {
        let facts = AccessFacts {
            identities: &self.identities,
            policies: &self.policies,
            references: &self.references,
            credentials: &self.credentials,
            ..AccessFacts::default()
        };
        let aws = assess(&facts);
        assert_eq!(aws.problems(), []);
        assert_eq!(aws.privileges().count(), 0);
        let others = assess_others(&facts, &aws);
        assert_eq!(others.problems(), []);
        others
    }

    /// Rights of `default/a` with their scope, and its steps to an administrator.
    fn a(&self) -> (Vec<String>, Option<String>, Option<String>) {
        let others = self.judged();
        let standing = others
            .standing(&key("serviceaccount/default/a"))
            .expect("known");
        told(standing)
    }
}

fn told(standing: &Standing) -> (Vec<String>, Option<String>, Option<String>) {
    let mut rights: Vec<String> = standing
        .abilities
        .iter()
        .map(|one| format!("{}@{}", one.right, one.scope))
        .collect();
    rights.sort();
    (
        rights,
        standing.reaches.as_deref().map(steps_in_words),
        standing.reaches_if.as_deref().map(steps_in_words),
    )
}

fn rule(group: &str, resource: &str, verb: &str) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "verbs": verb.split('|').collect::<Vec<_>>() })
}

fn named(group: &str, resource: &str, verb: &str, names: &[&str]) -> Value {
    let mut rule = rule(group, resource, verb);
    rule["resourceNames"] = json!(names);
    rule
}

const RBAC: &str = "rbac.authorization.k8s.io";

#[test]
fn a_binding_grants_within_its_namespace_whatever_its_role() {
    let cases: &[(Value, &str)] = &[
        (rule("", "pods", "create"), "pods.create"),
        (rule("*", "pods", "patch"), "pods.patch"),
        (rule("", "pods/exec", "create"), "pods.exec"),
        (rule("", "secrets", "get"), "secrets.get"),
        (rule("", "secrets", "list"), "secrets.list"),
        (
            rule("", "serviceaccounts/token", "create"),
            "serviceaccounts.token",
        ),
        (
            rule("", "serviceaccounts", "impersonate"),
            "serviceaccounts.impersonate",
        ),
        (rule("batch", "cronjobs", "create"), "cronjobs.create"),
    ];
    for (rule, right) in cases {
        let inside = Facts::one(rule.clone(), Some("default")).a().0;
        assert_eq!(inside, [format!("{right}@default")], "{rule}");
        let whole = Facts::one(rule.clone(), None).a().0;
        assert_eq!(whole, [format!("{right}@cluster")], "{rule}");
    }
}

#[test]
fn what_is_in_no_namespace_is_granted_in_the_cluster_only() {
    let cases: &[(Value, &[&str], &str)] = &[
        (
            rule("*", "users", "impersonate"),
            &["users"],
            "users.impersonate",
        ),
        (rule("", "nodes/proxy", "get"), &["nodes"], "nodes.proxy"),
        (
            rule(
                "admissionregistration.k8s.io",
                "mutatingwebhookconfigurations",
                "create",
            ),
            &["mutatingwebhookconfigurations"],
            "mutatingwebhookconfigurations.create",
        ),
    ];
    for (rule, resources, right) in cases {
        let facts = Facts::one(rule.clone(), Some("default"));
        let others = facts.judged();
        let standing = others
            .standing(&key("serviceaccount/default/a"))
            .expect("known");
        assert_eq!(standing.abilities, [], "{rule}");
        assert_eq!(standing.ineffective.len(), 1, "{rule}");
        assert_eq!(standing.ineffective[0].resources, *resources);
        let facts = Facts::one(rule.clone(), None);
        assert_eq!(facts.a().0, [format!("{right}@cluster")]);
        let others = facts.judged();
        let standing = others
            .standing(&key("serviceaccount/default/a"))
            .expect("known");
        assert_eq!(standing.ineffective, []);
    }
}

/// May create bindings of one kind and bind roles of another, through one role.
fn binder(bindings: &str, roles: &str, space: Option<&str>) -> Facts {
    Facts::default()
        .account("default/a")
        .role(
            "clusterrole/r",
            json!([rule(RBAC, bindings, "create"), rule(RBAC, roles, "bind")]),
        )
        .bound("clusterrole/r", space, &["serviceaccount/default/a"])
}

#[test]
fn binding_needs_both_rights_at_one_place() {
    let all = "bind_any_clusterrole_clusterwide@cluster";
    assert_eq!(
        binder("clusterrolebindings", "clusterroles", None).a().0,
        [all]
    );
    assert_eq!(
        binder("clusterrolebindings", "clusterroles", Some("default"))
            .a()
            .0,
        [""; 0]
    );
    // A ClusterRoleBinding gives ClusterRoles only.
    assert_eq!(binder("clusterrolebindings", "roles", None).a().0, [""; 0]);
    for (roles, name) in [
        ("clusterroles", "bind_clusterrole_in_namespace"),
        ("roles", "bind_role_in_namespace"),
    ] {
        let inside = binder("rolebindings", roles, Some("default")).a().0;
        assert_eq!(inside, [format!("{name}@default")]);
        assert_eq!(
            binder("rolebindings", roles, None).a().0,
            [format!("{name}@cluster")]
        );
    }
    // One here, the other there.
    let apart = Facts::default()
        .account("default/a")
        .role(
            "clusterrole/one",
            json!([rule(RBAC, "rolebindings", "create")]),
        )
        .role(
            "clusterrole/two",
            json!([rule(RBAC, "clusterroles", "bind")]),
        )
        .bound(
            "clusterrole/one",
            Some("default"),
            &["serviceaccount/default/a"],
        )
        .bound(
            "clusterrole/two",
            Some("other"),
            &["serviceaccount/default/a"],
        );
    assert_eq!(apart.a().0, [""; 0]);
    // One in all namespaces, the other in one: in that one.
    let mixed = Facts::default()
        .account("default/a")
        .role(
            "clusterrole/one",
            json!([rule(RBAC, "rolebindings", "create")]),
        )
        .role(
            "clusterrole/two",
            json!([rule(RBAC, "clusterroles", "bind")]),
        )
        .bound("clusterrole/one", None, &["serviceaccount/default/a"])
        .bound(
            "clusterrole/two",
            Some("other"),
            &["serviceaccount/default/a"],
        );
    assert_eq!(mixed.a().0, ["bind_clusterrole_in_namespace@other"]);
}

#[test]
fn an_administrator_is_one_by_rules_not_by_name() {
    let admin = |facts: &Facts, who: &str| {
        facts
            .judged()
            .standing(&key(who))
            .expect("known")
            .admin
            .is_some()
    };
    let a = "serviceaccount/default/a";
    assert!(admin(&Facts::one(rule("*", "*", "*"), None), a));
    let inside = Facts::one(rule("*", "*", "*"), Some("default"));
    assert!(!admin(&inside, a));
    let others = inside.judged();
    let standing = others.standing(&key(a)).expect("known");
    assert_eq!(standing.parts[0].0, "namespace default");
    assert!(!admin(&Facts::one(rule("apps", "*", "*"), None), a));
    assert!(!admin(&Facts::one(named("*", "*", "*", &["x"]), None), a));
    let named_so = Facts::default()
        .account("default/a")
        .role(
            "clusterrole/cluster-admin",
            json!([rule("", "pods", "get")]),
        )
        .bound("clusterrole/cluster-admin", None, &[a]);
    assert!(!admin(&named_so, a));
    let masters = Facts::default()
        .principal(IdentityKind::Group, "group/system:masters")
        .principal(IdentityKind::Group, "group/system:monitoring")
        .role("clusterrole/r", json!([]))
        .bound(
            "clusterrole/r",
            None,
            &["group/system:masters", "group/system:monitoring"],
        );
    assert!(admin(&masters, "group/system:masters"));
    assert!(!admin(&masters, "group/system:monitoring"));
}

#[test]
fn groups_of_the_api_server_reach_every_account() {
    let of = |group: &str| {
        Facts::default()
            .account("default/a")
            .role("clusterrole/r", json!([rule("", "secrets", "list")]))
            .bound("clusterrole/r", None, &[group])
            .a()
            .0
    };
    for group in [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ] {
        assert_eq!(
            of(&format!("group/{group}")),
            ["secrets.list@cluster"],
            "{group}"
        );
    }
    for group in [
        "system:serviceaccounts:other",
        "system:unauthenticated",
        "devs",
    ] {
        assert_eq!(of(&format!("group/{group}")), [""; 0], "{group}");
    }
}

#[test]
fn rights_that_everybody_has_are_told() {
    let of = |role: &str, who: &str| {
        let facts = Facts::default()
            .principal(IdentityKind::Group, &format!("group/{who}"))
            .role(
                &format!("clusterrole/{role}"),
                json!([rule("", "pods", "get")]),
            )
            .bound(
                &format!("clusterrole/{role}"),
                None,
                &[&format!("group/{who}")],
            );
        let others = facts.judged();
        others
            .standing(&key(&format!("group/{who}")))
            .expect("known")
            .trusts
            .len()
    };
    assert_eq!(of("view", "system:unauthenticated"), 1);
    assert_eq!(of("view", "system:authenticated"), 1);
    assert_eq!(of("system:discovery", "system:authenticated"), 0);
    assert_eq!(of("view", "devs"), 0);
}

#[test]
fn steps_lead_through_accounts_that_can_be_taken() {
    let boss = "kubernetes:c/serviceaccount/kube-system/boss";
    // In a namespace whose accounts are nobody, there is nothing to take.
    let create = Facts::one(rule("", "pods", "create"), Some("default")).boss();
    assert_eq!(create.a().1, None);
    let there = Facts::one(rule("", "pods", "create"), Some("kube-system")).boss();
    assert_eq!(there.a().1, Some(format!("k8s-assign-sa to {boss}")));
    // A command in a pod takes whom a pod runs as.
    let exec = Facts::one(rule("", "pods/exec", "create"), Some("kube-system")).boss();
    assert_eq!(exec.a().1, None);
    let condition = format!("k8s-pods-exec to {boss} (if a pod runs as it)");
    assert_eq!(exec.a().2, Some(condition));
    let running = exec.pod("kube-system", "boss");
    assert_eq!(running.a().1, Some(format!("k8s-pods-exec to {boss}")));
    let other = Facts::one(rule("", "pods/exec", "create"), Some("kube-system"))
        .boss()
        .pod("kube-system", "nobody");
    assert_eq!((other.a().1, other.a().2), (None, None));
    // Secrets hold a token, or do not.
    let secrets = Facts::one(rule("", "secrets", "list"), None).boss();
    assert_eq!((secrets.a().1, secrets.a().2), (None, None));
    let token = secrets.token("kube-system", "boss");
    assert_eq!(token.a().1, Some(format!("k8s-list-secrets to {boss}")));
    let named_one = Facts::one(named("", "secrets", "get", &["boss-token"]), None)
        .boss()
        .token("kube-system", "boss");
    assert!(named_one.a().1.is_some());
    let another = Facts::one(named("", "secrets", "get", &["db"]), None)
        .boss()
        .token("kube-system", "boss");
    assert_eq!(another.a().1, None);
    // Tokens of accounts of that name only.
    let ask = |names: &[&str]| {
        Facts::one(named("", "serviceaccounts/token", "create", names), None)
            .boss()
            .a()
            .1
    };
    assert_eq!(ask(&["boss"]), Some(format!("k8s-token-request to {boss}")));
    assert_eq!(ask(&["default"]), None);
}

#[test]
fn whoever_may_bind_escalate_or_impersonate_has_every_right() {
    let reaches = |facts: Facts| facts.a().1;
    let bind = Some("k8s-bind-roles".to_owned());
    assert_eq!(
        reaches(binder("clusterrolebindings", "clusterroles", None)),
        bind
    );
    let escalate = |names: Option<&[&str]>| {
        let change = match names {
            None => rule(RBAC, "clusterroles", "escalate|update"),
            Some(names) => named(RBAC, "clusterroles", "escalate|update", names),
        };
        reaches(Facts::one(change, None))
    };
    assert_eq!(escalate(None), Some("k8s-escalate-roles".to_owned()));
    assert_eq!(
        escalate(Some(&["r"])),
        Some("k8s-escalate-roles".to_owned())
    );
    assert_eq!(escalate(Some(&["other"])), None);
    assert_eq!(
        reaches(Facts::one(rule(RBAC, "clusterroles", "update"), None)),
        None
    );
    let users = reaches(Facts::one(rule("", "users", "impersonate"), None));
    assert_eq!(users, Some("k8s-impersonate".to_owned()));
    let groups =
        |names: &[&str]| reaches(Facts::one(named("", "groups", "impersonate", names), None));
    assert_eq!(
        groups(&["system:masters"]),
        Some("k8s-impersonate".to_owned())
    );
    assert_eq!(groups(&["devs"]), None);
}

#[test]
fn narrowed_binding_gives_the_named_role_only() {
    let bind = |name: &str| {
        Facts::default()
            .account("default/a")
            .role(
                "clusterrole/r",
                json!([
                    rule(RBAC, "clusterrolebindings", "create"),
                    named(RBAC, "clusterroles", "bind", &[name])
                ]),
            )
            .bound("clusterrole/r", None, &["serviceaccount/default/a"])
            .role("clusterrole/view", json!([rule("", "pods", "get")]))
            .boss()
            .a()
            .1
    };
    assert_eq!(bind("cluster-admin"), Some("k8s-bind-roles".to_owned()));
    assert_eq!(bind("view"), None);
}

#[test]
fn a_namespace_is_taken_whole_with_whom_it_holds() {
    let facts = binder("rolebindings", "clusterroles", Some("kube-system")).boss();
    let words = facts.a().1.expect("it gets there");
    assert!(words.starts_with("k8s-bind-roles, k8s-"), "{words}");
    assert!(
        words.ends_with("to kubernetes:c/serviceaccount/kube-system/boss"),
        "{words}"
    );
    assert_eq!(
        binder("rolebindings", "clusterroles", Some("default"))
            .boss()
            .a()
            .1,
        None
    );
    // Roles of the namespace are what they are.
    let roles = |rules: Value| {
        binder("rolebindings", "roles", Some("kube-system"))
            .boss()
            .role("role/kube-system/x", rules)
            .a()
            .1
    };
    assert_eq!(roles(json!([rule("", "pods", "get")])), None);
    assert!(roles(json!([rule("", "pods", "create")])).is_some());
}

#[test]
fn conditions_are_told() {
    let hooks = rule(
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "create",
    );
    let (_, certain, possible) = Facts::one(hooks, None).a();
    assert_eq!(certain, None);
    assert!(
        possible
            .expect("possible")
            .contains("somebody with more rights")
    );
    // aws-auth counts in EKS, under its own name, in kube-system.
    let map = |rule: Value, space: Option<&str>| Facts::one(rule, space).a();
    let (rights, certain, possible) = map(rule("", "configmaps", "update"), Some("kube-system"));
    assert_eq!(rights, ["modify_aws_auth@kube-system"]);
    assert_eq!(certain, None);
    assert!(possible.expect("possible").contains("EKS"));
    assert_eq!(
        map(rule("", "configmaps", "update"), Some("default")).0,
        [""; 0]
    );
    assert_eq!(
        map(
            named("", "configmaps", "update", &["other"]),
            Some("kube-system")
        )
        .0,
        [""; 0]
    );
    assert_eq!(
        map(
            named("", "configmaps", "update", &["aws-auth"]),
            Some("kube-system")
        )
        .0
        .len(),
        1
    );
}

#[test]
fn many_accounts_that_take_each_other_cost_little() {
    let mut facts = Facts::default().role(
        "clusterrole/r",
        json!([rule("", "pods", "create"), rule("", "pods/exec", "create")]),
    );
    for number in 0..2_000 {
        let name = format!("n{}/a{number}", number % 20);
        facts =
            facts
                .account(&name)
                .bound("clusterrole/r", None, &[&format!("serviceaccount/{name}")]);
    }
    let started = std::time::Instant::now();
    let facts = facts.boss();
    let others = facts.judged();
    let reach = others
        .standings()
        .values()
        .filter(|one| one.reaches.is_some())
        .count();
    assert_eq!(reach, 2_000);
    // All pairs would be four million steps.
    assert!(started.elapsed().as_secs() < 20);
}
