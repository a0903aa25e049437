//! Tokens of service accounts that lie in Secrets: they have no end, and are valid as long as the
//! Secret is there. (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin)

use keymuster_api::{Credential, GapKind, IdentityKind, Item, Known, Source, Status, Timestamp};

use super::{Book, accounts};

/// Names the account whose token it is.
const ACCOUNT: &str = "kubernetes.io/service-account.name";
/// The day of the last use, where the cluster notes it.
const LAST_USED: &str = "kubernetes.io/legacy-token-last-used";
/// The day from which the cluster refuses it.
const INVALID: &str = "kubernetes.io/legacy-token-invalid-since";

/// One credential for each such Secret.
pub(super) fn collect(book: &mut Book<'_, '_>, here: &Source) {
    let parts = book.parts;
    if !parts.has_secrets {
        let reason = "no Secrets were exported, so tokens without an end are not seen; add \
            `kubectl get secrets -A -o json | jq 'del(.items[].data)'`"
            .to_owned();
        let subject = book.cluster.key().0;
        book.gap(GapKind::Missing, subject, reason, here.clone());
    }
    let tracked = parts.tracking_since.is_some();
    for (token, secret) in &parts.tokens {
        let meta = &token.value.metadata;
        let space = meta.space();
        let key = book.cluster.within("secret", space, &meta.name);
        let Some(name) = meta.annotations.get(ACCOUNT) else {
            let reason = format!("it is a token and names no account ({ACCOUNT}); it was left out");
            book.gap(GapKind::Corrupt, key.0, reason, token.source.clone());
            continue;
        };
        let account = book.cluster.account(space, name);
        if !book.identities.contains_key(&account) {
            let identity = accounts::blank(
                book,
                &account,
                IdentityKind::ServiceAccount,
                &format!("{space}/{name}"),
                &token.source,
            );
            book.identities.insert(account.clone(), identity);
        }
        let used = meta.labels.get(LAST_USED).and_then(|text| day(text));
        if let Some(at) = used {
            accounts::used(book, &account, at);
        }
        book.items.push(Item::Credential(Credential {
            key,
            kind: "kubernetes.service-account-token".to_owned(),
            handle: None,
            secret: *secret,
            identity: Some(account),
            provider: "kubernetes".to_owned(),
            account: Some(book.cluster.name.to_owned()),
            name: Some(format!("{space}/{}", meta.name)),
            status: if meta.labels.contains_key(INVALID) {
                Status::Disabled
            } else {
                Status::Active
            },
            created: meta.creation_timestamp.into(),
            rotated: meta.creation_timestamp.into(),
            last_used: match used {
                Some(at) => Known::Known(at),
                // A cluster that notes uses would have noted one.
                None if tracked => Known::Never,
                None => Known::Unknown,
            },
            last_used_for: None,
            expires: Known::Never,
            source: token.source.clone(),
        }));
    }
}

/// The first moment of a day, UTC.
fn day(text: &str) -> Option<Timestamp> {
    let day: jiff::civil::Date = text.trim().parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}
