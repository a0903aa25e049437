//! The interned model: credentials, identities, resources, and the facts behind them.

use keymuster_api::{
    About, Claim, Consumer, Coverage, Event, Gap, IdentityKind, Item, Known, Lead, Membership,
    Policy, Reference, ResourceKind, SecretId, Setting, Slot, SlotUse, Source, Status, Timestamp,
    Trust,
};
use serde::{Deserialize, Serialize};

use super::{Sighting, Sym, Texts, Usage};

/// What a sweep gathered, before it is joined.
#[derive(Default)]
pub struct Gathered {
    /// The connectors, in the order of their ids.
    pub systems: Vec<About>,
    /// Every resource, in the order of its index (sightings refer to it).
    pub resources: Vec<Resource>,
    /// Sealed sightings, sorted.
    pub sightings: Vec<Sighting>,
    /// Credentials that systems list.
    pub credentials: Vec<keymuster_api::Credential>,
    /// Principals.
    pub identities: Vec<keymuster_api::Identity>,
    /// Policies and their attachments.
    pub policies: Vec<Policy>,
    /// Trust policies.
    pub trusts: Vec<Trust>,
    /// Group memberships.
    pub memberships: Vec<Membership>,
    /// Slots of secret stores.
    pub slots: Vec<Slot>,
    /// Uses of slots and credentials.
    pub references: Vec<Reference>,
    /// Jobs, services, agents.
    pub consumers: Vec<Consumer>,
    /// Which slots they name.
    pub uses: Vec<SlotUse>,
    /// How things are set up, sorted by subject.
    pub settings: Vec<Setting>,
    /// Who answers for what.
    pub claims: Vec<Claim>,
    /// What happened.
    pub events: Vec<Event>,
    /// How much of each scope was seen.
    pub coverage: Vec<Coverage>,
    /// What another connector should look at.
    pub leads: Vec<Lead>,
    /// What was not seen.
    pub gaps: Vec<Gap>,
}

impl Gathered {
    /// Files one fact; work and resources are the sweep's to handle and are ignored here.
    pub fn take(&mut self, item: Item) {
        match item {
            Item::Resource(_) | Item::Work(_) => {}
            Item::Credential(fact) => self.credentials.push(fact),
            Item::Identity(fact) => self.identities.push(fact),
            Item::Policy(fact) => self.policies.push(fact),
            Item::Trust(fact) => self.trusts.push(fact),
            Item::Membership(fact) => self.memberships.push(fact),
            Item::Slot(fact) => self.slots.push(fact),
            Item::Reference(fact) => self.references.push(fact),
            Item::Consumer(fact) => self.consumers.push(fact),
            Item::Use(fact) => self.uses.push(fact),
            Item::Setting(fact) => self.settings.push(fact),
            Item::Claim(fact) => self.claims.push(fact),
            Item::Event(fact) => self.events.push(fact),
            Item::Coverage(fact) => self.coverage.push(fact),
            Item::Lead(fact) => self.leads.push(fact),
            Item::Gap(fact) => self.gaps.push(fact),
        }
    }
}

/// A repository, tree, account: something with contents of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The connector that announced it.
    pub system: keymuster_api::SystemId,
    /// Its number within that connector.
    pub id: u32,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name, stable over clones: the application, as far as checks are concerned.
    pub name: String,
    /// Where it was read.
    pub location: String,
}

