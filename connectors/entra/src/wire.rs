//! The shapes of Graph's and Azure's answers, as far as they are read. Unknown fields are ignored,
//! hints of secrets (their first characters) among them.
//! (learn.microsoft.com/graph/api/resources, learn.microsoft.com/rest/api/authorization)

use keymuster_api::Timestamp;
use serde::{Deserialize, Deserializer};

/// A secret or certificate of an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppCredential {
    pub(crate) key_id: String,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) start_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) end_date_time: Option<Timestamp>,
    /// Of certificates: `Sign` for what the tenant signs with, `Verify` for what logs in.
    #[serde(default)]
    pub(crate) usage: Option<String>,
}

/// Somebody who owns an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) user_principal_name: Option<String>,
    #[serde(default)]
    pub(crate) mail: Option<String>,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
}

/// An expression in place of a subject.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Expression {
    #[serde(default)]
    pub(crate) value: String,
}

/// A federated credential: whose token logs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Federated {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) issuer: String,
    #[serde(default)]
    pub(crate) subject: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) audiences: Vec<String>,
    #[serde(default)]
    pub(crate) claims_matching_expression: Option<Expression>,
}

/// Where a client that people run takes its answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicClient {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) redirect_uris: Vec<String>,
}

/// A permission that a resource offers to applications.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AppRole {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) value: Option<String>,
}

/// `application` or `servicePrincipal`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) app_id: String,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) created_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) password_credentials: Vec<AppCredential>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) key_credentials: Vec<AppCredential>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) federated_identity_credentials: Vec<Federated>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) owners: Vec<Owner>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) tags: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) public_client: PublicClient,
    #[serde(default)]
    pub(crate) is_fallback_public_client: Option<bool>,
    #[serde(default)]
    pub(crate) sign_in_audience: Option<String>,
    /// Of a service principal: `Application`, `ManagedIdentity` …
    #[serde(default)]
    pub(crate) service_principal_type: Option<String>,
    #[serde(default)]
    pub(crate) account_enabled: Option<bool>,
    /// The tenant that registered it.
    #[serde(default)]
    pub(crate) app_owner_organization_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) app_roles: Vec<AppRole>,
    /// Of a managed identity: its resource.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) alternative_names: Vec<String>,
}

/// A permission that an application has by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppRoleAssignment {
    pub(crate) app_role_id: String,
    pub(crate) principal_id: String,
    #[serde(default)]
    pub(crate) resource_id: String,
    #[serde(default)]
    pub(crate) resource_display_name: Option<String>,
}

/// A permission that an application has in the name of people.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionGrant {
    pub(crate) client_id: String,
    pub(crate) consent_type: String,
    #[serde(default)]
    pub(crate) principal_id: Option<String>,
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// A role, in the directory or on a resource of Azure.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleAssignment {
    pub(crate) principal_id: String,
    pub(crate) role_definition_id: String,
    #[serde(default)]
    pub(crate) role_definition_name: Option<String>,
    #[serde(default)]
    pub(crate) principal_type: Option<String>,
    #[serde(default)]
    pub(crate) principal_name: Option<String>,
    /// Of Azure.
    #[serde(default)]
    pub(crate) scope: Option<String>,
    #[serde(default)]
    pub(crate) condition: Option<String>,
    /// Of the directory.
    #[serde(default)]
    pub(crate) directory_scope_id: Option<String>,
    /// Only instances of eligibility have it.
    #[serde(default)]
    pub(crate) role_eligibility_schedule_id: Option<String>,
}

/// What a role of Azure may do.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Permission {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) actions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) not_actions: Vec<String>,
}

/// A role's definition, of Azure or of the directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleDefinition {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) role_name: Option<String>,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default)]
    pub(crate) template_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) permissions: Vec<Permission>,
}

/// When something last signed in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignIn {
    #[serde(default, deserialize_with = "time")]
    pub(crate) last_sign_in_date_time: Option<Timestamp>,
}

/// An entry of a report on sign-ins: of an application, or of one of its credentials.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity {
    #[serde(default)]
    pub(crate) app_id: Option<String>,
    #[serde(default)]
    pub(crate) key_id: Option<String>,
    #[serde(default, alias = "lastSignInActivity", deserialize_with = "or_default")]
    pub(crate) sign_in_activity: SignIn,
}

/// A list or an object that may be null.
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
    let text = text.as_ref().and_then(serde_json::Value::as_str);
    Ok(text.and_then(|text| text.trim().parse().ok()))
}
