//! Tokens, keys, applications, and who they belong to.

use keymuster_http::{SealCx, Sealed, Wire, loose};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{User, wire};

wire!(Token, DeployToken, ServiceAccount, OwnToken);

/// A personal, project or group access token.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Token {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) scopes: Vec<String>,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) user_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) access_level: Option<u64>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) revoked: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) active: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expires_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) last_used_at: Option<String>,
}

/// The token that one has oneself.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct OwnToken {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) scopes: Vec<String>,
}

/// A deploy token. When it was made and used, GitLab does not tell.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct DeployToken {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) username: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expires_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) revoked: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expired: bool,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) scopes: Vec<String>,
}

/// A point in time that some versions tell and others do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Told {
    /// Not told at all.
    #[default]
    Nothing,
    /// Told that it never was.
    Never,
    /// Told.
    At(String),
}

impl Told {
    fn is_nothing(&self) -> bool {
        *self == Told::Nothing
    }
}

impl Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Told::At(text) => to.serialize_str(text),
            Told::Never | Told::Nothing => to.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Told, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::String(text) => Told::At(text),
            Value::Null => Told::Never,
            _ => Told::Nothing,
        })
    }
}

/// A deploy key of a project. The public half is kept as its fingerprint.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct DeployKey {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) key: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expires_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) can_push: Option<bool>,
    #[serde(default, skip_serializing_if = "Told::is_nothing")]
    pub(crate) last_used_at: Told,
}

impl Wire for DeployKey {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        let key = self.key.take();
        self.key = key.and_then(|key| keymuster_http::fingerprint(&key));
    }
}

/// An SSH key of a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct SshKey {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) key: Option<String>,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) user_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expires_at: Option<String>,
    #[serde(default, skip_serializing_if = "Told::is_nothing")]
    pub(crate) last_used_at: Told,
}

impl Wire for SshKey {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        let key = self.key.take();
        self.key = key.and_then(|key| keymuster_http::fingerprint(&key));
    }
}

/// A token that starts pipelines. To who made it GitLab shows it whole, to others its beginning.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Trigger {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) token: Sealed,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) expires_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) last_used: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) owner: Option<User>,
}

/// A token shorter than this is only the beginning of one.
const WHOLE: usize = 20;

impl Wire for Trigger {
    fn seal(&mut self, cx: &SealCx<'_>) {
        if let Sealed::Raw(raw) = &self.token
            && raw.trim().len() < WHOLE
        {
            self.token = Sealed::None;
        }
        self.token.seal(cx);
    }
}

/// A user that is no person.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct ServiceAccount {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    pub(crate) username: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) name: Option<String>,
}

/// An OAuth application of the instance.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Application {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::optional_id")]
    pub(crate) application_id: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) application_name: Option<String>,
    /// As far as it is no secret; several stand in lines of their own.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) callback_url: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) confidential: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) scopes: Vec<String>,
}

impl Wire for Application {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        let lines = self.callback_url.take();
        let outlines = lines.map(|lines| {
            let each = lines.split_ascii_whitespace().map(keymuster_http::outline);
            each.collect::<Vec<_>>().join("\n")
        });
        self.callback_url = outlines;
    }
}
