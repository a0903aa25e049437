//! What was looked at, and what could not be: "clean" must never mean "could not see".

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Source;

/// Something that should have been seen and was not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// What kind of failure.
    pub kind: GapKind,
    /// What was not seen: a path, an object, an account.
    pub subject: String,
    /// Why, and what to do next; lower case, no full stop.
    pub reason: String,
    /// Who says so.
    pub source: Source,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({})",
            self.subject,
            self.reason,
            self.kind.as_str()
        )
    }
}

/// The ways of not seeing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// It is there, and reading failed.
    Unreadable,
    /// It is there, and malformed.
    Corrupt,
    /// Access was refused.
    Denied,
    /// A limit was reached (size, depth, time, memory).
    Limit,
    /// It was expected, and is not there.
    Missing,
    /// The run was stopped before it was reached.
    Cancelled,
    /// keymuster does not know how to read this.
    Unsupported,
    /// A part of keymuster failed.
    Failed,
}

impl GapKind {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            GapKind::Unreadable => "unreadable",
            GapKind::Corrupt => "corrupt",
            GapKind::Denied => "denied",
            GapKind::Limit => "limit",
            GapKind::Missing => "missing",
            GapKind::Cancelled => "cancelled",
            GapKind::Unsupported => "unsupported",
            GapKind::Failed => "failed",
        }
    }
}

/// How much of a scope was seen. Without a complete one nothing in the scope is ever "gone".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The scope: `aws:123456789012`, `git:payments-api`.
    pub scope: String,
    /// What was counted: `access keys`, `blobs`, `files`.
    pub what: String,
    /// How many the system said there are, if it did.
    pub expected: Option<u64>,
    /// How many were seen.
    pub received: u64,
    /// Bytes searched, where that is what was done.
    pub bytes: u64,
    /// Whether everything of this scope was seen.
    pub complete: bool,
    /// Who says so.
    pub source: Source,
}
