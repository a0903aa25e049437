//! Leads: repositories that a host listed are cloned or refreshed, then read by the git
//! connector. One connector among the others: it waits until no other has leads to give.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
    thread,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use keymuster_api::{
    About, Connector, ConnectorError, Cx, Gap, GapKind, Lead, Located, ObjectId, PathBytes,
    Preflight, Sink, Spot, Wanted,
};

/// Repositories that are fetched at once.
const AT_ONCE: usize = 3;

/// Gives leads to whoever follows them. Taken by the sweep.
pub struct LeadFeed(Mutex<Option<Sender<Lead>>>);

impl LeadFeed {
    pub(super) fn open(&self) -> Option<Sender<Lead>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Makes a repository that was listed be there, and says where.
pub type Fetch = Box<dyn Fn(&Lead, &Cx<'_>) -> Result<PathBuf, (GapKind, String)> + Send + Sync>;
/// A repository that is there.
pub struct Cloned {
    /// Where it is on disk.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Where it was cloned from.
    pub address: String,
}

/// Gives connectors that read repositories: the first their contents, further ones what else
/// they tell.
pub type Read = Box<dyn Fn(&[Cloned]) -> Result<Vec<Box<dyn Connector>>, String> + Send + Sync>;

/// Follows leads.
pub struct Follow {
    about: About,
    leads: Mutex<Option<Receiver<Lead>>>,
    fetch: Fetch,
    read: Read,
    inner: OnceLock<Vec<Box<dyn Connector>>>,
}

impl Follow {
    /// A follower, and the feed that its leads come through.
    pub fn new(network: bool, fetch: Fetch, read: Read) -> (Follow, LeadFeed) {
        let (sender, receiver) = unbounded();
        let about = About {
            kind: "git",
            label: "git (listed repositories)".to_owned(),
            network,
        };
        let follow = Follow {
            about,
            leads: Mutex::new(Some(receiver)),
            fetch,
            read,
            inner: OnceLock::new(),
        };
        (follow, LeadFeed(Mutex::new(Some(sender))))
    }

    /// Every lead, once, in the order of addresses.
    fn leads(&self) -> Vec<Lead> {
        let receiver = self
            .leads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut leads: BTreeMap<String, Lead> = BTreeMap::new();
        for lead in receiver.iter().flatten() {
            if lead.connector == "git" {
                leads.insert(lead.address.clone(), lead);
            }
        }
        leads.into_values().collect()
    }

    /// Who reads contents.
    fn first(&self) -> Option<&dyn Connector> {
        let first = self.inner.get()?.first()?;
        Some(&**first)
    }

    /// What each lead came to, in their order; fetched side by side.
    fn fetch(&self, leads: &[Lead], cx: &Cx<'_>) -> Vec<Result<PathBuf, (GapKind, String)>> {
        let next = Mutex::new(0..leads.len());
        let done = Mutex::new(BTreeMap::new());
        thread::scope(|threads| {
            for _ in 0..AT_ONCE.min(leads.len()) {
                threads.spawn(|| {
                    loop {
                        let index = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some(lead) = index.and_then(|index| leads.get(index)) else {
                            return;
                        };
                        let fetched = (self.fetch)(lead, cx);
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.insert(index, fetched);
                    }
                });
            }
        });
        done.into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_values()
            .collect()
    }
}

impl Connector for Follow {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        Ok(Preflight {
            summary: "clones or refreshes the repositories that hosts list, and reads them"
                .to_owned(),
            missing: Vec::new(),
        })
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let leads = self.leads();
        let mut there = Vec::new();
        for (lead, fetched) in leads.iter().zip(self.fetch(&leads, cx)) {
            match fetched {
                Ok(path) => there.push(Cloned {
                    path,
                    name: lead.name.clone(),
                    address: lead.address.clone(),
                }),
                Err((kind, reason)) => out.gap(Gap {
                    kind,
                    subject: format!("{}: repository", lead.name),
                    reason,
                    source: lead.source.clone(),
                }),
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        let inner = (self.read)(&there).map_err(ConnectorError::new)?;
        for connector in self.inner.get_or_init(|| inner) {
            connector.sweep(cx, out)?;
        }
        Ok(())
    }

    fn named(
        &self,
        cx: &Cx<'_>,
        wanted: &dyn Fn(&[u8]) -> bool,
        out: &mut dyn FnMut(u32, ObjectId, PathBytes),
    ) -> Result<(), ConnectorError> {
        self.first()
            .map_or(Ok(()), |inner| inner.named(cx, wanted, out))
    }

    fn locate(
        &self,
        cx: &Cx<'_>,
        wanted: &Wanted,
        out: &mut dyn FnMut(Located),
    ) -> Result<(), ConnectorError> {
        self.first()
            .map_or(Ok(()), |inner| inner.locate(cx, wanted, out))
    }

    fn reread(
        &self,
        cx: &Cx<'_>,
        spots: &[(u32, Spot)],
        out: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), ConnectorError> {
        self.first()
            .map_or(Ok(()), |inner| inner.reread(cx, spots, out))
    }

    fn settle(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        self.first().map_or(Ok(()), |inner| inner.settle(cx, out))
    }
}
