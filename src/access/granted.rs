//! What a code host granted to an app: no documents to evaluate, but permissions by name, each
//! with a level, on some repositories or all.
//!
//! Names are those of GitHub (docs.github.com, choosing permissions for a GitHub App).

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

/// What an app may do beyond its own task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Granted {
    /// It administers: the permission and where.
    pub admin: Option<String>,
    /// What it may change in every repository, each with its level.
    pub everywhere: Vec<(String, String)>,
}

/// Reads the settings of one app; `None` where no permission was told.
pub fn granted(settings: &[&Setting]) -> Option<Granted> {
    let level = |name: &str| {
        let found = settings
            .iter()
            .find(|one| one.name.strip_prefix("permission:") == Some(name));
        found.map(|one| one.value.as_str())
    };
    let changes = |name: &str| matches!(level(name), Some("write" | "admin"));
    if !settings
        .iter()
        .any(|one| one.name.starts_with("permission:"))
    {
        return None;
    }
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
    Some(Granted {
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
    })
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
        let of = |of: &[(&str, &str)]| granted(&settings(of).iter().collect::<Vec<_>>());
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
}
