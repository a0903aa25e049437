//! AUT-01: a static secret where the platform offers a workload identity.
//!
//! # Why
//! What is never written down cannot leak; a key that a pipeline holds for years can.
//!
//! # How it is decided
//! For static credentials of clouds that take federated logins (AWS access keys, Google service
//! account keys, Entra client secrets, tokens of Kubernetes without an end) and that work or may work: where they run is told by a
//! pipeline's definition in which they stand, a slot of a pipeline's store that holds them, or the
//! record (trust tier of an internal workload). From a pipeline high, as at T0, else medium. What
//! the record says is held outside or by a person has no platform of ours, and passes. Not
//! evaluated where nothing tells where it runs.
//! A slot that a pipeline logs in with counts too, also where its value was never seen: the logins of
//! GitHub Actions, GitLab CI, CircleCI, Azure Pipelines and Bitbucket to AWS, Google, Azure and Vault,
//! and to registries with trusted publishing (medium). That it is possible now is shown where the
//! cloud trusts the platform's issuer already, or other pipelines of the organisation log in so.
//!
//! # Remedy
//! Federate.

use keymuster_api::{Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Subject,
    checks::{
        life::is_third_party,
        places::{Slots, is_pipeline},
    },
    pipelines::Logins,
    words,
};

/// The check.
pub(in crate::audit::checks) struct StaticSecret;

static ABOUT: CheckAbout = CheckAbout {
    id: "AUT-01",
    slug: "static-secret",
    title: "Static secret where workload identity is available",
    why: "What is never written down cannot leak.",
    decided: "a static cloud credential is used where the platform can federate",
    remedy: "federate",
    needs: &[Input::Discovered, Input::Locations],
};

/// Kinds of static credentials, and what stands in for them.
const ALTERNATIVES: &[(&str, &str, &str)] = &[
    (
        "aws.access-key",
        "OpenID Connect of the pipeline with sts:AssumeRoleWithWebIdentity (aws-actions/configure-aws-credentials role-to-assume, GitLab id_tokens)",
        "a role: instance profile, ECS task role, IRSA or EKS Pod Identity, IAM Roles Anywhere outside AWS",
    ),
    (
        "gcp.service-account-key",
        "Workload Identity Federation (google-github-actions/auth workload_identity_provider)",
        "an attached service account, or Workload Identity Federation for GKE",
    ),
    (
        "kubernetes.service-account-token",
        "the cluster's trust in the pipeline's OpenID Connect issuer (structured authentication configuration), or an agent inside the cluster",
        "the token that the kubelet mounts and renews (projected volume)",
    ),
    (
        "token",
        "a token of the run: OpenID Connect of the pipeline, trusted publishing at the registry",
        "a token of the run",
    ),
    (
        "azure.client-secret",
        "a federated credential on the app registration (azure/login with client-id and tenant-id)",
        "a managed identity",
    ),
];

/// Why nothing is said.
const NOWHERE: &str = "locations: nothing tells where it runs";

impl Check for StaticSecret {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let slots = Slots::of(cx);
        let logins = Logins::of(cx);
        for (ix, credential) in cx.credentials() {
            let kind = cx.text(credential.kind);
            let used = logins.of_credential(ix);
            let kind = used
                .first()
                .map_or(kind, |one| kind_of(&one.login.provider));
            let Some((_, pipeline, workload)) = ALTERNATIVES
                .iter()
                .find(|(static_kind, ..)| *static_kind == kind)
            else {
                continue;
            };
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let subject = Subject::Credential(ix);
            let mut pipelines: Vec<(String, &str)> = cx
                .leaks(credential)
                .filter(|sighting| is_pipeline(&sighting.path))
                .map(|sighting| (cx.place(sighting), "its definition holds the key"))
                .collect();
            let held = slots
                .of_credential(cx, credential)
                .filter(|slot| is_ci_store(&slot.store));
            pipelines.extend(held.map(|slot| (slot.key.0.clone(), "its store holds the key")));
            pipelines.extend(
                used.iter()
                    .map(|one| (one.shown(), "with a key that stays the same")),
            );
            let possible: Vec<(String, String)> = used
                .iter()
                .flat_map(|one| logins.shown_possible(one))
                .collect();
            let record = cx.record_of(ix);
            let inside =
                record.filter(|record| record.trust_tier.as_deref() == Some("internal_workload"));
            // Whoever holds it outside, or as a person, has no platform of ours to federate with.
            let elsewhere = record.and_then(|record| record.trust_tier.as_deref());
            if pipelines.is_empty()
                && elsewhere
                    .is_some_and(|tier| is_third_party(tier) || tier == "internal_human_tool")
            {
                out.pass(&subject);
                continue;
            }
            if pipelines.is_empty() && inside.is_none() {
                out.not_evaluated_because(&subject, NOWHERE);
                continue;
            }
            let severity = if pipelines.is_empty() || kind == "token" {
                Severity::Medium
            } else {
                Severity::High
            };
            out.fail(subject, severity, |draft| {
                for (place, how) in &pipelines {
                    draft.evidence("pipeline", format!("{place}: {how}"), "the place itself");
                }
                if let Some(record) = inside {
                    draft.evidence("workload", "internal_workload", record.source.to_string());
                }
                for (says, source) in &possible {
                    draft.evidence("possible now", says.as_str(), source.as_str());
                }
                let instead = if pipelines.is_empty() {
                    workload
                } else {
                    pipeline
                };
                draft.evidence("offered instead", *instead, "the platform");
                draft.remedy(format!(
                    "use {instead}; then {}",
                    words::disable_and_delete(cx, ix)
                ));
            });
        }
    }
}

