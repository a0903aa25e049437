//! Decisions as tables. The cases follow AWS's own documentation (IAM user guide); each table
//! names the page. Keys, accounts and names are made up.

use keymuster_api::{
    Attachment, AttachmentKind, Identity, IdentityKind, Key, Known, Membership, Policy, Source,
    Status, SystemId, Trust,
};
use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

use super::{Access, AccessFacts, Context, Decision, Request, assess};
use Decision::{Allowed, Conditional, NotAllowed};

const USER: &str = "arn:aws:iam::123456789012:user/ann";
const ROLE: &str = "arn:aws:iam::123456789012:role/app";
const GROUP: &str = "arn:aws:iam::123456789012:group/ops";
const ACCOUNT: &str = "aws:account:123456789012";

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: String::new(),
    }
}

fn identity(key: &str) -> Identity {
    let kind = match key {
        _ if key.ends_with(":root") => IdentityKind::Root,
        _ if key.contains(":role/") => IdentityKind::Role,
        _ => IdentityKind::User,
    };
    Identity {
        key: key.into(),
        kind,
        name: key.rsplit('/').next().unwrap_or_default().to_owned(),
        provider: "aws".to_owned(),
        account: key.split(':').nth(4).map(str::to_owned),
        status: Status::Active,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: Known::Unknown,
        mfa: Known::Unknown,
        tags: vec![("Team".to_owned(), "blue".to_owned())],
        source: source(),
    }
}

/// An estate with one user in one group, one role and the root; policies are added.
#[derive(Clone)]
struct Estate {
    identities: Vec<Identity>,
    policies: Vec<Policy>,
    trusts: Vec<Trust>,
    memberships: Vec<Membership>,
}

impl Estate {
    fn new() -> Estate {
        Estate {
            identities: vec![
                identity(USER),
                identity(ROLE),
                identity("arn:aws:iam::123456789012:root"),
            ],
            policies: Vec::new(),
            trusts: Vec::new(),
            memberships: vec![Membership {
                member: USER.into(),
                group: GROUP.into(),
                source: source(),
            }],
        }
    }

    fn with(mut self, to: &str, kind: AttachmentKind, document: &str) -> Estate {
        let key = Key(format!("p{}", self.policies.len()));
        self.policies.push(Policy {
            name: key.0.clone(),
            key,
            document: document.to_owned(),
            attached: vec![Attachment {
                to: to.into(),
                kind,
            }],
            source: source(),
        });
        self
    }

    fn user(self, document: &str) -> Estate {
        self.with(USER, AttachmentKind::Inline, document)
    }

    fn in_level(mut self, level: &str) -> Estate {
        self.memberships.push(Membership {
            member: ACCOUNT.into(),
            group: level.into(),
            source: source(),
        });
        self
    }

    fn assess(&self) -> Access {
        assess(&AccessFacts {
            identities: &self.identities,
            policies: &self.policies,
            trusts: &self.trusts,
            memberships: &self.memberships,
        })
    }

    fn ask(&self, principal: &str, action: &str, resource: &str, context: &Context) -> Decision {
        self.assess()
            .can(&Request {
                principal: &principal.into(),
                action,
                resource,
                context,
            })
            .decision
    }
}

