//! What is asked of the instance as a whole: only administrators are told.

use std::collections::BTreeSet;

use keymuster_http::Wire;

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint of the instance is named here"
)]
use crate::{
    Book,
    asking::{Asking, count},
    endpoints::*,
    facts::{self, Belongs, People, Shelf},
    variables::{How, Place},
    wire::{Application, DeployToken, Hook, ServiceAccount, Token},
};

/// Tokens that are not revoked and not over.
pub(crate) const ACTIVE: (&str, &str) = ("state", "active");

async fn list<T: Wire>(
    asking: &Asking<'_>,
    book: &mut Book<'_>,
    endpoint: &keymuster_http::Endpoint,
    query: &[(&str, &str)],
) -> Vec<T> {
    let asked = asking.list::<T>(endpoint, &[], query).await;
    let scope = book.names.scope("");
    count(book, &scope, endpoint, asked.as_ref());
    asked
        .and_then(Result::ok)
        .map_or(Vec::new(), |listed| listed.items)
}

/// Variables, deploy tokens, applications, service accounts, system hooks. Gives the users that
/// are service accounts.
pub(crate) async fn sweep(
    asking: &Asking<'_>,
    book: &mut Book<'_>,
    how: How,
    people: &mut People,
) -> BTreeSet<String> {
    let scope = book.names.scope("");
    if !asking.wish.leaves_out(&INSTANCE_VARIABLES) {
        let answer = Place::Instance.read(asking.rest, how).await;
        let source = book.source(&INSTANCE_VARIABLES, &[]);
        let shelf = Shelf {
            path: "",
            owners: &[],
            source: &source,
        };
        for variable in count(book, &scope, &INSTANCE_VARIABLES, Some(&answer)) {
            facts::variable(book, &shelf, variable);
        }
    }
    let source = book.source(&INSTANCE_DEPLOY_TOKENS, &[]);
    for one in list::<DeployToken>(asking, book, &INSTANCE_DEPLOY_TOKENS, &[]).await {
        facts::deploy_token(book, "", &[], &one, &source);
    }
    let source = book.source(&INSTANCE_APPLICATIONS, &[]);
    for one in list::<Application>(asking, book, &INSTANCE_APPLICATIONS, &[]).await {
        facts::application(book, &one, &source);
    }
    let source = book.source(&INSTANCE_HOOKS, &[]);
    for one in list::<Hook>(asking, book, &INSTANCE_HOOKS, &[]).await {
        facts::hook(book, "", &[], &one, &source);
    }
    let source = book.source(&INSTANCE_SERVICE_ACCOUNTS, &[]);
    let mut accounts = BTreeSet::new();
    for one in list::<ServiceAccount>(asking, book, &INSTANCE_SERVICE_ACCOUNTS, &[]).await {
        people.name(&one.id, &one.username);
        facts::service_account(book, "", &one, &source);
        accounts.insert(one.id);
    }
    accounts
}

/// Personal tokens of every user; those in `known` were told by whoever has them.
pub(crate) async fn tokens(
    asking: &Asking<'_>,
    book: &mut Book<'_>,
    people: &People,
    accounts: &BTreeSet<String>,
    known: &BTreeSet<String>,
) {
    let source = book.source(&INSTANCE_TOKENS, &[]);
    for one in list::<Token>(asking, book, &INSTANCE_TOKENS, &[ACTIVE]).await {
        if known.contains(&one.id) {
            continue;
        }
        let user = one.user_id.as_deref().unwrap_or_default();
        let name = people.of(user).unwrap_or("service account");
        let whose = if accounts.contains(user) {
            Belongs::ServiceAccount("", name)
        } else {
            Belongs::Person("")
        };
        facts::token(book, whose, people, &[], &one, &source);
    }
}
