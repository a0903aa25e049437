//! Which kind of file a path names.

/// A kind of file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A workflow of GitHub, or of Gitea and Forgejo, which read the same.
    GitHub,
    /// `dependabot.yml`.
    Dependabot,
    /// `.gitlab-ci.yml`.
    GitLab,
    /// A pipeline of Jenkins.
    Jenkins,
    /// `.circleci/config.yml`.
    CircleCi,
    /// A pipeline of Azure DevOps, or a template of one.
    Azure,
    /// `bitbucket-pipelines.yml`.
    Bitbucket,
    /// A pipeline of Buildkite.
    Buildkite,
    /// A Compose file.
    Compose,
    /// Values of a Helm chart.
    Helm,
    /// Terraform or OpenTofu.
    Terraform,
    /// Tools of an agent, as JSON or TOML.
    Agent,
    /// Who owns which files.
    CodeOwners,
    /// Backstage's description of a component.
    Catalogue,
    /// Other YAML: a manifest of Kubernetes, a part of a pipeline, or nothing of ours.
    Yaml,
}

/// Files that hold the tools of agents, by the end of their path.
const AGENTS: &[&str] = &[
    ".mcp.json",
    "mcp.json",
    "mcp_config.json",
    "claude_desktop_config.json",
    ".claude.json",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".gemini/settings.json",
    ".codex/config.toml",
    "cline_mcp_settings.json",
    "opencode.json",
    ".zed/settings.json",
];

/// The kind of a path; `None` for what is not read.
pub(crate) fn kind(path: &str) -> Option<Kind> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    let is_yaml = lower.ends_with(".yml") || lower.ends_with(".yaml");
    let stem = lower.strip_suffix(".yaml").or(lower.strip_suffix(".yml"));
    let in_folder = |wanted: &str| folder == wanted || folder.starts_with(&format!("{wanted}/"));
    Some(match (folder, stem) {
        (".github/workflows" | ".gitea/workflows" | ".forgejo/workflows", Some(_)) => Kind::GitHub,
        (".github", Some("dependabot")) => Kind::Dependabot,
        ("", Some(".gitlab-ci")) => Kind::GitLab,
        ("", Some("bitbucket-pipelines")) => Kind::Bitbucket,
        (".circleci", Some(_)) => Kind::CircleCi,
        (".buildkite", Some(_)) | ("", Some("buildkite")) => Kind::Buildkite,
        (_, Some(stem)) if is_azure(stem) || in_folder(".azure-pipelines") => Kind::Azure,
        (_, Some(_)) if in_folder(".azuredevops") || in_folder(".pipelines") => Kind::Azure,
        (_, Some(stem)) if is_compose(stem) => Kind::Compose,
        (_, Some("catalog-info")) => Kind::Catalogue,
        (_, Some(stem)) if stem == "values" || is_values(stem) => Kind::Helm,
        _ if is_jenkins(&lower) => Kind::Jenkins,
        _ if lower.ends_with(".tf") || lower.ends_with(".tofu") => Kind::Terraform,
        ("" | ".github" | "docs" | ".gitlab", _) if name == "CODEOWNERS" => Kind::CodeOwners,
        _ if is_agent(path) => Kind::Agent,
        _ if is_yaml => Kind::Yaml,
        _ => return None,
    })
}

fn is_azure(stem: &str) -> bool {
    stem.starts_with("azure-pipelines") || stem.ends_with("azure-pipelines")
}

fn is_compose(stem: &str) -> bool {
    let stem = stem.strip_prefix("docker-").unwrap_or(stem);
    stem == "compose" || stem.starts_with("compose.") || stem.starts_with("compose-")
}

fn is_values(stem: &str) -> bool {
    stem.starts_with("values-") || stem.starts_with("values.") || stem.ends_with("-values")
}

fn is_jenkins(lower: &str) -> bool {
    lower == "jenkinsfile"
        || lower.starts_with("jenkinsfile.")
        || lower.starts_with("jenkinsfile-")
        || lower.ends_with(".jenkinsfile")
}

fn is_agent(path: &str) -> bool {
    AGENTS.iter().any(|end| {
        path.strip_suffix(end)
            .is_some_and(|before| before.is_empty() || before.ends_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn paths_tell_their_kind() {
        for (path, wanted) in [
            (".github/workflows/ci.yml", Some(Kind::GitHub)),
            ("sub/.github/workflows/ci.yml", Some(Kind::Yaml)),
            (".github/workflows/nested/ci.yml", Some(Kind::Yaml)),
            (".github/dependabot.yaml", Some(Kind::Dependabot)),
            (".gitlab-ci.yml", Some(Kind::GitLab)),
            ("build/Jenkinsfile", Some(Kind::Jenkins)),
            ("Jenkinsfile.release", Some(Kind::Jenkins)),
            (".circleci/config.yml", Some(Kind::CircleCi)),
            ("azure-pipelines-release.yml", Some(Kind::Azure)),
            ("bitbucket-pipelines.yml", Some(Kind::Bitbucket)),
            (".buildkite/pipeline.yml", Some(Kind::Buildkite)),
            ("docker-compose.prod.yml", Some(Kind::Compose)),
            ("deploy/compose.yaml", Some(Kind::Compose)),
            ("composer.yaml", Some(Kind::Yaml)),
            ("chart/values-prod.yaml", Some(Kind::Helm)),
            ("infra/main.tf", Some(Kind::Terraform)),
            (".mcp.json", Some(Kind::Agent)),
            (".cursor/mcp.json", Some(Kind::Agent)),
            ("xmcp.json", None),
            ("docs/CODEOWNERS", Some(Kind::CodeOwners)),
            ("src/CODEOWNERS", None),
            ("k8s/deploy.yaml", Some(Kind::Yaml)),
            ("src/main.rs", None),
        ] {
            assert_eq!(kind(path), wanted, "{path}");
        }
    }
}
