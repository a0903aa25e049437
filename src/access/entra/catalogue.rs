//! Permissions and roles that lead to every right, read from `rules/access/entra.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// The template of the role that has every right in the directory.
pub(super) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// The role of Azure that has every right at its scope.
pub(super) const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

/// What a permission or role gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Gain {
    /// Every right.
    Everything,
    /// The rights of every application.
    Apps,
    /// Those of applications that it owns, which is told by their owners.
    Owned,
    /// Those of managed identities at the scope.
    Identities,
    /// Every right, by steps that depend on the tenant.
    Steps,
}

/// A permission or role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) guid: String,
    pub(super) name: String,
    pub(super) gain: Gain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    permission: Vec<Known>,
    directory_role: Vec<Known>,
    azure_role: Vec<Known>,
}

/// All of it, by kind of grant and id.
#[derive(Debug)]
pub(super) struct Catalogue(BTreeMap<(&'static str, String), Known>);

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../../rules/access/entra.toml"))
        .expect("the embedded catalogue is tested");
    let kinds = [
        ("app-role", file.permission),
        ("directory-role", file.directory_role),
        ("azure-role", file.azure_role),
    ];
    let all = kinds.into_iter().flat_map(|(kind, all)| {
        all.into_iter()
            .map(move |one| ((kind, one.guid.clone()), one))
    });
    Catalogue(all.collect())
});

/// The catalogue of this build.
pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// What is known of a grant of this kind.
    pub(super) fn get(&self, kind: &str, guid: &str) -> Option<&Known> {
        let kind = ["app-role", "directory-role", "azure-role"]
            .into_iter()
            .find(|known| *known == kind)?;
        self.0.get(&(kind, guid.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{GLOBAL_ADMINISTRATOR, Gain, OWNER, catalogue};

    #[test]
    fn ids_are_ids_and_the_two_administrators_are_known() {
        let all = &catalogue().0;
        assert_eq!(all.len(), 109);
        for ((_, guid), known) in all {
            assert_eq!(guid.len(), 36, "{}", known.id);
        }
        for (kind, guid) in [
            ("directory-role", GLOBAL_ADMINISTRATOR),
            ("azure-role", OWNER),
        ] {
            assert_eq!(
                catalogue().get(kind, guid).map(|one| one.gain),
                Some(Gain::Everything)
            );
        }
    }
}
