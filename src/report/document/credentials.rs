//! The credentials of a document: what exists, joined with what is recorded and who uses it.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use keymuster_api::{
    ClaimRole, CommitFact, EventKind, Known, Reference, SecretId, Slot, Source, Status,
};

use super::{
    AnswerSources, Answered, CommitEntry, CredentialEntry, DocumentInput, HandleEntry, MatchEntry,
    PlaceEntry, SuppressedEntry, UseEntry,
    build::{filled, source},
};
use crate::{
    audit::{Finding, Subject},
    estate::{Credential, Estate, Sighting},
    inventory::{Match, MatchKey, Record},
    report::text::day,
};

/// Uses of credentials, by the keys they are told with.
struct Uses<'a> {
    references: BTreeMap<&'a str, Vec<&'a Reference>>,
    slots: BTreeMap<SecretId, Vec<&'a Slot>>,
    users: BTreeMap<&'a str, Vec<(&'a str, &'a Source)>>,
}

impl<'a> Uses<'a> {
    fn new(estate: &'a Estate) -> Uses<'a> {
        let mut uses = Uses {
            references: BTreeMap::new(),
            slots: BTreeMap::new(),
            users: BTreeMap::new(),
        };
        for reference in &estate.gathered.references {
            let of = uses.references.entry(&reference.to.0).or_default();
            of.push(reference);
        }
        for slot in &estate.gathered.slots {
            if let Some(secret) = slot.secret {
                uses.slots.entry(secret).or_default().push(slot);
            }
        }
        for event in &estate.gathered.events {
            if let (EventKind::Used, Some(by)) = (event.kind, &event.by) {
                let of = uses.users.entry(&event.subject.0).or_default();
                of.push((by, &event.source));
            }
        }
        uses
    }

    fn of(&self, estate: &Estate, number: u32, credential: &Credential) -> Vec<UseEntry> {
        let entry = |by: &str, how: &str, from: &Source| UseEntry {
            by: by.to_owned(),
            how: how.to_owned(),
            source: source(estate, from),
            ..UseEntry::default()
        };
        let slots = credential.secret.and_then(|secret| self.slots.get(&secret));
        let slots = slots.map_or(&[][..], Vec::as_slice);
        let mut keys: Vec<&str> = vec![estate.text(credential.subject)];
        keys.extend(credential.aliases.iter().map(|&alias| estate.text(alias)));
        keys.extend(slots.iter().map(|slot| slot.key.0.as_str()));
        let mut all: Vec<UseEntry> = slots
            .iter()
            .map(|slot| entry(&slot.key.0, "holds it", &slot.source))
            .collect();
        for key in keys {
            for reference in self.references.get(key).into_iter().flatten() {
                all.push(entry(&reference.by.0, "refers to it", &reference.source));
            }
            for (by, from) in self.users.get(key).into_iter().flatten() {
                all.push(entry(by, "used it", from));
            }
        }
        all.extend(consumers(estate, number));
        all.sort_by(|a, b| (&a.how, &a.by, &a.source).cmp(&(&b.how, &b.by, &b.source)));
        all.dedup();
        all
    }
}

/// What breaks if a credential is revoked.
fn consumers(estate: &Estate, number: u32) -> impl Iterator<Item = UseEntry> {
    estate.usage.of(number).iter().map(|one| {
        let consumer = &estate.gathered.consumers[one.consumer as usize];
        let claims = estate.usage.claims.get(one.consumer as usize);
        let claims = claims.map_or(&[][..], Vec::as_slice);
        let mut owners: Vec<String> = estate
            .claims(claims)
            .map(|claim| claim.party.clone())
            .collect();
        owners.sort();
        owners.dedup();
        UseEntry {
            by: consumer.key.0.clone(),
            how: one.how.clone(),
            source: source(estate, &one.source),
            kind: Some(consumer.kind.as_str().to_owned()),
            environment: consumer.environment.clone(),
            certain: Some(one.sure),
            owners,
        }
    })
}

/// Every credential of the estate, sorted by subject.
pub(super) fn credentials(input: &DocumentInput<'_>) -> Vec<CredentialEntry> {
    let uses = Uses::new(input.estate);
    // What the audit decided about owners stands over what single sources claim.
    let mut owners: BTreeMap<u32, &Finding> = BTreeMap::new();
    for finding in input
        .findings
        .iter()
        .filter(|finding| !finding.owner.is_empty())
    {
        if let Subject::Credential(ix) = finding.subject {
            owners.entry(ix).or_insert(finding);
        }
    }
    let mut entries: Vec<CredentialEntry> = input
        .estate
        .credentials
        .iter()
        .enumerate()
        .map(|(ix, credential)| {
            let accepted = input.matches.accepted.get(ix).and_then(Option::as_ref);
            let record = accepted.and_then(|accepted| {
                let record = input.inventory?.records.get(accepted.record as usize)?;
                Some((accepted, record))
            });
            let owner = owners.get(&(ix as u32)).copied();
            entry(input, (&uses, ix as u32), credential, record, owner)
        })
        .collect();
    entries.sort_by(|a, b| a.subject.cmp(&b.subject));
    entries
}

fn entry(
    input: &DocumentInput<'_>,
    (uses, number): (&Uses<'_>, u32),
    credential: &Credential,
    record: Option<(&Match, &Record)>,
    judged: Option<&Finding>,
) -> CredentialEntry {
    let estate = input.estate;
    let text = |sym| estate.text(sym).to_owned();
    let kind = estate.text(credential.kind);
    let (owner, owner_source) = match (judged, record) {
        (Some(finding), _) => (Some(finding.owner.clone()), filled(&finding.owner_source)),
        (None, Some((_, record))) if record.owner.is_some() => {
            (record.owner.clone(), Some(record.source.to_string()))
        }
        (None, _) => claimed_owner(estate, credential).unzip(),
    };
    CredentialEntry {
        subject: text(credential.subject),
        kind: kind.to_owned(),
        title: input
            .kinds
            .get(kind)
            .map_or(kind, |advice| &advice.title)
            .to_owned(),
        provider: text(credential.provider),
        account: credential.account.map(text),
        name: credential.name.map(text),
        handle: credential.handle.map(|(scheme, value)| HandleEntry {
            scheme: text(scheme),
            value: text(value),
        }),
        secret_id: credential.secret.map(|secret| secret.to_string()),
        identity: estate
            .identity_of(credential)
            .map(|identity| text(identity.key)),
        status: status(credential.status).to_owned(),
        created: time(credential.created),
        rotated: time(credential.rotated),
        last_used: time(credential.last_used),
        expires: time(credential.expires),
        places: estate
            .sightings(credential)
            .map(|sighting| place(estate, sighting))
            .collect(),
        owner,
        record_id: record.map(|(_, record)| record.id.clone()),
        answered: answered(estate, credential, record.map(|(_, record)| record)),
        owner_source,
        matched: record.map(|(accepted, record)| MatchEntry {
            key: match_key(accepted.key).to_owned(),
            confidence: accepted.confidence,
            because: accepted.because.clone(),
            source: record.source.to_string(),
        }),
        last_used_for: credential.last_used_for.map(text),
        used_by: uses.of(estate, number, credential),
        listed: credential.listed,
        aliases: credential
            .aliases
            .iter()
            .map(|&alias| text(alias))
            .collect(),
        sources: credential
            .sources
            .iter()
            .map(|from| source(estate, from))
            .collect(),
    }
}

fn answered(estate: &Estate, credential: &Credential, record: Option<&Record>) -> Answered {
    let row = record.map(|record| record.source.to_string());
    let system = credential.sources.first().map(|from| source(estate, from));
    let approved_by = record.and_then(|record| {
        let mut text = record
            .approver
            .clone()
            .filter(|approver| !approver.trim().is_empty())?;
        if let Some(at) = record.approved_at {
            text.push_str(&format!(" on {}", day(at)));
        }
        if let Some(reference) = &record.approval_ref {
            text.push_str(&format!(" ({reference})"));
        }
        Some(text)
    });
    let purpose = record
        .and_then(|record| record.purpose.clone())
        .filter(|purpose| !purpose.trim().is_empty());
    // What is gone needs no date; the record's promise stands over what a system would enforce,
    // because it says what somebody intends.
    let promised = record.and_then(
        |record| match (record.expires_at, &record.no_expiry_reason) {
            (Some(at), _) => Some(at.to_string()),
            (None, Some(reason)) => Some(format!("no end: {reason}")),
            (None, None) => None,
        },
    );
    let (removed_when, removed_source) = match (credential.status, promised) {
        (Status::Revoked, _) => (Some("revoked".to_owned()), system),
        (_, Some(promise)) => (Some(promise), row.clone()),
        (_, None) => match credential.expires {
            Known::Known(at) => (Some(at.to_string()), system),
            _ => (None, None),
        },
    };
    Answered {
        sources: AnswerSources {
            approved_by: row.clone().filter(|_| approved_by.is_some()),
            purpose: row.filter(|_| purpose.is_some()),
            removed_when: removed_source,
        },
        approved_by,
        purpose,
        removed_when,
    }
}

/// The surest claim of an owner; of equals the first.
fn claimed_owner(estate: &Estate, credential: &Credential) -> Option<(String, String)> {
    let claims = estate.claims(&credential.claims);
    let owners = claims.filter(|claim| claim.role == ClaimRole::Owner);
    let best =
        owners.min_by_key(|claim| (Reverse(claim.confidence), &claim.party, &claim.source))?;
    Some((best.party.clone(), source(estate, &best.source)))
}

fn place(estate: &Estate, sighting: &Sighting) -> PlaceEntry {
    let commit = |commit: &CommitFact| CommitEntry {
        id: commit.id.to_string(),
        author: commit.author.clone(),
        at: commit.at.map(|at| at.to_string()),
    };
    PlaceEntry {
        resource: estate.resource_of(sighting).name.clone(),
        path: sighting.path.clone(),
        line: sighting.position.map(|at| at.line),
        column: sighting.position.map(|at| at.column),
        end_line: sighting.position.map(|at| at.end_line),
        end_column: sighting.position.map(|at| at.end_column),
        rule: sighting.rule.to_string(),
        commit: sighting.commit.as_deref().map(commit),
        introduced: sighting
            .introduced
            .as_ref()
            .map(|commits| commits.iter().map(|one| commit(one)).collect()),
        versions: sighting.versions,
        at_tip: sighting.at_tip.clone(),
        in_worktree: sighting.in_worktree,
        suppressed: sighting.suppressed.as_ref().map(|entry| SuppressedEntry {
            by: entry.by.clone(),
            reason: entry.reason.clone(),
            until: entry.until.clone(),
        }),
    }
}

fn time(known: Known<Timestamp>) -> String {
    match (known.value(), known.absence()) {
        (Some(at), _) => at.to_string(),
        (None, absence) => absence.unwrap_or("unknown").to_owned(),
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Disabled => "disabled",
        Status::Revoked => "revoked",
        Status::Unknown => "unknown",
    }
}

fn match_key(key: MatchKey) -> &'static str {
    match key {
        MatchKey::Confirmed => "confirmed",
        MatchKey::NativeId => "native id",
        MatchKey::Fingerprint => "fingerprint",
        MatchKey::Principal => "principal",
        MatchKey::Locator => "locator",
        MatchKey::Hint => "hint",
        MatchKey::Name => "name",
        MatchKey::Fuzzy => "similar name",
    }
}
