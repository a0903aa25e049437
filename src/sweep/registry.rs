//! THE list of connectors.

#[cfg(feature = "github")]
use std::sync::OnceLock;
use std::{collections::BTreeMap, path::PathBuf};

use keymuster_api::Connector;
use keymuster_files::{FilesConnector, Tree};
use zeroize::Zeroizing;

#[cfg(feature = "github")]
use super::follow::{Follow, LeadFeed};

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

/// A connector over exported files of AWS IAM.
///
/// # Errors
/// When the build has none.
#[cfg(feature = "aws-iam")]
pub fn aws_iam(
    label: String,
    exports: Vec<PathBuf>,
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
    _exports: Vec<PathBuf>,
    _account: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    Err("this build does not read AWS IAM; build it with the feature `aws-iam`".to_owned())
}

/// A connector over exported files of a Kubernetes cluster. `issuer` is that of its tokens.
///
/// # Errors
/// When the build has none, or the cluster's name cannot be one.
#[cfg(feature = "kubernetes")]
pub fn kubernetes(
    label: String,
    exports: Vec<PathBuf>,
    cluster: Option<String>,
    issuer: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    use keymuster_kubernetes::{KubernetesConnector, KubernetesSpec};
    let connector = KubernetesConnector::new(KubernetesSpec {
        label: format!("kubernetes {label}"),
        exports,
        cluster,
        issuer,
    })?;
    Ok(Box::new(connector))
}

/// A connector over exported files of a Kubernetes cluster.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "kubernetes"))]
pub fn kubernetes(
    _label: String,
    _exports: Vec<PathBuf>,
    _cluster: Option<String>,
    _issuer: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    Err("this build does not read Kubernetes; build it with the feature `kubernetes`".to_owned())
}

/// A connector over exported files of Google Cloud. `project` is that of policies that name none.
///
/// # Errors
/// When the build has none.
pub fn gcp(
    label: String,
    exports: Vec<PathBuf>,
    project: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    #[cfg(feature = "gcp")]
    {
        let label = format!("gcp {label}");
        let spec = keymuster_gcp::GcpSpec {
            label,
            exports,
            project,
        };
        Ok(Box::new(keymuster_gcp::GcpConnector::new(spec)))
    }
    #[cfg(not(feature = "gcp"))]
    {
        let _ = (label, exports, project);
        Err("this build does not read Google Cloud; build it with the feature `gcp`".to_owned())
    }
}

/// A connector over exported files of Entra ID and Azure.
///
/// # Errors
/// When the build has none.
pub fn entra(
    label: String,
    exports: Vec<PathBuf>,
    tenant: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    #[cfg(feature = "entra")]
    {
        let label = format!("entra {label}");
        let spec = keymuster_entra::EntraSpec {
            label,
            exports,
            tenant,
        };
        Ok(Box::new(keymuster_entra::EntraConnector::new(spec)))
    }
    #[cfg(not(feature = "entra"))]
    {
        let _ = (label, exports, tenant);
        Err("this build does not read Entra; build it with the feature `entra`".to_owned())
    }
}

/// Types of connectors that read exports of rights.
pub const EXPORTS: &[&str] = &["aws-iam", "gcp", "entra", "kubernetes"];

/// Which system an export is of, by how it begins; what nobody else knows is taken for AWS.
#[cfg(any(feature = "entra", feature = "gcp", feature = "kubernetes"))]
fn system_of(head: &str) -> &'static str {
    #[cfg(feature = "kubernetes")]
    if keymuster_kubernetes::looks_like(head) {
        return "kubernetes";
    }
    #[cfg(feature = "gcp")]
    if keymuster_gcp::looks_like(head) {
        return "gcp";
    }
    #[cfg(feature = "entra")]
    if keymuster_entra::looks_like(head) {
        return "entra";
    }
    let _ = head;
    "aws-iam"
}

/// The files behind paths, by system. A path that leads to files of AWS only stays as it is, and so
/// does what cannot be read: whoever reads AWS tells of it.
fn by_system(paths: Vec<PathBuf>) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let mut all: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        #[cfg(any(feature = "entra", feature = "gcp", feature = "kubernetes"))]
        {
            let found = keymuster_exports::expand(std::slice::from_ref(&path));
            let files = found.files.iter();
            let files: Vec<(&str, PathBuf)> = files
                .map(|file| {
                    (
                        system_of(&keymuster_exports::head(file)),
                        file.path().to_owned(),
                    )
                })
                .collect();
            let is_mixed = files.iter().any(|(system, _)| *system != "aws-iam");
            if is_mixed && found.unreadable.is_empty() {
                for (system, file) in files {
                    all.entry(system).or_default().push(file);
                }
                continue;
            }
        }
        all.entry("aws-iam").or_default().push(path);
    }
    all
}

/// Connectors over exported files of whichever system, each file recognised by how it begins.
///
/// # Errors
/// When the build does not read one of the systems.
pub fn exports(label: &str, paths: Vec<PathBuf>) -> Result<Vec<Box<dyn Connector>>, String> {
    let mut all = Vec::new();
    for (system, files) in by_system(paths) {
        let label = label.to_owned();
        all.push(match system {
            "gcp" => gcp(label, files, None)?,
            "entra" => entra(label, files, None)?,
            "kubernetes" => kubernetes(label, files, None, None)?,
            _ => aws_iam(label, files, None)?,
        });
    }
    Ok(all)
}

