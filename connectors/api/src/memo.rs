//! What one run leaves for the next, so that what did not change is not read again.

use crate::{Candidate, Place, SystemId};

/// The memory of earlier runs under the same rules, key and program. Whatever it gives back is
/// what some earlier run gave it, or nothing: a memory that is lost or damaged only costs time.
///
/// Bytes are kept by `unit` (a repository, say) and `part` of it. Keeping never waits for a disk
/// and never fails for the caller.
///
/// Invariant: only what is sealed goes in.
pub trait Memo: Send + Sync {
    /// The pieces of a part, in the order they were added.
    fn pieces(&self, unit: &str, part: &str) -> Vec<Vec<u8>>;

    /// One more piece: a checkpoint that a killed run resumes from.
    fn add(&self, unit: &str, part: &str, piece: Vec<u8>);

    /// These parts, each of one piece and instead of all it had, at once or not at all. An
    /// empty piece only forgets.
    fn replace(&self, unit: &str, parts: Vec<(String, Vec<u8>)>);

    /// What a content that is not lent again holds, as if it had been scanned now.
    fn told(&self, place: Place, candidates: Vec<Candidate>);

    /// Whether the run knows all about this resource as it is now. If so its sightings are
    /// those of then, nothing of it need be lent, and what was given to [`Memo::settled`]
    /// comes back.
    fn unchanged(
        &self,
        system: SystemId,
        resource: u32,
        unit: &str,
        state: &[u8],
    ) -> Option<Vec<u8>>;

    /// The resource was seen as far as it can be in this state: what gaps there are, the
    /// connector tells again as long as the state lasts. `note` is the connector's.
    fn settled(&self, system: SystemId, resource: u32, unit: &str, state: &[u8], note: Vec<u8>);
}
