//! Reads one workflow file.

use std::collections::BTreeMap;

use super::{Call, Job, Ref, Workflow, login};
use crate::{
    expression::{self, Wanted},
    yaml::Yaml,
};

/// Triggers with which a run has the rights of the repository while somebody else's proposal
/// may be checked out.
const TRUSTED_TRIGGERS: &[&str] = &["pull_request_target", "workflow_run", "issue_comment"];
/// References to what somebody proposes.
const PROPOSALS: &[&str] = &[
    "github.event.pull_request.head",
    "github.head_ref",
    "github.event.workflow_run.head",
    "refs/pull/",
];

/// The workflow in a document; `None` if it has no jobs.
pub(crate) fn parse(root: Yaml<'_>) -> Option<Workflow> {
    let jobs = root.get("jobs").filter(|jobs| jobs.is_map())?;
    let mut workflow = Workflow::default();
    if let Some(on) = root.get("on").or_else(|| root.get("true")) {
        triggers(on, &mut workflow);
    }
    let permissions = root.get("permissions").map(permissions);
    // Environment variables of a workflow do not reach the workflows it calls.
    let (mut of_env, mut of_all) = (Vec::new(), Vec::new());
    for (key, value) in root.entries() {
        match key.text() {
            Some("jobs" | "on" | "true" | "name") => {}
            Some("env") => named(value, "env", &mut of_env),
            Some(other) => references(value, other, &mut of_all),
            None => {}
        }
    }
    let environment = root.get("env");
    for (key, value) in jobs.entries() {
        let (Some(id), true) = (key.text(), value.is_map()) else {
            continue;
        };
        let mut job = job(id, value, environment);
        job.lines.0 = key.line();
        if job.call.is_none() {
            job.refs.extend(of_env.iter().cloned());
        }
        job.refs.extend(of_all.iter().cloned());
        job.permissions = job.permissions.or_else(|| permissions.clone());
        job.takes_proposals &= workflow
            .triggers
            .iter()
            .any(|name| TRUSTED_TRIGGERS.contains(&name.as_str()));
        workflow.jobs.push(job);
    }
    Some(workflow)
}

