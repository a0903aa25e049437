//! A code host for tests: a real HTTP server on this machine with what mocks leave out: pages
//! with links, ETags, limits that say how long, refusals and things that are hidden, redirects,
//! answers that are slow, cut off or no JSON. Git repositories are served by `git http-backend`.
//!
//! Nothing here knows the connectors that are tested with it.

mod dialect;
mod encode;
mod git;
mod host;
mod query;
mod server;

pub use dialect::Dialect;
pub use git::serve_git;
pub use host::{Change, Failing, Host, Route, Running, Seen};
pub use server::{Answerer, Asked, Reply, Server};
