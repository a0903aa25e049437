//! One credential, one use.

pub(super) mod crosses_environments;
pub(super) mod reused;
pub(super) mod shared_account;
