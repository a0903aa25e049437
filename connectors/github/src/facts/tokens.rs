//! Apps and tokens that reach the organisation, with what they may do.

use keymuster_api::{
    ClaimRole, Credential, Handle, Identity, IdentityKind, Item, Key, Known, Source, Status,
    Timestamp, tie,
};
use keymuster_http::{fingerprint, time, time_or_never};

use crate::{
    Book,
    wire::{Authorization, Installation, Pat, Permissions},
};

fn permissions(book: &mut Book<'_>, key: &Key, of: &Permissions, source: &Source) {
    for (name, level) in &of.0 {
        book.setting(key, &format!("permission:{name}"), level, source);
    }
}

fn person(book: &mut Book<'_>, login: Option<&str>, source: &Source) -> Option<Key> {
    let login = login.filter(|login| !login.is_empty())?;
    let key = book.names.user(login);
    book.emit(Item::Identity(Identity {
        key: key.clone(),
        kind: IdentityKind::User,
        name: login.to_owned(),
        provider: "github".to_owned(),
        account: Some(book.names.organization.to_lowercase()),
        status: Status::Unknown,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: Known::Unknown,
        mfa: Known::Unknown,
        tags: Vec::new(),
        source: source.clone(),
    }));
    Some(key)
}

/// An installed app: a principal, and the private key behind it, of which no more is known.
pub(crate) fn installation(book: &mut Book<'_>, of: &Installation, source: &Source) {
    let key = book.names.key("app-installation", &of.id);
    let name = of
        .app_slug
        .clone()
        .unwrap_or_else(|| format!("app {}", of.id));
    let account = Some(book.names.organization.to_lowercase());
    let status = if of.suspended_at.is_some() {
        Status::Disabled
    } else {
        Status::Active
    };
    let created: Known<Timestamp> = time(of.created_at.as_deref()).into();
    book.emit(Item::Identity(Identity {
        key: key.clone(),
        kind: IdentityKind::App,
        name: name.clone(),
        provider: "github".to_owned(),
        account: account.clone(),
        status,
        created,
        last_used: Known::Unsupported,
        interactive: Known::Known(false),
        mfa: Known::Unsupported,
        tags: Vec::new(),
        source: source.clone(),
    }));
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "github.app-installation".to_owned(),
        handle: None,
        secret: None,
        identity: Some(key.clone()),
        provider: "github".to_owned(),
        account,
        name: Some(name),
        status,
        created,
        rotated: Known::Unsupported,
        last_used: Known::Unsupported,
        last_used_for: None,
        expires: Known::Unsupported,
        source: source.clone(),
    }));
    permissions(book, &key, &of.permissions, source);
    book.setting(
        &key,
        "repositories",
        of.repository_selection.as_deref().unwrap_or_default(),
        source,
    );
    book.setting(
        &key,
        "app-id",
        of.app_id.as_deref().unwrap_or_default(),
        source,
    );
    book.setting(
        &key,
        "suspended-at",
        of.suspended_at.as_deref().unwrap_or_default(),
        source,
    );
    book.setting(
        &key,
        "updated-at",
        of.updated_at.as_deref().unwrap_or_default(),
        source,
    );
    for event in &of.events {
        book.setting(&key, "event", event, source);
    }
}

/// The natural key of a fine-grained token, which the audit log uses too.
pub(crate) fn pat_key(book: &Book<'_>, id: &str) -> Key {
    book.names.key("pat", id)
}

