//! keymuster connector: reads Microsoft Entra ID and Azure: applications, their secrets and
//! certificates, federated credentials, grants, roles.
//!
//! Here: the connector and what it is configured with. `parts` recognises what `az`, Microsoft
//! Graph and AzureHound write; `facts` turns it into items. A live client fills the same `Parts`,
//! so that exports and the network take one road.

mod facts;
mod parts;
mod wire;

use std::path::PathBuf;

use keymuster_api::{About, Connector, ConnectorError, Cx, Item, Preflight, Sink};
use keymuster_exports::Reader;

/// Members of answers that list entries.
const LISTS: &[&str] = &["value", "data"];

/// What is accepted, for the reason of a gap.
const ACCEPTED: &str = "not an Entra or Azure export that is known here; accepted is what these write: az ad \
    app list --all, az ad sp list --all, az ad app federated-credential list, az role assignment list --all, az \
    role definition list, az rest on applications, servicePrincipals, appRoleAssignments, \
    oauth2PermissionGrants, roleManagement/directory/roleAssignments and roleDefinitions, \
    servicePrincipalSignInActivities, appCredentialSignInActivities; and AzureHound";

/// What an instance is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraSpec {
    /// The instance, for people: `entra entra/*.json`.
    pub label: String,
    /// Exported files, and folders of them.
    pub exports: Vec<PathBuf>,
    /// The tenant's id; without it the one that owns most of what is registered.
    pub tenant: Option<String>,
}

/// Reads exports of a tenant.
#[derive(Debug)]
pub struct EntraConnector {
    about: About,
    spec: EntraSpec,
}

impl EntraConnector {
    /// A connector over these exports.
    pub fn new(spec: EntraSpec) -> EntraConnector {
        let about = About {
            kind: "entra",
            label: spec.label.clone(),
            network: false,
        };
        EntraConnector { about, spec }
    }
}

impl Connector for EntraConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let of = match &self.spec.tenant {
            Some(tenant) => format!(" of tenant {tenant}"),
            None => String::new(),
        };
        keymuster_exports::preflight(&self.spec.exports, "Entra", &of, "az ad app list --all")
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let mut reader = Reader::new(cx, LISTS, ACCEPTED);
        let mut parts = parts::Parts::default();
        reader.read(&self.spec.exports, |reader, entry| {
            parts.take(reader, &entry)
        });
        for item in facts::items(&mut reader, &parts, self.spec.tenant.as_deref()) {
            out.emit(item);
        }
        for gap in std::mem::take(&mut reader.gaps) {
            out.emit(Item::Gap(gap));
        }
        Ok(())
    }
}

/// Whether a file that begins like this is an export of Entra or Azure.
pub fn looks_like(head: &str) -> bool {
    const WORDS: &[&str] = &[
        "\"appId\"",
        "\"@odata.",
        "\"roleDefinitionId\"",
        "\"appRoleId\"",
        "\"consentType\"",
        "\"Microsoft.Authorization/",
        "\"AZ",
        "graph.microsoft.com",
    ];
    WORDS.iter().any(|word| head.contains(word)) && !head.contains("\"apiVersion\"")
}

#[cfg(test)]
mod tests;
