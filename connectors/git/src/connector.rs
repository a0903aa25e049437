//! The connector: several repositories, each a resource, numbered as they were given.

use std::sync::{Arc, Mutex, PoisonError};

use keymuster_api::{
    About, Connector, ConnectorError, Cx, GapKind, Item, Located, ObjectId, PathBytes, Preflight,
    Sink, Spot, Wanted, WantedSecret,
};

use crate::{
    layout, locate,
    reader::Reader,
    repository::{History, Repository, RepositorySpec},
    select::{self, Scope},
    sweep,
};

/// Reads git repositories: every object of the store in pack order, or a part of the history.
///
/// Resource `n` is the `n`th repository given to [`GitConnector::new`].
pub struct GitConnector {
    about: About,
    specs: Vec<RepositorySpec>,
    opened: Mutex<Vec<Option<Arc<Repository>>>>,
}

impl GitConnector {
    /// A connector for these repositories. Nothing is opened yet.
    pub fn new(specs: Vec<RepositorySpec>) -> GitConnector {
        let label = match specs.as_slice() {
            [one] => format!("git {}", one.path.display()),
            many => format!("git ({} repositories)", many.len()),
        };
        let opened = Mutex::new(vec![None; specs.len()]);
        GitConnector {
            about: About {
                kind: "git",
                label,
                network: false,
            },
            specs,
            opened,
        }
    }

    fn repository(&self, resource: u32) -> Option<Arc<Repository>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(resource as usize).cloned().flatten()
    }

    fn repositories(&self) -> Vec<Arc<Repository>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.iter().flatten().cloned().collect()
    }

    fn sweep_one(&self, repo: &Arc<Repository>, cx: &Cx<'_>, out: &mut dyn Sink) {
        if repo.is_unchanged {
            return;
        }
        let spec = &repo.spec;
        let scope = match &spec.history {
            History::None => return,
            History::All if spec.since.is_none() => {
                sweep::everything(repo, cx, out);
                return;
            }
            History::All => select::commits(repo, None, spec.since, cx.cancel),
            History::Range(range) => select::commits(repo, Some(range), spec.since, cx.cancel),
            History::Tips => Ok(select::tips(repo, cx.cancel)),
            History::Staged => match select::staged(repo, cx.cancel) {
                Ok(scope) => Ok(scope),
                Err((kind, reason)) => {
                    repo.trouble(kind, repo.name.clone(), reason);
                    Ok(Scope::new())
                }
            },
        };
        match scope {
            Ok(scope) => {
                let mut numbers: Vec<u32> = scope.keys().copied().collect();
                numbers.sort_unstable();
                cx.progress.expect(0, numbers.len() as u64);
                // A second sweep of the same connector finds the same scope.
                let _ = repo.scope.set(scope);
                sweep::singles(repo, numbers, out);
            }
            Err(reason) => {
                let subject = format!("{}: history", repo.name);
                repo.trouble(GapKind::Missing, subject, reason);
            }
        }
        if cx.cancel.is_cancelled()
            && let Err(gap) = repo.cancelled()
        {
            out.gap(gap);
        }
    }
}

impl Connector for GitConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let missing: Vec<String> = self
            .specs
            .iter()
            .filter(|spec| layout::discover(&spec.path).is_none())
            .map(|spec| {
                format!(
                    "{} is no git repository, so nothing of it is seen; correct the path",
                    spec.path.display()
                )
            })
            .collect();
        let found = self.specs.len() - missing.len();
        if found == 0 && !missing.is_empty() {
            return Err(ConnectorError::new(missing.join("; ")));
        }
        let summary = match found {
            1 => "1 git repository".to_owned(),
            found => format!("{found} git repositories"),
        };
        Ok(Preflight { summary, missing })
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        for (resource, spec) in self.specs.iter().enumerate() {
            let repo = match Repository::open(spec, resource as u32, cx.system) {
                Ok(mut repo) => {
                    // What runs beside it needs the rest.
                    repo.park_limit = cx.max_memory / 4;
                    repo.recall(cx);
                    Arc::new(repo)
                }
                Err(gap) => {
                    out.gap(gap);
                    continue;
                }
            };
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = opened.get_mut(resource) {
                *place = Some(Arc::clone(&repo));
            }
            drop(opened);
            out.emit(Item::Resource(repo.resource()));
            self.sweep_one(&repo, cx, out);
            repo.take_gaps().into_iter().for_each(|gap| out.gap(gap));
        }
        Ok(())
    }

    fn named(
        &self,
        cx: &Cx<'_>,
        wanted: &dyn Fn(&[u8]) -> bool,
        out: &mut dyn FnMut(u32, ObjectId, PathBytes),
    ) -> Result<(), ConnectorError> {
        for repo in self.repositories() {
            if repo.spec.history != History::None && !repo.is_unchanged {
                locate::named(&repo, wanted, cx.jobs, out);
            }
        }
        Ok(())
    }

    fn locate(
        &self,
        cx: &Cx<'_>,
        wanted: &Wanted,
        out: &mut dyn FnMut(Located),
    ) -> Result<(), ConnectorError> {
        for repo in self.repositories() {
            let secrets: Vec<&WantedSecret> = wanted
                .secrets
                .iter()
                .filter(|secret| secret.resource == repo.resource)
                .collect();
            locate::locate(&repo, &secrets, wanted.every_version, cx.jobs, out);
        }
        Ok(())
    }

    fn reread(
        &self,
        _cx: &Cx<'_>,
        spots: &[(u32, Spot)],
        out: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), ConnectorError> {
        let mut found: Vec<(u32, (usize, u64), u32, usize)> = Vec::new();
        for (at, (resource, spot)) in spots.iter().enumerate() {
            let (Spot::Blob { id } | Spot::Message { id }) = spot else {
                continue;
            };
            let Some(repo) = self.repository(*resource) else {
                continue;
            };
            if let Some(number) = repo.store.find(id.as_bytes()) {
                found.push((*resource, repo.store.address(number), number, at));
            }
        }
        found.sort_unstable(); // pack order, so that neighbours share delta bases
        for of_one in found.chunk_by(|a, b| a.0 == b.0) {
            let Some(repo) = self.repository(of_one[0].0) else {
                continue;
            };
            let mut reader = Reader::new(&repo.store);
            for &(_, _, number, at) in of_one {
                if let Ok((_, bytes)) = reader.read(number) {
                    out(at, bytes.bytes());
                }
            }
        }
        Ok(())
    }

    fn settle(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        for repo in self.repositories() {
            if repo.store.promisor && repo.is_swept_whole() && !cx.cancel.is_cancelled() {
                // Objects are missing on purpose; only the trees know which.
                repo.graph(cx.jobs);
            }
            repo.take_gaps().into_iter().for_each(|gap| out.gap(gap));
            let (coverage, gap) = repo.coverage();
            if let Some(memory) = &repo.memory {
                memory.settle(&repo);
            }
            coverage
                .into_iter()
                .for_each(|coverage| out.emit(Item::Coverage(coverage)));
            gap.into_iter().for_each(|gap| out.gap(gap));
        }
        Ok(())
    }
}
