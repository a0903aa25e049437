//! Reads exported files: finds them, turns their bytes into text, recognises what they hold.
//!
//! Not here: what the documents mean (`facts`).

mod controls;
mod json;
mod report;
mod running;
mod small;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use keymuster_api::{Cx, Gap, GapKind, PathBytes};

use crate::parts::Parts;

/// What is accepted, for the reason of a gap.
const ACCEPTED: &str = "not an AWS IAM export that is known here; accepted are the JSON of `aws iam` \
    get-account-authorization-details, get-credential-report (also as CSV), list-access-keys, \
    get-access-key-last-used, list-service-specific-credentials, list-ssh-public-keys, \
    list-signing-certificates, list-server-certificates, list-saml-providers, list-users, list-roles, \
    `aws rolesanywhere list-subjects`, and service control policies";

/// A file bigger than this is not read, whatever memory allows.
const MAX_FILE: u64 = 2 << 30;
/// Folders deeper than this are not entered.
const MAX_DEPTH: usize = 16;
/// More files than this are not an export.
const MAX_FILES: usize = 100_000;

/// A file to be read.
#[derive(Debug, Clone)]
pub(crate) struct ExportFile {
    path: PathBuf,
    /// Its path, safe to show.
    pub(crate) shown: String,
    /// Its size in bytes.
    pub(crate) size: u64,
}

/// What the configured paths lead to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files, sorted by path.
    pub(crate) files: Vec<ExportFile>,
    /// Paths that lead to nothing: path, kind, why.
    pub(crate) unreadable: Vec<(String, GapKind, String)>,
}

/// Files behind the configured paths; folders are walked, links are followed once at the top.
pub(crate) fn expand(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        walk(path, 0, &mut found);
    }
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found.files.dedup_by(|a, b| a.path == b.path);
    found.unreadable.sort();
    found.unreadable.dedup();
    found
}

/// The paths in one line.
pub(crate) fn list_paths(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| show(path)).collect();
    if shown.is_empty() {
        "exports = []".to_owned()
    } else {
        shown.join(", ")
    }
}

fn show(path: &Path) -> String {
    PathBytes(path.as_os_str().as_encoded_bytes().to_vec()).to_string()
}

fn walk(path: &Path, depth: usize, found: &mut Found) {
    // Below the configured paths links are left alone: a loop or a way out of the folder.
    let meta = if depth == 0 {
        fs::metadata(path)
    } else {
        fs::symlink_metadata(path)
    };
    let meta = match meta {
        Ok(meta) => meta,
        Err(error) => return found.unreadable.push(unreadable(path, &error)),
    };
    if meta.is_file() {
        if found.files.len() >= MAX_FILES {
            let reason = format!("more than {MAX_FILES} files; name the exports one by one");
            found.unreadable.push((show(path), GapKind::Limit, reason));
            return;
        }
        found.files.push(ExportFile {
            path: path.to_owned(),
            shown: show(path),
            size: meta.len(),
        });
    } else if meta.is_dir() {
        if depth >= MAX_DEPTH {
            let reason = format!("deeper than {MAX_DEPTH} folders; name it in exports");
            found.unreadable.push((show(path), GapKind::Limit, reason));
            return;
        }
        match fs::read_dir(path) {
            Err(error) => found.unreadable.push(unreadable(path, &error)),
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => walk(&entry.path(), depth + 1, found),
                        Err(error) => found.unreadable.push(unreadable(path, &error)),
                    }
                }
            }
        }
    } else if depth == 0 {
        let reason = "neither a file nor a folder".to_owned();
        found
            .unreadable
            .push((show(path), GapKind::Unsupported, reason));
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> (String, GapKind, String) {
    let (kind, reason) = match error.kind() {
        std::io::ErrorKind::NotFound => (
            GapKind::Missing,
            "no such file; check exports in the configuration",
        ),
        std::io::ErrorKind::PermissionDenied => {
            (GapKind::Denied, "permission denied; make it readable")
        }
        _ => (GapKind::Unreadable, "reading failed; check the disk"),
    };
    (show(path), kind, reason.to_owned())
}

/// Reads one file into the parts, or leaves a gap.
pub(crate) fn read(cx: &Cx<'_>, file: &ExportFile, parts: &mut Parts) {
    let limit = cx.max_memory.min(MAX_FILE);
    let mut reader = reader(cx, &file.shown, parts);
    let mut bytes = Vec::new();
    let read =
        fs::File::open(&file.path).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => {
            let (_, kind, reason) = unreadable(&file.path, &error);
            return reader.gap(kind, reason);
        }
        Ok(_) if bytes.len() as u64 > limit => {
            let reason =
                format!("larger than {limit} bytes; raise --max-memory or export in pages");
            return reader.gap(GapKind::Limit, reason);
        }
        Ok(_) => {}
    }
    take(&mut reader, bytes);
}

