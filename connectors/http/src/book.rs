//! What facts are written with: names, sources, and where they go.

use keymuster_api::{Claim, ClaimRole, Item, Key, Setting, Sink, Source, SystemId, Timestamp};

use crate::{Endpoint, Tally};

/// Takes facts, each with its source. `N` is how a host's things are called.
pub struct Book<'a, N> {
    /// How things are called.
    pub names: &'a N,
    /// The connector's number.
    pub system: SystemId,
    /// The run's point in time.
    pub now: Timestamp,
    /// What was asked for, and what came.
    pub tally: Tally,
    /// Where facts go.
    pub out: &'a mut dyn Sink,
}

/// Somebody who answers for a place and so for what lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// A person's name or mail, a team's name; as the source writes it.
    pub party: String,
    /// In what capacity.
    pub role: ClaimRole,
    /// How far to trust it, in percent.
    pub confidence: u8,
    /// Who says so.
    pub source: Source,
}

impl<N> Book<'_, N> {
    /// The source of what an endpoint told.
    pub fn source(&self, endpoint: &Endpoint, parameters: &[(&str, &str)]) -> Source {
        Source {
            system: self.system,
            locator: format!("GET {}", endpoint.fill(parameters)),
        }
    }

    /// A fact.
    pub fn emit(&mut self, item: Item) {
        self.out.emit(item);
    }

    /// A setting; one that is empty was not told.
    pub fn setting(&mut self, subject: &Key, name: &str, value: &str, source: &Source) {
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
    pub fn flag(&mut self, subject: &Key, name: &str, value: Option<bool>, source: &Source) {
        if let Some(value) = value {
            self.setting(subject, name, if value { "true" } else { "false" }, source);
        }
    }

    /// Somebody answers for something.
    pub fn claim(
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

    /// Who answers for a place answers for something in it.
    pub fn claims(&mut self, subject: &Key, owners: &[Owner]) {
        for owner in owners {
            let trust = (owner.role, owner.confidence);
            self.claim(subject, &owner.party, trust, None, &owner.source);
        }
    }
}
