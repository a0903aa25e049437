//! What should exist: the organisation's record of who owns each credential, why it exists,
//! what it may do and when it ends; the people behind it; and the match with what does exist.
//!
//! In reading order: a [`mod@read`]er turns bytes into a table, [`seal`] wipes the secrets out of
//! it, [`map`] gives its columns to the [`field`]s they mean, [`fill`] makes records of its
//! rows, and [`reconcile()`] holds them against the estate.
//!
//! Invariant: readers take bytes, not paths; a cell that holds a secret is sealed while it is
//! read and never stored.

mod dates;
mod directory;
mod error;
mod field;
mod fill;
mod identify;
mod ids;
mod map;
mod matching;
mod people;
mod read;
mod reconcile;
mod record;
mod seal;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use dates::DateOrder;
pub use directory::{Directory, Party, read_people};
pub use error::InventoryError;
pub use fill::{InventorySpec, read, read_register_table};
pub use map::{InventoryMap, Proposal, proposal_toml, propose};
pub use matching::{Match, MatchKey, Matches, Nearest};
pub use people::{People, Person, PersonStatus, Team};
pub use read::{READERS, Reader, Row, Table};
pub use reconcile::reconcile;
pub use record::{
    Identifier, Inventory, LeakedCell, OwnerKind, Record, RecordSource, RecordStatus, Tier,
};