/// The kind whose alternatives hold for a provider that a pipeline logs in to.
fn kind_of(provider: &str) -> &'static str {
    match provider {
        "aws" => "aws.access-key",
        "gcp" => "gcp.service-account-key",
        "azure" => "azure.client-secret",
        _ => "token",
    }
}

/// Whether a store is that of pipelines.
fn is_ci_store(store: &str) -> bool {
    const STORES: &[&str] = &[
        "actions",
        "gitlab",
        "jenkins",
        "circleci",
        "azure",
        "bitbucket",
        "buildkite",
    ];
    STORES.contains(&store.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Key, Login, LoginMethod, Severity, Source, Status, SystemId, Trust};

    use crate::audit::{Finding, checks::testing::World};

    #[test]
    fn true_in_a_pipeline_or_its_store() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", ".gitlab-ci.yml");
        let finding = world.finding("AUT-01");
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.remediation.contains("AssumeRoleWithWebIdentity"));
        let mut world = World::new();
        let key = world.key("deploy");
        world.slot(key, "github:acme/web", "actions.secret", "KEY");
        assert_eq!(world.findings("AUT-01").len(), 1);
    }

    #[test]
    fn true_an_internal_workload_is_medium() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).trust_tier = Some("internal_workload".to_owned());
        let finding = world.finding("AUT-01");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.remediation.contains("instance profile"));
    }

    /// A job that logs in to AWS with the secret KEY, or without any.
    fn job(method: LoginMethod) -> World {
        World::pipeline(&["KEY"], "KEY", |job| {
            job.logins = vec![Login {
                provider: "aws".to_owned(),
                method,
                by: "aws-actions/configure-aws-credentials@v4".to_owned(),
                target: None,
                slots: vec!["KEY".to_owned()],
                line: 5,
            }];
        })
    }

    #[test]
    fn true_a_slot_that_a_job_logs_in_with() {
        let world = job(LoginMethod::Static);
        let finding = world.finding("AUT-01");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.subject_key, "github:acme/app:actions.secret:KEY");
        let shows = |finding: &Finding| finding.evidence.iter().any(|e| e.label == "possible now");
        assert!(!shows(&finding));
        let mut world = job(LoginMethod::Static);
        world.estate.gathered.trusts = vec![Trust {
            identity: Key::from("arn:aws:iam::123456789012:role/x"),
            document: r#"{"Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}}"#.to_owned(),
            source: Source {
                system: SystemId(0),
                locator: "aws/details.json:3".to_owned(),
            },
        }];
        assert!(shows(&world.finding("AUT-01")));
    }

    #[test]
    fn near_miss_a_job_with_a_token_of_its_run() {
        assert_eq!(job(LoginMethod::Federated).findings("AUT-01"), []);
    }

    #[test]
    fn near_miss_another_kind_switched_off_or_a_vault() {
        let mut world = World::new();
        let secret = world.secret("stripe.key");
        world.seen(secret, "web", ".gitlab-ci.yml");
        world.assert_ignores("AUT-01");
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", ".gitlab-ci.yml");
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("AUT-01");
        world.credential(key).status = Status::Active;
        world.estate.gathered.sightings[0].path = "a.yml".to_owned();
        world.slot(key, "vault", "vault", "secret/x");
        assert_eq!(world.findings("AUT-01"), []);
    }

    #[test]
    fn near_miss_held_outside() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).trust_tier = Some("partner".to_owned());
        world.assert_passes("AUT-01");
        world.seen(key, "web", ".gitlab-ci.yml");
        assert_eq!(
            world.findings("AUT-01").len(),
            1,
            "a pipeline of ours holds it, too"
        );
    }

    #[test]
    fn missing_where_it_runs() {
        let mut world = World::new();
        world.key("deploy");
        world.assert_lacks("AUT-01", "locations: nothing tells where it runs");
    }
}
