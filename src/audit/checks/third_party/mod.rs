//! Who stands outside.

pub(super) mod vendor_access;
