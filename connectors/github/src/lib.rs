//! keymuster connector: reads an organisation of GitHub: slots of secrets and variables, apps,
//! tokens, deploy keys, webhooks, settings, owners, and repositories as leads.
//!
//! The order of the modules is that of a sweep: who one is ([`Login`]), what can be asked
//! (`endpoints`) and what is kept of it (`wire`), the organisation, many repositories at once
//! (`bulk`), each repository; `facts` turns answers into facts and asks nothing.
//!
//! Invariant: values are never asked for; where GitHub sends them all the same (variables),
//! they are sealed or dropped before anything else sees them.
//! Invariant: nothing is written at GitHub. One call is no `GET` and no query: an app asks for
//! its own token.

mod login;

mod endpoints;
mod wire;

mod facts;
mod names;

mod bulk;
mod doctor;
mod organization;
mod repositories;

mod connector;

/// What facts are written with.
type Book<'a> = keymuster_http::Book<'a, names::Names>;

pub use connector::{GithubConnector, GithubSpec, Values, countable};
pub use login::Login;
