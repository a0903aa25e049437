//! Jenkins: pipelines name credentials by id, in Groovy. Only these names are looked for; the
//! nearest `stage` around one is the job.
//! Source: jenkins.io/doc/book/pipeline/syntax, plugins credentials-binding and ssh-agent

use std::collections::BTreeMap;

use keymuster_api::{ConsumerKind, Key, store};

use crate::file::{File, Found, Says as _};

/// What stands before the id of a credential.
const BEFORE: &[&str] = &[
    "credentialsId",
    "credentials(",
    "sshagent(",
    "sshUserPrivateKeyId",
    "registryCredential",
];

/// Reads a pipeline.
pub(crate) fn read(file: &File<'_>, text: &str, out: &mut Found) {
    let stages = stages(text);
    let mut keys: BTreeMap<(String, u32), Key> = BTreeMap::new();
    let scopes = vec!["jenkins:".to_owned()];
    for (number, line) in (1u32..).zip(text.lines()) {
        let code = line
            .split("//")
            .next()
            .filter(|code| !code.ends_with(':'))
            .unwrap_or(line);
        for before in BEFORE {
            for (at, _) in code.match_indices(before) {
                for id in ids(&code[at + before.len()..]) {
                    let around = stages
                        .iter()
                        .rev()
                        .find(|(_, from, to)| (*from..=*to).contains(&number));
                    let (name, from, to) = around.map_or(
                        ("pipeline", 1, text.lines().count() as u32),
                        |(name, from, to)| (name.as_str(), *from, *to),
                    );
                    let by = keys.entry((name.to_owned(), from)).or_insert_with(|| {
                        let consumer =
                            file.consumer(ConsumerKind::Job, "jenkins", name, (from, to));
                        let key = consumer.key.clone();
                        out.consumers.push(consumer);
                        key
                    });
                    let how = (before.trim_end_matches('('), number);
                    let use_ = file.named(by, store::JENKINS_CREDENTIAL, id, how);
                    out.uses.push(use_.within(scopes.clone()).certain());
                }
            }
        }
    }
}

/// The quoted ids that follow: `: 'a'`, `= "a"`, `['a', 'b'])`.
fn ids(rest: &str) -> Vec<&str> {
    let mut rest = rest.trim_start_matches([' ', ':', '=', '(', '[']);
    let mut all = Vec::new();
    while let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let Some(end) = rest[1..].find(quote) else {
            break;
        };
        let id = &rest[1..=end];
        if !id.is_empty() && !id.contains('$') && id.len() < 200 {
            all.push(id);
        }
        let after = rest[end + 2..].trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => break,
        }
    }
    all
}

/// Stages with their lines: `stage('name') { … }`; braces in quotes are not counted.
fn stages(text: &str) -> Vec<(String, u32, u32)> {
    let mut open: Vec<(Option<String>, u32)> = Vec::new();
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    for (number, line) in (1u32..).zip(text.lines()) {
        if let Some((_, rest)) = line.split_once("stage(") {
            next = ids(rest).first().map(|name| (*name).to_owned());
        }
        let mut quote = None;
        for c in line.chars() {
            match (quote, c) {
                (Some(open), c) if open == c => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '{') if open.len() < 10_000 => open.push((next.take(), number)),
                (None, '}') => {
                    if let Some((Some(name), from)) = open.pop() {
                        all.push((name, from, number));
                    }
                }
                _ => {}
            }
        }
    }
    all.sort_by_key(|(_, from, _)| *from);
    all
}
