//! A positive and a negative for every known way, made from the catalogue itself; binding of
//! targets, chains, conditions; and laws that hold for any policies.

use keymuster_api::{
    Attachment, AttachmentKind, Identity, IdentityKind, Key, Known, Membership, Policy, Reference,
    Source, Status, SystemId, Trust,
};
use proptest::prelude::*;

use super::catalogue::{Gain, Path, Target, catalogue};
use crate::access::{Access, AccessFacts, assess};

const USER: &str = "arn:aws:iam::123456789012:user/actor";
const ROLE: &str = "arn:aws:iam::123456789012:role/actor";
const BOSS: &str = "arn:aws:iam::123456789012:role/boss";
const OTHER: &str = "arn:aws:iam::123456789012:user/other";
const OWN: &str = "arn:aws:iam::123456789012:policy/own";
const MEMBERS: &str = "arn:aws:iam::123456789012:group/members";
const ADMINS: &str = "arn:aws:iam::123456789012:group/admins";
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: String::new(),
    }
}

#[derive(Default)]
struct Account {
    identities: Vec<Identity>,
    policies: Vec<Policy>,
    trusts: Vec<Trust>,
    memberships: Vec<Membership>,
    references: Vec<Reference>,
}

impl Account {
    fn identity(&mut self, key: &str) {
        let kind = match key {
            _ if key.contains(":role/") => IdentityKind::Role,
            _ if key.contains(":group/") => IdentityKind::Group,
            _ => IdentityKind::User,
        };
        self.identities.push(Identity {
            key: key.into(),
            kind,
            name: key.rsplit('/').next().unwrap_or_default().to_owned(),
            provider: "aws".to_owned(),
            account: Some("123456789012".to_owned()),
            status: Status::Active,
            created: Known::Unknown,
            last_used: Known::Unknown,
            interactive: Known::Unknown,
            mfa: Known::Unknown,
            tags: Vec::new(),
            source: source(),
        });
    }

    fn policy(&mut self, key: &str, document: &str, ties: &[(&str, AttachmentKind)]) {
        self.policies.push(Policy {
            key: key.into(),
            name: key.to_owned(),
            document: document.to_owned(),
            attached: ties
                .iter()
                .map(|(to, kind)| Attachment {
                    to: (*to).into(),
                    kind: *kind,
                })
                .collect(),
            source: source(),
        });
    }

    fn trust(&mut self, role: &str, principal: &str) {
        self.trusts.push(Trust {
            identity: role.into(),
            document: format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}}}"#
            ),
            source: source(),
        });
    }

    fn assess(&self) -> Access {
        assess(&AccessFacts {
            identities: &self.identities,
            policies: &self.policies,
            trusts: &self.trusts,
            memberships: &self.memberships,
            references: &self.references,
            ..AccessFacts::default()
        })
    }
}

fn allow(actions: &[String], resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":{},"Resource":"{resource}"}}}}"#,
        serde_json::json!(actions)
    )
}

