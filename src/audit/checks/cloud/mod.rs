//! How clouds are set up.

pub(super) mod broad_trust;
