//! Recognises entries, and keeps them with the place they were read from.

use std::collections::BTreeMap;

use keymuster_api::Source;
use keymuster_exports::{Entry, Reader, Taken};
use serde_json::value::RawValue;

use crate::wire::{
    Activity, AppRoleAssignment, Application, Federated, Owner, PermissionGrant, RoleAssignment,
    RoleDefinition,
};

/// Something and where it was read.
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// Everything that is looked at.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) applications: Vec<At<Application>>,
    pub(crate) principals: Vec<At<Application>>,
    /// Federated credentials that stand apart, with the id of whose they are where it is told.
    pub(crate) federated: Vec<At<(Option<String>, Federated)>>,
    /// Owners that stand apart, likewise.
    pub(crate) owners: Vec<At<(String, Owner)>>,
    pub(crate) app_roles: Vec<At<AppRoleAssignment>>,
    pub(crate) grants: Vec<At<PermissionGrant>>,
    pub(crate) roles: Vec<At<RoleAssignment>>,
    pub(crate) definitions: Vec<At<RoleDefinition>>,
    pub(crate) activities: Vec<At<Activity>>,
}

type Members = BTreeMap<String, Box<RawValue>>;

impl Parts {
    /// Files one entry by its members.
    pub(crate) fn take(&mut self, reader: &mut Reader<'_>, entry: &Entry<'_>) -> Taken {
        let Ok(members) = serde_json::from_str::<Members>(entry.raw.get()) else {
            return Taken::Unknown;
        };
        // AzureHound wraps what it read, and Azure itself what belongs to a resource.
        let is_hound = members
            .get("kind")
            .is_some_and(|kind| kind.get().starts_with("\"AZ"));
        let inner = match (is_hound, members.get("data"), members.get("properties")) {
            (true, Some(inner), _) => Some(inner),
            (false, _, Some(inner)) if !members.contains_key("appId") => Some(inner),
            _ => None,
        };
        if let Some(inner) = inner
            && inner.get().starts_with('{')
        {
            let mut joined: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(inner.get()).unwrap_or_default();
            if let Some(id) = members.get("id").filter(|_| !joined.contains_key("id"))
                && let Ok(id) = serde_json::from_str(id.get())
            {
                joined.insert("id".to_owned(), id);
            }
            let text = serde_json::Value::Object(joined).to_string();
            let Ok(raw) = RawValue::from_string(text) else {
                return Taken::Unknown;
            };
            let entry = Entry {
                raw: &raw,
                ..*entry
            };
            let members: Members = serde_json::from_str(raw.get()).unwrap_or_default();
            let taken = self.take_object(reader, &entry, &members);
            // Objects of other kinds say nothing of rights.
            return if is_hound { Taken::Known } else { taken };
        }
        self.take_object(reader, entry, &members)
    }

    fn take_object(
        &mut self,
        reader: &mut Reader<'_>,
        entry: &Entry<'_>,
        members: &Members,
    ) -> Taken {
        let has = |name: &str| members.contains_key(name);
        if has("owners") && !has("displayName") {
            self.owners_of(reader, entry);
        } else if has("appId") && has("id") && !has("keyId") && !has("lastSignInActivity") {
            let is_principal = has("servicePrincipalType")
                || has("appOwnerOrganizationId")
                || has("accountEnabled")
                || has("servicePrincipalNames")
                || entry.of.contains("#servicePrincipals");
            if is_principal {
                file(reader, "service principal", entry, &mut self.principals);
            } else {
                file(reader, "application", entry, &mut self.applications);
            }
        } else if has("signInActivity") || has("lastSignInActivity") {
            file(reader, "sign-in activity", entry, &mut self.activities);
        } else if has("issuer") && (has("subject") || has("claimsMatchingExpression")) {
            if let Some(value) = reader.parse::<Federated>("federated credential", entry) {
                let source = reader.source(entry.file, entry.line);
                let whose = whose(reader, entry, value.id.as_deref());
                let value = (whose, value);
                self.federated.push(At { value, source });
            }
        } else if has("appRoleId") {
            file(reader, "app role assignment", entry, &mut self.app_roles);
        } else if has("consentType") {
            file(reader, "permission grant", entry, &mut self.grants);
        } else if has("roleDefinitionId") && has("principalId") {
            file(reader, "role assignment", entry, &mut self.roles);
        } else if has("roleName") || has("rolePermissions") || has("templateId") {
            file(reader, "role definition", entry, &mut self.definitions);
        } else if has("userPrincipalName") && has("id") {
            // A list of owners names whose it is by its address, or by the file.
            if let Some(value) = reader.parse::<Owner>("owner", entry)
                && let Some(of) = whose(reader, entry, None)
            {
                let source = reader.source(entry.file, entry.line);
                let value = (of, value);
                self.owners.push(At { value, source });
            }
        } else {
            return Taken::Unknown;
        }
        Taken::Known
    }

    /// AzureHound's list of owners of an application.
    fn owners_of(&mut self, reader: &mut Reader<'_>, entry: &Entry<'_>) {
        #[derive(serde::Deserialize)]
        struct One {
            owner: Owner,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct All {
            #[serde(default, alias = "servicePrincipalId")]
            app_id: String,
            #[serde(default)]
            owners: Option<Vec<One>>,
        }
        let Some(all) = reader.parse::<All>("list of owners", entry) else {
            return;
        };
        for one in all.owners.into_iter().flatten() {
            let source = reader.source(entry.file, entry.line);
            let value = (all.app_id.clone(), one.owner);
            self.owners.push(At { value, source });
        }
    }
}

/// Whose an entry of a list is: the id in the list's address, in its own, or in the file's name.
fn whose(reader: &Reader<'_>, entry: &Entry<'_>, own: Option<&str>) -> Option<String> {
    let shown = reader
        .files
        .get(entry.file as usize)
        .map_or("", String::as_str);
    let name = shown.rsplit(['/', '\\']).next().unwrap_or_default();
    if let Some(own) = own.filter(|own| own.contains("/userAssignedIdentities/")) {
        let end = own
            .find("/federatedIdentityCredentials")
            .unwrap_or(own.len());
        return Some(own[..end].to_lowercase());
    }
    guid_in(entry.of).or_else(|| guid_in(name))
}

/// The first GUID in a text.
fn guid_in(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_guid = |part: &[u8]| {
        part.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let found = bytes.windows(36).find(|part| is_guid(part))?;
    String::from_utf8(found.to_ascii_lowercase()).ok()
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
