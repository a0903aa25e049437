//! How things of GitLab are called here: scopes and natural keys.

use keymuster_api::{Key, scope};

/// The host that everything belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The host in a project's address: `gitlab.com`.
    pub(crate) host: String,
    /// The group that is read, as configured; empty for the whole instance.
    pub(crate) group: String,
}

impl Names {
    /// The scope of a group or project; with an empty path that of the instance: `gitlab:`.
    pub(crate) fn scope(&self, path: &str) -> String {
        scope(&self.host, path, None)
    }

    /// The scope of a variable that is for some environments: `gitlab:g/p@review/*`. One that
    /// is for all has the scope of its project or group.
    pub(crate) fn environment(&self, path: &str, pattern: Option<&str>) -> String {
        scope(&self.host, path, pattern.filter(|pattern| *pattern != "*"))
    }

    /// What is read as a whole.
    pub(crate) fn whole(&self) -> String {
        self.scope(&self.group)
    }

    /// The natural key of something that the host numbers: `gitlab:deploy-key:17`.
    pub(crate) fn key(&self, what: &str, id: &str) -> Key {
        Key(format!("{}{what}:{id}", self.scope("")))
    }

    /// The natural key of a user, by number: names can change hands.
    pub(crate) fn user(&self, id: &str) -> Key {
        self.key("user", id)
    }

    /// The account that things belong to: the top-level group.
    pub(crate) fn account(&self, path: &str) -> Option<String> {
        let top = path.split('/').next().unwrap_or_default();
        (!top.is_empty()).then(|| top.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn everything_has_one_name() {
        let names = Names {
            host: "gitlab.com".to_owned(),
            group: "Acme".to_owned(),
        };
        assert_eq!(names.whole(), "gitlab:Acme");
        assert_eq!(names.environment("Acme/a/b", Some("*")), "gitlab:Acme/a/b");
        assert_eq!(
            names.environment("Acme/a", Some("review/*")),
            "gitlab:Acme/a@review/*"
        );
        assert_eq!(names.key("deploy-key", "17").0, "gitlab:deploy-key:17");
        assert_eq!(names.account("Acme/a/b").as_deref(), Some("Acme"));
        let names = Names {
            host: "git.acme.test".to_owned(),
            group: String::new(),
        };
        assert_eq!(names.whole(), "git.acme.test:");
        assert_eq!(names.user("3").0, "git.acme.test:user:3");
        assert_eq!(names.account(""), None);
    }
}
