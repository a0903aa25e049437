//! Names in scopes, and the slots they mean.

use keymuster_api::{
    ConsumerKind, Coverage, Key, Known, SecretId, Slot, SlotUse, SystemId, scope, slot_key, store,
};

use super::book::fits;
use super::*;
use crate::estate::{Estate, resolve};

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: "here".to_owned(),
    }
}

fn slot(scope: &str, name: &str) -> Slot {
    Slot {
        key: slot_key(scope, store::ACTIONS_SECRET, name),
        name: name.to_owned(),
        scope: scope.to_owned(),
        store: store::ACTIONS_SECRET.to_owned(),
        secret: None,
        created: Known::Unknown,
        updated: Known::Unknown,
        properties: Vec::new(),
        source: source(),
    }
}

fn job(name: &str) -> Consumer {
    Consumer {
        key: Key(format!("github:acme/app:.github/workflows/ci.yml#{name}")),
        kind: ConsumerKind::Job,
        name: name.to_owned(),
        platform: "github-actions".to_owned(),
        resource: "app".to_owned(),
        path: ".github/workflows/ci.yml".to_owned(),
        lines: (1, 9),
        scope: "github:acme/app".to_owned(),
        environment: None,
        permissions: Vec::new(),
        triggers: Vec::new(),
        logins: Vec::new(),
        via: None,
        properties: Vec::new(),
        source: source(),
    }
}

fn names(by: &str, name: &str, environment: Option<&str>) -> SlotUse {
    let mut scopes: Vec<String> = environment
        .map(|one| scope("github.com", "acme/app", Some(one)))
        .into_iter()
        .collect();
    scopes.extend(["github:acme/app".to_owned(), "github:acme".to_owned()]);
    SlotUse {
        by: job(by).key,
        store: store::ACTIONS_SECRET.to_owned(),
        name: Some(name.to_owned()),
        scopes,
        how: "env X".to_owned(),
        certain: true,
        source: source(),
    }
}

fn known(scope: &str) -> Coverage {
    Coverage {
        scope: scope.to_owned(),
        what: store::ACTIONS_SECRET.to_owned(),
        expected: None,
        received: 1,
        bytes: 0,
        complete: true,
        source: source(),
    }
}

fn estate(slots: Vec<Slot>, uses: Vec<SlotUse>, coverage: Vec<Coverage>) -> Estate {
    resolve(Gathered {
        slots,
        uses,
        coverage,
        consumers: vec![job("deploy"), job("test")],
        ..Gathered::default()
    })
}

fn of(estate: &Estate, scope: &str, name: &str) -> SlotUsage {
    let key = slot_key(scope, store::ACTIONS_SECRET, name);
    let at = estate.gathered.slots.iter().position(|one| one.key == key);
    estate.usage.slots[at.expect("the slot")].clone()
}

#[test]
fn the_nearest_slot_is_meant_and_the_others_are_shadowed() {
    let estate = estate(
        vec![
            slot("github:acme", "KEY"),
            slot("github:acme/app", "KEY"),
            slot("github:acme/app@production", "KEY"),
        ],
        vec![
            names("deploy", "KEY", Some("production")),
            names("test", "KEY", None),
        ],
        Vec::new(),
    );
    let near = of(&estate, "github:acme/app@production", "KEY");
    let middle = of(&estate, "github:acme/app", "KEY");
    let far = of(&estate, "github:acme", "KEY");
    assert_eq!(
        (near.named.len(), middle.named.len(), far.named.len()),
        (1, 1, 0)
    );
    assert_eq!((middle.shadowed_by.len(), far.shadowed_by.len()), (1, 2));
    let credential = near.credential.expect("a slot is a credential");
    assert_eq!(estate.usage.count(credential), 1);
    assert_eq!(estate.credentials.len(), 3);
}

#[test]
fn a_phantom_needs_every_scope_to_be_known() {
    let uses = || vec![names("deploy", "GONE", Some("production"))];
    let all = |with: bool| {
        let mut all = vec![known("github:acme"), known("github:acme/app")];
        if with {
            all.push(known("github:acme/app@production"));
        }
        all
    };
    let missing = estate(Vec::new(), uses(), all(false));
    assert!(!missing.usage.uses[0].phantom);
    let phantom = estate(Vec::new(), uses(), all(true));
    assert!(phantom.usage.uses[0].phantom);
    let there = estate(vec![slot("github:acme", "GONE")], uses(), all(true));
    assert!(!there.usage.uses[0].phantom);
}

#[test]
fn a_slot_for_selected_repositories_is_for_no_others() {
    let mut selected = slot("github:acme", "KEY");
    let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    selected.properties = vec![
        property("visibility", "selected"),
        property("repository", "github:acme/other"),
    ];
    let estate = estate(vec![selected], vec![names("test", "KEY", None)], Vec::new());
    assert!(of(&estate, "github:acme", "KEY").named.is_empty());
}

#[test]
fn an_environment_that_the_run_decides_leaves_it_open() {
    let estate = estate(
        vec![
            slot("github:acme/app", "KEY"),
            slot("github:acme/app@production", "KEY"),
            slot("github:acme/app@staging", "KEY"),
        ],
        vec![names("deploy", "KEY", Some("*"))],
        Vec::new(),
    );
    for scope in [
        "github:acme/app",
        "github:acme/app@production",
        "github:acme/app@staging",
    ] {
        let usage = of(&estate, scope, "KEY");
        assert_eq!((usage.named.len(), usage.perhaps.len()), (0, 1), "{scope}");
    }
}

#[test]
fn equal_values_in_two_slots_are_one_credential_with_the_consumers_of_both() {
    let with = |scope: &str, name: &str| Slot {
        secret: Some(SecretId([7; 16])),
        ..slot(scope, name)
    };
    let estate = estate(
        vec![with("github:acme", "A"), with("github:acme/app", "B")],
        vec![names("deploy", "A", None), names("test", "B", None)],
        Vec::new(),
    );
    assert_eq!(estate.credentials.len(), 1);
    assert_eq!(estate.usage.count(0), 2);
}

#[test]
fn patterns_of_environments() {
    assert!(fits("review/*", "review/42"));
    assert!(fits("*", "x"));
    assert!(!fits("review/*", "production"));
    assert!(!fits("a*b*a", "aba b"));
    assert!(fits("a*b", "axxb"));
}
