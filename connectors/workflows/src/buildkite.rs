//! Buildkite: steps, the secrets they name, their plugins and scripts.
//! Source: buildkite.com/docs/pipelines/configure/step-types/command-step

use std::collections::BTreeSet;

use keymuster_api::{ConsumerKind, store};

use crate::{
    file::{File, Found, Says as _},
    shell::Scripts,
    yaml::Yaml,
};

const BUILT_IN: &[&str] = &["BUILDKITE"];

/// Reads a pipeline.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    let steps = root.get("steps").unwrap_or(root);
    let mut own = BTreeSet::new();
    names(root.get("env"), &mut own);
    let mut number = 0;
    for step in steps.items() {
        take(file, root, step, &own, &mut number, out);
        for inner in step.get("steps").into_iter().flat_map(Yaml::items) {
            take(file, root, inner, &own, &mut number, out);
        }
    }
}

fn names(env: Option<Yaml<'_>>, own: &mut BTreeSet<String>) {
    for (name, value) in env.map(Yaml::entries).unwrap_or_default() {
        if let (Some(name), Some(text)) = (name.text(), value.text())
            && !text.contains('$')
        {
            own.insert(name.to_owned());
        }
    }
}

fn take(
    file: &File<'_>,
    root: Yaml<'_>,
    step: Yaml<'_>,
    shared: &BTreeSet<String>,
    number: &mut u32,
    out: &mut Found,
) {
    if !["command", "commands", "plugins", "script"]
        .iter()
        .any(|key| step.get(key).is_some())
    {
        return;
    }
    *number += 1;
    let place = number.to_string();
    let name = ["key", "label", "name"]
        .iter()
        .find_map(|key| step.get_text(key))
        .unwrap_or(&place);
    let consumer = file.consumer(
        ConsumerKind::Job,
        "buildkite",
        name,
        (step.line(), step.end()),
    );
    let by = consumer.key.clone();
    out.consumers.push(consumer);
    let scopes = vec!["buildkite:".to_owned()];
    for secrets in [root.get("secrets"), step.get("secrets")]
        .into_iter()
        .flatten()
    {
        let listed = secrets.items().map(|item| (item, item));
        // As a mapping: the variable, and the secret it takes.
        for (variable, secret) in secrets.entries().into_iter().chain(listed) {
            if let Some(name) = secret.text() {
                let how = format!("secrets {}", variable.text().unwrap_or("?"));
                let use_ = file.named(&by, store::BUILDKITE_SECRET, name, (&how, secret.line()));
                out.uses.push(use_.within(scopes.clone()).certain());
            }
        }
    }
    let mut own = shared.clone();
    names(step.get("env"), &mut own);
    let scripts = Scripts {
        store: store::BUILDKITE_SECRET,
        scopes: scopes.clone(),
        own,
        built_in: BUILT_IN,
    };
    step.walk(&mut |key, scalar| {
        let text = scalar.text().unwrap_or("");
        // `$$X` is for the machine, `$X` is filled in when the pipeline is uploaded.
        let plain = text.replace("$$", "$");
        scripts.uses(file, &by, (&plain, scalar.line()), key, &mut out.uses);
        for (at, _) in text.match_indices("buildkite-agent secret get ") {
            let rest = &text[at + "buildkite-agent secret get ".len()..];
            let name: String = rest
                .trim_start_matches(['"', '\''])
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                let use_ = file.named(
                    &by,
                    store::BUILDKITE_SECRET,
                    &name,
                    ("secret get", scalar.line()),
                );
                out.uses.push(use_.within(scopes.clone()).certain());
            }
        }
    });
}
