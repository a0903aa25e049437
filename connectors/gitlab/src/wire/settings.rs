//! How projects and groups are set up: hooks, schedules, what is protected.

use std::collections::BTreeMap;

use keymuster_http::{SealCx, Wire, loose};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{User, Variable, wire};

wire!(
    JobTokenScope,
    ProtectedBranch,
    ProtectedEnvironment,
    Environment
);

/// A webhook. Its token is never sent, nor whether it has one.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Hook {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    /// Scheme, host and names of parameters; never path, values or user.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) url: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) enable_ssl_verification: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) alert_status: Option<String>,
    /// Names of headers that are sent along; their values are not told.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) custom_headers: Vec<Named>,
    /// Names of parts of the address that are masked.
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) url_variables: Vec<Named>,
    /// `push_events` …: what it is sent for.
    #[serde(flatten)]
    pub(crate) events: Events,
}

impl Wire for Hook {
    fn seal(&mut self, _cx: &SealCx<'_>) {
        self.url = self.url.take().map(|url| keymuster_http::outline(&url));
    }
}

/// Something of which only the name is told.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Named {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) key: String,
}

/// Members whose name ends in `_events` and that are true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Events(pub(crate) BTreeMap<String, bool>);

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Events, D::Error> {
        let all = BTreeMap::<String, Value>::deserialize(from)?;
        // A name is a word: nothing else is kept under it.
        let is_event = |name: &str| {
            name.len() <= 64
                && name.ends_with("_events")
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let events = all
            .into_iter()
            .filter(|(name, value)| is_event(name) && *value == Value::Bool(true));
        Ok(Events(events.map(|(name, _)| (name, true)).collect()))
    }
}

/// Whose jobs may come in with their token.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct JobTokenScope {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) inbound_enabled: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) outbound_enabled: Option<bool>,
}

/// A pipeline that runs by the clock; asked for by itself it tells its variables.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Schedule {
    #[serde(deserialize_with = "loose::id")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) description: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) active: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) created_at: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) owner: Option<User>,
    #[serde(default)]
    pub(crate) variables: Vec<Variable>,
}

impl Wire for Schedule {
    fn seal(&mut self, cx: &SealCx<'_>) {
        for variable in &mut self.variables {
            variable.value.seal(cx);
        }
    }
}

/// Who may do something: a role by number, a user, a group.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Access {
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) access_level: Option<u64>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) required_approvals: Option<u64>,
}

/// A branch, or a pattern of branches, that is protected.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct ProtectedBranch {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) push_access_levels: Vec<Access>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) allow_force_push: Option<bool>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) code_owner_approval_required: Option<bool>,
}

/// An environment to which not everybody deploys.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct ProtectedEnvironment {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) deploy_access_levels: Vec<Access>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) required_approval_count: Option<u64>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) approval_rules: Vec<Access>,
}

/// An environment.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Environment {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) state: Option<String>,
    #[serde(default, deserialize_with = "loose::field")]
    pub(crate) tier: Option<String>,
}
