//! What systems, registers and directories said, one fact a line.

use keymuster_api::{
    About, Claim, Consumer, Coverage, Credential, Event, Gap, Identity, Lead, Membership, Policy,
    Reference, Setting, Slot, SlotUse, Trust,
};
use serde::{Deserialize, Serialize};

use super::{EvidenceError, canonical};
use crate::{
    context::Context,
    estate::{Gathered, Resource, Sighting},
    inventory::{Catalogue, Confirmations, Inventory, LeakedCell, People, Person, Record, Team},
    judgement::Ground,
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
        pub fn write_facts(gathered: &Gathered, ground: &Ground) -> Vec<u8> {
            nothing_is_left_out(gathered);
            let none = (Inventory::default(), People::default());
            let all = All {
                gathered,
                inventory: ground.inventory.as_ref().unwrap_or(&none.0),
                people: ground.people.as_ref().unwrap_or(&none.1),
                context: std::slice::from_ref(&ground.context),
                catalogue: std::slice::from_ref(&ground.catalogue),
                confirmations: std::slice::from_ref(&ground.confirmations),
            };
            let mut out = Vec::new();
            $(out.extend(canonical::lines(all.$($part).+.iter().map(Lent::$variant)));)+
            out
        }

        /// Reads facts back.
        ///
        /// # Errors
        /// When a line is no fact.
        pub fn read_facts(bytes: &[u8]) -> Result<Read, EvidenceError> {
            let mut all = Read::default();
            for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
                let fact = serde_json::from_slice(line).map_err(|error| EvidenceError::Content {
                    file: format!("facts.jsonl:{number}"),
                    why: error.to_string(),
                })?;
                match fact { $(Fact::$variant(one) => all.$($part).+.push(one)),+ }
            }
            Ok(all)
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
        consumers: _,
        uses: _,
        settings: _,
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
    context: &'a [Context],
    catalogue: &'a [Catalogue],
    confirmations: &'a [Confirmations],
}

/// Facts that were read back.
#[derive(Default)]
pub struct Read {
    /// What systems said.
    pub gathered: Gathered,
    /// What registers said.
    pub inventory: Inventory,
    /// What directories said.
    pub people: People,
    /// What else the organisation said: one.
    pub context: Vec<Context>,
    /// Who looks after what: one.
    pub catalogue: Vec<Catalogue>,
    /// What people decided: one.
    pub confirmations: Vec<Confirmations>,
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
    /// A job, service or agent.
    Consumer(Consumer) = gathered.consumers;
    /// Which slot it names.
    SlotUse(SlotUse) = gathered.uses;
    /// How something is set up.
    Setting(Setting) = gathered.settings;
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
    /// Systems, vendors, approvers, events, tickets.
    Context(Context) = context;
    /// Who looks after what.
    Catalogue(Catalogue) = catalogue;
    /// What people decided about pairs.
    Confirmations(Confirmations) = confirmations;
}
