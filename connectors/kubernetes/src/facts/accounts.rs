//! Service accounts, what runs as them, who answers for them, and the cloud identities they are
//! bound to.

use keymuster_api::{
    Claim, Identity, IdentityKind, Item, Key, Known, Reference, Source, Status, Timestamp,
};
use keymuster_exports::owner_word;

use super::Book;
use crate::wire::Meta;

/// Annotations that bind a service account to an identity of a cloud.
/// (docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html,
/// cloud.google.com/kubernetes-engine/docs/how-to/workload-identity,
/// azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html)
const CLOUDS: &[(&str, &str)] = &[
    ("eks.amazonaws.com/role-arn", ""),
    ("iam.gke.io/gcp-service-account", ""),
    ("azure.workload.identity/client-id", "entra:app:"),
];
/// Annotations that only a tool reads: whole objects, checksums.
const NOISE: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration"];

/// A principal of the cluster of which nothing but its name is known.
pub(super) fn blank(
    book: &Book<'_, '_>,
    key: &Key,
    kind: IdentityKind,
    name: &str,
    source: &Source,
) -> Identity {
    Identity {
        key: key.clone(),
        kind,
        name: name.to_owned(),
        provider: "kubernetes".to_owned(),
        account: Some(book.cluster.name.to_owned()),
        status: Status::Active,
        created: Known::Unknown,
        last_used: Known::Unsupported,
        interactive: match kind {
            // Nobody logs in with the token of a service account.
            IdentityKind::ServiceAccount => Known::Known(false),
            _ => Known::Unsupported,
        },
        mfa: Known::Unsupported,
        tags: Vec::new(),
        source: source.clone(),
    }
}

/// Service accounts and pods.
pub(super) fn collect(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    for account in &parts.accounts {
        let meta = &account.value.metadata;
        let key = book.cluster.account(meta.space(), &meta.name);
        let name = format!("{}/{}", meta.space(), meta.name);
        let mut identity = blank(
            book,
            &key,
            IdentityKind::ServiceAccount,
            &name,
            &account.source,
        );
        identity.created = meta.creation_timestamp.into();
        identity.tags = tags(book, meta);
        for (annotation, prefix) in CLOUDS {
            if let Some(value) = meta.annotations.get(*annotation).map(|value| value.trim())
                && !value.is_empty()
            {
                book.items.push(Item::Reference(Reference {
                    by: key.clone(),
                    to: Key(format!("{prefix}{}", book.reader.clean(value))),
                    source: account.source.clone(),
                }));
            }
        }
        if let Some(mounts) = account.value.automount_service_account_token {
            let mounts = mounts.to_string();
            book.set(&key, "automounts-token", &mounts, &account.source);
        }
        book.identities.entry(key).or_insert(identity);
    }
    for pod in &parts.pods {
        let meta = &pod.value.metadata;
        let account = pod.value.spec.service_account_name.as_deref();
        let account = account.filter(|name| !name.is_empty()).unwrap_or("default");
        book.items.push(Item::Reference(Reference {
            by: book.cluster.within("pod", meta.space(), &meta.name),
            to: book.cluster.account(meta.space(), account),
            source: pod.source.clone(),
        }));
        if pod.value.spec.automount_service_account_token == Some(false) {
            let key = book.cluster.within("pod", meta.space(), &meta.name);
            book.set(&key, "automounts-token", "false", &pod.source);
        }
    }
}

/// Labels and annotations, cleaned, without prefix, and without what only tools read.
fn tags(book: &Book<'_, '_>, meta: &Meta) -> Vec<(String, String)> {
    let all = meta.labels.iter().chain(&meta.annotations);
    let worth = all.filter(|(name, _)| !NOISE.contains(&name.as_str()));
    let mut tags: Vec<(String, String)> = worth
        .map(|(name, value)| (book.reader.clean(name), book.reader.clean(value)))
        .collect();
    tags.sort();
    tags.dedup();
    tags
}

/// Who answers for the principals, by their tags.
pub(super) fn claims(book: &mut Book<'_, '_>) {
    let mut claims = Vec::new();
    for identity in book.identities.values() {
        for (name, value) in &identity.tags {
            let Some((role, confidence)) = owner_word(name) else {
                continue;
            };
            if !value.trim().is_empty() {
                claims.push(Item::Claim(Claim {
                    subject: identity.key.clone(),
                    party: value.trim().to_owned(),
                    role,
                    observed: None,
                    confidence,
                    source: identity.source.clone(),
                }));
            }
        }
    }
    book.items.append(&mut claims);
}

/// The account acted when one of its tokens was used.
pub(super) fn used(book: &mut Book<'_, '_>, key: &Key, at: Timestamp) {
    if let Some(identity) = book.identities.get_mut(key) {
        identity.last_used = match identity.last_used {
            Known::Known(known) => Known::Known(known.max(at)),
            _ => Known::Known(at),
        };
    }
}
