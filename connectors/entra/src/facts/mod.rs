//! Turns entries into facts, the same for exports and for live answers.
//!
//! An application and its service principals are one principal, `entra:app:<client id>`: both hold
//! secrets, and both are what logs in. Others are `entra:user:`, `entra:group:` or `entra:object:` with
//! their object id. Each grant is a policy whose document says its `kind`; each federated credential
//! is a trust.

mod applications;
mod grants;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{
    Coverage, Gap, GapKind, Identity, Item, Key, Policy, Resource, ResourceKind, Setting, Source,
};
use keymuster_exports::Reader;

use crate::parts::Parts;

/// Tenants of Microsoft, whose applications it looks after itself.
/// (learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in)
const MICROSOFT: &[&str] = &[
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];

/// What every part of this module needs, and what they tell besides their own facts.
struct Book<'b, 'r> {
    reader: &'b mut Reader<'r>,
    parts: &'b Parts,
    tenant: String,
    /// Keys by object id.
    objects: BTreeMap<String, Key>,
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

/// Every fact of the parts, in a fixed order. Gaps stay with the reader.
pub(crate) fn items(reader: &mut Reader<'_>, parts: &Parts, tenant: Option<&str>) -> Vec<Item> {
    let Some(location) = reader.files.first().cloned() else {
        return Vec::new();
    };
    let here = Source {
        system: reader.source(0, 1).system,
        locator: location.clone(),
    };
    let mut book = Book {
        reader,
        parts,
        tenant: tenant.map_or_else(|| home(parts), str::to_lowercase),
        objects: BTreeMap::new(),
        identities: BTreeMap::new(),
        policies: BTreeMap::new(),
        settings: BTreeSet::new(),
        items: Vec::new(),
    };
    applications::collect(&mut book);
    grants::collect(&mut book, &here);
    let mut items = vec![Item::Resource(Resource {
        id: 0,
        kind: ResourceKind::Account,
        name: book.tenant.clone(),
        location,
    })];
    let whole = !book.reader.unread;
    for (what, received) in [
        ("applications", parts.applications.len()),
        ("service principals", parts.principals.len()),
    ] {
        items.push(Item::Coverage(Coverage {
            scope: format!("entra:{}", book.tenant),
            what: what.to_owned(),
            expected: None,
            received: received as u64,
            bytes: 0,
            complete: whole && received > 0,
            source: here.clone(),
        }));
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

/// The tenant whose exports these are: the one that owns most of the applications that are
/// registered here.
fn home(parts: &Parts) -> String {
    let here: BTreeSet<&str> = parts
        .applications
        .iter()
        .map(|app| app.value.app_id.as_str())
        .collect();
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for principal in &parts.principals {
        if let Some(owner) = principal.value.app_owner_organization_id.as_deref()
            && here.contains(principal.value.app_id.as_str())
        {
            *votes.entry(owner).or_default() += 1;
        }
    }
    let most = votes.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(|| "tenant".to_owned(), |(tenant, _)| tenant.to_lowercase())
}
