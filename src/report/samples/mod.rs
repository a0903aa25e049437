//! A small estate for tests, with hostile texts wherever somebody else chooses them.

mod audit;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use keymuster_api::{
    CommitFact, Confidence, Details, Gap, GapKind, Handle, ObjectId, ResourceKind, SecretId,
    Severity, Source, SystemId,
};

pub(super) use audit::{DORMANT, document};

use super::{
    FormatCx,
    scan::{RuleInfo, ScanCx, Searched},
};
use crate::{
    audit::KindAdvice,
    estate::{Position, Resource, Sighting, Suppressed},
};

/// What an author, a file name or a cell of a register may hold.
pub(super) const HOSTILE: &str = "=cmd|' /C calc'!A0,<script>alert(\"1\")</script>\x1b[2J\u{202e}x\u{9b}31m [a](http://evil)\n@all";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn id(byte: u8) -> ObjectId {
    ObjectId::from_bytes(&[byte; 20]).expect("20 bytes")
}

fn commit(byte: u8, author: &str, when: &str) -> Arc<CommitFact> {
    Arc::new(CommitFact {
        id: id(byte),
        author: author.to_owned(),
        at: Some(at(when)),
    })
}

pub(super) fn resources() -> Vec<Resource> {
    let resource = |id, kind, name: &str| Resource {
        system: SystemId(0),
        id,
        kind,
        name: name.to_owned(),
        location: format!("../repos/{name}"),
    };
    vec![
        resource(0, ResourceKind::Repository, "payments-api"),
        resource(1, ResourceKind::Tree, "site"),
    ]
}

fn sighting(secret: u8, path: &str, line: u64) -> Sighting {
    Sighting {
        resource: 0,
        rule: "aws.access-key".into(),
        kind: "aws.access-key".into(),
        confidence: Confidence::High,
        severity: Severity::Critical,
        public: false,
        secret: SecretId([secret; 16]),
        details: Arc::new(Details {
            handle: Some(Handle::new("aws-access-key-id", "AKIAEXAMPLE1")),
            preview: "(40)".to_owned(),
            ..Details::default()
        }),
        path: path.to_owned(),
        position: Some(Position {
            line,
            column: 9,
            end_line: line,
            end_column: 48,
        }),
        blob: Some(id(0xb0)),
        commit: Some(commit(
            0xc2,
            "Ann Lee <ann@acme.example>",
            "2026-03-05T10:00:00Z",
        )),
        introduced: Some(vec![commit(
            0xc1,
            "Ann Lee <ann@acme.example>",
            "2024-03-01T10:00:00Z",
        )]),
        versions: 14,
        at_tip: Some(vec!["refs/heads/main".to_owned()]),
        in_worktree: true,
        suppressed: None,
    }
}

/// Sightings of five credentials, in an order that is not that of their severity.
pub(super) fn sightings() -> Vec<Sighting> {
    let mut all = vec![Sighting {
        severity: Severity::Low,
        confidence: Confidence::Low,
        rule: "generic.password".into(),
        kind: "generic.password".into(),
        details: Arc::new(Details {
            preview: "(12)".to_owned(),
            decoded: vec!["base64".to_owned()],
            facts: vec![("name".to_owned(), HOSTILE.to_owned())],
            ..Details::default()
        }),
        introduced: None,
        commit: None,
        blob: None,
        at_tip: None,
        versions: 1,
        resource: 1,
        ..sighting(3, &format!("{HOSTILE}/a b.ini"), 4)
    }];
    for line in 1..=8 {
        all.push(Sighting {
            at_tip: Some(vec![]),
            in_worktree: false,
            versions: 1,
            ..sighting(1, "deploy/old.env", line)
        });
    }
    all.push(sighting(1, "src/config.py", 12));
    all.push(Sighting {
        severity: Severity::High,
        rule: "github.pat".into(),
        kind: "github.pat".into(),
        path: "(commit message)".to_owned(),
        position: None,
        blob: None,
        commit: Some(commit(0xc3, HOSTILE, "2025-01-02T00:00:00Z")),
        introduced: Some(vec![commit(0xc3, HOSTILE, "2025-01-02T00:00:00Z")]),
        versions: 1,
        at_tip: Some(vec![
            "refs/heads/main".to_owned(),
            "refs/tags/v1".to_owned(),
            "refs/tags/v2".to_owned(),
        ]),
        in_worktree: false,
        details: Arc::new(Details {
            preview: "ghp_… (40)".to_owned(),
            ..Details::default()
        }),
        ..sighting(2, "", 0)
    });
    for (secret, by) in [
        (4, "inline comment"),
        (4, "inline comment"),
        (5, "allow.toml:12"),
    ] {
        all.push(Sighting {
            suppressed: Some(Suppressed {
                by: by.to_owned(),
                reason: "a test key".to_owned(),
                until: Some("2027-01-01".to_owned()),
            }),
            ..sighting(secret, "tests/keys.py", 7)
        });
    }
    all
}

