//! The known ways to more rights, read from `rules/access/aws.toml`.
//!
//! Not here: whether a principal has one (`ways`).

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::access::glob::Glob;

/// Which of the catalogue's actions something speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ActionSet([u64; 4]);

/// How many actions an [`ActionSet`] can hold.
const MAX_ACTIONS: usize = 256;

impl ActionSet {
    pub(super) fn insert(&mut self, action: u16) {
        self.0[usize::from(action) / 64] |= 1 << (action % 64);
    }

    pub(super) fn contains(&self, action: u16) -> bool {
        self.0[usize::from(action) / 64] & (1 << (action % 64)) != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    pub(super) fn union(&mut self, other: &ActionSet) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    pub(super) fn complement(&self, of: usize) -> ActionSet {
        let mut all = ActionSet::default();
        for action in 0..of.min(MAX_ACTIONS) as u16 {
            if !self.contains(action) {
                all.insert(action);
            }
        }
        all
    }
}

/// What a way must hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Target {
    /// A role that is passed to a service which it trusts.
    PassedRole,
    /// Something that runs as a role already.
    Resource,
    /// The principal itself.
    Own,
    /// A group it is in.
    OwnGroup,
    /// A customer's policy that it has.
    OwnPolicy,
    /// Another user.
    User,
    /// Another role.
    Role,
    /// A customer's policy of another role.
    RolePolicy,
    /// A group it is not in.
    Group,
    /// A role that it makes.
    NewRole,
    /// Something that no export tells of.
    Anything,
}

/// What a way ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Gain {
    /// The rights of what it hits.
    Target,
    /// Every right that the limits of what it hits leave.
    Everything,
    /// The rights of the group.
    Group,
    /// The rights that the permissions boundary held back.
    Unbound,
    /// The rights of another version of the policy.
    Version,
}

/// Which of the targets are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Only {
    /// Users with room for one more access key.
    FewKeys,
    /// Users with two access keys.
    TwoKeys,
    /// Users without a password.
    NoLogin,
    /// Users with a password.
    Login,
}

/// One way.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) target: Target,
    pub(super) actions: Vec<u16>,
    pub(super) services: Vec<String>,
    pub(super) who: Option<String>,
    pub(super) profile: bool,
    pub(super) only: Option<Only>,
    pub(super) gain: Gain,
}

/// An action of the catalogue.
#[derive(Debug)]
pub(super) struct Action {
    /// As the service writes it.
    pub(super) name: String,
    /// What it acts on: an ARN with `P` and `A` for partition and account, or `*`.
    pub(super) resource: Option<String>,
}

/// All ways and the actions they need.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) paths: Vec<Path>,
    pub(super) actions: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: Vec<PathText>,
    resources: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathText {
    id: String,
    title: String,
    target: Target,
    actions: Vec<String>,
    #[serde(default)]
    services: Vec<String>,
    who: Option<String>,
    #[serde(default)]
    profile: bool,
    only: Option<Only>,
    gain: Gain,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../../rules/access/aws.toml"))
        .expect("the embedded catalogue is tested");
    let mut actions: Vec<Action> = Vec::new();
    let paths = file
        .path
        .into_iter()
        .map(|path| Path {
            actions: path
                .actions
                .into_iter()
                .map(|name| {
                    let known = actions.iter().position(|action| action.name == name);
                    known.unwrap_or_else(|| {
                        let resource = file.resources.get(&name).cloned();
                        actions.push(Action { name, resource });
                        actions.len() - 1
                    }) as u16
                })
                .collect(),
            id: path.id,
            title: path.title,
            target: path.target,
            services: path.services,
            who: path.who,
            profile: path.profile,
            only: path.only,
            gain: path.gain,
        })
        .collect();
    Catalogue { paths, actions }
});

/// The catalogue of this build.
pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// The number of an action that ways need.
    pub(super) fn action(&self, name: &str) -> Option<u16> {
        let at = self.actions.iter().position(|action| action.name == name)?;
        Some(at as u16)
    }

    /// The actions that a pattern of a policy means.
    pub(super) fn matched(&self, pattern: &Glob) -> ActionSet {
        let mut set = ActionSet::default();
        for (number, action) in (0..).zip(&self.actions) {
            if pattern.matches(&action.name) {
                set.insert(number);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_ACTIONS, Target, catalogue};

    #[test]
    fn every_way_can_be_asked_for() {
        let all = catalogue();
        assert_eq!(all.paths.len(), 108);
        assert!(all.actions.len() <= MAX_ACTIONS);
        let mut ids: Vec<&str> = all.paths.iter().map(|path| path.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.paths.len());
        for path in &all.paths {
            assert!(!path.actions.is_empty(), "{}", path.id);
            if path.target == Target::PassedRole {
                assert!(!path.services.is_empty(), "{}", path.id);
            }
            if matches!(path.target, Target::Resource | Target::Anything) {
                for &action in &path.actions {
                    let action = &all.actions[usize::from(action)];
                    assert!(action.resource.is_some(), "{}: {}", path.id, action.name);
                }
            }
        }
    }
}