/// The smallest account in which a way is open to the actor, given these actions.
fn account(path: &Path, actor: &str, document: &str) -> Account {
    let mut account = Account::default();
    for key in [actor, BOSS, OTHER, MEMBERS, ADMINS] {
        account.identity(key);
    }
    account.policy(OWN, document, &[(actor, AttachmentKind::Attached)]);
    if path.gain == Gain::Version {
        account.policy(&format!("{OWN}/version/v1"), EVERYTHING, &[]);
    }
    account.policy(
        "arn:aws:iam::123456789012:policy/boss",
        EVERYTHING,
        &[
            (BOSS, AttachmentKind::Attached),
            (OTHER, AttachmentKind::Attached),
            (ADMINS, AttachmentKind::Attached),
        ],
    );
    if path.gain == Gain::Unbound {
        account.policy(
            "arn:aws:iam::123456789012:policy/fence",
            EVERYTHING,
            &[
                (actor, AttachmentKind::Boundary),
                (BOSS, AttachmentKind::Boundary),
            ],
        );
    }
    account.memberships.push(Membership {
        member: actor.into(),
        group: MEMBERS.into(),
        source: source(),
    });
    if path.target == Target::PassedRole {
        account.trust(
            BOSS,
            &format!(r#"{{"Service":{}}}"#, serde_json::json!(path.services)),
        );
    } else {
        account.trust(BOSS, r#"{"AWS":"123456789012"}"#);
    }
    if actor == ROLE {
        account.trust(ROLE, r#"{"Service":"opsworks.amazonaws.com"}"#);
    }
    account
}

fn actor_of(path: &Path) -> &'static str {
    if path.who.as_deref() == Some("role") {
        ROLE
    } else {
        USER
    }
}

fn names(path: &Path) -> Vec<String> {
    path.actions
        .iter()
        .map(|&action| catalogue().actions[usize::from(action)].name.clone())
        .collect()
}

fn ids(access: &Access, actor: &str, certain: bool) -> Vec<&'static str> {
    let ways = &access
        .escalation(&Key::from(actor))
        .expect("the actor")
        .ways;
    let some = ways.iter().filter(|way| way.certain == certain);
    some.map(|way| way.id).collect()
}

#[test]
fn every_way_is_found() {
    for path in &catalogue().paths {
        let actor = actor_of(path);
        let access = account(path, actor, &allow(&names(path), "*")).assess();
        assert!(
            ids(&access, actor, true).contains(&path.id.as_str()),
            "{} is open and not found; {:?}",
            path.id,
            ids(&access, actor, false)
        );
    }
}

#[test]
fn no_way_is_found_with_one_action_less() {
    for path in &catalogue().paths {
        let actor = actor_of(path);
        let all = names(path);
        for missing in &all {
            let some: Vec<String> = all
                .iter()
                .filter(|name| *name != missing)
                .cloned()
                .collect();
            let access = account(path, actor, &allow(&some, "*")).assess();
            for certain in [true, false] {
                assert!(
                    !ids(&access, actor, certain).contains(&path.id.as_str()),
                    "{} is found without {missing}",
                    path.id
                );
            }
        }
    }
}

#[test]
fn no_way_is_found_where_an_action_is_denied_in_another_policy() {
    for path in &catalogue().paths {
        let actor = actor_of(path);
        for name in names(path) {
            let mut account = account(path, actor, &allow(&names(path), "*"));
            let shouted = name.to_uppercase();
            account.policy(
                "deny",
                &format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"{shouted}","Resource":"*"}}}}"#),
                &[(actor, AttachmentKind::Inline)],
            );
            let access = account.assess();
            assert!(
                !ids(&access, actor, true).contains(&path.id.as_str()),
                "{}",
                path.id
            );
        }
    }
}

#[test]
fn a_condition_is_told() {
    for path in &catalogue().paths {
        let actor = actor_of(path);
        let document = allow(&names(path), "*").replace(
            r#""Resource":"*""#,
            r#""Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
        );
        let access = account(path, actor, &document).assess();
        let ways = &access
            .escalation(&Key::from(actor))
            .expect("the actor")
            .ways;
        let way = ways.iter().find(|way| way.id == path.id);
        let way = way.unwrap_or_else(|| panic!("{} is not found", path.id));
        assert!(!way.certain, "{}", path.id);
        assert_eq!(way.conditions, ["needs MFA"], "{}", path.id);
    }
}

fn path(id: &str) -> &'static Path {
    let found = catalogue().paths.iter().find(|path| path.id == id);
    found.expect("a known way")
}

#[test]
fn two_actions_must_hit_the_same_thing() {
    let one = "arn:aws:lambda:us-east-1:123456789012:function:one";
    let two = "arn:aws:lambda:us-east-1:123456789012:function:two";
    for (update, invoke, open) in [(one, one, true), (one, two, false), (one, "*", true)] {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"lambda:UpdateFunctionCode","Resource":"{update}"}},
                {{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"{invoke}"}}]}}"#
        );
        let access = account(path("lambda-004"), USER, &document).assess();
        assert_eq!(
            ids(&access, USER, true).contains(&"lambda-004"),
            open,
            "{update} {invoke}"
        );
    }
}

#[test]
fn a_role_is_passed_only_to_a_service_that_it_trusts() {
    let actions = names(path("lambda-001"));
    for (principal, condition, open) in [
        (r#"{"Service":"lambda.amazonaws.com"}"#, "{}", true),
        (r#"{"Service":"ec2.amazonaws.com"}"#, "{}", false),
        (
            r#"{"Service":"lambda.amazonaws.com"}"#,
            r#"{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#,
            true,
        ),
        (
            r#"{"Service":"lambda.amazonaws.com"}"#,
            r#"{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}"#,
            false,
        ),
    ] {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{condition}}},
                {{"Effect":"Allow","Action":{},"Resource":"*"}}]}}"#,
            serde_json::json!(actions[1..])
        );
        let mut account = account(path("lambda-001"), USER, &document);
        account.trusts.clear();
        account.trust(BOSS, principal);
        let access = account.assess();
        assert_eq!(
            ids(&access, USER, true).contains(&"lambda-001"),
            open,
            "{principal} {condition}"
        );
    }
}

