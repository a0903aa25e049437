//! CLD-01: more may become a role than should.
//!
//! # Why
//! Whoever gets a token of a shared issuer, or an account at all, has the role's rights.
//!
//! # How it is decided
//! For roles whose trust policy was seen, service accounts of Google Cloud, applications of Entra,
//! and groups that stand for everybody. High where everybody may become it, or where tokens
//! of an issuer that many share (GitHub, GitLab, Terraform Cloud, Bitbucket, CircleCI, EKS) open
//! it without a condition that names whose; critical where everybody but some may, or where the
//! role is an administrator or gets to one. Medium where it trusts a principal that was deleted:
//! nobody can use that, and nobody looks after it. Other accounts that are named are no finding
//! here. Jobs that log in as the role with a token of their run are shown. Not evaluated where no
//! policies were seen.
//!
//! # Remedy
//! Pin subject and audience; name principals.

use keymuster_api::{IdentityKind, Severity};

use crate::{
    access::others::is_of_others,
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Modifier, PrivilegeFact, Subject,
        TrustFindingKind, pipelines, words,
    },
    estate::Identity,
};

/// The check.
pub(in crate::audit::checks) struct BroadTrust;

static ABOUT: CheckAbout = CheckAbout {
    id: "CLD-01",
    slug: "broad-trust",
    title: "Over-broad federation trust",
    why: "Whoever gets a token of a shared issuer, or an account at all, has the role's rights.",
    decided: "a role's trust policy lets everybody in, tokens of others, or a principal that was deleted",
    remedy: "pin subject and audience; name principals",
    needs: &[Input::Discovered, Input::Permissions],
};

impl Check for BroadTrust {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, identity) in (0..).zip(&cx.estate.identities) {
            let of_others = is_of_others(cx.text(identity.provider));
            let counts = match identity.kind {
                IdentityKind::Role => true,
                IdentityKind::ServiceAccount | IdentityKind::App | IdentityKind::Group => of_others,
                _ => false,
            };
            if !counts || cx.is_set(cx.text(identity.key), "provider-managed", "true") {
                continue;
            }
            let subject = Subject::Identity(ix);
            let Some(fact) = cx.privileges.get(ix as usize).and_then(Option::as_ref) else {
                out.not_evaluated(&subject, Input::Permissions);
                continue;
            };
            match severity(fact) {
                None => out.pass(&subject),
                Some(severity) => out.fail(subject, severity, |draft| {
                    // It is in the severity already.
                    draft.ignore(Modifier::Privilege);
                    tell(cx, identity, fact, draft);
                }),
            }
        }
    }
}

fn severity(fact: &PrivilegeFact) -> Option<Severity> {
    let of_kind = |kind: TrustFindingKind| match kind {
        TrustFindingKind::AllBut => Some(Severity::Critical),
        TrustFindingKind::Public | TrustFindingKind::BroadOidc => Some(Severity::High),
        TrustFindingKind::Deleted => Some(Severity::Medium),
        TrustFindingKind::CrossAccount => None,
    };
    let worst = fact
        .trusts
        .iter()
        .filter_map(|trust| of_kind(trust.kind))
        .max()?;
    let powerful = fact.admin.is_some() || fact.reaches_admin.is_some();
    Some(if powerful && worst >= Severity::High {
        Severity::Critical
    } else {
        worst
    })
}