/// A document of these statements, under the version that knows variables.
fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn allow(rest: &str) -> String {
    document(&format!(r#"{{"Effect":"Allow",{rest}}}"#))
}

fn deny(rest: &str) -> String {
    document(&format!(r#"{{"Effect":"Deny",{rest}}}"#))
}

const ALL: &str = r#""Action":"*","Resource":"*""#;

/// reference_policies_elements_action, _notaction, _resource, _notresource,
/// reference_policies_variables.
#[test]
fn elements_match_as_documented() {
    let object = "arn:aws:s3:::logs/2026/a.txt";
    for (statement, action, resource, expected) in [
        (
            r#""Action":"s3:GetObject","Resource":"*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:GetObject","Resource":"*""#,
            "s3:PutObject",
            object,
            NotAllowed,
        ),
        (
            r#""Action":"S3:getobject","Resource":"*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:GetObject","Resource":"*""#,
            "S3:GETOBJECT",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:*Object","Resource":"*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:?etObject","Resource":"*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:?Object","Resource":"*""#,
            "s3:GetObject",
            object,
            NotAllowed,
        ),
        (
            r#""Action":"iam:*AccessKey*","Resource":"*""#,
            "iam:CreateAccessKey",
            USER,
            Allowed,
        ),
        (
            r#""Action":"*:*","Resource":"*""#,
            "nobody:Knows",
            object,
            Allowed,
        ),
        (
            r#""Action":["ec2:Run*","s3:Get*"],"Resource":["*"]"#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":[],"Resource":"*""#,
            "s3:GetObject",
            object,
            NotAllowed,
        ),
        (
            r#""NotAction":"iam:*","Resource":"*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""NotAction":"iam:*","Resource":"*""#,
            "IAM:CreateUser",
            USER,
            NotAllowed,
        ),
        (
            r#""NotAction":["iam:*","nobody:*"],"Resource":"*""#,
            "nobody:Knows",
            object,
            NotAllowed,
        ),
        (
            r#""NotAction":"iam:*","Resource":"*""#,
            "nobody:Knows",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::logs/*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::LOGS/*""#,
            "s3:GetObject",
            object,
            NotAllowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::logs""#,
            "s3:GetObject",
            object,
            NotAllowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::l?gs/*/a.txt""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:*:s3*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:*","NotResource":"arn:aws:s3:::logs/*""#,
            "s3:GetObject",
            object,
            NotAllowed,
        ),
        (
            r#""Action":"s3:*","NotResource":"arn:aws:s3:::other/*""#,
            "s3:GetObject",
            object,
            Allowed,
        ),
        (
            r#""Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::logs""#,
            "s3:ListAllMyBuckets",
            "*",
            NotAllowed,
        ),
        (
            r#""Action":"s3:ListAllMyBuckets","Resource":"*""#,
            "s3:ListAllMyBuckets",
            "*",
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*""#,
            "s3:GetObject",
            "arn:aws:s3:::home/ann/x",
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*""#,
            "s3:GetObject",
            "arn:aws:s3:::home/bob/x",
            NotAllowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}""#,
            "s3:GetObject",
            "arn:aws:s3:::blue",
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/none}""#,
            "s3:GetObject",
            "arn:aws:s3:::blue",
            NotAllowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/none, 'all'}""#,
            "s3:GetObject",
            "arn:aws:s3:::all",
            Allowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::a${*}b""#,
            "s3:GetObject",
            "arn:aws:s3:::axb",
            NotAllowed,
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::${aws:SourceVpc}""#,
            "s3:GetObject",
            "arn:aws:s3:::x",
            Conditional,
        ),
    ] {
        let got =
            Estate::new()
                .user(&allow(statement))
                .ask(USER, action, resource, &Context::new());
        assert_eq!(got, expected, "{statement}: {action} on {resource}");
    }
    // Under the old version a variable is text.
    let old = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}}"#;
    assert_eq!(
        Estate::new()
            .user(old)
            .ask(USER, "s3:Get", "arn:aws:s3:::ann", &Context::new()),
        NotAllowed
    );
}

/// reference_policies_elements_condition_operators,
/// reference_policies_condition-single-vs-multi-valued-context-keys.
#[test]
fn conditions_hold_as_documented() {
    let none = Context::new;
    let with = |key: &str, values: &[&str]| Context::new().with(key, values);
    let absent = |key: &str| Context::new().without(key);
    for (condition, context, expected) in [
        (r#""StringEquals":{"k":"a"}"#, with("k", &["a"]), Allowed),
        (
            r#""StringEquals":{"K":["b","a"]}"#,
            with("k", &["a"]),
            Allowed,
        ),
        (r#""StringEquals":{"k":"a"}"#, with("k", &["A"]), NotAllowed),
        (
            r#""StringEquals":{"k":"a*"}"#,
            with("k", &["ab"]),
            NotAllowed,
        ),
        (r#""StringEquals":{"k":"a"}"#, absent("k"), NotAllowed),
        (r#""StringEquals":{"k":"a"}"#, none(), Conditional),
        (r#""StringEqualsIfExists":{"k":"a"}"#, absent("k"), Allowed),
        (
            r#""StringEqualsIfExists":{"k":"a"}"#,
            with("k", &["b"]),
            NotAllowed,
        ),
        (r#""StringNotEquals":{"k":"a"}"#, absent("k"), Allowed),
        (
            r#""StringNotEquals":{"k":["a","b"]}"#,
            with("k", &["b"]),
            NotAllowed,
        ),
        (
            r#""StringNotEquals":{"k":["a","b"]}"#,
            with("k", &["c"]),
            Allowed,
        ),
        (
            r#""StringEqualsIgnoreCase":{"k":"a"}"#,
            with("k", &["A"]),
            Allowed,
        ),
        (
            r#""StringNotEqualsIgnoreCase":{"k":"a"}"#,
            with("k", &["A"]),
            NotAllowed,
        ),
        (r#""StringLike":{"k":"a*"}"#, with("k", &["ab"]), Allowed),
        (r#""StringLike":{"k":"a?"}"#, with("k", &["a"]), NotAllowed),
        (
            r#""StringNotLike":{"k":"a*"}"#,
            with("k", &["ab"]),
            NotAllowed,
        ),
        (r#""StringNotLike":{"k":"a*"}"#, absent("k"), Allowed),
        (
            r#""StringEquals":{"k":"${aws:username}"}"#,
            with("k", &["ann"]),
            Allowed,
        ),
        (
            r#""StringEquals":{"k":"a","l":"b"}"#,
            with("k", &["a"]).without("l"),
            NotAllowed,
        ),
        (
            r#""StringEquals":{"k":"a"},"StringLike":{"l":"*"}"#,
            with("k", &["a"]).with("l", &["x"]),
            Allowed,
        ),
        (
            r#""StringEquals":{"k":"a","l":"b"}"#,
            with("k", &["a"]),
            Conditional,
        ),
        (
            r#""StringEquals":{"k":"a","l":"b"}"#,
            with("k", &["x"]),
            NotAllowed,
        ),
        (
            r#""NumericLessThan":{"k":"10"}"#,
            with("k", &["9.5"]),
            Allowed,
        ),
        (
            r#""NumericLessThanEquals":{"k":10}"#,
            with("k", &["10"]),
            Allowed,
        ),
        (
            r#""NumericGreaterThan":{"k":"10"}"#,
            with("k", &["10"]),
            NotAllowed,
        ),
        (
            r#""NumericNotEquals":{"k":"10"}"#,
            with("k", &["11"]),
            Allowed,
        ),
        (
            r#""NumericEquals":{"k":"10"}"#,
            with("k", &["ten"]),
            NotAllowed,
        ),
        (
            r#""NumericLessThanIfExists":{"k":"10"}"#,
            absent("k"),
            Allowed,
        ),
        (
            r#""DateGreaterThan":{"k":"2026-01-01T00:00:00Z"}"#,
            with("k", &["2026-06-01T00:00:00Z"]),
            Allowed,
        ),
        (
            r#""DateLessThan":{"k":"2026-01-01"}"#,
            with("k", &["2026-06-01T00:00:00Z"]),
            NotAllowed,
        ),
        (
            r#""DateLessThan":{"k":"1800000000"}"#,
            with("k", &["2026-06-01T00:00:00Z"]),
            Allowed,
        ),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, none(), Allowed),
        (
            r#""Bool":{"aws:SecureTransport":false}"#,
            none(),
            NotAllowed,
        ),
        (
            r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
            none(),
            Conditional,
        ),
        (
            r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#,
            absent("aws:MultiFactorAuthPresent"),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
            with("aws:SourceIp", &["203.0.114.9"]),
            NotAllowed,
        ),
        (
            r#""NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}"#,
            with("aws:SourceIp", &["2001:db8::1"]),
            NotAllowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#,
            with("aws:SourceIp", &["1.2.3.4"]),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"203.0.113.9"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            Allowed,
        ),
        (
            r#""IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"nonsense/99"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            NotAllowed,
        ),
        (
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}"#,
            none(),
            Allowed,
        ),
        (
            r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}"#,
            none(),
            NotAllowed,
        ),
        (
            r#""ArnLike":{"k":"arn:aws:*:user"}"#,
            with("k", &["arn:aws:iam::1:user"]),
            NotAllowed,
        ),
        (
            r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}"#,
            none(),
            NotAllowed,
        ),
        (r#""Null":{"k":"true"}"#, absent("k"), Allowed),
        (r#""Null":{"k":"false"}"#, absent("k"), NotAllowed),
        (r#""Null":{"k":"false"}"#, with("k", &["x"]), Allowed),
        (
            r#""ForAllValues:StringEquals":{"k":["a","b"]}"#,
            with("k", &["a", "b"]),
            Allowed,
        ),
        (
            r#""ForAllValues:StringEquals":{"k":["a","b"]}"#,
            with("k", &["a", "c"]),
            NotAllowed,
        ),
        (
            r#""ForAllValues:StringEquals":{"k":["a","b"]}"#,
            absent("k"),
            Allowed,
        ),
        (
            r#""ForAnyValue:StringEquals":{"k":["a","b"]}"#,
            with("k", &["c", "b"]),
            Allowed,
        ),
        (
            r#""ForAnyValue:StringEquals":{"k":["a","b"]}"#,
            absent("k"),
            NotAllowed,
        ),
        (
            r#""ForAnyValue:StringNotLike":{"k":"a*"}"#,
            with("k", &["ab", "c"]),
            Allowed,
        ),
        (
            r#""ForAllValues:StringNotLike":{"k":"a*"}"#,
            with("k", &["ab", "c"]),
            NotAllowed,
        ),
        (
            r#""BinaryEquals":{"k":"QmluYXJ5"}"#,
            with("k", &["QmluYXJ5"]),
            Allowed,
        ),
        (
            r#""StringEquals":{"aws:PrincipalTag/TEAM":"blue"}"#,
            none(),
            Allowed,
        ),
        (
            r#""StringEquals":{"aws:PrincipalTag/other":"blue"}"#,
            none(),
            NotAllowed,
        ),
        (
            r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#,
            none(),
            Allowed,
        ),
        (r#""StringIs":{"k":"a"}"#, with("k", &["a"]), Conditional),
    ] {
        let text = allow(&format!(r#"{ALL},"Condition":{{{condition}}}"#));
        let got = Estate::new()
            .user(&text)
            .ask(USER, "s3:GetObject", "arn:aws:s3:::b/k", &context);
        assert_eq!(got, expected, "{condition} under {context:?}");
    }
}

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

/// Documents over a small vocabulary, so that statements meet.
fn documents() -> impl Strategy<Value = String> {
    let statement = (
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec!["*", "s3:*", "s3:Get*", "iam:PassRole", "i?m:*"]),
        any::<bool>(),
        prop::sample::select(vec![
            "*",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::${aws:username}/k",
            "arn:aws:iam::*",
        ]),
        prop::sample::select(vec![
            "",
            r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            r#","Condition":{"StringLike":{"aws:PrincipalArn":"*ann"}}"#,
            r#","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"x"}}"#,
        ]),
    )
        .prop_map(
            |(allows, not_action, action, not_resource, resource, condition)| {
                let effect = if allows { "Allow" } else { "Deny" };
                let (a, r) = (
                    if not_action { "NotAction" } else { "Action" },
                    if not_resource {
                        "NotResource"
                    } else {
                        "Resource"
                    },
                );
                format!(r#"{{"Effect":"{effect}","{a}":"{action}","{r}":"{resource}"{condition}}}"#)
            },
        );
    prop::collection::vec(statement, 1..4).prop_map(|statements| document(&statements.join(",")))
}

/// Every question of a small world, under what is known and what is not.
fn answers(estate: &Estate) -> Vec<Decision> {
    let access = estate.assess();
    let contexts = [
        Context::new(),
        Context::new()
            .with("aws:MultiFactorAuthPresent", &["true"])
            .without("aws:TagKeys"),
    ];
    let user = Key::from(USER);
    let mut all = Vec::new();
    for context in &contexts {
        for action in [
            "s3:GetObject",
            "s3:PutObject",
            "iam:PassRole",
            "nobody:Knows",
        ] {
            for resource in [
                "*",
                "arn:aws:s3:::b/k",
                "arn:aws:s3:::ann/k",
                "arn:aws:iam::1:role/r",
            ] {
                all.push(
                    access
                        .can(&Request {
                            principal: &user,
                            action,
                            resource,
                            context,
                        })
                        .decision,
                );
            }
        }
    }
    let privilege = access.privilege(&user).expect("a principal");
    all.push(match (&privilege.admin, &privilege.conditional) {
        (Some(_), _) => Allowed,
        (None, Some(_)) => Conditional,
        (None, None) => NotAllowed,
    });
    all
}

proptest! {
    /// More Denies, a boundary, a control policy: never a capability more.
    #[test]
    fn limits_only_take_away(given in prop::collection::vec(documents(), 1..4), more in documents()) {
        let estate = given.iter().fold(Estate::new(), |estate, text| estate.user(text));
        let before = answers(&estate);
        let denied = more.replace(r#""Effect":"Allow""#, r#""Effect":"Deny""#);
        let limits = [
            estate.clone().user(&denied),
            estate.clone().with(USER, AttachmentKind::Boundary, &more),
            estate.clone().with(ACCOUNT, AttachmentKind::Account, &more),
            estate.clone().with(ACCOUNT, AttachmentKind::Resource, &denied),
        ];
        for (number, limited) in limits.iter().enumerate() {
            for (after, before) in answers(limited).iter().zip(&before) {
                prop_assert!(after <= before, "limit {number}: {after:?} after {before:?}");
            }
        }
    }

    /// Neither the order of policies nor the case of actions matters.
    #[test]
    fn order_and_case_do_not_matter(given in prop::collection::vec(documents(), 1..4)) {
        let forward = given.iter().fold(Estate::new(), |estate, text| estate.user(text));
        let backward = given.iter().rev().fold(Estate::new(), |estate, text| {
            estate.user(&text.replace("s3:Get*", "S3:gET*").replace("iam:PassRole", "IAM:passrole"))
        });
        prop_assert!(answers(&forward) == answers(&backward));
    }

    /// Nothing in a document makes the reader panic.
    #[test]
    fn any_text_is_read(text in ".*", inner in "[\\[\\]{}\":,a-zA-Z*$]*") {
        let wrapped = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":{inner}}}]}}"#);
        for text in [text, inner, wrapped] {
            Estate::new().user(&text).assess();
        }
    }
}
