//! keymuster connector: reads Kubernetes: service accounts, their tokens, RBAC.
//!
//! Here: the connector, what it is configured with, and which objects it takes from what
//! `kubectl get … -o json` writes. `facts` turns them into items. A live client fills the same
//! `Parts`, so that exports and the network take one road.

mod facts;
mod parts;
mod wire;

use std::path::PathBuf;

use keymuster_api::{About, Connector, ConnectorError, Cx, Item, Preflight, Sink};
use keymuster_exports::Reader;

/// The cluster of exports for which none was named.
pub const UNNAMED: &str = "cluster";

/// What is accepted, for the reason of a gap.
const ACCEPTED: &str = "not a Kubernetes export that is known here; accepted is what `kubectl get \
    serviceaccounts,secrets,roles,clusterroles,rolebindings,clusterrolebindings,pods -A -o json` writes";

/// What an instance is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSpec {
    /// The instance, for people: `kubernetes k8s/*.json`.
    pub label: String,
    /// Exported files, and folders of them.
    pub exports: Vec<PathBuf>,
    /// The cluster's name: no export names it.
    pub cluster: Option<String>,
    /// The issuer of the cluster's tokens, without scheme:
    /// `oidc.eks.eu-central-1.amazonaws.com/id/…`.
    pub issuer: Option<String>,
}

/// Reads exports of a cluster.
#[derive(Debug)]
pub struct KubernetesConnector {
    about: About,
    spec: KubernetesSpec,
}

impl KubernetesConnector {
    /// A connector over these exports.
    ///
    /// # Errors
    /// When the cluster's name cannot be one.
    pub fn new(mut spec: KubernetesSpec) -> Result<KubernetesConnector, String> {
        if let Some(cluster) = &spec.cluster
            && (cluster.is_empty()
                || !cluster
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)))
        {
            return Err(format!(
                "cluster = \"{cluster}\" must be a short name of letters, digits, '.', '_' and '-'"
            ));
        }
        spec.issuer = spec.issuer.map(|issuer| {
            let bare = issuer.strip_prefix("https://").unwrap_or(&issuer);
            bare.trim_end_matches('/').to_owned()
        });
        let about = About {
            kind: "kubernetes",
            label: spec.label.clone(),
            network: false,
        };
        Ok(KubernetesConnector { about, spec })
    }

    fn cluster(&self) -> &str {
        self.spec.cluster.as_deref().unwrap_or(UNNAMED)
    }
}

impl Connector for KubernetesConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let of = format!(" of the cluster {}", self.cluster());
        keymuster_exports::preflight(
            &self.spec.exports,
            "Kubernetes",
            &of,
            "kubectl get serviceaccounts,roles,clusterroles,rolebindings,clusterrolebindings,pods -A -o json",
        )
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let mut reader = Reader::new(cx, &["items"], ACCEPTED);
        let mut parts = parts::Parts::default();
        reader.read(&self.spec.exports, |reader, entry| {
            parts.take(cx, reader, &entry)
        });
        let cluster = facts::Cluster {
            name: self.cluster(),
            issuer: self.spec.issuer.as_deref(),
        };
        let (items, gaps) = facts::items(&mut reader, &cluster, &parts);
        for item in items {
            out.emit(item);
        }
        for gap in gaps {
            out.emit(Item::Gap(gap));
        }
        Ok(())
    }
}

/// Whether a file that begins like this is an export of Kubernetes: every object says of which
/// version of the API it is.
pub fn looks_like(head: &str) -> bool {
    head.contains("\"apiVersion\"")
}

#[cfg(test)]
mod tests;
