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
// What other tables of the organisation are read with.
pub(crate) use dates::{DayIs, Refusal, column as column_of_dates};
pub use directory::{Directory, Party, read_people};
pub use error::InventoryError;
pub(crate) use fill::refused;
pub use fill::{InventorySpec, read, read_register_table};
pub use map::{InventoryMap, Proposal, proposal_toml, propose};
pub use matching::{Match, MatchKey, Matches, Nearest};
pub use people::{People, Person, PersonStatus, Team};
pub use read::{READERS, Reader, Row, Table};
pub(crate) use read::{ReadCx, read_table};
pub use reconcile::reconcile;
pub use record::{
    Identifier, Inventory, LeakedCell, OwnerKind, Record, RecordSource, RecordStatus, Tier,
};
pub(crate) use seal::seal;
pub(crate) use text::squeezed;
pub(crate) use words::{is_placeholder, tier as tier_of_word};
