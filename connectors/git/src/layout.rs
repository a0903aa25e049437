//! Where a repository keeps its things: recognising one, its object folders, its formats.
//!
//! Nothing of a repository is executed, and of its configuration only the two formats that
//! decide how bytes are to be read are looked at.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Alternates of alternates end here, as in git.
const MAX_ALTERNATES: usize = 5;
/// Text files of a repository (configuration, alternates, packed-refs) are not larger.
const MAX_TEXT: u64 = 1 << 30;

/// A repository, as found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryLayout {
    /// What `.git` is, or names: the folder with `HEAD`.
    pub git_dir: PathBuf,
    /// The folder with `objects` and `refs`; another one than `git_dir` for linked worktrees.
    pub common_dir: PathBuf,
    /// The root of the files that are checked out; `None` for a bare repository or a mirror.
    pub worktree: Option<PathBuf>,
}

/// Says whether a path is a repository: a folder with `.git` in it, a bare repository, or a
/// `.git` folder itself. Parents are not searched.
pub fn discover(path: &Path) -> Option<RepositoryLayout> {
    let dot_git = path.join(".git");
    if dot_git.is_file() {
        let text = read_text(&dot_git).ok()?;
        let target = text.strip_prefix(b"gitdir:")?.trim_ascii();
        let git_dir = path.join(to_path(target)?);
        return is_git_dir(&git_dir).then(|| layout(git_dir, Some(path.to_owned())));
    }
    if is_git_dir(&dot_git) {
        return Some(layout(dot_git, Some(path.to_owned())));
    }
    if is_git_dir(path) {
        let worktree = match path.file_name() {
            Some(name) if name == ".git" => path.parent().map(Path::to_owned),
            _ => None,
        };
        return Some(layout(path.to_owned(), worktree));
    }
    None
}

fn layout(git_dir: PathBuf, worktree: Option<PathBuf>) -> RepositoryLayout {
    let common_dir = read_text(&git_dir.join("commondir"))
        .ok()
        .and_then(|text| to_path(text.trim_ascii()).map(|path| git_dir.join(path)))
        .unwrap_or_else(|| git_dir.clone());
    RepositoryLayout {
        git_dir,
        common_dir,
        worktree,
    }
}

fn is_git_dir(path: &Path) -> bool {
    path.join("HEAD")
        .symlink_metadata()
        .is_ok_and(|meta| !meta.is_dir())
        && (path.join("objects").is_dir() || path.join("commondir").is_file())
}

/// How a repository's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// The hash that names objects.
    pub(crate) hash: gix_hash::Kind,
    /// Whether refs are in a reftable.
    pub(crate) reftable: bool,
}

/// Reads the formats from the repository's configuration.
///
/// # Errors
/// The name of an object format that is not known.
pub(crate) fn format(common_dir: &Path) -> Result<Format, String> {
    let mut format = Format {
        hash: gix_hash::Kind::Sha1,
        reftable: false,
    };
    let text = read_text(&common_dir.join("config")).unwrap_or_default();
    let mut in_extensions = false;
    for line in text.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line).trim().to_ascii_lowercase();
        if line.starts_with('[') {
            in_extensions = line.starts_with("[extensions]");
        }
        let line = line.strip_prefix("[extensions]").unwrap_or(&line);
        if let (true, Some((key, value))) = (in_extensions, line.split_once('=')) {
            match (key.trim(), value.trim().trim_matches('"')) {
                ("objectformat", "sha1") => {}
                ("objectformat", "sha256") => format.hash = gix_hash::Kind::Sha256,
                ("objectformat", other) => return Err(other.to_owned()),
                ("refstorage", "reftable") => format.reftable = true,
                _ => {}
            }
        }
    }
    Ok(format)
}

/// The repository's object folder and those it borrows from, each once; and what is wrong.
pub(crate) fn object_dirs(common_dir: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let mut dirs = Vec::new();
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    let mut level = vec![common_dir.join("objects")];
    for depth in 0..=MAX_ALTERNATES {
        let mut next = Vec::new();
        for dir in level {
            let Ok(canonical) = dir.canonicalize() else {
                wrong.push(format!("object folder {} does not exist", dir.display()));
                continue;
            };
            if !known.insert(canonical) {
                continue;
            }
            let alternates = read_text(&dir.join("info/alternates")).unwrap_or_default();
            for line in alternates.split(|&byte| byte == b'\n') {
                let line = line.trim_ascii();
                if line.is_empty() || line.starts_with(b"#") {
                    continue;
                }
                if let Some(path) = to_path(line) {
                    next.push(dir.join(path));
                }
            }
            dirs.push(dir);
        }
        if depth == MAX_ALTERNATES && !next.is_empty() {
            wrong.push("alternates are nested more than 5 deep".to_owned());
        }
        level = next;
    }
    (dirs, wrong)
}

/// Reads a text file of a repository, with a limit on its size.
pub(crate) fn read_text(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let file = fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("not a file"));
    }
    file.take(MAX_TEXT).read_to_end(&mut text)?;
    Ok(text)
}

/// A path from bytes, where the system allows.
pub(crate) fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    {
        std::str::from_utf8(bytes).ok().map(PathBuf::from)
    }
}
