//! What exists: facts as connectors give them.

use std::sync::Arc;

use keymuster::estate::{Gathered, Resource, Sighting};
use keymuster_api::{
    Claim, ClaimRole, Confidence, Credential, Details, Handle, Identity, IdentityKind, Key, Known,
    ResourceKind, SecretId, Severity, Source, Status, SystemId, Timestamp,
};

use crate::dice::Dice;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) gathered: Gathered,
}

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: "generated".to_owned(),
    }
}

pub(crate) fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + day * 86_400).expect("a day of our time")
}

impl World {
    /// A principal; its key.
    pub(crate) fn identity(
        &mut self,
        key: &str,
        name: &str,
        provider: &str,
        account: &str,
        tags: &[(&str, &str)],
    ) -> Key {
        let key = Key(key.to_owned());
        self.gathered.identities.push(Identity {
            key: key.clone(),
            kind: IdentityKind::User,
            name: name.to_owned(),
            provider: provider.to_owned(),
            account: Some(account.to_owned()),
            status: Status::Active,
            created: Known::Unknown,
            last_used: Known::Unknown,
            interactive: Known::Unknown,
            mfa: Known::Unknown,
            tags: tags
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            source: source(),
        });
        key
    }

    /// A credential that a system lists; the subject it is known by.
    pub(crate) fn listed(
        &mut self,
        key: &str,
        handle: Option<(&str, &str)>,
        identity: Option<&Key>,
        name: Option<&str>,
        made: i64,
    ) -> String {
        let provider = key.split(':').next().unwrap_or_default().to_owned();
        self.gathered.credentials.push(Credential {
            key: Key(key.to_owned()),
            kind: format!("{provider}.credential"),
            handle: handle.map(|(scheme, value)| Handle::new(scheme, value)),
            secret: None,
            identity: identity.cloned(),
            provider,
            account: None,
            name: name.map(str::to_owned),
            status: Status::Active,
            created: Known::Known(at(made)),
            rotated: Known::Unknown,
            last_used: Known::Unknown,
            last_used_for: None,
            expires: Known::Unknown,
            source: source(),
        });
        match handle {
            Some((scheme, value)) => format!("{scheme}:{value}"),
            None => key.to_owned(),
        }
    }

    /// A repository; its index.
    pub(crate) fn repository(&mut self, name: &str) -> u32 {
        self.gathered.resources.push(Resource {
            system: SystemId(0),
            id: self.gathered.resources.len() as u32,
            kind: ResourceKind::Repository,
            name: name.to_owned(),
            location: name.to_owned(),
        });
        self.gathered.resources.len() as u32 - 1
    }

    /// A secret in a file; its keyed name.
    pub(crate) fn seen(
        &mut self,
        dice: &mut Dice,
        repository: u32,
        path: &str,
        facts: &[(&str, &str)],
    ) -> SecretId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&dice.next().to_be_bytes());
        id[8..].copy_from_slice(&dice.next().to_be_bytes());
        let secret = SecretId(id);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.gathered.sightings.push(Sighting {
            resource: repository,
            rule: "generic.secret".into(),
            kind: "generic.secret".into(),
            confidence: Confidence::High,
            severity: Severity::High,
            public: false,
            secret,
            details: Arc::new(Details {
                facts: facts.iter().map(own).collect(),
                ..Details::default()
            }),
            path: path.to_owned(),
            position: None,
            blob: None,
            commit: None,
            introduced: None,
            versions: 1,
            at_tip: None,
            in_worktree: true,
            suppressed: None,
        });
        secret
    }

    /// Somebody answers for it.
    pub(crate) fn claim(&mut self, subject: &str, party: &str) {
        self.gathered.claims.push(Claim {
            subject: Key(subject.to_owned()),
            party: party.to_owned(),
            role: ClaimRole::Creator,
            observed: None,
            confidence: 60,
            source: source(),
        });
    }
}
