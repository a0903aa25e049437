//! Applications, what they log in with, who owns them.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Claim, ClaimRole, Credential, GapKind, Handle, Identity, IdentityKind, Item, Key, Known,
    Membership, Source, Status, Timestamp, Trust,
};
use serde::Serialize;

use super::{Book, MICROSOFT};
use crate::{
    parts::At,
    wire::{AppCredential, Application, Federated, Owner},
};

/// How far an owner that the directory names is to be trusted, in percent.
const OWNER_CONFIDENCE: u8 = 80;

/// The key of an application, by its client id.
pub(super) fn key_of(app_id: &str) -> Key {
    Key(format!("entra:app:{}", app_id.to_lowercase()))
}

/// The document of a federated credential.
#[derive(Serialize)]
struct FederatedDocument<'a> {
    name: &'a str,
    issuer: &'a str,
    subject: Option<&'a str>,
    audiences: &'a [String],
    expression: Option<&'a str>,
}

/// A principal of which nothing but its name is known.
pub(super) fn blank(
    book: &Book<'_, '_>,
    key: &Key,
    kind: IdentityKind,
    name: &str,
    source: &Source,
) -> Identity {
    Identity {
        key: key.clone(),
        kind,
        name: name.to_owned(),
        provider: "entra".to_owned(),
        account: Some(book.tenant.clone()),
        status: Status::Active,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: Known::Unknown,
        mfa: Known::Unsupported,
        tags: Vec::new(),
        source: source.clone(),
    }
}

