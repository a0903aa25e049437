//! Recognises entries, and keeps them with the place they were read from.

use std::collections::BTreeMap;

use keymuster_api::{Cx, GapKind, SecretId, Source};
use keymuster_exports::{Entry, Reader, Taken};
use serde_json::value::RawValue;

use crate::{
    place,
    wire::{
        AccountKey, Activity, ApiKey, Asset, Folder, HmacKey, IamPolicy, Instance, Project,
        Provider, Role, ServiceAccount,
    },
};

/// Something and where it was read.
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// A policy at a place.
pub(crate) struct Placed {
    /// `project/acme`, `folder/1`, `organization/2`, `account/<mail>`, or a full resource name.
    pub(crate) place: String,
    pub(crate) policy: IamPolicy,
}

/// Everything that is looked at.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) accounts: Vec<At<ServiceAccount>>,
    pub(crate) keys: Vec<At<AccountKey>>,
    /// API keys, each with its keyed name where the key itself was there.
    pub(crate) api_keys: Vec<(At<ApiKey>, Option<SecretId>)>,
    pub(crate) hmac_keys: Vec<At<HmacKey>>,
    pub(crate) policies: Vec<At<Placed>>,
    pub(crate) projects: Vec<At<Project>>,
    pub(crate) folders: Vec<At<Folder>>,
    /// A place and what is above it.
    pub(crate) above: Vec<At<(String, String)>>,
    pub(crate) roles: Vec<At<Role>>,
    pub(crate) providers: Vec<At<Provider>>,
    pub(crate) activities: Vec<At<Activity>>,
    pub(crate) instances: Vec<At<Instance>>,
    /// Whether some answer told of last uses.
    pub(crate) has_activities: bool,
}

/// Members of an object, each as text.
type Members = BTreeMap<String, Box<RawValue>>;

impl Parts {
    /// Files one entry by its members.
    pub(crate) fn take(
        &mut self,
        cx: &Cx<'_>,
        reader: &mut Reader<'_>,
        entry: &Entry<'_>,
        project: Option<&str>,
    ) -> Taken {
        let Ok(members) = serde_json::from_str::<Members>(entry.raw.get()) else {
            return Taken::Unknown;
        };
        self.take_object(cx, reader, entry, &members, project)
    }

    fn take_object(
        &mut self,
        cx: &Cx<'_>,
        reader: &mut Reader<'_>,
        entry: &Entry<'_>,
        members: &Members,
        project: Option<&str>,
    ) -> Taken {
        let has = |name: &str| members.contains_key(name);
        let text = |name: &str| {
            let raw = members.get(name)?;
            serde_json::from_str::<String>(raw.get()).ok()
        };
        let name = text("name").unwrap_or_default();
        if has("assetType") || has("asset_type") {
            return self.asset(cx, reader, entry, members, project);
        }
        if has("accessId") || has("access_id") {
            file(reader, "HMAC key", entry, &mut self.hmac_keys);
        } else if has("fullResourceName") && has("activity") {
            self.has_activities = true;
            file(reader, "activity", entry, &mut self.activities);
        } else if has("includedPermissions") || name.contains("roles/") && has("title") {
            file(reader, "role", entry, &mut self.roles);
        } else if name.contains("/serviceAccounts/") && name.contains("/keys/") {
            file(reader, "service account key", entry, &mut self.keys);
        } else if has("email") && (name.contains("/serviceAccounts/") || has("uniqueId")) {
            file(reader, "service account", entry, &mut self.accounts);
        } else if name.contains("/workloadIdentityPools/") {
            // Of pools only the providers say who gets in.
            if name.contains("/providers/") {
                file(reader, "provider", entry, &mut self.providers);
            }
        } else if name.contains("/locations/global/keys/") {
            self.api_key(cx, reader, entry);
        } else if has("bindings") {
            self.policy(reader, entry, project);
        } else if has("projectId") && has("projectNumber") {
            file(reader, "project", entry, &mut self.projects);
        } else if name.starts_with("folders/") {
            file(reader, "folder", entry, &mut self.folders);
        } else if has("selfLink") && has("serviceAccounts") {
            file(reader, "instance", entry, &mut self.instances);
        } else if has("etag") && members.len() <= 2 {
            // A policy without any binding has nothing but its version.
            return Taken::Known;
        } else {
            return Taken::Unknown;
        }
        Taken::Known
    }

