//! Seam 2, provenance: asked after the engine drained, and only for what matched.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ObjectId, PathBytes, SecretId, Timestamp};

/// What the engine found and wants located.
pub struct Wanted {
    /// One entry per (resource, secret), sorted.
    pub secrets: Vec<WantedSecret>,
    /// Whether every blob that holds a secret is wanted, or the newest per path.
    pub every_version: bool,
}

/// One secret of one resource, and every object that holds it.
pub struct WantedSecret {
    /// The resource.
    pub resource: u32,
    /// The secret.
    pub secret: SecretId,
    /// Blobs that hold it: sorted, each once.
    pub blobs: Vec<ObjectId>,
    /// Commits and tags whose message holds it: sorted, each once.
    pub messages: Vec<ObjectId>,
}

/// A commit, as far as an audit needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommitFact {
    /// The commit (or the annotated tag).
    pub id: ObjectId,
    /// Who wrote it: `Name <mail>`, mapped by no mailmap; bytes that are no UTF-8 replaced.
    pub author: String,
    /// When it was authored; `None` where the header cannot be read.
    pub at: Option<Timestamp>,
}

/// One place of one secret in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The resource.
    pub resource: u32,
    /// The secret.
    pub secret: SecretId,
    /// The path; `None` for a message, and for a blob no commit reaches.
    pub path: Option<PathBytes>,
    /// The newest blob that holds the secret at this path (or each of them, if every version
    /// was wanted); `None` for a message.
    pub blob: Option<ObjectId>,
    /// The commit or tag whose message holds it; `None` for a blob.
    pub message: Option<ObjectId>,
    /// The newest commit that holds this blob at this path; `None` if no commit reaches it.
    pub commit: Option<Arc<CommitFact>>,
    /// The commits that contain the secret where no parent of theirs does, whichever blob, at
    /// any path; oldest first, then by id. `None` where missing parents forbid an answer.
    pub introduced: Option<Vec<Arc<CommitFact>>>,
    /// How many different blobs hold the secret at this path.
    pub versions: u32,
    /// Refs whose tip holds the secret at this path, sorted; `None` where unknown.
    pub at_tip: Option<Vec<String>>,
}
