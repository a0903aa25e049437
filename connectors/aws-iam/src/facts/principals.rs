//! Accounts, users, groups, roles and the root of each account.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Credential, GapKind, Identity, IdentityKind, Key, Known, Membership, Source, Status, Timestamp,
};

use super::{Accounts, Book, account_in_path, arn, folder};
use crate::{
    parts::{At, ReportRow},
    wire::{RoleDetail, Tag, UserDetail, parse_time},
};

/// Everybody who can act, and where the exports speak of them.
#[derive(Default)]
pub(super) struct Principals {
    pub(super) accounts: Accounts,
    pub(super) identities: BTreeMap<Key, Identity>,
    pub(super) memberships: BTreeMap<(Key, Key), Membership>,
    /// Rows of the credential report, as indices.
    pub(super) rows: BTreeMap<Key, usize>,
    /// Users and groups of the authorization details.
    pub(super) detailed: BTreeSet<Key>,
    /// Passwords' last use, as users tell it.
    pub(super) password_used: BTreeMap<Key, Timestamp>,
    /// Users by name: their keys and the files that speak of them.
    users_by_name: BTreeMap<String, BTreeMap<Key, BTreeSet<u32>>>,
}

/// Whether a user, spoken of by these files, is the one that is meant.
type Test<'a> = dyn Fn(&Key, &BTreeSet<u32>) -> bool + 'a;

impl Principals {
    fn add_account(&mut self, account: &str, file: &str) {
        self.accounts
            .entry(account.to_owned())
            .or_insert_with(|| file.to_owned());
    }

    fn add_user_name(&mut self, name: &str, key: &Key, file: u32) {
        let files = self
            .users_by_name
            .entry(name.to_owned())
            .or_default()
            .entry(key.clone())
            .or_default();
        files.insert(file);
    }

    /// The user of this name that a file means, and their account. Names are unique within an
    /// account only, so among several the file's own account, neighbours and folder decide.
    pub(super) fn user(
        &mut self,
        book: &Book<'_>,
        name: &str,
        file: u32,
        source: &Source,
    ) -> Option<Key> {
        let shown = book.file(file);
        let named = account_in_path(shown);
        if let Some(candidates) = self.users_by_name.get(name) {
            let account_of = |key: &Key| arn::account(&key.0).map(str::to_owned);
            let tests: [&Test<'_>; 5] = [
                &|key, _| named.is_some() && account_of(key) == named,
                &|_, files| files.contains(&file),
                &|_, files| {
                    files
                        .iter()
                        .any(|other| folder(book.file(*other)) == folder(shown))
                },
                &|key, _| account_of(key).as_deref() == book.default_account,
                &|_, _| true,
            ];
            for test in tests {
                let mut hits = candidates.iter().filter(|(key, files)| test(key, files));
                if let (Some((key, _)), None) = (hits.next(), hits.next()) {
                    return Some(key.clone());
                }
            }
            return None;
        }
        let known = self.accounts.len() == 1;
        let account = named
            .or_else(|| book.default_account.map(str::to_owned))
            .or_else(|| self.accounts.keys().next().filter(|_| known).cloned())?;
        // Nothing else speaks of this user: the path is unknown and taken to be the default.
        let key = Key(format!("arn:aws:iam::{account}:user/{name}"));
        self.add_account(&account, shown);
        self.add_user_name(name, &key, file);
        self.identities.insert(
            key.clone(),
            blank(&key, name, IdentityKind::User, source.clone()),
        );
        Some(key)
    }
}

fn blank(key: &Key, name: &str, kind: IdentityKind, source: Source) -> Identity {
    Identity {
        key: key.clone(),
        kind,
        name: name.to_owned(),
        provider: "aws".to_owned(),
        account: arn::account(&key.0).map(str::to_owned),
        status: Status::Active,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: Known::Unknown,
        mfa: Known::Unknown,
        tags: Vec::new(),
        source,
    }
}

