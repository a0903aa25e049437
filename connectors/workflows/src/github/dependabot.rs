//! `.github/dependabot.yml`: registries that Dependabot logs in to. It has secrets of its own.
//! Source: docs.github.com/code-security/dependabot

use keymuster_api::{ConsumerKind, store};

use crate::{
    expression::{self, Name, Wanted},
    file::{File, Found, Says as _},
    yaml::Yaml,
};

/// Reads the registries of a document.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    let scopes = file.own_scopes(&[]);
    let registries = root.get("registries").map(Yaml::entries);
    for (name, registry) in registries.unwrap_or_default() {
        let Some(name) = name.text() else { continue };
        let lines = (registry.line(), registry.end());
        let consumer = file.consumer(ConsumerKind::Job, "dependabot", name, lines);
        let by = consumer.key.clone();
        out.consumers.push(consumer);
        for (key, value) in registry.entries() {
            let mut wanted = Vec::new();
            expression::in_text(value.text().unwrap_or(""), &mut wanted);
            for one in wanted {
                if let Wanted::Secret(Name::Exact(secret)) = one {
                    let how = format!("registry {}", key.text().unwrap_or("?"));
                    let place = (how.as_str(), value.line());
                    let use_ = file.named(&by, store::DEPENDABOT_SECRET, &secret, place);
                    out.uses.push(use_.within(scopes.clone()).certain());
                }
            }
        }
    }
}