/// Applications and service principals.
pub(super) fn collect(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    let mut used: BTreeMap<String, Known<Timestamp>> = BTreeMap::new();
    let mut key_used: BTreeMap<String, Known<Timestamp>> = BTreeMap::new();
    for activity in &parts.activities {
        let value = &activity.value;
        let at = value.sign_in_activity.last_sign_in_date_time;
        let at = at.map_or(Known::Never, Known::Known);
        match (&value.key_id, &value.app_id) {
            (Some(key), _) => key_used.insert(key.to_lowercase(), at),
            (None, Some(app)) => used.insert(app.to_lowercase(), at),
            (None, None) => None,
        };
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (apps, is_principal) in [(&parts.applications, false), (&parts.principals, true)] {
        for app in apps {
            let key = key_of(&app.value.app_id);
            book.objects
                .insert(app.value.id.to_lowercase(), key.clone());
            // Some lists name an application by its client id.
            book.objects
                .insert(app.value.app_id.to_lowercase(), key.clone());
            if let Some(resource) = app
                .value
                .alternative_names
                .iter()
                .find(|name| name.starts_with('/'))
            {
                book.objects.insert(resource.to_lowercase(), key.clone());
            }
            principal(book, app, &key, is_principal, &used);
            credentials(book, app, &key, &key_used, &mut seen);
        }
    }
    for (apps, _) in [(&parts.applications, false), (&parts.principals, true)] {
        for app in apps {
            let key = key_of(&app.value.app_id);
            for owner in &app.value.owners {
                owned(book, &key, owner, &app.source);
            }
            for federated in &app.value.federated_identity_credentials {
                trust(book, &key, federated, &app.source);
            }
        }
    }
    for owner in &parts.owners {
        let (of, owner_of) = &owner.value;
        match book.objects.get(&of.to_lowercase()).cloned() {
            Some(key) => owned(book, &key, owner_of, &owner.source),
            None => stray(book, of, "owners", &owner.source),
        }
    }
    for federated in &parts.federated {
        let (of, credential) = &federated.value;
        let known = of
            .as_ref()
            .and_then(|of| book.objects.get(&of.to_lowercase()).cloned());
        match (known, of) {
            (Some(key), _) => trust(book, &key, credential, &federated.source),
            (None, Some(of)) => stray(book, of, "federated credentials", &federated.source),
            (None, None) => {
                let reason =
                    "the federated credential does not say whose it is; put the client id into \
                    the file's name, or export applications with $expand"
                        .to_owned();
                let subject = credential.name.clone().unwrap_or_default();
                book.gap(GapKind::Missing, subject, reason, federated.source.clone());
            }
        }
    }
}

fn stray(book: &mut Book<'_, '_>, of: &str, what: &str, source: &Source) {
    let reason = format!(
        "its {what} are there, and itself is in no export; add az ad app list --all and az ad sp list --all"
    );
    book.gap(GapKind::Missing, of.to_owned(), reason, source.clone());
}

/// The principal of an application, or what a second object adds to it.
fn principal(
    book: &mut Book<'_, '_>,
    app: &At<Application>,
    key: &Key,
    is_principal: bool,
    used: &BTreeMap<String, Known<Timestamp>>,
) {
    let value = &app.value;
    let name = value.display_name.as_deref().unwrap_or(&value.app_id);
    let name = book.reader.clean(name);
    let mut identity = book
        .identities
        .remove(key)
        .unwrap_or_else(|| blank(book, key, IdentityKind::App, &name, &app.source));
    identity.created = identity.created.or(value.created_date_time.into());
    if let Some(at) = used.get(&value.app_id.to_lowercase()) {
        identity.last_used = *at;
    }
    if value.account_enabled == Some(false) {
        identity.status = Status::Disabled;
    }
    if !is_principal {
        // A client that people run signs them in, and cannot keep a secret.
        let people = value.is_fallback_public_client == Some(true)
            || !value.public_client.redirect_uris.is_empty();
        identity.interactive = Known::Known(people);
        if let Some(audience) = &value.sign_in_audience {
            book.set(key, "sign-in-audience", audience, &app.source);
        }
    } else if identity.interactive == Known::Unknown {
        identity.interactive = Known::Known(false);
    }
    for tag in &value.tags {
        let tag = (book.reader.clean(tag), String::new());
        if !identity.tags.contains(&tag) {
            identity.tags.push(tag);
        }
    }
    if let Some(kind) = &value.service_principal_type {
        book.set(key, "service-principal-type", kind, &app.source);
    }
    if let Some(owner) = &value.app_owner_organization_id {
        let owner = owner.to_lowercase();
        if MICROSOFT.contains(&owner.as_str()) && owner != book.tenant {
            book.set(key, "provider-managed", "true", &app.source);
        } else if owner != book.tenant {
            book.set(key, "publisher-tenant", &owner, &app.source);
        }
    }
    book.identities.insert(key.clone(), identity);
}

/// Every secret and certificate, once.
fn credentials(
    book: &mut Book<'_, '_>,
    app: &At<Application>,
    key: &Key,
    used: &BTreeMap<String, Known<Timestamp>>,
    seen: &mut BTreeSet<String>,
) {
    let value = &app.value;
    let secrets = value
        .password_credentials
        .iter()
        .map(|one| (one, "azure.client-secret"));
    let certificates = value.key_credentials.iter();
    // What the tenant signs tokens with logs nobody in.
    let certificates = certificates
        .filter(|one| one.usage.as_deref() != Some("Sign"))
        .map(|one| (one, "azure.client-certificate"));
    let all: Vec<(&AppCredential, &str)> = secrets.chain(certificates).collect();
    for (one, kind) in all {
        let id = one.key_id.to_lowercase();
        if !seen.insert(id.clone()) {
            continue;
        }
        let own = one.display_name.as_deref().filter(|name| !name.is_empty());
        let name = own
            .or(value.display_name.as_deref())
            .map(|name| book.reader.clean(name));
        let is_off = value.account_enabled == Some(false);
        book.items.push(Item::Credential(Credential {
            key: Key(format!("entra:credential:{id}")),
            kind: kind.to_owned(),
            handle: Some(Handle::new("azure-key-id", id.as_str())),
            secret: None,
            identity: Some(key.clone()),
            provider: "entra".to_owned(),
            account: Some(book.tenant.clone()),
            name,
            status: if is_off {
                Status::Disabled
            } else {
                Status::Active
            },
            created: one.start_date_time.into(),
            rotated: one.start_date_time.into(),
            last_used: used.get(&id).copied().unwrap_or_default(),
            last_used_for: None,
            expires: one.end_date_time.into(),
            source: app.source.clone(),
        }));
    }
}

/// Somebody owns an application: a claim, and the right to give it a secret.
fn owned(book: &mut Book<'_, '_>, key: &Key, owner: &Owner, source: &Source) {
    let known = book.objects.get(&owner.id.to_lowercase()).cloned();
    let name = [&owner.mail, &owner.user_principal_name, &owner.display_name]
        .into_iter()
        .find_map(|name| name.as_deref().filter(|name| !name.is_empty()))
        .unwrap_or(&owner.id);
    let name = book.reader.clean(name);
    let own = known.unwrap_or_else(|| Key(format!("entra:user:{}", owner.id.to_lowercase())));
    if !book.identities.contains_key(&own) {
        let identity = blank(book, &own, IdentityKind::User, &name, source);
        book.identities.insert(own.clone(), identity);
    }
    book.objects
        .entry(owner.id.to_lowercase())
        .or_insert_with(|| own.clone());
    // An owner belongs to what it owns: whoever is one may give it a secret.
    book.items.push(Item::Membership(Membership {
        member: own,
        group: key.clone(),
        source: source.clone(),
    }));
    book.items.push(Item::Claim(Claim {
        subject: key.clone(),
        party: name,
        role: ClaimRole::Owner,
        observed: None,
        confidence: OWNER_CONFIDENCE,
        source: source.clone(),
    }));
}

fn trust(book: &mut Book<'_, '_>, key: &Key, federated: &Federated, source: &Source) {
    let document = FederatedDocument {
        name: federated.name.as_deref().unwrap_or_default(),
        issuer: &federated.issuer,
        subject: federated
            .subject
            .as_deref()
            .filter(|subject| !subject.is_empty()),
        audiences: &federated.audiences,
        expression: federated
            .claims_matching_expression
            .as_ref()
            .map(|one| one.value.as_str()),
    };
    book.items.push(Item::Trust(Trust {
        identity: key.clone(),
        document: serde_json::to_string(&document).unwrap_or_default(),
        source: source.clone(),
    }));
}
