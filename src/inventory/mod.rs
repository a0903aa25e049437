//! What should exist: the organisation's record of who owns each credential, why it exists,
//! what it may do and when it ends; the people behind it; and the match with what does exist.
//!
//! Invariant: readers take bytes, not paths; a cell that holds a secret is sealed while it is
//! read and never stored.

mod matching;
mod people;
mod record;

pub use matching::{Match, MatchKey, Matches, Nearest};
pub use people::{People, Person, PersonStatus, Team};
pub use record::{
    Identifier, Inventory, LeakedCell, OwnerKind, Record, RecordSource, RecordStatus, Tier,
};
