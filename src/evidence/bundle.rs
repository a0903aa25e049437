//! The files of one run, put together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    EvidenceError, canonical, hex,
    merkle::{self, digest},
    results::results,
    statement::STATEMENT,
};
use crate::{ledger::Copied, report::Document};

/// The version of a bundle's layout.
pub(super) const SCHEMA: u32 = 1;
/// The file with the run's own facts.
pub(super) const RUN: &str = "run.json";
/// The file with what was gathered.
pub(super) const FACTS: &str = "facts.jsonl";
/// The file with what the memory held.
pub(super) const BEFORE: &str = "before.jsonl";

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Always 1 in what this version writes.
    pub schema: u32,
    /// Its id.
    pub id: String,
    /// The estate's configured name.
    pub estate: String,
    /// The point in time it judged.
    pub now: String,
    /// Where that came from: `--now`, or `system clock`.
    pub clock: String,
    /// Under which key secrets and findings are named.
    pub key_id: String,
    /// keymuster's version.
    pub tool: String,
    /// SHA-256 of the program.
    pub program_sha256: Option<String>,
    /// The run's further facts, by name.
    pub facts: BTreeMap<String, String>,
    /// What it was held against.
    pub settings: Settings,
    /// The files it read, as they lay there.
    pub inputs: Vec<InputFile>,
    /// The run before it that left evidence.
    pub before: Option<Before>,
}

/// What a run was held against: texts, so that a replay needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The preset of thresholds.
    pub preset: String,
    /// What overrides it.
    pub policy: Option<InputText>,
    /// What is accepted for a while.
    pub exceptions: Option<InputText>,
    /// Whether a register was given.
    pub has_inventory: bool,
    /// Whether a directory of people was given.
    pub has_people: bool,
}

/// A file of settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputText {
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl InputFile {
    /// Of a file that was read.
    pub fn new(name: &str, bytes: &[u8]) -> InputFile {
        InputFile {
            name: name.to_owned(),
            sha256: hex(&digest(bytes)),
        }
    }
}

/// The run before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// Its id.
    pub run: String,
    /// The root of its evidence.
    pub root: String,
}

/// What a bundle is made from.
pub struct BundleInput<'a> {
    /// The run.
    pub run: &'a RunRecord,
    /// What was gathered, before it is joined, as [`write_facts`](super::write_facts) writes it.
    pub facts: Vec<u8>,
    /// What the memory held before the run.
    pub before: &'a [Copied],
    /// What came out.
    pub document: &'a Document,
    /// What should be known about exceptions.
    pub notes: &'a [String],
}

/// The files of a run, by name; the statement is made from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The run's id.
    pub run: String,
    /// Contents by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Makes the files. The same input makes the same bytes.
    pub fn new(input: BundleInput<'_>) -> Bundle {
        let mut files = results(input.document, input.notes);
        files.insert(RUN.to_owned(), canonical::lines([input.run]));
        files.insert(FACTS.to_owned(), input.facts);
        files.insert(BEFORE.to_owned(), canonical::lines(input.before));
        Bundle {
            run: input.run.id.clone(),
            files,
        }
    }

    /// The Merkle root over its files; the statement is made from it, and no leaf.
    pub fn root(&self) -> [u8; 32] {
        let mut digests = self.digests();
        digests.remove(STATEMENT);
        merkle::root(&digests)
    }

    /// The digest of each file.
    pub(super) fn digests(&self) -> BTreeMap<&str, [u8; 32]> {
        let files = self.files.iter();
        files
            .map(|(name, bytes)| (name.as_str(), digest(bytes)))
            .collect()
    }

    /// A file of it.
    pub(super) fn file(&self, name: &str) -> Result<&[u8], EvidenceError> {
        let bytes = self.files.get(name).map(Vec::as_slice);
        bytes.ok_or_else(|| EvidenceError::Content {
            file: name.to_owned(),
            why: "is not there".to_owned(),
        })
    }

    /// What the run says of itself.
    ///
    /// # Errors
    /// When `run.json` is missing, of another version, or not written as it should be.
    pub fn record(&self) -> Result<RunRecord, EvidenceError> {
        let bytes = self.file(RUN)?;
        let bad = |why: String| EvidenceError::Content {
            file: RUN.to_owned(),
            why,
        };
        let record: RunRecord =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if record.schema != SCHEMA {
            return Err(bad(format!(
                "it has schema {}, this version reads {SCHEMA}",
                record.schema
            )));
        }
        Ok(record)
    }
}
