//! What checks ask of one credential: its record, owner, tier, exposure, age.

use jiff::{ToSpan as _, tz::Offset};
use keymuster_api::{ClaimRole, Confidence, IdentityKind, Known, PathClass, ResourceKind, Status};

use super::{CheckCx, EntryKind, KindAdvice, PrivilegeFact};
use crate::{
    context::{System, SystemKind},
    estate::{Credential, Identity, Sighting, Sym},
    inventory::{Match, MatchKey, Record, Tier},
};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// An owner and where that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// As written.
    pub(super) party: String,
    /// Where.
    pub(super) source: String,
}

impl<'a> CheckCx<'a> {
    pub(super) fn text(&self, sym: Sym) -> &'a str {
        self.estate.text(sym)
    }

    pub(super) fn credential(&self, ix: u32) -> &'a Credential {
        &self.estate.credentials[ix as usize]
    }

    /// Every credential with its index.
    pub(super) fn credentials(&self) -> impl Iterator<Item = (u32, &'a Credential)> + use<'a> {
        (0..).zip(&self.estate.credentials)
    }

    /// Whether anything was read that holds files: of an account alone nobody can say that a
    /// secret is in no source.
    pub(super) fn has_sources(&self) -> bool {
        let mut resources = self.estate.gathered.resources.iter();
        resources.any(|one| matches!(one.kind, ResourceKind::Repository | ResourceKind::Tree))
    }

    /// What the catalogue says about an entry; `None` for entries that are in no catalogue.
    pub(super) fn entry(&self, kind: EntryKind, name: &str) -> Option<&'a System> {
        let wanted = match kind {
            EntryKind::Api => [Some(SystemKind::Api), None],
            EntryKind::System => [Some(SystemKind::System), Some(SystemKind::Platform)],
            _ => return None,
        };
        let mut all = self.context.systems.iter().flatten();
        all.find(|system| wanted.contains(&Some(system.kind)) && system.name == name)
    }

    /// Whether a file was given that names entries of this kind.
    pub(super) fn is_told(&self, kind: EntryKind) -> bool {
        match kind {
            EntryKind::Api | EntryKind::System => self.context.systems.is_some(),
            EntryKind::Exception => self.exceptions.is_some(),
            EntryKind::Owner => self.inventory.is_some(),
            EntryKind::Unit => true,
            // Only a complete list would say that one is gone.
            EntryKind::Slot | EntryKind::Webhook => false,
        }
    }

    /// Whether a system says that something is set up so.
    pub(super) fn is_set(&self, key: &str, name: &str, value: &str) -> bool {
        let all = &self.estate.gathered.settings;
        // Sorted by subject.
        let from = all.partition_point(|setting| setting.subject.0.as_str() < key);
        let own = all[from..].iter().take_while(|one| one.subject.0 == key);
        own.into_iter()
            .any(|one| one.name == name && one.value == value)
    }

    pub(super) fn record(&self, ix: u32) -> Option<&'a Record> {
        self.inventory?.records.get(ix as usize)
    }

    /// The accepted match of a credential.
    pub(super) fn matched(&self, ix: u32) -> Option<&'a Match> {
        self.inventory?;
        self.matches.accepted.get(ix as usize)?.as_ref()
    }

    /// The record of a credential.
    pub(super) fn record_of(&self, ix: u32) -> Option<&'a Record> {
        self.record(self.matched(ix)?.record)
    }

    /// Whether a record near this credential waits for somebody to confirm it.
    pub(super) fn is_unconfirmed(&self, ix: u32) -> bool {
        let to_confirm = self.matches.to_confirm.get(ix as usize);
        self.matched(ix).is_none() && to_confirm.is_some_and(|near| !near.is_empty())
    }

    /// The record of a credential, unless it was matched by its principal, place or name and
    /// names another key: then what the record says of *its* key is not said of this one.
    pub(super) fn record_of_this_key(&self, ix: u32) -> Option<&'a Record> {
        let found = self.matched(ix)?;
        let record = self.record(found.record)?;
        let about_this = match (found.key, self.handle_of(self.credential(ix))) {
            (MatchKey::NativeId | MatchKey::Fingerprint, _) => true,
            (_, Some(handle)) => !names_keys(record) || names_key(record, handle),
            // One of several keys of a principal, and nobody knows which.
            (_, None) => !self
                .further_records(ix)
                .any(|other| name_different_keys(record, other)),
        };
        about_this.then_some(record)
    }

    /// The records that match a credential besides its own.
    pub(super) fn further_records(&self, ix: u32) -> impl Iterator<Item = &'a Record> {
        let also = self.matches.also.get(ix as usize);
        let also = also.map_or(&[][..], Vec::as_slice);
        also.iter().filter_map(|other| self.record(other.record))
    }

    fn handle_of(&self, credential: &Credential) -> Option<&'a str> {
        credential.handle.map(|(_, value)| self.text(value))
    }

    pub(super) fn advice(&self, credential: &Credential) -> Option<&'a KindAdvice> {
        self.kinds.get(self.text(credential.kind))
    }

    /// What the principal of a credential can do; `None` where no policies were seen.
    pub(super) fn privilege_of(&self, credential: &Credential) -> Option<&'a PrivilegeFact> {
        self.privileges.get(credential.identity? as usize)?.as_ref()
    }

    /// Whether the principal of a credential is an administrator.
    pub(super) fn is_admin(&self, credential: &Credential) -> bool {
        let root = self
            .estate
            .identity_of(credential)
            .is_some_and(|identity| identity.kind == IdentityKind::Root);
        root || self
            .privilege_of(credential)
            .is_some_and(|fact| fact.admin.is_some())
    }

    /// The accountable owner: from the record, else the most trusted owner claim.
    pub(super) fn owner(&self, record: Option<&Record>, claims: &[u32]) -> Option<Owner> {
        let from_record = record.and_then(|record| {
            Some(Owner {
                party: record.owner.clone()?,
                source: record.source.to_string(),
            })
        });
        from_record.or_else(|| {
            self.estate
                .claims(claims)
                .filter(|claim| claim.role == ClaimRole::Owner && !claim.party.trim().is_empty())
                .min_by_key(|claim| (100 - claim.confidence.min(100), &claim.party))
                .map(|claim| Owner {
                    party: claim.party.clone(),
                    source: claim.source.locator.clone(),
                })
        })
    }

    /// Where it runs: from the record, else from the principal's tags; empty where unknown.
    pub(super) fn environment(
        &self,
        record: Option<&'a Record>,
        identity: Option<&'a Identity>,
    ) -> &'a str {
        let tagged = || {
            identity?.tags.iter().find_map(|&(name, value)| {
                let name = self.text(name).to_lowercase();
                matches!(name.as_str(), "environment" | "env" | "stage").then(|| self.text(value))
            })
        };
        record
            .and_then(|record| record.environment.as_deref())
            .or_else(tagged)
            .unwrap_or("")
    }

    /// The tier and how it came about: what the record says, else administrators T0,
    /// production T1, the rest T2.
    pub(super) fn tier(&self, ix: u32) -> (Tier, &'static str) {
        let credential = self.credential(ix);
        let record = self.record_of(ix);
        self.tier_from(
            record,
            self.is_admin(credential),
            self.environment(record, self.estate.identity_of(credential)),
        )
    }

    /// A record's tier; where it gives none, the highest of its credentials.
    pub(super) fn tier_of_record(&self, ix: u32) -> (Tier, &'static str) {
        let record = self.record(ix);
        let own = self.tier_from(record, false, self.environment(record, None));
        if record.is_some_and(|record| record.tier.is_some()) {
            return own;
        }
        let credentials = self.matches.of_record.get(ix as usize);
        credentials
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|&ix| self.tier(ix))
            .chain([own])
            .min_by_key(|(tier, _)| *tier)
            .unwrap_or(own)
    }

    /// [`CheckCx::tier`] from its parts.
    pub(super) fn tier_from(
        &self,
        record: Option<&Record>,
        admin: bool,
        environment: &str,
    ) -> (Tier, &'static str) {
        if let Some(tier) = record.and_then(|record| record.tier) {
            (tier, "as recorded")
        } else if admin {
            (Tier::T0, "an administrator")
        } else if matches!(
            environment.to_lowercase().as_str(),
            "prod" | "production" | "live"
        ) {
            (Tier::T1, "production")
        } else {
            (Tier::T2, "neither administrator nor production")
        }
    }

    /// Sightings that no suppression covers today.
    pub(super) fn counted(&self, credential: &'a Credential) -> impl Iterator<Item = &'a Sighting> {
        self.estate
            .sightings(credential)
            .filter(|sighting| !self.is_suppressed(sighting))
    }

    /// Whether a suppression covers a sighting and has not run out.
    pub(super) fn is_suppressed(&self, sighting: &Sighting) -> bool {
        let Some(suppressed) = &sighting.suppressed else {
            return false;
        };
        let until = suppressed.until.as_deref().and_then(read_time);
        until.is_none_or(|until| until >= self.now)
    }

    /// Sightings of the secret itself that are worth acting on: counted, no public identifier,
    /// confidence medium or better, not in a test.
    pub(super) fn leaks(&self, credential: &'a Credential) -> impl Iterator<Item = &'a Sighting> {
        self.counted(credential).filter(|sighting| {
            !sighting.public
                && sighting.confidence >= Confidence::Medium
                && !is_test_path(&sighting.path)
        })
    }

    /// When the secret was first exposed, as far as anybody knows: the earliest commit that
    /// brought it in, or the first run that saw it; never before it was made, never after now.
    pub(super) fn first_exposed(&self, credential: &'a Credential) -> Option<jiff::Timestamp> {
        let committed = self
            .counted(credential)
            .filter(|sighting| !sighting.public)
            .filter_map(|sighting| sighting.introduced.as_ref())
            .flatten()
            .filter_map(|commit| commit.at)
            .min();
        let remembered = std::iter::once(credential.subject)
            .chain(credential.aliases.iter().copied())
            .filter_map(|subject| self.first_exposed.get(self.text(subject)).copied())
            .min();
        let first = [committed, remembered].into_iter().flatten().min()?;
        // Author dates are what the author's clock said.
        let made = credential.created.value().copied().unwrap_or(first);
        Some(first.max(made).min(self.now))
    }

    /// Whether the credential itself says that it has ended: an expired token that no system
    /// lists.
    pub(super) fn is_spent(&self, credential: &'a Credential) -> bool {
        if credential.listed {
            return false;
        }
        let told = match credential.expires {
            Known::Known(at) => Some(at),
            _ => self
                .estate
                .sightings(credential)
                .flat_map(|sighting| &sighting.details.facts)
                .filter(|(name, _)| name == "expires")
                .filter_map(|(_, value)| read_time(value))
                .max(),
        };
        told.is_some_and(|at| at < self.now)
    }

    /// Whether this is a credential that somebody must answer for: listed and not revoked, or
    /// found as a secret in a source and not plainly spent.
    pub(super) fn is_live(&self, credential: &'a Credential) -> bool {
        if credential.status == Status::Revoked {
            false
        } else if credential.listed {
            true
        } else {
            !self.is_spent(credential) && self.leaks(credential).next().is_some()
        }
    }

    /// How a credential is called: handle, name, or `secret <id>`.
    pub(super) fn label(&self, credential: &Credential) -> String {
        let named = credential
            .handle
            .map(|(_, value)| value)
            .or(credential.name);
        match (named, credential.secret) {
            (Some(name), _) => self.text(name).to_owned(),
            (None, Some(secret)) => format!("secret {secret}"),
            (None, None) => self.text(credential.subject).to_owned(),
        }
    }

    /// Where the systems that list a credential were read.
    pub(super) fn sources(&self, credential: &Credential) -> String {
        let locators: Vec<&str> = credential
            .sources
            .iter()
            .map(|s| s.locator.as_str())
            .collect();
        locators.join("; ")
    }

    /// `repo:path:line`.
    pub(super) fn place(&self, sighting: &Sighting) -> String {
        let name = &self.estate.resource_of(sighting).name;
        match &sighting.position {
            Some(position) => format!("{name}:{}:{}", sighting.path, position.line),
            None => format!("{name}:{}", sighting.path),
        }
    }

    /// Whole days from then to now; negative if it lies ahead.
    pub(super) fn days_since(&self, then: jiff::Timestamp) -> i64 {
        days_between(then, self.now)
    }
}

/// Whole days between two points in time.
pub(super) fn days_between(from: jiff::Timestamp, to: jiff::Timestamp) -> i64 {
    (to.as_second() - from.as_second()).div_euclid(DAY)
}

/// So many months later, UTC; the end of time where that is too far.
pub(super) fn months_later(at: jiff::Timestamp, months: u32) -> jiff::Timestamp {
    let here = Offset::UTC.to_datetime(at);
    here.checked_add(i64::from(months).months())
        .ok()
        .and_then(|later| Offset::UTC.to_timestamp(later).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}

/// A point in time as written in files: RFC 3339, or a date, which is the end of that day.
pub(super) fn read_time(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| format!("{text}T23:59:59Z").parse().ok())
}

/// Whether a secret exists only in the history: no tip holds it, nor the working tree. Outside
/// a history it is always there.
pub(super) fn only_in_history(sighting: &Sighting) -> bool {
    !sighting.in_worktree && sighting.at_tip.as_ref().is_some_and(Vec::is_empty)
}

/// Whether a path is that of tests, fixtures or examples.
pub(super) fn is_test_path(path: &str) -> bool {
    PathClass::is_test(path.as_bytes())
}

/// The ids of single keys that a record carries.
fn key_ids(record: &Record) -> impl Iterator<Item = &str> {
    let of_keys = |scheme: &str| {
        matches!(
            scheme,
            "access_key_id" | "key_id" | "token_id" | "fingerprint_hmac"
        )
    };
    record
        .identifiers
        .iter()
        .filter(move |id| of_keys(&id.scheme))
        .map(|id| id.value.as_str())
}

/// Whether a record is one of keys, by their ids.
pub(super) fn names_keys(record: &Record) -> bool {
    key_ids(record).next().is_some()
}

fn names_key(record: &Record, handle: &str) -> bool {
    key_ids(record).any(|id| id == handle)
}

/// Whether two records are of keys, and have none in common.
pub(super) fn name_different_keys(a: &Record, b: &Record) -> bool {
    names_keys(a) && names_keys(b) && !key_ids(a).any(|id| names_key(b, id))
}

#[cfg(test)]
mod tests {
    use super::read_time;

    #[test]
    fn a_date_lasts_till_its_end() {
        assert_eq!(read_time("2026-03-01"), "2026-03-01T23:59:59Z".parse().ok());
        assert_eq!(
            read_time("2026-03-01T10:00:00Z"),
            "2026-03-01T10:00:00Z".parse().ok()
        );
        assert_eq!(read_time("soon"), None);
    }
}
