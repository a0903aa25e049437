//! Findings put together for people: one block per subject, worst first.

use std::{cmp::Reverse, collections::BTreeMap};

use keymuster_api::Severity;

use super::{CredentialEntry, Document, FindingEntry};

/// One subject and its open findings.
pub(crate) struct Block<'a> {
    /// The credential; none where the findings are about a record or a principal.
    pub(crate) credential: Option<&'a CredentialEntry>,
    /// Open findings, worst first; at least one.
    pub(crate) findings: Vec<&'a FindingEntry>,
}

impl<'a> Block<'a> {
    /// The worst finding.
    pub(crate) fn lead(&self) -> &'a FindingEntry {
        self.findings[0]
    }

    /// The severity of the worst finding.
    pub(crate) fn severity(&self) -> Severity {
        self.lead().grade()
    }

    /// What it is: the kind's title, or the record's type.
    pub(crate) fn title(&self) -> &'a str {
        let lead = self.lead();
        match self.credential {
            Some(credential) if !credential.title.is_empty() => &credential.title,
            _ => match (&lead.credential_type, lead.subject_kind.as_str()) {
                (Some(kind), _) => kind,
                (None, "record") => "record",
                (None, "identity") => "principal",
                (None, _) => "credential",
            },
        }
    }

    /// How it is called.
    pub(crate) fn name(&self) -> &'a str {
        let lead = self.lead();
        lead.credential.as_deref().unwrap_or(&lead.subject)
    }
}

/// Every subject with open findings. Findings about a scope are left out: they are gaps, and
/// are told as such.
pub(crate) fn blocks(doc: &Document) -> Vec<Block<'_>> {
    let mut by_subject: BTreeMap<&str, Vec<&FindingEntry>> = BTreeMap::new();
    for finding in doc.open().filter(|finding| finding.subject_kind != "scope") {
        by_subject
            .entry(&finding.subject)
            .or_default()
            .push(finding);
    }
    let mut blocks: Vec<Block<'_>> = by_subject
        .into_iter()
        .map(|(subject, mut findings)| {
            findings.sort_by_key(|finding| (Reverse(finding.grade()), Reverse(finding.score)));
            Block {
                credential: doc.credential(subject),
                findings,
            }
        })
        .collect();
    // Stable: equal blocks stay in the order of their subjects.
    blocks.sort_by_key(|block| {
        let score = block.findings.iter().map(|finding| finding.score).max();
        (Reverse(block.severity()), Reverse(score))
    });
    blocks
}