/// Reads everybody out of the parts.
pub(super) fn collect(book: &mut Book<'_>) -> Principals {
    let parts = book.parts;
    let mut all = Principals::default();
    for user in &parts.users {
        add_user(book, &mut all, user, true);
    }
    for role in &parts.roles {
        add_role(book, &mut all, role, true);
    }
    for group in &parts.groups {
        let key = Key(group.value.arn.clone());
        let Some(account) = checked(book, &key, book.source(group)) else {
            continue;
        };
        all.add_account(&account, book.file(group.file));
        all.detailed.insert(key.clone());
        let mut identity = blank(
            &key,
            &group.value.group_name,
            IdentityKind::Group,
            book.source(group),
        );
        identity.created = group.value.create_date.into();
        identity.last_used = Known::Unsupported;
        identity.interactive = Known::Unsupported;
        identity.mfa = Known::Unsupported;
        all.identities.entry(key).or_insert(identity);
    }
    for user in &parts.listed_users {
        add_user(book, &mut all, user, false);
    }
    for role in &parts.listed_roles {
        add_role(book, &mut all, role, false);
    }
    for (number, row) in parts.report.iter().enumerate() {
        add_row(book, &mut all, number, row);
    }
    add_memberships(book, &mut all);
    all
}

/// The account of a principal's key, or a gap.
fn checked(book: &mut Book<'_>, key: &Key, source: Source) -> Option<String> {
    let account = arn::account(&key.0).map(str::to_owned);
    if account.is_none() {
        let reason = "this is no ARN of IAM; the entry was left out".to_owned();
        book.gap(GapKind::Corrupt, key.0.clone(), reason, source);
    }
    account
}

fn tags(book: &Book<'_>, tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter()
        .map(|tag| {
            (
                book.clean(&tag.key),
                book.clean(tag.value.as_deref().unwrap_or_default()),
            )
        })
        .collect()
}

fn add_user(book: &mut Book<'_>, all: &mut Principals, user: &At<UserDetail>, detailed: bool) {
    let key = Key(user.value.arn.clone());
    let Some(account) = checked(book, &key, book.source(user)) else {
        return;
    };
    all.add_account(&account, book.file(user.file));
    all.add_user_name(&user.value.user_name, &key, user.file);
    if detailed {
        all.detailed.insert(key.clone());
    }
    let mut identity = blank(
        &key,
        &user.value.user_name,
        IdentityKind::User,
        book.source(user),
    );
    identity.created = user.value.create_date.into();
    identity.tags = tags(book, &user.value.tags);
    if let Some(at) = user.value.password_last_used {
        // AWS leaves the field out where there is no password.
        identity.interactive = Known::Known(true);
        identity.last_used = Known::Known(at);
        all.password_used
            .entry(key.clone())
            .and_modify(|known| *known = (*known).max(at))
            .or_insert(at);
    }
    match all.identities.get_mut(&key) {
        None => {
            all.identities.insert(key, identity);
        }
        Some(known) => merge(known, identity),
    }
}

/// Keeps the first document's answers, and takes what only the later one has.
fn merge(known: &mut Identity, other: Identity) {
    known.created = known.created.or(other.created);
    known.last_used = latest(known.last_used, other.last_used);
    known.interactive = known.interactive.or(other.interactive);
    known.mfa = known.mfa.or(other.mfa);
    if known.tags.is_empty() {
        known.tags = other.tags;
    }
}

/// The later of two dates; a date over a never, an answer over none.
pub(super) fn latest(a: Known<Timestamp>, b: Known<Timestamp>) -> Known<Timestamp> {
    match (a, b) {
        (Known::Known(a), Known::Known(b)) => Known::Known(a.max(b)),
        (Known::Known(a), _) => Known::Known(a),
        (_, Known::Known(b)) => Known::Known(b),
        (a, b) => a.or(b),
    }
}

fn add_role(book: &mut Book<'_>, all: &mut Principals, role: &At<RoleDetail>, detailed: bool) {
    let key = Key(role.value.arn.clone());
    let Some(account) = checked(book, &key, book.source(role)) else {
        return;
    };
    all.add_account(&account, book.file(role.file));
    if detailed {
        all.detailed.insert(key.clone());
    }
    let mut identity = blank(
        &key,
        &role.value.role_name,
        IdentityKind::Role,
        book.source(role),
    );
    identity.created = role.value.create_date.into();
    identity.last_used = match &role.value.role_last_used {
        Some(used) => used.last_used_date.map_or(
            // AWS looks back 400 days; a role without use in them counts as never used.
            if detailed {
                Known::Never
            } else {
                Known::Unknown
            },
            Known::Known,
        ),
        None => Known::Unknown,
    };
    identity.interactive = Known::Known(false);
    identity.mfa = Known::Unsupported;
    identity.tags = tags(book, &role.value.tags);
    match all.identities.get_mut(&key) {
        None => {
            all.identities.insert(key, identity);
        }
        Some(known) => merge(known, identity),
    }
}