#[test]
fn a_chain_ends_at_an_administrator() {
    let mut account = Account::default();
    let roles: Vec<String> = (0..20)
        .map(|number| format!("arn:aws:iam::123456789012:role/hop-{number}"))
        .collect();
    account.identity(USER);
    account.trust(&roles[0], &format!(r#"{{"AWS":"{USER}"}}"#));
    for (number, role) in roles.iter().enumerate() {
        account.identity(role);
        if let Some(next) = roles.get(number + 1) {
            account.trust(next, &format!(r#"{{"AWS":"{role}"}}"#));
        }
    }
    let escalation = |account: &Account| {
        let access = account.assess();
        access
            .escalation(&Key::from(USER))
            .cloned()
            .expect("the user")
    };
    assert_eq!(escalation(&account).reaches, None);
    account.policy("all", EVERYTHING, &[(&roles[19], AttachmentKind::Inline)]);
    let reaches = escalation(&account).reaches.expect("a chain");
    assert_eq!(reaches.len(), 20);
    assert!(reaches.iter().all(|hop| hop.way == "sts-001"));
}

#[test]
fn what_runs_as_a_role_leads_to_it() {
    let actions = names(path("lambda-003"));
    let mut account = account(path("lambda-003"), USER, &allow(&actions, "*"));
    let reaches = |account: &Account| {
        let access = account.assess();
        let escalation = access.escalation(&Key::from(USER)).expect("the user");
        escalation.reaches.is_some()
    };
    assert!(!reaches(&account));
    account.references.push(Reference {
        by: "arn:aws:lambda:us-east-1:123456789012:function:nightly".into(),
        to: BOSS.into(),
        source: source(),
    });
    assert!(reaches(&account));
}

/// Who changes a launch template also chooses its role: nobody passes that.
#[test]
fn a_launch_template_leads_to_every_role_of_machines() {
    let actions = names(path("ec2-004"));
    let low = "arn:aws:iam::123456789012:role/low";
    let mut account = account(path("ec2-004"), USER, &allow(&actions, "*"));
    account.identity(low);
    account.trusts.clear();
    account.trust(BOSS, r#"{"Service":"ec2.amazonaws.com"}"#);
    let reference = |by: &str, to: &str| Reference {
        by: by.into(),
        to: to.into(),
        source: source(),
    };
    let reaches = |account: &Account| {
        let access = account.assess();
        let escalation = access.escalation(&Key::from(USER)).expect("the user");
        escalation.reaches.is_some()
    };
    let profile = "arn:aws:iam::123456789012:instance-profile/boss";
    account.references.push(reference(profile, BOSS));
    // Without a template there is nothing to change.
    assert!(!reaches(&account));
    let template = "arn:aws:ec2:us-east-1:123456789012:launch-template/lt-1";
    account.references.push(reference(template, low));
    assert!(reaches(&account));
}

#[test]
fn what_nobody_can_change_is_no_target() {
    let actions = vec!["iam:UpdateAssumeRolePolicy".to_owned()];
    for (role, open) in [
        ("arn:aws:iam::123456789012:role/boss", true),
        (
            "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
            false,
        ),
        (
            "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1",
            false,
        ),
    ] {
        let mut account = Account::default();
        account.identity(USER);
        account.identity(role);
        account.policy(
            OWN,
            &allow(&actions, "*"),
            &[(USER, AttachmentKind::Attached)],
        );
        let access = account.assess();
        assert_eq!(!ids(&access, USER, true).is_empty(), open, "{role}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// A Deny takes away and never gives; neither order nor case of actions matters.
    #[test]
    fn a_deny_never_opens_a_way(
        picked in proptest::collection::vec(0usize..120, 1..12),
        denied in 0usize..120,
        role in any::<bool>(),
    ) {
        let actions: Vec<String> = picked
            .iter()
            .map(|&number| catalogue().actions[number % catalogue().actions.len()].name.clone())
            .collect();
        let actor = if role { ROLE } else { USER };
        let some = path("lambda-001");
        let base = account(some, actor, &allow(&actions, "*")).assess();
        let turned: Vec<String> = actions.iter().rev().map(|name| name.to_uppercase()).collect();
        let same = account(some, actor, &allow(&turned, "*")).assess();
        prop_assert_eq!(ids(&base, actor, true), ids(&same, actor, true));
        let mut less = account(some, actor, &allow(&actions, "*"));
        let name = &catalogue().actions[denied % catalogue().actions.len()].name;
        less.policy(
            "deny",
            &format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"{name}","Resource":"*"}}}}"#),
            &[(actor, AttachmentKind::Inline)],
        );
        let less = less.assess();
        let before = ids(&base, actor, true);
        for id in ids(&less, actor, true).into_iter().chain(ids(&less, actor, false)) {
            prop_assert!(before.contains(&id), "{} came with a Deny of {}", id, name);
        }
    }

    /// What is worked out once for many is what each of them has: a Deny that never holds makes
    /// every answer depend on the request, so that nothing is shared.
    #[test]
    fn what_is_shared_is_what_each_has(
        roles in proptest::collection::vec(
            (proptest::collection::vec(0usize..120, 1..8), 0usize..6, 0usize..5, any::<bool>()),
            2..7,
        ),
    ) {
        let key = |number: usize| format!("arn:aws:iam::123456789012:role/team-{}/r{number}", number % 2);
        let build = |shares: bool| {
            let mut account = Account::default();
            account.identity(USER);
            account.identity(BOSS);
            account.policy("boss", EVERYTHING, &[(BOSS, AttachmentKind::Inline)]);
            account.trust(BOSS, r#"{"AWS":"123456789012","Service":["lambda.amazonaws.com","ec2.amazonaws.com"]}"#);
            for (number, (actions, on, trust, boundary)) in roles.iter().enumerate() {
                let role = key(number);
                account.identity(&role);
                let all = &catalogue().actions;
                let mut names: Vec<String> = actions.iter().map(|&a| all[a % all.len()].name.clone()).collect();
                names.push("sts:AssumeRole".to_owned());
                names.push("iam:PassRole".to_owned());
                let resource = [
                    "*",
                    "arn:aws:iam::123456789012:role/team-0/*",
                    "arn:aws:iam::123456789012:role/*",
                    "arn:aws:iam::*:role/boss",
                    "arn:aws:lambda:*:123456789012:function:app-?*",
                    "arn:aws:iam::123456789012:*/r1",
                ][*on];
                let own = format!("arn:aws:iam::123456789012:policy/own-{number}");
                account.policy(&own, &allow(&names, resource), &[(&role, AttachmentKind::Attached)]);
                if *boundary {
                    account.policy("fence", &allow(&names[..1], "*"), &[(&role, AttachmentKind::Boundary)]);
                }
                if !shares {
                    account.policy(
                        "never",
                        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalArn":"nobody"}}}}"#,
                        &[(&role, AttachmentKind::Inline)],
                    );
                }
                let before = key(number.saturating_sub(1));
                account.trust(&role, &match trust {
                    0 => r#"{"AWS":"123456789012"}"#.to_owned(),
                    1 => format!(r#"{{"AWS":"{before}"}}"#),
                    2 => r#"{"Service":"lambda.amazonaws.com"}"#.to_owned(),
                    3 => format!(r#"{{"AWS":["{USER}","123456789012"]}}"#),
                    _ => r#""*""#.to_owned(),
                });
            }
            account.assess()
        };
        let (shared, alone) = (build(true), build(false));
        for number in 0..roles.len() {
            let key = Key::from(key(number));
            let tell = |access: &Access| {
                let escalation = access.escalation(&key).expect("a role").clone();
                let ways: Vec<_> = escalation.ways.into_iter().map(|way| (way.id, way.certain, way.conditions, way.targets, way.target_count)).collect();
                (ways, escalation.reaches.map(|hops| hops.len()))
            };
            prop_assert_eq!(tell(&shared), tell(&alone));
        }
    }

    /// A boundary takes away and never gives, but for the ways that lift it.
    #[test]
    fn a_boundary_never_opens_a_way(
        picked in proptest::collection::vec(0usize..120, 1..12),
        within in proptest::collection::vec(0usize..120, 0..12),
    ) {
        let named = |numbers: &[usize]| -> Vec<String> {
            let all = &catalogue().actions;
            numbers.iter().map(|&number| all[number % all.len()].name.clone()).collect()
        };
        let some = path("lambda-001");
        let base = account(some, USER, &allow(&named(&picked), "*")).assess();
        let mut less = account(some, USER, &allow(&named(&picked), "*"));
        less.policy("fence", &allow(&named(&within), "*"), &[(USER, AttachmentKind::Boundary)]);
        let less = less.assess();
        let before = ids(&base, USER, true);
        for id in ids(&less, USER, true).into_iter().chain(ids(&less, USER, false)) {
            prop_assert!(before.contains(&id) || id == "iam-022", "{} came with a boundary", id);
        }
    }
}
