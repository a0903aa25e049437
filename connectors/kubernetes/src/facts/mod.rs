//! Turns objects into facts, the same for exports and for live answers.
//!
//! Keys: `kubernetes:<cluster>/serviceaccount/<namespace>/<name>`, and so on for `secret`, `role`
//! and `rolebinding`; `kubernetes:<cluster>/user/<name>` for `group`, `clusterrole` and
//! `clusterrolebinding`. Roles and bindings are policies: a role's document holds its `rules`, a
//! binding's the key of its role (`role`) and the `namespace` it holds in, null for all of them.

mod accounts;
mod rbac;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Coverage, Gap, GapKind, Identity, Item, Key, Policy, Reference, Resource, ResourceKind,
    Setting, Source,
};
use keymuster_exports::Reader;

use crate::parts::Parts;

/// Which cluster the objects are of.
pub(crate) struct Cluster<'a> {
    pub(crate) name: &'a str,
    pub(crate) issuer: Option<&'a str>,
}

impl Cluster<'_> {
    /// The key of the cluster itself.
    pub(crate) fn key(&self) -> Key {
        Key(format!("kubernetes:{}", self.name))
    }

    /// The key of something in a namespace.
    fn within(&self, what: &str, space: &str, name: &str) -> Key {
        Key(format!("kubernetes:{}/{what}/{space}/{name}", self.name))
    }

    /// The key of something of the whole cluster.
    fn of_all(&self, what: &str, name: &str) -> Key {
        Key(format!("kubernetes:{}/{what}/{name}", self.name))
    }

    fn account(&self, space: &str, name: &str) -> Key {
        self.within("serviceaccount", space, name)
    }
}

/// What every part of this module needs, and what they tell besides their own facts.
struct Book<'b, 'r> {
    reader: &'b mut Reader<'r>,
    cluster: &'b Cluster<'b>,
    parts: &'b Parts,
    identities: BTreeMap<Key, Identity>,
    policies: BTreeMap<Key, Policy>,
    settings: BTreeSet<Setting>,
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
}

/// Every fact of the parts in a fixed order, and what was not seen.
pub(crate) fn items(
    reader: &mut Reader<'_>,
    cluster: &Cluster<'_>,
    parts: &Parts,
) -> (Vec<Item>, Vec<Gap>) {
    let files = reader.files.clone();
    let mut book = Book {
        reader,
        cluster,
        parts,
        identities: BTreeMap::new(),
        policies: BTreeMap::new(),
        settings: BTreeSet::new(),
        items: Vec::new(),
    };
    let Some(location) = files.first() else {
        return (Vec::new(), std::mem::take(&mut book.reader.gaps));
    };
    let here = Source {
        system: book.reader.source(0, 1).system,
        locator: location.clone(),
    };
    accounts::collect(&mut book);
    tokens::collect(&mut book, &here);
    rbac::collect(&mut book, &here);
    if let Some(issuer) = cluster.issuer {
        book.set(&cluster.key(), "issuer", issuer, &here);
        book.items.push(Item::Reference(Reference {
            by: cluster.key(),
            to: Key(format!("issuer:{issuer}")),
            source: here.clone(),
        }));
    }
    accounts::claims(&mut book);
    let mut items = vec![Item::Resource(Resource {
        id: 0,
        kind: ResourceKind::Account,
        name: cluster.name.to_owned(),
        location: location.clone(),
    })];
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
    let whole = !book.reader.unread;
    let rbac = parts.bindings.len() + parts.cluster_bindings.len();
    for (what, received, complete) in [
        (
            "service accounts",
            parts.accounts.len(),
            !parts.accounts.is_empty(),
        ),
        (
            "service account tokens",
            parts.tokens.len(),
            parts.has_secrets,
        ),
        ("role bindings", rbac, rbac > 0),
    ] {
        items.push(Item::Coverage(Coverage {
            scope: format!("kubernetes:{}", cluster.name),
            what: what.to_owned(),
            expected: None,
            received: received as u64,
            bytes: 0,
            complete: complete && whole,
            source: here.clone(),
        }));
    }
    let mut gaps = std::mem::take(&mut book.reader.gaps);
    gaps.sort();
    gaps.dedup();
    (items, gaps)
}
