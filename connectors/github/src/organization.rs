//! What is asked of the organisation as a whole.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use jiff::ToSpan as _;
use keymuster_api::store;
use keymuster_http::{Answer, Endpoint, Listed, Owner, Rest, Wire};

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint is named here"
)]
use crate::{
    Book,
    connector::Wish,
    endpoints::*,
    facts::{self, Log, Shelf},
    wire::{
        ActionsPermissions, Authorization, Hook, Installation, LogEntry, OidcSubject, Organization,
        Pat, PropertyValues, Secret, SecretRepository, Variable, WorkflowPermissions,
    },
};

/// So many lists of selected repositories are asked for at once.
const AT_ONCE: usize = 16;
/// So far back the audit log is read.
const LOG_DAYS: i64 = 90;
/// As many as a page may have.
pub(crate) const PAGE: (&str, &str) = ("per_page", "100");

/// Asks one list of the organisation, unless it was left out, and counts it.
async fn list<T: Wire>(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
    endpoint: &Endpoint,
    query: &[(&str, &str)],
) -> Option<Vec<T>> {
    if wish.leaves_out(endpoint) {
        return None;
    }
    let organization = [("org", book.names.organization.as_str())];
    let answer: Answer<Listed<T>> = rest.list(endpoint, &organization, query).await;
    book.tally
        .list(&book.names.organization(), endpoint, &answer);
    Some(answer.ok()?.items)
}

/// Asks one thing of the organisation, unless it was left out, and counts it.
async fn one<T: Wire>(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
    endpoint: &Endpoint,
) -> Option<T> {
    if wish.leaves_out(endpoint) {
        return None;
    }
    let organization = [("org", book.names.organization.as_str())];
    let answer: Answer<T> = rest.one(endpoint, &organization, &[]).await;
    book.tally
        .one(&book.names.organization(), endpoint, &answer);
    answer.ok()
}

/// Everything but the repositories. Gives the owners that custom properties name, by scope.
pub(crate) async fn sweep(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
) -> BTreeMap<String, Vec<Owner>> {
    settings(rest, wish, book).await;
    for (secrets, repositories, store) in [
        (
            &ORG_ACTIONS_SECRETS,
            &ORG_ACTIONS_SECRET_REPOS,
            store::ACTIONS_SECRET,
        ),
        (
            &ORG_DEPENDABOT_SECRETS,
            &ORG_DEPENDABOT_SECRET_REPOS,
            store::DEPENDABOT_SECRET,
        ),
        (
            &ORG_CODESPACES_SECRETS,
            &ORG_CODESPACES_SECRET_REPOS,
            store::CODESPACES_SECRET,
        ),
        (
            &ORG_AGENTS_SECRETS,
            &ORG_AGENTS_SECRET_REPOS,
            store::AGENTS_SECRET,
        ),
    ] {
        slots(rest, wish, book, (secrets, repositories, store)).await;
    }
    for (endpoint, store) in [
        (&ORG_ACTIONS_VARIABLES, store::ACTIONS_VARIABLE),
        (&ORG_AGENTS_VARIABLES, store::AGENTS_VARIABLE),
    ] {
        let source = source(book, endpoint);
        let scope = book.names.organization();
        let shelf = Shelf {
            scope: &scope,
            store,
            owners: &[],
            source: &source,
        };
        let variables = list::<Variable>(rest, wish, book, endpoint, &[PAGE]).await;
        for variable in variables.into_iter().flatten() {
            facts::variable(book, &shelf, &variable, &[]);
        }
    }
    principals(rest, wish, book).await;
    audit_log(rest, wish, book).await;
    properties(rest, wish, book).await
}

fn source(book: &Book<'_>, endpoint: &Endpoint) -> keymuster_api::Source {
    let organization = book.names.organization.clone();
    book.source(endpoint, &[("org", &organization)])
}

async fn settings(rest: &Rest<'_>, wish: &Wish, book: &mut Book<'_>) {
    let scope = book.names.organization();
    if let Some(found) = one::<Organization>(rest, wish, book, &ORG).await {
        let source = source(book, &ORG);
        facts::organization(book, &scope, &found, &source);
    }
    if let Some(found) = one::<ActionsPermissions>(rest, wish, book, &ORG_ACTIONS_PERMISSIONS).await
    {
        let source = source(book, &ORG_ACTIONS_PERMISSIONS);
        facts::actions(book, &scope, &found, &source);
    }
    if let Some(found) =
        one::<WorkflowPermissions>(rest, wish, book, &ORG_WORKFLOW_PERMISSIONS).await
    {
        let source = source(book, &ORG_WORKFLOW_PERMISSIONS);
        facts::workflows(book, &scope, &found, &source);
    }
    if let Some(found) = one::<OidcSubject>(rest, wish, book, &ORG_OIDC).await {
        let source = source(book, &ORG_OIDC);
        facts::oidc(book, &scope, &found, &source);
    }
}

