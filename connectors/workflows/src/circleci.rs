//! CircleCI: jobs get the variables of their project, and of the contexts that a workflow
//! gives them.
//! Source: circleci.com/docs/configuration-reference

use std::collections::BTreeSet;

use keymuster_api::{ConsumerKind, Login, LoginMethod, store};

use crate::{
    file::{File, Found, Says as _},
    shell::Scripts,
    yaml::Yaml,
};

const BUILT_IN: &[&str] = &["CIRCLE_", "CIRCLECI"];

/// Reads a configuration.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    for (workflow, about) in root.get("workflows").map(Yaml::entries).unwrap_or_default() {
        let Some(workflow) = workflow.text() else {
            continue;
        };
        for item in about.get("jobs").into_iter().flat_map(Yaml::items) {
            match item.text() {
                Some(name) => job(file, root, workflow, name, item, None, out),
                None => {
                    for (name, given) in item.entries() {
                        if let Some(name) = name.text() {
                            job(file, root, workflow, name, item, Some(given), out);
                        }
                    }
                }
            }
        }
    }
}

fn job(
    file: &File<'_>,
    root: Yaml<'_>,
    workflow: &str,
    name: &str,
    item: Yaml<'_>,
    given: Option<Yaml<'_>>,
    out: &mut Found,
) {
    let contexts: Vec<&str> = given
        .and_then(|given| given.get("context"))
        .map(Yaml::texts)
        .unwrap_or_default();
    let described = root.get("jobs").and_then(|jobs| jobs.get(name));
    let lines = described.map_or((item.line(), item.end()), |job| (job.line(), job.end()));
    let shown = given
        .and_then(|given| given.get_text("name"))
        .unwrap_or(name);
    let mut consumer = file.consumer(
        ConsumerKind::Job,
        "circleci",
        &format!("{workflow}/{shown}"),
        lines,
    );
    let by = consumer.key.clone();
    let path = &file.origin.path;
    let owner = path.split('/').next().unwrap_or(path);
    let of_context = |context: &str| format!("circleci:{owner}@{context}");
    let mut scopes: Vec<String> = contexts.iter().map(|context| of_context(context)).collect();
    scopes.push(format!("circleci:{path}"));
    for context in &contexts {
        let use_ = file.any(&by, store::CIRCLECI_VARIABLE, ("context", item.line()));
        out.uses.push(use_.within(vec![of_context(context)]));
    }
    let mut scripts = Scripts {
        store: store::CIRCLECI_VARIABLE,
        scopes,
        own: BTreeSet::new(),
        built_in: BUILT_IN,
    };
    if let Some(job) = described {
        own_names(job.get("environment"), &mut scripts.own);
        for executor in [job.get("docker"), job.get("environment")]
            .into_iter()
            .flatten()
        {
            executor.walk(&mut |key, scalar| {
                let text = scalar.text().unwrap_or("");
                scripts.uses(file, &by, (text, scalar.line()), key, &mut out.uses);
            });
        }
    }
    let steps = described
        .and_then(|job| job.get("steps"))
        .or(given.and_then(|given| given.get("pre-steps")));
    let mut walk = Walk {
        file,
        root,
        by: &by,
        scripts: &scripts,
        out,
        logins: &mut consumer.logins,
    };
    for step in steps.into_iter().flat_map(Yaml::items) {
        walk.step(step, 0);
    }
    // A job of an orb takes names of variables as parameters.
    if let (None, Some(given)) = (described, given) {
        walk.parameters(name, given);
    }
    out.consumers.push(consumer);
}

fn own_names(environment: Option<Yaml<'_>>, own: &mut BTreeSet<String>) {
    for (name, value) in environment.map(Yaml::entries).unwrap_or_default() {
        if let (Some(name), Some(text)) = (name.text(), value.text())
            && !text.contains('$')
        {
            own.insert(name.to_owned());
        }
    }
}

struct Walk<'a, 'o> {
    file: &'a File<'a>,
    root: Yaml<'a>,
    by: &'a keymuster_api::Key,
    scripts: &'a Scripts<'a>,
    out: &'o mut Found,
    logins: &'o mut Vec<Login>,
}

impl<'a> Walk<'a, '_> {
    fn step(&mut self, step: Yaml<'a>, depth: u8) {
        if depth > 5 {
            return;
        }
        if let Some(name) = step.text() {
            return self.command(name, None, depth);
        }
        for (name, given) in step.entries() {
            match name.text() {
                Some("run") => {
                    let text = given
                        .text()
                        .or_else(|| given.get_text("command"))
                        .unwrap_or("");
                    self.scripts.uses(
                        self.file,
                        self.by,
                        (text, given.line()),
                        "run",
                        &mut self.out.uses,
                    );
                    for (variable, value) in given
                        .get("environment")
                        .map(Yaml::entries)
                        .unwrap_or_default()
                    {
                        let how = format!("environment {}", variable.text().unwrap_or("?"));
                        self.scripts.uses(
                            self.file,
                            self.by,
                            (value.text().unwrap_or(""), value.line()),
                            &how,
                            &mut self.out.uses,
                        );
                    }
                }
                Some("when" | "unless") => {
                    for inner in given.get("steps").into_iter().flat_map(Yaml::items) {
                        self.step(inner, depth + 1);
                    }
                }
                Some(name) => self.command(name, Some(given), depth),
                None => {}
            }
        }
    }

    /// A command of the file itself, or of an orb.
    fn command(&mut self, name: &'a str, given: Option<Yaml<'a>>, depth: u8) {
        if let Some(given) = given {
            self.parameters(name, given);
        }
        let described = self
            .root
            .get("commands")
            .and_then(|commands| commands.get(name));
        for step in described
            .and_then(|one| one.get("steps"))
            .into_iter()
            .flat_map(Yaml::items)
        {
            self.step(step, depth + 1);
        }
    }

    fn parameters(&mut self, name: &str, given: Yaml<'_>) {
        let mut slots = Vec::new();
        given.walk(&mut |key, scalar| {
            let text = scalar.text().unwrap_or("");
            let how = format!("{name} {key}");
            self.scripts.uses(
                self.file,
                self.by,
                (text, scalar.line()),
                &how,
                &mut self.out.uses,
            );
            let is_name = text.len() > 3
                && text.contains('_')
                && text
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if is_name
                && key != text
                && self.scripts.may_be(text)
                && key != "name"
                && key != "context"
            {
                let use_ =
                    self.file
                        .named(self.by, self.scripts.store, text, (&how, scalar.line()));
                self.out.uses.push(use_.within(self.scripts.scopes.clone()));
                slots.push(text.to_owned());
            }
        });
        if name.starts_with("aws-cli/") || name.starts_with("aws-ecr/") {
            let target = given
                .get_text("role_arn")
                .or_else(|| given.get_text("role-arn"));
            slots.sort();
            self.logins.push(Login {
                provider: "aws".to_owned(),
                method: if target.is_some() {
                    LoginMethod::Federated
                } else {
                    LoginMethod::Static
                },
                by: name.to_owned(),
                target: target.map(str::to_owned),
                slots: if target.is_some() { Vec::new() } else { slots },
                line: given.line(),
            });
        }
    }
}
