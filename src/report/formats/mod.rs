//! The formats of an audit: projections of its document, one file each, one slice [`FORMATS`].
//!
//! To add one: a file here, one line in the slice, a golden test. Not here: files on disk.

pub(super) mod azure_devops;
mod csv;
mod defectdojo;
mod ecs;
mod gitlab_secret;
mod html;
mod jira_bulk;
pub(super) mod jira_csv;
mod json;
mod jsonl;
mod junit;
pub(super) mod linear;
mod markdown;
mod ocsf;
mod sarif;
mod sarif_github;
mod servicenow;
mod servicenow_vr;
mod terminal;

use std::io::{self, Write};

use super::{Document, FindingEntry, FormatCx};

/// One way of writing a document down.
pub trait Format: Sync {
    /// The name that `--format` takes.
    fn name(&self) -> &'static str;
    /// The name of the file in the report's folder; of the list of files, where [`Format::split`]
    /// makes several.
    fn file(&self) -> &'static str;
    /// The files that this document becomes, where the target takes only so much in one, or one
    /// for each repository: they lie in a folder of the format's name, beside a list of them.
    fn split(&self, _doc: &Document) -> Option<Split> {
        None
    }
    /// One line for `--help`.
    fn about(&self) -> &'static str;
    /// Writes the document.
    ///
    /// # Errors
    /// When `out` cannot be written; a broken pipe keeps its error kind.
    fn write(&self, doc: &Document, cx: &FormatCx, out: &mut dyn Write) -> io::Result<()>;
    /// Checks what was written for this document, before a file gets its name.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, doc: &Document, written: &[u8]) -> Result<(), String>;
}

/// A document in parts.
#[derive(Debug, Default)]
pub struct Split {
    /// The name of each file, and what belongs into it.
    pub parts: Vec<(String, Document)>,
    /// What no file holds, and why.
    pub left_out: Vec<(String, String)>,
}

impl Split {
    /// Files `1.<extension>`, `2.<extension>` … of at most `most` of these findings each, in
    /// their order; one file where there are none.
    fn chunks(
        doc: &Document,
        extension: &str,
        most: usize,
        wanted: impl Fn(&FindingEntry) -> bool,
    ) -> Split {
        let findings: Vec<&FindingEntry> = doc.findings.iter().filter(|f| wanted(f)).collect();
        let mut chunks: Vec<&[&FindingEntry]> = findings.chunks(most).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        let parts = (1..).zip(chunks).map(|(number, chunk)| {
            let findings = chunk.iter().map(|&finding| finding.clone()).collect();
            (format!("{number}.{extension}"), doc.with(findings))
        });
        Split {
            parts: parts.collect(),
            left_out: Vec::new(),
        }
    }
}

/// Every format, the record first.
pub const FORMATS: &[&dyn Format] = &[
    &json::Json,
    &jsonl::Jsonl,
    &csv::Csv,
    &sarif::Sarif,
    &sarif_github::SarifGithub,
    &gitlab_secret::GitlabSecret,
    &ocsf::Ocsf,
    &ecs::Ecs,
    &junit::JUnit,
    &defectdojo::DefectDojo,
    &jira_csv::JiraCsv,
    &jira_bulk::JiraBulk,
    &servicenow::ServiceNow,
    &servicenow_vr::ServiceNowVr,
    &azure_devops::AzureDevOps,
    &linear::Linear,
    &terminal::Terminal,
    &markdown::Markdown,
    &html::Html,
];

