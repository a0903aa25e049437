//! One sighting as a JSON object. The members and their order are a contract: what is absent is
//! `null`, and new members go to the end.

use std::collections::BTreeMap;

use keymuster_api::CommitFact;
use serde::Serialize;

use super::ScanCx;
use crate::estate::Sighting;

/// The version of these objects.
pub(super) const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) schema: u32,
    pub(super) rule: &'a str,
    pub(super) kind: &'a str,
    pub(super) confidence: &'static str,
    pub(super) severity: &'static str,
    pub(super) path: String,
    pub(super) line: Option<u64>,
    pub(super) column: Option<u64>,
    pub(super) end_line: Option<u64>,
    pub(super) end_column: Option<u64>,
    pub(super) secret_id: String,
    pub(super) handle: Option<Handle<'a>>,
    pub(super) preview: &'a str,
    pub(super) decoded: &'a [String],
    pub(super) blob: Option<String>,
    pub(super) commit: Option<Commit<'a>>,
    pub(super) introduced: Option<Vec<Commit<'a>>>,
    pub(super) versions: u32,
    pub(super) at_tip: Option<&'a [String]>,
    pub(super) suppressed: Option<Suppressed<'a>>,
    pub(super) resource: Option<&'a str>,
    pub(super) title: &'a str,
    pub(super) facts: BTreeMap<&'a str, &'a str>,
    pub(super) in_worktree: bool,
}

#[derive(Serialize)]
pub(super) struct Handle<'a> {
    pub(super) scheme: &'a str,
    pub(super) value: &'a str,
}

#[derive(Serialize)]
pub(super) struct Commit<'a> {
    pub(super) id: String,
    pub(super) author: &'a str,
    pub(super) at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Suppressed<'a> {
    pub(super) by: &'a str,
    pub(super) reason: &'a str,
    pub(super) until: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub(super) fn new(sighting: &'a Sighting, cx: &'a ScanCx<'_>) -> Row<'a> {
        let position = sighting.position;
        let details = &*sighting.details;
        Row {
            schema: SCHEMA,
            rule: &sighting.rule,
            kind: &sighting.kind,
            confidence: sighting.confidence.as_str(),
            severity: sighting.severity.as_str(),
            path: cx.path(sighting),
            line: position.map(|at| at.line),
            column: position.map(|at| at.column),
            end_line: position.map(|at| at.end_line),
            end_column: position.map(|at| at.end_column),
            secret_id: sighting.secret.to_string(),
            handle: details.handle.as_ref().map(|handle| Handle {
                scheme: &handle.scheme,
                value: &handle.value,
            }),
            preview: &details.preview,
            decoded: &details.decoded,
            blob: sighting.blob.map(|blob| blob.to_string()),
            commit: sighting.commit.as_deref().map(Commit::new),
            introduced: sighting
                .introduced
                .as_ref()
                .map(|commits| commits.iter().map(|commit| Commit::new(commit)).collect()),
            versions: sighting.versions,
            at_tip: sighting.at_tip.as_deref(),
            suppressed: sighting.suppressed.as_ref().map(|entry| Suppressed {
                by: &entry.by,
                reason: &entry.reason,
                until: entry.until.as_deref(),
            }),
            resource: cx.resource(sighting),
            title: cx.title(sighting),
            facts: details
                .facts
                .iter()
                // What joins a sighting with a host's record says nothing to people.
                .filter(|(name, _)| !keymuster_api::tie::ALL.contains(&name.as_str()))
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            in_worktree: sighting.in_worktree,
        }
    }
}

impl<'a> Commit<'a> {
    fn new(commit: &'a CommitFact) -> Commit<'a> {
        Commit {
            id: commit.id.to_string(),
            author: &commit.author,
            at: commit.at.map(|at| at.to_string()),
        }
    }
}
