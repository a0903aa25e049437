//! Turns entries into facts, the same for exports and for live answers.
//!
//! Keys: a service account is its mail; other members of policies are what Google writes behind
//! `gcp:` (`gcp:user:…`, `gcp:principalSet://…`). Places are `gcp:project/<id>`, `gcp:folder/<n>`,
//! `gcp:organization/<n>`. A policy's document holds its `place` and `bindings` with members as keys;
//! a role's its `permissions`. A provider of a pool is a trust: who may get in, by what.

mod accounts;
mod credentials;
mod grants;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Coverage, Gap, GapKind, Identity, Item, Key, Policy, Resource, ResourceKind, Setting, Source,
};
use keymuster_exports::Reader;

use crate::parts::Parts;

/// What every part of this module needs, and what they tell besides their own facts.
struct Book<'b, 'r> {
    reader: &'b mut Reader<'r>,
    parts: &'b Parts,
    /// Names of projects by their numbers.
    names: BTreeMap<String, String>,
    identities: BTreeMap<Key, Identity>,
    policies: BTreeMap<Key, Policy>,
    settings: BTreeSet<Setting>,
    /// Projects and the first place that speaks of each.
    projects: BTreeMap<String, Source>,
    items: Vec<Item>,
}

impl Book<'_, '_> {
    fn gap(&mut self, kind: GapKind, subject: String, reason: String, source: Source) {
        self.reader.gaps.push(Gap {
            kind,
            subject,
            reason,
            source,
        });
    }

    fn set(&mut self, subject: &Key, name: &str, value: &str, source: &Source) {
        self.settings.insert(Setting {
            subject: subject.clone(),
            name: name.to_owned(),
            value: value.to_owned(),
            source: source.clone(),
        });
    }

    /// A project by its name, whichever way it was given.
    fn project(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// A place with its project by name.
    fn place(&self, place: &str) -> String {
        match place.strip_prefix("project/") {
            Some(id) => format!("project/{}", self.project(id)),
            None => place.to_owned(),
        }
    }

    fn see_project(&mut self, id: &str, source: &Source) {
        if !self.projects.contains_key(id) {
            self.projects.insert(id.to_owned(), source.clone());
        }
    }
}

/// Every fact of the parts, in a fixed order. Gaps stay with the reader.
pub(crate) fn items(reader: &mut Reader<'_>, parts: &Parts) -> Vec<Item> {
    let mut book = Book {
        names: names(parts),
        reader,
        parts,
        identities: BTreeMap::new(),
        policies: BTreeMap::new(),
        settings: BTreeSet::new(),
        projects: BTreeMap::new(),
        items: Vec::new(),
    };
    accounts::collect(&mut book);
    credentials::collect(&mut book);
    grants::collect(&mut book);
    accounts::claims(&mut book);
    let mut items = Vec::new();
    for (id, (project, source)) in (0..).zip(&book.projects) {
        items.push(Item::Resource(Resource {
            id,
            kind: ResourceKind::Account,
            name: project.clone(),
            location: source.locator.clone(),
        }));
    }
    let whole = !book.reader.unread;
    for (project, source) in &book.projects {
        let of = |key: &str| crate::place::project_in(key).map(|id| book.project(id));
        let accounts = parts.accounts.iter();
        let accounts = accounts.filter(|one| {
            crate::place::project_of_mail(&one.value.email) == Some(project)
                || one.value.project_id.as_deref() == Some(project)
        });
        let keys = parts.keys.iter();
        let keys = keys.filter(|one| of(&one.value.name).as_deref() == Some(project));
        for (what, received) in [
            ("service accounts", accounts.count()),
            ("service account keys", keys.count()),
        ] {
            items.push(Item::Coverage(Coverage {
                scope: format!("gcp:{project}"),
                what: what.to_owned(),
                expected: None,
                received: received as u64,
                bytes: 0,
                // An account without a key lists none, so keys are complete only where some are.
                complete: whole && received > 0,
                source: source.clone(),
            }));
        }
    }
    items.extend(
        std::mem::take(&mut book.identities)
            .into_values()
            .map(Item::Identity),
    );
    items.extend(
        std::mem::take(&mut book.policies)
            .into_values()
            .map(Item::Policy),
    );
    items.append(&mut book.items);
    items.extend(
        std::mem::take(&mut book.settings)
            .into_iter()
            .map(Item::Setting),
    );
    book.reader.gaps.sort();
    book.reader.gaps.dedup();
    items
}

/// Names of projects by their numbers: from lists of projects, and from assets, which call a
/// project by both.
fn names(parts: &Parts) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for project in &parts.projects {
        if let Some(number) = &project.value.project_number {
            names.insert(number.clone(), project.value.project_id.clone());
        }
    }
    for pair in &parts.above {
        let (place, above) = &pair.value;
        if let (Some(id), Some(number)) = (
            place.strip_prefix("project/"),
            above.strip_prefix("project/"),
        ) && number.bytes().all(|byte| byte.is_ascii_digit())
            && !id.bytes().all(|byte| byte.is_ascii_digit())
        {
            names
                .entry(number.to_owned())
                .or_insert_with(|| id.to_owned());
        }
    }
    names
}
