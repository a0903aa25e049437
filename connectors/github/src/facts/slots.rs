//! Secrets and variables of Actions, Dependabot, Codespaces and agents.

use keymuster_api::{Credential, Item, Known, Slot, Source, Status, slot_key, store};
use keymuster_http::{Owner, time};

use crate::{
    Book,
    wire::{Secret, Variable},
};

/// Where slots lie.
pub(crate) struct Shelf<'a> {
    /// The scope: organisation, repository, environment.
    pub(crate) scope: &'a str,
    /// The kind of store.
    pub(crate) store: &'static str,
    /// Who answers for the repository.
    pub(crate) owners: &'a [Owner],
    /// Who says what lies there.
    pub(crate) source: &'a Source,
}

/// The kind of credential that a secret of this store is, as far as anybody knows.
fn kind(word: &str) -> &'static str {
    match word {
        store::DEPENDABOT_SECRET => "github.dependabot-secret",
        store::CODESPACES_SECRET => "github.codespaces-secret",
        store::AGENTS_SECRET => "github.agents-secret",
        _ => "github.actions-secret",
    }
}

fn slot(book: &Book<'_>, shelf: &Shelf<'_>, of: &Secret, selected: &[String]) -> Slot {
    let mut properties = Vec::new();
    if let Some(visibility) = &of.visibility {
        properties.push(("visibility".to_owned(), visibility.clone()));
    }
    for name in selected {
        properties.push(("repository".to_owned(), book.names.repository(name)));
    }
    Slot {
        key: slot_key(shelf.scope, shelf.store, &of.name),
        name: of.name.clone(),
        scope: shelf.scope.to_owned(),
        store: shelf.store.to_owned(),
        secret: None,
        created: time(of.created_at.as_deref()).into(),
        updated: time(of.updated_at.as_deref()).into(),
        properties,
        source: shelf.source.clone(),
    }
}

fn credential(book: &Book<'_>, slot: &Slot, kind: &str) -> Credential {
    Credential {
        key: slot.key.clone(),
        kind: kind.to_owned(),
        handle: None,
        secret: None,
        identity: None,
        provider: "github".to_owned(),
        account: Some(book.names.organization.to_lowercase()),
        name: Some(format!("{} {}", slot.scope, slot.name)),
        // GitHub hands it to every run that asks; whether it still opens anything, it does
        // not know.
        status: Status::Active,
        created: slot.created,
        rotated: slot.updated,
        last_used: Known::Unsupported,
        last_used_for: None,
        expires: Known::Unsupported,
        source: slot.source.clone(),
    }
}

/// A secret: a slot, and a credential of which no more is known.
pub(crate) fn secret(book: &mut Book<'_>, shelf: &Shelf<'_>, of: &Secret, selected: &[String]) {
    let slot = slot(book, shelf, of, selected);
    let credential = credential(book, &slot, kind(shelf.store));
    book.claims(&slot.key, shelf.owners);
    book.emit(Item::Slot(slot));
    book.emit(Item::Credential(credential));
}

/// A variable: a slot, and a credential only where its value is one.
pub(crate) fn variable(book: &mut Book<'_>, shelf: &Shelf<'_>, of: &Variable, selected: &[String]) {
    let mut slot = slot(book, shelf, &of.slot, selected);
    slot.secret = of.value.secret();
    if let Some((kind, secret, handle)) = of.value.credential() {
        slot.properties.push(("holds".to_owned(), kind.to_owned()));
        let credential = Credential {
            secret: Some(secret),
            handle,
            status: Status::Unknown,
            last_used: Known::Unknown,
            expires: Known::Unknown,
            provider: kind.split('.').next().unwrap_or_default().to_owned(),
            account: None,
            ..credential(book, &slot, kind)
        };
        book.claims(&slot.key, shelf.owners);
        book.emit(Item::Credential(credential));
    }
    book.emit(Item::Slot(slot));
}
