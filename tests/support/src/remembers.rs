//! A memory that lasts as long as the test.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use keymuster_api::{Candidate, Memo, Place, SystemId};

/// Remembers pages in memory; of contents it knows nothing.
#[derive(Debug, Default)]
pub struct Remembers(Mutex<BTreeMap<(String, String), Vec<u8>>>);

impl Remembers {
    /// Everything that is remembered, as text.
    pub fn text(&self) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = known
            .values()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        texts.collect()
    }
}

impl Memo for Remembers {
    fn pieces(&self, unit: &str, part: &str) -> Vec<Vec<u8>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = known.get(&(unit.to_owned(), part.to_owned()));
        piece.cloned().into_iter().collect()
    }

    fn add(&self, _unit: &str, _part: &str, _piece: Vec<u8>) {}

    fn replace(&self, unit: &str, parts: Vec<(String, Vec<u8>)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (part, piece) in parts {
            known.insert((unit.to_owned(), part), piece);
        }
    }

    fn told(&self, _place: Place, _candidates: Vec<Candidate>) {}

    fn unchanged(
        &self,
        _system: SystemId,
        _resource: u32,
        _unit: &str,
        _state: &[u8],
    ) -> Option<Vec<u8>> {
        None
    }

    fn settled(
        &self,
        _system: SystemId,
        _resource: u32,
        _unit: &str,
        _state: &[u8],
        _note: Vec<u8>,
    ) {
    }
}
