//! What half a listing leaves open: keys that are known to exist while their ids are not, and
//! principals whose tags nobody exported. Scopes as wholes are `scope`'s.

use std::collections::BTreeSet;

use super::{CheckCx, scope::account_scope, subject::names_keys};
use crate::estate::{Credential, Sym};

/// Why a key without an id has no answer. A row of populations.
pub(super) const NO_KEY_ID: &str = "discovered: its key id was not listed";
/// Why a principal without tags has none.
pub(super) const NO_TAGS: &str = "discovered: its principal's tags were not exported";

/// The accounts whose keys and principals were counted, and how completely.
pub(super) struct Listing<'a> {
    cx: &'a CheckCx<'a>,
    keys_complete: BTreeSet<&'a str>,
    principals_partial: BTreeSet<&'a str>,
}

impl<'a> Listing<'a> {
    /// Reads the coverage of a run.
    pub(super) fn of(cx: &'a CheckCx<'a>) -> Listing<'a> {
        let about = |words: &'static [&'static str], complete: bool| {
            let coverage = cx.estate.gathered.coverage.iter();
            coverage
                .filter(move |one| {
                    let what = one.what.to_lowercase();
                    words.iter().any(|word| what.contains(word)) && one.complete == complete
                })
                .map(|one| one.scope.as_str())
                .collect::<BTreeSet<&str>>()
        };
        let partial = about(&["key", "credential"], false);
        let mut keys_complete = about(&["key", "credential"], true);
        keys_complete.retain(|scope| !partial.contains(scope));
        Listing {
            cx,
            keys_complete,
            principals_partial: about(&["user", "role", "principal", "identit"], false),
        }
    }

    /// Whether a credential has an id that was not listed: a register that names it by its id
    /// cannot be held against it.
    pub(super) fn is_unnamed(&self, ix: u32) -> bool {
        let credential = self.cx.credential(ix);
        credential.listed
            && credential.handle.is_none()
            && self
                .cx
                .advice(credential)
                .is_some_and(|kind| kind.has_handle)
            && !self
                .scope(credential, credential.account)
                .is_some_and(|scope| self.keys_complete.contains(scope.as_str()))
    }

    /// Whether a credential is unnamed, and not covered by a record of its principal as such.
    pub(super) fn is_open(&self, ix: u32) -> bool {
        self.is_unnamed(ix) && self.cx.record_of(ix).is_none_or(names_keys)
    }

    /// Whether a credential's principal may have tags that nobody saw.
    pub(super) fn lacks_tags(&self, ix: u32) -> bool {
        let credential = self.cx.credential(ix);
        let Some(identity) = self.cx.estate.identity_of(credential) else {
            return false;
        };
        // Policies and tags stand in the same document.
        self.cx.privilege_of(credential).is_none()
            && identity.tags.is_empty()
            && self
                .scope(credential, identity.account)
                .is_some_and(|scope| self.principals_partial.contains(scope.as_str()))
    }

    fn scope(&self, credential: &Credential, account: Option<Sym>) -> Option<String> {
        let provider = self.cx.text(credential.provider);
        Some(account_scope(provider, self.cx.text(account?)))
    }
}
