//! Roles, bindings, and the principals that bindings name.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Attachment, AttachmentKind, GapKind, IdentityKind, Key, Policy, Source};
use serde::Serialize;

use super::{Book, accounts::blank};
use crate::{
    parts::At,
    wire::{Binding, Role, Rule, Subject},
};

/// A label that the API server puts on what it makes itself.
/// (kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings)
const BOOTSTRAPPED: &str = "kubernetes.io/bootstrapping";

/// Everything that grants.
pub(super) fn collect(book: &mut Book<'_, '_>, here: &Source) {
    let parts = book.parts;
    let by_name: BTreeMap<&str, &Role> = parts
        .cluster_roles
        .iter()
        .map(|role| (role.value.metadata.name.as_str(), &role.value))
        .collect();
    for role in &parts.cluster_roles {
        let key = book
            .cluster
            .of_all("clusterrole", &role.value.metadata.name);
        let rules = rules_of(&role.value, &by_name, book, role, &key);
        add_role(book, key, role, &rules);
    }
    for role in &parts.roles {
        let meta = &role.value.metadata;
        let key = book.cluster.within("role", meta.space(), &meta.name);
        add_role(book, key, role, &role.value.rules);
    }
    let mut named = Named::default();
    for binding in &parts.cluster_bindings {
        let key = book
            .cluster
            .of_all("clusterrolebinding", &binding.value.metadata.name);
        add_binding(book, &mut named, key, None, binding);
    }
    for binding in &parts.bindings {
        let meta = &binding.value.metadata;
        let key = book.cluster.within("rolebinding", meta.space(), &meta.name);
        add_binding(book, &mut named, key, Some(meta.space()), binding);
    }
    add_missing_roles(book, &named);
    for account in &named.only_bootstrapped {
        if !named.by_people.contains(account) {
            book.set(account, "provider-managed", "true", here);
        }
    }
    if parts.bindings.len() + parts.cluster_bindings.len() == 0 {
        let reason = "no bindings of roles were exported, so nobody's rights are seen; add \
            `kubectl get roles,clusterroles,rolebindings,clusterrolebindings -A -o json`"
            .to_owned();
        let subject = book.cluster.key().0;
        book.gap(GapKind::Missing, subject, reason, here.clone());
    }
}

/// The document of a role.
#[derive(Serialize)]
struct RoleDocument<'a> {
    rules: &'a [Rule],
}

/// The document of a binding.
#[derive(Serialize)]
struct BindingDocument<'a> {
    role: &'a str,
    namespace: Option<&'a str>,
}

