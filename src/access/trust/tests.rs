//! Who is named, and what is odd, as tables from the vendors' pages.

use keymuster_api::Key;

use super::{Named, TrustKind, admits, facts, service_name, services};
use crate::access::{Context, Tri, policy::Document};

const ROLE: &str = "arn:aws:iam::123456789012:role/app";

fn trust(principal: &str, action: &str, condition: &str) -> Document {
    Document::parse(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Condition":{condition}}}]}}"#
    ))
}

fn kinds(principal: &str, action: &str, condition: &str) -> Vec<TrustKind> {
    facts(
        &Key(ROLE.to_owned()),
        "123456789012",
        &trust(principal, action, condition),
    )
    .into_iter()
    .map(|fact| fact.kind)
    .collect()
}

/// IAM user guide, "AWS JSON policy elements: Principal".
#[test]
fn callers_are_named_in_many_ways() {
    for (principal, named) in [
        (
            r#"{"AWS":"arn:aws:iam::123456789012:user/ann"}"#,
            Named::Itself,
        ),
        (
            r#"{"AWS":["arn:aws:iam::123456789012:root"]}"#,
            Named::Account,
        ),
        (r#"{"AWS":"123456789012"}"#, Named::Account),
        (r#"{"AWS":"*"}"#, Named::Itself),
        (r#""*""#, Named::Itself),
        (r#"{"AWS":"arn:aws:iam::123456789012:user/bob"}"#, Named::No),
        (r#"{"AWS":"arn:aws:iam::210987654321:root"}"#, Named::No),
        (r#"{"Service":"ec2.amazonaws.com"}"#, Named::No),
        (r#"{"AWS":"arn:aws:iam::123456789012:user/*"}"#, Named::No),
    ] {
        let verdict = admits(
            &trust(principal, "sts:AssumeRole", "{}"),
            "sts:AssumeRole",
            "arn:aws:iam::123456789012:user/ann",
            "123456789012",
            &Context::new(),
        );
        assert_eq!(verdict.named, named, "{principal}");
    }
}

#[test]
fn an_external_id_is_not_known() {
    let verdict = admits(
        &trust(
            r#"{"AWS":"123456789012"}"#,
            "sts:AssumeRole",
            r#"{"StringEquals":{"sts:ExternalId":"x"}}"#,
        ),
        "sts:AssumeRole",
        "arn:aws:iam::123456789012:user/ann",
        "123456789012",
        &Context::new(),
    );
    assert_eq!(verdict.tri, Tri::Unknown);
    assert_eq!(verdict.conditions, ["external id"]);
}

#[test]
fn services_lose_region_and_partition() {
    assert_eq!(
        service_name("states.eu-west-1.amazonaws.com"),
        "states.amazonaws.com"
    );
    assert_eq!(service_name("ec2.amazonaws.com.cn"), "ec2.amazonaws.com");
    assert_eq!(
        service_name("tasks.apprunner.amazonaws.com"),
        "tasks.apprunner.amazonaws.com"
    );
    let document = trust(
        r#"{"Service":["lambda.amazonaws.com"]}"#,
        "sts:AssumeRole",
        r#"{"StringEquals":{"aws:SourceAccount":"999999999999"}}"#,
    );
    assert!(services(&document, "123456789012").is_empty());
    assert_eq!(services(&document, "999999999999").len(), 1);
}

#[test]
fn deleted_public_and_foreign() {
    let gone = format!(r#"{{"AWS":"AROA{}"}}"#, "X".repeat(17));
    for (principal, condition, kind) in [
        (gone.as_str(), "{}", Some(TrustKind::Deleted)),
        (r#"{"AWS":"*"}"#, "{}", Some(TrustKind::Public)),
        (
            r#"{"AWS":"*"}"#,
            r#"{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#,
            None,
        ),
        (
            r#"{"AWS":"*"}"#,
            r#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}"#,
            Some(TrustKind::Public),
        ),
        (
            r#"{"AWS":"arn:aws:iam::210987654321:root"}"#,
            "{}",
            Some(TrustKind::CrossAccount),
        ),
        (r#"{"AWS":"arn:aws:iam::123456789012:root"}"#, "{}", None),
    ] {
        let found = kinds(principal, "sts:AssumeRole", condition);
        assert_eq!(
            found,
            kind.into_iter().collect::<Vec<_>>(),
            "{principal} {condition}"
        );
    }
}

/// GitHub: "Configuring OpenID Connect in Amazon Web Services"; GitLab, HashiCorp and EKS say
/// the same of their subjects.
#[test]
fn tokens_of_many() {
    let hub = "token.actions.githubusercontent.com";
    for (host, condition, broad) in [
        (hub, "{}", true),
        (
            hub,
            r#"{"StringEquals":{"HOST:aud":"sts.amazonaws.com"}}"#,
            true,
        ),
        (hub, r#"{"StringLike":{"HOST:sub":"*"}}"#, true),
        (hub, r#"{"StringLike":{"HOST:sub":"repo:*"}}"#, true),
        (hub, r#"{"StringLike":{"HOST:sub":"repo:acme/*"}}"#, true),
        (hub, r#"{"StringLike":{"HOST:sub":"repo:acme*"}}"#, true),
        (
            hub,
            r#"{"StringLike":{"HOST:sub":"repo:acme/app:*"}}"#,
            false,
        ),
        (
            hub,
            r#"{"StringEquals":{"HOST:sub":"repo:acme/app:ref:refs/heads/main"}}"#,
            false,
        ),
        (hub, r#"{"StringEquals":{"HOST:sub":"repo:*"}}"#, false),
        (
            hub,
            r#"{"StringNotEquals":{"HOST:sub":"repo:acme/app:ref:refs/heads/main"}}"#,
            true,
        ),
        (
            hub,
            r#"{"StringEqualsIfExists":{"HOST:sub":"repo:acme/app:x"}}"#,
            true,
        ),
        (
            hub,
            r#"{"ForAllValues:StringEquals":{"HOST:sub":"repo:acme/app:x"}}"#,
            true,
        ),
        ("gitlab.com", "{}", true),
        (
            "gitlab.com",
            r#"{"StringLike":{"HOST:sub":"project_path:*"}}"#,
            true,
        ),
        (
            "gitlab.com",
            r#"{"StringLike":{"HOST:sub":"project_path:acme/app:*"}}"#,
            false,
        ),
        (
            "app.terraform.io",
            r#"{"StringLike":{"HOST:sub":"organization:*"}}"#,
            true,
        ),
        (
            "app.terraform.io",
            r#"{"StringLike":{"HOST:sub":"organization:acme:project:app:workspace:*"}}"#,
            false,
        ),
        ("oidc.eks.eu-west-1.amazonaws.com/id/ABC", "{}", true),
        (
            "oidc.eks.eu-west-1.amazonaws.com/id/ABC",
            r#"{"StringEquals":{"HOST:sub":"system:serviceaccount:app:web"}}"#,
            false,
        ),
        (
            "oidc.eks.eu-west-1.amazonaws.com/id/ABC",
            r#"{"StringLike":{"HOST:sub":"system:serviceaccount:*"}}"#,
            true,
        ),
        ("login.acme.example", "{}", false),
    ] {
        let principal =
            format!(r#"{{"Federated":"arn:aws:iam::123456789012:oidc-provider/{host}"}}"#);
        let found = kinds(
            &principal,
            "sts:AssumeRoleWithWebIdentity",
            &condition.replace("HOST", host),
        );
        assert_eq!(found == [TrustKind::BroadOidc], broad, "{host} {condition}");
    }
}
