//! The contract between keymuster and its connectors.
//!
//! Two kinds of things leave a connector. **Work** ([`Load`]): bytes to be searched, lent to
//! the engine as [`Content`]. **Facts** ([`Item`]): what a system says about itself. What it
//! could not see is a [`Gap`], never silence.
//!
//! The order of the modules is the order of a run: a connector sweeps, its loads lend content,
//! the engine returns sealed candidates, the connector locates what matched, and facts and
//! gaps go to the estate.
//!
//! Invariant: nothing in this crate can hold a secret. A secret exists as bytes inside
//! [`Content`], which is borrowed, and as a [`SecretId`], which is keyed and one-way.
//! Invariant: no I/O, no runtime, no clock in this crate.

mod connector;
mod consumer;
mod content;
mod coverage;
mod fact;
mod grade;
mod known;
mod located;
mod memo;
mod path;
mod place;
mod progress;
mod seal;
mod setting;
mod stored;
pub mod tie;
pub mod wire;

pub use connector::{
    About, Connector, ConnectorError, Cx, Load, LoadCx, Preflight, ReadSeek, Sink,
};
pub use consumer::{
    Consumer, ConsumerKind, Login, LoginMethod, SlotUse, scope, slot_key, slot_name, store,
};
pub use content::{Candidate, Content, Copied, Details, Fresh, Hit, Inside, Origin, Trace};
pub use coverage::{Coverage, Gap, GapKind};
pub use fact::{
    Attachment, AttachmentKind, Claim, ClaimRole, Credential, Event, EventKind, Identity,
    IdentityKind, Item, Key, Lead, Membership, Policy, Reference, Resource, ResourceKind, Slot,
    Source, Status, Trust,
};
pub use grade::{Confidence, Severity};
pub use known::Known;
pub use located::{CommitFact, Located, Wanted, WantedSecret};
pub use memo::Memo;
pub use place::{ObjectId, PathBytes, PathClass, PathClasses, Place, Spot, SystemId};
pub use progress::{Cancel, NoProgress, Progress};
pub use seal::{Handle, Redaction, Redactor, SecretId};
pub use setting::Setting;
pub use stored::Word;

pub use jiff::Timestamp;
