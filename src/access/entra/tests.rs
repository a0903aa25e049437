//! Whole tenants: what single grants lead to.

use keymuster_api::{
    Attachment, AttachmentKind, Identity, IdentityKind, Key, Known, Membership, Policy, Source,
    Status, SystemId,
};
use serde_json::{Value, json};

use super::catalogue::{GLOBAL_ADMINISTRATOR, OWNER};
use crate::access::{
    AccessFacts, Standing, assess, others::assess_others, standing::steps_in_words,
};

#[derive(Default)]
struct Facts {
    identities: Vec<Identity>,
    policies: Vec<Policy>,
    memberships: Vec<Membership>,
}

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: "entra.json:1".to_owned(),
    }
}

impl Facts {
    fn app(mut self, name: &str) -> Facts {
        self.identities.push(Identity {
            key: Key(format!("entra:app:{name}")),
            kind: IdentityKind::App,
            name: name.to_owned(),
            provider: "entra".to_owned(),
            account: Some("t".to_owned()),
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

    fn grant(mut self, to: &str, more: Value) -> Facts {
        let mut document = json!({ "kind": "", "role": "", "name": null, "scope": "/", "everybody": false,
            "permissions": [], "eligible": false, "condition": null });
        for (name, value) in more.as_object().expect("an object") {
            document[name] = value.clone();
        }
        self.policies.push(Policy {
            key: Key(format!("entra:grant:{}", self.policies.len())),
            name: String::new(),
            document: document.to_string(),
            attached: vec![Attachment {
                to: Key(format!("entra:app:{to}")),
                kind: AttachmentKind::Attached,
            }],
            source: source(),
        });
        self
    }

    fn owner(mut self, who: &str, of: &str) -> Facts {
        self.memberships.push(Membership {
            member: Key(format!("entra:app:{who}")),
            group: Key(format!("entra:app:{of}")),
            source: source(),
        });
        self
    }

    fn standing(&self, name: &str) -> Standing {
        let facts = AccessFacts {
            identities: &self.identities,
            policies: &self.policies,
            memberships: &self.memberships,
            ..AccessFacts::default()
        };
        let aws = assess(&facts);
        assert_eq!((aws.problems(), aws.privileges().count()), (&[][..], 0));
        let others = assess_others(&facts, &aws);
        assert_eq!(others.problems(), []);
        others
            .standing(&Key(format!("entra:app:{name}")))
            .expect("known")
            .clone()
    }

    fn reaches(&self, name: &str) -> (Option<String>, Option<String>) {
        let standing = self.standing(name);
        let words = |steps: &Option<Vec<_>>| steps.as_deref().map(steps_in_words);
        (words(&standing.reaches), words(&standing.reaches_if))
    }
}

/// An application `a` with one grant, and a global administrator `boss`.
fn one(grant: Value) -> Facts {
    let boss = json!({ "kind": "directory-role", "role": GLOBAL_ADMINISTRATOR });
    Facts::default()
        .app("a")
        .app("boss")
        .grant("a", grant)
        .grant("boss", boss)
}

fn permission(guid: &str) -> Value {
    json!({ "kind": "app-role", "role": guid, "scope": "Microsoft Graph" })
}

#[test]
fn administrators_by_role_and_scope() {
    let admin = |grant: Value| one(grant).standing("a").admin.is_some();
    assert!(admin(
        json!({ "kind": "directory-role", "role": GLOBAL_ADMINISTRATOR })
    ));
    assert!(admin(
        json!({ "kind": "azure-role", "role": OWNER, "scope": "/subscriptions/s" })
    ));
    assert!(admin(
        json!({ "kind": "azure-role", "role": OWNER, "scope": "/providers/Microsoft.Management/managementGroups/root" })
    ));
    let group = json!({ "kind": "azure-role", "role": OWNER, "scope": "/subscriptions/s/resourceGroups/g" });
    assert!(!admin(group.clone()));
    assert_eq!(one(group).reaches("a"), (None, None));
    let eligible =
        one(json!({ "kind": "directory-role", "role": GLOBAL_ADMINISTRATOR, "eligible": true }));
    let standing = eligible.standing("a");
    assert!(standing.admin.is_none() && standing.admin_if.is_some());
    // The id of a role of another kind means nothing.
    assert!(!admin(
        json!({ "kind": "app-role", "role": GLOBAL_ADMINISTRATOR })
    ));
}

#[test]
fn permissions_lead_on() {
    // RoleManagement.ReadWrite.Directory and AppRoleAssignment.ReadWrite.All at once.
    for guid in [
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
        "06b708a9-e830-4db3-a914-8e69da51d44f",
    ] {
        assert!(one(permission(guid)).reaches("a").0.is_some(), "{guid}");
    }
    // Application.ReadWrite.All through whoever any application is.
    let apps = one(permission("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"));
    assert_eq!(
        apps.reaches("a").0,
        Some("graph-application.readwrite.all to entra:app:boss".to_owned())
    );
    let alone = Facts::default()
        .app("a")
        .grant("a", permission("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"));
    assert_eq!(alone.reaches("a"), (None, None));
    // Group.ReadWrite.All depends on the tenant.
    let (certain, possible) = one(permission("62a82d76-70ea-41e2-9197-370581804d09")).reaches("a");
    assert!(certain.is_none() && possible.expect("possible").contains("depend on the tenant"));
    // User.Read.All leads nowhere.
    assert_eq!(
        one(permission("df021288-bdef-4463-88db-98f22de89214")).reaches("a"),
        (None, None)
    );
}

#[test]
fn owners_are_what_they_own() {
    let owned = one(permission("df021288-bdef-4463-88db-98f22de89214")).owner("a", "boss");
    assert_eq!(
        owned.reaches("a").0,
        Some("entra-owner to entra:app:boss".to_owned())
    );
}

#[test]
fn custom_roles_are_what_exports_say() {
    let custom = |actions: &[&str], not: &[&str]| {
        let mut facts =
            one(json!({ "kind": "azure-role", "role": "c", "scope": "/subscriptions/s" }));
        facts.policies.push(Policy {
            key: Key::from("azure:role:c"),
            name: "c".to_owned(),
            document: json!({ "actions": actions, "not_actions": not }).to_string(),
            attached: Vec::new(),
            source: source(),
        });
        facts.reaches("a").0.is_some()
    };
    assert!(custom(&["*"], &[]));
    assert!(custom(&["Microsoft.Authorization/*"], &[]));
    assert!(custom(
        &["microsoft.authorization/roleassignments/write"],
        &[]
    ));
    assert!(!custom(&["*"], &["Microsoft.Authorization/*/Write"]));
    assert!(!custom(&["Microsoft.Authorization/*/read"], &[]));
}

#[test]
fn consents_are_grants_by_name() {
    let facts = one(
        json!({ "kind": "delegated", "role": "delegated", "scope": "everybody", "everybody": true, "permissions": ["Mail.Read", "User.Read"] }),
    );
    let grants: Vec<String> = facts
        .standing("a")
        .grants
        .into_iter()
        .map(|one| one.action)
        .collect();
    assert_eq!(
        grants,
        ["delegated-to-all:Mail.Read", "delegated-to-all:User.Read"]
    );
}
