//! What the organisation says besides its register: systems and APIs, vendors, approvers,
//! scopes, lifecycle events, tickets.
//!
//! Readers take bytes and give plain data; [`sheet`] reads the tables among them, with the
//! register's own readers, so that delimiters, encodings and dates are treated alike. A file
//! that cannot be read stops the run: without it checks would say less than they were asked to.
//!
//! Invariant: cells that are secrets are wiped while a table is read; of gateway files only
//! names and settings are kept, never keys.

use serde::{Deserialize, Serialize};

mod approvers;
mod backstage;
mod events;
mod gateway;
mod openapi;
mod scopes;
mod sheet;
mod systems;
mod tickets;
mod tree;
mod vendors;

#[cfg(test)]
mod tests;

pub use approvers::{Approver, Approvers};
pub use events::{LifeEvent, LifeEventKind};
pub use scopes::{ScopeEntry, Scopes};
pub use systems::{Auth, AuthMethod, PolicyRef, System, SystemKind};
pub use tickets::Ticket;
pub use vendors::Vendor;

use std::collections::{BTreeMap, btree_map::Entry};

use keymuster_api::Redactor;

use crate::inventory::InventoryError;

/// Everything the organisation says besides its register. `None` where no such file was given,
/// which is different from one that is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What happened to people, applications, vendors; by time.
    pub events: Option<Vec<LifeEvent>>,
    /// Systems and APIs.
    pub systems: Option<Vec<System>>,
    /// Vendors and partners.
    pub vendors: Option<Vec<Vendor>>,
    /// Who may approve what.
    pub approvers: Option<Approvers>,
    /// Scopes and issuers in use.
    pub scopes: Option<Scopes>,
    /// Tickets: approvals and changes.
    pub tickets: Option<Vec<Ticket>>,
}

impl Context {
    /// Reads a file of `[catalogue]`: which kind it is, its content says.
    ///
    /// # Errors
    /// When it is none of the kinds, or malformed.
    pub fn read_catalogue(
        &mut self,
        label: &str,
        bytes: &[u8],
        redactor: &dyn Redactor,
    ) -> Result<(), InventoryError> {
        if label.to_ascii_lowercase().ends_with(".toml") {
            return self.toml(label, bytes);
        }
        if let Some(documents) = tree::documents(label, bytes)? {
            let mut found = Vec::new();
            for document in &documents {
                if backstage::is(document) {
                    found.extend(backstage::read(label, document));
                } else if openapi::is(document) {
                    found.push(openapi::read(label, document));
                } else if gateway::is(document) {
                    found.extend(gateway::read(label, document));
                } else if !document.is_null() {
                    return Err(unknown(label));
                }
            }
            self.systems.get_or_insert_default().extend(found);
            return Ok(());
        }
        let sheet = sheet::Sheet::read(label, bytes, redactor)?;
        if vendors::is(&sheet) {
            let read = vendors::read(&sheet)?;
            self.vendors.get_or_insert_default().extend(read);
        } else if systems::is(&sheet) {
            let read = systems::read(&sheet)?;
            self.systems.get_or_insert_default().extend(read);
        } else {
            return Err(unknown(label));
        }
        Ok(())
    }

