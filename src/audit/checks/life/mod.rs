//! From issue to end.

pub(super) mod dormant;
pub(super) mod expiring_soon;
pub(super) mod lifecycle_event;
pub(super) mod lifetime_creep;
pub(super) mod no_expiry;
pub(super) mod no_revocation_path;
pub(super) mod past_expiry;
pub(super) mod recertification;
pub(super) mod rotation_overdue;
pub(super) mod rotation_unproven;
pub(in crate::audit) mod touched;

/// Whether a trust tier is that of somebody outside.
pub(super) fn is_third_party(trust_tier: &str) -> bool {
    matches!(trust_tier, "third_party" | "partner" | "external_developer")
}
