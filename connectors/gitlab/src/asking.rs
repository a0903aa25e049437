//! Asking for lists and single things, unless they were left out, and counting them.

use keymuster_http::{Answer, Endpoint, Listed, Rest, Unseen, Wire};

use crate::{Book, connector::Wish};

/// As many as a page may have.
pub(crate) const PAGE: (&str, &str) = ("per_page", "100");

/// What was asked; `None` where that was left out.
pub(crate) type Asked<T> = Option<Answer<T>>;

/// Asks.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) rest: &'a Rest<'a>,
    pub(crate) wish: &'a Wish,
    /// Whether the host is the edition that paid features are part of.
    pub(crate) is_enterprise: bool,
}

impl Asking<'_> {
    /// A list.
    pub(crate) async fn list<T: Wire>(
        &self,
        endpoint: &Endpoint,
        parameters: &[(&str, &str)],
        query: &[(&str, &str)],
    ) -> Asked<Listed<T>> {
        if self.wish.leaves_out(endpoint) {
            return None;
        }
        if !self.is_enterprise && is_paid(endpoint) {
            let reason = "GitLab Community Edition does not have it".to_owned();
            return Some(Err(Unseen::Unsupported(reason)));
        }
        let all: Vec<(&str, &str)> = query.iter().copied().chain([PAGE]).collect();
        Some(self.rest.list(endpoint, parameters, &all).await)
    }

    /// One thing.
    pub(crate) async fn one<T: Wire>(
        &self,
        endpoint: &Endpoint,
        parameters: &[(&str, &str)],
        query: &[(&str, &str)],
    ) -> Asked<T> {
        if self.wish.leaves_out(endpoint) {
            return None;
        }
        Some(self.rest.one(endpoint, parameters, query).await)
    }
}

/// Endpoints that only GitLab Enterprise Edition has.
fn is_paid(endpoint: &Endpoint) -> bool {
    // Secure files are free; they are off where the host has no storage for them.
    endpoint.missing == keymuster_http::Missing::Unsupported
        && endpoint.what != keymuster_api::store::GITLAB_SECURE_FILE
}

/// Counts a list, and gives what was read of it.
pub(crate) fn count<'l, T>(
    book: &mut Book<'_>,
    scope: &str,
    endpoint: &Endpoint,
    asked: Option<&'l Answer<Listed<T>>>,
) -> &'l [T] {
    let Some(answer) = asked else {
        return &[];
    };
    book.tally.list(scope, endpoint, answer);
    answer
        .as_ref()
        .map_or(&[], |listed| listed.items.as_slice())
}

/// Counts a single thing, and gives it.
pub(crate) fn counted<'l, T>(
    book: &mut Book<'_>,
    scope: &str,
    endpoint: &Endpoint,
    asked: Option<&'l Answer<T>>,
) -> Option<&'l T> {
    let answer = asked?;
    book.tally.one(scope, endpoint, answer);
    answer.as_ref().ok()
}
