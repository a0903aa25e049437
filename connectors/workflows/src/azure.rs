//! Azure Pipelines: variables and variable groups, service connections, secure files, key
//! vaults. Templates are read as files of their own: what their callers give them is open.
//! Source: learn.microsoft.com/azure/devops/pipelines/yaml-schema

use std::collections::BTreeSet;

use keymuster_api::{Consumer, ConsumerKind, Login, LoginMethod, store};

use crate::{
    file::{File, Found, Says as _},
    yaml::Yaml,
};

/// Inputs that name a service connection.
const CONNECTIONS: &[&str] = &[
    "azureSubscription",
    "connectedServiceName",
    "connectedServiceNameARM",
    "serviceConnection",
    "containerRegistry",
    "dockerRegistryServiceConnection",
    "kubernetesServiceConnection",
    "backendServiceArm",
    "azureResourceManagerConnection",
    "externalEndpoint",
    "awsCredentials",
    "SonarQube",
    "serviceEndpoint",
    "pypiServiceConnection",
    "npmServiceConnection",
];
/// What a shell writes in the same way.
const COMMANDS: &[&str] = &[
    "pwd", "date", "whoami", "nproc", "hostname", "id", "uname", "mktemp", "basename", "dirname",
];

/// Reads a pipeline or a template of one.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    let mut walk = Walk { file, out };
    let around = Around::default().with(root);
    walk.level(root, &around, "", 0);
}

/// What is in force around a job.
#[derive(Clone, Default)]
struct Around {
    groups: Vec<(String, u32)>,
    own: BTreeSet<String>,
    texts: Vec<(String, u32)>,
}

impl Around {
    fn with(&self, node: Yaml<'_>) -> Around {
        let mut next = self.clone();
        let Some(variables) = node.get("variables") else {
            return next;
        };
        for (name, value) in variables.entries() {
            next.set(name.text(), value);
        }
        for item in variables.items() {
            if let Some(group) = item.get_text("group") {
                next.groups.insert(0, (group.to_owned(), item.line()));
            } else if let Some(value) = item.get("value") {
                next.set(item.get_text("name"), value);
            }
        }
        next
    }

    fn set(&mut self, name: Option<&str>, value: Yaml<'_>) {
        let text = value.text().unwrap_or("");
        if let Some(name) = name {
            self.own.insert(name.to_ascii_lowercase());
        }
        self.texts.push((text.to_owned(), value.line()));
    }
}

struct Walk<'a, 'o> {
    file: &'a File<'a>,
    out: &'o mut Found,
}

impl Walk<'_, '_> {
    fn level(&mut self, node: Yaml<'_>, around: &Around, name: &str, depth: u8) {
        if depth > 6 {
            return;
        }
        let path = |inner: &str| match name {
            "" => inner.to_owned(),
            name => format!("{name}/{inner}"),
        };
        for (key, id) in [("stages", "stage"), ("jobs", "job")] {
            for item in node.get(key).into_iter().flat_map(Yaml::items) {
                let inner = item.get_text(id).or_else(|| item.get_text("deployment"));
                let place = format!("{id}@{}", item.line());
                let inner = path(inner.unwrap_or(&place));
                self.level(item, &around.with(item), &inner, depth + 1);
                // `${{ if … }}:` and `${{ each … }}:` hold lists in place of an item.
                for (condition, list) in item.entries() {
                    if condition.text().is_some_and(|text| text.starts_with("${{")) {
                        for item in list.items() {
                            let inner = item.get_text(id).or_else(|| item.get_text("deployment"));
                            let inner = path(inner.unwrap_or(&place));
                            self.level(item, &around.with(item), &inner, depth + 1);
                        }
                    }
                }
            }
        }
        let extends = node
            .get("extends")
            .and_then(|extends| extends.get("parameters"));
        if let Some(parameters) = extends {
            self.level(parameters, around, name, depth + 1);
        }
        if node.get("steps").is_some()
            || node.get("strategy").is_some()
            || node.get("template").is_some()
        {
            self.job(
                node,
                around,
                if name.is_empty() { "pipeline" } else { name },
            );
        }
    }