/// Secrets of one store, with the repositories that may use those which are for some only.
async fn slots(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
    (endpoint, repositories, store): (&Endpoint, &Endpoint, &'static str),
) {
    let Some(secrets) = list::<Secret>(rest, wish, book, endpoint, &[PAGE]).await else {
        return;
    };
    let organization = book.names.organization.clone();
    let asked = secrets.iter().map(|secret| {
        let organization = organization.as_str();
        async move {
            if secret.visibility.as_deref() != Some("selected") {
                return None;
            }
            let parameters = [("org", organization), ("name", secret.name.as_str())];
            Some(
                rest.list::<SecretRepository>(repositories, &parameters, &[PAGE])
                    .await,
            )
        }
    });
    let answers: Vec<Option<Answer<Listed<SecretRepository>>>> =
        stream::iter(asked).buffered(AT_ONCE).collect().await;
    let scope = book.names.organization();
    let source = source(book, endpoint);
    for (secret, answer) in secrets.iter().zip(answers) {
        let mut selected = Vec::new();
        if let Some(answer) = answer {
            book.tally.list(&scope, repositories, &answer);
            let names = answer.into_iter().flat_map(|listed| listed.items);
            selected = names.map(|repository| repository.full_name).collect();
            selected.sort();
        }
        let shelf = Shelf {
            scope: &scope,
            store,
            owners: &[],
            source: &source,
        };
        facts::secret(book, &shelf, secret, &selected);
    }
}

/// Apps, tokens and webhooks.
async fn principals(rest: &Rest<'_>, wish: &Wish, book: &mut Book<'_>) {
    let scope = book.names.organization();
    let found = list::<Installation>(rest, wish, book, &ORG_INSTALLATIONS, &[PAGE]).await;
    let from = source(book, &ORG_INSTALLATIONS);
    for installation in found.into_iter().flatten() {
        facts::installation(book, &installation, &from);
    }
    let found = list::<Pat>(rest, wish, book, &ORG_PATS, &[PAGE]).await;
    let from = source(book, &ORG_PATS);
    for pat in found.into_iter().flatten() {
        facts::pat(book, &pat, &from);
    }
    let found = list::<Pat>(rest, wish, book, &ORG_PAT_REQUESTS, &[PAGE]).await;
    let from = source(book, &ORG_PAT_REQUESTS);
    for pat in found.into_iter().flatten() {
        facts::pat_request(book, &pat, &from);
    }
    let found = list::<Authorization>(rest, wish, book, &ORG_AUTHORIZATIONS, &[PAGE]).await;
    let from = source(book, &ORG_AUTHORIZATIONS);
    for authorization in found.into_iter().flatten() {
        facts::authorization(book, &authorization, &from);
    }
    let found = list::<Hook>(rest, wish, book, &ORG_HOOKS, &[PAGE]).await;
    let from = source(book, &ORG_HOOKS);
    for hook in found.into_iter().flatten() {
        facts::hook(book, &scope, &[], &hook, &from);
    }
}

async fn audit_log(rest: &Rest<'_>, wish: &Wish, book: &mut Book<'_>) {
    let since = book
        .now
        .checked_sub((24 * LOG_DAYS).hours())
        .unwrap_or(book.now);
    let phrase = format!("created:>={}", since.strftime("%Y-%m-%d"));
    let query = [("phrase", phrase.as_str()), ("include", "all"), PAGE];
    let Some(entries) = list::<LogEntry>(rest, wish, book, &ORG_AUDIT_LOG, &query).await else {
        return;
    };
    let from = source(book, &ORG_AUDIT_LOG);
    let mut log = Log::default();
    for entry in &entries {
        facts::log(book, &mut log, entry, &from);
    }
    log.finish(book, &from);
}

async fn properties(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
) -> BTreeMap<String, Vec<Owner>> {
    let mut owners: BTreeMap<String, Vec<Owner>> = BTreeMap::new();
    let found = list::<PropertyValues>(rest, wish, book, &ORG_PROPERTIES, &[PAGE]).await;
    let from = source(book, &ORG_PROPERTIES);
    for values in found.into_iter().flatten() {
        let scope = book.names.repository(&values.repository_full_name);
        let named = facts::properties(book, &scope, &values.properties, &from);
        owners.entry(scope).or_default().extend(named);
    }
    owners
}
