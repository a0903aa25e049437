//! What a run sweeps: the configured connectors, and what they gathered.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use keymuster_api::{Connector, Gap, GapKind, Source, SystemId};
use keymuster_files::{Root, Tree};

use super::{
    config::{self, Config, ConnectorTable},
    global::Global,
    scan,
};
use crate::{
    engine::Engine,
    estate::Gathered,
    sweep::{self, SweepMemo, SweepOptions, registry},
};

/// The configured connectors; globs that name nothing are told. `own` are our own folders, which
/// are not swept even where they lie inside a swept tree.
pub(super) fn connectors(
    config: &Config,
    own: &[PathBuf],
    nothing: &mut Vec<String>,
) -> Result<Vec<Box<dyn Connector>>> {
    let mut connectors: Vec<Box<dyn Connector>> = Vec::new();
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
            ConnectorTable::AwsIam { exports, account } => {
                let files = config.expand(exports, nothing)?;
                connectors.push(
                    registry::aws_iam(exports.join(", "), files, account.clone())
                        .map_err(|message| anyhow!("{}: {message}", config.path.display()))?,
                );
            }
        }
    }
    Ok(connectors)
}

/// Sweeps everything configured. `own` are our own folders.
pub(super) fn sweep(
    global: &Global,
    config: &Config,
    engine: &Engine,
    now: Timestamp,
    own: &[&Path],
    memo: Option<Arc<SweepMemo>>,
) -> Result<Gathered> {
    let mut nothing = Vec::new();
    let own: Vec<PathBuf> = own
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    let mut connectors = connectors(config, &own, &mut nothing)?;
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
    let cancel = global.watch();
    let bar = global.bar();
    let options = SweepOptions {
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
