//! How much of each account was seen, and what is missing from half an export.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Coverage, GapKind, IdentityKind, Key};

use super::{Book, arn, keys::Keys, policies::Policies, principals::Principals, some_of};
use crate::parts::Pages;

/// Coverage per account and kind of thing, with gaps for what is missing.
pub(super) fn collect(
    book: &mut Book<'_>,
    principals: &Principals,
    policies: &Policies,
    keys: &Keys,
) -> Vec<Coverage> {
    let pages = pages_by_account(book);
    let mut all = Vec::new();
    for (account, location) in &principals.accounts {
        let mut one = Account {
            book,
            principals,
            account,
            location,
            out: &mut all,
        };
        let details_complete = one.details(pages.get(account));
        one.users(details_complete);
        for (what, kind) in [
            ("groups", IdentityKind::Group),
            ("roles", IdentityKind::Role),
        ] {
            let received = one.count(kind);
            one.cover(what, None, received, details_complete);
        }
        let (expected, received) = policies.counts.get(account).copied().unwrap_or_default();
        one.cover(
            "policies",
            Some(expected),
            received,
            details_complete && expected == received,
        );
        one.access_keys(keys);
    }
    all
}

/// Pages of the authorization details by account; a file belongs to the account of its ARNs.
fn pages_by_account(book: &Book<'_>) -> BTreeMap<String, Pages> {
    let parts = book.parts;
    let mut owners: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    let arns = parts
        .users
        .iter()
        .map(|at| (at.file, at.value.arn.as_str()))
        .chain(
            parts
                .groups
                .iter()
                .map(|at| (at.file, at.value.arn.as_str())),
        )
        .chain(
            parts
                .roles
                .iter()
                .map(|at| (at.file, at.value.arn.as_str())),
        )
        .chain(
            parts
                .policies
                .iter()
                .map(|at| (at.file, at.value.arn.as_str())),
        );
    for (file, text) in arns {
        if let Some(account) = arn::account(text) {
            owners.entry(file).or_default().insert(account);
        }
    }
    let mut all: BTreeMap<String, Pages> = BTreeMap::new();
    for (file, pages) in &parts.details_pages {
        for account in owners.get(file).into_iter().flatten() {
            let sum = all.entry((*account).to_owned()).or_default();
            sum.truncated += pages.truncated;
            sum.last += pages.last;
        }
    }
    all
}

struct Account<'x, 'a> {
    book: &'x mut Book<'a>,
    principals: &'x Principals,
    account: &'x str,
    location: &'x str,
    out: &'x mut Vec<Coverage>,
}

impl Account<'_, '_> {
    fn cover(&mut self, what: &str, expected: Option<u64>, received: u64, complete: bool) {
        self.out.push(Coverage {
            scope: format!("aws:{}", self.account),
            what: what.to_owned(),
            expected,
            received,
            bytes: 0,
            complete: complete && !self.book.parts.unread,
            source: self.book.cx.source(self.location),
        });
    }

    fn missing(&mut self, reason: String) {
        let source = self.book.cx.source(self.location);
        self.book.gap(
            GapKind::Missing,
            format!("aws:{}", self.account),
            reason,
            source,
        );
    }

    fn is_here(&self, key: &Key) -> bool {
        arn::account(&key.0) == Some(self.account)
    }

    fn of_kind(&self, kind: IdentityKind) -> impl Iterator<Item = &Key> {
        self.principals
            .identities
            .values()
            .filter(move |identity| {
                identity.kind == kind && identity.account.as_deref() == Some(self.account)
            })
            .map(|identity| &identity.key)
    }

    fn count(&self, kind: IdentityKind) -> u64 {
        self.of_kind(kind).count() as u64
    }

    /// Whether the authorization details were given, to the last page.
    fn details(&mut self, pages: Option<&Pages>) -> bool {
        let Some(pages) = pages else {
            self.missing(
                "no authorization details of this account, so rights are not seen; \
                 add `aws iam get-account-authorization-details`"
                    .to_owned(),
            );
            return false;
        };
        if pages.truncated > 0 && pages.last == 0 {
            let reason = format!(
                "the authorization details end with IsTruncated after {} {}; the next page is missing, export again without --no-paginate",
                pages.truncated,
                if pages.truncated == 1 {
                    "page"
                } else {
                    "pages"
                },
            );
            self.missing(reason);
            return false;
        }
        true
    }

