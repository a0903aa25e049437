//! Administrators, administrators of services, and who can become one.

use keymuster_api::AttachmentKind;

use super::{ACCOUNT, ALL, Estate, GROUP, ROLE, USER, allow, deny};

#[test]
fn administrators_are_judged_by_effect() {
    let all = allow(ALL);
    let not_iam = allow(r#""NotAction":"iam:*","Resource":"*""#);
    let iam = allow(r#""Action":"iam:*","Resource":"*""#);
    let e = Estate::new;
    let (boundary, scp) = (AttachmentKind::Boundary, AttachmentKind::Account);
    for (name, estate, admin, conditional) in [
        ("star on star", e().user(&all), true, false),
        ("as a list", e().user(&allow(r#""Action":["*"],"Resource":["*"]"#)), true, false),
        ("*:*", e().user(&allow(r#""Action":"*:*","Resource":"*""#)), true, false),
        ("all ARNs", e().user(&allow(r#""Action":"*","Resource":"arn:*""#)), true, false),
        ("through a group", e().with(GROUP, AttachmentKind::Attached, &all), true, false),
        ("two halves", e().user(&not_iam).with(GROUP, AttachmentKind::Inline, &iam), true, false),
        ("one half", e().user(&not_iam), false, false),
        ("the other half", e().user(&iam), false, false),
        ("an invented NotAction", e().user(&allow(r#""NotAction":"nobody:Knows","Resource":"*""#)), true, false),
        ("a NotResource", e().user(&allow(r#""Action":"*","NotResource":"arn:aws:s3:::vault/*""#)), true, false),
        ("on one account's IAM", e().user(&allow(r#""Action":"*","Resource":"arn:aws:iam::123456789012:*""#)), false, false),
        ("many services", e().user(&allow(r#""Action":["iam:*","s3:*","sts:*","kms:*","ec2:*","lambda:*","ssm:*","rds:*"],"Resource":"*""#)), false, false),
        ("reader", e().user(&allow(r#""Action":["*:Get*","*:List*","*:Describe*"],"Resource":"*""#)), false, false),
        ("denied all", e().user(&all).user(&deny(ALL)), false, false),
        ("denied IAM", e().user(&all).user(&deny(r#""Action":"iam:*","Resource":"*""#)), false, false),
        ("denied all but EC2", e().user(&all).user(&deny(r#""NotAction":"ec2:*","Resource":"*""#)), false, false),
        ("denied to grant", e().user(&all).user(&deny(r#""Action":["iam:Attach*","iam:Put*"],"Resource":"*""#)), false, false),
        ("a guardrail", e().user(&all).user(&deny(r#""Action":["cloudtrail:*","iam:CreateUser"],"Resource":"*""#)), true, false),
        ("one thing denied", e().user(&all).user(&deny(r#""Action":"*","Resource":"arn:aws:s3:::vault/*""#)), true, false),
        ("boundary", e().user(&all).with(USER, boundary, &iam), false, false),
        ("full boundary", e().user(&all).with(USER, boundary, &all), true, false),
        ("scp allow list", e().user(&all).with(ACCOUNT, scp, &iam), false, false),
        ("scp guardrail", e().user(&all).with(ACCOUNT, scp, &all).with(ACCOUNT, scp, &deny(r#""Action":"organizations:LeaveOrganization","Resource":"*""#)), true, false),
        ("with MFA", e().user(&allow(&format!(r#"{ALL},"Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}"#))), false, true),
        ("region guardrail", e().user(&all).user(&deny(r#""NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}"#)), false, true),
        ("denied to everybody else", e().user(&all).user(&deny(&format!(r#"{ALL},"Condition":{{"ArnNotLike":{{"aws:PrincipalArn":"arn:aws:iam::*:user/ann"}}}}"#))), true, false),
        ("denied to ann", e().user(&all).user(&deny(&format!(r#"{ALL},"Condition":{{"ArnLike":{{"aws:PrincipalArn":"arn:aws:iam::*:user/ann"}}}}"#))), false, false),
        ("unreadable condition", e().user(&allow(&format!(r#"{ALL},"Condition":"x""#))), false, true),
    ] {
        let access = estate.assess();
        let privilege = access.privilege(&USER.into()).expect("a principal");
        assert_eq!((privilege.admin.is_some(), privilege.conditional.is_some()), (admin, conditional), "{name}");
    }
    let access = e().assess();
    assert!(
        access
            .privilege(&"arn:aws:iam::123456789012:root".into())
            .is_some_and(|root| root.admin.is_some())
    );
    assert_eq!(access.privilege(&GROUP.into()), None);
}

#[test]
fn services_are_administered_by_effect() {
    let services = |estate: Estate| -> Vec<String> {
        let access = estate.assess();
        let privilege = access.privilege(&USER.into()).expect("a principal");
        privilege
            .wildcard_services
            .iter()
            .map(|(service, _)| service.clone())
            .collect()
    };
    let e = Estate::new;
    assert_eq!(
        services(e().user(&allow(
            r#""Action":["S3:*","kms:**","iam:Get*"],"Resource":"*""#
        ))),
        ["kms", "s3"]
    );
    assert_eq!(
        services(e().user(&allow(r#""Action":"s3:*","Resource":"arn:aws:s3:::one/*""#))),
        [""; 0]
    );
    assert_eq!(
        services(e().user(&allow(
            r#""Action":"iam:*","Resource":"arn:aws:iam::123456789012:*""#
        ))),
        ["iam"]
    );
    assert_eq!(
        services(e().user(&allow(
            r#""Action":"iam:*","Resource":"arn:aws:iam::123456789012:role/*""#
        ))),
        [""; 0]
    );
    assert_eq!(
        services(
            e().user(&allow(r#""Action":["s3:*","sqs:*"],"Resource":"*""#))
                .user(&deny(r#""Action":"s3:*","Resource":"*""#))
        ),
        ["sqs"]
    );
    let power = services(e().user(&allow(
        r#""NotAction":["iam:*","organizations:*"],"Resource":"*""#,
    )));
    assert!(
        power.contains(&"s3".to_owned()) && !power.contains(&"iam".to_owned()),
        "{power:?}"
    );
    let conditional = allow(
        r#""Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
    );
    assert_eq!(services(e().user(&conditional)), [""; 0]);
    assert_eq!(
        services(e().user(&allow(ALL))),
        [""; 0],
        "subsumed by administrator"
    );
}

#[test]
fn who_can_grant_to_itself_is_told() {
    let grants = |estate: Estate, who: &str| {
        estate
            .assess()
            .privilege(&who.into())
            .is_some_and(|privilege| privilege.self_granting.is_some())
    };
    let e = Estate::new;
    let put = |action: &str, on: &str| allow(&format!(r#""Action":"{action}","Resource":"{on}""#));
    let inline = AttachmentKind::Inline;
    assert!(grants(e().user(&put("iam:PutUserPolicy", USER)), USER));
    assert!(!grants(
        e().user(&put(
            "iam:PutUserPolicy",
            "arn:aws:iam::123456789012:user/bob"
        )),
        USER
    ));
    assert!(
        !grants(e().user(&put("iam:PutRolePolicy", "*")), USER),
        "a user is no role"
    );
    assert!(grants(
        e().with(ROLE, inline, &put("iam:AttachRolePolicy", ROLE)),
        ROLE
    ));
    assert!(
        grants(e().user(&put("iam:AttachGroupPolicy", GROUP)), USER),
        "through its group"
    );
    assert!(!grants(
        e().user(&put("iam:PutUserPolicy", "*")).with(
            USER,
            AttachmentKind::Boundary,
            &put("iam:*", "*")
        ),
        USER
    ));
    let only_read = allow(
        r#""Action":"iam:AttachUserPolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#,
    );
    assert!(!grants(e().user(&only_read), USER));
}
