//! Decisions as AWS documents them: `fixtures/access/decisions`, a row each, with its page.

use std::{collections::BTreeMap, fs, path::Path};

use keymuster_api::AttachmentKind;
use serde::Deserialize;

use super::{ACCOUNT, Estate, GROUP, ROLE, USER, identity};
use crate::access::{Besides, Context, Decision, Request, policy::Document};

const LINKED: &str =
    "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    case: Vec<Case>,
}

/// One decision. Policies are lists of statements; levels of the organisation are lists of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    page: String,
    why: String,
    #[serde(default)]
    principal: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    identity: Vec<String>,
    #[serde(default)]
    group: Vec<String>,
    #[serde(default)]
    boundary: Vec<String>,
    #[serde(default)]
    scp: Vec<Vec<String>>,
    #[serde(default)]
    rcp: Vec<String>,
    #[serde(default)]
    resource: Vec<String>,
    #[serde(default)]
    session: Vec<String>,
    /// `ACTION on RESOURCE`.
    ask: String,
    /// `KEY=VALUE`; a key without a value is not in the request, one given again has several.
    #[serde(default)]
    context: Vec<String>,
    answer: String,
    /// What a conditional answer depends on, where the row says so.
    #[serde(default)]
    because: Vec<String>,
}

impl Case {
    fn document(&self, statements: &[String]) -> String {
        let version = self.version.as_deref().unwrap_or("2012-10-17");
        let statements = statements.join(",");
        format!(r#"{{"Version":"{version}","Statement":[{statements}]}}"#)
    }

    fn who(&self) -> &str {
        match self.principal.as_deref() {
            None | Some("user") => USER,
            Some("role") => ROLE,
            Some("root") => "arn:aws:iam::123456789012:root",
            Some("service-linked") => LINKED,
            Some(other) => panic!("{}: no principal {other}", self.why),
        }
    }

    fn estate(&self) -> Estate {
        let mut estate = Estate::new();
        estate.identities.push(identity(LINKED));
        let parts = [
            (self.who(), AttachmentKind::Inline, &self.identity),
            (GROUP, AttachmentKind::Inline, &self.group),
            (self.who(), AttachmentKind::Boundary, &self.boundary),
            (ACCOUNT, AttachmentKind::Resource, &self.rcp),
        ];
        for (to, kind, statements) in parts {
            if !statements.is_empty() {
                estate = estate.with(to, kind, &self.document(statements));
            }
        }
        for (number, level) in self.scp.iter().rev().enumerate() {
            let unit = format!("unit-{number}");
            let to = if number == 0 { ACCOUNT } else { &unit };
            if number > 0 {
                estate = estate.in_level(to);
            }
            estate = estate.with(to, AttachmentKind::Account, &self.document(level));
        }
        estate
    }

    fn context(&self) -> Context {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for pair in &self.context {
            let (key, value) = pair.split_once('=').expect("KEY=VALUE");
            values.entry(key).or_default().push(value);
        }
        let mut context = Context::new();
        for (key, all) in values {
            context = match all.as_slice() {
                [""] => context.without(key),
                all => context.with(key, all),
            };
        }
        context
    }

    fn decide(&self) -> (String, Vec<String>) {
        let (action, resource) = self.ask.split_once(" on ").expect("ACTION on RESOURCE");
        let parse = |statements: &[String]| {
            (!statements.is_empty()).then(|| Document::parse(&self.document(statements)))
        };
        let (of_resource, of_session) = (parse(&self.resource), parse(&self.session));
        let request = Request {
            principal: &self.who().into(),
            action,
            resource,
            context: &self.context(),
        };
        let besides = Besides {
            resource: of_resource.as_ref(),
            session: of_session.as_ref(),
        };
        let answer = self.estate().assess().can_with(&request, besides);
        let word = match answer.decision {
            Decision::Allowed => "allowed",
            Decision::Conditional => "conditional",
            Decision::NotAllowed => "denied",
        };
        (word.to_owned(), answer.evidence.conditions)
    }
}

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/access/decisions");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder of decisions")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy();
        let text = fs::read_to_string(&file).expect("a table");
        let table: Table = toml::from_str(&text).expect("a table of decisions");
        all.extend(table.case.into_iter().map(|case| (name.to_string(), case)));
    }
    all
}

#[test]
fn decisions_are_as_documented() {
    let mut wrong = Vec::new();
    for (file, case) in cases() {
        let (answer, because) = case.decide();
        let reasons = case.because.is_empty() || case.because == because;
        if answer != case.answer || !reasons {
            wrong.push(format!(
                "{file}: {}: {} of {answer} {because:?}, documented {} {:?}",
                case.why, case.ask, case.answer, case.because
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_decision_cites_its_page_and_stands_once() {
    let mut seen = BTreeMap::new();
    let all = cases();
    assert!(all.len() >= 400, "{} decisions", all.len());
    for (file, case) in &all {
        assert!(
            case.page.starts_with("https://docs.aws.amazon.com/") && case.page.ends_with(".html"),
            "{file}: {}: {}",
            case.why,
            case.page
        );
        let key = format!(
            "{:?}",
            (
                (&case.principal, &case.version, &case.identity, &case.group),
                (&case.boundary, &case.scp, &case.rcp),
                (&case.resource, &case.session, &case.ask, &case.context),
            )
        );
        if let Some(other) = seen.insert(key, &case.why) {
            panic!("{file}: '{}' asks what '{other}' asks", case.why);
        }
    }
}
