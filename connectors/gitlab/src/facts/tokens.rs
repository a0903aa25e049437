//! Tokens of every kind, applications, service accounts.

use keymuster_api::{
    ClaimRole, Credential, Identity, IdentityKind, Item, Key, Known, Source, Status, Timestamp,
};
use keymuster_http::{Owner, time, time_or_never};

use super::People;
use crate::{
    Book,
    wire::{Application, DeployToken, ServiceAccount, Token, Trigger},
};

/// Whose a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs<'p> {
    /// A project's or a group's, by its path: its user is a bot.
    Project(&'p str),
    /// A group's.
    Group(&'p str),
    /// A service account's, made in this group (empty: the instance).
    ServiceAccount(&'p str, &'p str),
    /// A person's; the path is that of the group which manages the person.
    Person(&'p str),
}

impl Belongs<'_> {
    fn path(&self) -> &str {
        match self {
            Belongs::Project(path) | Belongs::Group(path) | Belongs::Person(path) => path,
            Belongs::ServiceAccount(path, _) => path,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Belongs::Project(_) => "gitlab.project-token",
            Belongs::Group(_) => "gitlab.group-token",
            Belongs::ServiceAccount(..) => "gitlab.service-account-token",
            Belongs::Person(_) => "gitlab.pat",
        }
    }
}

/// docs.gitlab.com/api/members: roles by number.
fn role(level: u64) -> &'static str {
    match level {
        5 => "minimal",
        10 => "guest",
        15 => "planner",
        20 => "reporter",
        30 => "developer",
        40 => "maintainer",
        50 => "owner",
        60 => "admin",
        _ => "",
    }
}

fn person(
    book: &mut Book<'_>,
    kind: IdentityKind,
    (id, name): (&str, &str),
    path: &str,
    source: &Source,
) -> Key {
    let key = book.names.user(id);
    book.emit(Item::Identity(Identity {
        key: key.clone(),
        kind,
        name: name.to_owned(),
        provider: "gitlab".to_owned(),
        account: book.names.account(path),
        status: Status::Unknown,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: match kind {
            IdentityKind::ServiceAccount => Known::Known(false),
            _ => Known::Unknown,
        },
        mfa: Known::Unknown,
        tags: Vec::new(),
        source: source.clone(),
    }));
    key
}

/// An access token.
pub(crate) fn token(
    book: &mut Book<'_>,
    whose: Belongs<'_>,
    people: &People,
    owners: &[Owner],
    of: &Token,
    source: &Source,
) {
    let key = book.names.key("access-token", &of.id);
    let user = of.user_id.as_deref();
    let known = user.and_then(|id| people.of(id));
    let title = of.name.as_deref().unwrap_or("token");
    let scope = book.names.scope(whose.path());
    let (identity_kind, name) = match whose {
        Belongs::Project(_) | Belongs::Group(_) => {
            (IdentityKind::ServiceAccount, format!("{scope} {title}"))
        }
        Belongs::ServiceAccount(_, account) => {
            (IdentityKind::ServiceAccount, format!("{account}: {title}"))
        }
        Belongs::Person(_) => {
            let who = known.map_or_else(|| format!("user {}", user.unwrap_or("?")), str::to_owned);
            (IdentityKind::User, format!("{who}: {title}"))
        }
    };
    let identity = user.map(|id| {
        let called = known.map_or_else(|| format!("user {id}"), str::to_owned);
        person(book, identity_kind, (id, &called), whose.path(), source)
    });
    let expires = time_or_never(of.expires_at.as_deref());
    let is_over = of.revoked || of.active == Some(false) || is_past(expires, book.now);
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: whose.kind().to_owned(),
        handle: None,
        secret: None,
        identity,
        provider: "gitlab".to_owned(),
        account: book.names.account(whose.path()),
        name: Some(name),
        status: if is_over {
            Status::Revoked
        } else {
            Status::Active
        },
        created: time(of.created_at.as_deref()).into(),
        // Rotating a token makes another one.
        rotated: time(of.created_at.as_deref()).into(),
        last_used: time_or_never(of.last_used_at.as_deref()),
        last_used_for: None,
        expires,
        source: source.clone(),
    }));
    for scope in &of.scopes {
        book.setting(&key, "scope", scope, source);
    }
    book.setting(&key, "role", role(of.access_level.unwrap_or(0)), source);
    match whose {
        Belongs::Project(_) => book.setting(&key, "repository", &scope, source),
        Belongs::Group(_) => book.setting(&key, "group", &scope, source),
        Belongs::Person(_) => {
            let party = known.unwrap_or_default();
            book.claim(&key, party, (ClaimRole::Owner, 70), None, source);
        }
        Belongs::ServiceAccount(..) => {}
    }
    if let Some(maker) = user.and_then(|id| people.maker(id)) {
        let made = time(of.created_at.as_deref());
        book.claim(&key, maker, (ClaimRole::Creator, 80), made, source);
    }
    book.claims(&key, owners);
}

