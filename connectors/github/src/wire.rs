//! The shapes of GitHub's answers, as far as they are read; what is not named here is never kept.
//!
//! Tolerant where it costs nothing: a field of an unexpected type is as if it were not there,
//! an unknown word stays that word, an unknown permission is one more entry of a map. Only what
//! names a thing must be there.

use std::collections::BTreeMap;

use keymuster_http::{SealCx, Sealed, Wire, loose};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

macro_rules! wire {
    ($($name:ident),+ $(,)?) => { $(impl Wire for $name {})+ };
}

wire!(
    Secret,
    SecretRepository,
    Repository,
    Environment,
    Pat,
    Installation,
    ActionsPermissions,
    WorkflowPermissions,
    OidcSubject,
    Team,
    PropertyValues,
    Organization,
    Me,
);

/// A user, a team, an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Account {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) login: Option<String>,
}

/// An organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Organization {
    pub(crate) login: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) default_repository_permission: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) two_factor_requirement_enabled: Option<bool>,
}

/// Who one is there: a user, or an app.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Me {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) login: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) slug: Option<String>,
}

/// A secret's name and dates.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Secret {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) updated_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) visibility: Option<String>,
}

/// A variable, with what sealing left of its value.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Variable {
    #[serde(flatten)]
    pub(crate) slot: Secret,
    #[serde(default)]
    pub(crate) value: Sealed,
}

impl Wire for Variable {
    fn seal(&mut self, cx: &SealCx<'_>) {
        self.value.seal(cx);
    }
}

/// A repository that may use a secret of the organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct SecretRepository {
    pub(crate) full_name: String,
}

/// A repository. Never read: `temp_clone_token`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) full_name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) visibility: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) private: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) archived: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) disabled: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) fork: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) size: Option<u64>,
}

/// An environment and what protects it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Environment {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) protection_rules: Vec<ProtectionRule>,
    /// `null`: any branch.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) deployment_branch_policy: Option<BranchPolicy>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) can_admins_bypass: Option<bool>,
}

/// One protection.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct ProtectionRule {
    #[serde(default, rename = "type", deserialize_with = "loose::field")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) wait_timer: Option<u64>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) prevent_self_review: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) reviewers: Vec<Reviewer>,
}

/// Who must agree: only that there is somebody counts.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Reviewer {
    #[serde(default, rename = "type", deserialize_with = "loose::field")]
    pub(crate) kind: String,
}

/// Which branches may deploy.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct BranchPolicy {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) protected_branches: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) custom_branch_policies: bool,
}

/// Permissions by name. Unknown names stay; what is no word is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Permissions(pub(crate) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Permissions, D::Error> {
        let Value::Object(map) = Value::deserialize(from)? else {
            return Ok(Permissions::default());
        };
        // A name is a word: nothing else is kept under it.
        let is_word = |name: &str| {
            name.len() <= 64
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-')
        };
        let words = map.into_iter().filter_map(|(name, value)| match value {
            Value::String(word) if is_word(&name) => Some((name, word)),
            _ => None,
        });
        Ok(Permissions(words.collect()))
    }
}

/// What a fine-grained token may do, by whose it is.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct PatPermissions {
    #[serde(default)]
    pub(crate) organization: Permissions,
    #[serde(default)]
    pub(crate) repository: Permissions,
    #[serde(default)]
    pub(crate) other: Permissions,
}

/// A fine-grained personal access token that may reach the organisation, or wants to.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Pat {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) token_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) token_name: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) owner: Account,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) repository_selection: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) permissions: PatPermissions,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) access_granted_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) token_expired: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) token_expires_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) token_last_used_at: Option<String>,
}

/// A credential that was authorised for single sign-on.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Authorization {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) credential_id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) credential_type: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) login: Option<String>,
    #[serde(default)]
    pub(crate) token_last_eight: Sealed,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) scopes: Vec<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) fingerprint: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) credential_accessed_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) authorized_credential_title: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) authorized_credential_note: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) authorized_credential_expires_at: Option<String>,
}

impl Wire for Authorization {
    fn seal(&mut self, cx: &SealCx<'_>) {
        self.token_last_eight
            .seal_published(keymuster_api::tie::GITHUB_LAST_EIGHT, cx.redactor);
    }
}

/// An app that is installed in the organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Installation {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) app_slug: Option<String>,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) app_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) repository_selection: Option<String>,
    #[serde(default)]
    pub(crate) permissions: Permissions,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) events: Vec<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) updated_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) suspended_at: Option<String>,
}

