//! The people directory: who is still there. [`read`] makes it of any export, [`merge`] joins
//! several, [`directory`] finds people in it.

mod directory;
mod merge;
mod read;

pub use directory::{Directory, Party};
pub use read::read_people;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether somebody is still there.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PersonStatus {
    /// Yes.
    #[default]
    Active,
    /// No, or suspended.
    Ended,
}

/// One person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Employee id or login.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// Mail.
    pub mail: Option<String>,
    /// Other mails, logins, former names.
    pub aliases: Vec<String>,
    /// Team.
    pub team: Option<String>,
    /// Manager's id or mail, as written.
    pub manager: Option<String>,
    /// Whether still there at the run's time (an end date in the future is still active).
    pub status: PersonStatus,
    /// When they left or will leave.
    pub ended_at: Option<Timestamp>,
    /// File and row.
    pub source: String,
}

/// One team, as far as the directory knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// What else it is called: ids, mails.
    pub aliases: Vec<String>,
    /// Indices of its members in [`People::people`].
    pub members: Vec<u32>,
    /// Whether at least one member is active.
    pub active: bool,
}

/// The directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// People, in file order.
    pub people: Vec<Person>,
    /// Teams, sorted by name.
    pub teams: Vec<Team>,
}
