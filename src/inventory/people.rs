//! The people directory: who is still there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether somebody is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonStatus {
    /// Yes.
    Active,
    /// No, or suspended.
    Ended,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its name.
    pub name: String,
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
