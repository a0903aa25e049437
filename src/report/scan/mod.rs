//! What `scan` prints: sightings, one file per format, one slice [`SCAN_FORMATS`].
//!
//! Formats write sightings in the order they are given; only the page for people groups and
//! sorts them. Not here: which sightings there are, and which count for the exit code.

mod csv;
mod json;
mod jsonl;
mod row;
mod sarif;
mod terminal;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use keymuster_api::{Gap, Severity};

use super::FormatCx;
use crate::{
    audit::KindAdvice,
    estate::{Resource, Sighting},
};

/// What a detection rule says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// One line: `GitHub personal access token`.
    pub title: String,
    /// Why a sighting matters, one or two sentences; may be empty.
    pub why: String,
    /// Its page: plain text, or an `https://` address; may be empty.
    pub page: String,
    /// How bad a sighting is unless its place says otherwise.
    pub severity: Severity,
}

/// How much was searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Searched {
    /// Files of directory trees.
    pub files: u64,
    /// Objects of histories.
    pub blobs: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// What a scan format may look at, apart from the sightings.
#[derive(Clone, Copy)]
pub struct ScanCx<'a> {
    /// What sightings refer to by index.
    pub resources: &'a [Resource],
    /// For each resource, what is written before its paths: `payments-api/`, or nothing. A
    /// resource past the end has no prefix.
    pub prefixes: &'a [String],
    /// Every rule of the run, by id.
    pub rules: &'a BTreeMap<String, RuleInfo>,
    /// Titles and advice by kind id.
    pub kinds: &'a BTreeMap<String, KindAdvice>,
    /// What was not seen.
    pub gaps: &'a [Gap],
    /// What was seen.
    pub searched: Searched,
    /// keymuster's version.
    pub tool_version: &'a str,
    /// Whether a hook or a job asks, about changes that are not merged yet.
    pub before_merge: bool,
    /// How the page for people may look.
    pub page: FormatCx,
}

impl ScanCx<'_> {
    /// The title of what a sighting is: its kind's, else its rule's, else the kind's id.
    fn title<'s>(&'s self, sighting: &'s Sighting) -> &'s str {
        let kind = self.kinds.get(&*sighting.kind).map(|kind| &kind.title);
        let rule = self.rules.get(&*sighting.rule).map(|rule| &rule.title);
        kind.into_iter()
            .chain(rule)
            .find(|title| !title.is_empty())
            .map_or(&*sighting.kind, String::as_str)
    }

    /// The path of a sighting with its resource's prefix.
    fn path(&self, sighting: &Sighting) -> String {
        let prefix = self.prefixes.get(sighting.resource as usize);
        format!("{}{}", prefix.map_or("", String::as_str), sighting.path)
    }

    /// The name of a sighting's resource.
    fn resource(&self, sighting: &Sighting) -> Option<&str> {
        let resource = self.resources.get(sighting.resource as usize)?;
        Some(&resource.name)
    }
}

/// One way of writing sightings down.
pub trait ScanFormat: Sync {
    /// The name that `--format` takes.
    fn name(&self) -> &'static str;
    /// One line for `--help`.
    fn about(&self) -> &'static str;
    /// Writes all sightings, in the order given.
    ///
    /// # Errors
    /// When `out` cannot be written; a broken pipe keeps its error kind.
    fn write(&self, sightings: &[Sighting], cx: &ScanCx<'_>, out: &mut dyn Write)
    -> io::Result<()>;
}

/// Every format of `scan`, the default first.
pub const SCAN_FORMATS: &[&dyn ScanFormat] = &[
    &terminal::Terminal,
    &jsonl::Jsonl,
    &json::Json,
    &sarif::Sarif,
    &csv::Csv,
];

/// The scan format of this name.
pub fn scan_format(name: &str) -> Option<&'static dyn ScanFormat> {
    SCAN_FORMATS
        .iter()
        .copied()
        .find(|format| format.name() == name)
}