/// The format of this name.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The check of formats for people: text in UTF-8 that cannot drive a terminal.
fn check_text(written: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(written).map_err(|error| error.to_string())?;
    if text.is_empty() {
        return Err("nothing was written".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use serde_json::Value;

    use super::{FORMATS, format};
    use crate::report::{CoverageEntry, Document, FindingEntry, FormatCx, samples, write_file};

    #[test]
    fn every_file_is_registered_under_its_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/formats");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .expect("the folder of formats")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .map(|path| {
                let stem = path.file_stem().expect("a name");
                stem.to_str().expect("UTF-8").replace('_', "-")
            })
            .filter(|stem| stem != "mod")
            .collect();
        let names: BTreeSet<String> = FORMATS
            .iter()
            .map(|format| format.name().to_owned())
            .collect();
        assert_eq!(files, names);
    }

    /// The sample with its first finding so many times, each under an id of its own.
    fn many(count: usize) -> Document {
        let mut doc = samples::document();
        let one = doc.findings[0].clone();
        doc.findings = (0..count)
            .map(|number| FindingEntry {
                finding_id: format!("KM-{number:016}"),
                state: "open".to_owned(),
                ..one.clone()
            })
            .collect();
        doc
    }

    fn listed(folder: &Path, name: &str) -> Vec<(String, u64)> {
        let list = fs::read(folder.join(name).join("files.json")).expect("a list");
        let list: Value = serde_json::from_slice(&list).expect("JSON");
        let files = list["files"].as_array().expect("files");
        let file = |one: &Value| {
            let file = one["file"].as_str().expect("a name").to_owned();
            assert!(folder.join(name).join(&file).exists());
            (file, one["findings"].as_u64().expect("a number"))
        };
        files.iter().map(file).collect()
    }

    /// Files end where the importer's limit is, and what is no longer made is removed.
    #[test]
    fn files_are_split_at_the_importers_limits() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, count: usize| {
            let format = format(name).expect("a format");
            let list = write_file(folder.path(), format, &many(count), &FormatCx::default());
            list.expect("written");
            let files = listed(folder.path(), name);
            let sizes: Vec<u64> = files.iter().map(|(_, size)| *size).collect();
            let in_folder = fs::read_dir(folder.path().join(name))
                .expect("a folder")
                .count();
            assert_eq!(in_folder, files.len() + 1, "nothing stale: {name} {count}");
            sizes
        };
        assert_eq!(write("jira-csv", 251), [250, 1]);
        assert_eq!(write("jira-csv", 250), [250]);
        assert_eq!(write("jira-csv", 0), [0]);
        assert_eq!(write("jira-bulk", 101), [50, 50, 1]);
        assert_eq!(write("jira-bulk", 0), [0; 0]);
        assert_eq!(write("azure-devops", 1_001), [1_000, 1]);
        assert_eq!(write("linear", 1_001), [1_000, 1]);
    }

    /// More than a file may hold goes into further files, under categories of their own.
    #[test]
    fn github_gets_no_file_that_it_would_refuse() {
        let mut doc = many(25_001);
        let place = doc
            .credentials
            .iter()
            .flat_map(|credential| &credential.places)
            .find(|place| place.suppressed.is_none())
            .expect("a place");
        let scope = format!("git:{}", place.resource);
        doc.coverage = vec![CoverageEntry {
            scope,
            complete: true,
            ..CoverageEntry::default()
        }];
        doc.gaps.clear();
        let format = format("sarif-github").expect("a format");
        let split = format.split(&doc).expect("parts");
        let sizes: Vec<usize> = split
            .parts
            .iter()
            .map(|(_, part)| part.findings.len())
            .collect();
        assert_eq!(sizes, [5_000, 5_000, 5_000, 5_000, 5_000, 1]);
        let mut categories = BTreeSet::new();
        for (name, part) in &split.parts {
            let mut bytes = Vec::new();
            format
                .write(part, &FormatCx::default(), &mut bytes)
                .expect("memory");
            assert_eq!(format.check(part, &bytes), Ok(()), "{name}");
            let log: Value = serde_json::from_slice(&bytes).expect("JSON");
            let run = &log["runs"][0];
            assert_eq!(
                run["results"].as_array().map(Vec::len),
                Some(part.findings.len())
            );
            categories.insert(run["automationDetails"]["id"].to_string());
        }
        assert_eq!(categories.len(), 6);
    }

    /// A repository that was not seen completely gets no file: an upload closes what it lacks.
    #[test]
    fn github_gets_a_file_for_each_repository_that_was_seen() {
        let mut doc = samples::document();
        let coverage = |scope: &str, complete| CoverageEntry {
            scope: scope.to_owned(),
            complete,
            ..CoverageEntry::default()
        };
        let resource = doc
            .credentials
            .iter()
            .flat_map(|credential| &credential.places)
            .find(|place| place.suppressed.is_none())
            .expect("a place")
            .resource
            .clone();
        doc.coverage = vec![
            coverage(&format!("git:{resource}"), true),
            coverage("git:mended", true),
            coverage("git:../half", false),
        ];
        let folder = tempfile::tempdir().expect("a folder");
        let format = format("sarif-github").expect("a format");
        let list = write_file(folder.path(), format, &doc, &FormatCx::default()).expect("written");
        let files = listed(folder.path(), "sarif-github");
        assert_eq!(files.len(), 2);
        assert_eq!(
            files
                .iter()
                .find(|file| file.0 == "mended.sarif")
                .map(|file| file.1),
            Some(0)
        );
        assert!(files.iter().any(|file| file.1 > 0), "{files:?}");
        let list: Value = serde_json::from_slice(&fs::read(list).expect("a list")).expect("JSON");
        assert_eq!(list["left_out"][0]["what"], "../half");
    }

    #[test]
    fn names_and_files_are_distinct() {
        let files: BTreeSet<_> = FORMATS.iter().map(|format| format.file()).collect();
        assert_eq!(files.len(), FORMATS.len());
        for one in FORMATS {
            assert_eq!(
                format(one.name()).map(|found| found.file()),
                Some(one.file())
            );
            assert!(!one.about().is_empty() && !one.about().ends_with('.'));
        }
        assert!(format("jpeg").is_none());
    }
}
