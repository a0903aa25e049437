//! Settings: what a system says of how something is set up, or of what it may do.

use serde::{Deserialize, Serialize};

use crate::{Key, Source};

/// One thing a system says of a subject: an organisation, a repository, an environment, a
/// webhook, an app, a token.
///
/// Names are words in kebab-case, values as the system writes them, `true` and `false` for
/// yes and no. A setting that the system did not tell is not emitted; one that has several
/// values is emitted once for each. Names in use:
///
/// | subject | names |
/// |---|---|
/// | organisation, repository (a scope as key) | `default-token-permissions` (`read`, `write`), `token-approves-reviews`, `allowed-actions` (`all`, `local_only`, `selected`), `sha-pinning-required`, `oidc-subject-claims`, `oidc-subject-default`, `visibility`, `archived`, `fork`, `custom-property:<name>` |
/// | environment (a scope as key) | `required-reviewers`, `wait-minutes`, `prevents-self-review`, `branch-policy` (`none`, `protected`, `custom`), `admins-bypass` |
/// | app, token, authorisation | `permission:<name>` (`read`, `write`, `admin`), `repositories` (`all`, `selected`), `scope` (once for each), `event`, `granted-by` |
/// | deploy key | `write`, `verified`, `repository` |
/// | service account, pod | `automounts-token`, `provider-managed` (made by the system for itself) |
/// | cluster | `issuer` (of its tokens, without scheme) |
/// | API key | `api-target` (a service; `*` for all), `application-restriction` (`browser`, `server`, `android`, `ios`) |
/// | application | `sign-in-audience`, `service-principal-type`, `publisher-tenant`, `scope`, `granted-by`, `provider-managed` |
/// | webhook | `url-scheme`, `url-host`, `url-parameter` (names only), `verifies-certificate`, `has-secret`, `active`, `event` |
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Setting {
    /// What is set up so: a natural key, or a scope.
    pub subject: Key,
    /// What is said.
    pub name: String,
    /// What it is set to.
    pub value: String,
    /// Who says so.
    pub source: Source,
}
