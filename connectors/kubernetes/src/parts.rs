//! What a client hands to `facts`: objects, each with the place it was read from.

use keymuster_api::{Cx, SecretId, Source};
use keymuster_exports::{Entry, Reader, Taken};
use zeroize::Zeroizing;

use crate::wire::{Binding, ConfigMap, Kind, Pod, Role, Secret, ServiceAccount};

/// An object and where it was read.
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// Everything of a cluster that is looked at.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) accounts: Vec<At<ServiceAccount>>,
    /// Secrets that hold the token of a service account, with its keyed name where it was there.
    pub(crate) tokens: Vec<(At<Secret>, Option<SecretId>)>,
    /// Namespaced roles.
    pub(crate) roles: Vec<At<Role>>,
    pub(crate) cluster_roles: Vec<At<Role>>,
    pub(crate) bindings: Vec<At<Binding>>,
    pub(crate) cluster_bindings: Vec<At<Binding>>,
    pub(crate) pods: Vec<At<Pod>>,
    /// Since when the cluster notes the use of tokens in Secrets, if it says so.
    pub(crate) tracking_since: Option<String>,
    /// Whether Secrets were exported at all.
    pub(crate) has_secrets: bool,
}

/// The type of Secrets that hold a token of a service account.
const TOKEN: &str = "kubernetes.io/service-account-token";
/// Where a cluster says since when it notes their use (KEP 2799).
const TRACKING: &str = "kube-apiserver-legacy-service-account-token-tracking";

impl Parts {
    /// Files one object by what it is.
    pub(crate) fn take(
        &mut self,
        cx: &Cx<'_>,
        reader: &mut Reader<'_>,
        entry: &Entry<'_>,
    ) -> Taken {
        let own: Option<Kind> = serde_json::from_str(entry.raw.get()).ok();
        // Entries of the API's own lists leave out what the list says.
        let of = entry.of.strip_suffix("List").unwrap_or(entry.of);
        let kind = own.and_then(|own| own.kind);
        let kind = kind.as_deref().unwrap_or(of);
        match kind {
            "ServiceAccount" => file(reader, "ServiceAccount", entry, &mut self.accounts),
            "Role" => file(reader, "Role", entry, &mut self.roles),
            "ClusterRole" => file(reader, "ClusterRole", entry, &mut self.cluster_roles),
            "RoleBinding" => file(reader, "RoleBinding", entry, &mut self.bindings),
            "ClusterRoleBinding" => {
                file(
                    reader,
                    "ClusterRoleBinding",
                    entry,
                    &mut self.cluster_bindings,
                );
            }
            "Pod" => file(reader, "Pod", entry, &mut self.pods),
            "Secret" => self.secret(cx, reader, entry),
            "ConfigMap" => self.config_map(reader, entry),
            _ if !of.is_empty() || !kind.is_empty() => {
                // An object of Kubernetes that says nothing of rights is no mistake.
                if !entry.raw.get().contains("\"apiVersion\"") && of.is_empty() {
                    return Taken::Unknown;
                }
            }
            _ => return Taken::Unknown,
        }
        Taken::Known
    }

    fn secret(&mut self, cx: &Cx<'_>, reader: &mut Reader<'_>, entry: &Entry<'_>) {
        self.has_secrets = true;
        let Some(mut value) = reader.parse::<Secret>("Secret", entry) else {
            return;
        };
        if value.kind != TOKEN {
            return;
        }
        // The token is worth its keyed name: found in code it is this one.
        let token = value.data.take().and_then(|data| data.token);
        let token = token.and_then(|token| {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD.decode(token.trim());
            bytes.ok().map(Zeroizing::new)
        });
        let secret = token
            .filter(|token| !token.is_empty())
            .map(|token| cx.redactor.seal(&token));
        let source = reader.source(entry.file, entry.line);
        self.tokens.push((At { value, source }, secret));
    }

    fn config_map(&mut self, reader: &mut Reader<'_>, entry: &Entry<'_>) {
        if let Some(map) = reader.parse::<ConfigMap>("ConfigMap", entry)
            && map.metadata.name == TRACKING
        {
            self.tracking_since = map.data.get("since").cloned();
        }
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
