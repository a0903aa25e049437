//! What a run leaves for the next: one SQLite file beside the ledger.
//!
//! Everything in it was sealed before it came here, and everything in it can be found again by
//! looking: a file that is damaged, or belongs to something else, is put aside and only costs
//! time. What is kept holds under one context (the rules, the key, the program's own sources);
//! under another it is not seen. A thread of its own writes, so that no worker waits for a disk.
//!
//! Invariant: never a secret in it.

mod sightings;
mod store;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

use keymuster_api::{Candidate, Memo, Place, SystemId};
use sha2::{Digest as _, Sha256};

use super::pool::Held;
use crate::{engine::Engine, estate::Sighting};
use store::Store;

/// Changes whenever what is kept is written or meant differently.
const FORMAT: u8 = 1;

/// A resource of a connector.
type Whose = (SystemId, u32);
/// Unit, state, and the connector's note.
type Settled = (String, Vec<u8>, Vec<u8>);
/// The way to the thread that writes.
type Writer = (Sender<Write>, JoinHandle<()>);

/// The memory of earlier runs, open.
pub struct SweepMemo {
    store: std::sync::Arc<Mutex<Store>>,
    writer: Mutex<Option<Writer>>,
    told: Mutex<Vec<Held>>,
    /// Resources that are as they were, with their sightings.
    unchanged: Mutex<BTreeMap<Whose, Vec<Sighting>>>,
    /// Resources that were seen wholly.
    settled: Mutex<BTreeMap<Whose, Settled>>,
    result: &'static str,
}

enum Write {
    Add(String, String, Vec<u8>),
    Replace(String, Vec<(String, Vec<u8>)>),
}

impl SweepMemo {
    /// Opens the file, or makes it. The text says that an unusable one was put aside.
    ///
    /// # Errors
    /// When no file can be made there: the run then goes on without a memory.
    pub fn open(
        path: &Path,
        engine: &Engine,
        every_version: bool,
    ) -> Result<(SweepMemo, Option<String>), String> {
        let mut hash = Sha256::new();
        hash.update([FORMAT]);
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(env!("KEYMUSTER_SOURCES"));
        hash.update(engine.rules().id());
        hash.update(engine.key().subject(b"memo"));
        let (store, note) = Store::open(path, &hash.finalize())?;
        let store = std::sync::Arc::new(Mutex::new(store));
        let (sender, receiver) = channel();
        let its = std::sync::Arc::clone(&store);
        let thread = std::thread::Builder::new()
            .name("memo".to_owned())
            .spawn(move || {
                for write in receiver {
                    let mut store = lock(&its);
                    match write {
                        Write::Add(unit, part, piece) => store.add(&unit, &part, &piece),
                        Write::Replace(unit, parts) => store.replace(&unit, &parts),
                    }
                }
            })
            .map_err(|error| format!("the system gives no thread: {error}"))?;
        let memo = SweepMemo {
            store,
            writer: Mutex::new(Some((sender, thread))),
            told: Mutex::default(),
            unchanged: Mutex::default(),
            settled: Mutex::default(),
            result: if every_version {
                "result all"
            } else {
                "result"
            },
        };
        Ok((memo, note))
    }

    fn write(&self, write: Write) {
        if let Some((sender, _)) = &*lock(&self.writer) {
            // The channel has no bound: this never waits. The thread outlives the sender.
            let _ = sender.send(write);
        }
    }

    /// What known contents hold.
    pub(super) fn take_told(&self) -> Vec<Held> {
        std::mem::take(&mut lock(&self.told))
    }

    /// The sightings of resources that are as they were.
    pub(super) fn take_unchanged(&self) -> BTreeMap<(SystemId, u32), Vec<Sighting>> {
        std::mem::take(&mut lock(&self.unchanged))
    }

    /// Keeps the sightings of a resource, if its connector said that it saw it wholly.
    pub(super) fn keep(&self, whose: (SystemId, u32), sightings: &[Sighting]) {
        if let Some((unit, state, note)) = lock(&self.settled).remove(&whose) {
            let bytes = sightings::write(&state, &note, sightings);
            self.write(Write::Replace(unit, vec![(self.result.to_owned(), bytes)]));
        }
    }

    /// Writes what is still to be written; the text says what went wrong, if anything did.
    pub fn finish(&self) -> Option<String> {
        if let Some((sender, thread)) = lock(&self.writer).take() {
            drop(sender);
            let _ = thread.join();
        }
        lock(&self.store).finish()
    }
}

impl Memo for SweepMemo {
    fn pieces(&self, unit: &str, part: &str) -> Vec<Vec<u8>> {
        lock(&self.store).pieces(unit, part)
    }

    fn add(&self, unit: &str, part: &str, piece: Vec<u8>) {
        self.write(Write::Add(unit.to_owned(), part.to_owned(), piece));
    }

    fn replace(&self, unit: &str, parts: Vec<(String, Vec<u8>)>) {
        self.write(Write::Replace(unit.to_owned(), parts));
    }

    fn told(&self, place: Place, candidates: Vec<Candidate>) {
        lock(&self.told).push(Held { place, candidates });
    }

    fn unchanged(
        &self,
        system: SystemId,
        resource: u32,
        unit: &str,
        state: &[u8],
    ) -> Option<Vec<u8>> {
        let bytes = lock(&self.store).pieces(unit, self.result).pop()?;
        let (note, sightings) = sightings::read(&bytes, state)?;
        lock(&self.unchanged).insert((system, resource), sightings);
        Some(note)
    }

    fn settled(&self, system: SystemId, resource: u32, unit: &str, state: &[u8], note: Vec<u8>) {
        let entry = (unit.to_owned(), state.to_vec(), note);
        lock(&self.settled).insert((system, resource), entry);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