    fn job(&mut self, node: Yaml<'_>, around: &Around, name: &str) {
        let file = self.file;
        let mut consumer = file.consumer(
            ConsumerKind::Job,
            "azure-pipelines",
            name,
            (node.line(), node.end()),
        );
        let environment = node.get("environment");
        let environment = environment.and_then(|one| one.text().or_else(|| one.get_text("name")));
        consumer.environment = environment.map(str::to_owned);
        let by = consumer.key.clone();
        let project = file
            .origin
            .path
            .rsplit_once("/_git")
            .map_or(&*file.origin.path, |(project, _)| project);
        let mut scopes: Vec<String> = Vec::new();
        for (group, line) in &around.groups {
            let scope = format!("azure:{project}@{group}");
            let use_ = file.any(&by, store::AZURE_VARIABLE, ("variable group", *line));
            self.out.uses.push(use_.within(vec![scope.clone()]));
            scopes.push(scope);
        }
        scopes.push(format!("azure:{project}"));
        let of_text = |text: &str, line: u32, how: &str, out: &mut Found| {
            for (name, below) in macros(text) {
                if !around.own.contains(&name.to_ascii_lowercase()) {
                    let use_ = file.named(&by, store::AZURE_VARIABLE, name, (how, line + below));
                    out.uses.push(use_.within(scopes.clone()));
                }
            }
        };
        for (text, line) in &around.texts {
            of_text(text, *line, "variable", self.out);
        }
        let out = &mut *self.out;
        for key in ["steps", "strategy", "container", "services", "parameters"] {
            let Some(part) = node.get(key) else { continue };
            part.walk(&mut |key, scalar| {
                let text = scalar.text().unwrap_or("");
                of_text(text, scalar.line(), key, out);
                let store = match key {
                    "secureFile" => store::AZURE_SECURE_FILE,
                    key if CONNECTIONS
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(key)) =>
                    {
                        store::AZURE_CONNECTION
                    }
                    _ => return,
                };
                if !text.is_empty() && !text.contains("$(") && !text.contains("${{") && text != key
                {
                    let use_ = file.named(&by, store, text, (key, scalar.line()));
                    out.uses
                        .push(use_.within(vec![format!("azure:{project}")]).certain());
                }
            });
            part.maps(&mut |step| vault(file, step, &mut consumer, out));
        }
        out.consumers.push(consumer);
    }
}

/// A step that reads a key vault, or logs in with a key from variables.
fn vault(file: &File<'_>, step: Yaml<'_>, consumer: &mut Consumer, out: &mut Found) {
    let Some(inputs) = step.get("inputs") else {
        return;
    };
    let task = step.get_text("task").unwrap_or("");
    if task.starts_with("AzureKeyVault@") {
        let vault = inputs
            .get_text("KeyVaultName")
            .or_else(|| inputs.get_text("keyVaultName"))
            .unwrap_or("");
        let filter = inputs
            .get_text("SecretsFilter")
            .or_else(|| inputs.get_text("secretsFilter"))
            .unwrap_or("*");
        let scope = vec![format!("vault:azure/{vault}")];
        for name in filter
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let how = ("AzureKeyVault", step.line());
            let use_ = match name {
                "*" => file.any(&consumer.key, store::VAULT, how),
                name => file.named(&consumer.key, store::VAULT, name, how).certain(),
            };
            out.uses.push(use_.within(scope.clone()));
        }
    }
    if task.starts_with("AWS") && inputs.get("awsCredentials").is_some() {
        consumer.logins.push(Login {
            provider: "aws".to_owned(),
            method: LoginMethod::Static,
            by: task.to_owned(),
            target: None,
            slots: inputs
                .get_text("awsCredentials")
                .map(str::to_owned)
                .into_iter()
                .collect(),
            line: step.line(),
        });
    }
}

/// `$(Name)`, with the line of each; what the platform sets has a dot in its name.
fn macros(text: &str) -> Vec<(&str, u32)> {
    let mut all = Vec::new();
    for (line, part) in (0u32..).zip(text.lines()) {
        for (at, _) in part.match_indices("$(") {
            let rest = &part[at + 2..];
            let Some(end) = rest.find(')') else { continue };
            let name = &rest[..end];
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            if name.len() > 1 && name.bytes().all(plain) && !COMMANDS.contains(&name) {
                all.push((name, line));
            }
        }
    }
    all
}
