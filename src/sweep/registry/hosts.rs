//! Connectors of code hosts, and the one that clones and reads what they list.

use std::path::PathBuf;
#[cfg(feature = "hosts")]
use std::sync::OnceLock;

use keymuster_api::Connector;
use zeroize::Zeroizing;

#[cfg(feature = "hosts")]
use keymuster_clone::{Limits, Mirrors};

#[cfg(feature = "hosts")]
use super::{
    super::follow::{Cloned, Follow, LeadFeed},
    Repository, git,
};

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
    #[cfg(feature = "hosts")]
    pub git: Option<GitHost>,
}

/// How to get at a host's repositories.
#[cfg(feature = "hosts")]
pub struct GitHost {
    /// What their addresses begin with.
    base: String,
    /// Asked for when the first is cloned; none where the host is replayed.
    login: Box<dyn Fn() -> Result<Option<keymuster_clone::Login>, String> + Send + Sync>,
}

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
        other => return Err(unknown_values(other)),
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
    let git = spec.clone.then(|| GitHost {
        base: of_git.git_base().to_owned(),
        login: Box::new(move || {
            if is_replayed {
                return Ok(None);
            }
            let token = of_git.token().map_err(|error| error.message)?;
            Ok(token.map(|token| keymuster_clone::Login {
                base: of_git.git_base().to_owned(),
                user: "x-access-token".to_owned(),
                token,
            }))
        }),
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

/// What a GitLab connector is configured with.
pub struct Gitlab {
    /// The group; `None` for all that the token sees.
    pub group: Option<String>,
    /// The base address; gitlab.com's if `None`.
    pub base: Option<String>,
    /// A token; `None` with a recording.
    pub token: Option<Zeroizing<String>>,
    /// Whether the instance's own things are read.
    pub instance: bool,
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

/// A connector over a group of GitLab, or a whole instance.
///
/// # Errors
/// When its configuration cannot be meant.
#[cfg(feature = "gitlab")]
pub fn gitlab(spec: Gitlab) -> Result<Host, String> {
    use keymuster_gitlab::{GitlabConnector, GitlabSpec, Values};
    let values = match spec.values.as_str() {
        "never" => Values::Never,
        "fingerprint" => Values::Fingerprint,
        "detect" => Values::Detect,
        other => return Err(unknown_values(other)),
    };
    let is_replayed = spec.replay.is_some();
    let base = spec.base;
    let connector = GitlabConnector::new(GitlabSpec {
        group: spec.group,
        base: base.unwrap_or_else(|| "https://gitlab.com/api/v4".to_owned()),
        token: spec.token,
        instance: spec.instance,
        values,
        leave_out: spec.leave_out,
        clones: spec.clone,
        record: spec.record,
        replay: spec.replay,
        patience: Default::default(),
    })?;
    let (base, token) = (connector.git_base().to_owned(), connector.token());
    let git = spec.clone.then(|| GitHost {
        base: base.clone(),
        login: Box::new(move || {
            let token = token.clone().filter(|_| !is_replayed);
            Ok(token.map(|token| keymuster_clone::Login {
                base: base.clone(),
                user: "oauth2".to_owned(),
                token,
            }))
        }),
    });
    Ok(Host {
        connector: Box::new(connector),
        git,
    })
}

/// A connector over a group of GitLab, or a whole instance.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "gitlab"))]
pub fn gitlab(_spec: Gitlab) -> Result<Host, String> {
    Err("this build does not read GitLab; build it with the feature `gitlab`".to_owned())
}

#[cfg(feature = "hosts")]
fn unknown_values(other: &str) -> String {
    format!("values = \"{other}\" is none of: never, fingerprint, detect")
}

/// A connector that clones what hosts list below a folder, and reads it; `None` where nothing is
/// to be cloned.
#[cfg(feature = "hosts")]
pub fn listed_repositories(
    folder: PathBuf,
    hosts: Vec<GitHost>,
    offline: bool,
    history: String,
) -> Option<(Follow, LeadFeed)> {
    use keymuster_api::GapKind;
    if hosts.is_empty() {
        return None;
    }
    let hosts: Vec<_> = hosts
        .into_iter()
        .map(|host| (host, OnceLock::<Result<Mirrors, String>>::new()))
        .collect();
    let fetch = move |lead: &keymuster_api::Lead, cx: &keymuster_api::Cx<'_>| {
        // Each host has a login of its own, and what fails there costs it alone.
        let of_lead = |base: &str| {
            let rest = lead.address.strip_prefix(base.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let Some((host, mirrors)) = hosts.iter().find(|(host, _)| of_lead(&host.base)) else {
            let reason = "its address is at none of the hosts that are configured".to_owned();
            return Err((GapKind::Denied, reason));
        };
        let mirrors = mirrors.get_or_init(|| {
            let login = (host.login)()?;
            let is_offline = offline || login.is_none();
            let logins = login.into_iter().collect();
            Ok(Mirrors::new(
                folder.clone(),
                Limits::default(),
                logins,
                is_offline,
            ))
        });
        match mirrors {
            Err(reason) => Err((GapKind::Denied, reason.clone())),
            Ok(mirrors) => mirrors
                .refresh(&lead.address, cx.cancel)
                .map_err(|unfetched| (unfetched.kind, unfetched.reason)),
        }
    };
    let read = move |there: &[Cloned]| {
        let repositories = there.iter().map(|one| Repository {
            path: one.path.clone(),
            name: one.name.clone(),
            history: history.clone(),
            since: None,
        });
        let all = [git(repositories.collect())?];
        #[cfg(feature = "workflows")]
        let all = all.into_iter().chain([pipelines(there)?]);
        Ok(all.into_iter().collect())
    };
    Some(Follow::new(!offline, Box::new(fetch), Box::new(read)))
}

/// The pipelines of what was cloned: who uses the slots that its host lists.
#[cfg(all(feature = "hosts", feature = "workflows"))]
fn pipelines(there: &[Cloned]) -> Result<Box<dyn Connector>, String> {
    let trees = there.iter().map(|one| super::Pipelines {
        path: one.path.clone(),
        name: one.name.clone(),
        address: Some(one.address.clone()),
    });
    super::workflows("(listed repositories)", trees.collect(), None, &[])
}
