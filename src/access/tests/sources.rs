//! How policies of different kinds combine, and what an answer names.

use keymuster_api::{AttachmentKind, Key, Membership, Trust};

use super::{
    ACCOUNT, ALL, Context, Decision, Estate, GROUP, ROLE, Request, USER, allow, deny, document,
    identity, source,
};
use Decision::{Allowed, Conditional, NotAllowed};

/// reference_policies_evaluation-logic, access_policies_boundaries,
/// orgs_manage_policies_scps_evaluation (organizations user guide).
#[test]
fn sources_combine_as_documented() {
    let (all, nothing) = (allow(ALL), deny(ALL));
    let s3 = allow(r#""Action":"s3:*","Resource":"*""#);
    let ec2 = allow(r#""Action":"ec2:*","Resource":"*""#);
    let mfa = |effect: &str| {
        document(&format!(
            r#"{{"Effect":"{effect}",{ALL},"Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}"#
        ))
    };
    let e = Estate::new;
    let (inline, boundary, scp) = (
        AttachmentKind::Inline,
        AttachmentKind::Boundary,
        AttachmentKind::Account,
    );
    for (name, estate, expected) in [
        ("nothing", e(), NotAllowed),
        ("allow", e().user(&s3), Allowed),
        (
            "attached",
            e().with(USER, AttachmentKind::Attached, &s3),
            Allowed,
        ),
        ("of the group", e().with(GROUP, inline, &s3), Allowed),
        ("of somebody else", e().with(ROLE, inline, &s3), NotAllowed),
        ("allow and deny", e().user(&s3).user(&nothing), NotAllowed),
        (
            "deny before allow",
            e().user(&nothing).user(&s3),
            NotAllowed,
        ),
        (
            "deny of the group",
            e().user(&s3).with(GROUP, inline, &nothing),
            NotAllowed,
        ),
        (
            "deny of another service",
            e().user(&s3)
                .user(&deny(r#""Action":"ec2:*","Resource":"*""#)),
            Allowed,
        ),
        (
            "deny with NotAction",
            e().user(&all)
                .user(&deny(r#""NotAction":"ec2:*","Resource":"*""#)),
            NotAllowed,
        ),
        (
            "deny with NotResource",
            e().user(&all)
                .user(&deny(r#""Action":"*","NotResource":"arn:aws:s3:::b/*""#)),
            Allowed,
        ),
        (
            "boundary that allows",
            e().user(&all).with(USER, boundary, &s3),
            Allowed,
        ),
        (
            "boundary that does not",
            e().user(&all).with(USER, boundary, &ec2),
            NotAllowed,
        ),
        ("boundary alone", e().with(USER, boundary, &all), NotAllowed),
        (
            "boundary that denies",
            e().user(&all).with(USER, boundary, &nothing),
            NotAllowed,
        ),
        (
            "a group has no boundary",
            e().user(&all).with(GROUP, boundary, &ec2),
            Allowed,
        ),
        (
            "scp that allows",
            e().user(&all).with(ACCOUNT, scp, &all),
            Allowed,
        ),
        ("scp alone", e().with(ACCOUNT, scp, &all), NotAllowed),
        (
            "scp allow list",
            e().user(&all).with(ACCOUNT, scp, &ec2),
            NotAllowed,
        ),
        (
            "scps of one level add up",
            e().user(&all)
                .with(ACCOUNT, scp, &ec2)
                .with(ACCOUNT, scp, &s3),
            Allowed,
        ),
        (
            "scp deny",
            e().user(&all)
                .with(ACCOUNT, scp, &all)
                .with(ACCOUNT, scp, &nothing),
            NotAllowed,
        ),
        (
            "scp deny list without FullAWSAccess",
            e().user(&all)
                .with(ACCOUNT, scp, &deny(r#""Action":"ec2:*","Resource":"*""#)),
            Allowed,
        ),
        (
            "both levels allow",
            e().user(&all)
                .in_level("ou")
                .with(ACCOUNT, scp, &all)
                .with("ou", scp, &s3),
            Allowed,
        ),
        (
            "one level does not",
            e().user(&all)
                .in_level("ou")
                .with(ACCOUNT, scp, &all)
                .with("ou", scp, &ec2),
            NotAllowed,
        ),
        (
            "rcp deny",
            e().user(&all)
                .with(ACCOUNT, AttachmentKind::Resource, &nothing),
            NotAllowed,
        ),
        (
            "scp of another account",
            e().user(&all).with("aws:account:1", scp, &nothing),
            Allowed,
        ),
        ("conditional allow", e().user(&mfa("Allow")), Conditional),
        (
            "conditional allow, certain deny",
            e().user(&mfa("Allow")).user(&nothing),
            NotAllowed,
        ),
        (
            "certain allow, conditional deny",
            e().user(&all).user(&mfa("Deny")),
            Conditional,
        ),
        (
            "conditional and certain allow",
            e().user(&mfa("Allow")).user(&s3),
            Allowed,
        ),
        (
            "conditional boundary",
            e().user(&all).with(USER, boundary, &mfa("Allow")),
            Conditional,
        ),
        (
            "conditional scp",
            e().user(&all)
                .with(ACCOUNT, scp, &all)
                .with(ACCOUNT, scp, &mfa("Deny")),
            Conditional,
        ),
    ] {
        assert_eq!(
            estate.ask(USER, "s3:GetObject", "arn:aws:s3:::b/k", &Context::new()),
            expected,
            "{name}"
        );
    }
}

/// orgs_manage_policies_scps, "tasks and entities not restricted by SCPs".
#[test]
fn control_policies_spare_service_linked_roles() {
    let linked =
        "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    let mut estate = Estate::new()
        .with(linked, AttachmentKind::Attached, &allow(ALL))
        .with(ROLE, AttachmentKind::Attached, &allow(ALL))
        .with(ACCOUNT, AttachmentKind::Account, &deny(ALL));
    estate.identities.push(identity(linked));
    assert_eq!(
        estate.ask(linked, "s3:GetObject", "*", &Context::new()),
        Allowed
    );
    assert_eq!(
        estate.ask(ROLE, "s3:GetObject", "*", &Context::new()),
        NotAllowed
    );
    assert_eq!(
        estate.ask(
            "arn:aws:iam::123456789012:root",
            "s3:GetObject",
            "*",
            &Context::new()
        ),
        NotAllowed
    );
}

#[test]
fn answers_name_what_decided() {
    let text = document(
        r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Sid":"Read","Effect":"Allow","Action":["s3:Put*","s3:Get*"],"Resource":"arn:aws:s3:::b/*"}"#,
    );
    let estate = Estate::new().with(GROUP, AttachmentKind::Inline, &text);
    let access = estate.assess();
    let context = Context::new();
    let user = Key::from(USER);
    let answer = access.can(&Request {
        principal: &user,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::b/k",
        context: &context,
    });
    let step = &answer.evidence.steps[0];
    assert_eq!(
        (step.policy.0.as_str(), step.statement, step.sid.as_deref()),
        ("p0", 1, Some("Read"))
    );
    assert_eq!(step.matched, "Allow s3:Get* on arn:aws:s3:::b/*");
    assert_eq!(step.via, Some(GROUP.into()));

    let conditional = allow(&format!(
        r#"{ALL},"Condition":{{"IpAddress":{{"aws:SourceIp":"203.0.113.0/24"}},"StringEquals":{{"sts:ExternalId":"x"}}}}"#
    ));
    let access = Estate::new().user(&conditional).assess();
    let answer = access.can(&Request {
        principal: &user,
        action: "s3:GetObject",
        resource: "*",
        context: &context,
    });
    assert_eq!(answer.evidence.conditions, ["external id", "source IP"]);
    let denied = Estate::new().user(&allow(ALL)).user(&deny(ALL)).assess();
    let answer = denied.can(&Request {
        principal: &user,
        action: "s3:GetObject",
        resource: "*",
        context: &context,
    });
    assert_eq!(answer.evidence.steps[0].matched, "Deny * on *");
}

#[test]
fn problems_name_their_policy() {
    let mut estate = Estate::new().user("{").with(
        ACCOUNT,
        AttachmentKind::Account,
        &deny(r#""Action":"ec2:*","Resource":"*""#),
    );
    estate.trusts.push(Trust {
        identity: ROLE.into(),
        document: "[]".to_owned(),
        source: source(),
    });
    let access = estate.assess();
    let told: Vec<(&str, &str)> = access
        .problems()
        .iter()
        .map(|one| (one.policy.0.as_str(), one.message.as_str()))
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], (ROLE, "the document is no object"));
    assert_eq!(told[1].0, "p0");
    assert!(told[2].1.contains("FullAWSAccess is taken to be attached"));
}

#[test]
fn a_circle_of_groups_ends() {
    let mut estate = Estate::new().user(&allow(ALL)).in_level("a");
    for (member, group) in [("a", "b"), ("b", "a")] {
        estate.memberships.push(Membership {
            member: member.into(),
            group: group.into(),
            source: source(),
        });
    }
    assert_eq!(estate.ask(USER, "s3:Get", "*", &Context::new()), Allowed);
}