/// One credential, joined from all its facts and sightings.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The canonical subject, which findings are named by: `<scheme>:<handle>` where there is
    /// a handle, else the natural key, else `secret:<secret id>`.
    pub subject: Sym,
    /// Other subjects this credential would be named by if it had less identifiers.
    pub aliases: Vec<Sym>,
    /// An id of `kinds.toml`.
    pub kind: Sym,
    /// `aws`, `github` …
    pub provider: Sym,
    /// Account, tenant, organisation.
    pub account: Option<Sym>,
    /// Its display name.
    pub name: Option<Sym>,
    /// Scheme and value of its public identifier.
    pub handle: Option<(Sym, Sym)>,
    /// Its keyed name, where the value was seen anywhere.
    pub secret: Option<SecretId>,
    /// The principal it authenticates: index into [`Estate::identities`].
    pub identity: Option<u32>,
    /// Whether it works. `Unknown` for a secret that was only seen in a source.
    pub status: Status,
    /// Whether a system lists it, as opposed to: only seen.
    pub listed: bool,
    /// When it was made.
    pub created: Known<Timestamp>,
    /// When its secret last changed.
    pub rotated: Known<Timestamp>,
    /// When it was last used.
    pub last_used: Known<Timestamp>,
    /// With what it was last used.
    pub last_used_for: Option<Sym>,
    /// When it ends.
    pub expires: Known<Timestamp>,
    /// Indices into [`Estate::sightings`], sorted. Holds those of its public identifier too.
    pub sightings: Vec<u32>,
    /// Indices into [`Estate::claims`], sorted: claims about it, its principal and its places.
    pub claims: Vec<u32>,
    /// Who says so, sorted.
    pub sources: Vec<Source>,
}

/// One principal.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its natural key: the ARN.
    pub key: Sym,
    /// User, role …
    pub kind: IdentityKind,
    /// Its short name.
    pub name: Sym,
    /// `aws` …
    pub provider: Sym,
    /// Account.
    pub account: Option<Sym>,
    /// Whether it works.
    pub status: Status,
    /// When it was made.
    pub created: Known<Timestamp>,
    /// When it last acted.
    pub last_used: Known<Timestamp>,
    /// Whether a person can log in with it.
    pub interactive: Known<bool>,
    /// Its tags.
    pub tags: Vec<(Sym, Sym)>,
    /// Indices of its credentials, sorted.
    pub credentials: Vec<u32>,
    /// Indices of claims about it, sorted.
    pub claims: Vec<u32>,
    /// Who says so.
    pub sources: Vec<Source>,
}

/// Everything that exists, as far as it was seen.
#[derive(Default)]
pub struct Estate {
    /// Names.
    pub texts: Texts,
    /// Credentials, sorted by subject.
    pub credentials: Vec<Credential>,
    /// Principals, sorted by key.
    pub identities: Vec<Identity>,
    /// Who uses what.
    pub usage: Usage,
    /// The facts they were joined from. `gathered.sightings`, `.claims`, `.resources`,
    /// `.coverage`, `.gaps` are what the indices above point into.
    pub gathered: Gathered,
}

impl Estate {
    /// The text of a symbol.
    pub fn text(&self, sym: Sym) -> &str {
        self.texts.text(sym)
    }

    /// The sightings of a credential.
    pub fn sightings<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> impl Iterator<Item = &'a Sighting> {
        credential
            .sightings
            .iter()
            .map(|&ix| &self.gathered.sightings[ix as usize])
    }

    /// The principal of a credential.
    pub fn identity_of(&self, credential: &Credential) -> Option<&Identity> {
        credential.identity.map(|ix| &self.identities[ix as usize])
    }

    /// The resource of a sighting.
    pub fn resource_of(&self, sighting: &Sighting) -> &Resource {
        &self.gathered.resources[sighting.resource as usize]
    }

    /// What systems say of how something is set up: a scope, an app, a webhook.
    pub fn settings(&self, subject: &str) -> &[Setting] {
        // Sorted by subject.
        let all = &self.gathered.settings;
        let from = all.partition_point(|setting| setting.subject.0.as_str() < subject);
        let rest = &all[from..];
        &rest[..rest.partition_point(|setting| setting.subject.0 == subject)]
    }

    /// The value of a setting, if it was told.
    pub fn setting(&self, subject: &str, name: &str) -> Option<&str> {
        let mut own = self.settings(subject).iter();
        own.find(|setting| setting.name == name)
            .map(|setting| setting.value.as_str())
    }

    /// The claims behind a list of indices.
    pub fn claims<'a>(&'a self, indices: &'a [u32]) -> impl Iterator<Item = &'a Claim> {
        indices.iter().map(|&ix| &self.gathered.claims[ix as usize])
    }
}
