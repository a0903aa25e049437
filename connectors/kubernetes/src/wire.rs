//! The shapes of Kubernetes' objects, as far as they are read. Unknown fields are ignored.
//! (kubernetes.io/docs/reference/kubernetes-api)
//!
//! Lists default to empty: Kubernetes leaves out `subjects` and `rules`, or writes null.

use std::collections::BTreeMap;

use keymuster_api::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

/// Only what kind of object it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Kind {
    #[serde(default)]
    pub(crate) kind: Option<String>,
}

/// Name, namespace, what people wrote about it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) creation_timestamp: Option<Timestamp>,
}

impl Meta {
    /// The namespace; objects that are in none and should be are in `default`, as for kubectl.
    pub(crate) fn space(&self) -> &str {
        match self.namespace.as_deref() {
            Some(space) if !space.is_empty() => space,
            _ => "default",
        }
    }
}

/// `v1/ServiceAccount`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceAccount {
    pub(crate) metadata: Meta,
    #[serde(default)]
    pub(crate) automount_service_account_token: Option<bool>,
}

/// `v1/Secret`, without what is in it but for the token of a service account.
#[derive(Deserialize)]
pub(crate) struct Secret {
    pub(crate) metadata: Meta,
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) data: Option<SecretData>,
}

/// The one value of a Secret that is looked at.
#[derive(Deserialize)]
pub(crate) struct SecretData {
    /// Base64 of the token.
    #[serde(default, deserialize_with = "wiped")]
    pub(crate) token: Option<Zeroizing<String>>,
}

/// `v1/ConfigMap`, by its texts.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ConfigMap {
    pub(crate) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) data: BTreeMap<String, String>,
}

/// One rule of a role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) api_groups: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) resources: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) resource_names: Vec<String>,
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[serde(rename = "nonResourceURLs")]
    pub(crate) non_resource_urls: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) verbs: Vec<String>,
}

/// Which ClusterRoles are put together.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Aggregation {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) cluster_role_selectors: Vec<Selector>,
}

/// Labels that must be there.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Selector {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) match_labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) match_expressions: Vec<serde_json::Value>,
}

/// `rbac.authorization.k8s.io/v1`: Role and ClusterRole.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    pub(crate) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) rules: Vec<Rule>,
    #[serde(default)]
    pub(crate) aggregation_rule: Option<Aggregation>,
}

/// The role that a binding gives.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RoleRef {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// Whom a binding gives it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Subject {
    pub(crate) kind: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
}

/// `rbac.authorization.k8s.io/v1`: RoleBinding and ClusterRoleBinding.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Binding {
    pub(crate) metadata: Meta,
    pub(crate) role_ref: RoleRef,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) subjects: Vec<Subject>,
}

/// What a pod runs as.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodSpec {
    #[serde(default)]
    pub(crate) service_account_name: Option<String>,
    #[serde(default)]
    pub(crate) automount_service_account_token: Option<bool>,
}

/// `v1/Pod`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pod {
    pub(crate) metadata: Meta,
    #[serde(default)]
    pub(crate) spec: PodSpec,
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

/// RFC 3339; what is none counts as not told.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<serde_json::Value>::deserialize(from)?;
    Ok(text
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .and_then(|text| text.parse().ok()))
}
