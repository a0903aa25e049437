//! Permissions of applications, consents, roles in the directory and on Azure.

use std::collections::BTreeMap;

use keymuster_api::{Attachment, AttachmentKind, GapKind, IdentityKind, Key, Policy, Source};
use serde::Serialize;

use super::{Book, applications::blank};

/// The document of a grant.
#[derive(Default, Serialize)]
struct GrantDocument<'a> {
    /// `app-role`, `delegated`, `directory-role`, `azure-role`.
    kind: &'a str,
    /// The id of the role or permission.
    role: &'a str,
    /// Its name, where it is told.
    name: Option<&'a str>,
    /// Where it holds: the resource, the scope.
    scope: &'a str,
    /// Delegated: whether for all people of the tenant.
    everybody: bool,
    /// Delegated: the permissions.
    permissions: Vec<&'a str>,
    /// Only once it is activated.
    eligible: bool,
    condition: Option<&'a str>,
}

/// The document of a role that somebody defined.
#[derive(Serialize)]
struct RoleDocument<'a> {
    actions: Vec<&'a str>,
    not_actions: Vec<&'a str>,
}

/// Everything that grants.
pub(super) fn collect(book: &mut Book<'_, '_>, here: &Source) {
    definitions(book);
    app_roles(book);
    delegated(book);
    roles(book);
    let parts = book.parts;
    if parts.app_roles.is_empty() && parts.roles.is_empty() && !parts.applications.is_empty() {
        let reason = "no grants were exported, so nobody's rights are seen; add appRoleAssignments, \
            oauth2PermissionGrants, roleManagement/directory/roleAssignments (az rest) and az role assignment \
            list --all"
            .to_owned();
        let subject = format!("entra:{}", book.tenant);
        book.gap(GapKind::Missing, subject, reason, here.clone());
    }
}

/// The last part of an id: a role's GUID, whatever stands before it.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn definitions(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for definition in &parts.definitions {
        let value = &definition.value;
        if value.permissions.is_empty() {
            continue;
        }
        let actions = value.permissions.iter().flat_map(|one| &one.actions);
        let not_actions = value.permissions.iter().flat_map(|one| &one.not_actions);
        let document = RoleDocument {
            actions: actions.map(String::as_str).collect(),
            not_actions: not_actions.map(String::as_str).collect(),
        };
        let key = Key(format!("azure:role:{}", last(&value.id).to_lowercase()));
        let policy = Policy {
            name: value.role_name.clone().unwrap_or_default(),
            document: serde_json::to_string(&document).unwrap_or_default(),
            attached: Vec::new(),
            source: definition.source.clone(),
            key: key.clone(),
        };
        book.policies.entry(key).or_insert(policy);
    }
}

/// The key of whoever an object id means.
fn holder(
    book: &mut Book<'_, '_>,
    id: &str,
    kind: Option<&str>,
    name: Option<&str>,
    source: &Source,
) -> Key {
    let id = id.to_lowercase();
    if let Some(known) = book.objects.get(&id) {
        return known.clone();
    }
    let (word, kind) = match kind {
        Some("User") => ("user", IdentityKind::User),
        Some("Group" | "ForeignGroup") => ("group", IdentityKind::Group),
        Some("ServicePrincipal") => ("object", IdentityKind::App),
        _ => ("object", IdentityKind::User),
    };
    let key = Key(format!("entra:{word}:{id}"));
    let name = name.filter(|name| !name.is_empty()).unwrap_or(&id);
    let name = book.reader.clean(name);
    let identity = blank(book, &key, kind, &name, source);
    book.identities.insert(key.clone(), identity);
    book.objects.insert(id, key.clone());
    key
}

fn grant(book: &mut Book<'_, '_>, to: Key, document: &GrantDocument<'_>, source: &Source) {
    let key = Key(format!(
        "entra:grant:{}:{}:{}:{}",
        document.kind, to.0, document.role, document.scope
    ));
    let policy = Policy {
        name: document.name.unwrap_or(document.role).to_owned(),
        document: serde_json::to_string(document).unwrap_or_default(),
        attached: vec![Attachment {
            to,
            kind: AttachmentKind::Attached,
        }],
        source: source.clone(),
        key: key.clone(),
    };
    book.policies.entry(key).or_insert(policy);
}

fn app_roles(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    // What resources call their permissions.
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for principal in &parts.principals {
        for role in &principal.value.app_roles {
            if let Some(value) = role.value.as_deref() {
                names.insert(role.id.to_lowercase(), value);
            }
        }
    }
    for assignment in &parts.app_roles {
        let value = &assignment.value;
        let to = holder(
            book,
            &value.principal_id,
            Some("ServicePrincipal"),
            None,
            &assignment.source,
        );
        let role = value.app_role_id.to_lowercase();
        let document = GrantDocument {
            kind: "app-role",
            role: &role,
            name: names.get(&role).copied(),
            scope: value
                .resource_display_name
                .as_deref()
                .unwrap_or(&value.resource_id),
            ..GrantDocument::default()
        };
        grant(book, to, &document, &assignment.source);
    }
}

fn delegated(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for consent in &parts.grants {
        let value = &consent.value;
        let to = holder(
            book,
            &value.client_id,
            Some("ServicePrincipal"),
            None,
            &consent.source,
        );
        let permissions = value.scope.as_deref().unwrap_or_default();
        let everybody = value.consent_type == "AllPrincipals";
        let person = value.principal_id.as_deref().unwrap_or_default();
        let document = GrantDocument {
            kind: "delegated",
            role: "delegated",
            scope: if everybody { "everybody" } else { person },
            everybody,
            permissions: permissions.split_whitespace().collect(),
            ..GrantDocument::default()
        };
        for permission in &document.permissions {
            let by = if everybody { "the tenant" } else { "a person" };
            book.set(&to, "scope", permission, &consent.source);
            book.set(&to, "granted-by", by, &consent.source);
        }
        grant(book, to, &document, &consent.source);
    }
}

fn roles(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    // Directory roles are named by the template that they are made from.
    let mut templates: BTreeMap<String, String> = BTreeMap::new();
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for definition in &parts.definitions {
        let value = &definition.value;
        let id = last(&value.id).to_lowercase();
        if let Some(template) = &value.template_id {
            templates.insert(id.clone(), template.to_lowercase());
        }
        let name = value.role_name.as_deref().or(value.display_name.as_deref());
        names.extend(name.map(|name| (id, name)));
    }
    for assignment in &parts.roles {
        let value = &assignment.value;
        let to = holder(
            book,
            &value.principal_id,
            value.principal_type.as_deref(),
            value.principal_name.as_deref(),
            &assignment.source,
        );
        let id = last(&value.role_definition_id).to_lowercase();
        let name = value
            .role_definition_name
            .as_deref()
            .or(names.get(&id).copied());
        let role = templates.get(&id).unwrap_or(&id);
        let document = match &value.scope {
            Some(scope) => GrantDocument {
                kind: "azure-role",
                role,
                name,
                scope,
                condition: value.condition.as_deref().filter(|text| !text.is_empty()),
                ..GrantDocument::default()
            },
            None => GrantDocument {
                kind: "directory-role",
                role,
                name,
                scope: value.directory_scope_id.as_deref().unwrap_or("/"),
                eligible: value.role_eligibility_schedule_id.is_some(),
                ..GrantDocument::default()
            },
        };
        grant(book, to, &document, &assignment.source);
    }
}
