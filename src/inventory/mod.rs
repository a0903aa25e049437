//! What should exist: the organisation's record of who owns each credential, why it exists,
//! what it may do and when it ends; the people behind it; and the match with what does exist.
//!
//! In reading order: a [`mod@read`]er turns bytes into a table, [`mod@seal`] wipes the secrets out of
//! it, [`map`] gives its columns to the [`field`]s they mean, [`fill`] makes records of its
//! rows, and [`reconcile()`] holds them against the estate.
//!
//! Invariant: readers take bytes, not paths; a cell that holds a secret is sealed while it is
//! read and never stored.

mod catalogue;
mod confirm;
mod dates;
mod error;
mod field;
mod fill;
mod identify;
mod ids;
mod map;
mod matching;
mod merge;
mod people;
mod read;
mod reconcile;
mod record;
mod review;
mod seal;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, CodeOwner, CodeOwners, Component, attach_claims};
pub use confirm::{Confirmation, Confirmations};
pub use dates::DateOrder;
// What other tables of the organisation are read with.
pub(crate) use dates::{DayIs, Refusal, column as column_of_dates};
pub use error::InventoryError;
pub(crate) use fill::refused;
pub use fill::{InventorySpec, read, read_register_table};
pub use map::{InventoryMap, Proposal, proposal_toml, propose, propose_people};
pub use matching::{Match, MatchKey, Matches, Nearest};
pub use people::{Directory, Party, People, Person, PersonStatus, Team, read_people};
pub use read::{READERS, Reader, Row, Table};
pub(crate) use read::{ReadCx, read_table};
pub use reconcile::{reconcile, reconcile_confirmed};
pub use record::{
    Conflict, EvidenceKind, EvidenceRef, Identifier, Inventory, LeakedCell, OwnerKind, Record,
    RecordDetails, RecordSource, RecordStatus, ReviewDecision, Role, Tier,
};
pub use review::{REVIEW_COLUMNS, Review, Reviews};
pub(crate) use seal::seal;
pub(crate) use text::squeezed;
pub(crate) use words::{is_placeholder, tier as tier_of_word};
