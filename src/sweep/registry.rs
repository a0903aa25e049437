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
    Listed {
        kind: "files",
        about: "directory trees and single files",
        built: true,
        network: false,
    },
    Listed {
        kind: "git",
        about: "git repositories with full history",
        built: cfg!(feature = "git"),
        network: false,
    },
    Listed {
        kind: "aws-iam",
        about: "AWS IAM, from exported files",
        built: cfg!(feature = "aws-iam"),
        network: false,
    },
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

/// What lies at this path, if it is the top of a git repository.
pub fn discover(path: &std::path::Path) -> Option<Discovered> {
    #[cfg(feature = "git")]
    {
        keymuster_git::discover(path).map(|layout| Discovered {
            has_worktree: layout.worktree.is_some(),
        })
    }
    #[cfg(not(feature = "git"))]
    {
        let _ = path;
        None
    }
}

/// A connector over git repositories.
///
/// # Errors
/// When a `history` says nothing known, or the build has no git connector.
#[cfg(feature = "git")]
pub fn git(repositories: Vec<Repository>) -> Result<Box<dyn Connector>, String> {
    use keymuster_git::{GitConnector, History, RepositorySpec};
    let mut specs = Vec::new();
    for repository in repositories {
        let history = match repository.history.as_str() {
            "all" => History::All,
            "tips" => History::Tips,
            "none" => History::None,
            "staged" => History::Staged,
            range if range.contains("..") => History::Range(range.to_owned()),
            other => {
                return Err(format!(
                    "history '{other}' is none of: all, tips, none, staged, REV..REV"
                ));
            }
        };
        specs.push(RepositorySpec {
            name: Some(repository.name),
            history,
            since: repository.since,
            ..RepositorySpec::new(repository.path)
        });
    }
    Ok(Box::new(GitConnector::new(specs)))
}

/// A connector over git repositories.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "git"))]
pub fn git(_repositories: Vec<Repository>) -> Result<Box<dyn Connector>, String> {
    Err("this build reads no git history; build it with the feature `git`".to_owned())
}

/// A connector over exported files of AWS IAM.
///
/// # Errors
/// When the build has none.
#[cfg(feature = "aws-iam")]
pub fn aws_iam(
    label: String,
    exports: Vec<std::path::PathBuf>,
    account: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    let spec = keymuster_aws_iam::AwsIamSpec {
        label: format!("aws-iam {label}"),
        exports,
        account,
    };
    Ok(Box::new(keymuster_aws_iam::AwsIamConnector::new(spec)))
}

/// A connector over exported files of AWS IAM.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "aws-iam"))]
pub fn aws_iam(
    _label: String,
    _exports: Vec<std::path::PathBuf>,
    _account: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    Err("this build does not read AWS IAM; build it with the feature `aws-iam`".to_owned())
}
