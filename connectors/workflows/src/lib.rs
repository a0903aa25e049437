//! keymuster connector: reads pipelines, manifests and agent configurations, and says which
//! job, service or agent uses which slot.
//!
//! Files are those of checked-out folders, or of whatever else lends its files ([`Tree`]):
//! what runs tomorrow is what stands there today. Nothing is rendered and nothing executed:
//! texts are read as far as they tell, and what they leave open is told as open.
//!
//! A file goes through three steps: which kind it is ([`kind`]), its tree or its words
//! ([`yaml`], [`expression`], [`shell`]), and what the platform means by them (a module each).
//! Workflows of GitHub and pipelines of GitLab call each other, also across repositories, so
//! these are kept until all are read.
//!
//! Invariant: no value of a text is kept but names. A literal secret in one of these files is
//! found by the engine; here only its place is known, by the lines of what holds it.

mod file;
mod kind;
mod origin;
mod tree;

mod expression;
mod shell;
mod yaml;

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod github;
mod gitlab;
mod jenkins;

mod agent;
mod compose;
mod helm;
mod kubernetes;
mod terraform;

mod connector;
mod owners;
mod told;

pub use connector::{WorkflowsConnector, WorkflowsSpec};

pub use tree::{Folder, MAX_FILE, Tree, Trouble, is_foreign, too_large};

#[cfg(test)]
mod tests;
