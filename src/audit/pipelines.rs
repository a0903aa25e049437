//! What pipelines say of logins: static ones where the platform could vouch for the run itself,
//! and whether others of the organisation already do it so.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Consumer, Login, LoginMethod};

use super::CheckCx;

/// Issuers of tokens for runs, by platform, as identity providers of clouds name them.
/// Source: the page of each platform on OpenID Connect.
const ISSUERS: &[(&str, &str)] = &[
    ("github-actions", "token.actions.githubusercontent.com"),
    ("gitlab-ci", "gitlab"),
    ("bitbucket-pipelines", "api.bitbucket.org"),
    ("circleci", "oidc.circleci.com"),
    ("buildkite", "agent.buildkite.com"),
    ("azure-pipelines", "vstoken.dev.azure.com"),
];
/// Providers that take tokens of runs, of every platform above.
const CLOUDS: &[&str] = &["aws", "gcp", "azure", "vault"];
/// Registries that do, of GitHub and GitLab (trusted publishing).
const REGISTRIES: &[&str] = &["pypi", "npm", "crates.io", "rubygems"];

/// A static login that could be federated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StaticLogin<'a> {
    /// Who logs in.
    pub(super) consumer: &'a Consumer,
    /// How.
    pub(super) login: &'a Login,
}

impl StaticLogin<'_> {
    /// One line for evidence.
    pub(super) fn shown(&self) -> String {
        format!(
            "{} logs in to {} with {}",
            self.consumer.key.0, self.login.provider, self.login.by
        )
    }
}

/// The static logins of an estate.
pub(super) struct Logins<'a> {
    cx: &'a CheckCx<'a>,
    of_credential: BTreeMap<u32, Vec<StaticLogin<'a>>>,
    /// Federated logins by provider and organisation.
    federated: BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
}

impl<'a> Logins<'a> {
    /// Gathers the logins of all consumers.
    pub(super) fn of(cx: &'a CheckCx<'a>) -> Logins<'a> {
        let gathered = &cx.estate.gathered;
        let mut logins = Logins {
            cx,
            of_credential: BTreeMap::new(),
            federated: BTreeMap::new(),
        };
        for consumer in &gathered.consumers {
            for login in &consumer.logins {
                if login.method == LoginMethod::Federated {
                    let key = (login.provider.as_str(), organisation(&consumer.scope));
                    let known = logins.federated.entry(key).or_default();
                    known.insert(&consumer.key.0);
                }
            }
        }
        for (meant, use_) in cx.estate.usage.uses.iter().zip(&gathered.uses) {
            let (Some(consumer), Some(name)) = (meant.consumer, &use_.name) else {
                continue;
            };
            let consumer = &gathered.consumers[consumer as usize];
            for login in &consumer.logins {
                let takes = login.method == LoginMethod::Static && login.slots.contains(name);
                if !takes || !can_federate(&consumer.platform, &login.provider) {
                    continue;
                }
                for &slot in &meant.slots {
                    if let Some(ix) = cx.estate.usage.slots[slot as usize].credential {
                        let one = StaticLogin { consumer, login };
                        let known = logins.of_credential.entry(ix).or_default();
                        if !known.contains(&one) {
                            known.push(one);
                        }
                    }
                }
            }
        }
        logins
    }

    /// The static logins that a credential is used for.
    pub(super) fn of_credential(&self, ix: u32) -> &[StaticLogin<'a>] {
        self.of_credential.get(&ix).map_or(&[], Vec::as_slice)
    }

    /// What shows that it could be federated now, each with its source: the cloud trusts the
    /// issuer, or others of the organisation log in so.
    pub(super) fn shown_possible(&self, one: &StaticLogin<'_>) -> Vec<(String, String)> {
        let mut shown = Vec::new();
        let issuer = ISSUERS
            .iter()
            .find(|(platform, _)| *platform == one.consumer.platform);
        if let (Some((_, issuer)), "aws") = (issuer, one.login.provider.as_str()) {
            let trusts = &self.cx.estate.gathered.trusts;
            let trusts = trusts.iter().find(|trust| {
                trust.document.contains("oidc-provider/") && trust.document.contains(issuer)
            });
            shown.extend(trusts.map(|trust| {
                let says = format!("{} trusts {issuer}", trust.identity.0);
                (says, trust.source.locator.clone())
            }));
        }
        let key = (
            one.login.provider.as_str(),
            organisation(&one.consumer.scope),
        );
        let others = self.federated.get(&key).into_iter().flatten();
        shown.extend(others.take(3).map(|other| {
            let says = format!("{other} does so");
            (says, "pipelines".to_owned())
        }));
        shown
    }
}

fn can_federate(platform: &str, provider: &str) -> bool {
    let known = ISSUERS.iter().any(|(known, _)| *known == platform);
    let registries = matches!(platform, "github-actions" | "gitlab-ci");
    known && (CLOUDS.contains(&provider) || (registries && REGISTRIES.contains(&provider)))
}

/// The organisation of a scope: `github:acme` of `github:acme/app`.
pub(super) fn organisation(scope: &str) -> &str {
    scope.split('/').next().unwrap_or(scope)
}

/// Whether a login's target is a principal: its key, or the client id of an application.
fn is_meant(target: &str, key: &str) -> bool {
    let client = key.strip_prefix("entra:app:");
    target == key || client.is_some_and(|client| target.eq_ignore_ascii_case(client))
}

/// The consumers that log in as a principal with a token of the run.
pub(super) fn federated_as<'a>(
    cx: &'a CheckCx<'_>,
    key: &'a str,
) -> impl Iterator<Item = &'a Consumer> {
    let consumers = cx.estate.gathered.consumers.iter();
    consumers.filter(move |consumer| {
        consumer.logins.iter().any(|login| {
            login.method == LoginMethod::Federated
                && login
                    .target
                    .as_deref()
                    .is_some_and(|target| target.split(", ").any(|one| is_meant(one, key)))
        })
    })
}
