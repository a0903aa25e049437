//! What a connector tells, by what it is.

use keymuster_api::{Claim, Coverage, Credential, Gap, Identity, Item, Lead, Setting, Sink, Slot};

/// Takes what a connector tells, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Credentials.
    pub credentials: Vec<Credential>,
    /// Principals.
    pub identities: Vec<Identity>,
    /// Slots.
    pub slots: Vec<Slot>,
    /// Settings.
    pub settings: Vec<Setting>,
    /// Claims.
    pub claims: Vec<Claim>,
    /// Counts.
    pub coverage: Vec<Coverage>,
    /// Leads.
    pub leads: Vec<Lead>,
    /// Gaps.
    pub gaps: Vec<Gap>,
    /// Events and resources, as text.
    pub others: Vec<String>,
}

impl Sink for Told {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Credential(fact) => self.credentials.push(fact),
            Item::Identity(fact) => self.identities.push(fact),
            Item::Slot(fact) => self.slots.push(fact),
            Item::Setting(fact) => self.settings.push(fact),
            Item::Claim(fact) => self.claims.push(fact),
            Item::Coverage(fact) => self.coverage.push(fact),
            Item::Lead(fact) => self.leads.push(fact),
            Item::Gap(fact) => self.gaps.push(fact),
            Item::Event(fact) => self.others.push(format!("event {fact:?}")),
            Item::Resource(fact) => self.others.push(format!("resource {fact:?}")),
            _ => panic!("a connector of a code host emits nothing else"),
        }
    }
}

impl Told {
    /// The values of a setting of a subject.
    pub fn setting(&self, subject: &str, name: &str) -> Vec<&str> {
        let of = self
            .settings
            .iter()
            .filter(|one| one.subject.0 == subject && one.name == name);
        of.map(|one| one.value.as_str()).collect()
    }

    /// The first credential of this key.
    ///
    /// # Panics
    /// When there is none.
    pub fn credential(&self, key: &str) -> &Credential {
        let found = self.credentials.iter().find(|one| one.key.0 == key);
        found.unwrap_or_else(|| panic!("{key} is none of {:?}", self.keys()))
    }

    /// The slot of this key.
    ///
    /// # Panics
    /// When there is none.
    pub fn slot(&self, key: &str) -> &Slot {
        let found = self.slots.iter().find(|one| one.key.0 == key);
        let keys = || self.slots.iter().map(|one| &one.key.0).collect::<Vec<_>>();
        found.unwrap_or_else(|| panic!("{key} is none of {:?}", keys()))
    }

    /// Keys of all credentials, as they came.
    pub fn keys(&self) -> Vec<&str> {
        let keys = self.credentials.iter().map(|one| one.key.0.as_str());
        keys.collect()
    }

    /// Claims about a subject: who, in what capacity, who says so; sorted.
    pub fn claims_of(&self, subject: &str) -> Vec<String> {
        let of = self.claims.iter().filter(|one| one.subject.0 == subject);
        let mut all: Vec<String> = of
            .map(|one| format!("{} {:?} {}", one.party, one.role, one.source.locator))
            .collect();
        all.sort();
        all
    }

    /// Counts of a scope: expected, received, complete.
    pub fn count(&self, scope: &str, what: &str) -> Option<(Option<u64>, u64, bool)> {
        let row = self
            .coverage
            .iter()
            .find(|row| row.scope == scope && row.what == what)?;
        Some((row.expected, row.received, row.complete))
    }
}
