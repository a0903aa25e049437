//! From what was read to facts. Each file takes one kind of answer; none of them asks anything.

mod hooks;
mod keys;
mod log;
mod owners;
mod settings;
mod slots;
mod tokens;

pub(crate) use hooks::hook;
pub(crate) use keys::deploy_key;
pub(crate) use log::{Log, log};
pub(crate) use owners::{codeowner, properties, teams};
pub(crate) use settings::{actions, environment, oidc, organization, repository, workflows};
pub(crate) use slots::{Shelf, secret, variable};
pub(crate) use tokens::{authorization, installation, pat, pat_request};
