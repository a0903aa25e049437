//! Secrets where they can be read.

pub(super) mod exposed_and_valid;
pub(super) mod secret_in_source;
