//! Properties that hold for all policies.

use keymuster_api::{AttachmentKind, Key};
use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

use super::{ACCOUNT, Context, Decision, Estate, Request, USER, document};
use Decision::{Allowed, Conditional, NotAllowed};

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
