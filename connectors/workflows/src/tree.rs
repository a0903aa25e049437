//! Where files are read: folders, and whatever else can lend its files.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use ignore::WalkBuilder;
use keymuster_api::{Cancel, GapKind, PathBytes};
use zeroize::Zeroizing;

/// Larger files are no configuration that somebody wrote.
pub const MAX_FILE: u64 = 8 << 20;
/// Folders that hold what others wrote: nothing in them is this repository's pipeline.
const FOREIGN: &[&str] = &[
    "node_modules",
    "vendor",
    ".terraform",
    "site-packages",
    ".venv",
];

/// Something that could not be seen: what kind, which file (empty for all), why.
pub type Trouble = (GapKind, String, String);

/// A tree of files: a folder, or a repository without one.
pub trait Tree: Send + Sync {
    /// Its name, the one other connectors give it.
    fn name(&self) -> &str;

    /// The text of the repository's configuration, which names where it comes from.
    fn git_config(&self) -> Option<Vec<u8>>;

    /// Lends every file whose path (relative, with `/`) is wanted, sorted by path.
    fn read(
        &self,
        cancel: &Cancel,
        wanted: &dyn Fn(&str) -> bool,
        out: &mut dyn FnMut(&str, &[u8]),
    ) -> Vec<Trouble>;
}

/// Whether a path lies in a folder of somebody else's files.
pub fn is_foreign(path: &str) -> bool {
    path.split('/').any(|part| FOREIGN.contains(&part))
}

/// A folder on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its name in reports.
    pub name: String,
    /// Where it is.
    pub root: PathBuf,
    /// Paths (absolute, canonical) that are left out: our own state and reports.
    pub exclude: Vec<PathBuf>,
}

impl Tree for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    fn git_config(&self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let file = fs::File::open(self.root.join(".git/config")).ok()?;
        file.take(1 << 20).read_to_end(&mut text).ok()?;
        Some(text)
    }

    fn read(
        &self,
        cancel: &Cancel,
        wanted: &dyn Fn(&str) -> bool,
        out: &mut dyn FnMut(&str, &[u8]),
    ) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        let exclude = self.exclude.clone();
        let walker = WalkBuilder::new(&self.root)
            .standard_filters(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                let name = entry.file_name().to_string_lossy();
                let foreign = entry.depth() > 0 && (name == ".git" || is_foreign(&name));
                !foreign && !exclude.iter().any(|path| path == entry.path())
            })
            .sort_by_file_name(Ord::cmp)
            .build();
        for entry in walker {
            if cancel.is_cancelled() {
                let reason = "the run was stopped before the whole tree was walked".to_owned();
                troubles.push((GapKind::Cancelled, String::new(), reason));
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    troubles.push((GapKind::Unreadable, String::new(), error.to_string()));
                    continue;
                }
            };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let Some(path) = relative(&self.root, entry.path()) else {
                continue;
            };
            if wanted(&path) {
                match read(entry.path()) {
                    Ok(bytes) => out(&path, &bytes),
                    Err((kind, reason)) => troubles.push((kind, path, reason)),
                }
            }
        }
        troubles
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, (GapKind, String)> {
    let unreadable = |error: std::io::Error| (GapKind::Unreadable, error.to_string());
    let file = fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > MAX_FILE {
        return Err((GapKind::Limit, too_large(size)));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(size as usize));
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

/// What is said of a file beyond [`MAX_FILE`].
pub fn too_large(size: u64) -> String {
    format!("it has {size} bytes, and pipelines and manifests are read up to {MAX_FILE}; split it")
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let below = if below.as_os_str().is_empty() {
        Path::new(path.file_name()?)
    } else {
        below
    };
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    Some(PathBytes(parts.join("/").into_bytes()).to_string())
}
