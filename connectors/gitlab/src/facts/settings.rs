//! How groups, projects, branches and environments are set up.

use keymuster_api::{Key, Source};

use crate::{
    Book,
    wire::{Environment, Group, JobTokenScope, Project, ProtectedBranch, ProtectedEnvironment},
};

/// A group itself.
pub(crate) fn group(book: &mut Book<'_>, of: &Group, source: &Source) {
    let key = Key(book.names.scope(&of.full_path));
    let visibility = of.visibility.as_deref().unwrap_or_default();
    book.setting(&key, "visibility", visibility, source);
    book.flag(
        &key,
        "requires-second-factor",
        of.require_two_factor_authentication,
        source,
    );
    book.flag(&key, "share-locked", of.share_with_group_lock, source);
}

/// A project itself.
pub(crate) fn project(book: &mut Book<'_>, of: &Project, source: &Source) {
    let key = Key(book.names.scope(&of.path_with_namespace));
    let visibility = of.visibility.as_deref().unwrap_or_default();
    book.setting(&key, "visibility", visibility, source);
    book.flag(&key, "archived", Some(of.archived), source);
    book.flag(&key, "fork", Some(of.forked_from_project.is_some()), source);
    book.flag(&key, "public-jobs", of.public_jobs, source);
    book.flag(
        &key,
        "fork-pipelines-in-parent",
        of.ci_allow_fork_pipelines_to_run_in_parent_project,
        source,
    );
    book.flag(
        &key,
        "job-token-pushes",
        of.ci_push_repository_for_job_token_allowed,
        source,
    );
    let role = of.ci_pipeline_variables_minimum_override_role.as_deref();
    book.setting(
        &key,
        "variables-overridden-by",
        role.unwrap_or_default(),
        source,
    );
    let pipeline = of.ci_config_path.as_deref().unwrap_or_default();
    book.setting(&key, "pipeline-path", pipeline, source);
    for claim in &of.ci_id_token_sub_claim_components {
        book.setting(&key, "oidc-subject-claims", claim, source);
    }
}

/// Whose jobs may come in with their token.
pub(crate) fn job_token(book: &mut Book<'_>, path: &str, of: &JobTokenScope, source: &Source) {
    let key = Key(book.names.scope(path));
    book.flag(
        &key,
        "job-token-inbound-limited",
        of.inbound_enabled,
        source,
    );
    book.flag(
        &key,
        "job-token-outbound-limited",
        of.outbound_enabled,
        source,
    );
}

/// What protects branches: variables that are protected are as safe as these.
pub(crate) fn branches(
    book: &mut Book<'_>,
    path: &str,
    default: Option<&str>,
    all: &[ProtectedBranch],
    source: &Source,
) {
    let key = Key(book.names.scope(path));
    for branch in all {
        book.setting(&key, "protected-branch", &branch.name, source);
    }
    let Some(default) = default else { return };
    let own = all.iter().find(|branch| branch.name == default);
    let own = own.or_else(|| all.iter().find(|branch| fits(&branch.name, default)));
    book.flag(
        &key,
        "default-branch-protected",
        Some(own.is_some()),
        source,
    );
    let Some(own) = own else { return };
    book.flag(
        &key,
        "default-branch-force-push",
        own.allow_force_push,
        source,
    );
    let levels = own.push_access_levels.iter();
    let least = levels.filter_map(|one| one.access_level).min();
    if let Some(least) = least {
        let who = match least {
            0 => "nobody",
            30 => "developers",
            40 => "maintainers",
            60 => "admins",
            _ => "others",
        };
        book.setting(&key, "default-branch-pushed-by", who, source);
    }
    book.flag(
        &key,
        "default-branch-code-owners",
        own.code_owner_approval_required,
        source,
    );
}

/// Whether a name fits a pattern in which `*` stands for anything. Every piece is looked for
/// once, from the front: the first place leaves most for the rest.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Environments and what protects them; `protected` is `None` where that is not told.
pub(crate) fn environments(
    book: &mut Book<'_>,
    path: &str,
    all: &[Environment],
    protected: Option<&[ProtectedEnvironment]>,
    source: &Source,
) {
    let repository = book.names.scope(path);
    for environment in all {
        let key = Key(book.names.environment(path, Some(&environment.name)));
        book.setting(&key, "repository", &repository, source);
        let tier = environment.tier.as_deref().unwrap_or_default();
        book.setting(&key, "tier", tier, source);
        let state = environment.state.as_deref().unwrap_or_default();
        book.setting(&key, "state", state, source);
        let Some(protected) = protected else { continue };
        let own = protected.iter().find(|one| one.name == environment.name);
        book.flag(&key, "protected", Some(own.is_some()), source);
        let rules = own.map_or(0, |own| {
            let rules = own.approval_rules.iter();
            let of_rules: u64 = rules.filter_map(|rule| rule.required_approvals).sum();
            of_rules.max(own.required_approval_count.unwrap_or(0))
        });
        book.setting(&key, "required-reviewers", &rules.to_string(), source);
        let deploy = own.map_or(&[][..], |own| &own.deploy_access_levels);
        if let Some(least) = deploy.iter().filter_map(|one| one.access_level).min() {
            let who = if least <= 30 {
                "developers"
            } else {
                "maintainers"
            };
            book.setting(&key, "deployed-by", who, source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_of_branches_fit() {
        assert!(fits("main", "main") && fits("*", "main") && fits("release/*", "release/1"));
        assert!(fits("*-stable", "1-stable") && fits("a*b*c", "axbxbc"));
        assert!(!fits("main", "mainly") && !fits("release/*", "main") && !fits("a*b", "ac"));
        assert!(!fits("é*", "e"));
    }
}
