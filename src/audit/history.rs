//! What earlier runs saw of a credential, as far as checks compare it with today.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keymuster_api::{Known, Status};

use super::CheckCx;

/// What one run saw of one credential. The next value stands for another run only where
/// something changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// The run's point in time.
    pub at: Timestamp,
    /// When it was to end: what the system enforced, else what the record promised.
    pub expires: Option<Timestamp>,
    /// Who answered for it, as the directory or the record wrote it.
    pub owner: Option<String>,
    /// That owner's team.
    pub team: Option<String>,
    /// The keyed name of its secret, where it was seen.
    pub secret: Option<String>,
    /// When the record said it had been approved.
    pub approved_at: Option<Timestamp>,
}

impl Past {
    /// Whether two runs saw the same.
    pub fn same(&self, other: &Past) -> bool {
        Past {
            at: other.at,
            ..self.clone()
        } == *other
    }
}

/// What earlier runs saw, by canonical subject; oldest first.
pub type History = BTreeMap<String, Vec<Past>>;

/// What this run saw, for later ones: credentials of which there is anything to compare, by
/// canonical subject.
pub fn to_remember(cx: &CheckCx<'_>) -> Vec<(String, Past)> {
    let directory = cx.people.map(super::Directory::new);
    let mut all = Vec::new();
    for (ix, credential) in cx.credentials() {
        if credential.status == Status::Revoked {
            continue;
        }
        let record = cx.record_of_this_key(ix);
        let owner = cx.owner(cx.record_of(ix), &credential.claims);
        let enforced = match credential.expires {
            Known::Known(at) => Some(at),
            _ => None,
        };
        let team = owner.as_ref().and_then(|owner| {
            let party = directory.as_ref()?.party(&owner.party);
            party.team().map(str::to_owned)
        });
        let past = Past {
            at: cx.now,
            expires: enforced.or_else(|| record?.expires_at),
            owner: owner.map(|owner| owner.party),
            team,
            secret: credential.secret.map(|secret| secret.to_string()),
            approved_at: record.and_then(|record| record.approved_at),
        };
        if !past.same(&Past::default()) {
            all.push((cx.text(credential.subject).to_owned(), past));
        }
    }
    all
}
