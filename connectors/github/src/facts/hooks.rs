//! Webhooks: where events of the organisation go, and how the receiver knows who sent them.

use keymuster_api::{Credential, Item, Known, Source, Status};
use keymuster_http::{Owner, time};

use crate::{Book, wire::Hook};

/// A webhook of the organisation or a repository; its secret is a credential.
pub(crate) fn hook(book: &mut Book<'_>, scope: &str, owners: &[Owner], of: &Hook, source: &Source) {
    let key = book.names.key("webhook", &of.id);
    let outline = of.config.url.as_deref().unwrap_or_default();
    let (scheme, rest) = outline.split_once("://").unwrap_or_default();
    let (host, query) = rest.split_once('/').unwrap_or((rest, ""));
    book.setting(&key, "scope", scope, source);
    book.setting(&key, "url-scheme", scheme, source);
    book.setting(&key, "url-host", host, source);
    for name in query.trim_start_matches('?').split('&') {
        book.setting(&key, "url-parameter", name, source);
    }
    book.flag(
        &key,
        "verifies-certificate",
        of.config.insecure_ssl.map(|insecure| !insecure),
        source,
    );
    book.flag(&key, "has-secret", Some(of.config.secret), source);
    book.flag(&key, "active", of.active, source);
    for event in &of.events {
        book.setting(&key, "event", event, source);
    }
    book.claims(&key, owners);
    if of.config.secret {
        book.emit(Item::Credential(Credential {
            key,
            kind: "github.webhook-secret".to_owned(),
            handle: None,
            secret: None,
            identity: None,
            provider: "github".to_owned(),
            account: Some(book.names.organization.to_lowercase()),
            name: Some(format!("{scope} webhook to {host}")),
            status: match of.active {
                Some(false) => Status::Disabled,
                _ => Status::Active,
            },
            created: time(of.created_at.as_deref()).into(),
            // `updated_at` moves with every change of the webhook, so it proves nothing.
            rotated: Known::Unsupported,
            last_used: Known::Unsupported,
            last_used_for: None,
            expires: Known::Unsupported,
            source: source.clone(),
        }));
    }
}
