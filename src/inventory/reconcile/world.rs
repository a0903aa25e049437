//! Estates made by hand, for the tests of matching.

use std::sync::Arc;

use keymuster_api::{
    Confidence, Details, IdentityKind, Known, ResourceKind, SecretId, Severity, Slot, Source,
    Status, SystemId,
};

use crate::estate::{Credential, Estate, Identity, Resource, Sighting};

/// Builds estates by hand; credentials are numbered in the order they are added.
#[derive(Default)]
pub(in crate::inventory) struct World(pub(in crate::inventory) Estate);

impl World {
    pub(in crate::inventory) fn user(&mut self, account: &str, name: &str) -> u32 {
        let key = format!("arn:aws:iam::{account}:user/{name}");
        let texts = &mut self.0.texts;
        let identity = Identity {
            key: texts.intern(&key),
            kind: IdentityKind::User,
            name: texts.intern(name),
            provider: texts.intern("aws"),
            account: Some(texts.intern(account)),
            status: Status::Active,
            created: Known::Unknown,
            last_used: Known::Unknown,
            interactive: Known::Unknown,
            tags: Vec::new(),
            credentials: Vec::new(),
            claims: Vec::new(),
            sources: Vec::new(),
        };
        self.0.identities.push(identity);
        self.0.identities.len() as u32 - 1
    }

    pub(in crate::inventory) fn tag(&mut self, identity: u32, name: &str, value: &str) {
        let tag = (self.0.texts.intern(name), self.0.texts.intern(value));
        self.0.identities[identity as usize].tags.push(tag);
    }

    pub(in crate::inventory) fn credential(&mut self, subject: &str) -> &mut Credential {
        let texts = &mut self.0.texts;
        let credential = Credential {
            subject: texts.intern(subject),
            aliases: Vec::new(),
            kind: texts.intern("aws.access-key"),
            provider: texts.intern("aws"),
            account: None,
            name: None,
            handle: None,
            secret: None,
            identity: None,
            status: Status::Active,
            listed: true,
            created: Known::Unknown,
            rotated: Known::Unknown,
            last_used: Known::Unknown,
            last_used_for: None,
            expires: Known::Unknown,
            sightings: Vec::new(),
            claims: Vec::new(),
            sources: Vec::new(),
        };
        self.0.credentials.push(credential);
        self.0.credentials.last_mut().unwrap()
    }

    /// An access key of a user, listed by the provider.
    pub(in crate::inventory) fn key(&mut self, id: &str, identity: Option<u32>) {
        let handle = (
            self.0.texts.intern("aws-access-key-id"),
            self.0.texts.intern(id),
        );
        let credential = self.credential(&format!("aws-access-key-id:{id}"));
        credential.handle = Some(handle);
        credential.identity = identity;
    }

    /// A secret that was seen in a file only.
    pub(in crate::inventory) fn secret(
        &mut self,
        byte: u8,
        places: &[(&str, &str)],
        facts: &[(&str, &str)],
    ) {
        let id = SecretId([byte; 16]);
        let mut sightings = Vec::new();
        for (repository, path) in places {
            let known = self
                .0
                .gathered
                .resources
                .iter()
                .position(|r| r.name == *repository);
            let resource = known.unwrap_or_else(|| {
                self.0.gathered.resources.push(Resource {
                    system: SystemId(0),
                    id: 0,
                    kind: ResourceKind::Repository,
                    name: (*repository).to_owned(),
                    location: String::new(),
                });
                self.0.gathered.resources.len() - 1
            });
            let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
            sightings.push(self.0.gathered.sightings.len() as u32);
            self.0.gathered.sightings.push(Sighting {
                resource: resource as u32,
                rule: Arc::from("generic"),
                kind: Arc::from("generic"),
                confidence: Confidence::High,
                severity: Severity::High,
                public: false,
                secret: id,
                details: Arc::new(Details {
                    facts: facts.iter().map(own).collect(),
                    ..Details::default()
                }),
                path: (*path).to_owned(),
                position: None,
                blob: None,
                commit: None,
                introduced: None,
                versions: 1,
                at_tip: None,
                in_worktree: true,
                suppressed: None,
            });
        }
        let provider = self.0.texts.intern("");
        let kind = self.0.texts.intern("generic");
        let credential = self.credential(&format!("secret:{id}"));
        credential.secret = Some(id);
        credential.sightings = sightings;
        credential.listed = false;
        credential.provider = provider;
        credential.kind = kind;
    }

    pub(in crate::inventory) fn slot(&mut self, key: &str, byte: u8) {
        self.0.gathered.slots.push(Slot {
            key: key.into(),
            name: key.rsplit(':').next().unwrap().to_owned(),
            scope: key.split(':').nth(1).unwrap().to_owned(),
            store: "actions".into(),
            secret: Some(SecretId([byte; 16])),
            created: Known::Unknown,
            updated: Known::Unknown,
            properties: Vec::new(),
            source: Source {
                system: SystemId(0),
                locator: String::new(),
            },
        });
    }
}