fn tell(
    cx: &CheckCx<'_>,
    identity: &Identity,
    fact: &PrivilegeFact,
    draft: &mut crate::audit::Draft<'_>,
) {
    let key = cx.text(identity.key);
    for trust in &fact.trusts {
        let label = match trust.kind {
            TrustFindingKind::Public => "trusts everybody",
            TrustFindingKind::AllBut => "trusts everybody but",
            TrustFindingKind::BroadOidc => "trusts tokens of others",
            TrustFindingKind::Deleted => "trusts a deleted principal",
            TrustFindingKind::CrossAccount => continue,
        };
        draft.evidence(label, format!("{}: {}", trust.who, trust.why), key);
    }
    // Whose pipelines would have to be told of a narrower trust.
    for consumer in pipelines::federated_as(cx, key) {
        let source = consumer.source.locator.as_str();
        draft.evidence("assumed by", consumer.key.0.as_str(), source);
    }
    draft.evidence("administrator", fact.admin.clone().unwrap_or_default(), key);
    draft.evidence(
        "reaches an administrator",
        fact.reaches_admin.clone().unwrap_or_default(),
        key,
    );
    let name = words::shell_word(cx.text(identity.name));
    draft.remedy(match cx.text(identity.provider) {
        "gcp" => "name the owner in the provider's condition: gcloud iam workload-identity-pools providers update-oidc PROVIDER --attribute-condition; and bind attribute.repository in place of the whole pool".to_owned(),
        "entra" => format!(
            "name owner, repository and branch or environment as the subject: az ad app federated-credential update --id {name}"
        ),
        "kubernetes" => format!("delete the binding that names {name}, or bind whom it is meant for"),
        _ => format!(
            "write a trust policy that names subject and audience, and put it in place: aws iam update-assume-role-policy --role-name {name} --policy-document file://trust.json"
        ),
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::{
        Consumer, ConsumerKind, IdentityKind, Key, Login, LoginMethod, Severity, Source, SystemId,
    };

    use crate::audit::{PrivilegeFact, TrustFinding, TrustFindingKind, checks::testing::World};

    fn trusting(kind: TrustFindingKind) -> PrivilegeFact {
        PrivilegeFact {
            trusts: vec![TrustFinding {
                kind,
                who: "somebody".to_owned(),
                why: "without a condition".to_owned(),
            }],
            ..PrivilegeFact::default()
        }
    }

    #[test]
    fn true_by_kind() {
        for (kind, severity) in [
            (TrustFindingKind::Public, Severity::High),
            (TrustFindingKind::BroadOidc, Severity::High),
            (TrustFindingKind::AllBut, Severity::Critical),
            (TrustFindingKind::Deleted, Severity::Medium),
        ] {
            let mut world = World::new();
            let role = world.identity(IdentityKind::Role, "deploy");
            world.privileges[role as usize] = Some(trusting(kind));
            assert_eq!(world.finding("CLD-01").severity, severity);
        }
    }

    #[test]
    fn true_an_administrator_is_critical() {
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "deploy");
        let mut fact = trusting(TrustFindingKind::BroadOidc);
        fact.reaches_admin = Some("iam-005".to_owned());
        world.privileges[role as usize] = Some(fact);
        assert_eq!(world.finding("CLD-01").severity, Severity::Critical);
    }

    #[test]
    fn true_the_jobs_that_assume_it_are_shown() {
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "deploy");
        world.privileges[role as usize] = Some(trusting(TrustFindingKind::BroadOidc));
        let target = |world: &World| world.cx().text(world.estate.identities[0].key).to_owned();
        let job = |name: &str, method, target: String| Consumer {
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
            logins: vec![Login {
                provider: "aws".to_owned(),
                method,
                by: "aws-actions/configure-aws-credentials@v4".to_owned(),
                target: Some(target),
                slots: Vec::new(),
                line: 5,
            }],
            via: None,
            properties: Vec::new(),
            source: Source {
                system: SystemId(1),
                locator: "app:.github/workflows/ci.yml:1".to_owned(),
            },
        };
        world.estate.gathered.consumers = vec![
            job("ship", LoginMethod::Federated, target(&world)),
            job("other", LoginMethod::Federated, "another role".to_owned()),
            job("static", LoginMethod::Static, target(&world)),
        ];
        let finding = world.finding("CLD-01");
        let shown = finding
            .evidence
            .iter()
            .filter(|one| one.label == "assumed by");
        let shown: Vec<&str> = shown.map(|one| one.value.as_str()).collect();
        assert_eq!(shown, ["github:acme/app:.github/workflows/ci.yml#ship"]);
    }

    #[test]
    fn near_miss_a_named_account_and_a_user() {
        let mut world = World::new();
        let user = world.identity(IdentityKind::User, "ann");
        world.privileges[user as usize] = Some(trusting(TrustFindingKind::Public));
        world.assert_ignores("CLD-01");
        let role = world.identity(IdentityKind::Role, "vendor");
        world.privileges[role as usize] = Some(trusting(TrustFindingKind::CrossAccount));
        world.assert_passes("CLD-01");
    }

    #[test]
    fn missing_policies() {
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "batch");
        world.privileges[role as usize] = None;
        world.assert_lacks("CLD-01", "permissions");
    }
}
