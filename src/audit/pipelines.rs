//! What pipelines say of logins.

use keymuster_api::{Consumer, LoginMethod};

use super::CheckCx;

/// The consumers that log in as a principal with a token of the run.
pub(super) fn federated_as<'a>(
    cx: &CheckCx<'a>,
    key: &'a str,
) -> impl Iterator<Item = &'a Consumer> + use<'a> {
    let is = move |target: &str| target.split(", ").any(|one| one == key);
    let consumers = cx.estate.gathered.consumers.iter();
    consumers.filter(move |consumer| {
        let mut logins = consumer.logins.iter();
        logins.any(|login| {
            login.method == LoginMethod::Federated && login.target.as_deref().is_some_and(is)
        })
    })
}
