//! From issue to end.

pub(super) mod dormant;
pub(super) mod no_expiry;
pub(super) mod past_expiry;
pub(super) mod rotation_overdue;

/// Whether a trust tier is that of somebody outside.
fn is_third_party(trust_tier: &str) -> bool {
    matches!(trust_tier, "third_party" | "partner" | "external_developer")
}
