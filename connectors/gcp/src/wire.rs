//! The shapes of Google's answers, as far as they are read. Unknown fields are ignored.
//! (cloud.google.com/iam/docs/reference/rest, cloud.google.com/asset-inventory/docs/reference/rest)

use std::collections::BTreeMap;

use keymuster_api::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

/// `iam.v1.ServiceAccount`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceAccount {
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) project_id: Option<String>,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) disabled: bool,
}

/// `iam.v1.ServiceAccountKey`, without its private part, which lists never hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountKey {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) key_type: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) valid_after_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) valid_before_time: Option<Timestamp>,
    #[serde(default)]
    pub(crate) disabled: bool,
}

/// `apikeys.v2.Key`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKey {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) uid: Option<String>,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) create_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) delete_time: Option<Timestamp>,
    #[serde(default)]
    pub(crate) restrictions: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    pub(crate) service_account_email: Option<String>,
    /// The key itself, where somebody exported it.
    #[serde(default, deserialize_with = "wiped")]
    pub(crate) key_string: Option<Zeroizing<String>>,
}

/// `storage.v1.HmacKeyMetadata`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HmacKey {
    #[serde(alias = "access_id")]
    pub(crate) access_id: String,
    #[serde(default, alias = "service_account", alias = "service_account_email")]
    pub(crate) service_account_email: Option<String>,
    #[serde(default, alias = "project_id")]
    pub(crate) project_id: Option<String>,
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default, alias = "time_created", deserialize_with = "time")]
    pub(crate) time_created: Option<Timestamp>,
}

/// A condition of a binding, in Google's expression language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Condition {
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) expression: String,
}

/// A role and to whom it is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Binding {
    pub(crate) role: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) members: Vec<String>,
    #[serde(default)]
    pub(crate) condition: Option<Condition>,
}

/// An IAM policy.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct IamPolicy {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) bindings: Vec<Binding>,
}

/// A result of `asset search-all-iam-policies`, or an asset of an export.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asset {
    /// The full name of the resource.
    #[serde(default)]
    pub(crate) resource: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default, alias = "asset_type")]
    pub(crate) asset_type: Option<String>,
    #[serde(default)]
    pub(crate) project: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) folders: Vec<String>,
    #[serde(default)]
    pub(crate) organization: Option<String>,
    /// From the resource up to the organisation.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) ancestors: Vec<String>,
    #[serde(default, alias = "iam_policy", alias = "iamPolicy")]
    pub(crate) policy: Option<IamPolicy>,
}

/// The organisation or folder above a project or folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Parent {
    /// `folders/1`, as the third version of the API writes it.
    Name(String),
    /// As the first did, and `gcloud projects list` does.
    Parts {
        #[serde(rename = "type")]
        kind: String,
        id: String,
    },
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    pub(crate) project_id: String,
    #[serde(default)]
    pub(crate) project_number: Option<String>,
    #[serde(default)]
    pub(crate) parent: Option<Parent>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) labels: BTreeMap<String, String>,
}

/// A folder.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Folder {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) parent: Option<Parent>,
}

/// A role with its permissions.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) included_permissions: Vec<String>,
    #[serde(default)]
    pub(crate) deleted: bool,
}

/// An OpenID Connect issuer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Oidc {
    #[serde(default)]
    pub(crate) issuer_uri: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) allowed_audiences: Vec<String>,
}

/// A provider of a workload identity pool.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Provider {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) disabled: bool,
    #[serde(default)]
    pub(crate) attribute_condition: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) attribute_mapping: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) oidc: Option<Oidc>,
    #[serde(default)]
    pub(crate) aws: Option<BTreeMap<String, serde_json::Value>>,
}

/// When something last authenticated.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity {
    pub(crate) full_resource_name: String,
    #[serde(default)]
    pub(crate) activity: Authenticated,
}

/// The inner part of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authenticated {
    #[serde(default, deserialize_with = "time")]
    pub(crate) last_authenticated_time: Option<Timestamp>,
}

/// A machine and what it runs as.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    pub(crate) self_link: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) service_accounts: Vec<RunsAs>,
}

/// An account that a machine runs as.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunsAs {
    pub(crate) email: String,
}

/// A text that is wiped when it is let go.
fn wiped<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Zeroizing::new))
}

/// A list or a map that may be null.
fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// RFC 3339; what is none counts as not told. The last day of all, which Google writes for never, is
/// behind the last one that can be told.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<serde_json::Value>::deserialize(from)?;
    let text = text
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .map(str::trim);
    Ok(text.and_then(|text| {
        let last = text.starts_with("9999-").then_some(Timestamp::MAX);
        text.parse().ok().or(last)
    }))
}
