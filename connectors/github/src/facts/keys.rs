//! Deploy keys: one repository, one key, often for ever.

use keymuster_api::{ClaimRole, Credential, Handle, Item, Known, Source, Status};
use keymuster_http::{Owner, time, time_or_never};

use crate::{Book, wire::DeployKey};

/// A deploy key of a repository.
pub(crate) fn deploy_key(
    book: &mut Book<'_>,
    scope: &str,
    owners: &[Owner],
    of: &DeployKey,
    source: &Source,
) {
    let key = book.names.key("deploy-key", &of.id);
    let handle = of.key.as_deref();
    book.emit(Item::Credential(Credential {
        key: key.clone(),
        kind: "github.deploy-key".to_owned(),
        handle: handle.map(|print| Handle::new("ssh-fingerprint", print)),
        secret: None,
        identity: None,
        provider: "github".to_owned(),
        account: Some(book.names.organization.to_lowercase()),
        name: Some(match &of.title {
            Some(title) => format!("{scope} {title}"),
            None => format!("{scope} deploy key {}", of.id),
        }),
        status: match of.enabled {
            Some(false) => Status::Disabled,
            _ => Status::Active,
        },
        created: time(of.created_at.as_deref()).into(),
        rotated: Known::Never,
        last_used: time_or_never(of.last_used.as_deref()),
        last_used_for: None,
        // A deploy key has no end (docs.github.com, managing deploy keys).
        expires: Known::Never,
        source: source.clone(),
    }));
    book.setting(&key, "repository", scope, source);
    book.flag(&key, "write", of.read_only.map(|only| !only), source);
    book.flag(&key, "verified", of.verified, source);
    if let Some(login) = &of.added_by {
        let made = time(of.created_at.as_deref());
        book.claim(&key, login, (ClaimRole::Creator, 80), made, source);
    }
    book.claims(&key, owners);
}
