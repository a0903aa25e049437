//! Recertification, the way out: one file per owner, to be filled in and read back.

use std::{collections::BTreeMap, io};

use super::{
    CredentialEntry, Document,
    cells::{Table, list},
};

/// What is told about each credential, then what is asked.
const HEADER: [&str; 18] = [
    "credential",
    "record_id",
    "title",
    "identifier",
    "account",
    "owner",
    "purpose",
    "approved_by",
    "removed_when",
    "created",
    "last_used",
    "expires",
    "places",
    "open_findings",
    "decision",
    "reviewer",
    "reviewed_at",
    "reason",
];

/// One file of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewFile {
    /// Its name: `review-jane-acme.io.csv`.
    pub name: String,
    /// The owner, as the audit decided; empty for credentials without one.
    pub owner: String,
    /// How many credentials it asks about.
    pub credentials: usize,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a review of everything that is not revoked, one for each owner, sorted by owner;
/// credentials that nobody owns come in a file of their own.
///
/// # Errors
/// Never but for memory; the type is that of the writer.
pub fn review_files(doc: &Document) -> io::Result<Vec<ReviewFile>> {
    let mut by_owner: BTreeMap<String, Vec<&CredentialEntry>> = BTreeMap::new();
    for credential in doc.credentials.iter().filter(|one| one.status != "revoked") {
        let owner = credential.owner.clone().unwrap_or_default();
        by_owner.entry(owner).or_default().push(credential);
    }
    let mut open: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for finding in doc.open() {
        open.entry(&finding.subject)
            .or_default()
            .push(&finding.check);
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut files = Vec::new();
    for (owner, credentials) in by_owner {
        let mut name = file_name(&owner);
        // Names that differ in signs only.
        let used = names.entry(name.clone()).or_default();
        *used += 1;
        if *used > 1 {
            name = format!("{name}-{used}");
        }
        let mut bytes = Vec::new();
        let mut table = Table::new(&mut bytes, &HEADER)?;
        for credential in &credentials {
            let findings = open.get(credential.subject.as_str());
            table.row(&row(credential, findings.map_or(&[][..], Vec::as_slice)))?;
        }
        table.finish()?;
        files.push(ReviewFile {
            name: format!("review-{name}.csv"),
            owner,
            credentials: credentials.len(),
            bytes,
        });
    }
    Ok(files)
}

/// The decisions of a review as they are kept.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_reviews(
    reviews: &[crate::inventory::Review],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut table = Table::new(out, &crate::inventory::REVIEW_COLUMNS)?;
    for review in reviews {
        table.row(&[
            review.credential.as_str(),
            review.record.as_deref().unwrap_or_default(),
            review.decision.as_str(),
            &review.reviewer,
            &review.at.to_string(),
            review.reason.as_deref().unwrap_or_default(),
        ])?;
    }
    table.finish()
}

fn row(credential: &CredentialEntry, findings: &[&str]) -> [String; HEADER.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let places = credential.places.iter().take(5);
    [
        credential.subject.clone(),
        text(&credential.record_id),
        credential.title.clone(),
        credential
            .handle
            .as_ref()
            .map(|handle| handle.value.clone())
            .unwrap_or_default(),
        text(&credential.account),
        text(&credential.owner),
        text(&credential.answered.purpose),
        text(&credential.answered.approved_by),
        text(&credential.answered.removed_when),
        credential.created.clone(),
        credential.last_used.clone(),
        credential.expires.clone(),
        list(places.map(|place| format!("{}:{}", place.resource, place.path))),
        list(findings),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]
}

/// An owner as a part of a file's name.
fn file_name(owner: &str) -> String {
    if owner.is_empty() {
        return "nobody".to_owned();
    }
    let mut name = String::new();
    for c in owner.chars().take(80) {
        match c {
            c if c.is_alphanumeric() || c == '.' || c == '_' => name.extend(c.to_lowercase()),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() {
        "owner".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{file_name, review_files};
    use crate::{inventory::Reviews, report::samples};

    #[test]
    fn names_are_harmless() {
        for (owner, name) in [
            ("Jane <jane@acme.io>", "jane-jane-acme.io"),
            ("../../etc", "etc"),
            ("", "nobody"),
            ("***", "owner"),
        ] {
            assert_eq!(file_name(owner), name, "{owner}");
        }
    }

    #[test]
    fn what_goes_out_comes_back() {
        let doc = samples::document();
        let files = review_files(&doc).expect("writes to memory");
        let asked: usize = files.iter().map(|file| file.credentials).sum();
        let live = doc
            .credentials
            .iter()
            .filter(|one| one.status != "revoked")
            .count();
        assert_eq!(asked, live);
        assert!(live > 0);
        for file in files {
            let now = "2026-11-24T12:00:00Z".parse().expect("a time");
            let back = Reviews::read(&file.name, &file.bytes, now).expect("what we wrote");
            assert_eq!((back.entries.len(), back.unanswered), (0, file.credentials));
        }
    }
}
