//! Who answers for it.

pub(super) mod no_owner;
pub(super) mod orphaned;
