//! Which lifecycle events touch a credential: through its owner, application, place, vendor, or
//! itself.

use std::collections::BTreeMap;

use keymuster_api::ClaimRole;

use crate::{
    audit::{
        CheckCx, Directory,
        party::address,
        recorded::{Recorded, Said},
    },
    context::{LifeEvent, LifeEventKind, name_key},
};

/// Events by what they are about.
pub(in crate::audit::checks) struct Index<'a> {
    by_name: BTreeMap<String, Vec<&'a LifeEvent>>,
    recorded: Recorded<'a>,
    directory: Option<Directory<'a>>,
}

impl<'a> Index<'a> {
    /// The events of these kinds that lie before the run.
    pub(in crate::audit::checks) fn of(cx: &CheckCx<'a>, kinds: &[LifeEventKind]) -> Index<'a> {
        let directory = cx.people.map(Directory::new);
        let mut by_name: BTreeMap<String, Vec<&LifeEvent>> = BTreeMap::new();
        let events = cx.context.events.iter().flatten();
        for event in events.filter(|event| kinds.contains(&event.kind) && event.at <= cx.now) {
            for name in names(directory.as_ref(), &event.subject) {
                by_name.entry(name).or_default().push(event);
            }
        }
        Index {
            by_name,
            recorded: Recorded::of(cx.inventory),
            directory,
        }
    }

    /// The events that touch a credential, oldest first, each with how.
    pub(in crate::audit::checks) fn of_credential(
        &self,
        cx: &CheckCx<'a>,
        ix: u32,
    ) -> Vec<(&'a LifeEvent, &'static str)> {
        if self.by_name.is_empty() {
            return Vec::new();
        }
        let credential = cx.credential(ix);
        let record = cx.record_of(ix);
        let mut found: Vec<(&LifeEvent, &'static str)> = Vec::new();
        let mut ask = |name: &str, how: &'static str, fits: &dyn Fn(LifeEventKind) -> bool| {
            for key in names(self.directory.as_ref(), name) {
                for event in self.by_name.get(&key).into_iter().flatten() {
                    if fits(event.kind) && !found.iter().any(|(known, _)| *known == *event) {
                        found.push((event, how));
                    }
                }
            }
        };
        use LifeEventKind as K;
        let person = |kind| matches!(kind, K::Leaver | K::Transferred);
        let thing = |kind| {
            matches!(
                kind,
                K::ApplicationRetired | K::EnvironmentDeleted | K::Incident | K::Transferred
            )
        };
        let place = |kind| matches!(kind, K::RepositoryArchived | K::Incident | K::Transferred);
        let vendor = |kind| matches!(kind, K::VendorEnded | K::Incident);
        if let Some(owner) = cx.owner(record, &credential.claims) {
            ask(&owner.party, "owner", &person);
        }
        for claim in cx.estate.claims(&credential.claims) {
            // Who made it may have kept a copy.
            if claim.role == ClaimRole::Creator {
                ask(&claim.party, "creator", &|kind| kind == K::Leaver);
            }
        }
        if let Some(record) = record {
            for system in record
                .system
                .as_deref()
                .into_iter()
                .chain(self.recorded.list(record, Said::Apis))
            {
                ask(system, "application", &thing);
                if let Some(environment) = &record.environment {
                    ask(&format!("{system} {environment}"), "environment", &thing);
                }
            }
            if let Some(vendor_name) = &record.vendor {
                ask(vendor_name, "vendor", &vendor);
            }
            for identifier in record
                .identifiers
                .iter()
                .filter(|one| one.scheme == "repo_path")
            {
                let repository = identifier.value.split(':').next().unwrap_or_default();
                ask(repository, "repository", &place);
            }
        }
        for sighting in cx.leaks(credential) {
            ask(&cx.estate.resource_of(sighting).name, "repository", &place);
        }
        let own = |kind| kind == K::Incident;
        ask(&cx.label(credential), "itself", &own);
        if let Some(identity) = cx.estate.identity_of(credential) {
            ask(cx.text(identity.name), "principal", &own);
            ask(cx.text(identity.key), "principal", &own);
        }
        found.sort();
        found
    }
}

/// The names a text is found by: its own, and those of the person behind it.
fn names(directory: Option<&Directory<'_>>, text: &str) -> Vec<String> {
    use crate::audit::Party;
    let mut all = vec![name_key(text)];
    if let Some(Party::Active(person) | Party::Left(person)) =
        directory.map(|directory| directory.party(text))
    {
        all.push(name_key(address(person)));
        all.push(name_key(&person.id));
    }
    // `acme/shop` is called `shop`, too.
    if let Some((_, tail)) = text.rsplit_once('/').filter(|_| !text.contains("://")) {
        all.push(name_key(tail));
    }
    all.retain(|name| !name.is_empty());
    all.sort();
    all.dedup();
    all
}
