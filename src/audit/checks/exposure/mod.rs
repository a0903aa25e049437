//! Secrets where they can be read.

pub(super) mod exposed_and_valid;
pub(super) mod hard_coded;
pub(super) mod outside_vault;
pub(super) mod secret_in_source;
pub(super) mod weakly_held;
