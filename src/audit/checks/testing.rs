//! A small estate to judge, built fact by fact.
//!
//! Times are days before [`NOW`]; key ids are made at run time, so that nothing in the tree
//! looks like a key.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use keymuster_api::{
    About, Claim, ClaimRole, CommitFact, Confidence, Consumer, ConsumerKind, Coverage, Details,
    Gap, GapKind, IdentityKind, Key, Known, ObjectId, ResourceKind, SecretId, Severity, Slot,
    SlotUse, Source, Status, SystemId, slot_key, store,
};
use sha2::{Digest, Sha256};

use crate::{
    audit::{
        CheckCx, Exceptions, Finding, History, Judged, KindAdvice, Past, Policy, Population,
        PrivilegeFact, find, run_some,
    },
    context::{Context, LifeEvent, LifeEventKind, System, SystemKind},
    estate::{
        Credential, Estate, Gathered, Identity, Position, Resource, Sighting, Suppressed, resolve,
    },
    inventory::{
        Identifier, Inventory, Match, MatchKey, Matches, Nearest, People, Person, PersonStatus,
        Record, RecordSource, Team,
    },
};

/// The account of every key.
pub(crate) const ACCOUNT: &str = "111122223333";

/// The run's point in time: 2026-06-01.
pub(crate) fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("a time")
}

/// So many days before the run.
pub(crate) fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

