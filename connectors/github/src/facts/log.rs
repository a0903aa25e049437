//! The audit log: who made what, which tokens were used when.
//!
//! Names of actions are those of docs.github.com (audit log events for your organization).

use std::collections::BTreeMap;

use keymuster_api::{
    ClaimRole, Credential, Event, EventKind, Item, Key, Known, Source, Status, Timestamp, slot_key,
    store, tie,
};

use super::tokens::pat_key;
use crate::{Book, wire::LogEntry};

/// What was read of the log, put together at its end.
#[derive(Default)]
pub(crate) struct Log {
    /// By the keyed name of its hash: a token that was used.
    tokens: BTreeMap<String, Token>,
    /// The latest maker of each thing.
    makers: BTreeMap<Key, (Timestamp, String)>,
}

struct Token {
    key: Key,
    kind: &'static str,
    actor: String,
    scopes: Option<String>,
    last: Timestamp,
}

/// One entry.
pub(crate) fn log(book: &mut Book<'_>, log: &mut Log, entry: &LogEntry, source: &Source) {
    let Some(at) = entry
        .timestamp
        .and_then(|at| Timestamp::from_millisecond(at).ok())
    else {
        return;
    };
    if let Some((subject, kind)) = changed(book, entry) {
        if let (EventKind::Created | EventKind::Changed, Some(actor)) = (kind, &entry.actor) {
            let maker = log
                .makers
                .entry(subject.clone())
                .or_insert((at, actor.clone()));
            if maker.0 < at {
                *maker = (at, actor.clone());
            }
        }
        book.emit(Item::Event(Event {
            subject,
            kind,
            at,
            by: entry.actor.clone(),
            source: source.clone(),
        }));
    }
    let Some(hash) = entry.hashed_token.secret() else {
        return;
    };
    let hash = hash.to_string();
    let access = entry
        .programmatic_access_type
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let kind = match access.as_str() {
        // An app's tokens end in an hour, and there are many.
        text if text.contains("server-to-server") => return,
        text if text.contains("fine-grained") => "github.fine-grained-pat",
        text if text.contains("oauth") => "github.oauth-token",
        text if text.contains("user-to-server") => "github.app-user-token",
        _ => "github.pat",
    };
    let key = match (&entry.token_id, kind) {
        (Some(id), "github.fine-grained-pat") => pat_key(book, id),
        _ => book.names.key("token", &hash),
    };
    let token = log.tokens.entry(hash).or_insert_with(|| Token {
        key,
        kind,
        actor: entry.actor.clone().unwrap_or_default(),
        scopes: entry.token_scopes.clone(),
        last: at,
    });
    token.last = token.last.max(at);
    if token.scopes.is_none() {
        token.scopes.clone_from(&entry.token_scopes);
    }
}

/// What an action made, changed or removed.
fn changed(book: &Book<'_>, entry: &LogEntry) -> Option<(Key, EventKind)> {
    let (area, verb) = entry.action.split_once('.')?;
    let (verb, thing) = verb.split_once('_').unwrap_or((verb, ""));
    let kind = match verb {
        "create" => EventKind::Created,
        "update" => EventKind::Changed,
        "remove" | "delete" | "destroy" => EventKind::Revoked,
        _ => return None,
    };
    let store = match thing {
        "actions_secret" => store::ACTIONS_SECRET,
        "actions_variable" => store::ACTIONS_VARIABLE,
        "dependabot_secret" => store::DEPENDABOT_SECRET,
        "codespaces_secret" => store::CODESPACES_SECRET,
        _ => return None,
    };
    let name = entry.key.as_deref()?;
    let scope = match area {
        "org" => book.names.organization(),
        "repo" => book.names.repository(entry.repo.as_deref()?),
        "environment" => book
            .names
            .environment(entry.repo.as_deref()?, entry.environment_name.as_deref()?),
        _ => return None,
    };
    Some((slot_key(&scope, store, name), kind))
}

impl Log {
    /// Tokens that were used, and who made what.
    pub(crate) fn finish(self, book: &mut Book<'_>, source: &Source) {
        for (subject, (at, actor)) in self.makers {
            book.claim(&subject, &actor, (ClaimRole::Creator, 70), Some(at), source);
        }
        for (hash, token) in self.tokens {
            let identity = (!token.actor.is_empty()).then(|| book.names.user(&token.actor));
            book.emit(Item::Credential(Credential {
                key: token.key.clone(),
                kind: token.kind.to_owned(),
                handle: None,
                secret: None,
                identity,
                provider: "github".to_owned(),
                account: Some(book.names.organization.to_lowercase()),
                name: (token.kind != "github.fine-grained-pat")
                    .then(|| format!("{}: a token that was used", token.actor)),
                status: Status::Unknown,
                created: Known::Unknown,
                rotated: Known::Unknown,
                last_used: Known::Known(token.last),
                last_used_for: Some("the audit log".to_owned()),
                expires: Known::Unknown,
                source: source.clone(),
            }));
            book.setting(&token.key, tie::GITHUB_TOKEN_HASH, &hash, source);
            for scope in token.scopes.iter().flat_map(|scopes| scopes.split(',')) {
                book.setting(&token.key, "scope", scope.trim(), source);
            }
        }
    }
}
