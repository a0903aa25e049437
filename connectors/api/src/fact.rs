//! Facts: what a system says about itself.
//!
//! Subjects are named by natural keys ([`Key`]): the ARN of a principal, the id of an access
//! key. The estate interns them; connectors need not know each other to speak of one thing.

use serde::{Deserialize, Serialize};

use crate::stored::Word;
use crate::{
    Consumer, Coverage, Gap, Handle, Known, Load, SecretId, Setting, SlotUse, SystemId, Timestamp,
};

/// What a connector emits.
pub enum Item {
    /// Something with contents of its own: a repository, a tree, an account.
    Resource(Resource),
    /// Bytes to be searched.
    Work(Box<dyn Load>),
    /// A credential exists.
    Credential(Credential),
    /// A principal exists.
    Identity(Identity),
    /// A policy exists, and is attached.
    Policy(Policy),
    /// Somebody may become this principal.
    Trust(Trust),
    /// A principal belongs to a group.
    Membership(Membership),
    /// A named place holds a credential.
    Slot(Slot),
    /// Something uses a slot or a credential.
    Reference(Reference),
    /// Something that uses slots exists.
    Consumer(Consumer),
    /// A consumer names a slot.
    Use(SlotUse),
    /// How something is set up, or what it may do.
    Setting(Setting),
    /// Somebody answers for something.
    Claim(Claim),
    /// Something happened.
    Event(Event),
    /// How much of a scope was seen.
    Coverage(Coverage),
    /// Something another connector should look at.
    Lead(Lead),
    /// Something that was not seen.
    Gap(Gap),
}

/// A natural key: unique in the world, stable, public. `aws:access-key:AKIA…`, an ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub String);

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key(text.to_owned())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key(text)
    }
}

/// Who says so: the connector, and the place there (a file with its line, an endpoint).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The connector instance.
    pub system: SystemId,
    /// The place: `aws/report.csv:7`, `GET /orgs/acme/actions/secrets`.
    pub locator: String,
}

/// What kind of thing a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A git repository.
    Repository,
    /// A directory tree, a single file, or standard input.
    Tree,
    /// A cloud account.
    Account,
    /// An organisation of a code host.
    Organization,
}

/// Something with contents of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its number within the connector.
    pub id: u32,
    /// Repository, tree, account …
    pub kind: ResourceKind,
    /// Its name, stable over clones and machines where the system allows: `payments-api`.
    pub name: String,
    /// Where it was read: a path or an address.
    pub location: String,
}

/// Whether a credential or principal works.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It works.
    Active,
    /// It exists and is switched off.
    Disabled,
    /// It was revoked or deleted, and the system says so.
    Revoked,
    /// The system did not say.
    #[default]
    Unknown,
}

/// A credential that a system lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its natural key.
    pub key: Key,
    /// Its kind, an id of `kinds.toml`.
    pub kind: String,
    /// Its public identifier.
    pub handle: Option<Handle>,
    /// Its keyed name, where the value was seen.
    pub secret: Option<SecretId>,
    /// The principal it authenticates.
    pub identity: Option<Key>,
    /// `aws`, `github` …
    pub provider: String,
    /// Account, tenant, organisation.
    pub account: Option<String>,
    /// Its display name.
    pub name: Option<String>,
    /// Whether it works.
    pub status: Status,
    /// When it was made.
    pub created: Known<Timestamp>,
    /// When its secret was last changed. AWS access keys cannot be changed, so there it is `created`.
    pub rotated: Known<Timestamp>,
    /// When it was last used.
    pub last_used: Known<Timestamp>,
    /// With what it was last used: service, region.
    pub last_used_for: Option<String>,
    /// When it ends; `Never` if it has no end.
    pub expires: Known<Timestamp>,
    /// Who says so.
    pub source: Source,
}

/// What kind of principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// The account's root.
    Root,
    /// A user, person or machine.
    User,
    /// A role to be assumed.
    Role,
    /// A group of users.
    Group,
    /// A service account.
    ServiceAccount,
    /// An application.
    App,
}

