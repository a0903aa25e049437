//! From what was read to facts. Each file takes one kind of answer; none of them asks anything.

mod hooks;
mod keys;
mod owners;
mod settings;
mod slots;
mod tokens;

pub(crate) use hooks::hook;
pub(crate) use keys::{deploy_key, ssh_key};
pub(crate) use owners::{People, owners};
pub(crate) use settings::{branches, environments, group, job_token, project};
pub(crate) use slots::{Shelf, schedule, secure_file, variable};
pub(crate) use tokens::{Belongs, application, deploy_token, service_account, token, trigger};