    fn users(&mut self, details_complete: bool) {
        let reported: BTreeSet<String> = self
            .principals
            .rows
            .keys()
            .filter(|key| self.is_here(key) && !super::principals::is_root(key))
            .map(|key| key.0.clone())
            .collect();
        let detailed: BTreeSet<String> = self
            .of_kind(IdentityKind::User)
            .filter(|key| self.principals.detailed.contains(*key))
            .map(|key| key.0.clone())
            .collect();
        let has_report = self.principals.rows.keys().any(|key| self.is_here(key));
        let mut complete = details_complete;
        if has_report && details_complete {
            let unreported: BTreeSet<String> = detailed.difference(&reported).cloned().collect();
            if !unreported.is_empty() {
                complete = false;
                let reason = format!(
                    "the credential report lacks {} of {} users: {}; generate a new report",
                    unreported.len(),
                    detailed.len(),
                    some_of(&unreported)
                );
                self.missing(reason);
            }
        }
        if has_report && self.has_details() {
            let undetailed: BTreeSet<String> = reported.difference(&detailed).cloned().collect();
            if !undetailed.is_empty() {
                complete = false;
                let reason = format!(
                    "the authorization details lack {} of {} users of the credential report: {}; export all pages, without a filter",
                    undetailed.len(),
                    reported.len(),
                    some_of(&undetailed)
                );
                self.missing(reason);
            }
        }
        let received = if self.has_details() {
            detailed.len() as u64
        } else {
            self.count(IdentityKind::User)
        };
        self.cover(
            "users",
            has_report.then_some(reported.len() as u64),
            received,
            complete,
        );
    }

    fn has_details(&self) -> bool {
        self.principals.detailed.iter().any(|key| self.is_here(key))
    }

    fn access_keys(&mut self, keys: &Keys) {
        let received = keys
            .keys
            .values()
            .filter(|key| key.account() == Some(self.account))
            .count() as u64;
        let parts = self.book.parts;
        let truncated: u32 = parts.key_pages.values().map(|pages| pages.truncated).sum();
        let last: u32 = parts.key_pages.values().map(|pages| pages.last).sum();
        let cut = truncated > 0 && last == 0;
        if cut {
            self.missing("a list of access keys ends with IsTruncated; its next page is missing, export it again".to_owned());
        }
        if let Some(expected) = keys.reported.get(self.account).copied() {
            let without: BTreeSet<String> = keys
                .without_id
                .keys()
                .filter(|user| self.is_here(user))
                .map(|user| user.0.clone())
                .collect();
            // A slot is a key that exists, and not one that a register could name: without its id
            // nobody can tell whether a record's key is gone.
            let nameless = !without.is_empty();
            if nameless {
                let count: u32 = keys
                    .without_id
                    .iter()
                    .filter(|(user, _)| self.is_here(user))
                    .map(|(_, count)| count)
                    .sum();
                let reason = format!(
                    "{count} access keys of the credential report have no id, because list-access-keys is missing for {}",
                    some_of(&without)
                );
                self.missing(reason);
            }
            let named = received
                - keys
                    .keys
                    .values()
                    .filter(|key| key.account() == Some(self.account) && key.id.is_none())
                    .count() as u64;
            let received = if nameless { named } else { received };
            self.cover("access keys", Some(expected), received, !nameless && !cut);
            return;
        }
        let users: BTreeSet<String> = self
            .of_kind(IdentityKind::User)
            .map(|key| key.0.clone())
            .collect();
        let listed: BTreeSet<String> = keys.listed.iter().map(|key| key.0.clone()).collect();
        let unlisted: BTreeSet<String> = users.difference(&listed).cloned().collect();
        // An empty list does not name its user, so lists can only be counted.
        let empty: u64 = parts
            .key_pages
            .values()
            .map(|pages| u64::from(pages.empty))
            .sum();
        let complete = unlisted.len() as u64 <= empty && !cut;
        if !complete && !cut {
            let reason = format!(
                "access keys of {} of {} users were not listed: {}; add the credential report or their list-access-keys",
                unlisted.len(),
                users.len(),
                some_of(&unlisted)
            );
            self.missing(reason);
        }
        self.cover("access keys", None, received, complete);
    }
}
