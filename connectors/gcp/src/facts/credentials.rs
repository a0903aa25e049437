//! Keys: of service accounts, of APIs, of Cloud Storage.

use std::collections::BTreeMap;

use keymuster_api::{Credential, Handle, IdentityKind, Item, Key, Known, Status, Timestamp};

use super::{Book, accounts};
use crate::place::project_in;

/// A key that ends from this year on has no end (cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys).
const NEVER: i16 = 9999;

/// Every key, and what restricts those of APIs.
pub(super) fn collect(book: &mut Book<'_, '_>) {
    of_accounts(book);
    of_apis(book);
    of_storage(book);
}

fn of_accounts(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    let mut used: BTreeMap<&str, Known<Timestamp>> = BTreeMap::new();
    for activity in &parts.activities {
        if let Some((_, id)) = activity.value.full_resource_name.rsplit_once("/keys/") {
            let at = activity.value.activity.last_authenticated_time;
            used.insert(id, at.map_or(Known::Never, Known::Known));
        }
    }
    for key in &parts.keys {
        let value = &key.value;
        // Google makes and rotates those itself, and nobody ever sees them.
        if value.key_type.as_deref() == Some("SYSTEM_MANAGED") {
            continue;
        }
        let Some((rest, id)) = value.name.rsplit_once("/keys/") else {
            continue;
        };
        let mail = rest
            .rsplit_once("/serviceAccounts/")
            .map_or("", |(_, mail)| mail);
        let account = accounts::key_of(mail);
        let project = project_in(&value.name)
            .or_else(|| crate::place::project_of_mail(mail))
            .map(|id| book.project(id));
        if let Some(project) = &project {
            book.see_project(project, &key.source);
        }
        if !book.identities.contains_key(&account) {
            let mut identity =
                accounts::blank(&account, IdentityKind::ServiceAccount, mail, &key.source);
            identity.account.clone_from(&project);
            book.identities.insert(account.clone(), identity);
        }
        let expires = match value.valid_before_time {
            Some(at) if year(at) >= NEVER => Known::Never,
            Some(at) => Known::Known(at),
            None => Known::Unknown,
        };
        book.items.push(Item::Credential(Credential {
            key: Key(format!("gcp:service-account-key:{id}")),
            kind: "gcp.service-account-key".to_owned(),
            handle: Some(Handle::new("gcp-private-key-id", id)),
            secret: None,
            identity: Some(account),
            provider: "gcp".to_owned(),
            account: project,
            name: Some(mail.to_owned()),
            status: status(value.disabled),
            created: value.valid_after_time.into(),
            rotated: value.valid_after_time.into(),
            last_used: used.get(id).copied().unwrap_or_default(),
            last_used_for: None,
            expires,
            source: key.source.clone(),
        }));
    }
}

fn status(disabled: bool) -> Status {
    if disabled {
        Status::Disabled
    } else {
        Status::Active
    }
}

fn year(at: Timestamp) -> i16 {
    jiff::tz::Offset::UTC.to_datetime(at).year()
}

fn of_apis(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for (key, secret) in &parts.api_keys {
        let value = &key.value;
        let last = value.name.rsplit('/').next().unwrap_or_default();
        let id = value.uid.as_deref().unwrap_or(last);
        let project = project_in(&value.name).map(|id| book.project(id));
        if let Some(project) = &project {
            book.see_project(project, &key.source);
        }
        let own = Key(format!("gcp:api-key:{id}"));
        restrictions(book, &own, key);
        let name = value
            .display_name
            .as_deref()
            .filter(|name| !name.is_empty());
        book.items.push(Item::Credential(Credential {
            key: own,
            kind: "gcp.api-key".to_owned(),
            handle: Some(Handle::new("gcp-api-key-id", id)),
            secret: *secret,
            identity: value.service_account_email.as_deref().map(accounts::key_of),
            provider: "gcp".to_owned(),
            account: project,
            name: name.map(|name| book.reader.clean(name)),
            status: match value.delete_time {
                Some(_) => Status::Revoked,
                None => Status::Active,
            },
            created: value.create_time.into(),
            // An API key cannot be changed, only replaced.
            rotated: value.create_time.into(),
            last_used: Known::Unsupported,
            last_used_for: None,
            expires: Known::Never,
            source: key.source.clone(),
        }));
    }
}

/// Which APIs a key opens, and from where; one that is restricted in neither way says so.
fn restrictions(book: &mut Book<'_, '_>, own: &Key, key: &crate::parts::At<crate::wire::ApiKey>) {
    let empty = BTreeMap::new();
    let all = key.value.restrictions.as_ref().unwrap_or(&empty);
    let mut targets = 0;
    for (name, value) in all {
        if name == "apiTargets" {
            for target in value.as_array().into_iter().flatten() {
                if let Some(service) = target.get("service").and_then(|one| one.as_str()) {
                    targets += 1;
                    book.set(own, "api-target", service, &key.source);
                }
            }
        } else if value.as_object().is_some_and(|object| !object.is_empty()) {
            let name = name.strip_suffix("KeyRestrictions").unwrap_or(name);
            book.set(own, "application-restriction", name, &key.source);
        }
    }
    if targets == 0 {
        book.set(own, "api-target", "*", &key.source);
    }
}

fn of_storage(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for key in &parts.hmac_keys {
        let value = &key.value;
        let project = value.project_id.as_deref().map(|id| book.project(id));
        if let Some(project) = &project {
            book.see_project(project, &key.source);
        }
        book.items.push(Item::Credential(Credential {
            key: Key(format!("gcp:hmac-key:{}", value.access_id)),
            kind: "gcp.storage-hmac-secret".to_owned(),
            handle: Some(Handle::new("gcp-storage-hmac-id", value.access_id.as_str())),
            secret: None,
            identity: value.service_account_email.as_deref().map(accounts::key_of),
            provider: "gcp".to_owned(),
            account: project,
            name: value.service_account_email.clone(),
            status: match value.state.as_deref() {
                Some("ACTIVE") => Status::Active,
                Some("INACTIVE") => Status::Disabled,
                Some("DELETED") => Status::Revoked,
                _ => Status::Unknown,
            },
            created: value.time_created.into(),
            rotated: value.time_created.into(),
            last_used: Known::Unsupported,
            last_used_for: None,
            expires: Known::Never,
            source: key.source.clone(),
        }));
    }
}
