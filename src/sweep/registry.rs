//! THE list of connectors.

use keymuster_api::Connector;
use keymuster_files::{FilesConnector, Tree};

/// What a connector type is called in the configuration, and what it reads.
pub struct Listed {
    /// `type = "…"`.
    pub kind: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether this build has it.
    pub built: bool,
    /// Whether it talks to a network.
    pub network: bool,
}

/// Every connector type, built or not.
pub const CONNECTORS: &[Listed] = &[
    Listed { kind: "files", about: "directory trees and single files", built: true, network: false },
    Listed { kind: "git", about: "git repositories with full history", built: cfg!(feature = "git"), network: false },
    Listed { kind: "aws-iam", about: "AWS IAM, from exported files", built: cfg!(feature = "aws-iam"), network: false },
];

/// A connector over directory trees.
pub fn files(trees: Vec<Tree>) -> Box<dyn Connector> {
    Box::new(FilesConnector::new(trees))
}

/// A repository to read.
pub struct Repository {
    /// Where it is: its working tree, or its git directory.
    pub path: std::path::PathBuf,
    /// The resource's name.
    pub name: String,
    /// How much of its history: `all`, `tips`, `none`, `staged`, `REV..REV`.
    pub history: String,
    /// Only commits from then on.
    pub since: Option<keymuster_api::Timestamp>,
}

/// What was found at a path.
pub struct Discovered {
    /// Whether it has files besides its history.
    pub has_worktree: bool,
}

/// Whether this path is the top of a git repository.
#[cfg(not(feature = "git"))]
pub fn discover(_path: &std::path::Path) -> Option<Discovered> {
    None
}

/// A connector over git repositories.
///
/// # Errors
/// When the build has none.
#[cfg(not(feature = "git"))]
pub fn git(_repositories: Vec<Repository>) -> Result<Box<dyn Connector>, String> {
    Err("this build reads no git history; build it with the feature `git`".to_owned())
}