/// A deploy key. The public half is kept as its fingerprint.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct DeployKey {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) key: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) verified: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) read_only: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) added_by: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) last_used: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) enabled: Option<bool>,
}

impl Wire for DeployKey {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        self.key = self
            .key
            .take()
            .and_then(|key| keymuster_http::fingerprint(&key));
    }
}

/// A webhook. Its secret is never sent; that it has one is.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Hook {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) active: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) events: Vec<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) config: HookConfig,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) updated_at: Option<String>,
}

/// Where a webhook goes, without what may be secret in its address.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct HookConfig {
    /// Scheme, host and names of parameters; never path, values or user.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) url: Option<String>,
    #[serde(default, deserialize_with = "insecure")]
    pub(crate) insecure_ssl: Option<bool>,
    #[serde(default, deserialize_with = "loose::present")]
    pub(crate) secret: bool,
}

impl Wire for Hook {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        self.config.url = self
            .config
            .url
            .take()
            .map(|url| keymuster_http::outline(&url));
    }
}

/// `"0"`, `"1"`, 0, 1, or what was kept.
fn insecure<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(kept) => Some(kept),
        Value::String(text) => Some(text != "0"),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        _ => None,
    })
}

/// What Actions may run.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct ActionsPermissions {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) enabled: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) enabled_repositories: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) allowed_actions: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) sha_pinning_required: Option<bool>,
}

/// What the token of a run may do unless its workflow says so.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct WorkflowPermissions {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) default_workflow_permissions: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) can_approve_pull_request_reviews: Option<bool>,
}

/// What a run's identity token says in `sub`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct OidcSubject {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) use_default: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) include_claim_keys: Vec<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) use_immutable_subject: Option<bool>,
}

/// A team with a role on a repository.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Team {
    pub(crate) slug: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) permission: Option<String>,
}

/// The custom properties of a repository.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct PropertyValues {
    pub(crate) repository_full_name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) properties: Vec<Property>,
}

/// One property: a text, several, or none.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Property {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) property_name: String,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) value: Vec<String>,
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => vec![text],
        Value::Array(values) => {
            let texts = values.into_iter().filter_map(|value| match value {
                Value::String(text) => Some(text),
                _ => None,
            });
            texts.collect()
        }
        _ => Vec::new(),
    })
}

/// An entry of the audit log.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct LogEntry {
    pub(crate) action: String,
    /// Milliseconds since 1970.
    #[serde(default, rename = "@timestamp", deserialize_with = "loose::field")]
    pub(crate) timestamp: Option<i64>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) actor: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) repo: Option<String>,
    /// The secret's name.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) key: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) environment_name: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) fingerprint: Option<String>,
    #[serde(default)]
    pub(crate) hashed_token: Sealed,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) token_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) token_scopes: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) programmatic_access_type: Option<String>,
}

impl Wire for LogEntry {
    fn seal(&mut self, cx: &SealCx<'_>) {
        self.hashed_token
            .seal_published(keymuster_api::tie::GITHUB_TOKEN_HASH, cx.redactor);
    }
}

/// What one query tells of many repositories.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Bulk {
    pub(crate) organization: BulkOrganization,
}

impl Wire for Bulk {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        for repository in self.organization.repositories.nodes.iter_mut().flatten() {
            let files = [
                &mut repository.github_owners,
                &mut repository.root_owners,
                &mut repository.docs_owners,
            ];
            for file in files.into_iter().flatten() {
                file.text = file.text.take().map(|text| without_comments(&text));
            }
        }
    }
}

/// A file of owners without what its authors say to each other.
fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.trim_start().starts_with('#') {
            true => "",
            false => line.split(" #").next().unwrap_or_default().trim(),
        });
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// The organisation of a query.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct BulkOrganization {
    pub(crate) repositories: BulkPage,
}

/// A page of a query.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkPage {
    pub(crate) page_info: PageInfo,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) nodes: Vec<Option<BulkRepository>>,
}

/// Where a query goes on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) has_next_page: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) end_cursor: Option<String>,
}

/// What a query tells of a repository.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkRepository {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) name_with_owner: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) deploy_keys: Option<Count>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) environments: Option<Count>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) github_owners: Option<BulkText>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) root_owners: Option<BulkText>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) docs_owners: Option<BulkText>,
}

/// How many there are.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Count {
    pub(crate) total_count: u64,
}

/// A file's text.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkText {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) text: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) is_truncated: bool,
}