/// A fine-grained token that was let in.
pub(crate) fn pat(book: &mut Book<'_>, of: &Pat, source: &Source) {
    let key = pat_key(book, of.token_id.as_deref().unwrap_or(&of.id));
    let login = of.owner.login.as_deref();
    let identity = person(book, login, source);
    let expires = time(of.token_expires_at.as_deref());
    let is_over = of.token_expired == Some(true) || expires.is_some_and(|at| at < book.now);
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "github.fine-grained-pat".to_owned(),
        handle: None,
        secret: None,
        identity,
        provider: "github".to_owned(),
        account: Some(book.names.organization.to_lowercase()),
        name: Some(match (&of.token_name, login) {
            (Some(name), Some(login)) => format!("{login}: {name}"),
            (Some(name), None) => name.clone(),
            (None, _) => format!("token {}", of.id),
        }),
        status: if is_over {
            Status::Revoked
        } else {
            Status::Active
        },
        // Only when it was let in is told; it may be older.
        created: time(of.access_granted_at.as_deref()).into(),
        rotated: Known::Unsupported,
        last_used: time_or_never(of.token_last_used_at.as_deref()),
        last_used_for: None,
        expires: time_or_never(of.token_expires_at.as_deref()),
        source: source.clone(),
    }));
    rights(book, &key, of, source);
    if let Some(login) = login {
        book.claim(&key, login, (ClaimRole::Owner, 70), None, source);
    }
}

/// A fine-grained token that waits to be let in: nothing yet, but somebody must decide.
pub(crate) fn pat_request(book: &mut Book<'_>, of: &Pat, source: &Source) {
    let key = book.names.key("pat-request", &of.id);
    rights(book, &key, of, source);
    let login = of.owner.login.as_deref().unwrap_or_default();
    book.setting(&key, "requested-by", login, source);
    book.setting(
        &key,
        "requested-at",
        of.created_at.as_deref().unwrap_or_default(),
        source,
    );
    book.setting(
        &key,
        "expires",
        of.token_expires_at.as_deref().unwrap_or("never"),
        source,
    );
}

fn rights(book: &mut Book<'_>, key: &Key, of: &Pat, source: &Source) {
    permissions(book, key, &of.permissions.organization, source);
    permissions(book, key, &of.permissions.repository, source);
    permissions(book, key, &of.permissions.other, source);
    book.setting(
        key,
        "repositories",
        of.repository_selection.as_deref().unwrap_or_default(),
        source,
    );
}

/// A credential of a member that was authorised for single sign-on.
pub(crate) fn authorization(book: &mut Book<'_>, of: &Authorization, source: &Source) {
    let key = book.names.key("authorisation", &of.credential_id);
    let word = of
        .credential_type
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let kind = if word.contains("ssh") {
        "key.ssh"
    } else if word.contains("oauth") {
        "github.oauth-token"
    } else if word.contains("app") {
        "github.app-user-token"
    } else {
        "github.pat"
    };
    let identity = person(book, of.login.as_deref(), source);
    let title = of
        .authorized_credential_title
        .as_ref()
        .or(of.authorized_credential_note.as_ref());
    let login = of.login.as_deref().unwrap_or("somebody");
    let print = of.fingerprint.as_deref().filter(|_| kind == "key.ssh");
    let print = print.and_then(|print| {
        // GitHub lists the bare hash, ssh-keygen writes the algorithm before it.
        fingerprint(print).or_else(|| (print.len() == 43).then(|| format!("SHA256:{print}")))
    });
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: kind.to_owned(),
        handle: print.map(|print| Handle::new("ssh-fingerprint", print)),
        secret: None,
        identity,
        provider: "github".to_owned(),
        account: Some(book.names.organization.to_lowercase()),
        name: Some(match title {
            Some(title) => format!("{login}: {title}"),
            None => format!("{login}: {word}"),
        }),
        status: Status::Active,
        created: Known::Unsupported,
        rotated: Known::Unsupported,
        last_used: time_or_never(of.credential_accessed_at.as_deref()),
        last_used_for: None,
        expires: match kind {
            // Keys and authorisations have no end of their own.
            "github.pat" => time_or_never(of.authorized_credential_expires_at.as_deref()),
            _ => of
                .authorized_credential_expires_at
                .as_deref()
                .map_or(Known::Unsupported, |at| time_or_never(Some(at))),
        },
        source: source.clone(),
    }));
    for scope in &of.scopes {
        book.setting(&key, "scope", scope, source);
    }
    if let Some(secret) = of.token_last_eight.secret() {
        book.setting(&key, tie::GITHUB_LAST_EIGHT, &secret.to_string(), source);
    }
    if let Some(login) = &of.login {
        book.claim(&key, login, (ClaimRole::Owner, 70), None, source);
    }
}
