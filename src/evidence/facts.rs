//! What systems, registers and directories said, one fact a line.

use keymuster_api::{
    About, Claim, Coverage, Credential, Event, Gap, Identity, Lead, Membership, Policy, Reference,
    Slot, Trust,
};
use serde::{Deserialize, Serialize};

use super::{EvidenceError, canonical};
use crate::{
    estate::{Gathered, Resource, Sighting},
    inventory::{Inventory, LeakedCell, People, Person, Record, Team},
};

macro_rules! facts {
    ($($(#[$meta:meta])* $variant:ident($type:ty) = $($part:ident).+;)+) => {
        /// One fact; a line is `{"<what>": {…}}`.
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "one is held at a time")]
        pub enum Fact { $($(#[$meta])* $variant($type)),+ }

        /// The same, lent.
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Lent<'a> { $($variant(&'a $type)),+ }

        /// Writes facts in the order of their kinds, and as they were gathered.
        pub fn write_facts(
            gathered: &Gathered,
            inventory: Option<&Inventory>,
            people: Option<&People>,
        ) -> Vec<u8> {
            nothing_is_left_out(gathered);
            let none = (Inventory::default(), People::default());
            let all = All {
                gathered,
                inventory: inventory.unwrap_or(&none.0),
                people: people.unwrap_or(&none.1),
            };
            let mut out = Vec::new();
            $(out.extend(canonical::lines(all.$($part).+.iter().map(Lent::$variant)));)+
            out
        }

        /// Reads facts back.
        ///
        /// # Errors
        /// When a line is no fact.
        pub fn read_facts(bytes: &[u8]) -> Result<(Gathered, Inventory, People), EvidenceError> {
            let mut all = Owned::default();
            for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
                let fact = serde_json::from_slice(line).map_err(|error| EvidenceError::Content {
                    file: format!("facts.jsonl:{number}"),
                    why: error.to_string(),
                })?;
                match fact { $(Fact::$variant(one) => all.$($part).+.push(one)),+ }
            }
            Ok((all.gathered, all.inventory, all.people))
        }
    };
}

/// Does nothing, and does not compile when something new is gathered: give it a line in `facts!`,
/// or a replay comes to something else.
fn nothing_is_left_out(gathered: &Gathered) {
    let Gathered {
        systems: _,
        resources: _,
        sightings: _,
        credentials: _,
        identities: _,
        policies: _,
        trusts: _,
        memberships: _,
        slots: _,
        references: _,
        claims: _,
        events: _,
        coverage: _,
        leads: _,
        gaps: _,
    } = gathered;
}

struct All<'a> {
    gathered: &'a Gathered,
    inventory: &'a Inventory,
    people: &'a People,
}

#[derive(Default)]
struct Owned {
    gathered: Gathered,
    inventory: Inventory,
    people: People,
}

facts! {
    /// A connector took part.
    System(About) = gathered.systems;
    /// A repository, tree or account was looked at.
    Resource(Resource) = gathered.resources;
    /// A secret, sealed, at a place.
    Sighting(Sighting) = gathered.sightings;
    /// A system lists a credential.
    Credential(Credential) = gathered.credentials;
    /// A principal.
    Identity(Identity) = gathered.identities;
    /// A policy and what it is tied to.
    Policy(Policy) = gathered.policies;
    /// Who may become a principal.
    Trust(Trust) = gathered.trusts;
    /// A member of a group.
    Membership(Membership) = gathered.memberships;
    /// A named place that holds a credential.
    Slot(Slot) = gathered.slots;
    /// Something uses something.
    Reference(Reference) = gathered.references;
    /// Somebody answers for something.
    Claim(Claim) = gathered.claims;
    /// Something happened.
    Event(Event) = gathered.events;
    /// How much of a scope was seen.
    Coverage(Coverage) = gathered.coverage;
    /// Something for another connector.
    Lead(Lead) = gathered.leads;
    /// Something that was not seen.
    Gap(Gap) = gathered.gaps;
    /// A line of the register.
    Record(Record) = inventory.records;
    /// A cell of the register that was a secret.
    LeakedCell(LeakedCell) = inventory.leaked;
    /// What a reader of the register should know.
    Note(String) = inventory.notes;
    /// A person.
    Person(Person) = people.people;
    /// A team.
    Team(Team) = people.teams;
}
