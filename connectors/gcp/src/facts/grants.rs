//! Policies at places, roles, the hierarchy of places, and who is let in from outside.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Attachment, AttachmentKind, GapKind, IdentityKind, Item, Key, Membership, Policy, Trust,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    Book,
    accounts::{blank, is_agent, key_of},
};
use crate::{
    place,
    wire::{Binding, Parent},
};

/// The document of a role.
#[derive(Serialize)]
struct RoleDocument<'a> {
    permissions: &'a [String],
}

/// A binding with members as keys.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct BindingDocument {
    role: String,
    members: BTreeSet<String>,
    condition: Option<String>,
}

/// The document of a policy.
#[derive(Serialize)]
struct PolicyDocument<'a> {
    place: &'a str,
    bindings: Vec<BindingDocument>,
}

/// The document of a provider.
#[derive(Serialize)]
struct ProviderDocument<'a> {
    pool: &'a str,
    active: bool,
    issuer: Option<&'a str>,
    audiences: &'a [String],
    aws: Option<&'a str>,
    condition: Option<&'a str>,
    mapping: &'a BTreeMap<String, String>,
}

/// Strings, lists and objects of strings are always valid JSON.
fn written(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// Everything that grants.
pub(super) fn collect(book: &mut Book<'_, '_>) {
    hierarchy(book);
    roles(book);
    policies(book);
    providers(book);
}

fn hierarchy(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    let up = |parent: &Parent| match parent {
        Parent::Name(name) => place::of_name(name),
        Parent::Parts { kind, id } => format!("{kind}/{id}"),
    };
    let mut all = Vec::new();
    for project in &parts.projects {
        if let Some(parent) = &project.value.parent {
            let place = format!("project/{}", project.value.project_id);
            all.push((place, up(parent), project.source.clone()));
        }
    }
    for folder in &parts.folders {
        if let Some(parent) = &folder.value.parent {
            let place = place::of_name(&folder.value.name);
            all.push((place, up(parent), folder.source.clone()));
        }
    }
    for pair in &parts.above {
        let (place, above) = &pair.value;
        all.push((place.clone(), above.clone(), pair.source.clone()));
    }
    let mut seen = BTreeSet::new();
    for (place, above, source) in all {
        let (place, above) = (book.place(&place), book.place(&above));
        if place != above && seen.insert((place.clone(), above.clone())) {
            book.items.push(Item::Membership(Membership {
                member: Key(format!("gcp:{place}")),
                group: Key(format!("gcp:{above}")),
                source,
            }));
        }
    }
}

fn roles(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for role in &parts.roles {
        let value = &role.value;
        // Lists name roles; only their descriptions hold permissions.
        if value.included_permissions.is_empty() || value.deleted {
            continue;
        }
        let mut permissions = value.included_permissions.clone();
        permissions.sort();
        permissions.dedup();
        let key = Key(format!("gcp:role:{}", value.name));
        let policy = Policy {
            name: value.name.clone(),
            document: written(&RoleDocument {
                permissions: &permissions,
            }),
            attached: Vec::new(),
            source: role.source.clone(),
            key: key.clone(),
        };
        book.policies.entry(key).or_insert(policy);
    }
}

/// The key, kind and name of a member; `None` for what was deleted, and for members of a project
/// by their role in it, which its own policy tells.
fn member(text: &str) -> Option<(Key, IdentityKind, String)> {
    let own = Key(format!("gcp:{text}"));
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    Some(match kind {
        "serviceAccount" if rest.contains(".svc.id.goog[") => {
            (own, IdentityKind::App, rest.to_owned())
        }
        "serviceAccount" => (key_of(rest), IdentityKind::ServiceAccount, rest.to_owned()),
        "user" => (own, IdentityKind::User, rest.to_owned()),
        "group" | "domain" => (own, IdentityKind::Group, rest.to_owned()),
        "allUsers" | "allAuthenticatedUsers" => (own, IdentityKind::Group, text.to_owned()),
        "principal" | "principalSet" => {
            let name = text
                .split_once("/workloadIdentityPools/")
                .map_or(rest, |(_, name)| name);
            (own, IdentityKind::App, name.to_owned())
        }
        _ => return None,
    })
}

fn policies(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for placed in &parts.policies {
        let place = book.place(&placed.value.place);
        if let Some(project) = place.strip_prefix("project/") {
            let project = project.to_owned();
            book.see_project(&project, &placed.source);
        }
        let mut attached: BTreeSet<Attachment> = BTreeSet::new();
        let mut bindings: Vec<BindingDocument> = Vec::new();
        for binding in &placed.value.policy.bindings {
            bindings.push(one_binding(book, placed, binding, &mut attached));
        }
        bindings.sort();
        let key = Key(format!("gcp:policy:{place}"));
        let policy = Policy {
            name: place.clone(),
            document: written(&PolicyDocument {
                place: &place,
                bindings,
            }),
            attached: attached.into_iter().collect(),
            source: placed.source.clone(),
            key: key.clone(),
        };
        match book.policies.get(&key) {
            None => {
                book.policies.insert(key, policy);
            }
            Some(known) if known.document == policy.document => {}
            Some(_) => {
                let reason =
                    "its policy is given twice and differs; the first is kept, export it again"
                        .to_owned();
                book.gap(GapKind::Corrupt, key.0, reason, placed.source.clone());
            }
        }
    }
}

/// A binding with members as keys; principals that nobody listed are told by it.
fn one_binding(
    book: &mut Book<'_, '_>,
    placed: &crate::parts::At<crate::parts::Placed>,
    binding: &Binding,
    attached: &mut BTreeSet<Attachment>,
) -> BindingDocument {
    let mut members: BTreeSet<String> = BTreeSet::new();
    for text in &binding.members {
        let Some((key, kind, name)) = member(text) else {
            continue;
        };
        if !book.identities.contains_key(&key) {
            let mut identity = blank(&key, kind, &name, &placed.source);
            let project = place::project_of_mail(&name).or_else(|| place::number_of_mail(&name));
            identity.account = project.map(|id| book.project(id));
            book.identities.insert(key.clone(), identity);
        }
        if kind == IdentityKind::ServiceAccount && is_agent(&name) {
            book.set(&key, "provider-managed", "true", &placed.source);
        }
        members.insert(key.0.clone());
        attached.insert(Attachment {
            to: key,
            kind: AttachmentKind::Attached,
        });
    }
    let condition = binding.condition.as_ref();
    let condition = condition.map(|one| book.reader.clean(&one.expression));
    BindingDocument {
        role: binding.role.clone(),
        members,
        condition,
    }
}

fn providers(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for provider in &parts.providers {
        let value = &provider.value;
        let is_on = !value.disabled && value.state.as_deref().is_none_or(|state| state == "ACTIVE");
        let pool = value.name.split("/providers/").next().unwrap_or_default();
        let account = value.aws.as_ref().and_then(|aws| aws.get("accountId"));
        let oidc = value.oidc.as_ref();
        let document = written(&ProviderDocument {
            pool,
            active: is_on,
            issuer: oidc.and_then(|oidc| oidc.issuer_uri.as_deref()),
            audiences: oidc.map_or(&[], |oidc| &oidc.allowed_audiences),
            aws: account.and_then(Value::as_str),
            condition: value.attribute_condition.as_deref(),
            mapping: &value.attribute_mapping,
        });
        book.items.push(Item::Trust(Trust {
            identity: Key(format!("gcp:{}", value.name)),
            document,
            source: provider.source.clone(),
        }));
    }
}
