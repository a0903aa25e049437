//! A recording instead of a network.

use std::sync::Arc;

use crate::{Fault, Sent, Tape, Transport};

/// Answers from a recording.
pub(crate) struct Replay {
    pub(crate) tape: Arc<Tape>,
}

impl Transport for Replay {
    fn get<'a>(&'a self, url: &'a str, _etag: Option<&'a str>) -> Sent<'a> {
        Box::pin(async move { self.tape.find(url, None).ok_or(Fault::NotRecorded)? })
    }

    fn query<'a>(&'a self, url: &'a str, body: &'a str) -> Sent<'a> {
        Box::pin(async move { self.tape.find(url, Some(body)).ok_or(Fault::NotRecorded)? })
    }

    fn is_recording(&self) -> bool {
        true
    }
}
