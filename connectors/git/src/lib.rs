//! keymuster connector: reads git repositories with full history, in pack order.
//!
//! A pack stores most versions of a file as changes to another version. This crate decodes
//! each delta tree once, from its root, and lends every version to the engine together with
//! the ranges it copied from its base, so that only fresh bytes need a search. Where things
//! were found (paths, commits, refs) is worked out afterwards, and only for what matched:
//! see `graph` (what holds what), `closure` (which trees hold what is wanted), `containment`
//! (at which paths, in which commits).
//!
//! The order of the modules is that of a run: find the repository, open its store, sweep it,
//! locate what matched.
//!
//! Invariant: nothing of a repository is executed, and no git binary is called.
//! Invariant: whatever bytes a repository has, nothing panics, and what cannot be read is a
//! gap. No size is believed before it is checked.
//!
//! Not honoured: `info/grafts` and `refs/replace`. Both change what history looks like and
//! not what the store holds; history is told as it was recorded.

mod layout;
mod refs;

mod buffer;
mod delta;
mod fault;
mod inflate;
mod loose;
mod ops;
mod pack;
mod plan;
mod reader;
mod store;

mod memory;
mod repository;
mod search;
mod sweep;
mod walk;

mod head;
mod revision;
mod select;
mod staged;

mod commit;
mod graph;
mod graph_read;
mod shard;
mod tree;

mod closure;
mod containment;
mod history;
mod locate;

mod connector;

#[cfg(any(test, feature = "stages"))]
#[doc(hidden)]
pub mod stages;

pub use connector::GitConnector;
pub use head::{HeadTrouble, read_head};
pub use layout::{RepositoryLayout, discover};
pub use repository::{DEFAULT_OBJECT_LIMIT, History, RepositorySpec};
