//! What the token of every job may do unless its workflow says otherwise. A part of PRV-02.

use keymuster_api::{Setting, Severity};

use crate::audit::{CheckCx, Findings, Subject};

/// Organisations and repositories of which a host tells it. Where an organisation lets all tokens
/// write, its repositories that do the same are told with it.
pub(in crate::audit) fn default_tokens(cx: &CheckCx<'_>, out: &mut Findings<'_>) {
    let all = cx.estate.gathered.settings.iter();
    let told: Vec<&Setting> = all
        .filter(|one| one.name == "default-token-permissions")
        .collect();
    let writes = |scope: &str| {
        let own = |one: &&&Setting| one.subject.0 == scope;
        told.iter()
            .find(own)
            .is_some_and(|one| one.value == "write")
    };
    for one in &told {
        let scope = one.subject.0.as_str();
        let is_off = cx.estate.setting(scope, "actions-enabled") == Some("false");
        let above = scope.rsplit_once('/').map(|(above, _)| above);
        if is_off || one.value == "write" && above.is_some_and(writes) {
            continue;
        }
        let subject = Subject::Scope(scope.to_owned());
        if one.value != "write" {
            out.pass(&subject);
            continue;
        }
        let below = format!("{scope}/");
        let same = told
            .iter()
            .filter(|other| other.value == "write" && other.subject.0.starts_with(&below))
            .count();
        judge(cx, subject, one, same, out);
    }
}

fn judge(
    cx: &CheckCx<'_>,
    subject: Subject,
    setting: &Setting,
    repositories: usize,
    out: &mut Findings<'_>,
) {
    let scope = setting.subject.0.as_str();
    let approves = cx.estate.setting(scope, "token-approves-reviews") == Some("true");
    let severity = if approves {
        Severity::High
    } else {
        Severity::Medium
    };
    out.fail(subject, severity, |draft| {
        draft.title(format!("The token of every job in {scope} may write"));
        let source = setting.source.locator.as_str();
        draft.evidence("default token permissions", "write", source);
        if repositories > 0 {
            let says = format!("{repositories} that are set up so");
            draft.evidence("repositories", says, source);
        }
        if approves {
            draft.evidence("tokens of jobs", "may approve pull requests", source);
        }
        draft.remedy(format!(
            "in the settings of {scope}, Actions, General, Workflow permissions: read; what a job needs beside that, its workflow names under `permissions`"
        ));
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::audit::checks::testing::World;

    const NAME: &str = "default-token-permissions";

    #[test]
    fn true_an_organisation_once_and_a_repository_by_itself() {
        let mut world = World::new();
        world.set("github:acme", NAME, "write");
        world.set("github:acme/a", NAME, "write");
        world.set("github:acme/b", NAME, "read");
        let finding = world.finding("PRV-02");
        assert_eq!(finding.subject_key, "scope:github:acme");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence.len(), 2);
        world.set("github:acme", "token-approves-reviews", "true");
        assert_eq!(world.finding("PRV-02").severity, Severity::High);
        let mut world = World::new();
        world.set("github:acme", NAME, "read");
        world.set("github:acme/a", NAME, "write");
        assert_eq!(world.finding("PRV-02").subject_key, "scope:github:acme/a");
    }

    #[test]
    fn near_miss_that_reads_or_is_off() {
        let mut world = World::new();
        world.set("github:acme", NAME, "read");
        world.assert_passes("PRV-02");
        world.set("github:acme/a", NAME, "write");
        world.set("github:acme/a", "actions-enabled", "false");
        world.assert_passes("PRV-02");
        World::new().assert_ignores("PRV-02");
    }
}
