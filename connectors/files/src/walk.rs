//! Finds the files of a tree and hands them out in batches.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use ignore::{DirEntry, WalkBuilder};
use keymuster_api::{Cx, Gap, GapKind, Item, PathBytes, Sink};

use std::sync::{Arc, atomic::Ordering::Relaxed};

use crate::{
    Tally, Tree,
    read::{File, FilesLoad},
};

/// A batch is handed out when it holds this many bytes …
const BATCH_BYTES: u64 = 4 << 20;
/// … or this many files.
const BATCH_FILES: usize = 256;

/// Directories of a repository whose content is compressed objects.
const OBJECT_STORES: &[&str] = &["objects", "lfs"];

pub(crate) fn walk(
    cx: &Cx<'_>,
    resource: u32,
    tree: &Tree,
    tally: &Arc<Tally>,
    root: &Path,
    out: &mut dyn Sink,
) {
    let exclude = tree.exclude.clone();
    let skip_git = tree.skip_git;
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .ignore(tree.respect_gitignore)
        .parents(tree.respect_gitignore)
        .git_ignore(tree.respect_gitignore)
        .git_global(tree.respect_gitignore)
        .git_exclude(tree.respect_gitignore)
        .require_git(false)
        .follow_links(false)
        .filter_entry(move |entry| is_wanted(entry, skip_git, &exclude))
        .sort_by_file_name(Ord::cmp)
        .build();
    let mut batch = Batch {
        files: Vec::new(),
        bytes: 0,
    };
    for entry in walker {
        if cx.cancel.is_cancelled() {
            tally.unseen.fetch_add(1, Relaxed);
            out.gap(gap(
                cx,
                root,
                GapKind::Cancelled,
                root,
                "the run was stopped before the whole tree was walked".to_owned(),
            ));
            break;
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                tally.unseen.fetch_add(1, Relaxed);
                let (path, reason) = explain(&error, root);
                out.gap(gap(cx, root, GapKind::Unreadable, &path, reason));
                continue;
            }
        };
        let Some(kind) = entry.file_type() else {
            continue;
        };
        if !kind.is_file() {
            // Pipes, devices and links inside a tree have no content of their own.
            if entry.depth() == 0 && !kind.is_dir() && !entry.path().is_dir() {
                tally.unseen.fetch_add(1, Relaxed);
                let reason = "neither a file nor a directory; name one".to_owned();
                out.gap(gap(cx, root, GapKind::Unsupported, root, reason));
            }
            continue;
        }
        let size = match entry.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) => {
                tally.unseen.fetch_add(1, Relaxed);
                let (_, reason) = explain(&error, entry.path());
                out.gap(gap(cx, root, GapKind::Unreadable, entry.path(), reason));
                continue;
            }
        };
        tally.expected.fetch_add(1, Relaxed);
        cx.progress.expect(size, 1);
        batch.push(File {
            absolute: entry.path().to_path_buf(),
            path: relative(root, entry.path()),
            size,
        });
        if batch.bytes >= BATCH_BYTES || batch.files.len() >= BATCH_FILES {
            batch.emit(cx, resource, tally, root, out);
        }
    }
    batch.emit(cx, resource, tally, root, out);
}

struct Batch {
    files: Vec<File>,
    bytes: u64,
}

impl Batch {
    fn push(&mut self, file: File) {
        self.bytes += file.size;
        self.files.push(file);
    }

    fn emit(
        &mut self,
        cx: &Cx<'_>,
        resource: u32,
        tally: &Arc<Tally>,
        root: &Path,
        out: &mut dyn Sink,
    ) {
        if !self.files.is_empty() {
            let files = std::mem::take(&mut self.files);
            out.emit(Item::Work(Box::new(FilesLoad::new(
                cx, resource, tally, root, files,
            ))));
        }
        self.bytes = 0;
    }
}

fn is_wanted(entry: &DirEntry, skip_git: bool, exclude: &[PathBuf]) -> bool {
    if !exclude.is_empty()
        && exclude
            .iter()
            .any(|path| path == entry.path() || is_same(path, entry))
    {
        return false;
    }
    let name = entry.file_name();
    if name == ".git" {
        return !(skip_git && entry.depth() == 1);
    }
    let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
    if is_directory && OBJECT_STORES.iter().any(|store| name == *store) {
        // Only inside a repository: beside it stands a HEAD.
        return !entry
            .path()
            .parent()
            .is_some_and(|parent| parent.join("HEAD").is_file());
    }
    // A repository's index is a binary list of names.
    !(name == "index"
        && entry.path().parent().and_then(Path::file_name) == Some(OsStr::new(".git")))
}

/// Names differ when a tree is given by a relative path; identity decides.
fn is_same(path: &Path, entry: &DirEntry) -> bool {
    path.file_name() == Some(entry.file_name())
        && fs::canonicalize(entry.path()).is_ok_and(|entry| entry == path)
}

/// The path below the root, with `/`; for a single file its name.
fn relative(root: &Path, path: &Path) -> PathBytes {
    let below = path.strip_prefix(root).unwrap_or(path);
    let below = if below.as_os_str().is_empty() {
        Path::new(path.file_name().unwrap_or(path.as_os_str()))
    } else {
        below
    };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBytes(below.as_os_str().as_bytes().to_vec())
    }
    #[cfg(not(unix))]
    {
        let parts: Vec<_> = below
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        PathBytes(parts.join("/").into_bytes())
    }
}

/// The inverse of [`relative`].
pub(crate) fn absolute(root: &Path, path: &PathBytes) -> PathBuf {
    if root.is_file() {
        return root.to_path_buf();
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        root.join(OsStr::from_bytes(&path.0))
    }
    #[cfg(not(unix))]
    {
        root.join(String::from_utf8_lossy(&path.0).as_ref())
    }
}

fn explain(error: &ignore::Error, root: &Path) -> (PathBuf, String) {
    match error {
        ignore::Error::WithPath { path, err } => (path.clone(), explain(err, root).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            explain(err, root)
        }
        ignore::Error::Loop { ancestor, child } => (
            child.clone(),
            format!("links back to {}", ancestor.display()),
        ),
        ignore::Error::Io(error) => {
            // The walker wraps the system's words in its own.
            let inner = error.get_ref().map(ToString::to_string);
            let words = inner.unwrap_or_else(|| error.to_string());
            let words = words.rsplit_once(": ").map_or(&*words, |(_, tail)| tail);
            let reason = format!("{words}; run as a user who may read it, or leave it out");
            (root.to_path_buf(), reason)
        }
        other => (root.to_path_buf(), other.to_string()),
    }
}

pub(crate) fn gap(cx: &Cx<'_>, root: &Path, kind: GapKind, path: &Path, reason: String) -> Gap {
    Gap {
        kind,
        subject: PathBytes(path.to_string_lossy().into_owned().into_bytes()).to_string(),
        reason,
        source: cx.source(root.display().to_string()),
    }
}
