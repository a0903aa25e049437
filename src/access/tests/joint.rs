//! Policies of resources and sessions. IAM user guide: "Policy evaluation logic", "Cross-account
//! policy evaluation logic", "Permissions boundaries for IAM entities", "Session policies"; KMS
//! developer guide: "Key policies".

use keymuster_api::AttachmentKind;

use super::{ACCOUNT, ALL, Estate, ROLE, USER, allow, deny, document};
use crate::access::{Besides, Context, Decision, Request, policy::Document};

const OBJECT: &str = "arn:aws:s3:::b/k";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:q";
const FOREIGN: &str = "arn:aws:sqs:eu-west-1:210987654321:q";
const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/k";

struct Case<'a> {
    estate: Estate,
    who: &'a str,
    action: &'a str,
    on: &'a str,
    resource: Option<String>,
    session: Option<String>,
}

impl Case<'_> {
    fn decide(&self) -> Decision {
        let parse = |text: &Option<String>| text.as_deref().map(Document::parse);
        let (resource, session) = (parse(&self.resource), parse(&self.session));
        let context = Context::new();
        let request = Request {
            principal: &self.who.into(),
            action: self.action,
            resource: self.on,
            context: &context,
        };
        let besides = Besides {
            resource: resource.as_ref(),
            session: session.as_ref(),
        };
        self.estate.assess().can_with(&request, besides).decision
    }
}

fn case<'a>(estate: Estate, who: &'a str, action: &'a str, on: &'a str) -> Case<'a> {
    Case {
        estate,
        who,
        action,
        on,
        resource: None,
        session: None,
    }
}

fn to(effect: &str, principal: &str, action: &str) -> String {
    document(&format!(
        r#"{{"Effect":"{effect}","Principal":{principal},"Action":"{action}","Resource":"*"}}"#
    ))
}

fn arn(who: &str) -> String {
    format!(r#"{{"AWS":"{who}"}}"#)
}

#[test]
fn within_an_account_either_side_grants() {
    let granted = || Estate::new().user(&allow(ALL));
    let nothing = Estate::new;
    let root = r#"{"AWS":"123456789012"}"#.to_owned();
    for (estate, who, principal, effect, decision) in [
        (granted(), USER, None, "", Decision::Allowed),
        (nothing(), USER, None, "", Decision::NotAllowed),
        (nothing(), USER, Some(arn(USER)), "Allow", Decision::Allowed),
        (nothing(), ROLE, Some(arn(ROLE)), "Allow", Decision::Allowed),
        (
            nothing(),
            USER,
            Some(arn(ROLE)),
            "Allow",
            Decision::NotAllowed,
        ),
        // The account's root delegates: its policies decide.
        (
            nothing(),
            USER,
            Some(root.clone()),
            "Allow",
            Decision::NotAllowed,
        ),
        (granted(), USER, Some(root), "Allow", Decision::Allowed),
        (
            granted(),
            USER,
            Some(arn(USER)),
            "Deny",
            Decision::NotAllowed,
        ),
        (granted(), USER, Some(arn(ROLE)), "Deny", Decision::Allowed),
        (
            nothing(),
            USER,
            Some(r#""*""#.to_owned()),
            "Allow",
            Decision::Allowed,
        ),
    ] {
        let mut one = case(estate, who, "sqs:SendMessage", QUEUE);
        one.resource = principal.as_ref().map(|who| to(effect, who, "sqs:*"));
        assert_eq!(one.decide(), decision, "{who} {principal:?} {effect}");
    }
}

#[test]
fn across_accounts_both_sides_grant() {
    let granted = || Estate::new().user(&allow(ALL));
    for (estate, principal, decision) in [
        (granted(), Some(arn(USER)), Decision::Allowed),
        (
            granted(),
            Some(r#"{"AWS":"123456789012"}"#.to_owned()),
            Decision::Allowed,
        ),
        (granted(), Some(arn(ROLE)), Decision::NotAllowed),
        (Estate::new(), Some(arn(USER)), Decision::NotAllowed),
        // Nobody showed the other side.
        (granted(), None, Decision::Conditional),
        (Estate::new(), None, Decision::NotAllowed),
    ] {
        let mut one = case(estate, USER, "sqs:SendMessage", FOREIGN);
        one.resource = principal.as_ref().map(|who| to("Allow", who, "sqs:*"));
        assert_eq!(one.decide(), decision, "{principal:?}");
    }
}

#[test]
fn a_boundary_binds_a_role_that_is_named_but_no_user() {
    let fence = allow(r#""Action":"ec2:*","Resource":"*""#);
    for (who, decision) in [(USER, Decision::Allowed), (ROLE, Decision::NotAllowed)] {
        let estate = Estate::new().with(who, AttachmentKind::Boundary, &fence);
        let mut one = case(estate, who, "s3:GetObject", OBJECT);
        one.resource = Some(to("Allow", &arn(who), "s3:*"));
        assert_eq!(one.decide(), decision, "{who}");
    }
    // A Deny of the boundary counts for both.
    let fence = deny(r#""Action":"s3:*","Resource":"*""#);
    for who in [USER, ROLE] {
        let estate = Estate::new().with(who, AttachmentKind::Boundary, &fence);
        let mut one = case(estate, who, "s3:GetObject", OBJECT);
        one.resource = Some(to("Allow", &arn(who), "s3:*"));
        assert_eq!(one.decide(), Decision::NotAllowed, "{who}");
    }
}

#[test]
fn control_policies_bind_whatever_the_resource_grants() {
    let estate = Estate::new().with(
        ACCOUNT,
        AttachmentKind::Account,
        &allow(r#""Action":"ec2:*","Resource":"*""#),
    );
    let mut one = case(estate, USER, "s3:GetObject", OBJECT);
    one.resource = Some(to("Allow", &arn(USER), "s3:*"));
    assert_eq!(one.decide(), Decision::NotAllowed);
}

#[test]
fn a_key_is_open_only_through_its_own_policy() {
    let granted = || Estate::new().user(&allow(ALL));
    for (estate, principal, decision) in [
        (
            granted(),
            r#"{"AWS":"123456789012"}"#.to_owned(),
            Decision::Allowed,
        ),
        (granted(), arn(ROLE), Decision::NotAllowed),
        (Estate::new(), arn(USER), Decision::Allowed),
        (
            Estate::new(),
            r#"{"AWS":"123456789012"}"#.to_owned(),
            Decision::NotAllowed,
        ),
    ] {
        let mut one = case(estate, USER, "kms:Decrypt", KEY);
        one.resource = Some(to("Allow", &principal, "kms:*"));
        assert_eq!(one.decide(), decision, "{principal}");
    }
}

#[test]
fn a_session_only_takes_away() {
    let granted = || Estate::new().with(ROLE, AttachmentKind::Inline, &allow(ALL));
    for (estate, session, decision) in [
        (granted(), allow(ALL), Decision::Allowed),
        (
            granted(),
            allow(r#""Action":"s3:Get*","Resource":"*""#),
            Decision::Allowed,
        ),
        (
            granted(),
            allow(r#""Action":"ec2:*","Resource":"*""#),
            Decision::NotAllowed,
        ),
        (granted(), deny(ALL), Decision::NotAllowed),
        (Estate::new(), allow(ALL), Decision::NotAllowed),
        (
            granted(),
            allow(
                r#""Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
            ),
            Decision::Conditional,
        ),
    ] {
        let mut one = case(estate, ROLE, "s3:GetObject", OBJECT);
        one.session = Some(session.clone());
        assert_eq!(one.decide(), decision, "{session}");
    }
}
