//! What facts are written with: names, sources, and where they go.

use keymuster_api::{Claim, ClaimRole, Item, Key, Setting, Sink, Source, SystemId, Timestamp};
use keymuster_http::{Endpoint, Tally};

use crate::names::Names;

/// Takes facts, each with its source.
pub(crate) struct Book<'a> {
    pub(crate) names: &'a Names,
    pub(crate) system: SystemId,
    pub(crate) now: Timestamp,
    pub(crate) tally: Tally,
    pub(crate) out: &'a mut dyn Sink,
}

impl Book<'_> {
    /// The source of what an endpoint told.
    pub(crate) fn source(&self, endpoint: &Endpoint, parameters: &[(&str, &str)]) -> Source {
        Source {
            system: self.system,
            locator: format!("GET {}", endpoint.fill(parameters)),
        }
    }

    pub(crate) fn emit(&mut self, item: Item) {
        self.out.emit(item);
    }

    /// A setting; one that is empty was not told.
    pub(crate) fn setting(&mut self, subject: &Key, name: &str, value: &str, source: &Source) {
        if !value.is_empty() {
            self.emit(Item::Setting(Setting {
                subject: subject.clone(),
                name: name.to_owned(),
                value: value.to_owned(),
                source: source.clone(),
            }));
        }
    }

    /// A setting that is yes or no, or was not told.
    pub(crate) fn flag(&mut self, subject: &Key, name: &str, value: Option<bool>, source: &Source) {
        if let Some(value) = value {
            self.setting(subject, name, if value { "true" } else { "false" }, source);
        }
    }

    /// Somebody answers for something.
    pub(crate) fn claim(
        &mut self,
        subject: &Key,
        party: &str,
        (role, confidence): (ClaimRole, u8),
        observed: Option<Timestamp>,
        source: &Source,
    ) {
        if !party.trim().is_empty() {
            self.emit(Item::Claim(Claim {
                subject: subject.clone(),
                party: party.trim().to_owned(),
                role,
                observed,
                confidence,
                source: source.clone(),
            }));
        }
    }
}