/// Who one is at GitHub.
pub enum GithubLogin {
    /// With a token.
    Token(Zeroizing<String>),
    /// As an app: its id, its installation, its private key.
    App(String, u64, Zeroizing<String>),
}

/// What a GitHub connector is configured with.
pub struct Github {
    /// The organisation.
    pub organization: String,
    /// The base address; github.com's if `None`.
    pub base: Option<String>,
    /// Who one is; `None` with a recording.
    pub login: Option<GithubLogin>,
    /// `never`, `fingerprint` or `detect`.
    pub values: String,
    /// What is not asked for.
    pub leave_out: Vec<String>,
    /// Whether its repositories are cloned and read.
    pub clone: bool,
    /// Where it is recorded to.
    pub record: Option<PathBuf>,
    /// What is read instead of the network.
    pub replay: Option<PathBuf>,
}

/// Whoever lists repositories, as the one who clones them needs to know.
pub struct Host {
    /// The connector.
    pub connector: Box<dyn Connector>,
    /// Where its repositories are, and how to get in; `None` where they are not cloned.
    #[cfg(feature = "github")]
    pub git: Option<GitLogin>,
}

/// How to get at a host's repositories: asked for when the first is cloned.
#[cfg(feature = "github")]
pub type GitLogin = Box<dyn Fn() -> Result<Option<keymuster_clone::Login>, String> + Send + Sync>;

/// A connector over an organisation of GitHub.
///
/// # Errors
/// When its configuration cannot be meant.
#[cfg(feature = "github")]
pub fn github(spec: Github) -> Result<Host, String> {
    use keymuster_github::{GithubConnector, GithubSpec, Login, Values};
    let values = match spec.values.as_str() {
        "never" => Values::Never,
        "fingerprint" => Values::Fingerprint,
        "detect" => Values::Detect,
        other => {
            return Err(format!(
                "values = \"{other}\" is none of: never, fingerprint, detect"
            ));
        }
    };
    let login = spec.login.map(|login| match login {
        GithubLogin::Token(token) => Login::Token(token),
        GithubLogin::App(id, installation, key) => Login::App {
            id,
            installation,
            key,
        },
    });
    let is_replayed = spec.replay.is_some();
    let inner = GithubSpec {
        organization: spec.organization,
        base: spec
            .base
            .unwrap_or_else(|| "https://api.github.com".to_owned()),
        login,
        values,
        leave_out: spec.leave_out,
        clones: spec.clone,
        record: spec.record,
        replay: spec.replay,
        patience: Default::default(),
    };
    let of_git = GithubConnector::new(inner.clone())?;
    let git: Option<GitLogin> = spec.clone.then(|| {
        let login: GitLogin = Box::new(move || {
            if is_replayed {
                return Ok(None);
            }
            let token = of_git.token().map_err(|error| error.message)?;
            Ok(token.map(|token| keymuster_clone::Login {
                base: of_git.git_base().to_owned(),
                user: "x-access-token".to_owned(),
                token,
            }))
        });
        login
    });
    Ok(Host {
        connector: Box::new(GithubConnector::new(inner)?),
        git,
    })
}

/// A connector over an organisation of GitHub.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "github"))]
pub fn github(_spec: Github) -> Result<Host, String> {
    Err("this build does not read GitHub; build it with the feature `github`".to_owned())
}

/// A connector that clones what hosts list below a folder, and reads it; `None` where nothing is
/// to be cloned.
#[cfg(feature = "github")]
pub fn listed_repositories(
    folder: PathBuf,
    logins: Vec<GitLogin>,
    offline: bool,
    history: String,
) -> Option<(Follow, LeadFeed)> {
    use keymuster_clone::{Limits, Mirrors};
    if logins.is_empty() {
        return None;
    }
    let mirrors: OnceLock<Result<Mirrors, String>> = OnceLock::new();
    let fetch = move |lead: &keymuster_api::Lead, cx: &keymuster_api::Cx<'_>| {
        let mirrors = mirrors.get_or_init(|| {
            let all: Result<Vec<_>, String> = logins.iter().map(|login| login()).collect();
            let all: Vec<_> = all?.into_iter().flatten().collect();
            let is_offline = offline || all.is_empty();
            Ok(Mirrors::new(
                folder.clone(),
                Limits::default(),
                all,
                is_offline,
            ))
        });
        match mirrors {
            Err(reason) => Err((keymuster_api::GapKind::Denied, reason.clone())),
            Ok(mirrors) => mirrors
                .refresh(&lead.address, cx.cancel)
                .map_err(|unfetched| (unfetched.kind, unfetched.reason)),
        }
    };
    let read = move |there: Vec<(PathBuf, String)>| {
        let repositories = there.into_iter().map(|(path, name)| Repository {
            path,
            name,
            history: history.clone(),
            since: None,
        });
        git(repositories.collect())
    };
    Some(Follow::new(!offline, Box::new(fetch), Box::new(read)))
}

/// A tree whose pipelines and manifests are read.
pub struct Pipelines {
    /// Where it is: a folder, or a bare repository.
    pub path: PathBuf,
    /// The resource's name.
    pub name: String,
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
