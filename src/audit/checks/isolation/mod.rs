//! One credential, one use.

pub(super) mod reused;
