//! How it proves who it is.

pub(super) mod local_auth;
pub(super) mod static_secret;
pub(super) mod weak_auth;
