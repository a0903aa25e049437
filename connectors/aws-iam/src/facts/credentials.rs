//! Credentials of all kinds: access keys, passwords, service-specific credentials, signing
//! certificates.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Credential, Handle, Key, Known, Status, Timestamp};

use super::{
    Book, arn,
    keys::Keys,
    listed,
    principals::{Principals, is_root},
};
use crate::{parts::ReportRow, wire::parse_time};

/// Every credential, by key.
pub(super) fn collect(
    book: &mut Book<'_>,
    principals: &mut Principals,
    keys: &Keys,
) -> BTreeMap<Key, Credential> {
    let mut all = BTreeMap::new();
    for key in keys.keys.values() {
        all.insert(
            key.key.clone(),
            Credential {
                key: key.key.clone(),
                kind: "aws.access-key".to_owned(),
                handle: key.handle(),
                secret: None,
                identity: key.user.clone(),
                provider: "aws".to_owned(),
                account: key.account().or(book.default_account).map(str::to_owned),
                name: key.user_name.clone(),
                status: key.status,
                created: key.created,
                rotated: key.created,
                last_used: key.last_used,
                last_used_for: key.last_used_for.clone(),
                expires: Known::Never,
                source: key.source.clone(),
            },
        );
    }
    add_service_credentials(book, principals, &mut all);
    add_passwords(book, principals, &mut all);
    let told = listed::add(book, principals, &mut all);
    add_certificates(book, principals, &told, &mut all);
    all
}

pub(super) fn blank(book: &Book<'_>, key: Key, kind: &str, user: &Key) -> Credential {
    Credential {
        key,
        kind: kind.to_owned(),
        handle: None,
        secret: None,
        identity: Some(user.clone()),
        provider: "aws".to_owned(),
        account: arn::account(&user.0).map(str::to_owned),
        name: Some(if is_root(user) {
            "root".to_owned()
        } else {
            arn::name(&user.0).to_owned()
        }),
        status: Status::Unknown,
        created: Known::Unknown,
        rotated: Known::Unknown,
        last_used: Known::Unknown,
        last_used_for: None,
        expires: Known::Unknown,
        source: book.cx.source(String::new()),
    }
}

fn add_passwords(book: &Book<'_>, principals: &Principals, all: &mut BTreeMap<Key, Credential>) {
    for (user, identity) in &principals.identities {
        let row = principals
            .rows
            .get(user)
            .map(|row| &book.parts.report[*row]);
        let used = principals.password_used.get(user).copied();
        let enabled = match (identity.interactive.value(), is_root(user)) {
            (Some(enabled), _) => *enabled,
            // Of the root the report tells only when it last signed in.
            (None, true) => used.is_some(),
            (None, false) => false,
        };
        if !enabled || (row.is_none() && used.is_none()) {
            continue;
        }
        let mut password = blank(
            book,
            Key(format!("aws:password:{}", user.0)),
            "aws.console-password",
            user,
        );
        password.status = Status::Active;
        password.source = identity.source.clone();
        password.last_used = used.into();
        if let Some(row) = row {
            password.source = book.source(row);
            password.rotated = parse_time(row.value.get("password_last_changed")).into();
            if used.is_none() {
                password.last_used = unused(&row.value, "password_last_used");
            }
            password.expires = match row.value.get("password_next_rotation") {
                cell if cell.eq_ignore_ascii_case("n/a") => Known::Never,
                "not_supported" => Known::Unsupported,
                cell => parse_time(cell).into(),
            };
        }
        all.insert(password.key.clone(), password);
    }
}

/// What a cell without a date means: `N/A` and `no_information` are "not since AWS began to
/// record it" (2014 for passwords), which is as good as never.
fn unused(row: &ReportRow, column: &str) -> Known<Timestamp> {
    match row.get(column).to_ascii_lowercase().as_str() {
        "n/a" | "no_information" => Known::Never,
        "not_supported" => Known::Unsupported,
        _ => Known::Unknown,
    }
}

/// Signing certificates as the report counts them, of users whose list was not given.
fn add_certificates(
    book: &Book<'_>,
    principals: &Principals,
    listed: &BTreeSet<Key>,
    all: &mut BTreeMap<Key, Credential>,
) {
    let rows = principals.rows.iter();
    for (user, row) in rows.filter(|(user, _)| !listed.contains(*user)) {
        let row = &book.parts.report[*row];
        for number in 1..=2 {
            let active = row
                .value
                .get(&format!("cert_{number}_active"))
                .eq_ignore_ascii_case("true");
            let rotated = parse_time(row.value.get(&format!("cert_{number}_last_rotated")));
            if !active && rotated.is_none() {
                continue;
            }
            let key = Key(format!("aws:signing-certificate-slot:{}#{number}", user.0));
            let mut certificate = blank(book, key, "aws.signing-certificate", user);
            certificate.status = if active {
                Status::Active
            } else {
                Status::Disabled
            };
            certificate.created = rotated.into();
            certificate.rotated = rotated.into();
            certificate.last_used = Known::Unsupported;
            certificate.source = book.source(row);
            all.insert(certificate.key.clone(), certificate);
        }
    }
}

fn add_service_credentials(
    book: &mut Book<'_>,
    principals: &mut Principals,
    all: &mut BTreeMap<Key, Credential>,
) {
    let parts = book.parts;
    for entry in &parts.service_credentials {
        let source = book.source(entry);
        let value = &entry.value;
        let id = value.service_specific_credential_id.as_str();
        let user = value
            .user_name
            .as_deref()
            .and_then(|name| principals.user(book, name, entry.file, &source));
        if user.is_none() {
            book.stray(entry.file, id);
        }
        let key = Key(format!("aws:service-credential:{id}"));
        let name = value
            .service_user_name
            .as_ref()
            .or(value.service_credential_alias.as_ref());
        let name = match (&value.service_name, name) {
            (Some(service), Some(name)) => Some(format!("{service} {name}")),
            (one, other) => one.as_ref().or(other).cloned(),
        };
        let credential = Credential {
            key: key.clone(),
            kind: "aws.service-credential".to_owned(),
            handle: Some(Handle::new("aws-service-credential-id", id)),
            secret: None,
            account: user
                .as_ref()
                .and_then(|user| arn::account(&user.0))
                .or(book.default_account)
                .map(str::to_owned),
            identity: user,
            provider: "aws".to_owned(),
            name,
            status: match value.status.as_deref() {
                Some("Active") => Status::Active,
                Some("Inactive") => Status::Disabled,
                Some("Expired") => Status::Revoked,
                _ => Status::Unknown,
            },
            created: value.create_date.into(),
            rotated: Known::Unknown,
            last_used: Known::Unsupported,
            last_used_for: None,
            expires: value.expiration_date.map_or(Known::Never, Known::Known),
            source,
        };
        all.entry(key).or_insert(credential);
    }
}