    /// An asset holds a policy, or the resource itself as its API writes it.
    fn asset(
        &mut self,
        cx: &Cx<'_>,
        reader: &mut Reader<'_>,
        entry: &Entry<'_>,
        members: &Members,
        project: Option<&str>,
    ) -> Taken {
        let Some(asset) = reader.parse::<Asset>("asset", entry) else {
            return Taken::Known;
        };
        let source = reader.source(entry.file, entry.line);
        let full = match &asset.resource {
            Some(serde_json::Value::String(name)) => Some(name.clone()),
            _ => asset.name.clone(),
        };
        let place = full.as_deref().map(place::of_name);
        if let (Some(place), Some(policy)) = (&place, asset.policy) {
            // Projects are called by their number here and by their name there.
            let up = asset.folders.iter().chain(&asset.organization);
            let mut above: Vec<String> = up.map(|name| place::of_name(name)).collect();
            if let Some(own) = asset.project.as_deref().map(place::of_name) {
                above.insert(0, own);
            }
            above.extend(asset.ancestors.iter().map(|name| place::of_name(name)));
            for one in above.into_iter().filter(|one| one != place) {
                let value = (place.clone(), one);
                let source = source.clone();
                self.above.push(At { value, source });
            }
            let value = Placed {
                place: place.clone(),
                policy,
            };
            let source = source.clone();
            self.policies.push(At { value, source });
        }
        let data = members.get("resource").and_then(|raw| {
            let inner = serde_json::from_str::<Members>(raw.get()).ok()?;
            inner.get("data").map(|raw| raw.get().to_owned())
        });
        if let Some(data) = data
            && let Ok(raw) = RawValue::from_string(data)
            && let Ok(inner) = serde_json::from_str::<Members>(raw.get())
        {
            let entry = Entry {
                raw: &raw,
                ..*entry
            };
            let taken = self.take_object(cx, reader, &entry, &inner, project);
            // Assets of other kinds say nothing of rights.
            return if taken == Taken::Known || asset.asset_type.is_some() {
                Taken::Known
            } else {
                taken
            };
        }
        Taken::Known
    }

    fn api_key(&mut self, cx: &Cx<'_>, reader: &mut Reader<'_>, entry: &Entry<'_>) {
        let Some(mut value) = reader.parse::<ApiKey>("API key", entry) else {
            return;
        };
        let secret = value.key_string.take().filter(|key| !key.is_empty());
        let secret = secret.map(|key| cx.redactor.seal(key.as_bytes()));
        let source = reader.source(entry.file, entry.line);
        self.api_keys.push((At { value, source }, secret));
    }

    fn policy(&mut self, reader: &mut Reader<'_>, entry: &Entry<'_>, project: Option<&str>) {
        let Some(policy) = reader.parse::<IamPolicy>("IAM policy", entry) else {
            return;
        };
        let shown = reader
            .files
            .get(entry.file as usize)
            .cloned()
            .unwrap_or_default();
        let place = place::of_file(&shown).or_else(|| project.map(|id| format!("project/{id}")));
        let Some(place) = place else {
            let reason = "the policy does not say of what it is; name the file project-ID.json, \
                folder-ID.json, organization-ID.json or service-account-MAIL.json, set project, or use `gcloud \
                asset search-all-iam-policies`"
                .to_owned();
            reader.gap(GapKind::Unsupported, reason, Some(entry.line));
            reader.unread = true;
            return;
        };
        let source = reader.source(entry.file, entry.line);
        let value = Placed { place, policy };
        self.policies.push(At { value, source });
    }
}

fn file<T: serde::de::DeserializeOwned>(
    reader: &mut Reader<'_>,
    what: &str,
    entry: &Entry<'_>,
    to: &mut Vec<At<T>>,
) {
    if let Some(value) = reader.parse::<T>(what, entry) {
        let source = reader.source(entry.file, entry.line);
        to.push(At { value, source });
    }
}
