//! How things of GitHub are called here: scopes, natural keys, what is public of keys and
//! addresses.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use keymuster_api::{Key, Timestamp, scope};
use sha2::{Digest as _, Sha256};

/// The host and organisation that everything belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The host in a repository's address: `github.com`.
    pub(crate) host: String,
    /// As configured.
    pub(crate) organization: String,
}

impl Names {
    /// The organisation's scope: `github:acme`.
    pub(crate) fn organization(&self) -> String {
        scope(&self.host, &self.organization, None)
    }

    /// A repository's scope: `github:acme/app`.
    pub(crate) fn repository(&self, full_name: &str) -> String {
        scope(&self.host, full_name, None)
    }

    /// An environment's scope: `github:acme/app@production`.
    pub(crate) fn environment(&self, full_name: &str, environment: &str) -> String {
        scope(&self.host, full_name, Some(environment))
    }

    /// The natural key of something that the host numbers: `github:pat:17`.
    pub(crate) fn key(&self, what: &str, id: &str) -> Key {
        // A scope without a path is the host's word.
        let word = scope(&self.host, "", None);
        Key(format!("{word}{what}:{id}"))
    }

    /// The natural key of a person.
    pub(crate) fn user(&self, login: &str) -> Key {
        self.key("user", &login.to_lowercase())
    }
}

/// A point in time as GitHub writes it.
pub(crate) fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.trim().parse().ok()
}

/// The fingerprint of a public key (`ssh-ed25519 AAAA…`), or the one it is already.
pub(crate) fn fingerprint(key: &str) -> Option<String> {
    if key.starts_with("SHA256:") {
        return Some(key.to_owned());
    }
    let blob = STANDARD.decode(key.split_ascii_whitespace().nth(1)?).ok()?;
    Some(format!(
        "SHA256:{}",
        STANDARD_NO_PAD.encode(Sha256::digest(blob))
    ))
}

/// What of an address is no secret: scheme, host, and the names of its parameters.
pub(crate) fn outline(url: &str) -> String {
    // What was kept comes back as it is.
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    let query = rest[end..].split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let mut names: Vec<&str> = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default())
        .filter(|name| !name.is_empty() && name.len() <= 40)
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut outline = format!("{}://{}/", scheme.to_lowercase(), host.to_lowercase());
    for (index, name) in names.iter().enumerate() {
        outline.push(if index == 0 { '?' } else { '&' });
        outline.push_str(name);
    }
    outline
}

#[cfg(test)]
mod tests {
    use super::{Names, fingerprint, outline};

    #[test]
    fn everything_has_one_name() {
        let names = Names {
            host: "github.com".to_owned(),
            organization: "Acme".to_owned(),
        };
        assert_eq!(names.organization(), "github:acme");
        assert_eq!(
            names.environment("Acme/App", "Prod"),
            "github:acme/app@prod"
        );
        assert_eq!(names.key("pat", "17").0, "github:pat:17");
        assert_eq!(names.user("Dora").0, "github:user:dora");
        let names = Names {
            host: "ghe.acme.test".to_owned(),
            ..names
        };
        assert_eq!(names.key("pat", "17").0, "ghe.acme.test:pat:17");
    }

    #[test]
    fn of_an_address_only_the_outline_is_kept() {
        for (url, kept) in [
            (
                "https://ci.acme.test/hooks/s3cr3t?token=s3cr3t&a=b#s3cr3t",
                "https://ci.acme.test/?a&token",
            ),
            (
                "http://user:s3cr3t@CI.acme.test:8080",
                "http://ci.acme.test:8080/",
            ),
            ("ci.acme.test/s3cr3t", "://ci.acme.test/"),
            ("", ":///"),
        ] {
            assert_eq!(outline(url), kept);
            assert_eq!(outline(kept), kept, "kept twice");
        }
    }

    #[test]
    fn a_public_key_has_the_fingerprint_that_ssh_keygen_prints() {
        // GitHub's own host key; docs.github.com publishes the fingerprint.
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a comment";
        let print = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
        assert_eq!(fingerprint(key).as_deref(), Some(print));
        assert_eq!(fingerprint(print).as_deref(), Some(print));
        assert_eq!(fingerprint("ssh-ed25519"), None);
        assert_eq!(fingerprint("ssh-ed25519 ***"), None);
    }
}