/// Not an HMAC, but a function of the message, which is all a test needs.
pub(crate) fn seal(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// Everything a check may look at, in a form that can be changed.
pub(crate) struct World {
    pub(crate) estate: Estate,
    pub(crate) privileges: Vec<Option<PrivilegeFact>>,
    pub(crate) inventory: Option<Inventory>,
    pub(crate) matches: Matches,
    pub(crate) people: Option<People>,
    pub(crate) kinds: BTreeMap<String, KindAdvice>,
    pub(crate) policy: Policy,
    pub(crate) first_exposed: BTreeMap<String, Timestamp>,
    pub(crate) context: Context,
    pub(crate) exceptions: Option<Exceptions>,
    pub(crate) history: History,
}

impl World {
    /// Nothing yet: an empty inventory, an empty directory, one cloud and one git connector.
    pub(crate) fn new() -> World {
        let about = |kind, label: &str| About {
            kind,
            label: label.to_owned(),
            network: false,
        };
        let estate = Estate {
            gathered: Gathered {
                systems: vec![about("aws-iam", "aws/*.json"), about("git", "repos/*")],
                ..Gathered::default()
            },
            ..Estate::default()
        };
        World {
            estate,
            privileges: Vec::new(),
            inventory: Some(Inventory::default()),
            matches: Matches::default(),
            people: Some(People::default()),
            kinds: BTreeMap::new(),
            policy: Policy::preset("cis").expect("shipped"),
            first_exposed: BTreeMap::new(),
            context: Context::default(),
            exceptions: None,
            history: History::new(),
        }
    }

    /// A repository whose pipelines and secrets were all read: the secrets of these names, and a
    /// job that names one.
    pub(crate) fn pipeline(listed: &[&str], named: &str, job: impl FnOnce(&mut Consumer)) -> World {
        let here = "github:acme/app";
        let slots = listed.iter().map(|name| Slot {
            key: slot_key(here, store::ACTIONS_SECRET, name),
            name: (*name).to_owned(),
            scope: here.to_owned(),
            store: store::ACTIONS_SECRET.to_owned(),
            secret: None,
            created: Known::Known(ago(30)),
            updated: Known::Known(ago(30)),
            properties: Vec::new(),
            source: source(0, "GET /repos/acme/app/actions/secrets"),
        });
        let mut consumer = Consumer {
            key: Key::from("github:acme/app:.github/workflows/ci.yml#ship"),
            kind: ConsumerKind::Job,
            name: "ship".to_owned(),
            platform: "github-actions".to_owned(),
            resource: "app".to_owned(),
            path: ".github/workflows/ci.yml".to_owned(),
            lines: (1, 9),
            scope: here.to_owned(),
            environment: None,
            permissions: Vec::new(),
            triggers: Vec::new(),
            logins: Vec::new(),
            via: None,
            properties: Vec::new(),
            source: source(1, "app:.github/workflows/ci.yml:1"),
        };
        job(&mut consumer);
        let use_ = SlotUse {
            by: consumer.key.clone(),
            store: store::ACTIONS_SECRET.to_owned(),
            name: Some(named.to_owned()),
            scopes: vec![here.to_owned()],
            how: "env X".to_owned(),
            certain: true,
            source: source(1, "app:.github/workflows/ci.yml:5"),
        };
        let whole = |what: &str| Coverage {
            scope: here.to_owned(),
            what: what.to_owned(),
            expected: None,
            received: 1,
            bytes: 0,
            complete: true,
            source: source(1, "app"),
        };
        let mut world = World::new();
        world.estate.gathered.slots = slots.collect();
        world.estate.gathered.consumers = vec![consumer];
        world.estate.gathered.uses = vec![use_];
        world.estate.gathered.coverage = vec![
            whole("pipelines and manifests"),
            whole(store::ACTIONS_SECRET),
        ];
        world.join();
        world
    }

    /// Joins what was gathered anew.
    pub(crate) fn join(&mut self) {
        let mut gathered = std::mem::take(&mut self.estate.gathered);
        // The join makes them from the slots.
        gathered.credentials.clear();
        self.estate = resolve(gathered);
        let count = self.estate.credentials.len();
        self.matches = Matches {
            accepted: vec![None; count],
            also: vec![Vec::new(); count],
            to_confirm: vec![Vec::new(); count],
            nearest: vec![Vec::new(); count],
            ..Matches::default()
        };
    }

    /// What checks look at.
    pub(crate) fn cx(&self) -> CheckCx<'_> {
        CheckCx {
            estate: &self.estate,
            privileges: &self.privileges,
            inventory: self.inventory.as_ref(),
            matches: &self.matches,
            people: self.people.as_ref(),
            kinds: &self.kinds,
            policy: &self.policy,
            first_exposed: &self.first_exposed,
            context: &self.context,
            exceptions: self.exceptions.as_ref(),
            history: &self.history,
            now: now(),
        }
    }

    /// Asks one check.
    pub(crate) fn judge(&self, check: &str) -> Judged {
        let judged = run_some(&self.cx(), &seal, &[find(check).expect("a check")]);
        assert_eq!(judged.problems, [""; 0]);
        judged
    }

    /// The findings of one check.
    pub(crate) fn findings(&self, check: &str) -> Vec<Finding> {
        self.judge(check).findings
    }

    /// The one finding of one check.
    pub(crate) fn finding(&self, check: &str) -> Finding {
        let mut findings = self.findings(check);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }

    /// The population of one check.
    pub(crate) fn population(&self, check: &str) -> Population {
        self.judge(check).population.remove(0)
    }

    /// Asserts that a check judged one subject and passed it.
    pub(crate) fn assert_passes(&self, check: &str) {
        let judged = self.judge(check);
        assert_eq!(judged.findings, []);
        assert_eq!(judged.population[0].passed, 1, "{:?}", judged.population);
        assert_eq!(judged.population[0].not_evaluated, []);
    }

    /// Asserts that a check judged nothing, for lack of this.
    pub(crate) fn assert_lacks(&self, check: &str, missing: &str) {
        let population = self.population(check);
        assert_eq!(population.evaluated, 0);
        assert_eq!(population.not_evaluated, [(missing.to_owned(), 1)]);
    }

    /// Asserts that nothing belongs to a check's population.
    pub(crate) fn assert_ignores(&self, check: &str) {
        let population = self.population(check);
        assert_eq!(
            (population.evaluated, population.not_evaluated),
            (0, vec![])
        );
    }

    fn push(&mut self, credential: Credential) -> u32 {
        self.estate.credentials.push(credential);
        self.matches.accepted.push(None);
        self.matches.also.push(Vec::new());
        self.matches.to_confirm.push(Vec::new());
        self.matches.nearest.push(Vec::new());
        u32::try_from(self.estate.credentials.len() - 1).expect("few")
    }

    /// A principal.
    pub(crate) fn identity(&mut self, kind: IdentityKind, name: &str) -> u32 {
        let word = match kind {
            IdentityKind::Role => "role",
            _ => "user",
        };
        let texts = &mut self.estate.texts;
        let identity = Identity {
            key: texts.intern(&format!("arn:aws:iam::{ACCOUNT}:{word}/{name}")),
            kind,
            name: texts.intern(name.rsplit('/').next().unwrap_or(name)),
            provider: texts.intern("aws"),
            account: Some(texts.intern(ACCOUNT)),
            status: Status::Active,
            created: Known::Known(ago(400)),
            last_used: Known::Unknown,
            interactive: Known::Known(false),
            tags: Vec::new(),
            credentials: Vec::new(),
            claims: Vec::new(),
            sources: vec![source(0, "aws/authorization-details.json")],
        };
        self.estate.identities.push(identity);
        self.privileges.push(Some(PrivilegeFact::default()));
        u32::try_from(self.estate.identities.len() - 1).expect("few")
    }

    /// An active access key of a new user: made 30 days ago, used yesterday.
    pub(crate) fn key(&mut self, user: &str) -> u32 {
        let identity = self.identity(IdentityKind::User, user);
        self.key_of(identity)
    }

    /// One more access key of a user.
    pub(crate) fn key_of(&mut self, identity: u32) -> u32 {
        let number = self.estate.credentials.len();
        let id = format!("{}TEST{number:012}", concat!("AK", "IA"));
        let texts = &mut self.estate.texts;
        let scheme = texts.intern("aws-access-key-id");
        let credential = Credential {
            subject: texts.intern(&format!("aws-access-key-id:{id}")),
            aliases: Vec::new(),
            kind: texts.intern("aws.access-key"),
            provider: texts.intern("aws"),
            account: Some(texts.intern(ACCOUNT)),
            name: None,
            handle: Some((scheme, texts.intern(&id))),
            secret: None,
            identity: Some(identity),
            status: Status::Active,
            listed: true,
            created: Known::Known(ago(30)),
            rotated: Known::Known(ago(30)),
            last_used: Known::Known(ago(1)),
            last_used_for: Some(texts.intern("s3")),
            expires: Known::Never,
            sightings: Vec::new(),
            claims: Vec::new(),
            sources: vec![source(0, "aws/credential-report.csv:2")],
        };
        let ix = self.push(credential);
        self.estate.identities[identity as usize]
            .credentials
            .push(ix);
        ix
    }

    /// A key that is only counted: its id was not listed, and the count of keys says so.
    pub(crate) fn unnamed_key(&mut self, user: &str) -> u32 {
        let key = self.key(user);
        let subject = format!("aws:access-key-slot:{user}#1");
        let subject = self.estate.texts.intern(&subject);
        let credential = self.credential(key);
        credential.handle = None;
        credential.subject = subject;
        let advice = KindAdvice {
            has_handle: true,
            ..KindAdvice::default()
        };
        self.kinds.insert("aws.access-key".to_owned(), advice);
        self.covered(&format!("aws:{ACCOUNT}")).complete = false;
        key
    }

    /// A secret that no system lists, not seen anywhere yet.
    pub(crate) fn secret(&mut self, kind: &str) -> u32 {
        let id = secret_id(self.estate.credentials.len());
        let texts = &mut self.estate.texts;
        let credential = Credential {
            subject: texts.intern(&format!("secret:{id}")),
            aliases: Vec::new(),
            kind: texts.intern(kind),
            provider: texts.intern(kind.split('.').next().unwrap_or("")),
            account: None,
            name: None,
            handle: None,
            secret: Some(id),
            identity: None,
            status: Status::Unknown,
            listed: false,
            created: Known::Unknown,
            rotated: Known::Unknown,
            last_used: Known::Unknown,
            last_used_for: None,
            expires: Known::Unknown,
            sightings: Vec::new(),
            claims: Vec::new(),
            sources: Vec::new(),
        };
        self.push(credential)
    }

    /// The credential, to be changed.
    pub(crate) fn credential(&mut self, ix: u32) -> &mut Credential {
        &mut self.estate.credentials[ix as usize]
    }

    /// A host says how something is set up.
    pub(crate) fn set(&mut self, subject: &str, name: &str, value: &str) {
        let settings = &mut self.estate.gathered.settings;
        settings.push(keymuster_api::Setting {
            subject: Key::from(subject),
            name: name.to_owned(),
            value: value.to_owned(),
            source: source(1, "GET /settings"),
        });
        settings.sort();
    }

    /// A repository of this name, new or known.
    pub(crate) fn repository(&mut self, name: &str) -> u32 {
        let resources = &mut self.estate.gathered.resources;
        let at = resources
            .iter()
            .position(|r| r.name == name)
            .unwrap_or_else(|| {
                resources.push(Resource {
                    system: SystemId(1),
                    id: u32::try_from(resources.len()).expect("few"),
                    kind: ResourceKind::Repository,
                    name: name.to_owned(),
                    location: format!("repos/{name}"),
                });
                resources.len() - 1
            });
        u32::try_from(at).expect("few")
    }

    /// A credential is seen at the tip of a repository, brought in 10 days ago.
    pub(crate) fn seen(&mut self, ix: u32, repository: &str, path: &str) -> &mut Sighting {
        let resource = self.repository(repository);
        let commit = Arc::new(CommitFact {
            id: ObjectId::from_bytes(&[7; 20]).expect("20 bytes"),
            author: "Dora Dev <dora@acme.example>".to_owned(),
            at: Some(ago(10)),
        });
        let kind = self
            .estate
            .text(self.estate.credentials[ix as usize].kind)
            .into();
        let sighting = Sighting {
            resource,
            rule: "test.rule".into(),
            kind,
            confidence: Confidence::High,
            severity: Severity::High,
            public: false,
            secret: secret_id(ix as usize),
            details: Arc::new(Details::default()),
            path: path.to_owned(),
            position: Some(Position {
                line: 3,
                column: 1,
                end_line: 3,
                end_column: 20,
            }),
            blob: None,
            commit: Some(Arc::clone(&commit)),
            introduced: Some(vec![commit]),
            versions: 1,
            at_tip: Some(vec!["refs/heads/main".to_owned()]),
            in_worktree: false,
            suppressed: None,
        };
        let sightings = &mut self.estate.gathered.sightings;
        sightings.push(sighting);
        let at = u32::try_from(sightings.len() - 1).expect("few");
        self.estate.credentials[ix as usize].sightings.push(at);
        &mut self.estate.gathered.sightings[at as usize]
    }

    /// Somebody is named for a credential.
    pub(crate) fn claim(&mut self, ix: u32, role: ClaimRole, party: &str) {
        let credential = &mut self.estate.credentials[ix as usize];
        let claims = &mut self.estate.gathered.claims;
        credential
            .claims
            .push(u32::try_from(claims.len()).expect("few"));
        claims.push(Claim {
            subject: "test".into(),
            party: party.to_owned(),
            role,
            observed: None,
            confidence: 80,
            source: source(0, "tag owner"),
        });
    }

    /// A complete record of this id; changed by the caller.
    pub(crate) fn record(&mut self, id: &str) -> (u32, &mut Record) {
        let inventory = self.inventory.get_or_insert_with(Inventory::default);
        let row = inventory.records.len() as u64 + 2;
        let text = |text: &str| Some(text.to_owned());
        inventory.records.push(Record {
            id: id.to_owned(),
            source: RecordSource {
                inventory: "register".to_owned(),
                file: "inventory.csv".to_owned(),
                row,
            },
            credential_type: text("access_key"),
            identifiers: vec![Identifier {
                scheme: "repo_path".to_owned(),
                value: "none".to_owned(),
            }],
            system: text("payments"),
            provider: text("aws"),
            account: text(ACCOUNT),
            environment: text("dev"),
            owner: text("ada@acme.example"),
            approver: text("boss@acme.example"),
            approved_at: Some(ago(100)),
            purpose: text("nightly export"),
            scope: vec!["s3:GetObject".to_owned()],
            expires_at: Some(ago(-60)),
            revocation_path: text("runbook 7"),
            recovery_procedure: text("runbook 8"),
            ..Record::default()
        });
        self.matches.of_record.push(Vec::new());
        let ix = inventory.records.len() - 1;
        (u32::try_from(ix).expect("few"), &mut inventory.records[ix])
    }

    /// A record is accepted for a credential.
    pub(crate) fn accept(&mut self, credential: u32, record: u32, key: MatchKey) {
        self.matches.accepted[credential as usize] = Some(matching(credential, record, key, 1.0));
        self.matches.of_record[record as usize].push(credential);
    }

    /// A new complete record is accepted for a credential; changed by the caller.
    pub(crate) fn registered(&mut self, credential: u32) -> &mut Record {
        let number = self
            .inventory
            .as_ref()
            .map_or(0, |inventory| inventory.records.len());
        let (record, _) = self.record(&format!("R-{number}"));
        self.accept(credential, record, MatchKey::NativeId);
        &mut self.inventory.as_mut().expect("it has a record").records[record as usize]
    }

    /// A record is near a credential.
    pub(crate) fn near(&mut self, credential: u32, record: u32, score: f64) {
        self.matches.nearest[credential as usize].push(Nearest {
            record,
            score,
            because: "names resemble each other".to_owned(),
        });
    }

    /// Somebody of the directory: `<id>@acme.example`, of team `payments`.
    pub(crate) fn person(&mut self, id: &str, status: PersonStatus) -> &mut Person {
        let people = &mut self.people.get_or_insert_with(People::default).people;
        people.push(Person {
            id: id.to_owned(),
            name: None,
            mail: Some(format!("{id}@acme.example")),
            aliases: Vec::new(),
            team: Some("payments".to_owned()),
            manager: None,
            status,
            ended_at: (status == PersonStatus::Ended).then(|| ago(20)),
            source: format!("people.csv:{}", people.len() + 2),
        });
        people.last_mut().expect("just added")
    }

    /// A team of the directory.
    pub(crate) fn team(&mut self, name: &str, active: bool) {
        let people = self.people.get_or_insert_with(People::default);
        people.teams.push(Team {
            name: name.to_owned(),
            members: Vec::new(),
            active,
            ..Team::default()
        });
    }

    /// A scope was seen completely: by the cloud connector if it is `aws:…`, else by git.
    pub(crate) fn covered(&mut self, scope: &str) -> &mut Coverage {
        let system = u32::from(!scope.starts_with("aws:"));
        let coverage = &mut self.estate.gathered.coverage;
        coverage.push(Coverage {
            scope: scope.to_owned(),
            what: if system == 0 { "access keys" } else { "blobs" }.to_owned(),
            expected: Some(4),
            received: 4,
            bytes: 0,
            complete: true,
            source: source(system, "test"),
        });
        coverage.last_mut().expect("just added")
    }

    /// Something was not seen, by both connectors.
    pub(crate) fn gap(&mut self, subject: &str) {
        for system in [0, 1] {
            self.estate.gathered.gaps.push(Gap {
                kind: GapKind::Unreadable,
                subject: subject.to_owned(),
                reason: "permission denied; grant read".to_owned(),
                source: source(system, "test"),
            });
        }
    }

    /// A statement of a record in a column of its own.
    pub(crate) fn said(&mut self, record: u32, column: &str, text: &str) {
        let inventory = self.inventory.as_mut().expect("it has a record");
        let extra = &mut inventory.records[record as usize].extra;
        extra.insert(column.to_owned(), text.to_owned());
    }

    /// Something happened so many days ago.
    pub(crate) fn event(&mut self, kind: LifeEventKind, subject: &str, days: i64) {
        self.context.events.get_or_insert_default().push(LifeEvent {
            at: ago(days),
            kind,
            subject: subject.to_owned(),
            reference: None,
            source: "events.csv:2".to_owned(),
        });
    }

    /// A system or API of the catalogue.
    pub(crate) fn system(&mut self, kind: SystemKind, name: &str) -> &mut System {
        let systems = self.context.systems.get_or_insert_default();
        systems.push(System::named(kind, name, "systems.csv:2"));
        systems.last_mut().expect("just added")
    }

    /// A named place whose value nobody saw.
    pub(crate) fn slot_of(&mut self, scope: &str, store: &str, name: &str) -> &mut Slot {
        let secret = self.secret("test");
        let slot = self.slot(secret, scope, store, name);
        slot.secret = None;
        slot
    }

    /// A named place holds a credential.
    pub(crate) fn slot(
        &mut self,
        credential: u32,
        scope: &str,
        store: &str,
        name: &str,
    ) -> &mut Slot {
        let secret = secret_id(credential as usize);
        self.estate.credentials[credential as usize].secret = Some(secret);
        let slots = &mut self.estate.gathered.slots;
        slots.push(Slot {
            key: format!("{scope}:{store}:{name}").into(),
            name: name.to_owned(),
            scope: scope.to_owned(),
            store: store.to_owned(),
            secret: Some(secret),
            created: Known::Unknown,
            updated: Known::Unknown,
            properties: Vec::new(),
            source: source(0, "slots"),
        });
        slots.last_mut().expect("just added")
    }

    /// What a run so many days ago saw of a credential.
    pub(crate) fn past(&mut self, credential: u32, days: i64) -> &mut Past {
        let subject = self.estate.credentials[credential as usize].subject;
        let subject = self.estate.text(subject).to_owned();
        let all = self.history.entry(subject).or_default();
        all.push(Past {
            at: ago(days),
            ..Past::default()
        });
        all.last_mut().expect("just added")
    }

    /// A principal is an administrator.
    pub(crate) fn admin(&mut self, identity: u32) {
        self.privileges[identity as usize] = Some(PrivilegeFact {
            admin: Some("AdministratorAccess: Allow * on *".to_owned()),
            ..PrivilegeFact::default()
        });
    }
}

/// One match.
pub(crate) fn matching(credential: u32, record: u32, key: MatchKey, confidence: f64) -> Match {
    Match {
        credential,
        record,
        key,
        confidence,
        because: "test".to_owned(),
    }
}

/// An entry of a suppressions file.
pub(crate) fn suppressed(until: Option<&str>) -> Option<Suppressed> {
    Some(Suppressed {
        by: "suppressions.toml:4".to_owned(),
        reason: "documentation example".to_owned(),
        until: until.map(str::to_owned),
    })
}

fn source(system: u32, locator: &str) -> Source {
    Source {
        system: SystemId(system),
        locator: locator.to_owned(),
    }
}

fn secret_id(number: usize) -> SecretId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
    SecretId(bytes)
}
