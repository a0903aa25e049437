//! Who is let in from outside: providers of workload identity pools, and members of policies that
//! stand for their tokens.

use std::collections::BTreeMap;

use keymuster_api::{Key, Trust};
use serde::Deserialize;

use crate::access::{TrustFact, TrustKind};

/// Issuers whose tokens anybody can get.
/// (each vendor's page on OpenID Connect)
const SHARED: &[&str] = &[
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
    "vstoken.dev.azure.com",
    "accounts.google.com",
];
/// Claims that name whose tokens are meant, as attributes and in conditions.
const OWNERS: &[&str] = &[
    "repository_owner",
    "repository_owner_id",
    "repository",
    "repository_id",
    "sub",
    "subject",
    "namespace_path",
    "namespace_id",
    "project_path",
    "project_id",
    "terraform_organization_id",
    "terraform_organization_name",
    "terraform_workspace_id",
    "terraform_full_workspace",
    "organization_slug",
    "organization_id",
    "hd",
    "email",
];

/// A provider, as far as it decides who gets in.
#[derive(Debug, Deserialize)]
struct Provider {
    pool: String,
    active: bool,
    issuer: Option<String>,
    aws: Option<String>,
    condition: Option<String>,
    #[serde(default)]
    mapping: BTreeMap<String, String>,
}

/// All providers, by pool.
#[derive(Debug, Default)]
pub(super) struct Federation {
    pools: BTreeMap<String, Vec<Provider>>,
}

/// Which tokens of a pool a member stands for.
enum Tokens<'a> {
    All,
    Subject(&'a str),
    Attribute(&'a str, &'a str),
}

impl Federation {
    /// Takes a provider.
    pub(super) fn provider(&mut self, trust: &Trust) -> Result<(), serde_json::Error> {
        let provider: Provider = serde_json::from_str(&trust.document)?;
        self.pools
            .entry(provider.pool.clone())
            .or_default()
            .push(provider);
        Ok(())
    }

    /// What is odd about letting a member have the rights of `key`.
    pub(super) fn judge(&self, key: &Key, member: &str) -> Vec<TrustFact> {
        let Some((pool, tokens)) = parse(member) else {
            return Vec::new();
        };
        let providers = self.pools.get(pool).into_iter().flatten();
        let odd = providers.filter(|one| one.active).filter_map(|provider| {
            let (kind, why) = provider.odd(&tokens)?;
            Some(TrustFact {
                role: key.clone(),
                kind,
                who: member.strip_prefix("gcp:").unwrap_or(member).to_owned(),
                why,
                statement: 0,
            })
        });
        odd.collect()
    }
}

/// The pool and the tokens of a member that stands for some.
fn parse(member: &str) -> Option<(&str, Tokens<'_>)> {
    let text = member.strip_prefix("gcp:").unwrap_or(member);
    let (kind, rest) = text.split_once("://iam.googleapis.com/")?;
    let at = rest.find("/workloadIdentityPools/")? + "/workloadIdentityPools/".len();
    let end = rest[at..].find('/')? + at;
    let (pool, tail) = (&rest[..end], &rest[end + 1..]);
    let tokens = match (kind, tail) {
        ("principalSet", "*") => Tokens::All,
        ("principal", tail) => Tokens::Subject(tail.strip_prefix("subject/")?),
        (_, tail) => {
            let (name, value) = tail.strip_prefix("attribute.")?.split_once('/')?;
            Tokens::Attribute(name, value)
        }
    };
    Some((pool, tokens))
}

impl Provider {
    /// Why more get in than should; `None` where that is settled.
    fn odd(&self, tokens: &Tokens<'_>) -> Option<(TrustKind, String)> {
        if let (Some(account), Tokens::All) = (&self.aws, tokens) {
            let why = format!("every role of the AWS account {account}");
            return self
                .condition
                .is_none()
                .then_some((TrustKind::CrossAccount, why));
        }
        let issuer = self.issuer.as_deref()?;
        let host = issuer.strip_prefix("https://").unwrap_or(issuer);
        let shared = SHARED
            .iter()
            .find(|one| host.split('/').next() == Some(one))?;
        if self.condition.as_deref().is_some_and(names_owner) {
            return None;
        }
        let why = match tokens {
            Tokens::All => "every token of the pool".to_owned(),
            Tokens::Subject(subject) => {
                // A whole subject says whose it is, unless it is mapped from something else.
                let mapped = self
                    .mapping
                    .get("google.subject")
                    .map_or("assertion.sub", String::as_str);
                if claims(mapped).any(|claim| OWNERS.contains(&claim)) {
                    return None;
                }
                format!("google.subject is {mapped}, which does not say whose {subject} is")
            }
            Tokens::Attribute(name, value) => {
                let attribute = format!("attribute.{name}");
                let own = format!("assertion.{name}");
                let mapped = self
                    .mapping
                    .get(&attribute)
                    .map_or(own.as_str(), String::as_str);
                if claims(mapped).any(|claim| OWNERS.contains(&claim)) {
                    return None;
                }
                format!("{attribute} = {value} does not say whose token it is")
            }
        };
        let condition = match &self.condition {
            None => "without an attribute condition".to_owned(),
            Some(text) => format!("and the condition {text} does not either"),
        };
        Some((
            TrustKind::BroadOidc,
            format!("anybody gets a token of {shared}; {why} {condition}"),
        ))
    }
}

