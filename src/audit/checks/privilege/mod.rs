//! What it can do.

pub(super) mod admin_or_wildcard;
pub(super) mod beyond_approval;
pub(super) mod human_use;
pub(super) mod many_audiences;

/// Whether a scope is written as an action of a cloud (`s3:GetObject`, `s3:*`) or a right in a
/// cluster (`secrets:get`, `deployments.apps/scale:update`), or is a role of Google Cloud
/// (`roles/viewer`).
pub(super) fn is_action(scope: &str) -> bool {
    scope == "*"
        || (scope.contains("roles/") && !scope.contains(char::is_whitespace))
        || scope.split_once(':').is_some_and(|(service, action)| {
            let word = |text: &str, more: &str| {
                let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
                !text.is_empty() && text.chars().all(fits)
            };
            word(service, "-./*") && word(action, "*?.")
        })
}
