//! THE list of connectors. Those of code hosts, and what clones their repositories, stand in
//! [`hosts`], those of clouds whose rights are exported in [`exports`].

pub mod exports;
pub mod hosts;

use std::path::PathBuf;

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
    Listed {
        kind: "gcp",
        about: "service accounts, keys, policies and pools of Google Cloud, from what gcloud writes",
        built: cfg!(feature = "gcp"),
        network: false,
    },
    Listed {
        kind: "entra",
        about: "applications, secrets, consents and roles of Entra ID and Azure, from what az and Graph write",
        built: cfg!(feature = "entra"),
        network: false,
    },
    Listed {
        kind: "kubernetes",
        about: "service accounts, their tokens and RBAC of a cluster, from what kubectl writes",
        built: cfg!(feature = "kubernetes"),
        network: false,
    },
    Listed {
        kind: "github",
        about: "an organisation of GitHub, and its repositories",
        built: cfg!(feature = "github"),
        network: true,
    },
    Listed {
        kind: "gitlab",
        about: "a group of GitLab or a whole instance, and its repositories",
        built: cfg!(feature = "gitlab"),
        network: true,
    },
    Listed {
        kind: "workflows",
        about: "which job, service or agent uses which secret: pipelines, manifests, agent tools",
        built: cfg!(feature = "workflows"),
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
    pub path: PathBuf,
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

/// How accounts of AWS are read as they are now.
pub struct AwsLive {
    /// The AWS command line; `aws` on the path by default.
    pub command: Option<String>,
    /// The profile; `default` stands for the login that the command line finds by itself.
    pub profile: String,
    /// Roles to read as.
    pub roles: Vec<String>,
    /// Regions of certificates for Roles Anywhere.
    pub regions: Vec<String>,
}

/// A connector over AWS IAM: exported files, or accounts as they are now.
///
/// # Errors
/// When the build has none.
#[cfg(feature = "aws-iam")]
pub fn aws_iam(
    label: String,
    exports: Vec<PathBuf>,
    account: Option<String>,
    live: Option<AwsLive>,
) -> Result<Box<dyn Connector>, String> {
    let spec = keymuster_aws_iam::AwsIamSpec {
        label: format!("aws-iam {label}"),
        exports,
        account,
        live: live.map(|live| keymuster_aws_iam::Live {
            command: live.command.unwrap_or_else(|| "aws".to_owned()),
            profile: Some(live.profile).filter(|name| name != "default"),
            roles: live.roles,
            regions: live.regions,
        }),
    };
    Ok(Box::new(keymuster_aws_iam::AwsIamConnector::new(spec)))
}

/// A connector over AWS IAM.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "aws-iam"))]
pub fn aws_iam(
    _label: String,
    _exports: Vec<PathBuf>,
    _account: Option<String>,
    _live: Option<AwsLive>,
) -> Result<Box<dyn Connector>, String> {
    Err("this build does not read AWS IAM; build it with the feature `aws-iam`".to_owned())
}

/// A tree whose pipelines and manifests are read.
pub struct Pipelines {
    /// Where it is: a folder, or a bare repository.
    pub path: PathBuf,
    /// The resource's name.
    pub name: String,
    /// Where it comes from, if that is known: else its own configuration says.
    pub address: Option<String>,
}

/// A connector over pipelines, manifests and agent configurations. `own` are our own folders,
/// which are left out; `home` is where trees without a remote come from.
///
/// # Errors
/// When the build has none.
#[cfg(feature = "workflows")]
pub fn workflows(
    label: &str,
    trees: Vec<Pipelines>,
    home: Option<String>,
    own: &[PathBuf],
) -> Result<Box<dyn Connector>, String> {
    use keymuster_workflows::{Tree, WorkflowsConnector, WorkflowsSpec};
    let trees = trees.into_iter().map(|tree| -> Box<dyn Tree> {
        #[cfg(feature = "git")]
        if discover(&tree.path).is_some_and(|found| !found.has_worktree) {
            return Box::new(bare::Bare(tree));
        }
        Box::new(keymuster_workflows::Folder {
            name: tree.name,
            root: tree.path,
            exclude: own.to_vec(),
        })
    });
    Ok(Box::new(WorkflowsConnector::new(WorkflowsSpec {
        label: format!("workflows {label}"),
        trees: trees.collect(),
        home,
    })))
}

/// A connector over pipelines, manifests and agent configurations.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "workflows"))]
pub fn workflows(
    _label: &str,
    _trees: Vec<Pipelines>,
    _home: Option<String>,
    _own: &[PathBuf],
) -> Result<Box<dyn Connector>, String> {
    Err("this build reads no pipelines; build it with the feature `workflows`".to_owned())
}

/// Bare repositories: the git connector reads their files, the workflows connector what is in
/// them.
#[cfg(all(feature = "git", feature = "workflows"))]
mod bare {
    use keymuster_api::{Cancel, PathBytes};
    use keymuster_workflows::{MAX_FILE, Tree, Trouble};

    pub(super) struct Bare(pub(super) super::Pipelines);

    impl Tree for Bare {
        fn name(&self) -> &str {
            &self.0.name
        }

        fn git_config(&self) -> Option<Vec<u8>> {
            // A mirror of ours has no remote written down.
            if let Some(address) = &self.0.address {
                return Some(format!("[remote \"origin\"]\n\turl = {address}\n").into_bytes());
            }
            let layout = keymuster_git::discover(&self.0.path)?;
            std::fs::read(layout.common_dir.join("config")).ok()
        }

        fn read(
            &self,
            cancel: &Cancel,
            wanted: &dyn Fn(&str) -> bool,
            out: &mut dyn FnMut(&str, &[u8]),
        ) -> Vec<Trouble> {
            let shown = |path: &[u8]| PathBytes(path.to_vec()).to_string();
            keymuster_git::read_head(
                &self.0.path,
                MAX_FILE,
                cancel,
                &|path| wanted(&shown(path)),
                &mut |path, bytes| out(&shown(path), bytes),
            )
        }
    }
}
