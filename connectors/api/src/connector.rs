//! What a connector is, and what the run lends to it.

use std::{
    io::{Read, Seek},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::stored::Word;
use crate::{
    Cancel, Content, Gap, Item, Located, Memo, ObjectId, PathBytes, Place, Progress, Redactor,
    Source, Spot, SystemId, Timestamp, Trace, Wanted,
};

/// A system that holds credentials, or mentions them.
///
/// A connector runs on a named thread of its own. It may wait for disks and networks there;
/// its [`Load`]s run on workers and wait for nothing but local disks.
pub trait Connector: Send + Sync {
    /// What it is.
    fn about(&self) -> &About;

    /// Looks before the sweep: who are we there, and what is missing.
    ///
    /// # Errors
    /// When there is no use in sweeping. The run goes on without this connector, with a gap.
    fn preflight(&self, cx: &Cx<'_>) -> Result<Preflight, ConnectorError>;

    /// Looks harder, for somebody who sets it up: which permission is missing, and what stays
    /// unseen without it. A sweep tells the same as gaps.
    ///
    /// # Errors
    /// When there is no use in sweeping.
    fn doctor(&self, cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        self.preflight(cx)
    }

    /// Emits all it sees. What it cannot see it emits as [`Item::Gap`].
    ///
    /// # Errors
    /// When the sweep could not go on; what was emitted before stands.
    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError>;

    /// Names the objects (by id) whose file name the caller wants to see with its path: rules
    /// for files such as `.pgpass` need the name, and in pack order there is none.
    ///
    /// # Errors
    /// When the sweep's objects cannot be walked any more.
    fn named(
        &self,
        _cx: &Cx<'_>,
        _wanted: &dyn Fn(&[u8]) -> bool,
        _out: &mut dyn FnMut(u32, ObjectId, PathBytes),
    ) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Says where the wanted secrets are, after the engine drained.
    ///
    /// # Errors
    /// When places cannot be determined; the sightings stay, without provenance.
    fn locate(
        &self,
        _cx: &Cx<'_>,
        _wanted: &Wanted,
        _out: &mut dyn FnMut(Located),
    ) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Lends the bytes of these spots once more, each with its index, in any order. A spot
    /// that cannot be read again is left out.
    ///
    /// # Errors
    /// When nothing can be read any more.
    fn reread(
        &self,
        _cx: &Cx<'_>,
        _spots: &[(u32, Spot)],
        _out: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Tells what only the end can tell: coverage, and gaps met since the sweep. Called last,
    /// when every load ran and nothing more is asked. Emits no work.
    ///
    /// # Errors
    /// When the counts cannot be told; without them nothing is complete.
    fn settle(&self, _cx: &Cx<'_>, _out: &mut dyn Sink) -> Result<(), ConnectorError> {
        Ok(())
    }
}

/// What a connector says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The type as configured: `git`, `aws-iam`.
    #[serde(deserialize_with = "crate::stored::word")]
    pub kind: Word,
    /// This instance, for people: `git ../repos/*`.
    pub label: String,
    /// Whether it talks to a network; `--offline` drops it with a gap if so.
    pub network: bool,
}

/// What a look before the sweep told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preflight {
    /// Who we are there, or what will be read: one line.
    pub summary: String,
    /// What is missing, each with what stays unseen and what to do.
    pub missing: Vec<String>,
}

/// Why a connector stopped: the object and the next step, lower case, no full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectorError {
    /// The message, ready for a person.
    pub message: String,
}

impl ConnectorError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> ConnectorError {
        ConnectorError {
            message: message.into(),
        }
    }
}

/// What the run lends to a connector.
pub struct Cx<'a> {
    /// The connector's number in this run.
    pub system: SystemId,
    /// The run's point in time.
    pub now: Timestamp,
    /// Worker threads.
    pub jobs: usize,
    /// Bytes that all loads in flight may hold together.
    pub max_memory: u64,
    /// Set when the run should finish.
    pub cancel: &'a Cancel,
    /// Told of progress.
    pub progress: &'a dyn Progress,
    /// Seals what must not be kept.
    pub redactor: &'a dyn Redactor,
    /// What earlier runs left; `None` where this run neither takes nor leaves anything.
    pub memo: Option<&'a Arc<dyn Memo>>,
}

impl Cx<'_> {
    /// A source of this connector.
    pub fn source(&self, locator: impl Into<String>) -> Source {
        Source {
            system: self.system,
            locator: locator.into(),
        }
    }
}

/// Takes what a connector emits. May block the connector's thread while workers catch up.
pub trait Sink {
    /// One item.
    fn emit(&mut self, item: Item);

    /// One gap.
    fn gap(&mut self, gap: Gap) {
        self.emit(Item::Gap(gap));
    }
}

/// Work not done yet, done on one worker while it is warm.
pub trait Load: Send {
    /// About how many bytes it holds in memory at its peak; heavier loads run first.
    fn weight(&self) -> u64;

    /// Does it: loads contents, lends each to [`LoadCx::scan`].
    ///
    /// # Errors
    /// A gap for what this load could not see; what was scanned before stands.
    fn load(self: Box<Self>, cx: &dyn LoadCx) -> Result<(), Gap>;
}

/// Bytes that can be read from any place of them: a file, or memory.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek + ?Sized> ReadSeek for T {}

/// What a worker lends to a load.
pub trait LoadCx: Sync {
    /// Searches one content. The candidates are taken by the run; the trace is for contents
    /// that are made from this one.
    fn scan(&self, content: &Content<'_>) -> Trace;

    /// Whether an object that begins with these bytes (512 are enough) is a container of files.
    /// A content that is lent whole is opened by [`LoadCx::scan`]; who lends slices asks first.
    fn opens(&self, _head: &[u8]) -> bool {
        false
    }

    /// Opens a container and searches what is in it. Returns whether all of it was seen, so
    /// that a search of its raw bytes would add nothing.
    fn open(&self, _place: &Place, _source: &mut dyn ReadSeek, _length: u64) -> bool {
        false
    }

    /// Hands parts of this load on, so that other workers can take them.
    fn fork(&self, loads: Vec<Box<dyn Load>>);

    /// Something this load could not see, while it goes on.
    fn gap(&self, gap: Gap);

    /// Whether the run should finish; a load that stops early returns a gap.
    fn is_cancelled(&self) -> bool;

    /// Tells of work done: bytes searched or skipped, objects.
    fn advance(&self, bytes: u64, objects: u64);
}
