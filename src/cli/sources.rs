//! From the tables of keymuster.toml to connectors.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;
use keymuster_api::{Connector, Gap, GapKind, Source, SystemId};
use keymuster_files::{Root, Tree};
use zeroize::Zeroizing;

use super::{
    config::{self, Config, ConnectorTable, GithubAppTable, SecretText},
    global::Global,
    scan,
};
use crate::{
    engine::Engine,
    estate::Gathered,
    sweep::{
        self, SweepMemo, SweepOptions,
        follow::LeadFeed,
        registry::{self, hosts},
    },
};

/// The configured connectors.
pub(super) struct Connectors {
    pub(super) all: Vec<Box<dyn Connector>>,
    /// Where leads go; the last connector follows them.
    pub(super) leads: Option<LeadFeed>,
}

/// The configured connectors; globs that name nothing are told. `own` are our own folders, which
/// are not swept even where they lie inside a swept tree. What hosts list is cloned below `state`.
pub(super) fn connectors(
    config: &Config,
    own: &[PathBuf],
    state: Option<&Path>,
    offline: bool,
    nothing: &mut Vec<String>,
) -> Result<Connectors> {
    let mut connectors: Vec<Box<dyn Connector>> = Vec::new();
    let mut listed = Listed::default();
    let mut clusters = BTreeSet::new();
    for table in &config.file.connector {
        match table {
            ConnectorTable::Files {
                paths,
                respect_gitignore,
            } => {
                let trees = config
                    .expand(paths, nothing)?
                    .into_iter()
                    .map(|path| Tree {
                        name: scan::name_of(&path),
                        root: Root::Path(path),
                        respect_gitignore: *respect_gitignore,
                        skip_git: false,
                        exclude: own.to_vec(),
                    })
                    .collect();
                connectors.push(registry::files(trees));
            }
            ConnectorTable::Git {
                paths,
                history,
                since,
            } => {
                let since = since
                    .as_deref()
                    .map(config::date)
                    .transpose()
                    .map_err(|why| anyhow!("{}: since: {why}", config.path.display()))?;
                let repositories = config
                    .expand(paths, nothing)?
                    .into_iter()
                    .filter(|path| path.is_dir())
                    .map(|path| registry::Repository {
                        name: scan::name_of(&path),
                        path,
                        history: history.clone().unwrap_or_else(|| "all".to_owned()),
                        since,
                    })
                    .collect();
                connectors.push(
                    registry::git(repositories)
                        .map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
            ConnectorTable::AwsIam {
                exports,
                account,
                profile,
                roles,
                regions,
                command,
            } => {
                let place = format!("{}: aws-iam", config.path.display());
                let live = match (profile, exports.is_empty()) {
                    (Some(_), false) => {
                        bail!("{place}: exports and profile exclude each other; make two tables")
                    }
                    (None, true) => bail!(
                        "{place}: nothing to read; name exports, or a profile (\"default\" for the login of the environment)"
                    ),
                    (None, false) if !roles.is_empty() => {
                        bail!("{place}: roles need a profile that may assume them")
                    }
                    (None, false) => None,
                    (Some(profile), true) => Some(registry::AwsLive {
                        command: command.clone(),
                        profile: profile.clone(),
                        roles: roles.clone(),
                        regions: regions.clone(),
                    }),
                };
                let files = config.expand(exports, nothing)?;
                let label = live.as_ref().map_or_else(
                    || exports.join(", "),
                    |live| format!("profile {}", live.profile),
                );
                connectors.push(
                    registry::aws_iam(label, files, account.clone(), live)
                        .map_err(|message| anyhow!("{place}: {message}"))?,
                );
            }
            ConnectorTable::Kubernetes {
                exports,
                cluster,
                issuer,
            } => {
                // Two clusters under one name would be taken for one.
                if !clusters.insert(cluster.as_deref()) {
                    bail!(
                        "{}: two connectors of type kubernetes are called {}; give each its cluster = \"…\"",
                        config.path.display(),
                        cluster.as_deref().unwrap_or("nothing")
                    );
                }
                let files = config.expand(exports, nothing)?;
                connectors.push(
                    registry::exports::kubernetes(
                        exports.join(", "),
                        files,
                        cluster.clone(),
                        issuer.clone(),
                    )
                    .map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
            ConnectorTable::Gcp { exports, project } => {
                let files = config.expand(exports, nothing)?;
                let label = exports.join(", ");
                let connector = registry::exports::gcp(label, files, project.clone());
                connectors.push(
                    connector.map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
            ConnectorTable::Entra { exports, tenant } => {
                let files = config.expand(exports, nothing)?;
                let label = exports.join(", ");
                let connector = registry::exports::entra(label, files, tenant.clone());
                connectors.push(
                    connector.map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
            ConnectorTable::Github {
                organization,
                base,
                token,
                app,
                values,
                leave_out,
                clone,
                history,
                record,
                replay,
            } => {
                let place = format!("{}: github", config.path.display());
                // A recording needs nobody's word.
                let login = match replay {
                    Some(_) => None,
                    None => {
                        github_login(config, token.as_ref(), app.as_ref()).context(place.clone())?
                    }
                };
                let spec = hosts::Github {
                    organization: organization.clone(),
                    base: base.clone(),
                    login,
                    values: values.clone(),
                    leave_out: leave_out.clone(),
                    clone: *clone,
                    record: record.as_ref().map(|path| config.path(path)),
                    replay: replay.as_ref().map(|path| config.path(path)),
                };
                let host = hosts::github(spec).map_err(|message| anyhow!("{place}: {message}"))?;
                connectors.push(listed.add(host, history.as_deref()));
            }
            ConnectorTable::Gitlab {
                group,
                base,
                token,
                instance,
                values,
                leave_out,
                clone,
                history,
                record,
                replay,
            } => {
                let place = format!("{}: gitlab", config.path.display());
                // A recording needs nobody's word.
                let token = match (replay, token) {
                    (None, Some(token)) => Some(plain_token(config, token).context(place.clone())?),
                    _ => None,
                };
                let spec = hosts::Gitlab {
                    group: group.clone(),
                    base: base.clone(),
                    token,
                    instance: *instance,
                    values: values.clone(),
                    leave_out: leave_out.clone(),
                    clone: *clone,
                    record: record.as_ref().map(|path| config.path(path)),
                    replay: replay.as_ref().map(|path| config.path(path)),
                };
                let host = hosts::gitlab(spec).map_err(|message| anyhow!("{place}: {message}"))?;
                connectors.push(listed.add(host, history.as_deref()));
            }
            ConnectorTable::Workflows { paths, home } => {
                connectors.push(workflows(config, paths, home.clone(), own, nothing)?);
            }
        }
    }
    let leads = listed.follow(state, offline, &mut connectors);
    Ok(Connectors {
        all: connectors,
        leads,
    })
}

/// Pipelines of the named paths, or of all that other connectors read.
fn workflows(
    config: &Config,
    paths: &[String],
    home: Option<String>,
    own: &[PathBuf],
    nothing: &mut Vec<String>,
) -> Result<Box<dyn Connector>> {
    let all: Vec<String> = match paths {
        [] => config
            .file
            .connector
            .iter()
            .filter_map(|table| match table {
                ConnectorTable::Files { paths, .. } | ConnectorTable::Git { paths, .. } => {
                    Some(paths.clone())
                }
                _ => None,
            })
            .flatten()
            .collect(),
        paths => paths.to_vec(),
    };
    // What other connectors name and is not there is told by them.
    let mut unknown = Vec::new();
    let mut found = config.expand(&all, &mut unknown)?;
    if !paths.is_empty() {
        nothing.append(&mut unknown);
    }
    found.sort();
    found.dedup();
    let trees = found.into_iter().map(|path| registry::Pipelines {
        name: scan::name_of(&path),
        path,
        address: None,
    });
    registry::workflows(&all.join(", "), trees.collect(), home, own)
        .map_err(|message| anyhow!("{}: {message}", config.path.display()))
}

/// Who lists repositories that are to be cloned.
#[derive(Default)]
struct Listed {
    #[cfg(feature = "hosts")]
    hosts: Vec<hosts::GitHost>,
    #[cfg(feature = "hosts")]
    history: Option<String>,
}

impl Listed {
    /// Takes how to get at a host's repositories, and gives its connector.
    fn add(&mut self, host: hosts::Host, history: Option<&str>) -> Box<dyn Connector> {
        #[cfg(feature = "hosts")]
        {
            self.hosts.extend(host.git);
            if self.history.is_none() {
                self.history = history.map(str::to_owned);
            }
        }
        #[cfg(not(feature = "hosts"))]
        let _ = history;
        host.connector
    }

    /// Adds the connector that clones and reads them.
    #[cfg(feature = "hosts")]
    fn follow(
        self,
        state: Option<&Path>,
        offline: bool,
        connectors: &mut Vec<Box<dyn Connector>>,
    ) -> Option<LeadFeed> {
        let folder = state?.join("clones");
        let history = self.history.unwrap_or_else(|| "all".to_owned());
        let (follow, feed) = hosts::listed_repositories(folder, self.hosts, offline, history)?;
        connectors.push(Box::new(follow));
        Some(feed)
    }

    /// Nobody in this build lists any.
    #[cfg(not(feature = "hosts"))]
    fn follow(
        self,
        _state: Option<&Path>,
        _offline: bool,
        _connectors: &mut Vec<Box<dyn Connector>>,
    ) -> Option<LeadFeed> {
        None
    }
}

/// A token without the line break that files end with.
fn plain_token(config: &Config, token: &SecretText) -> Result<Zeroizing<String>> {
    let token = token.read(&config.folder).context("token")?;
    Ok(Zeroizing::new(token.trim().to_owned()))
}

fn github_login(
    config: &Config,
    token: Option<&SecretText>,
    app: Option<&GithubAppTable>,
) -> Result<Option<hosts::GithubLogin>> {
    Ok(match (token, app) {
        (Some(_), Some(_)) => bail!("token and app exclude each other; keep one"),
        (Some(token), None) => Some(hosts::GithubLogin::Token(plain_token(config, token)?)),
        (None, Some(app)) => {
            let key = app.key.read(&config.folder).context("app.key")?;
            Some(hosts::GithubLogin::App(
                app.id.clone(),
                app.installation,
                key,
            ))
        }
        (None, None) => None,
    })
}

/// Sweeps what is configured. `own` are our own folders.
pub(super) fn sweep(
    global: &Global,
    config: &Config,
    engine: &Engine,
    now: Timestamp,
    own: &[&Path],
    state: &Path,
    memo: Option<Arc<SweepMemo>>,
) -> Result<Gathered> {
    let mut nothing = Vec::new();
    let own: Vec<PathBuf> = own
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    let Connectors {
        all: mut connectors,
        leads,
    } = connectors(config, &own, Some(state), global.offline, &mut nothing)?;
    let mut dropped = Vec::new();
    if global.offline {
        connectors.retain(|connector| {
            let about = connector.about();
            if about.network {
                dropped.push(about.label.clone());
            }
            !about.network
        });
    }
    // Connectors that were dropped stood before the one that follows leads.
    let follower = connectors.len().saturating_sub(1) as u32;
    let cancel = global.watch();
    let bar = global.bar();
    let options = SweepOptions {
        leads: leads.as_ref().map(|feed| (feed, follower)),
        jobs: global.jobs(),
        max_memory: global.max_memory,
        now,
        every_version: false,
        whole: false,
        unpack: config.file.archives.limits(),
        cancel: &cancel,
        memo: memo.as_ref(),
        progress: &bar,
    };
    let mut gathered = sweep::sweep(&connectors, engine, &options);
    bar.finish();
    if let Some(note) = memo.as_ref().and_then(|memo| memo.finish()) {
        super::note(&note);
    }
    let gap = |kind, subject: String, reason: &str| Gap {
        kind,
        subject,
        reason: reason.to_owned(),
        source: Source {
            system: SystemId(0),
            locator: config.path.display().to_string(),
        },
    };
    gathered.gaps.extend(nothing.into_iter().map(|glob| {
        gap(
            GapKind::Missing,
            glob,
            "names no file; correct the path in the configuration",
        )
    }));
    gathered.gaps.extend(dropped.into_iter().map(|label| {
        gap(
            GapKind::Missing,
            label,
            "left out, because --offline was given",
        )
    }));
    gathered.gaps.sort();
    Ok(gathered)
}
