//! What exists against what is recorded.

pub(super) mod duplicate_records;
pub(super) mod ghost_record;
pub(super) mod incomplete_record;
pub(super) mod no_api_map;
pub(super) mod record_differs;
pub(super) mod revoked_on_paper;
pub(super) mod unregistered;