/// Strings, lists and objects of strings are always valid JSON.
fn written(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// What bindings name.
#[derive(Default)]
struct Named {
    /// Roles, each with the first binding that gives it.
    roles: BTreeMap<Key, (Key, Source)>,
    /// Accounts of system namespaces that a binding of the API server's own names.
    only_bootstrapped: BTreeSet<Key>,
    /// Accounts that a binding names which somebody made.
    by_people: BTreeSet<Key>,
}

/// A role's rules. A ClusterRole that is put together from others carries their rules in a
/// cluster; a manifest of one does not.
fn rules_of(
    role: &Role,
    all: &BTreeMap<&str, &Role>,
    book: &mut Book<'_, '_>,
    at: &At<Role>,
    key: &Key,
) -> Vec<Rule> {
    let Some(aggregation) = &role.aggregation_rule else {
        return role.rules.clone();
    };
    if !role.rules.is_empty() {
        return role.rules.clone();
    }
    let mut rules: Vec<Rule> = Vec::new();
    for selector in &aggregation.cluster_role_selectors {
        if !selector.match_expressions.is_empty() {
            let reason = "it is put together by expressions, which are not read here; export it \
                from the cluster, where it carries its rules"
                .to_owned();
            book.gap(
                GapKind::Unsupported,
                key.0.clone(),
                reason,
                at.source.clone(),
            );
            continue;
        }
        for other in all.values() {
            let labels = &other.metadata.labels;
            let fits = |(name, value): (&String, &String)| labels.get(name) == Some(value);
            if selector.match_labels.iter().all(fits) && other.metadata.name != role.metadata.name {
                for rule in &other.rules {
                    if !rules.contains(rule) {
                        rules.push(rule.clone());
                    }
                }
            }
        }
    }
    rules
}

fn add_role(book: &mut Book<'_, '_>, key: Key, role: &At<Role>, rules: &[Rule]) {
    let policy = Policy {
        name: role.value.metadata.name.clone(),
        document: written(&RoleDocument { rules }),
        attached: Vec::new(),
        source: role.source.clone(),
        key: key.clone(),
    };
    add_policy(book, policy);
}

fn add_policy(book: &mut Book<'_, '_>, policy: Policy) {
    match book.policies.get(&policy.key) {
        None => {
            book.policies.insert(policy.key.clone(), policy);
        }
        Some(known) if known.document == policy.document && known.attached == policy.attached => {}
        Some(_) => {
            let reason =
                "given twice and differs; the first is kept, export it again, or give each cluster a connector of its own"
                    .to_owned();
            book.gap(GapKind::Corrupt, policy.key.0, reason, policy.source);
        }
    }
}

fn add_binding(
    book: &mut Book<'_, '_>,
    named: &mut Named,
    key: Key,
    space: Option<&str>,
    binding: &At<Binding>,
) {
    let value = &binding.value;
    let role = match (value.role_ref.kind.as_str(), space) {
        ("ClusterRole", _) => book.cluster.of_all("clusterrole", &value.role_ref.name),
        ("Role", Some(space)) => book.cluster.within("role", space, &value.role_ref.name),
        (other, _) => {
            let reason = format!("it gives a {other}, which it cannot; it was left out");
            book.gap(GapKind::Corrupt, key.0, reason, binding.source.clone());
            return;
        }
    };
    let bootstrapped = value.metadata.labels.contains_key(BOOTSTRAPPED);
    let mut attached: BTreeSet<Attachment> = BTreeSet::new();
    for subject in &value.subjects {
        let Some((to, kind, name)) = principal(book, subject, space) else {
            let reason = format!(
                "it names a subject of kind {}, or one without its namespace; that subject was left out",
                subject.kind
            );
            book.gap(
                GapKind::Corrupt,
                key.0.clone(),
                reason,
                binding.source.clone(),
            );
            continue;
        };
        if kind == IdentityKind::ServiceAccount {
            if bootstrapped {
                named.only_bootstrapped.insert(to.clone());
            } else {
                named.by_people.insert(to.clone());
            }
        }
        // Accounts that are in no export are listed where no accounts were exported at all.
        let lists_it = kind != IdentityKind::ServiceAccount || book.parts.accounts.is_empty();
        if lists_it && !book.identities.contains_key(&to) {
            let identity = blank(book, &to, kind, &name, &binding.source);
            book.identities.insert(to.clone(), identity);
        }
        attached.insert(Attachment {
            to,
            kind: AttachmentKind::Attached,
        });
    }
    named
        .roles
        .entry(role.clone())
        .or_insert_with(|| (key.clone(), binding.source.clone()));
    let policy = Policy {
        name: value.metadata.name.clone(),
        document: written(&BindingDocument {
            role: &role.0,
            namespace: space,
        }),
        attached: attached.into_iter().collect(),
        source: binding.source.clone(),
        key,
    };
    add_policy(book, policy);
}

/// The key, kind and name of a subject.
fn principal(
    book: &Book<'_, '_>,
    subject: &Subject,
    space: Option<&str>,
) -> Option<(Key, IdentityKind, String)> {
    let name = subject.name.as_str();
    match subject.kind.as_str() {
        "ServiceAccount" => {
            let given = subject
                .namespace
                .as_deref()
                .filter(|space| !space.is_empty());
            let space = given.or(space)?;
            Some(account(book, space, name))
        }
        // The user name of a service account is another way to name it.
        "User" => match name
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
        {
            Some((space, name)) => Some(account(book, space, name)),
            None => Some((
                book.cluster.of_all("user", name),
                IdentityKind::User,
                name.to_owned(),
            )),
        },
        "Group" => Some((
            book.cluster.of_all("group", name),
            IdentityKind::Group,
            name.to_owned(),
        )),
        _ => None,
    }
}

fn account(book: &Book<'_, '_>, space: &str, name: &str) -> (Key, IdentityKind, String) {
    (
        book.cluster.account(space, name),
        IdentityKind::ServiceAccount,
        format!("{space}/{name}"),
    )
}

/// Roles that bindings give and no export holds. What `cluster-admin` is everybody knows.
fn add_missing_roles(book: &mut Book<'_, '_>, named: &Named) {
    let administrator = book.cluster.of_all("clusterrole", "cluster-admin");
    for (role, (binding, source)) in &named.roles {
        if book.policies.contains_key(role) {
            continue;
        }
        if *role == administrator {
            let star = || vec!["*".to_owned()];
            let nothing = Rule {
                api_groups: Vec::new(),
                resources: Vec::new(),
                resource_names: Vec::new(),
                non_resource_urls: Vec::new(),
                verbs: star(),
            };
            let rules = [
                Rule {
                    api_groups: star(),
                    resources: star(),
                    ..nothing.clone()
                },
                Rule {
                    non_resource_urls: star(),
                    ..nothing
                },
            ];
            let policy = Policy {
                key: role.clone(),
                name: "cluster-admin".to_owned(),
                document: written(&RoleDocument { rules: &rules }),
                attached: Vec::new(),
                source: source.clone(),
            };
            book.policies.insert(role.clone(), policy);
            continue;
        }
        // In a list of all roles, what is not there does not exist, and grants nothing.
        let listed = match role.0.contains("/clusterrole/") {
            true => &book.parts.cluster_roles,
            false => &book.parts.roles,
        };
        if !listed.is_empty() && !book.reader.unread {
            continue;
        }
        let reason = format!(
            "the role that {} gives is in no export, so the rights of its subjects are not fully seen; export roles and clusterroles",
            binding.0
        );
        book.gap(GapKind::Missing, role.0.clone(), reason, source.clone());
    }
}