/// A principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its natural key: an ARN, a client e-mail.
    pub key: Key,
    /// User, role, group …
    pub kind: IdentityKind,
    /// Its short name.
    pub name: String,
    /// `aws`, `gcp` …
    pub provider: String,
    /// Account or tenant.
    pub account: Option<String>,
    /// Whether it works.
    pub status: Status,
    /// When it was made.
    pub created: Known<Timestamp>,
    /// When it last acted.
    pub last_used: Known<Timestamp>,
    /// Whether a person can log in with it: a console password.
    pub interactive: Known<bool>,
    /// Whether it has a second factor.
    pub mfa: Known<bool>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Who says so.
    pub source: Source,
}

/// How a policy is tied to a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// Written into the principal.
    Inline,
    /// Attached to it.
    Attached,
    /// Its permissions boundary.
    Boundary,
    /// In force for its whole account (service control policy).
    Account,
    /// Resource control policy in force for its whole account.
    Resource,
}

/// One tie between a policy and a principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attachment {
    /// The principal, or the account.
    pub to: Key,
    /// How.
    pub kind: AttachmentKind,
}

/// A policy document and what it is tied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its natural key: an ARN, or `<principal ARN>/inline/<name>`.
    pub key: Key,
    /// Its name.
    pub name: String,
    /// The document in force, as JSON text.
    pub document: String,
    /// What it is tied to. Emitted again with other ties, they add up.
    pub attached: Vec<Attachment>,
    /// Who says so.
    pub source: Source,
}

/// Who may become a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The principal that can be assumed.
    pub identity: Key,
    /// The trust policy, as JSON text.
    pub document: String,
    /// Who says so.
    pub source: Source,
}

/// A principal belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The member.
    pub member: Key,
    /// The group.
    pub group: Key,
    /// Who says so.
    pub source: Source,
}

/// A named place that holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its natural key, made by [`slot_key`](crate::slot_key).
    pub key: Key,
    /// Its name.
    pub name: String,
    /// Where it applies, made by [`scope`](crate::scope()).
    pub scope: String,
    /// The kind of store, a word of [`store`](crate::store). That all slots of a store in a
    /// scope are known is told by a [`Coverage`] of that scope whose `what` is this word.
    pub store: String,
    /// The keyed name of what it holds, where the value could be read.
    pub secret: Option<SecretId>,
    /// When it was made.
    pub created: Known<Timestamp>,
    /// When its value last changed.
    pub updated: Known<Timestamp>,
    /// Properties of the store, see [`Slot::property`].
    pub properties: Vec<(String, String)>,
    /// Who says so.
    pub source: Source,
}

/// Something uses a slot or a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// What uses it: a job, a manifest.
    pub by: Key,
    /// What is used: a slot or a credential.
    pub to: Key,
    /// Who says so.
    pub source: Source,
}

/// In what capacity somebody is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimRole {
    /// Named as owner.
    Owner,
    /// Made it.
    Creator,
    /// Brought it into the source.
    Author,
    /// Looks after the place where it lies.
    Maintainer,
}

/// Somebody answers for something, says a source. Claims are kept, never collapsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The credential, principal, slot or resource.
    pub subject: Key,
    /// Who: a person's mail or id, a team's name; as the source writes it.
    pub party: String,
    /// In what capacity.
    pub role: ClaimRole,
    /// When this was seen, if the source says.
    pub observed: Option<Timestamp>,
    /// How far to trust it, in percent.
    pub confidence: u8,
    /// Who says so.
    pub source: Source,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It was made.
    Created,
    /// It was used.
    Used,
    /// Its secret or its rights changed.
    Changed,
    /// It was revoked or deleted.
    Revoked,
}

/// Something happened to a credential or a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// To what.
    pub subject: Key,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// By whom, if the source says.
    pub by: Option<String>,
    /// Who says so.
    pub source: Source,
}

/// Something another connector should look at: a repository a host lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The connector type that can follow it: `git`.
    #[serde(deserialize_with = "crate::stored::word")]
    pub connector: Word,
    /// Its address there.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Who says so.
    pub source: Source,
}
