//! keymuster connector: directory trees, single files and standard input.
//!
//! Hidden and git-ignored files are read too unless told otherwise, because that is where
//! secrets are; the object stores of git repositories are not, because their content is
//! compressed and belongs to the git connector. Links are not followed: what they point to is
//! either in the tree, and read there, or outside, and not asked for. FIFOs, sockets and
//! devices are skipped: they hold no stored content.
//!
//! [`walk`] finds files on the connector's thread; [`read`] reads them on workers.

mod read;
mod walk;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use keymuster_api::{
    About, Connector, ConnectorError, Coverage, Cx, Item, Preflight, Resource, ResourceKind, Sink,
    Spot,
};

pub use read::SLICE;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// A directory tree, or a single file.
    Path(PathBuf),
    /// What was read from standard input by the caller, who owns the terminal.
    Stdin,
}

/// What to read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Where.
    pub root: Root,
    /// The resource's name.
    pub name: String,
    /// Whether `.gitignore` and its kin are obeyed.
    pub respect_gitignore: bool,
    /// Whether `.git` is left out wholly, because the git connector reads the repository.
    pub skip_git: bool,
    /// Paths (absolute, canonical) that are left out: our own state and reports.
    pub exclude: Vec<PathBuf>,
}

/// The connector; each tree is one resource.
pub struct FilesConnector {
    about: About,
    trees: Vec<Tree>,
    tallies: Vec<Arc<Tally>>,
}

/// What is counted of a tree while it is walked and read.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) expected: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Entries that could not be listed, and files that could not be read.
    pub(crate) unseen: AtomicU64,
}

impl FilesConnector {
    /// A connector for these trees.
    pub fn new(trees: Vec<Tree>) -> FilesConnector {
        let names: Vec<&str> = trees.iter().map(|tree| tree.name.as_str()).collect();
        let label = format!("files {}", names.join(", "));
        let tallies = trees.iter().map(|_| Arc::default()).collect();
        FilesConnector {
            about: About {
                kind: "files",
                label,
                network: false,
            },
            trees,
            tallies,
        }
    }
}

impl Connector for FilesConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let mut missing = Vec::new();
        for tree in &self.trees {
            if let Root::Path(path) = &tree.root
                && let Err(error) = std::fs::symlink_metadata(path)
            {
                missing.push(format!(
                    "cannot read {}: {error}; name an existing file or directory",
                    path.display()
                ));
            }
        }
        Ok(Preflight {
            summary: format!("{} trees or files", self.trees.len()),
            missing,
        })
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        for ((id, tree), tally) in (0u32..).zip(&self.trees).zip(&self.tallies) {
            let location = match &tree.root {
                Root::Path(path) => path.display().to_string(),
                Root::Stdin => "standard input".to_owned(),
            };
            out.emit(Item::Resource(Resource {
                id,
                kind: ResourceKind::Tree,
                name: tree.name.clone(),
                location,
            }));
            match &tree.root {
                Root::Path(path) => walk::walk(cx, id, tree, tally, path, out),
                Root::Stdin => out.emit(Item::Work(Box::new(read::StdinLoad::new(cx, id, tally)))),
            }
            if cx.cancel.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    fn reread(
        &self,
        _cx: &Cx<'_>,
        spots: &[(u32, Spot)],
        out: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), ConnectorError> {
        for (index, (resource, spot)) in spots.iter().enumerate() {
            let Some(Tree {
                root: Root::Path(root),
                ..
            }) = self.trees.get(*resource as usize)
            else {
                continue;
            };
            let Spot::File { path } = spot else { continue };
            if let Ok(bytes) = std::fs::read(walk::absolute(root, path)) {
                let bytes = zeroize::Zeroizing::new(bytes);
                out(index, &bytes);
            }
        }
        Ok(())
    }

    fn settle(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        for (tree, tally) in self.trees.iter().zip(&self.tallies) {
            let (expected, received) = (tally.expected.load(Relaxed), tally.received.load(Relaxed));
            out.emit(Item::Coverage(Coverage {
                scope: format!("files:{}", tree.name),
                what: "files".to_owned(),
                expected: Some(expected),
                received,
                bytes: tally.bytes.load(Relaxed),
                complete: expected == received && tally.unseen.load(Relaxed) == 0,
                source: cx.source(tree.name.clone()),
            }));
        }
        Ok(())
    }
}
