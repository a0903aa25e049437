//! keymuster connector: reads a group of GitLab, or all of an instance: variables, tokens of
//! every kind, deploy keys, triggers, schedules, secure files, webhooks, applications, settings,
//! owners, and projects as leads.
//!
//! The order of the modules is that of a sweep: what can be asked (`endpoints`) and what is kept
//! of it (`wire`), what has values (`variables`), then the instance, its groups, each project;
//! `facts` turns answers into facts and asks nothing.
//!
//! Invariant: values are not asked for unless they are to be named or searched, or the host
//! sends them all the same; then they are sealed or dropped before anything else sees them.
//! Invariant: nothing is written at GitLab. One call is no `GET`: a query that names no values.

mod endpoints;
mod wire;

mod facts;
mod names;
mod variables;

mod asking;
mod doctor;
mod groups;
mod instance;
mod projects;

mod connector;

/// What facts are written with.
type Book<'a> = keymuster_http::Book<'a, names::Names>;

pub use connector::{GitlabConnector, GitlabSpec, Values, countable};
