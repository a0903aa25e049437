//! Whole organisations: where roles hold, what they lead to.

use keymuster_api::{
    Identity, IdentityKind, Key, Known, Membership, Policy, Source, Status, SystemId,
};
use serde_json::{Value, json};

use crate::access::{
    AccessFacts, assess,
    others::{Others, assess_others},
    standing::steps_in_words,
};

/// A role, its member, its condition.
type BindingText<'a> = (&'a str, &'a str, Option<&'a str>);

#[derive(Default)]
struct Facts {
    identities: Vec<Identity>,
    policies: Vec<Policy>,
    memberships: Vec<Membership>,
}

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: "gcp.json:1".to_owned(),
    }
}

fn mail(name: &str, project: &str) -> String {
    format!("{name}@{project}.iam.gserviceaccount.com")
}

impl Facts {
    fn principal(mut self, kind: IdentityKind, key: &str, project: Option<&str>) -> Facts {
        self.identities.push(Identity {
            key: Key::from(key),
            kind,
            name: key.to_owned(),
            provider: "gcp".to_owned(),
            account: project.map(str::to_owned),
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

    fn account(self, name: &str, project: &str) -> Facts {
        self.principal(
            IdentityKind::ServiceAccount,
            &mail(name, project),
            Some(project),
        )
    }

    fn below(mut self, place: &str, above: &str) -> Facts {
        self.memberships.push(Membership {
            member: Key(format!("gcp:{place}")),
            group: Key(format!("gcp:{above}")),
            source: source(),
        });
        self
    }

    /// A policy at a place: role, member, condition.
    fn policy(mut self, place: &str, bindings: &[BindingText<'_>]) -> Facts {
        let bindings: Vec<Value> = bindings
            .iter()
            .map(|(role, member, condition)| json!({ "role": role, "members": [member], "condition": condition }))
            .collect();
        self.policies.push(Policy {
            key: Key(format!("gcp:policy:{place}")),
            name: place.to_owned(),
            document: json!({ "place": place, "bindings": bindings }).to_string(),
            attached: Vec::new(),
            source: source(),
        });
        self
    }

    fn role(mut self, name: &str, permissions: &[&str]) -> Facts {
        self.policies.push(Policy {
            key: Key(format!("gcp:role:{name}")),
            name: name.to_owned(),
            document: json!({ "permissions": permissions }).to_string(),
            attached: Vec::new(),
            source: source(),
        });
        self
    }

    fn judged(&self) -> Others {
        let facts = AccessFacts {
            identities: &self.identities,
            policies: &self.policies,
            memberships: &self.memberships,
            now: "2026-06-01T00:00:00Z".parse().ok(),
            ..AccessFacts::default()
        };
        let aws = assess(&facts);
        assert_eq!((aws.problems(), aws.privileges().count()), (&[][..], 0));
        let others = assess_others(&facts, &aws);
        assert_eq!(others.problems(), []);
        others
    }

    /// Whether `a` of project `p` is an administrator, its steps to one, and those that depend.
    fn a(&self) -> (bool, Option<String>, Option<String>) {
        let others = self.judged();
        let standing = others.standing(&Key(mail("a", "p"))).expect("known");
        (
            standing.admin.is_some(),
            standing.reaches.as_deref().map(steps_in_words),
            standing.reaches_if.as_deref().map(steps_in_words),
        )
    }
}

/// `a` of project `p`, with one role at a place; an owner `boss` of the same project and one `far` of
/// another.
fn with(role: &str, place: &str) -> Facts {
    let a = mail("a", "p");
    let facts = Facts::default()
        .account("a", "p")
        .account("boss", "p")
        .account("far", "q");
    let facts = facts
        .below("project/p", "folder/1")
        .below("folder/1", "organization/9")
        .below("project/q", "organization/9");
    let boss = mail("boss", "p");
    let far = mail("far", "q");
    let mut own: Vec<(&str, &str, Option<&str>)> = vec![("roles/owner", &boss, None)];
    if place == "project/p" {
        own.push((role, &a, None));
    }
    let facts = facts
        .policy("project/p", &own)
        .policy("project/q", &[("roles/owner", &far, None)]);
    if place == "project/p" {
        facts
    } else {
        facts.policy(place, &[(role, &a, None)])
    }
}

#[test]
fn owners_administer_projects_folders_and_organisations() {
    for place in ["project/p", "folder/1", "organization/9"] {
        assert!(with("roles/owner", place).a().0, "{place}");
    }
    assert!(!with("roles/owner", "//storage.googleapis.com/b").a().0);
    assert!(!with("roles/viewer", "project/p").a().0);
    let others = with("roles/editor", "project/p").judged();
    let standing = others.standing(&Key(mail("a", "p"))).expect("known");
    assert_eq!(
        standing.parts,
        [(
            "project/p".to_owned(),
            "roles/editor on project/p".to_owned()
        )]
    );
    let others = with("roles/unheard.admin", "project/p").judged();
    let standing = others.standing(&Key(mail("a", "p"))).expect("known");
    assert_eq!(standing.parts[0].0, "unheard in project/p");
}

#[test]
fn whoever_makes_tokens_of_an_account_is_it() {
    let boss = mail("boss", "p");
    let far = mail("far", "q");
    for (role, way) in [
        (
            "roles/iam.serviceAccountTokenCreator",
            "gcp-getserviceaccountaccesstoken",
        ),
        (
            "roles/iam.serviceAccountKeyAdmin",
            "gcp-createserviceaccountkey",
        ),
        (
            "roles/iam.serviceAccountAdmin",
            "gcp-setserviceaccountiampolicy",
        ),
    ] {
        assert_eq!(
            with(role, "project/p").a().1,
            Some(format!("{way} to {boss}")),
            "{role}"
        );
        assert_eq!(
            with(role, &format!("account/{boss}")).a().1,
            Some(format!("{way} to {boss}"))
        );
        // In another project it reaches that project's accounts, through the folder its own.
        assert_eq!(with(role, "project/r").a().1, None, "{role}");
        assert_eq!(
            with(role, "folder/1").a().1,
            Some(format!("{way} to {boss}"))
        );
        assert_eq!(
            with(role, &format!("account/{far}")).a().1,
            Some(format!("{way} to {far}"))
        );
    }
    assert_eq!(
        with("roles/iam.serviceAccountUser", "project/p").a().1,
        None
    );
}

#[test]
fn having_something_run_needs_every_permission_in_one_project() {
    let a = mail("a", "p");
    let both = |user: &str, developer: &str| {
        let mut facts = with("roles/viewer", "project/p");
        let mut places: Vec<(&str, Vec<BindingText<'_>>)> = Vec::new();
        for (place, role) in [
            (user, "roles/iam.serviceAccountUser"),
            (developer, "roles/cloudfunctions.developer"),
        ] {
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, bindings)) => bindings.push((role, &a, None)),
                None => places.push((place, vec![(role, &a, None)])),
            }
        }
        for (place, bindings) in places {
            if place == "project/p" {
                let boss = mail("boss", "p");
                facts
                    .policies
                    .retain(|one| one.key.0 != "gcp:policy:project/p");
                let mut all = vec![("roles/owner", boss.as_str(), None)];
                all.extend(bindings);
                facts = facts.policy(place, &all);
            } else {
                facts = facts.policy(place, &bindings);
            }
        }
        facts.a().1
    };
    let reached = Some(format!(
        "gcp-exfilcloudfunctioncredsauthcall to {}",
        mail("boss", "p")
    ));
    assert_eq!(both("project/p", "project/p"), reached);
    assert_eq!(both("folder/1", "project/p"), reached);
    let boss = format!("account/{}", mail("boss", "p"));
    assert_eq!(both(&boss, "project/p"), reached);
    assert_eq!(both("project/p", "project/q"), None);
}

#[test]
fn who_writes_policies_has_every_right() {
    for (role, place, way) in [
        (
            "roles/resourcemanager.projectIamAdmin",
            "project/p",
            Some("gcp-setprojectiampolicy"),
        ),
        (
            "roles/resourcemanager.organizationAdmin",
            "organization/9",
            Some("gcp-setfolderiampolicy"),
        ),
        (
            "roles/iam.securityAdmin",
            "folder/1",
            Some("gcp-setfolderiampolicy"),
        ),
        // That permission says nothing at a bucket.
        (
            "roles/resourcemanager.projectIamAdmin",
            "//storage.googleapis.com/b",
            None,
        ),
    ] {
        let reached = with(role, place).a().1;
        assert_eq!(reached.is_some(), way.is_some(), "{role} {reached:?}");
    }
}

#[test]
fn custom_roles_are_what_exports_say() {
    let facts = with("projects/p/roles/x", "project/p").role(
        "projects/p/roles/x",
        &["storage.buckets.get", "iam.serviceAccounts.getAccessToken"],
    );
    assert!(facts.a().1.is_some());
    let facts = with("projects/p/roles/x", "project/p")
        .role("projects/p/roles/x", &["storage.buckets.get"]);
    assert_eq!(facts.a(), (false, None, None));
    // A predefined role that somebody exported is what the export says, too.
    let facts = with("roles/iam.serviceAccountTokenCreator", "project/p").role(
        "roles/iam.serviceAccountTokenCreator",
        &["iam.serviceAccounts.list"],
    );
    assert_eq!(facts.a().1, None);
}

#[test]
fn conditions_end_grants_or_are_told() {
    let a = mail("a", "p");
    let owner = |condition: &str| {
        let facts = Facts::default()
            .account("a", "p")
            .policy("project/p", &[("roles/owner", &a, Some(condition))]);
        let others = facts.judged();
        let standing = others.standing(&Key(a.clone())).expect("known").clone();
        (standing.admin.is_some(), standing.admin_if.is_some())
    };
    assert_eq!(
        owner(r#"request.time < timestamp("2027-01-01T00:00:00Z")"#),
        (true, false)
    );
    assert_eq!(
        owner(r#"request.time < timestamp("2026-01-01T00:00:00Z")"#),
        (false, false)
    );
    assert_eq!(
        owner(r#"resource.name.startsWith("projects/_/x")"#),
        (false, true)
    );
    let boss = mail("boss", "p");
    let facts = Facts::default()
        .account("a", "p")
        .account("boss", "p")
        .policy(
            "project/p",
            &[
                ("roles/owner", &boss, None),
                ("roles/iam.serviceAccountTokenCreator", &a, Some("x")),
            ],
        );
    let (_, certain, possible) = facts.a();
    assert_eq!(certain, None);
    assert!(possible.expect("possible").contains("if x"));
}

#[test]
fn everybody_is_told() {
    let facts = Facts::default()
        .principal(IdentityKind::Group, "gcp:allUsers", None)
        .policy("project/p", &[("roles/viewer", "gcp:allUsers", None)]);
    let others = facts.judged();
    assert_eq!(
        others
            .standing(&Key::from("gcp:allUsers"))
            .expect("known")
            .trusts
            .len(),
        1
    );
}

#[test]
fn without_policies_nothing_is_known() {
    assert!(
        Facts::default()
            .account("a", "p")
            .judged()
            .standings()
            .is_empty()
    );
}
