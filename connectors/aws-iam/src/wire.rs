//! The shapes of AWS's answers, as far as they are read. Unknown fields are ignored.
//!
//! Lists default to empty: AWS leaves out `UserPolicyList` and others where there is nothing.

use keymuster_api::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A tag.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tag {
    #[serde(alias = "Key")]
    pub(crate) key: String,
    #[serde(alias = "Value", default)]
    pub(crate) value: Option<String>,
}

/// A reference to a managed policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachedPolicy {
    #[serde(default)]
    pub(crate) policy_name: Option<String>,
    pub(crate) policy_arn: String,
}

/// A policy written into a principal.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InlinePolicy {
    pub(crate) policy_name: String,
    pub(crate) policy_document: Box<RawValue>,
}

/// A permissions boundary.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Boundary {
    pub(crate) permissions_boundary_arn: String,
}

/// A user of the authorization details, or of `list-users`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserDetail {
    pub(crate) arn: String,
    pub(crate) user_name: String,
    #[serde(default, deserialize_with = "time")]
    pub(crate) create_date: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) password_last_used: Option<Timestamp>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) user_policy_list: Vec<InlinePolicy>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) group_list: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) attached_managed_policies: Vec<AttachedPolicy>,
    #[serde(default)]
    pub(crate) permissions_boundary: Option<Boundary>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) tags: Vec<Tag>,
}

/// A group of the authorization details.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupDetail {
    pub(crate) arn: String,
    pub(crate) group_name: String,
    #[serde(default, deserialize_with = "time")]
    pub(crate) create_date: Option<Timestamp>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) group_policy_list: Vec<InlinePolicy>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) attached_managed_policies: Vec<AttachedPolicy>,
}

/// When and where a role was last used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleLastUsed {
    #[serde(default, deserialize_with = "time")]
    pub(crate) last_used_date: Option<Timestamp>,
}

/// An instance profile: what machines run as.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InstanceProfile {
    pub(crate) arn: String,
}

/// A role of the authorization details, or of `list-roles`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleDetail {
    pub(crate) arn: String,
    pub(crate) role_name: String,
    #[serde(default, deserialize_with = "time")]
    pub(crate) create_date: Option<Timestamp>,
    #[serde(default)]
    pub(crate) assume_role_policy_document: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) instance_profile_list: Vec<InstanceProfile>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) role_policy_list: Vec<InlinePolicy>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) attached_managed_policies: Vec<AttachedPolicy>,
    #[serde(default)]
    pub(crate) permissions_boundary: Option<Boundary>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) tags: Vec<Tag>,
    #[serde(default)]
    pub(crate) role_last_used: Option<RoleLastUsed>,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyVersion {
    #[serde(default)]
    pub(crate) document: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) version_id: String,
    #[serde(default)]
    pub(crate) is_default_version: bool,
}

/// A managed policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyDetail {
    pub(crate) arn: String,
    #[serde(default)]
    pub(crate) policy_name: Option<String>,
    #[serde(default)]
    pub(crate) default_version_id: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) policy_version_list: Vec<PolicyVersion>,
}

/// An entry of `list-access-keys`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccessKeyEntry {
    #[serde(default)]
    pub(crate) user_name: Option<String>,
    pub(crate) access_key_id: String,
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) create_date: Option<Timestamp>,
}

/// The inner part of `get-access-key-last-used`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LastUsedDetail {
    #[serde(default, deserialize_with = "time")]
    pub(crate) last_used_date: Option<Timestamp>,
    #[serde(default)]
    pub(crate) service_name: Option<String>,
    #[serde(default)]
    pub(crate) region: Option<String>,
}

/// An answer of `get-access-key-last-used`, with the key id if anything around it told.
#[derive(Debug, Clone)]
pub(crate) struct LastUsed {
    pub(crate) access_key_id: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) detail: LastUsedDetail,
}

/// An entry of `list-service-specific-credentials`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServiceCredential {
    #[serde(default)]
    pub(crate) user_name: Option<String>,
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) service_name: Option<String>,
    #[serde(default)]
    pub(crate) service_user_name: Option<String>,
    #[serde(default)]
    pub(crate) service_credential_alias: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) create_date: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) expiration_date: Option<Timestamp>,
    pub(crate) service_specific_credential_id: String,
}

/// An entry of a list of credentials that are neither keys nor passwords: SSH keys, certificates
/// of several kinds, SAML providers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ListedCredential {
    #[serde(rename = "UserName", default)]
    pub(crate) user_name: Option<String>,
    #[serde(
        alias = "SSHPublicKeyId",
        alias = "CertificateId",
        alias = "ServerCertificateId",
        alias = "subjectId",
        default
    )]
    pub(crate) id: Option<String>,
    #[serde(alias = "Arn", alias = "subjectArn", default)]
    pub(crate) arn: Option<String>,
    #[serde(alias = "ServerCertificateName", alias = "x509Subject", default)]
    pub(crate) name: Option<String>,
    #[serde(rename = "Status", default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    #[serde(
        alias = "UploadDate",
        alias = "createdAt",
        alias = "CreateDate",
        default,
        deserialize_with = "time"
    )]
    pub(crate) created: Option<Timestamp>,
    #[serde(
        alias = "Expiration",
        alias = "ValidUntil",
        default,
        deserialize_with = "time"
    )]
    pub(crate) expires: Option<Timestamp>,
    #[serde(alias = "lastSeenAt", default, deserialize_with = "time")]
    pub(crate) last_used: Option<Timestamp>,
}

/// A list that may be `null`.
fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}

/// A date as the AWS CLI writes it: ISO 8601, seconds since 1970, or a word such as `N/A`.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Text(String),
        Number(f64),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Shape::deserialize(from)? {
        Shape::Text(text) => parse_time(&text),
        Shape::Number(seconds) if seconds.abs() < 1e11 => {
            Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
        }
        Shape::Number(_) | Shape::Other(_) => None,
    })
}

/// A date in text; without an offset it is taken as UTC.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        text.parse::<jiff::civil::DateTime>()
            .ok()
            .and_then(|local| jiff::tz::TimeZone::UTC.to_timestamp(local).ok())
    })
}

#[cfg(test)]
mod tests {
    use super::{UserDetail, parse_time};

    #[test]
    fn dates_come_in_three_shapes() {
        let iso = parse_time("2024-03-01T00:00:00+00:00").expect("ISO");
        assert_eq!(parse_time("2024-03-01T00:00:00"), Some(iso));
        assert_eq!(parse_time("2024-03-01T00:00:00Z"), Some(iso));
        assert_eq!(parse_time("N/A"), None);
        let user: UserDetail = serde_json::from_str(
            r#"{"Arn":"a","UserName":"u","CreateDate":1709251200.0,"UserPolicyList":null,"New":1}"#,
        )
        .expect("a user");
        assert_eq!(user.create_date, Some(iso));
    }
}
