//! Webhooks: where events go, and with what.

use keymuster_api::{Credential, Item, Known, Source, Status};
use keymuster_http::{Owner, time};

use crate::{Book, wire::Hook};

/// Words in the names of headers that carry a credential.
const WORDS: [&str; 5] = ["authorization", "token", "secret", "key", "password"];

/// A webhook of a project or a group, or a system hook (empty path). Whether it has a token of
/// its own GitLab does not tell, but which headers and parts of its address are hidden.
pub(crate) fn hook(book: &mut Book<'_>, path: &str, owners: &[Owner], of: &Hook, source: &Source) {
    let key = book.names.key("webhook", &of.id);
    let scope = book.names.scope(path);
    let outline = of.url.as_deref().unwrap_or_default();
    let (scheme, rest) = outline.split_once("://").unwrap_or_default();
    let (host, query) = rest.split_once('/').unwrap_or((rest, ""));
    book.setting(&key, "scope", &scope, source);
    book.setting(&key, "url-scheme", scheme, source);
    book.setting(&key, "url-host", host, source);
    for name in query.trim_start_matches('?').split('&') {
        book.setting(&key, "url-parameter", name, source);
    }
    let verifies = of.enable_ssl_verification;
    book.flag(&key, "verifies-certificate", verifies, source);
    let is_on = of
        .alert_status
        .as_deref()
        .map(|status| status != "disabled");
    book.flag(&key, "active", is_on, source);
    for event in of.events.0.keys() {
        book.setting(&key, "event", event.trim_end_matches("_events"), source);
    }
    let mut hidden = Vec::new();
    for header in &of.custom_headers {
        book.setting(&key, "header", &header.key, source);
        let lower = header.key.to_lowercase();
        if WORDS.iter().any(|word| lower.contains(word)) {
            hidden.push(header.key.as_str());
        }
    }
    for part in &of.url_variables {
        book.setting(&key, "url-masked", &part.key, source);
        hidden.push(&part.key);
    }
    book.claims(&key, owners);
    if hidden.is_empty() {
        return;
    }
    book.emit(Item::Credential(Credential {
        name: Some(format!("{scope} webhook to {host}: {}", hidden.join(", "))),
        key,
        kind: "gitlab.webhook-secret".to_owned(),
        handle: None,
        secret: None,
        identity: None,
        provider: "gitlab".to_owned(),
        account: book.names.account(path),
        status: match is_on {
            Some(false) => Status::Disabled,
            _ => Status::Active,
        },
        created: time(of.created_at.as_deref()).into(),
        rotated: Known::Unsupported,
        last_used: Known::Unsupported,
        last_used_for: None,
        expires: Known::Unsupported,
        source: source.clone(),
    }));
}
