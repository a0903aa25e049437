//! One cluster: what binds whom, what runs as whom, whose tokens lie about.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Credential, Identity, IdentityKind, Key, Policy, Reference, Status};
use serde::Deserialize;

use super::rule::Rule;

/// Where a right holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place<'a> {
    /// In all of the cluster.
    Cluster,
    /// In every namespace, and on nothing besides.
    EverySpace,
    /// In one namespace.
    Space(&'a str),
}

/// A binding as it reaches somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) binding: &'a Key,
    pub(super) binding_name: &'a str,
    pub(super) role: &'a Key,
    pub(super) rules: &'a [Rule],
    pub(super) place: Place<'a>,
    /// The group through which it reaches.
    pub(super) via: Option<&'a Key>,
    /// Whom the binding names.
    pub(super) subjects: &'a BTreeSet<&'a Key>,
}

impl Held<'_> {
    /// The grant in words.
    pub(super) fn because(&self, what: &str) -> String {
        let via = match self.via {
            Some(group) => format!(" through {}", short(&group.0)),
            None => String::new(),
        };
        format!(
            "{what} of {} by {}{via}",
            short(&self.role.0),
            short(&self.binding.0)
        )
    }
}

/// A key without its cluster: `clusterrole/admin`.
pub(super) fn short(key: &str) -> &str {
    key.split_once('/').map_or(key, |(_, rest)| rest)
}

/// The cluster of a key.
pub(super) fn name_of(key: &str) -> &str {
    let rest = key.strip_prefix("kubernetes:").unwrap_or(key);
    rest.split_once('/').map_or(rest, |(name, _)| name)
}

struct Binding<'a> {
    key: &'a Key,
    name: &'a str,
    role: Key,
    space: Option<String>,
    subjects: BTreeSet<&'a Key>,
}

#[derive(Deserialize)]
struct RoleText {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct BindingText {
    role: String,
    namespace: Option<String>,
}

/// A cluster on its way to be judged.
pub(super) struct Cluster<'a> {
    pub(super) name: &'a str,
    roles: BTreeMap<&'a Key, Vec<Rule>>,
    bindings: Vec<Binding<'a>>,
    /// Bindings by whom they name.
    by_subject: BTreeMap<&'a Key, Vec<u32>>,
    pub(super) principals: BTreeMap<&'a Key, IdentityKind>,
    /// Pods by the account they run as: those that mount its token.
    pub(super) running: BTreeSet<&'a Key>,
    pub(super) has_pods: bool,
    /// Accounts whose token lies in a Secret, with the Secret.
    pub(super) tokens: BTreeSet<(&'a Key, &'a Key)>,
    pub(super) is_eks: bool,
}

impl<'a> Cluster<'a> {
    pub(super) fn new(name: &'a str) -> Cluster<'a> {
        Cluster {
            name,
            roles: BTreeMap::new(),
            bindings: Vec::new(),
            by_subject: BTreeMap::new(),
            principals: BTreeMap::new(),
            running: BTreeSet::new(),
            has_pods: false,
            tokens: BTreeSet::new(),
            is_eks: false,
        }
    }

    /// Takes a role or a binding.
    pub(super) fn policy(&mut self, policy: &'a Policy) -> Result<(), String> {
        if policy.key.0.contains("binding/") {
            let text: BindingText = serde_json::from_str(&policy.document)
                .map_err(|error| format!("no binding of Kubernetes: {error}"))?;
            let number = self.bindings.len() as u32;
            for tie in &policy.attached {
                self.by_subject.entry(&tie.to).or_default().push(number);
            }
            self.bindings.push(Binding {
                key: &policy.key,
                name: &policy.name,
                role: Key(text.role),
                space: text.namespace,
                subjects: policy.attached.iter().map(|tie| &tie.to).collect(),
            });
        } else {
            let text: RoleText = serde_json::from_str(&policy.document)
                .map_err(|error| format!("no role of Kubernetes: {error}"))?;
            self.roles.insert(&policy.key, text.rules);
        }
        Ok(())
    }

    pub(super) fn principal(&mut self, identity: &'a Identity) {
        self.principals.insert(&identity.key, identity.kind);
    }

    pub(super) fn reference(&mut self, reference: &'a Reference) {
        if name_of(&reference.by.0) != self.name {
            return;
        }
        if short(&reference.by.0).starts_with("pod/") {
            self.has_pods = true;
            self.running.insert(&reference.to);
        } else if reference.to.0.starts_with("arn:") {
            self.is_eks = true;
        }
    }

    pub(super) fn credential(&mut self, credential: &'a Credential) {
        let is_token = credential.provider == "kubernetes" && credential.status == Status::Active;
        if let Some(identity) = credential.identity.as_ref().filter(|_| is_token)
            && name_of(&identity.0) == self.name
        {
            self.tokens.insert((identity, &credential.key));
        }
    }

    pub(super) fn key(&self, what: &str, name: &str) -> Key {
        Key(format!("kubernetes:{}/{what}/{name}", self.name))
    }

    /// The rules of a role, if it is known.
    pub(super) fn rules(&self, role: &Key) -> Option<&[Rule]> {
        self.roles.get(role).map(Vec::as_slice)
    }

    /// Roles of a namespace, or of all.
    pub(super) fn roles_in(&self, space: Option<&str>) -> impl Iterator<Item = &Key> {
        let start = match space {
            Some(space) => format!("role/{space}/"),
            None => "role/".to_owned(),
        };
        let roles = self.roles.keys();
        roles
            .filter(move |key| short(&key.0).starts_with(&start))
            .copied()
    }

    /// Every binding that reaches a principal: its own, and those of its groups.
    pub(super) fn held<'s>(&'s self, key: &'s Key, groups: &'s [Key]) -> Vec<Held<'s>> {
        let own = std::iter::once((key, None));
        let groups = groups.iter().map(|group| (group, Some(group)));
        let mut held = Vec::new();
        for (subject, via) in own.chain(groups) {
            for &number in self.by_subject.get(subject).map_or(&[][..], Vec::as_slice) {
                let binding = &self.bindings[number as usize];
                let Some(rules) = self.rules(&binding.role) else {
                    continue;
                };
                held.push(Held {
                    binding: binding.key,
                    binding_name: binding.name,
                    role: &binding.role,
                    rules,
                    place: match &binding.space {
                        None => Place::Cluster,
                        Some(space) => Place::Space(space),
                    },
                    via,
                    subjects: &binding.subjects,
                });
            }
        }
        held
    }

    /// The groups that the API server puts a principal into.
    pub(super) fn groups_of(&self, key: &Key, kind: IdentityKind) -> Vec<Key> {
        let mut groups = Vec::new();
        match kind {
            IdentityKind::ServiceAccount => {
                groups.push("system:serviceaccounts".to_owned());
                groups.extend(space_of(key).map(|space| format!("system:serviceaccounts:{space}")));
                groups.push("system:authenticated".to_owned());
            }
            IdentityKind::User if short(&key.0) == "user/system:anonymous" => {
                groups.push("system:unauthenticated".to_owned());
            }
            IdentityKind::User => groups.push("system:authenticated".to_owned()),
            _ => {}
        }
        groups.iter().map(|name| self.key("group", name)).collect()
    }
}

/// The namespace of a service account's key.
pub(super) fn space_of(key: &Key) -> Option<&str> {
    let rest = short(&key.0).strip_prefix("serviceaccount/")?;
    rest.split_once('/').map(|(space, _)| space)
}

/// The name of a service account's key.
pub(super) fn name_of_account(key: &Key) -> &str {
    key.0.rsplit('/').next().unwrap_or(&key.0)
}
