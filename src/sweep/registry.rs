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
