//! Backstage catalogues (backstage.io, "Descriptor Format of Catalog Entities").

use serde_json::Value;

use super::{
    System, SystemKind,
    tree::{text, texts},
};

/// Whether a document is an entity of a catalogue.
pub(super) fn is(value: &Value) -> bool {
    text(value, &["apiVersion"]).is_some_and(|version| version.starts_with("backstage.io/"))
}

/// The system an entity describes; people, groups, domains and locations are none.
pub(super) fn read(label: &str, value: &Value) -> Option<System> {
    let kind = match text(value, &["kind"])? {
        "API" => SystemKind::Api,
        "Component" | "System" | "Resource" => SystemKind::System,
        _ => return None,
    };
    let name = text(value, &["metadata", "name"])?;
    let mut system = System::named(kind, name, label);
    let null = Value::Null;
    let spec = value.get("spec").unwrap_or(&null);
    let annotations = value.get("metadata").and_then(|m| m.get("annotations"));
    let annotation = |name: &str| annotations.and_then(|all| text(all, &[name]));
    for name in ["github.com/project-slug", "gitlab.com/project-slug"] {
        if let Some(slug) = annotation(name) {
            system.aliases.push(slug.to_owned());
            let repository = slug.rsplit('/').next().unwrap_or(slug);
            system.aliases.push(repository.to_owned());
        }
    }
    system
        .aliases
        .extend(text(value, &["metadata", "title"]).map(str::to_owned));
    system.owner = text(spec, &["owner"]).map(reference);
    system.retired = matches!(text(spec, &["lifecycle"]), Some("deprecated" | "retired"));
    system.purpose = text(value, &["metadata", "description"]).map(str::to_owned);
    let names = ["providesApis", "consumesApis", "dependsOn", "dependencyOf"];
    let told: Vec<String> = names.iter().flat_map(|name| texts(spec, name)).collect();
    if names.iter().any(|name| spec.get(name).is_some()) {
        system.dependencies = Some(told.iter().map(|text| reference(text)).collect());
    }
    Some(system)
}

/// The name in `kind:namespace/name`.
fn reference(text: &str) -> String {
    let name = text.rsplit([':', '/']).next().unwrap_or(text);
    name.to_owned()
}
