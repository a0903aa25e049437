//! Variables, those of schedules, and secure files.

use keymuster_api::{
    ClaimRole, Credential, Item, Key, Known, Slot, Source, Status, slot_key, store,
};
use keymuster_http::{Owner, time, time_or_never};

use crate::{
    Book,
    wire::{Schedule, SecureFile, Variable},
};

/// Where slots lie.
pub(crate) struct Shelf<'a> {
    /// The full path of project or group; empty for the instance.
    pub(crate) path: &'a str,
    /// Who answers for it.
    pub(crate) owners: &'a [Owner],
    /// Who says what lies there.
    pub(crate) source: &'a Source,
}

/// A variable: a slot, and a credential of its own only where its value is one. Whether it holds
/// a credential at all, the estate tells by its flags and its name.
pub(crate) fn variable(book: &mut Book<'_>, shelf: &Shelf<'_>, of: &Variable) {
    let pattern = of.environment_scope.as_deref();
    let scope = book.names.environment(shelf.path, pattern);
    let slot = slot(shelf, of, scope);
    place(book, shelf, of, slot);
}

fn slot(shelf: &Shelf<'_>, of: &Variable, scope: String) -> Slot {
    let mut properties = Vec::new();
    let mut say = |name: &str, value: String| properties.push((name.to_owned(), value));
    for (name, flag) in [
        ("masked", of.masked),
        ("protected", of.protected),
        ("hidden", of.hidden),
    ] {
        if let Some(flag) = flag {
            say(name, flag.to_string());
        }
    }
    if let Some(pattern) = &of.environment_scope {
        say("environment-scope", pattern.clone());
    }
    if let Some(kind) = &of.variable_type {
        say("type", kind.to_lowercase());
    }
    Slot {
        key: slot_key(&scope, store::GITLAB_VARIABLE, &of.key),
        name: of.key.clone(),
        scope,
        store: store::GITLAB_VARIABLE.to_owned(),
        secret: of.value.secret(),
        // GitLab keeps no dates of variables.
        created: Known::Unsupported,
        updated: Known::Unsupported,
        properties,
        source: shelf.source.clone(),
    }
}

fn place(book: &mut Book<'_>, shelf: &Shelf<'_>, of: &Variable, mut slot: Slot) {
    book.claims(&slot.key, shelf.owners);
    if let Some((kind, secret, handle)) = of.value.credential() {
        slot.properties.push(("holds".to_owned(), kind.to_owned()));
        book.emit(Item::Credential(Credential {
            key: slot.key.clone(),
            kind: kind.to_owned(),
            handle,
            secret: Some(secret),
            identity: None,
            provider: kind.split('.').next().unwrap_or_default().to_owned(),
            account: None,
            name: Some(format!("{} {}", slot.scope, slot.name)),
            status: Status::Unknown,
            created: Known::Unsupported,
            rotated: Known::Unsupported,
            last_used: Known::Unknown,
            last_used_for: None,
            expires: Known::Unknown,
            source: slot.source.clone(),
        }));
    }
    book.emit(Item::Slot(slot));
}

/// A schedule: who answers for it, and its variables, which only its own pipelines get. They can
/// be neither masked nor protected (docs.gitlab.com/ci/pipelines/schedules).
pub(crate) fn schedule(book: &mut Book<'_>, shelf: &Shelf<'_>, of: &Schedule) {
    let scope = format!("{}#schedule-{}", book.names.scope(shelf.path), of.id);
    let key = Key(scope.clone());
    book.setting(
        &key,
        "repository",
        &book.names.scope(shelf.path),
        shelf.source,
    );
    book.flag(&key, "active", of.active, shelf.source);
    let description = of.description.as_deref().unwrap_or_default();
    book.setting(&key, "description", description, shelf.source);
    let owner = of
        .owner
        .as_ref()
        .and_then(|owner| owner.username.as_deref());
    let owner = owner.unwrap_or_default();
    let made = time(of.created_at.as_deref());
    book.claim(&key, owner, (ClaimRole::Owner, 70), made, shelf.source);
    for variable in &of.variables {
        let told = Variable {
            masked: Some(false),
            protected: Some(false),
            environment_scope: None,
            ..variable.clone()
        };
        let slot = slot(shelf, &told, scope.clone());
        book.claim(&slot.key, owner, (ClaimRole::Owner, 70), made, shelf.source);
        place(book, shelf, &told, slot);
    }
}

/// A secure file: a certificate, a key store, a provisioning profile.
pub(crate) fn secure_file(book: &mut Book<'_>, shelf: &Shelf<'_>, of: &SecureFile) {
    let scope = book.names.scope(shelf.path);
    let created: Known<_> = time(of.created_at.as_deref()).into();
    let slot = Slot {
        key: slot_key(&scope, store::GITLAB_SECURE_FILE, &of.name),
        name: of.name.clone(),
        scope,
        store: store::GITLAB_SECURE_FILE.to_owned(),
        secret: None,
        created,
        // A secure file cannot be changed: another takes its place.
        updated: created,
        properties: Vec::new(),
        source: shelf.source.clone(),
    };
    book.claims(&slot.key, shelf.owners);
    book.emit(Item::Credential(Credential {
        key: slot.key.clone(),
        kind: "gitlab.secure-file".to_owned(),
        handle: None,
        secret: None,
        identity: None,
        provider: "gitlab".to_owned(),
        account: book.names.account(shelf.path),
        name: Some(format!("{} {}", slot.scope, slot.name)),
        status: Status::Active,
        created,
        rotated: created,
        last_used: Known::Unsupported,
        last_used_for: None,
        // Only of certificates and profiles GitLab reads when they end.
        expires: match &of.expires_at {
            None => Known::Unknown,
            Some(at) => time_or_never(Some(at)),
        },
        source: slot.source.clone(),
    }));
    book.emit(Item::Slot(slot));
}