pub(super) fn rules() -> BTreeMap<String, RuleInfo> {
    let rule = |id: &str, title: &str, page: &str, severity| {
        let info = RuleInfo {
            title: title.to_owned(),
            why: "Acts as its owner wherever the owner can.".to_owned(),
            page: page.to_owned(),
            severity,
        };
        (id.to_owned(), info)
    };
    BTreeMap::from([
        rule(
            "aws.access-key",
            "AWS access key",
            "https://docs.example/keys",
            Severity::High,
        ),
        rule(
            "github.pat",
            "GitHub personal access token",
            "A page.",
            Severity::High,
        ),
        rule("npm.token", "npm token", "", Severity::Info),
    ])
}

pub(super) fn kinds() -> BTreeMap<String, KindAdvice> {
    let kind = |id: &str, title: &str, revoke: &str| {
        let advice = KindAdvice {
            title: title.to_owned(),
            class: "service".to_owned(),
            revoke: revoke.to_owned(),
            ..KindAdvice::default()
        };
        (id.to_owned(), advice)
    };
    BTreeMap::from([
        kind(
            "aws.access-key",
            "AWS access key",
            "deactivate it in IAM, watch for a day, then delete it",
        ),
        kind(
            "github.pat",
            "GitHub personal access token",
            "delete it under Settings, Developer settings, Personal access tokens; the owner of the organisation can do so for every member, under the policies for tokens",
        ),
    ])
}

fn source(locator: &str) -> Source {
    Source {
        system: SystemId(0),
        locator: locator.to_owned(),
    }
}

pub(super) fn gaps(count: usize) -> Vec<Gap> {
    (0..count)
        .map(|n| Gap {
            kind: if n == 0 {
                GapKind::Denied
            } else {
                GapKind::Corrupt
            },
            subject: if n == 1 {
                HOSTILE.to_owned()
            } else {
                format!("secret/file-{n}")
            },
            reason: "permission denied; run as somebody who may read it".to_owned(),
            source: source("../repos"),
        })
        .collect()
}

/// What a scan of the sample lends to a format.
pub(super) struct Scan {
    pub(super) sightings: Vec<Sighting>,
    pub(super) resources: Vec<Resource>,
    pub(super) rules: BTreeMap<String, RuleInfo>,
    pub(super) kinds: BTreeMap<String, KindAdvice>,
    pub(super) gaps: Vec<Gap>,
    pub(super) prefixes: Vec<String>,
}

impl Scan {
    pub(super) fn sample() -> Scan {
        Scan {
            sightings: sightings(),
            resources: resources(),
            rules: rules(),
            kinds: kinds(),
            gaps: gaps(7),
            prefixes: vec![String::new(), "site/".to_owned()],
        }
    }

    pub(super) fn cx(&self, page: FormatCx) -> ScanCx<'_> {
        ScanCx {
            resources: &self.resources,
            prefixes: &self.prefixes,
            rules: &self.rules,
            kinds: &self.kinds,
            gaps: &self.gaps,
            searched: Searched {
                files: 1204,
                blobs: 58_112,
                bytes: 1_400_000_000,
            },
            tool_version: "0.1.0",
            before_merge: false,
            page,
        }
    }
}
