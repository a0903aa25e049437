//! How organisation, repositories and environments are set up.

use keymuster_api::{Key, Source};

use crate::{
    Book,
    wire::{
        ActionsPermissions, Environment, OidcSubject, Organization, Repository, WorkflowPermissions,
    },
};

/// The organisation itself.
pub(crate) fn organization(book: &mut Book<'_>, scope: &str, of: &Organization, source: &Source) {
    let key = Key(scope.to_owned());
    let permission = of
        .default_repository_permission
        .as_deref()
        .unwrap_or_default();
    book.setting(&key, "default-repository-permission", permission, source);
    book.flag(
        &key,
        "requires-second-factor",
        of.two_factor_requirement_enabled,
        source,
    );
}

/// A repository itself.
pub(crate) fn repository(book: &mut Book<'_>, scope: &str, of: &Repository, source: &Source) {
    let key = Key(scope.to_owned());
    let visibility = match (&of.visibility, of.private) {
        (Some(word), _) => word.as_str(),
        (None, Some(true)) => "private",
        (None, Some(false)) => "public",
        (None, None) => "",
    };
    book.setting(&key, "visibility", visibility, source);
    book.flag(&key, "archived", Some(of.archived), source);
    book.flag(&key, "fork", Some(of.fork), source);
}

/// An environment and what protects it.
pub(crate) fn environment(book: &mut Book<'_>, scope: &str, of: &Environment, source: &Source) {
    let key = Key(scope.to_owned());
    let (mut reviewers, mut minutes, mut no_self) = (0, 0, false);
    for rule in &of.protection_rules {
        match rule.kind.as_str() {
            "required_reviewers" => {
                reviewers += rule.reviewers.len();
                no_self |= rule.prevent_self_review == Some(true);
            }
            "wait_timer" => minutes += rule.wait_timer.unwrap_or(0),
            _ => {}
        }
    }
    let branches = match &of.deployment_branch_policy {
        None => "none",
        Some(policy) if policy.protected_branches => "protected",
        Some(policy) if policy.custom_branch_policies => "custom",
        Some(_) => "none",
    };
    book.setting(&key, "required-reviewers", &reviewers.to_string(), source);
    book.setting(&key, "wait-minutes", &minutes.to_string(), source);
    book.flag(&key, "prevents-self-review", Some(no_self), source);
    book.setting(&key, "branch-policy", branches, source);
    book.flag(&key, "admins-bypass", of.can_admins_bypass, source);
}

/// Which actions may run.
pub(crate) fn actions(book: &mut Book<'_>, scope: &str, of: &ActionsPermissions, source: &Source) {
    let key = Key(scope.to_owned());
    book.flag(&key, "actions-enabled", of.enabled, source);
    book.setting(
        &key,
        "actions-enabled-in",
        of.enabled_repositories.as_deref().unwrap_or_default(),
        source,
    );
    book.setting(
        &key,
        "allowed-actions",
        of.allowed_actions.as_deref().unwrap_or_default(),
        source,
    );
    book.flag(
        &key,
        "sha-pinning-required",
        of.sha_pinning_required,
        source,
    );
}

/// What tokens of runs may do by default.
pub(crate) fn workflows(
    book: &mut Book<'_>,
    scope: &str,
    of: &WorkflowPermissions,
    source: &Source,
) {
    let key = Key(scope.to_owned());
    let default = of
        .default_workflow_permissions
        .as_deref()
        .unwrap_or_default();
    book.setting(&key, "default-token-permissions", default, source);
    book.flag(
        &key,
        "token-approves-reviews",
        of.can_approve_pull_request_reviews,
        source,
    );
}

/// What identity tokens of runs say of themselves.
pub(crate) fn oidc(book: &mut Book<'_>, scope: &str, of: &OidcSubject, source: &Source) {
    let key = Key(scope.to_owned());
    book.flag(&key, "oidc-subject-default", of.use_default, source);
    book.flag(
        &key,
        "oidc-subject-immutable",
        of.use_immutable_subject,
        source,
    );
    for claim in &of.include_claim_keys {
        book.setting(&key, "oidc-subject-claims", claim, source);
    }
}
