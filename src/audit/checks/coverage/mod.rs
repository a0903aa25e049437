//! What could not be seen.

pub(super) mod coverage_gap;