fn is_past(expires: Known<Timestamp>, now: Timestamp) -> bool {
    matches!(expires, Known::Known(at) if at < now)
}

/// A deploy token of a project, a group or the instance.
pub(crate) fn deploy_token(
    book: &mut Book<'_>,
    path: &str,
    owners: &[Owner],
    of: &DeployToken,
    source: &Source,
) {
    let key = book.names.key("deploy-token", &of.id);
    let scope = book.names.scope(path);
    let expires = time_or_never(of.expires_at.as_deref());
    let is_over = of.revoked || of.expired || is_past(expires, book.now);
    let title = of.name.as_deref().or(of.username.as_deref());
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "gitlab.deploy-token".to_owned(),
        handle: None,
        secret: None,
        identity: None,
        provider: "gitlab".to_owned(),
        account: book.names.account(path),
        name: Some(format!("{scope} {}", title.unwrap_or("deploy token"))),
        status: if is_over {
            Status::Revoked
        } else {
            Status::Active
        },
        created: Known::Unsupported,
        rotated: Known::Unsupported,
        last_used: Known::Unsupported,
        last_used_for: None,
        expires,
        source: source.clone(),
    }));
    for word in &of.scopes {
        book.setting(&key, "scope", word, source);
    }
    book.setting(&key, "repository", &scope, source);
    let username = of.username.as_deref().unwrap_or_default();
    book.setting(&key, "username", username, source);
    book.claims(&key, owners);
}

/// A token that starts pipelines.
pub(crate) fn trigger(
    book: &mut Book<'_>,
    path: &str,
    owners: &[Owner],
    of: &Trigger,
    source: &Source,
) {
    let key = book.names.key("pipeline-trigger", &of.id);
    let scope = book.names.scope(path);
    let created: Known<Timestamp> = time(of.created_at.as_deref()).into();
    let title = of.description.as_deref().unwrap_or("trigger");
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "gitlab.pipeline-trigger-token".to_owned(),
        handle: None,
        secret: of.token.secret(),
        identity: None,
        provider: "gitlab".to_owned(),
        account: book.names.account(path),
        name: Some(format!("{scope} {title}")),
        status: Status::Active,
        created,
        rotated: created,
        last_used: time_or_never(of.last_used.as_deref()),
        last_used_for: None,
        expires: time_or_never(of.expires_at.as_deref()),
        source: source.clone(),
    }));
    book.setting(&key, "repository", &scope, source);
    let owner = of
        .owner
        .as_ref()
        .and_then(|owner| owner.username.as_deref());
    let party = owner.unwrap_or_default();
    book.claim(&key, party, (ClaimRole::Owner, 70), None, source);
    book.claims(&key, owners);
}

/// A service account: a principal.
pub(crate) fn service_account(
    book: &mut Book<'_>,
    path: &str,
    of: &ServiceAccount,
    source: &Source,
) {
    let kind = IdentityKind::ServiceAccount;
    let key = person(book, kind, (&of.id, &of.username), path, source);
    let name = of.name.as_deref().unwrap_or_default();
    book.setting(&key, "display-name", name, source);
}

/// An OAuth application of the instance: a principal, and the secret behind it.
pub(crate) fn application(book: &mut Book<'_>, of: &Application, source: &Source) {
    let key = book.names.key("application", &of.id);
    let name = of.application_name.as_deref().unwrap_or("application");
    book.emit(Item::Identity(Identity {
        key: key.clone(),
        kind: IdentityKind::App,
        name: name.to_owned(),
        provider: "gitlab".to_owned(),
        account: None,
        status: Status::Active,
        created: Known::Unsupported,
        last_used: Known::Unsupported,
        interactive: Known::Known(false),
        mfa: Known::Unsupported,
        tags: Vec::new(),
        source: source.clone(),
    }));
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "gitlab.oauth-app-secret".to_owned(),
        handle: None,
        secret: None,
        identity: Some(key.clone()),
        provider: "gitlab".to_owned(),
        account: None,
        name: Some(name.to_owned()),
        status: Status::Active,
        created: Known::Unsupported,
        rotated: Known::Unsupported,
        last_used: Known::Unsupported,
        last_used_for: None,
        // An application's secret has no end (docs.gitlab.com/integration/oauth_provider).
        expires: Known::Never,
        source: source.clone(),
    }));
    book.flag(&key, "confidential", of.confidential, source);
    let client = of.application_id.as_deref().unwrap_or_default();
    book.setting(&key, "client-id", client, source);
    for scope in &of.scopes {
        book.setting(&key, "scope", scope, source);
    }
    for outline in of.callback_url.iter().flat_map(|all| all.lines()) {
        let (scheme, rest) = outline.split_once("://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        book.setting(&key, "callback-scheme", scheme, source);
        book.setting(&key, "callback-host", host, source);
    }
}
