//! Turns parsed documents into facts, the same for exports and for live answers.
//!
//! The order of the modules is the order of the work: principals first, because everything
//! else is tied to them, then what they may do, what they authenticate with, who answers for
//! them, and how much of each account was seen.

mod arn;
mod claims;
mod coverage;
mod credentials;
mod document;
mod keys;
mod listed;
mod policies;
mod principals;
mod running;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Cx, Gap, GapKind, Item, Key, Resource, ResourceKind, Source};

use crate::parts::{At, Parts};

/// Every fact of the parts, in a fixed order: by kind, then by key.
pub(crate) fn items(cx: &Cx<'_>, parts: &Parts, default_account: Option<&str>) -> Vec<Item> {
    let mut book = Book {
        cx,
        parts,
        default_account,
        gaps: parts.gaps.clone(),
        strays: BTreeMap::new(),
    };
    let mut principals = principals::collect(&mut book);
    let keys = keys::collect(&mut book, &mut principals);
    let credentials = credentials::collect(&mut book, &mut principals, &keys);
    principals::settle_last_use(&mut principals, &credentials);
    let policies = policies::collect(&mut book, &principals);
    let coverage = coverage::collect(&mut book, &principals, &policies, &keys);

    let mut items = Vec::new();
    for (id, (account, location)) in (0..).zip(&principals.accounts) {
        items.push(Item::Resource(Resource {
            id,
            kind: ResourceKind::Account,
            name: account.clone(),
            location: location.clone(),
        }));
    }
    let claims = claims::collect(&book, &principals);
    items.extend(principals.identities.into_values().map(Item::Identity));
    items.extend(principals.memberships.into_values().map(Item::Membership));
    items.extend(policies.memberships.into_values().map(Item::Membership));
    items.extend(policies.policies.into_values().map(Item::Policy));
    items.extend(policies.trusts.into_values().map(Item::Trust));
    items.extend(running::collect(&book).into_iter().map(Item::Reference));
    items.extend(credentials.into_values().map(Item::Credential));
    items.extend(claims.into_iter().map(Item::Claim));
    items.extend(coverage.into_iter().map(Item::Coverage));
    book.tell_strays();
    book.gaps.sort();
    book.gaps.dedup();
    items.extend(book.gaps.into_iter().map(Item::Gap));
    items
}

/// What every part of this module needs.
struct Book<'a> {
    cx: &'a Cx<'a>,
    parts: &'a Parts,
    default_account: Option<&'a str>,
    gaps: Vec<Gap>,
    /// Credentials whose user's account is not known, by file.
    strays: BTreeMap<u32, BTreeSet<String>>,
}

impl Book<'_> {
    /// Where a document was read.
    fn source<T>(&self, at: &At<T>) -> Source {
        self.cx
            .source(format!("{}:{}", self.file(at.file), at.line))
    }

    fn file(&self, file: u32) -> &str {
        self.parts
            .files
            .get(file as usize)
            .map_or("", String::as_str)
    }

    fn gap(&mut self, kind: GapKind, subject: impl Into<String>, reason: String, source: Source) {
        self.gaps.push(Gap {
            kind,
            subject: subject.into(),
            reason,
            source,
        });
    }

    /// A credential whose user is in no export, or in several accounts.
    fn stray(&mut self, file: u32, id: &str) {
        self.strays.entry(file).or_default().insert(id.to_owned());
    }

    /// One gap per file: a list without its users would otherwise be one per line.
    fn tell_strays(&mut self) {
        for (file, ids) in std::mem::take(&mut self.strays) {
            let shown = self.file(file).to_owned();
            let reason = format!(
                "the users of {} credentials are in no export or in several accounts, so their account \
                 is unknown: {}; set account, or put each account's files into a folder named by its number",
                ids.len(),
                some_of(&ids)
            );
            let source = self.cx.source(shown.as_str());
            self.gap(GapKind::Missing, shown, reason, source);
        }
    }

    /// Text that people wrote, with secrets taken out: tags hold anything.
    fn clean(&self, text: &str) -> String {
        let mut out = String::new();
        let mut from = 0;
        for found in self.cx.redactor.redact(text) {
            if let Some(before) = text.get(from..found.span.start) {
                out.push_str(before);
                out.push_str("[sealed ");
                out.push_str(&found.rule);
                out.push(']');
                from = found.span.end;
            }
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }
}

/// The key of an account, to which control policies are tied.
fn account_key(account: &str) -> Key {
    Key(format!("aws:account:{account}"))
}

/// At most five of the names, and how many more there are.
fn some_of(names: &BTreeSet<String>) -> String {
    let mut text = names
        .iter()
        .take(5)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > 5 {
        text.push_str(&format!(" and {} more", names.len() - 5));
    }
    text
}

/// Files and folders that name an account: the twelve digits that stand alone in the path.
fn account_in_path(shown: &str) -> Option<String> {
    shown
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit()))
        .map(str::to_owned)
}

/// The folder of a shown path.
fn folder(shown: &str) -> &str {
    shown.rfind(['/', '\\']).map_or("", |at| &shown[..at])
}

/// Accounts and the first file that speaks of each.
type Accounts = BTreeMap<String, String>;
