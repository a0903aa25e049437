//! What a finding says of its subject, whatever the check.

use keymuster_api::{IdentityKind, Known};

use super::{
    CheckCx, Subject,
    party::Directory,
    route::{self, Candidate},
    score::Privilege,
    subject::Owner,
};
use crate::{estate::Identity, inventory::Record};

/// What a finding says of its subject.
#[derive(Default)]
pub(super) struct Facet<'a> {
    pub(super) key: String,
    pub(super) credential: Option<u32>,
    pub(super) record: Option<&'a Record>,
    pub(super) identity: Option<&'a Identity>,
    pub(super) owner: Option<Owner>,
    pub(super) candidates: Vec<Candidate>,
}

impl Facet<'_> {
    pub(super) fn privilege(&self, cx: &CheckCx<'_>, subject: &Subject) -> Privilege {
        let fact = match (subject, self.credential) {
            (Subject::Identity(ix), _) => cx.privileges.get(*ix as usize).and_then(Option::as_ref),
            (_, Some(ix)) => cx.privilege_of(cx.credential(ix)),
            _ => None,
        };
        if self
            .identity
            .is_some_and(|identity| identity.kind == IdentityKind::Root)
        {
            return Privilege::Admin;
        }
        match fact {
            Some(fact) if fact.admin.is_some() => Privilege::Admin,
            Some(fact) if !fact.wildcards.is_empty() => Privilege::Wildcard,
            Some(fact) if fact.conditional_admin.is_some() => Privilege::Conditional,
            _ => Privilege::Ordinary,
        }
    }

    pub(super) fn label(&self, cx: &CheckCx<'_>, subject: &Subject) -> String {
        match (subject, self.credential, self.record, self.identity) {
            (Subject::Scope(name) | Subject::Entry(_, name), ..) => name.clone(),
            (Subject::Identity(_), _, _, Some(identity)) => cx.text(identity.name).to_owned(),
            (Subject::Record(_), _, Some(record), _) => {
                record.name.clone().unwrap_or_else(|| record.id.clone())
            }
            (_, Some(ix), ..) => cx.label(cx.credential(ix)),
            _ => self.key.clone(),
        }
    }

    pub(super) fn credential_type(&self, cx: &CheckCx<'_>, subject: &Subject) -> String {
        match (subject, self.credential, self.record) {
            (Subject::Credential(_), Some(ix), _) => cx.text(cx.credential(ix).kind).to_owned(),
            (Subject::Identity(_), _, _) => {
                let kind = self.identity.map(|identity| identity.kind);
                let word = match kind {
                    Some(IdentityKind::Root) => "root",
                    Some(IdentityKind::User) => "user",
                    Some(IdentityKind::Role) => "role",
                    Some(IdentityKind::Group) => "group",
                    Some(IdentityKind::ServiceAccount) => "service_account",
                    Some(IdentityKind::App) => "app",
                    None => "",
                };
                word.to_owned()
            }
            (Subject::Entry(kind, _), _, _) => kind.as_str().to_owned(),
            (_, _, record) => text_of(record, |record| record.credential_type.as_ref()),
        }
    }

    pub(super) fn provider(&self, cx: &CheckCx<'_>, subject: &Subject) -> String {
        match (subject, self.identity, self.credential) {
            (Subject::Identity(_), Some(identity), _) => cx.text(identity.provider).to_owned(),
            (_, _, Some(ix)) => cx.text(cx.credential(ix).provider).to_owned(),
            _ => text_of(self.record, |record| record.provider.as_ref()),
        }
    }

    pub(super) fn account(&self, cx: &CheckCx<'_>, subject: &Subject) -> String {
        let found = match (subject, self.identity, self.credential) {
            (Subject::Identity(_), Some(identity), _) => identity.account,
            (_, _, Some(ix)) => cx.credential(ix).account,
            _ => None,
        };
        found.map_or_else(
            || text_of(self.record, |record| record.account.as_ref()),
            |account| cx.text(account).to_owned(),
        )
    }

    pub(super) fn expires(&self, cx: &CheckCx<'_>) -> String {
        if let Some(at) = self.record.and_then(|record| record.expires_at) {
            return at.to_string();
        }
        match self.credential.map(|ix| cx.credential(ix).expires) {
            Some(Known::Known(at)) => at.to_string(),
            Some(Known::Never) => "never".to_owned(),
            _ => String::new(),
        }
    }
}

/// Gathers what is known about a subject.
pub(super) fn facet<'a>(
    cx: &CheckCx<'a>,
    directory: Option<&Directory<'_>>,
    subject: &Subject,
) -> Facet<'a> {
    let mut facet = match subject {
        Subject::Credential(ix) => {
            let credential = cx.credential(*ix);
            Facet {
                key: cx.text(credential.subject).to_owned(),
                credential: Some(*ix),
                record: cx.record_of(*ix),
                identity: cx.estate.identity_of(credential),
                ..Facet::default()
            }
        }
        Subject::Record(ix) => {
            let record = cx.record(*ix);
            let matched = cx.matches.of_record.get(*ix as usize);
            let credential = matched.and_then(|all| all.first().copied());
            Facet {
                key: record.map_or_else(|| format!("record #{ix}"), record_key),
                credential,
                record,
                identity: credential.and_then(|ix| cx.estate.identity_of(cx.credential(ix))),
                ..Facet::default()
            }
        }
        Subject::Identity(ix) => {
            let identity = &cx.estate.identities[*ix as usize];
            Facet {
                key: cx.text(identity.key).to_owned(),
                credential: None,
                record: identity.credentials.iter().find_map(|&ix| cx.record_of(ix)),
                identity: Some(identity),
                ..Facet::default()
            }
        }
        Subject::Scope(name) => Facet {
            key: format!("scope:{name}"),
            ..Facet::default()
        },
        Subject::Entry(kind, name) => {
            let owner = cx.entry(*kind, name).and_then(|system| {
                Some(Owner {
                    party: system.owner.clone()?,
                    source: system.source.clone(),
                })
            });
            return Facet {
                key: Subject::entry_key(*kind, name),
                owner,
                ..Facet::default()
            };
        }
    };
    let claims: &[u32] = match (subject, facet.credential) {
        (Subject::Identity(_), _) => facet.identity.map_or(&[], |identity| &identity.claims),
        (_, Some(ix)) => &cx.credential(ix).claims,
        _ => &[],
    };
    facet.owner = cx.owner(facet.record, claims);
    let credentials = facet.credential.map(|ix| cx.credential(ix));
    facet.candidates = route::candidates(cx, directory, claims, credentials.into_iter());
    facet
}

/// The canonical subject of a record. Registers count their rows from one, so the id alone is
/// not unique.
pub(super) fn record_key(record: &Record) -> String {
    format!("record:{}:{}", record.source.inventory, record.id)
}

/// A text of a record; empty where there is none.
pub(super) fn text_of(
    record: Option<&Record>,
    field: impl Fn(&Record) -> Option<&String>,
) -> String {
    record
        .and_then(|record| field(record).cloned())
        .unwrap_or_default()
}
