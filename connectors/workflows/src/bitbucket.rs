//! Bitbucket Pipelines: steps, their deployment, and the variables of their scripts.
//! Source: support.atlassian.com/bitbucket-cloud/docs/bitbucket-pipelines-configuration-reference

use std::collections::BTreeSet;

use keymuster_api::{ConsumerKind, Login, LoginMethod, store};

use crate::{
    file::{File, Found},
    github::CLOUD_VARIABLES,
    shell::Scripts,
    yaml::Yaml,
};

const BUILT_IN: &[&str] = &["BITBUCKET_"];

/// Reads a pipeline.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    let pipelines = root.get("pipelines").map(Yaml::entries).unwrap_or_default();
    for (kind, about) in pipelines {
        let kind = kind.text().unwrap_or("?");
        let mut count = 0;
        if about.is_map() {
            for (pattern, list) in about.entries() {
                let path = format!("{kind}/{}", pattern.text().unwrap_or("?"));
                steps(file, list, &path, None, &mut count, 0, out);
            }
        } else {
            steps(file, about, kind, None, &mut count, 0, out);
        }
    }
}

fn steps(
    file: &File<'_>,
    node: Yaml<'_>,
    path: &str,
    deployment: Option<&str>,
    count: &mut u32,
    depth: u8,
    out: &mut Found,
) {
    if depth > 6 {
        return;
    }
    for item in node.items_or_self() {
        for (key, value) in item.entries() {
            match key.text() {
                Some("step") => {
                    *count += 1;
                    step(file, value, path, deployment, *count, out);
                }
                Some("parallel" | "stage") => {
                    let deployment = value.get_text("deployment").or(deployment);
                    let inner = value.get("steps").unwrap_or(value);
                    steps(file, inner, path, deployment, count, depth + 1, out);
                }
                _ => {}
            }
        }
    }
}

fn step(
    file: &File<'_>,
    node: Yaml<'_>,
    path: &str,
    deployment: Option<&str>,
    number: u32,
    out: &mut Found,
) {
    let name = match node.get_text("name") {
        Some(name) => format!("{path}/{name}"),
        None => format!("{path}/{number}"),
    };
    let mut consumer = file.consumer(
        ConsumerKind::Job,
        "bitbucket-pipelines",
        &name,
        (node.line(), node.end()),
    );
    let deployment = node.get_text("deployment").or(deployment);
    consumer.environment = deployment.map(str::to_owned);
    let by = consumer.key.clone();
    let names: Vec<&str> = deployment.into_iter().collect();
    let mut scopes = file.own_scopes(&names);
    scopes.dedup();
    let mut own = BTreeSet::new();
    for script in [node.get("script"), node.get("after-script")]
        .into_iter()
        .flatten()
    {
        script.walk(&mut |_, scalar| {
            let set = crate::shell::assigned(scalar.text().unwrap_or(""));
            own.extend(set.into_iter().map(str::to_owned));
        });
    }
    let scripts = Scripts {
        store: store::BITBUCKET_VARIABLE,
        scopes,
        own,
        built_in: BUILT_IN,
    };
    let from = out.uses.len();
    node.walk(&mut |key, scalar| {
        let text = scalar.text().unwrap_or("");
        scripts.uses(file, &by, (text, scalar.line()), key, &mut out.uses);
    });
    let used = out.uses[from..]
        .iter()
        .filter_map(|one| one.name.as_deref());
    let mut slots: Vec<String> = used
        .filter(|name| CLOUD_VARIABLES.iter().any(|(known, _)| known == name))
        .map(str::to_owned)
        .collect();
    slots.sort();
    slots.dedup();
    let federated = node.get_text("oidc") == Some("true");
    let mut roles = Vec::new();
    node.maps(&mut |map| roles.extend(map.get_text("AWS_OIDC_ROLE_ARN").map(str::to_owned)));
    if federated || !slots.is_empty() {
        let cloud = slots
            .first()
            .and_then(|name| CLOUD_VARIABLES.iter().find(|(known, _)| known == name));
        consumer.logins.push(Login {
            provider: cloud.map_or("aws", |(_, cloud)| cloud).to_owned(),
            method: if federated {
                LoginMethod::Federated
            } else {
                LoginMethod::Static
            },
            by: if federated { "oidc" } else { "environment" }.to_owned(),
            target: roles.first().cloned(),
            slots: if federated { Vec::new() } else { slots },
            line: node.line(),
        });
    }
    out.consumers.push(consumer);
}