fn triggers(on: Yaml<'_>, workflow: &mut Workflow) {
    for (name, event) in on.entries() {
        let Some(name) = name.text() else { continue };
        workflow.triggers.push(name.to_owned());
        let inputs = event.get("inputs").map(Yaml::entries);
        for (input, about) in inputs.unwrap_or_default() {
            let Some(input) = input.text() else { continue };
            match name {
                "workflow_call" => {
                    let known = workflow.call_inputs.entry(input.to_owned()).or_default();
                    if about.get_text("required") != Some("true") {
                        // Without a default it is empty, or `false`, or 0.
                        known.push(about.get_text("default").unwrap_or("").to_owned());
                    }
                }
                "workflow_dispatch" => {
                    let known = workflow.dispatch_inputs.entry(input.to_owned());
                    let options = about.get("options").map(Yaml::texts).unwrap_or_default();
                    known
                        .or_default()
                        .extend(options.into_iter().map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    if !on.is_map() {
        let names = on.texts().into_iter().map(str::to_owned);
        workflow.triggers.extend(names);
    }
    workflow.triggers.sort();
    workflow.triggers.dedup();
}

/// What a token may do: `read-all`, `write-all`, `{}`, or a list.
fn permissions(node: Yaml<'_>) -> Vec<(String, String)> {
    let all = |grade: &str| vec![("*".to_owned(), grade.to_owned())];
    match node.text() {
        Some("read-all") => return all("read"),
        Some("write-all") => return all("write"),
        _ => {}
    }
    let mut list: Vec<(String, String)> = node
        .entries()
        .into_iter()
        .filter_map(|(name, grade)| Some((name.text()?.to_owned(), grade.text()?.to_owned())))
        .collect();
    list.sort();
    if list.is_empty() { all("none") } else { list }
}

fn job<'t>(id: &str, node: Yaml<'t>, workflow_env: Option<Yaml<'t>>) -> Job {
    let mut job = Job {
        id: id.to_owned(),
        lines: (node.line(), node.end()),
        permissions: node.get("permissions").map(permissions),
        environment: node.get("environment").and_then(|environment| {
            let name = environment.text().or_else(|| environment.get_text("name"));
            name.filter(|name| !name.is_empty()).map(str::to_owned)
        }),
        ..Job::default()
    };
    if let Some(matrix) = node.get("strategy").and_then(|s| s.get("matrix")) {
        read_matrix(matrix, &mut job);
    }
    for (key, value) in node.entries() {
        match key.text() {
            Some("secrets") if value.text().is_some() => {}
            Some("secrets") => named(value, "passes", &mut job.refs),
            Some("steps") => value.items().for_each(|step| read_step(step, &mut job)),
            Some(what @ ("env" | "with")) => named(value, what, &mut job.refs),
            Some(other) => references(value, other, &mut job.refs),
            None => {}
        }
    }
    if let Some(uses) = node.get("uses")
        && let Some(target) = uses.text()
    {
        job.call = Some(call(node, target, uses.line()));
    }
    let around: Vec<Yaml<'t>> = [workflow_env, node.get("env")]
        .into_iter()
        .flatten()
        .collect();
    job.logins = login::logins(node, &around);
    job
}

fn call(node: Yaml<'_>, target: &str, line: u32) -> Call {
    let pairs = |key: &str| node.get(key).map(Yaml::entries).unwrap_or_default();
    let mut call = Call {
        target: target.to_owned(),
        inherits: node.get_text("secrets") == Some("inherit"),
        secrets: BTreeMap::new(),
        with: BTreeMap::new(),
        line,
    };
    for (name, value) in pairs("secrets") {
        if let (Some(name), Some(text)) = (name.text(), value.text()) {
            let given = call.secrets.entry(name.to_ascii_uppercase()).or_default();
            expression::in_text(text, given);
        }
    }
    for (name, value) in pairs("with") {
        if let (Some(name), Some(text)) = (name.text(), value.text()) {
            call.with.insert(name.to_owned(), text.to_owned());
        }
    }
    call
}

fn read_step(step: Yaml<'_>, job: &mut Job) {
    for (key, value) in step.entries() {
        match key.text() {
            Some(what @ ("env" | "with")) => named(value, what, &mut job.refs),
            Some(other) => references(value, other, &mut job.refs),
            None => {}
        }
    }
    let uses = step.get_text("uses");
    let checked_out = if uses.is_some_and(|name| name.starts_with("actions/checkout@")) {
        step.get("with").and_then(|with| with.get_text("ref"))
    } else {
        let run = step.get_text("run");
        run.filter(|run| run.contains("git checkout") || run.contains("gh pr checkout"))
    };
    job.takes_proposals |= checked_out.is_some_and(|text| {
        text.contains("gh pr checkout") || PROPOSALS.iter().any(|known| text.contains(known))
    });
}

/// References in the values of a mapping, each told with its key.
fn named(node: Yaml<'_>, what: &str, out: &mut Vec<Ref>) {
    if !node.is_map() {
        references(node, what, out);
    }
    for (key, value) in node.entries() {
        let how = format!("{what} {}", key.text().unwrap_or("?"));
        references(value, &how, out);
    }
}

/// References anywhere below a node.
fn references(node: Yaml<'_>, how: &str, out: &mut Vec<Ref>) {
    let mut found: Vec<Wanted> = Vec::new();
    let is_condition = how == "if";
    node.walk(&mut |key, scalar| {
        let Some(text) = scalar.text() else { return };
        if (key == "if" || is_condition) && !text.contains("${{") {
            expression::in_expression(text, &mut found);
        } else {
            expression::in_text(text, &mut found);
        }
        out.extend(found.drain(..).map(|wanted| Ref {
            wanted,
            how: how.to_owned(),
            line: scalar.line(),
        }));
    });
}

fn read_matrix(matrix: Yaml<'_>, job: &mut Job) {
    job.open_matrix = matrix.text().is_some();
    for (key, values) in matrix.entries() {
        let name = match key.text() {
            Some("include") => "",
            Some("exclude") | None => continue,
            Some(name) => name,
        };
        job.open_matrix |= values.text().is_some();
        for item in values.items() {
            note(&mut job.matrix, name, item, 0);
        }
    }
}

fn note(matrix: &mut BTreeMap<String, Vec<String>>, name: &str, item: Yaml<'_>, depth: u8) {
    if let Some(text) = item.text() {
        let values = matrix.entry(name.to_owned()).or_default();
        if values.len() < 256 && !values.iter().any(|known| known == text) {
            values.push(text.to_owned());
        }
    } else if depth < 3 {
        for (key, value) in item.entries() {
            let below = match (name, key.text()) {
                (_, None) => continue,
                ("", Some(key)) => key.to_owned(),
                (name, Some(key)) => format!("{name}.{key}"),
            };
            note(matrix, &below, value, depth + 1);
        }
    }
}
