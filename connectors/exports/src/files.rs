//! Finds exported files behind the configured paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keymuster_api::{ConnectorError, GapKind, PathBytes, Preflight};

/// Folders deeper than this are not entered.
const MAX_DEPTH: usize = 16;
/// More files than this are not an export.
const MAX_FILES: usize = 100_000;

/// A file to be read.
#[derive(Debug, Clone)]
pub struct ExportFile {
    pub(crate) path: PathBuf,
    /// Its path, safe to show.
    pub shown: String,
    /// Its size in bytes.
    pub size: u64,
}

impl ExportFile {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// How a file begins: its first 64 KiB as text, empty where it cannot be read.
pub fn head(file: &ExportFile) -> String {
    let mut bytes = Vec::new();
    let read = fs::File::open(&file.path).and_then(|open| {
        use std::io::Read as _;
        open.take(64 << 10).read_to_end(&mut bytes)
    });
    match read {
        // PowerShell's `>` writes two bytes for each character; the second of ours is zero.
        Ok(_) => {
            bytes.retain(|&byte| byte != 0);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Err(_) => String::new(),
    }
}

/// What the configured paths lead to.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, sorted by path.
    pub files: Vec<ExportFile>,
    /// Paths that lead to nothing: path, kind, why.
    pub unreadable: Vec<(String, GapKind, String)>,
}

/// Files behind the configured paths; folders are walked, links are followed once at the top.
pub fn expand(paths: &[PathBuf]) -> Found {
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
pub fn list_paths(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| show(path)).collect();
    if shown.is_empty() {
        "exports = []".to_owned()
    } else {
        shown.join(", ")
    }
}

/// What a look before the sweep tells; `what` is the system, `of` what the files are taken to
/// belong to, `command` writes such a file.
///
/// # Errors
/// When there is no file.
pub fn preflight(
    paths: &[PathBuf],
    what: &str,
    of: &str,
    command: &str,
) -> Result<Preflight, ConnectorError> {
    let found = expand(paths);
    if found.files.is_empty() {
        return Err(ConnectorError::new(format!(
            "no {what} export to read under {}; save `{command}` there",
            list_paths(paths)
        )));
    }
    let bytes: u64 = found.files.iter().map(|file| file.size).sum();
    let plural = if found.files.len() == 1 { "" } else { "s" };
    Ok(Preflight {
        summary: format!(
            "reads {} exported file{plural}, {bytes} bytes{of}; recognised by content",
            found.files.len(),
        ),
        missing: found
            .unreadable
            .iter()
            .map(|(path, _, reason)| format!("{path}: {reason}"))
            .collect(),
    })
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

pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> (String, GapKind, String) {
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
