//! keymuster connector: reads Google Cloud: service accounts, keys, IAM policies, workload
//! identity.
//!
//! Here: the connector and what it is configured with. `parts` recognises what `gcloud … --format
//! json`, the APIs and Cloud Asset exports write; `facts` turns it into items. A live client fills
//! the same `Parts`, so that exports and the network take one road.

mod facts;
mod parts;
mod place;
mod wire;

use std::path::PathBuf;

use keymuster_api::{About, Connector, ConnectorError, Cx, Item, Preflight, Sink};
use keymuster_exports::Reader;

/// Members of answers that list entries.
const LISTS: &[&str] = &[
    "accounts",
    "keys",
    "roles",
    "results",
    "assets",
    "items",
    "projects",
    "folders",
    "workloadIdentityPools",
    "workloadIdentityPoolProviders",
];

/// What is accepted, for the reason of a gap.
const ACCEPTED: &str = "not a Google Cloud export that is known here; accepted is what these write with \
    --format json: gcloud asset search-all-iam-policies, asset export, projects list and get-iam-policy, iam \
    service-accounts list, iam service-accounts keys list, iam roles list and describe, iam \
    workload-identity-pools list and providers list, services api-keys list, storage hmac list, \
    policy-intelligence query-activity";

/// What an instance is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpSpec {
    /// The instance, for people: `gcp gcp/*.json`.
    pub label: String,
    /// Exported files, and folders of them.
    pub exports: Vec<PathBuf>,
    /// The project of policies that name none: what `get-iam-policy` writes does not.
    pub project: Option<String>,
}

/// Reads exports of Google Cloud.
#[derive(Debug)]
pub struct GcpConnector {
    about: About,
    spec: GcpSpec,
}

impl GcpConnector {
    /// A connector over these exports.
    pub fn new(spec: GcpSpec) -> GcpConnector {
        let about = About {
            kind: "gcp",
            label: spec.label.clone(),
            network: false,
        };
        GcpConnector { about, spec }
    }
}

impl Connector for GcpConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let of = match &self.spec.project {
            Some(project) => format!(" for project {project}"),
            None => String::new(),
        };
        keymuster_exports::preflight(
            &self.spec.exports,
            "Google Cloud",
            &of,
            "gcloud asset search-all-iam-policies --scope=organizations/N --format=json",
        )
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let mut reader = Reader::new(cx, LISTS, ACCEPTED);
        let mut parts = parts::Parts::default();
        let project = self.spec.project.as_deref();
        reader.read(&self.spec.exports, |reader, entry| {
            parts.take(cx, reader, &entry, project)
        });
        for item in facts::items(&mut reader, &parts) {
            out.emit(item);
        }
        for gap in std::mem::take(&mut reader.gaps) {
            out.emit(Item::Gap(gap));
        }
        Ok(())
    }
}

/// Whether a file that begins like this is an export of Google Cloud.
pub fn looks_like(head: &str) -> bool {
    const WORDS: &[&str] = &[
        "gserviceaccount.com",
        "googleapis.com",
        "\"bindings\"",
        "/serviceAccounts/",
        "workloadIdentityPools",
        "\"includedPermissions\"",
        "\"storage#hmacKeyMetadata\"",
        "\"projectNumber\"",
        "/locations/global/keys/",
    ];
    WORDS.iter().any(|word| head.contains(word)) && !head.contains("\"apiVersion\"")
}

#[cfg(test)]
mod tests;
