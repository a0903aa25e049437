//! Provers: offline proof that a match is a credential, by checksum or by structure.
//!
//! A rule names one (`checksum = "github-crc32"` or `structure = "jwt"`); one prover per file,
//! [`PROVERS`] is the registry. No prover reads a clock or a network: whether a token is
//! expired or revoked is told by facts, and judged elsewhere.
//!
//! A fact whose name is a handle scheme (`jwt-id`, `ssh-fingerprint`, `client-email`) is a public
//! identifier: a rule with that `handle` and no group of that name takes it from here.

mod armor;
mod der;

mod age_bech32;
mod atlassian_crc32;
mod aws_access_key;
mod azure_client_secret;
mod basic_auth;
mod confluent_crc32;
mod docker_auth;
mod gcp_service_account;
mod github_crc32;
mod gitlab_routable;
mod grafana_crc32;
mod jwt;
mod npm_crc32;
mod openssh_private_key;
mod pem_private_key;
mod pgp_private_key;
mod putty_private_key;
mod pypi_macaroon;
mod vercel_crc32;
mod zuplo_crc32;

pub(super) use basic_auth::parts as basic_parts;

/// What a rule matched, as a prover sees it. Borrowed from the worker's buffer.
pub struct Found<'a> {
    /// The bytes of the `secret` group.
    pub secret: &'a [u8],
    /// The bytes of the whole match.
    pub matched: &'a [u8],
    /// Named groups of the pattern, besides `secret`.
    pub groups: &'a [(&'a str, &'a [u8])],
}

/// A prover's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Checksum or structure hold: confidence is high. With facts that are not secret:
    /// `issuer`, `expires` (RFC 3339), `account`, `encrypted`, `key-type` …
    Proved(Vec<(String, String)>),
    /// It cannot be told; the rule's own confidence stands.
    Undecided(Vec<(String, String)>),
    /// It cannot be such a credential: the match is dropped.
    Refuted,
}

/// One way of proving.
pub struct Prover {
    /// The name rules use.
    pub name: &'static str,
    /// What it checks, and where the format is described.
    pub about: &'static str,
    /// Does it. Total: any bytes, bounded time, no panic.
    pub prove: fn(&Found<'_>) -> Proof,
}

/// Every prover, sorted by name.
pub const PROVERS: &[Prover] = &[
    age_bech32::PROVER,
    atlassian_crc32::PROVER,
    aws_access_key::PROVER,
    azure_client_secret::PROVER,
    basic_auth::PROVER,
    confluent_crc32::PROVER,
    docker_auth::PROVER,
    gcp_service_account::PROVER,
    github_crc32::PROVER,
    gitlab_routable::PROVER,
    grafana_crc32::PROVER,
    jwt::PROVER,
    npm_crc32::PROVER,
    openssh_private_key::PROVER,
    pem_private_key::PROVER,
    pgp_private_key::PROVER,
    putty_private_key::PROVER,
    pypi_macaroon::PROVER,
    vercel_crc32::PROVER,
    zuplo_crc32::PROVER,
];

/// The prover of that name.
pub fn prover(name: &str) -> Option<&'static Prover> {
    PROVERS.iter().find(|prover| prover.name == name)
}

impl<'a> Found<'a> {
    /// The bytes of a named group, if it took part in the match.
    fn group(&self, name: &str) -> Option<&'a [u8]> {
        self.groups
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, bytes)| *bytes)
    }
}

/// Appends a fact, cut to 200 characters and without control characters: what stands in a
/// hostile file must not drive a terminal or swell a report. Empty values are left out.
fn fact(facts: &mut Vec<(String, String)>, name: &str, value: &str) {
    let value: String = value
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    if !value.is_empty() {
        facts.push((name.to_owned(), value));
    }
}

/// The base-62 number with digits `0-9A-Za-z`, the order GitHub uses.
fn base62(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        sum.checked_mul(62)?.checked_add(u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::{Found, PROVERS, Proof, base62, prover};
    use crate::engine::shape;

    /// What a prover says of a text, all of it being the secret.
    pub(super) fn verdict(name: &str, text: &str) -> Proof {
        let found = Found {
            secret: text.as_bytes(),
            matched: text.as_bytes(),
            groups: &[],
        };
        (prover(name).expect("a prover of that name").prove)(&found)
    }

    /// What a prover says of a filled shape.
    pub(super) fn verdict_of_shape(name: &str, form: &str, seed: u64) -> Proof {
        verdict(name, &shape::fill(form, seed).expect("a shape"))
    }

    /// The value of a fact in a verdict.
    pub(super) fn told(proof: &Proof, name: &str) -> Option<String> {
        let (Proof::Proved(facts) | Proof::Undecided(facts)) = proof else {
            return None;
        };
        facts
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
    }

    #[test]
    fn the_registry_is_sorted_and_without_doubles() {
        assert!(PROVERS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn base62_counts_digits_then_capitals() {
        assert_eq!(base62(b"00000A"), Some(10));
        assert_eq!(base62(b"z"), Some(61));
        assert_eq!(base62(b"-"), None);
        assert_eq!(base62(&[b'z'; 40]), None);
    }

    #[test]
    fn provers_are_total() {
        let good = [
            "{age-key:AGE-SECRET-KEY-}",
            "{github-token:ghp_}",
            "{github-fine-grained}",
            "{npm-token}",
            "{gitlab-routable:glpat-}",
            "{atlassian-token}",
            "{age-key:age}",
            "{confluent-secret}",
            "{grafana-token}",
            "{jwt}",
            "{pem:RSA}",
            "{pem:PKCS8}",
            "{pem:EC}",
            "{pem-encrypted}",
            "{pem-encrypted:RSA}",
            "{openssh}",
            "{openssh-encrypted}",
            "{pgp}",
            "{putty}",
            "{gcp-service-account}",
            "{aws-id}",
            "{basic:user}",
            "{docker-auth}",
            "{pypi}",
            "{vercel-token:vcp_}",
            "{zuplo-key}",
        ];
        for form in good {
            let text = shape::fill(form, 7).expect("a shape").into_bytes();
            // Every cut of the first bytes, some later ones, and one flipped byte in each place.
            for cut in (0..text.len().min(120)).chain((120..text.len()).step_by(61)) {
                let mut flipped = text.clone();
                flipped[cut] = flipped[cut].wrapping_add(131);
                for bytes in [&text[..cut], &text[cut..], &flipped] {
                    let groups = [("handle", bytes), ("email", bytes)];
                    for prover in PROVERS {
                        (prover.prove)(&Found {
                            secret: bytes,
                            matched: bytes,
                            groups: &groups,
                        });
                    }
                }
            }
        }
    }
}