/// Reads an answer into the parts, as if it were a file of this name.
pub(crate) fn read_bytes(cx: &Cx<'_>, shown: &str, bytes: Vec<u8>, parts: &mut Parts) {
    take(&mut reader(cx, shown, parts), bytes);
}

fn reader<'a>(cx: &'a Cx<'a>, shown: &'a str, parts: &'a mut Parts) -> Reader<'a> {
    let index = parts.files.len() as u32;
    parts.files.push(shown.to_owned());
    Reader {
        cx,
        shown,
        index,
        parts,
    }
}

fn take(reader: &mut Reader<'_>, bytes: Vec<u8>) {
    let text = reader.decode(bytes);
    if text.trim_start().is_empty() {
        return reader.gap(
            GapKind::Corrupt,
            "the file is empty; export it again".to_owned(),
        );
    }
    match text.trim_start().as_bytes()[0] {
        b'{' | b'[' => json::read(reader, &text),
        _ if report::is_report(&text) => report::read(reader, &text, None),
        _ => reader.unsupported(),
    }
}

/// One file on its way into the parts.
struct Reader<'a> {
    cx: &'a Cx<'a>,
    shown: &'a str,
    index: u32,
    parts: &'a mut Parts,
}

impl Reader<'_> {
    /// A gap about this file: nothing of the run is complete any more.
    fn gap(&mut self, kind: GapKind, reason: String) {
        self.gap_at(kind, reason, None);
    }

    fn gap_at(&mut self, kind: GapKind, reason: String, line: Option<u32>) {
        let locator = match line {
            Some(line) => format!("{}:{line}", self.shown),
            None => self.shown.to_owned(),
        };
        self.parts.gaps.push(Gap {
            kind,
            subject: self.shown.to_owned(),
            reason,
            source: self.cx.source(locator),
        });
        self.parts.unread |= kind != GapKind::Unsupported;
    }

    fn unsupported(&mut self) {
        self.gap(GapKind::Unsupported, ACCEPTED.to_owned());
    }

    /// Text from bytes: UTF-8 with or without a byte order mark, or UTF-16 with one (which
    /// PowerShell's `>` writes).
    fn decode(&mut self, bytes: Vec<u8>) -> String {
        let wide = match bytes.get(..2) {
            Some([0xff, 0xfe]) => Some(u16::from_le_bytes as fn([u8; 2]) -> u16),
            Some([0xfe, 0xff]) => Some(u16::from_be_bytes as fn([u8; 2]) -> u16),
            _ => None,
        };
        if let Some(join) = wide {
            let units = bytes[2..]
                .chunks_exact(2)
                .map(|pair| join([pair[0], pair[1]]));
            return char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
        }
        let mut text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let at = error.utf8_error().valid_up_to();
            let reason =
                format!("byte {at} is no UTF-8; read with replacements, export it again as UTF-8");
            self.gap(GapKind::Corrupt, reason);
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        text
    }
}
