//! The REST core of keymuster's network connectors.
//!
//! A connector declares [`Endpoint`]s and asks [`Rest`] for lists of its own structs. Here is
//! all that every host's interface needs and no connector should write twice: pages and where
//! they may lead, limits shared by all who use one token, retries, what was seen before
//! (ETags), what is recorded and replayed, and the count of what was and was not seen.
//!
//! The order of the modules is that of a call: what is asked, who carries it, when it may go,
//! what came back, what is kept of it, what is told.
//!
//! Invariant: nothing but reading can be expressed. A [`Transport`] has two verbs, `get` and
//! `query`, and a query is a text that is written in the program and does not say `mutation`.
//! Invariant: what leaves this crate, goes to a disk or into a message is what a [`Wire`] type
//! keeps, after [`Wire::seal`].
//! Invariant: a link or redirect never leads to another origin.

mod endpoint;
mod transport;

mod network;
mod replay;

mod gate;
mod pace;

mod answer;
mod cache;
mod fetch;
mod paging;
mod rest;
mod seal;
mod tape;

mod book;
pub mod loose;
mod public;
mod tally;

pub use answer::{Answer, Listed, Unseen};
pub use book::{Book, Owner};
pub use endpoint::{Endpoint, Items, Missing, Paging, Without};
pub use gate::Gate;
pub use network::{Network, NetworkError, client, is_secure, read_limit};
pub use pace::Patience;
pub use public::{fingerprint, outline, time, time_or_never};
pub use rest::{Classify, Query, Rest, RestSpec};
pub use seal::{SealCx, Sealed, Wire, plain_text};
pub use tally::Tally;
pub use tape::{Tape, TapeError};
pub use transport::{Fault, Response, Sent, Transport};
pub use url::Url;

/// Runs a connector's calls on this thread: the only place where a runtime is made.
///
/// # Errors
/// When the system gives no runtime.
pub fn run<F: Future>(calls: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(calls))
}
