//! Predefined roles and the ways further, read from `rules/access/gcp.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// What a way gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Gain {
    /// The rights of service accounts.
    Accounts,
    /// Every right at the place.
    Policy,
    /// The rights of the account that builds there.
    Builder,
    /// No identity.
    Nothing,
}

/// One way.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) permissions: Vec<String>,
    /// Kinds of places where it counts; empty for all.
    #[serde(default)]
    pub(super) places: Vec<String>,
    pub(super) gain: Gain,
    /// Hosts of accounts that build.
    #[serde(default)]
    pub(super) builders: Vec<String>,
    pub(super) condition: Option<String>,
}

/// A predefined role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    pub(super) id: String,
    #[serde(default)]
    pub(super) permissions: Vec<String>,
    pub(super) whole: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    role: Vec<Role>,
    way: Vec<Way>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) ways: Vec<Way>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../../rules/access/gcp.toml"))
        .expect("the embedded catalogue is tested");
    let roles = file.role.into_iter().map(|role| (role.id.clone(), role));
    Catalogue {
        roles: roles.collect(),
        ways: file.way,
    }
});

/// The catalogue of this build.
pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// Whether a way needs a permission.
    pub(super) fn needs(&self, permission: &str) -> bool {
        let mut needed = self.ways.iter().flat_map(|way| &way.permissions);
        needed.any(|one| one == permission)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::catalogue;

    #[test]
    fn every_way_is_open_to_some_role_and_every_permission_is_needed() {
        let all = catalogue();
        let granted: BTreeSet<&String> = all
            .roles
            .values()
            .flat_map(|role| &role.permissions)
            .collect();
        let mut ids: Vec<&String> = all.ways.iter().map(|way| &way.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all.ways.len());
        for way in &all.ways {
            assert!(!way.permissions.is_empty(), "{}", way.id);
            for permission in &way.permissions {
                assert!(granted.contains(permission), "{}: {permission}", way.id);
            }
        }
        for permission in granted {
            assert!(all.needs(permission), "{permission}");
        }
    }
}
