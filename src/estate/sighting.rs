//! One secret (or public identifier) at one place.

use std::sync::Arc;

use keymuster_api::{CommitFact, Confidence, Details, ObjectId, SecretId, Severity};
use serde::{Deserialize, Serialize};

/// Where in its object a secret stands. Lines and columns count from 1, columns in bytes; the
/// end is the position of the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line of the first byte.
    pub line: u64,
    /// Column of the first byte.
    pub column: u64,
    /// Line of the last byte.
    pub end_line: u64,
    /// Column of the last byte.
    pub end_column: u64,
}

/// Why a sighting does not count, which is shown and never silent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suppressed {
    /// What suppresses it: `inline comment`, or the file and line of the entry.
    pub by: String,
    /// The reason given there.
    pub reason: String,
    /// Until when it holds, as written (RFC 3339 or a date); `None` for ever.
    pub until: Option<String>,
}

/// One secret at one place, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Index of the resource in the estate.
    pub resource: u32,
    /// The rule's id.
    pub rule: Arc<str>,
    /// The kind's id.
    pub kind: Arc<str>,
    /// How sure.
    pub confidence: Confidence,
    /// How bad, as the rule says.
    pub severity: Severity,
    /// Whether the rule finds an identifier that is public by itself.
    pub public: bool,
    /// The secret's keyed name; of an identifier, the keyed name of its handle.
    pub secret: SecretId,
    /// Handle, preview, decoded layers, facts.
    pub details: Arc<Details>,
    /// Path as shown, relative to the resource's root; `(commit message)`, `(tag message)` or
    /// `(unreachable)` where there is none.
    pub path: String,
    /// Where in the file; `None` where the object could not be read a second time.
    pub position: Option<Position>,
    /// The blob, in a history.
    pub blob: Option<ObjectId>,
    /// The newest commit that holds this place, in a history.
    pub commit: Option<Arc<CommitFact>>,
    /// The commits that brought the secret in; `None` outside a history, or where parents are missing.
    pub introduced: Option<Vec<Arc<CommitFact>>>,
    /// How many versions of this path hold the secret; 1 outside a history.
    pub versions: u32,
    /// Refs whose tip holds it; `None` outside a history.
    pub at_tip: Option<Vec<String>>,
    /// Whether it is in the working tree as well (or only there).
    pub in_worktree: bool,
    /// Set where an inline comment or an entry of a suppressions file covers it.
    pub suppressed: Option<Suppressed>,
}
