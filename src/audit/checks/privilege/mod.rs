//! What it can do.

pub(super) mod admin_or_wildcard;
