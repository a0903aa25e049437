//! Credentials that are neither keys nor passwords: SSH keys, signing and server certificates,
//! certificates of SAML providers, and those with which machines outside of AWS take roles.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Credential, Handle, Key, Known, Status};

use super::{Book, arn, credentials::blank, principals::Principals};
use crate::wire::ListedCredential;

/// Lists, the kinds of what they hold, and the word in its key.
const KINDS: [(&str, &str, &str); 5] = [
    ("SSHPublicKeys", "aws.ssh-key", "ssh-key"),
    (
        "Certificates",
        "aws.signing-certificate",
        "signing-certificate",
    ),
    (
        "ServerCertificateMetadataList",
        "aws.server-certificate",
        "server-certificate",
    ),
    ("SAMLProviderList", "aws.saml-provider", "saml-provider"),
    (
        "subjects",
        "aws.roles-anywhere-certificate",
        "roles-anywhere-certificate",
    ),
];

/// Adds them; returns the users whose signing certificates were listed.
pub(super) fn add(
    book: &mut Book<'_>,
    principals: &mut Principals,
    all: &mut BTreeMap<Key, Credential>,
) -> BTreeSet<Key> {
    let parts = book.parts;
    let mut signers = BTreeSet::new();
    for at in &parts.listed {
        let source = book.source(at);
        let entry = &at.value.entry;
        let known = KINDS.iter().find(|(list, _, _)| *list == at.value.list);
        let (Some((_, kind, word)), Some(id)) = (known, entry.id.as_ref().or(entry.arn.as_ref()))
        else {
            continue;
        };
        let user = entry
            .user_name
            .as_deref()
            .and_then(|name| principals.user(book, name, at.file, &source));
        if entry.user_name.is_some() && user.is_none() {
            book.stray(at.file, id);
        }
        if at.value.list == "Certificates" {
            signers.extend(user.clone());
        }
        let key = match &entry.arn {
            Some(arn) => Key(arn.clone()),
            None => Key(format!("aws:{word}:{id}")),
        };
        let account = account_of(entry)
            .or_else(|| user.as_ref().and_then(|user| arn::account(&user.0)))
            .or(book.default_account);
        let credential = Credential {
            handle: Some(Handle::new(format!("aws-{word}-id"), id)),
            identity: user.clone(),
            account: account.map(str::to_owned),
            name: entry
                .name
                .clone()
                .or_else(|| entry.user_name.clone())
                .or_else(|| entry.arn.as_deref().map(|arn| arn::name(arn).to_owned())),
            status: status(entry),
            created: entry.created.into(),
            rotated: entry.created.into(),
            // Only Roles Anywhere tells when a certificate was seen.
            last_used: match at.value.list {
                "subjects" => entry.last_used.into(),
                _ => Known::Unsupported,
            },
            // An SSH key has no end; that of a certificate is not always told.
            expires: match (entry.expires, at.value.list) {
                (Some(at), _) => Known::Known(at),
                (None, "SSHPublicKeys") => Known::Never,
                (None, _) => Known::Unknown,
            },
            source,
            ..blank(book, key.clone(), kind, &Key(String::new()))
        };
        all.entry(key).or_insert(credential);
    }
    signers
}

fn account_of(entry: &ListedCredential) -> Option<&str> {
    let account = entry.arn.as_deref()?.split(':').nth(4)?;
    (!account.is_empty()).then_some(account)
}

fn status(entry: &ListedCredential) -> Status {
    match (entry.status.as_deref(), entry.enabled) {
        (Some("Active"), _) | (None, Some(true)) => Status::Active,
        (Some("Inactive"), _) | (None, Some(false)) => Status::Disabled,
        // Server certificates and providers work while they are there.
        (None, None) => Status::Active,
        (Some(_), _) => Status::Unknown,
    }
}
