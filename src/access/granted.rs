//! What a code host granted to an app or a token: no documents to evaluate, but permissions by
//! name, each with a level, on some repositories or all; or scopes.
//!
//! Names of permissions are those of GitHub (docs.github.com, choosing permissions for a GitHub
//! App), names of scopes those of GitHub's and GitLab's tokens.

use keymuster_api::Setting;

/// With one of these at `write` or `admin` an app makes itself whatever it lacks.
const ADMINISTRATION: &[&str] = &[
    "administration",
    "members",
    "organization_administration",
    "organization_custom_org_roles",
    "organization_custom_roles",
];
/// With one of these at `write` on every repository it changes what all of them run, or reads
/// what they are given.
const EVERYWHERE: &[&str] = &[
    "actions",
    "contents",
    "environments",
    "secrets",
    "workflows",
];

/// Scopes with which a token administers, whoever has it.
const ADMIN_SCOPES: &[(&str, &str)] = &[
    // docs.github.com, scopes for OAuth apps: classic tokens.
    ("admin:org", "administers every organisation of its owner"),
    ("admin:enterprise", "administers the enterprise"),
    ("site_admin", "administers the server"),
    // docs.gitlab.com, personal access token scopes.
    ("sudo", "acts as any user of the instance"),
    ("admin_mode", "administers the instance"),
];
/// Kinds of roles that change all of a group, with the scope `api`.
const GROUP_ROLES: [&str; 2] = ["owner", "maintainer"];

/// What an app or a token may do beyond its own task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Granted {
    /// It administers: the permission and where.
    pub admin: Option<String>,
    /// What it may change in every repository, each with its level.
    pub everywhere: Vec<(String, String)>,
}

impl Granted {
    /// What one principal may with this and that.
    pub fn add(&mut self, more: Granted) {
        self.admin = self.admin.take().or(more.admin);
        self.everywhere.extend(more.everywhere);
        self.everywhere.sort();
        self.everywhere.dedup();
    }
}

/// Reads the settings of one app or token; `None` where nothing of what it may was told.
pub fn granted(settings: &[Setting]) -> Option<Granted> {
    let says = |wanted: &str| settings.iter().any(|one| one.name == wanted);
    if settings
        .iter()
        .any(|one| one.name.starts_with("permission:"))
    {
        return Some(permissions(settings));
    }
    says("scope").then(|| scopes(settings))
}

/// Of an app, or a fine-grained token.
fn permissions(settings: &[Setting]) -> Granted {
    let level = |name: &str| {
        let found = settings
            .iter()
            .find(|one| one.name.strip_prefix("permission:") == Some(name));
        found.map(|one| one.value.as_str())
    };
    let changes = |name: &str| matches!(level(name), Some("write" | "admin"));
    let on_all = settings
        .iter()
        .any(|one| one.name == "repositories" && one.value == "all");
    let place = if on_all {
        "all repositories"
    } else {
        "selected repositories"
    };
    let admin = ADMINISTRATION.iter().find(|name| {
        // On selected repositories it administers those, not the organisation.
        changes(name) && (on_all || **name != "administration")
    });
    Granted {
        admin: admin.map(|name| format!("{name}: {} on {place}", level(name).unwrap_or_default())),
        everywhere: EVERYWHERE
            .iter()
            .filter(|name| on_all && changes(name))
            .map(|name| {
                (
                    (*name).to_owned(),
                    format!("{} on {place}", level(name).unwrap_or_default()),
                )
            })
            .collect(),
    }
}

/// Of a token that has scopes.
fn scopes(settings: &[Setting]) -> Granted {
    let value = |wanted: &str| {
        let found = settings.iter().find(|one| one.name == wanted);
        found.map(|one| one.value.as_str())
    };
    let has = |scope: &str| {
        let mut all = settings.iter();
        all.any(|one| one.name == "scope" && one.value == scope)
    };
    let admin = ADMIN_SCOPES.iter().find(|(scope, _)| has(scope));
    let mut everywhere = Vec::new();
    // A group's token reaches all that is below the group.
    if let (true, Some(role), Some(place)) = (has("api"), value("role"), value("group"))
        && GROUP_ROLES.contains(&role)
    {
        everywhere.push((
            "api".to_owned(),
            format!("{role} of all projects of {place}"),
        ));
    }
    Granted {
        admin: admin.map(|(scope, what)| format!("{scope}: {what}")),
        everywhere,
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Setting, Source, SystemId};

    use super::granted;

    fn settings(of: &[(&str, &str)]) -> Vec<Setting> {
        let setting = |(name, value): &(&str, &str)| Setting {
            subject: "github:app-installation:1".into(),
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            source: Source {
                system: SystemId(0),
                locator: String::new(),
            },
        };
        of.iter().map(setting).collect()
    }

    #[test]
    fn an_app_administers_or_changes_all_or_does_its_task() {
        let of = |of: &[(&str, &str)]| granted(&settings(of));
        assert_eq!(of(&[("repositories", "all")]), None);
        let all = ("repositories", "all");
        let some = ("repositories", "selected");
        let admin = of(&[all, ("permission:administration", "write")]).expect("told");
        assert_eq!(
            admin.admin.as_deref(),
            Some("administration: write on all repositories")
        );
        let members = of(&[some, ("permission:members", "write")]).expect("told");
        assert!(members.admin.is_some());
        for harmless in [
            &[
                some,
                ("permission:administration", "write"),
                ("permission:contents", "write"),
            ][..],
            &[
                all,
                ("permission:administration", "read"),
                ("permission:contents", "read"),
            ],
            &[
                all,
                ("permission:issues", "write"),
                ("permission:new_thing", "admin"),
            ],
        ] {
            let found = of(harmless).expect("told");
            assert_eq!(
                (found.admin, found.everywhere),
                (None, vec![]),
                "{harmless:?}"
            );
        }
        let broad = of(&[
            all,
            ("permission:contents", "write"),
            ("permission:secrets", "read"),
        ])
        .expect("told");
        assert_eq!(
            broad.everywhere,
            [(
                "contents".to_owned(),
                "write on all repositories".to_owned()
            )]
        );
    }

    #[test]
    fn a_token_administers_or_has_all_of_a_group() {
        let of = |of: &[(&str, &str)]| granted(&settings(of)).expect("told");
        for scope in ["admin:org", "sudo", "admin_mode"] {
            assert!(of(&[("scope", "repo"), ("scope", scope)]).admin.is_some());
        }
        let group = ("group", "gitlab:acme");
        let all = of(&[("scope", "api"), ("role", "owner"), group]);
        let place = "owner of all projects of gitlab:acme".to_owned();
        assert_eq!(all.everywhere, [("api".to_owned(), place)]);
        for harmless in [
            &[("scope", "api"), ("role", "reporter"), group][..],
            &[("scope", "read_api"), ("role", "owner"), group],
            &[("scope", "api"), ("role", "owner")],
            &[("scope", "admin:org_hook"), ("scope", "read:org")],
        ] {
            assert_eq!(of(harmless), Default::default(), "{harmless:?}");
        }
        let mut both = of(&[("scope", "sudo")]);
        both.add(all);
        assert!(both.admin.is_some() && both.everywhere.len() == 1);
    }
}
