//! Values of Helm charts: secrets that exist already are named there. Templates are not
//! rendered.
//! Source: helm.sh/docs/chart_template_guide/values_files

use keymuster_api::{ConsumerKind, store};

use crate::{
    file::{File, Found, Says as _},
    yaml::Yaml,
};

/// Keys whose text is the name of a secret.
const NAMES: &[&str] = &[
    "existingSecret",
    "existingSecretName",
    "secretName",
    "existingSecretRef",
    "passwordSecret",
    "authSecretName",
];
/// Keys whose mapping has the name of a secret.
const NAMED: &[&str] = &["secretKeyRef", "secretRef", "existingSecret"];

/// Reads a file of values.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let chart = folder.rsplit('/').next().filter(|name| !name.is_empty());
    let name = chart.unwrap_or(file.tree);
    let consumer = file.consumer(
        ConsumerKind::Service,
        "helm",
        name,
        (root.line(), root.end()),
    );
    let by = consumer.key.clone();
    out.consumers.push(consumer);
    let scopes = vec![format!("kubernetes:{}", file.tree)];
    root.maps(&mut |map| {
        for (key, value) in map.entries() {
            let Some(name) = key.text() else { continue };
            let named = if NAMED.contains(&name) && value.is_map() {
                value.get_text("name")
            } else if NAMES.contains(&name) {
                value.text()
            } else if name == "imagePullSecrets" {
                for item in value.items() {
                    if let Some(secret) = item
                        .text()
                        .or_else(|| item.get_text("name"))
                        .filter(|one| !one.is_empty())
                    {
                        let use_ =
                            file.named(&by, store::KUBERNETES_SECRET, secret, (name, item.line()));
                        out.uses.push(use_.within(scopes.clone()).certain());
                    }
                }
                None
            } else {
                None
            };
            if let Some(secret) = named.filter(|one| !one.is_empty() && !one.contains("{{")) {
                let use_ = file.named(&by, store::KUBERNETES_SECRET, secret, (name, value.line()));
                out.uses.push(use_.within(scopes.clone()).certain());
            }
        }
    });
}