/// The claims that an expression reads.
fn claims(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("assertion").filter_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let name = rest.strip_prefix('.').or_else(|| rest.strip_prefix("['"));
        let name = name.or_else(|| rest.strip_prefix("[\""))?;
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        Some(&name[..end])
    })
}

/// Whether a condition says whose tokens are meant: on each side of every `||` a claim that names
/// an owner is compared with something.
fn names_owner(condition: &str) -> bool {
    let compares = |part: &str| {
        ["==", " in ", "startsWith(", "matches("]
            .iter()
            .any(|word| part.contains(word))
            && !part.contains("!=")
    };
    let is_open = |part: &str| {
        let literal = part.split(['"', '\'']).nth(1).unwrap_or_default();
        // What begins with the word that all subjects begin with says nothing.
        part.contains("startsWith(")
            && matches!(literal, "" | "repo:" | "project_path:" | "organization:")
            || part.contains("matches(") && (literal.starts_with(".*") || literal == "repo:.*")
    };
    condition.split("||").all(|side| {
        side.split("&&").any(|part| {
            let mut found = claims(part).chain(attributes(part));
            found.any(|claim| OWNERS.contains(&claim)) && compares(part) && !is_open(part)
        })
    })
}

/// The attributes that an expression reads: `attribute.repository`, `google.subject`.
fn attributes(text: &str) -> impl Iterator<Item = &str> {
    ["attribute.", "google."].into_iter().flat_map(move |word| {
        text.match_indices(word).map(move |(at, word)| {
            let name = &text[at + word.len()..];
            let end = name
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            &name[..end]
        })
    })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Key, Source, SystemId, Trust};
    use serde_json::{Value, json};

    use super::Federation;

    fn odd(member: &str, condition: Value, mapping: Value) -> usize {
        let mut federation = Federation::default();
        let document = json!({ "pool": "projects/1/locations/global/workloadIdentityPools/gh", "active": true,
            "issuer": "https://token.actions.githubusercontent.com", "condition": condition, "mapping": mapping });
        let trust = Trust {
            identity: Key::from(
                "gcp:projects/1/locations/global/workloadIdentityPools/gh/providers/p",
            ),
            document: document.to_string(),
            source: Source {
                system: SystemId(0),
                locator: String::new(),
            },
        };
        federation.provider(&trust).expect("a provider");
        let member = format!("gcp:{member}");
        federation.judge(&Key::from("x"), &member).len()
    }

    const POOL: &str = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/gh";

    #[test]
    fn a_pool_without_a_condition_lets_everybody_in() {
        let all = format!("principalSet://{POOL}/*");
        assert_eq!(odd(&all, Value::Null, json!({})), 1);
        for fine in [
            "assertion.repository_owner == 'acme'",
            "assertion.repository_owner_id == '1' && assertion.ref == 'refs/heads/main'",
            "assertion.repository in ['acme/a', 'acme/b']",
            "attribute.repository == 'acme/app'",
            "assertion.sub.startsWith('repo:acme/')",
        ] {
            assert_eq!(odd(&all, json!(fine), json!({})), 0, "{fine}");
        }
        for open in [
            "assertion.ref == 'refs/heads/main'",
            "assertion.repository_owner == 'acme' || true",
            "assertion.repository_owner != 'evil'",
            "assertion.sub.startsWith('repo:')",
            "assertion.sub.matches('.*')",
            "true",
        ] {
            assert_eq!(odd(&all, json!(open), json!({})), 1, "{open}");
        }
    }

    #[test]
    fn members_that_name_an_owner_are_fine_without_one() {
        let of = |tail: &str, mapping: Value| {
            let kind = if tail.starts_with("subject") {
                "principal"
            } else {
                "principalSet"
            };
            odd(&format!("{kind}://{POOL}/{tail}"), Value::Null, mapping)
        };
        assert_eq!(of("attribute.repository/acme/app", json!({})), 0);
        assert_eq!(
            of("subject/repo:acme/app:ref:refs/heads/main", json!({})),
            0
        );
        assert_eq!(of("attribute.ref/refs/heads/main", json!({})), 1);
        let odd_mapping = json!({ "attribute.repository": "assertion.actor", "google.subject": "assertion.actor" });
        assert_eq!(of("attribute.repository/acme/app", odd_mapping.clone()), 1);
        assert_eq!(of("subject/x", odd_mapping), 1);
    }
}
