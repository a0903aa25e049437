//! The numbers that stand at the top of a report, counted from the document.

use std::collections::BTreeSet;

use keymuster_api::Severity;

use super::Document;

/// The word of a headline and the checks behind it.
const COUNTED: [(&str, &[&str]); 6] = [
    ("unregistered", &["INV-01"]),
    ("orphaned", &["OWN-02"]),
    ("unowned", &["OWN-01"]),
    ("over-privileged", &["PRV-01", "PRV-02"]),
    ("unrotated", &["LIF-03", "LIF-04"]),
    ("exposed", &["EXP-01", "EXP-03"]),
];

/// The numbers at the top of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Credentials of the estate.
    pub credentials: usize,
    /// Of these, how many answer all three questions.
    pub answered: usize,
    /// How many answer who approved them.
    pub approved_by: usize,
    /// How many answer why they exist.
    pub purpose: usize,
    /// How many answer when they will be removed.
    pub removed_when: usize,
    /// `unregistered`, `orphaned` … and how many subjects have an open finding of that sort.
    pub counts: Vec<(&'static str, usize)>,
    /// Open findings by severity, worst first.
    pub severities: Vec<(Severity, usize)>,
}

/// Counts a document.
pub fn headline(doc: &Document) -> Headline {
    let answers = || {
        doc.credentials
            .iter()
            .map(|credential| &credential.answered)
    };
    let subjects = |checks: &[&str]| {
        let hit = doc
            .open()
            .filter(|finding| checks.contains(&finding.check.as_str()));
        hit.map(|finding| finding.subject.as_str())
            .collect::<BTreeSet<_>>()
            .len()
    };
    let of = |severity| {
        doc.open()
            .filter(|finding| finding.grade() == severity)
            .count()
    };
    Headline {
        credentials: doc.credentials.len(),
        answered: answers().filter(|answered| answered.all()).count(),
        approved_by: answers()
            .filter(|answered| answered.approved_by.is_some())
            .count(),
        purpose: answers()
            .filter(|answered| answered.purpose.is_some())
            .count(),
        removed_when: answers()
            .filter(|answered| answered.removed_when.is_some())
            .count(),
        counts: COUNTED
            .iter()
            .map(|&(word, checks)| (word, subjects(checks)))
            .collect(),
        severities: Severity::ALL
            .iter()
            .rev()
            .map(|&severity| (severity, of(severity)))
            .collect(),
    }
}

impl Headline {
    /// `3 of 17 credentials answer all three questions`.
    pub(crate) fn verdict(&self) -> String {
        match (self.answered, self.credentials) {
            (_, 0) => "no credentials were seen".to_owned(),
            (1, 1) => "the one credential answers all three questions".to_owned(),
            (0, 1) => "the one credential leaves some of the three questions open".to_owned(),
            (answered, all) if answered == all => {
                format!("all {all} credentials answer all three questions")
            }
            (answered, all) => {
                let verb = if answered == 1 { "answers" } else { "answer" };
                format!("{answered} of {all} credentials {verb} all three questions")
            }
        }
    }
}
