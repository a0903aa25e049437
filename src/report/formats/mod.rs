//! The formats of an audit: projections of its document, one file each, one slice [`FORMATS`].
//!
//! To add one: a file here, one line in the slice, a golden test. Not here: files on disk.

mod csv;
mod json;
mod jsonl;
mod markdown;
mod sarif;
mod terminal;

use std::io::{self, Write};

use super::{Document, FormatCx};

/// One way of writing a document down.
pub trait Format: Sync {
    /// The name that `--format` takes.
    fn name(&self) -> &'static str;
    /// The name of the file in the report's folder.
    fn file(&self) -> &'static str;
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

/// Every format, the record first.
pub const FORMATS: &[&dyn Format] = &[
    &json::Json,
    &jsonl::Jsonl,
    &csv::Csv,
    &sarif::Sarif,
    &terminal::Terminal,
    &markdown::Markdown,
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

    use super::{FORMATS, format};

    #[test]
    fn every_file_is_registered_under_its_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/formats");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .expect("the folder of formats")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .map(|path| {
                let stem = path.file_stem().expect("a name");
                stem.to_str().expect("UTF-8").to_owned()
            })
            .filter(|stem| stem != "mod")
            .collect();
        let names: BTreeSet<String> = FORMATS
            .iter()
            .map(|format| format.name().to_owned())
            .collect();
        assert_eq!(files, names);
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
