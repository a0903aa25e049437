//! Deploy keys and SSH keys of users.

use keymuster_api::{ClaimRole, Credential, Handle, Item, Known, Source, Status, Timestamp};
use keymuster_http::{Owner, time, time_or_never};

use super::People;
use crate::{
    Book,
    wire::{DeployKey, SshKey, Told},
};

/// What some versions tell and others do not.
fn last_used(of: &Told) -> Known<Timestamp> {
    match of {
        Told::Nothing => Known::Unsupported,
        Told::Never => Known::Never,
        Told::At(text) => time_or_never(Some(text)),
    }
}

fn status(book: &Book<'_>, expires: Known<Timestamp>) -> Status {
    match expires {
        Known::Known(at) if at < book.now => Status::Disabled,
        _ => Status::Active,
    }
}

/// A deploy key, as one project has it: another may have the same, with other rights.
pub(crate) fn deploy_key(
    book: &mut Book<'_>,
    path: &str,
    owners: &[Owner],
    of: &DeployKey,
    source: &Source,
) {
    let key = book.names.key("deploy-key", &of.id);
    let scope = book.names.scope(path);
    let expires = time_or_never(of.expires_at.as_deref());
    let handle = of.key.as_deref();
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "gitlab.deploy-key".to_owned(),
        handle: handle.map(|print| Handle::new("ssh-fingerprint", print)),
        secret: None,
        identity: None,
        provider: "gitlab".to_owned(),
        account: book.names.account(path),
        name: Some(match &of.title {
            Some(title) => format!("{scope} {title}"),
            None => format!("{scope} deploy key {}", of.id),
        }),
        status: status(book, expires),
        created: time(of.created_at.as_deref()).into(),
        rotated: Known::Never,
        last_used: last_used(&of.last_used_at),
        last_used_for: None,
        expires,
        source: source.clone(),
    }));
    book.setting(&key, "repository", &scope, source);
    book.flag(&key, "write", of.can_push, source);
    book.claims(&key, owners);
}

/// An SSH key of a user that belongs to the group.
pub(crate) fn ssh_key(
    book: &mut Book<'_>,
    path: &str,
    people: &People,
    of: &SshKey,
    source: &Source,
) {
    let key = book.names.key("ssh-key", &of.id);
    let user = of.user_id.as_deref();
    let name = user.and_then(|id| people.of(id));
    let expires = time_or_never(of.expires_at.as_deref());
    let title = of.title.as_deref().unwrap_or("SSH key");
    let handle = of.key.as_deref();
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "key.ssh".to_owned(),
        handle: handle.map(|print| Handle::new("ssh-fingerprint", print)),
        secret: None,
        identity: user.map(|id| book.names.user(id)),
        provider: "gitlab".to_owned(),
        account: book.names.account(path),
        name: Some(format!("{}: {title}", name.unwrap_or("somebody"))),
        status: status(book, expires),
        created: time(of.created_at.as_deref()).into(),
        rotated: Known::Never,
        last_used: last_used(&of.last_used_at),
        last_used_for: None,
        expires,
        source: source.clone(),
    }));
    if let Some(name) = name {
        book.claim(&key, name, (ClaimRole::Owner, 70), None, source);
    }
}
