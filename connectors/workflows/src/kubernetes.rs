//! Kubernetes manifests: workloads and the secrets they take; secrets that stand in manifests;
//! external secrets, which name a path of a vault.
//! Source: kubernetes.io/docs/concepts/configuration/secret, external-secrets.io

use keymuster_api::{ConsumerKind, Key, Known, Slot, slot_key, store};

use crate::{
    file::{File, Found, Says as _},
    yaml::{Tree, Yaml},
};

/// Kinds that are no consumers themselves.
const PASSIVE: &[&str] = &[
    "ConfigMap",
    "Namespace",
    "CustomResourceDefinition",
    "Kustomization",
];
/// Mappings that name a secret, and the key that holds its name.
const NAMED: &[(&str, &str)] = &[
    ("secretKeyRef", "name"),
    ("secretRef", "name"),
    ("secret", "secretName"),
    ("secret", "name"),
    ("passwordSecretRef", "name"),
    ("tokenSecretRef", "name"),
    ("accessKeyIDSecretRef", "name"),
    ("secretAccessKeySecretRef", "name"),
    ("apiTokenSecretRef", "name"),
    ("nodePublishSecretRef", "name"),
    ("authSecretRef", "name"),
];

/// Whether a text may be a manifest.
pub(crate) fn may_be(text: &str) -> bool {
    text.contains("apiVersion:") && text.contains("kind:")
}

/// Reads the manifests of a file.
pub(crate) fn read(file: &File<'_>, tree: &Tree, out: &mut Found) {
    for document in tree.documents() {
        manifest(file, document, out);
        if document.get_text("kind") == Some("List") {
            for item in document.get("items").into_iter().flat_map(Yaml::items) {
                manifest(file, item, out);
            }
        }
    }
}

fn manifest(file: &File<'_>, node: Yaml<'_>, out: &mut Found) {
    let (Some(kind), Some(_)) = (node.get_text("kind"), node.get_text("apiVersion")) else {
        return;
    };
    let metadata = node.get("metadata");
    let word = |key: &str| metadata.and_then(|metadata| metadata.get_text(key));
    let name = word("name").or_else(|| word("generateName")).unwrap_or("?");
    if PASSIVE.contains(&kind) || kind == "List" {
        return;
    }
    let lines = (node.line(), node.end());
    let own = format!("kubernetes:{}", file.tree);
    if kind == "Secret" || kind == "SealedSecret" {
        return declared(file, name, &own, lines, out);
    }
    let mut scopes: Vec<String> = word("namespace")
        .map(|one| format!("kubernetes:{one}"))
        .into_iter()
        .collect();
    scopes.push(own.clone());
    let consumer = file.consumer(
        ConsumerKind::Service,
        "kubernetes",
        &format!("{kind}/{name}"),
        lines,
    );
    let by = consumer.key.clone();
    let from = out.uses.len();
    if kind == "ExternalSecret" || kind == "ClusterExternalSecret" {
        external(file, node, name, &by, &own, out);
    } else {
        names(file, node, &by, &scopes, out);
    }
    let identity = |text: &str| {
        text.contains("eks.amazonaws.com/role-arn")
            || text.contains("iam.gke.io/gcp-service-account")
            || text.contains("azure.workload.identity")
    };
    let mut annotated = false;
    if kind == "ServiceAccount" {
        for (key, _) in metadata
            .and_then(|m| m.get("annotations"))
            .map(Yaml::entries)
            .unwrap_or_default()
        {
            annotated |= key.text().is_some_and(identity);
        }
    }
    // A manifest that takes no secret is a consumer only where it may hold a literal.
    let runs = node.get("spec").is_some() || node.get("data").is_some();
    if out.uses.len() > from || runs || annotated {
        out.consumers.push(consumer);
    }
}

/// A secret that a manifest makes.
fn declared(file: &File<'_>, name: &str, scope: &str, lines: (u32, u32), out: &mut Found) {
    let property = |name: &str, value: String| (name.to_owned(), value);
    out.slots.push(Slot {
        key: slot_key(scope, store::KUBERNETES_SECRET, name),
        name: name.to_owned(),
        scope: scope.to_owned(),
        store: store::KUBERNETES_SECRET.to_owned(),
        secret: None,
        created: Known::Unknown,
        updated: Known::Unknown,
        properties: vec![
            property("declared-in", file.tree.to_owned()),
            property("declared-path", file.path.to_owned()),
            property("declared-lines", format!("{}-{}", lines.0, lines.1)),
        ],
        source: file.source(lines.0),
    });
}

fn external(file: &File<'_>, node: Yaml<'_>, name: &str, by: &Key, own: &str, out: &mut Found) {
    let spec = node.get("spec");
    let made = spec
        .and_then(|spec| spec.get("target")?.get_text("name"))
        .unwrap_or(name);
    declared(file, made, own, (node.line(), node.end()), out);
    let from = spec
        .and_then(|spec| spec.get("secretStoreRef")?.get_text("name"))
        .unwrap_or("");
    node.maps(&mut |map| {
        for key in ["remoteRef", "extract"] {
            if let Some(path) = map.get(key).and_then(|remote| remote.get("key"))
                && let Some(text) = path.text()
            {
                let use_ = file.named(by, store::VAULT, text, (key, path.line()));
                out.uses
                    .push(use_.within(vec![format!("vault:{from}")]).certain());
            }
        }
    });
}

fn names(file: &File<'_>, node: Yaml<'_>, by: &Key, scopes: &[String], out: &mut Found) {
    let mut told = |name: Option<&str>, line: u32, how: &str| {
        if let Some(name) =
            name.filter(|name| !name.is_empty() && !name.contains("{{") && !name.contains('$'))
        {
            let use_ = file.named(by, store::KUBERNETES_SECRET, name, (how, line));
            out.uses.push(use_.within(scopes.to_vec()).certain());
        }
    };
    node.maps(&mut |map| {
        for (key, value) in map.entries() {
            let Some(name) = key.text() else { continue };
            if name == "imagePullSecrets" {
                for item in value.items() {
                    told(item.get_text("name"), item.line(), name);
                }
            }
            for (_, inner) in NAMED.iter().filter(|(known, _)| *known == name) {
                told(value.get_text(inner), value.line(), name);
            }
            if name == "secretName"
                && value.text().is_some()
                && map.get("items").is_none()
                && map.get("defaultMode").is_none()
            {
                told(value.text(), value.line(), "secretName");
            }
        }
    });
}
