//! The shapes of GitLab's answers, as far as they are read; what is not named here is never kept.
//! Never read: `runners_token`, `import_url`, `token`s that are not sealed, values of variables
//! but what sealing leaves.

mod settings;
mod tokens;

pub(crate) use settings::{
    Environment, Hook, JobTokenScope, ProtectedBranch, ProtectedEnvironment, Schedule,
};
pub(crate) use tokens::{
    Application, DeployKey, DeployToken, OwnToken, ServiceAccount, SshKey, Token, Told, Trigger,
};

use keymuster_http::{SealCx, Sealed, Wire, loose};
use serde::{Deserialize, Serialize};

macro_rules! wire {
    ($($name:ident),+ $(,)?) => { $(impl Wire for $name {})+ };
}
pub(crate) use wire;

wire!(
    Me,
    Metadata,
    Group,
    Project,
    Member,
    SecureFile,
    GroupKeys,
    ProjectKeys,
    InstanceKeys
);

/// Which edition the host is.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Metadata {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) version: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) enterprise: Option<bool>,
}

/// Who one is there.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Me {
    pub(crate) username: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) is_admin: bool,
}

/// A group or subgroup.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Group {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    pub(crate) full_path: String,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) parent_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) visibility: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) require_two_factor_authentication: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) share_with_group_lock: Option<bool>,
}

/// A project.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Project {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    pub(crate) path_with_namespace: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) visibility: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) default_branch: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) archived: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) empty_repo: bool,
    /// Only that there is one counts.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) forked_from_project: Option<Forked>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) repository_access_level: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) public_jobs: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_config_path: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_allow_fork_pipelines_to_run_in_parent_project: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_pipeline_variables_minimum_override_role: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_push_repository_for_job_token_allowed: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_id_token_sub_claim_components: Vec<String>,
}

/// Where a project was forked from.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Forked {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) path_with_namespace: Option<String>,
}

/// A user as others are told of one.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct User {
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) username: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) state: Option<String>,
}

/// Somebody with a role. Bots of access tokens are members too, and say who made them.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Member {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    pub(crate) username: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) state: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) access_level: Option<u64>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_by: Option<User>,
}

/// A variable, with what sealing left of its value.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Variable {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: Sealed,
    #[serde(default, deserialize_with = "loose::field", alias = "variableType")]
    pub(crate) variable_type: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) protected: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) masked: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) hidden: Option<bool>,
    #[serde(default, deserialize_with = "loose::field", alias = "environmentScope")]
    pub(crate) environment_scope: Option<String>,
}

impl Wire for Variable {
    fn seal(&mut self, cx: &SealCx<'_>) {
        self.value.seal(cx);
    }
}

/// A secure file: its name and dates, never what is in it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct SecureFile {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expires_at: Option<String>,
}

/// What a query tells of a project's variables.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct ProjectKeys {
    pub(crate) project: Option<Keys>,
}

/// What a query tells of a group's variables.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct GroupKeys {
    pub(crate) group: Option<Keys>,
}

/// What a query tells of the instance's variables.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceKeys {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_variables: Option<KeyPage>,
}

/// Variables of a place; none where they are hidden from the token.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Keys {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) ci_variables: Option<KeyPage>,
}

/// A page of variables without values.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyPage {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) page_info: PageInfo,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) nodes: Vec<Option<Variable>>,
}

/// Where a query goes on.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) has_next_page: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) end_cursor: Option<String>,
}
