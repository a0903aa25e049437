//! Progress and cancellation as parameters, with no user interface in them.

use std::sync::atomic::{AtomicBool, Ordering};

/// Who wants to know how far a run is. All methods are cheap and callable from any thread.
pub trait Progress: Send + Sync {
    /// More work became known: so many bytes and objects.
    fn expect(&self, bytes: u64, objects: u64);
    /// Work was done: so many bytes and objects.
    fn advance(&self, bytes: u64, objects: u64);
    /// A new phase of the run began.
    fn phase(&self, name: &str);
}

/// Nobody wants to know.
pub struct NoProgress;

impl Progress for NoProgress {
    fn expect(&self, _bytes: u64, _objects: u64) {}
    fn advance(&self, _bytes: u64, _objects: u64) {}
    fn phase(&self, _name: &str) {}
}

/// The one flag that Ctrl-C and a deadline set. A cancelled run finishes: what was seen is
/// reported, the rest are gaps.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// A flag that is not set.
    pub const fn new() -> Cancel {
        Cancel(AtomicBool::new(false))
    }

    /// Asks the run to finish.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to finish.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
