//! What paths and slots say about a place: whether a pipeline or an agent reads it, and which
//! environment it belongs to.

use std::collections::BTreeMap;

use keymuster_api::{SecretId, Slot};

use crate::{
    audit::CheckCx,
    estate::{Credential, Sighting},
};

/// Slots by what they hold.
pub(super) struct Slots<'a>(BTreeMap<SecretId, Vec<&'a Slot>>);

impl<'a> Slots<'a> {
    /// The slots of an estate whose value was seen.
    pub(super) fn of(cx: &CheckCx<'a>) -> Slots<'a> {
        let mut by_secret: BTreeMap<SecretId, Vec<&Slot>> = BTreeMap::new();
        for slot in &cx.estate.gathered.slots {
            if let Some(secret) = slot.secret {
                by_secret.entry(secret).or_default().push(slot);
            }
        }
        Slots(by_secret)
    }

    /// The slots that hold a credential.
    pub(super) fn of_credential(
        &self,
        cx: &CheckCx<'a>,
        credential: &'a Credential,
    ) -> impl Iterator<Item = &'a Slot> {
        let mut secrets: Vec<SecretId> = credential.secret.into_iter().collect();
        secrets.extend(
            cx.estate
                .sightings(credential)
                .map(|one: &Sighting| one.secret),
        );
        secrets.sort_unstable();
        secrets.dedup();
        let found: Vec<&Slot> = secrets
            .iter()
            .filter_map(|secret| self.0.get(secret))
            .flatten()
            .copied()
            .collect();
        found.into_iter()
    }
}

/// Whether a file defines a pipeline: GitHub Actions, GitLab CI, Jenkins, CircleCI, Azure
/// Pipelines, Bitbucket, Travis, Drone, Buildkite.
pub(super) fn is_pipeline(path: &str) -> bool {
    let path = path.to_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let in_folder = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    in_folder(".github/workflows/")
        || in_folder(".github/actions/")
        || in_folder(".circleci/")
        || in_folder(".buildkite/")
        || in_folder(".gitlab/ci/")
        || matches!(
            name,
            ".gitlab-ci.yml"
                | "jenkinsfile"
                | "azure-pipelines.yml"
                | "bitbucket-pipelines.yml"
                | ".travis.yml"
                | ".drone.yml"
                | "buildspec.yml"
                | "cloudbuild.yaml"
        )
        || name.ends_with(".gitlab-ci.yml")
        || name.starts_with("jenkinsfile.")
}

/// Whether a file tells an agent or its tools what to use: MCP servers and agents' settings.
pub(super) fn is_agent_config(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut parts = path.rsplit('/');
    let (name, folder) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    matches!(
        name,
        "mcp.json"
            | ".mcp.json"
            | "mcp_config.json"
            | "mcp_settings.json"
            | "cline_mcp_settings.json"
            | "claude_desktop_config.json"
            | ".aider.conf.yml"
            | "opencode.json"
    ) || matches!(
        (folder, name),
        (".claude", "settings.json" | "settings.local.json")
            | (".codex", "config.toml")
            | (".gemini", "settings.json")
            | (".continue", "config.json" | "config.yaml")
    )
}

/// Production, or something before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::audit) enum Stage {
    Production,
    Before,
}

/// What a word says about the environment; `None` for words that say nothing sure.
pub(in crate::audit) fn stage(word: &str) -> Option<Stage> {
    match word.to_lowercase().as_str() {
        "prod" | "production" | "prd" | "live" => Some(Stage::Production),
        "dev" | "development" | "staging" | "stage" | "stg" | "test" | "testing" | "qa" | "uat"
        | "sandbox" | "preprod" | "nonprod" => Some(Stage::Before),
        _ => None,
    }
}

/// What a path says: a folder of that name, or a part of the file's name (`values-prod.yaml`,
/// `.env.staging`). `live` and `test` are too common in paths to say anything.
pub(in crate::audit) fn stage_of_path(path: &str) -> Option<Stage> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let said = |word: &str| {
        let sure = !matches!(word.to_lowercase().as_str(), "live" | "test" | "testing");
        sure.then(|| stage(word)).flatten()
    };
    let parts = name.split(['.', '-', '_']);
    parts.chain(folders.split('/')).find_map(said)
}

#[cfg(test)]
mod tests {
    use super::{Stage, is_agent_config, is_pipeline, stage_of_path};

    #[test]
    fn pipelines_and_agents_are_known_by_their_files() {
        for path in [
            ".github/workflows/ci.yml",
            "sub/.github/workflows/ci.yaml",
            ".gitlab-ci.yml",
            "deploy/Jenkinsfile",
            ".circleci/config.yml",
        ] {
            assert!(is_pipeline(path), "{path}");
        }
        for path in [
            "docs/github/workflows/ci.yml",
            "src/jenkinsfile_parser.rs",
            "gitlab-ci.md",
        ] {
            assert!(!is_pipeline(path), "{path}");
        }
        for path in [
            ".mcp.json",
            "home/.cursor/mcp.json",
            ".claude/settings.local.json",
        ] {
            assert!(is_agent_config(path), "{path}");
        }
        for path in ["settings.json", "claude/settings.json", "src/mcp.rs"] {
            assert!(!is_agent_config(path), "{path}");
        }
    }

    #[test]
    fn paths_say_their_environment_only_where_it_is_sure() {
        for (path, stage) in [
            ("deploy/prod/app.env", Some(Stage::Production)),
            ("values-production.yaml", Some(Stage::Production)),
            (".env.staging", Some(Stage::Before)),
            ("envs/dev/main.tf", Some(Stage::Before)),
            ("src/product/a.py", None),
            ("src/devices/live/test.py", None),
        ] {
            assert_eq!(stage_of_path(path), stage, "{path}");
        }
    }
}