fn add_row(book: &mut Book<'_>, all: &mut Principals, number: usize, row: &At<ReportRow>) {
    let key = Key(row.value.get("arn").to_owned());
    let Some(account) = checked(book, &key, book.source(row)) else {
        return;
    };
    all.add_account(&account, book.file(row.file));
    let root = is_root(&key);
    let name = if root { "root" } else { row.value.get("user") };
    if !root {
        all.add_user_name(name, &key, row.file);
    }
    // Of two reports of one account the one read first counts.
    all.rows.entry(key.clone()).or_insert(number);
    let kind = if root {
        IdentityKind::Root
    } else {
        IdentityKind::User
    };
    let mut identity = blank(&key, name, kind, book.source(row));
    identity.created = parse_time(row.value.get("user_creation_time")).into();
    identity.interactive = flag(row.value.get("password_enabled"));
    identity.mfa = flag(row.value.get("mfa_active"));
    if let Some(at) = parse_time(row.value.get("password_last_used")) {
        identity.last_used = Known::Known(at);
        all.password_used
            .entry(key.clone())
            .and_modify(|known| *known = (*known).max(at))
            .or_insert(at);
    }
    match all.identities.get_mut(&key) {
        None => {
            all.identities.insert(key, identity);
        }
        Some(known) => {
            // The report knows of passwords, the details only guess.
            known.interactive = identity.interactive.or(known.interactive);
            merge(known, identity);
        }
    }
}

/// Whether the key is the root of an account.
pub(super) fn is_root(key: &Key) -> bool {
    key.0.ends_with(":root")
}

fn flag(cell: &str) -> Known<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "true" => Known::Known(true),
        "false" => Known::Known(false),
        "not_supported" => Known::Unsupported,
        _ => Known::Unknown,
    }
}

/// Users name their groups; the groups of the same account are looked up by that name.
fn add_memberships(book: &mut Book<'_>, all: &mut Principals) {
    let parts = book.parts;
    let mut groups: BTreeMap<(&str, &str), Key> = BTreeMap::new();
    for group in &parts.groups {
        if let Some(account) = arn::account(&group.value.arn) {
            groups.insert(
                (account, &group.value.group_name),
                Key(group.value.arn.clone()),
            );
        }
    }
    let mut missing: BTreeMap<Key, (BTreeSet<String>, Source)> = BTreeMap::new();
    for user in &parts.users {
        let Some(parsed) = arn::parse(&user.value.arn) else {
            continue;
        };
        let member = Key(user.value.arn.clone());
        for name in &user.value.group_list {
            let source = book.source(user);
            let group = groups
                .get(&(parsed.account, name.as_str()))
                .cloned()
                .unwrap_or_else(|| {
                    let key = Key(format!(
                        "arn:{}:iam::{}:group/{name}",
                        parsed.partition, parsed.account
                    ));
                    let entry = missing
                        .entry(key.clone())
                        .or_insert_with(|| (BTreeSet::new(), source.clone()));
                    entry.0.insert(user.value.user_name.clone());
                    key
                });
            let membership = Membership {
                member: member.clone(),
                group: group.clone(),
                source,
            };
            all.memberships
                .entry((member.clone(), group))
                .or_insert(membership);
        }
    }
    for (group, (members, source)) in missing {
        let reason = format!(
            "the group is not in the export, so the rights of {} are not fully seen; export all pages, without a filter",
            super::some_of(&members)
        );
        book.gap(GapKind::Missing, group.0, reason, source);
    }
}

/// A user acted when one of their credentials was used; never, if the report says so of each.
pub(super) fn settle_last_use(all: &mut Principals, credentials: &BTreeMap<Key, Credential>) {
    let mut used: BTreeMap<&Key, Known<Timestamp>> = BTreeMap::new();
    let mut unsure: BTreeSet<&Key> = BTreeSet::new();
    for credential in credentials.values() {
        let Some(identity) = &credential.identity else {
            continue;
        };
        let known = used.entry(identity).or_default();
        *known = latest(*known, credential.last_used);
        if !credential.last_used.is_answer() {
            unsure.insert(identity);
        }
    }
    for (key, identity) in &mut all.identities {
        if !matches!(identity.kind, IdentityKind::User | IdentityKind::Root) {
            continue;
        }
        let by_credentials = used.get(key).copied().unwrap_or_default();
        if let Known::Known(_) = by_credentials {
            identity.last_used = latest(identity.last_used, by_credentials);
        } else if all.rows.contains_key(key)
            && !unsure.contains(key)
            && !identity.last_used.is_answer()
        {
            identity.last_used = Known::Never;
        }
    }
}
