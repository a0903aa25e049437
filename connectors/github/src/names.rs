//! How things of GitHub are called here: scopes and natural keys.

use keymuster_api::{Key, scope};

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

#[cfg(test)]
mod tests {
    use super::Names;

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
}