    fn toml(&mut self, label: &str, bytes: &[u8]) -> Result<(), InventoryError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| InventoryError::new(label, "is no UTF-8 text"))?;
        if text.contains("[[approver]]") {
            if self.approvers.is_some() {
                return Err(InventoryError::new(label, "is a second list of approvers")
                    .help("keep one list"));
            }
            self.approvers = Some(approvers::read(label, text)?);
        } else if text.contains("[[scope]]") {
            if self.scopes.is_some() {
                return Err(
                    InventoryError::new(label, "is a second catalogue of scopes")
                        .help("keep one catalogue"),
                );
            }
            self.scopes = Some(scopes::read(label, text)?);
        } else {
            return Err(unknown(label));
        }
        Ok(())
    }

    /// Reads a feed of lifecycle events.
    ///
    /// # Errors
    /// When it is malformed, or names a kind of event that nobody knows.
    pub fn read_events(
        &mut self,
        label: &str,
        bytes: &[u8],
        redactor: &dyn Redactor,
    ) -> Result<(), InventoryError> {
        let sheet = sheet::Sheet::read(label, bytes, redactor)?;
        let all = self.events.get_or_insert_default();
        all.extend(events::read(&sheet)?);
        all.sort();
        Ok(())
    }

    /// Reads an export of tickets.
    ///
    /// # Errors
    /// When it is malformed, or has no column of ids.
    pub fn read_tickets(
        &mut self,
        label: &str,
        bytes: &[u8],
        redactor: &dyn Redactor,
    ) -> Result<(), InventoryError> {
        let sheet = sheet::Sheet::read(label, bytes, redactor)?;
        let all = self.tickets.get_or_insert_default();
        all.extend(tickets::read(&sheet)?);
        Ok(())
    }

    /// Makes one entry of those that stand in several files under one name: a catalogue says who
    /// answers for an API, its OpenAPI document how one logs in. Call it after the last file.
    pub fn merge(&mut self) {
        let Some(systems) = &mut self.systems else {
            return;
        };
        let mut by_name: BTreeMap<(SystemKind, String), System> = BTreeMap::new();
        for system in systems.drain(..) {
            match by_name.entry((system.kind, name_key(&system.name))) {
                Entry::Vacant(place) => {
                    place.insert(system);
                }
                Entry::Occupied(mut known) => known.get_mut().absorb(system),
            }
        }
        systems.extend(by_name.into_values());
    }

    /// The names of systems and APIs, of vendors and tickets, for looking many of them up.
    pub fn names(&self) -> Names<'_> {
        let mut names = Names::default();
        for system in self.systems.iter().flatten() {
            let all = std::iter::once(&system.name).chain(&system.aliases);
            for name in all {
                let of = names.systems.entry(name_key(name)).or_default();
                of.push(system);
            }
        }
        for vendor in self.vendors.iter().flatten() {
            names.vendors.insert(name_key(&vendor.name), vendor);
        }
        for ticket in self.tickets.iter().flatten() {
            names.tickets.insert(ticket.id.to_uppercase(), ticket);
        }
        names
    }
}

/// Entries by their names.
#[derive(Debug, Default)]
pub struct Names<'a> {
    systems: BTreeMap<String, Vec<&'a System>>,
    vendors: BTreeMap<String, &'a Vendor>,
    tickets: BTreeMap<String, &'a Ticket>,
}

impl<'a> Names<'a> {
    /// The systems and APIs of a name, told as people spell it.
    pub fn systems(&self, name: &str) -> &[&'a System] {
        let found = self.systems.get(&name_key(name));
        found.map_or(&[], Vec::as_slice)
    }

    /// The vendor of a name.
    pub fn vendor(&self, name: &str) -> Option<&'a Vendor> {
        self.vendors.get(&name_key(name)).copied()
    }

    /// The ticket of an id, or of the id that an address ends with.
    pub fn ticket(&self, reference: &str) -> Option<&'a Ticket> {
        let whole = reference.trim().to_uppercase();
        let last = whole.rsplit(['/', '=']).next().unwrap_or(&whole);
        self.tickets
            .get(&whole)
            .or_else(|| self.tickets.get(last))
            .copied()
    }
}

pub(crate) use sheet::name_key;

/// Names that differ in case, accents, blanks and punctuation are one name.
pub fn same_name(a: &str, b: &str) -> bool {
    let a = name_key(a);
    !a.is_empty() && a == name_key(b)
}

fn unknown(label: &str) -> InventoryError {
    InventoryError::new(label, "is no catalogue that is known").help(
        "give a table of systems or vendors, a Backstage catalogue, an OpenAPI document, a Kong \
         or Envoy configuration, approvers.toml or scopes.toml",
    )
}
