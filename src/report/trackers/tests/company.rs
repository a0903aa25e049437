//! A company that lives: what is true each night, and what its systems show of it. Written from
//! the domain, without a look at the checks.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use keymuster_api::{
    About, CommitFact, Confidence, Coverage, Credential, Details, Gap, GapKind, Handle, Identity,
    IdentityKind, Key, Known, ObjectId, Redaction, Redactor, ResourceKind, SecretId, Severity,
    Source, Status, SystemId,
};

use crate::{
    audit::{Exceptions, Policy},
    estate::{Gathered, Position, Resource, Sighting},
    inventory::{Inventory, InventoryMap, InventorySpec, read, read_people},
    judgement::Ground,
};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REPOSITORIES: [&str; 3] = ["web", "api", "tools"];

/// Numbers that look random and are the same every time (xorshift64*).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// An access key, as it really is.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) user: usize,
    pub(crate) made: i64,
    pub(crate) used: i64,
    pub(crate) active: bool,
    pub(crate) deleted: bool,
    pub(crate) registered: bool,
}

/// A secret that somebody committed.
#[derive(Clone)]
pub(crate) struct Leak {
    pub(crate) secret: SecretId,
    /// The access key it is the secret of.
    pub(crate) of: Option<usize>,
    /// Whether the scanner sees which key it belongs to: better rules came with a later version.
    pub(crate) known: bool,
    pub(crate) repository: usize,
    pub(crate) path: String,
    pub(crate) line: u64,
    pub(crate) commit: u8,
    pub(crate) at_tip: bool,
}

/// What could not be looked at this night.
#[derive(Default)]
pub(crate) struct Outage {
    pub(crate) account: bool,
    pub(crate) repositories: [bool; 3],
}

pub(crate) struct Company {
    pub(crate) dice: Dice,
    pub(crate) keys: Vec<AccessKey>,
    pub(crate) leaks: Vec<Leak>,
    pub(crate) outage: Outage,
    /// Users whose owner left.
    pub(crate) left: Vec<bool>,
    /// Findings that are accepted: id and the day it ends.
    pub(crate) accepted: BTreeMap<String, i64>,
    /// From this day on a second register is merged in.
    second_register: i64,
}

struct NoSecrets;

impl Redactor for NoSecrets {
    fn redact(&self, _text: &str) -> Vec<Redaction> {
        Vec::new()
    }

    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

pub(crate) fn time(day: i64) -> Timestamp {
    "2026-01-01T02:00:00Z".parse::<Timestamp>().expect("a time")
        + SignedDuration::from_hours(24 * day)
}

fn source(system: u32, locator: &str) -> Source {
    Source {
        system: SystemId(system),
        locator: locator.to_owned(),
    }
}

impl Company {
    pub(crate) fn new(seed: u64) -> Company {
        let mut company = Company {
            dice: Dice(seed),
            keys: Vec::new(),
            leaks: Vec::new(),
            outage: Outage::default(),
            left: vec![false; 8],
            accepted: BTreeMap::new(),
            second_register: 120,
        };
        for user in 0..8 {
            company.add_key(user, -(company.keys.len() as i64) * 20);
        }
        for number in 0..6 {
            company.add_leak(number, (number < 3).then_some(number));
        }
        company
    }

    /// One key, one leak.
    pub(crate) fn small(seed: u64) -> Company {
        let mut company = Company::new(seed);
        company.keys.truncate(1);
        company.leaks.truncate(1);
        company
    }

    fn add_key(&mut self, user: usize, made: i64) {
        let number = self.keys.len();
        let registered = self.dice.below(3) > 0;
        self.keys.push(AccessKey {
            id: format!("{}CORP{number:012}", concat!("AK", "IA")),
            user,
            made,
            used: made,
            active: true,
            deleted: false,
            registered,
        });
    }

    fn add_leak(&mut self, number: usize, of: Option<usize>) {
        self.leaks.push(Leak {
            secret: SecretId([number as u8 + 1; 16]),
            of,
            known: number != 1,
            repository: number % 3,
            path: format!("src/config{number}.py"),
            line: 10,
            commit: number as u8,
            at_tip: true,
        });
    }

    /// What happens on a day.
    pub(crate) fn live(&mut self, day: i64) {
        for ix in 0..self.keys.len() {
            // Some keys are used for months, then for months they are not.
            let busy = (day + 40 * ix as i64).rem_euclid(150) < 80;
            if busy && self.keys[ix].active && !self.keys[ix].deleted {
                self.keys[ix].used = day;
            }
        }
        if self.dice.one_in(25) {
            // A true rotation: the old key goes, a new one comes.
            let old = self.dice.below(self.keys.len());
            if !self.keys[old].deleted {
                self.keys[old].deleted = true;
                let user = self.keys[old].user;
                self.add_key(user, day);
            }
        }
        if self.dice.one_in(20) {
            // Switched off, or on again.
            let key = self.dice.below(self.keys.len());
            self.keys[key].active ^= true;
        }
        if self.dice.one_in(15) {
            let key = self.dice.below(self.keys.len());
            self.keys[key].registered ^= true;
        }
        if self.dice.one_in(30) {
            let user = self.dice.below(self.left.len());
            self.left[user] ^= true;
        }
        if self.dice.one_in(40) && self.leaks.len() < 14 {
            let of = self.dice.below(self.keys.len());
            let of = (!self.leaks.iter().any(|leak| leak.of == Some(of))).then_some(of);
            self.add_leak(self.leaks.len(), of);
        }
        self.move_code();
        self.outage = Outage {
            account: self.dice.one_in(9),
            repositories: [0; 3].map(|_| self.dice.one_in(12)),
        };
        if day == 60 {
            // The scanner learns to see which key the secret belongs to.
            self.leaks.iter_mut().for_each(|leak| leak.known = true);
        }
        self.accepted.retain(|_, until| *until >= day);
    }

    /// Lines move, files are renamed, histories are rewritten, secrets leave the newest version.
    fn move_code(&mut self) {
        for leak in &mut self.leaks {
            if self.dice.one_in(3) {
                leak.line += 1;
            }
            if self.dice.one_in(60) {
                leak.path = format!("lib/{}", leak.path);
            }
            if self.dice.one_in(40) {
                leak.commit = leak.commit.wrapping_add(31);
            }
            if self.dice.one_in(50) {
                leak.at_tip ^= true;
            }
        }
    }

    /// What the systems show this night.
    pub(crate) fn gathered(&self) -> Gathered {
        let about = |kind, label: &str| About {
            kind,
            label: label.to_owned(),
            network: false,
        };
        let mut gathered = Gathered {
            systems: vec![about("aws-iam", "aws/*.json"), about("git", "repos/*")],
            ..Gathered::default()
        };
        self.account(&mut gathered);
        for (ix, name) in (0u32..).zip(REPOSITORIES) {
            gathered.resources.push(Resource {
                system: SystemId(1),
                id: ix,
                kind: ResourceKind::Repository,
                name: name.to_owned(),
                location: format!("clones/{name}"),
            });
            let down = self.outage.repositories[ix as usize];
            gathered.coverage.push(Coverage {
                scope: format!("git:{name}"),
                what: "blobs".to_owned(),
                expected: None,
                received: 100,
                bytes: 1000,
                complete: !down,
                source: source(1, name),
            });
            if down {
                gathered.gaps.push(Gap {
                    kind: GapKind::Corrupt,
                    subject: name.to_owned(),
                    reason: "cannot be read; clone it again".to_owned(),
                    source: source(1, name),
                });
            }
        }
        for leak in &self.leaks {
            if !self.outage.repositories[leak.repository] {
                gathered.sightings.push(self.sighting(leak));
            }
        }
        gathered
            .sightings
            .sort_by_key(|one| (one.resource, one.path.clone()));
        gathered
    }

    fn account(&self, gathered: &mut Gathered) {
        let shown: Vec<&AccessKey> = self.keys.iter().filter(|key| !key.deleted).collect();
        // In an outage half of the answers come, and the count tells.
        let some = match self.outage.account {
            true => &shown[..shown.len() / 2],
            false => &shown[..],
        };
        gathered.coverage.push(Coverage {
            scope: format!("aws:{ACCOUNT}"),
            what: "access keys".to_owned(),
            expected: Some(shown.len() as u64),
            received: some.len() as u64,
            bytes: 0,
            complete: !self.outage.account,
            source: source(0, "aws/credential-report.csv"),
        });
        for key in some {
            let arn = Key(format!("arn:aws:iam::{ACCOUNT}:user/user{}", key.user));
            gathered.credentials.push(Credential {
                key: Key(format!("aws:access-key:{}", key.id)),
                kind: "aws.access-key".to_owned(),
                handle: Some(Handle::new("aws-access-key-id", &*key.id)),
                secret: None,
                identity: Some(arn.clone()),
                provider: "aws".to_owned(),
                account: Some(ACCOUNT.to_owned()),
                name: None,
                status: match key.active {
                    true => Status::Active,
                    false => Status::Disabled,
                },
                created: Known::Known(time(key.made)),
                rotated: Known::Known(time(key.made)),
                last_used: Known::Known(time(key.used)),
                last_used_for: None,
                expires: Known::Never,
                source: source(0, "aws/keys.json"),
            });
            if !gathered.identities.iter().any(|one| one.key == arn) {
                gathered.identities.push(Identity {
                    key: arn,
                    kind: IdentityKind::User,
                    name: format!("user{}", key.user),
                    provider: "aws".to_owned(),
                    account: Some(ACCOUNT.to_owned()),
                    status: Status::Active,
                    created: Known::Known(time(-400)),
                    last_used: Known::Unknown,
                    interactive: Known::Known(false),
                    mfa: Known::Unknown,
                    tags: Vec::new(),
                    source: source(0, "aws/details.json"),
                });
            }
        }
    }

    fn sighting(&self, leak: &Leak) -> Sighting {
        let commit = Arc::new(CommitFact {
            id: ObjectId::from_bytes(&[leak.commit; 20]).expect("20 bytes"),
            author: "Dora <dora@acme.example>".to_owned(),
            at: Some(time(-30)),
        });
        let of = leak.of.filter(|_| leak.known);
        let handle = of.map(|key| Handle::new("aws-access-key-id", &*self.keys[key].id));
        let kind = match leak.of {
            Some(_) => "aws.access-key",
            None => "generic.password",
        };
        Sighting {
            resource: leak.repository as u32,
            rule: kind.into(),
            kind: kind.into(),
            confidence: Confidence::High,
            severity: Severity::High,
            public: false,
            secret: leak.secret,
            details: Arc::new(Details {
                handle,
                ..Details::default()
            }),
            path: leak.path.clone(),
            position: Some(Position {
                line: leak.line,
                column: 3,
                end_line: leak.line,
                end_column: 40,
            }),
            blob: None,
            commit: Some(Arc::clone(&commit)),
            introduced: Some(vec![commit]),
            versions: 1,
            at_tip: Some(match leak.at_tip {
                true => vec!["refs/heads/main".to_owned()],
                false => Vec::new(),
            }),
            in_worktree: false,
            suppressed: None,
        }
    }

    /// What they are held against this night.
    pub(crate) fn ground(&self, day: i64) -> Ground {
        let row = |key: &AccessKey, prefix: &str| {
            format!(
                "{prefix}-{0},deploy {0},owner{0}@acme.example,boss@acme.example,{1},nightly deploy,2027-12-31\n",
                key.user, key.id
            )
        };
        let header = "Record ID,Name,Owner,Approver,Access key ID,Purpose,Expires\n";
        let mut parts = vec![(1, "register", String::from(header))];
        if day >= self.second_register {
            parts.push((2, "acquired", String::from(header)));
        }
        for (ix, key) in self
            .keys
            .iter()
            .enumerate()
            .filter(|(_, key)| key.registered)
        {
            // After the merger every third record comes from the other register.
            let to = if parts.len() == 2 && ix % 3 == 0 {
                1
            } else {
                0
            };
            let name = parts[to].1;
            parts[to].2.push_str(&row(key, &format!("{name}-{ix}")));
        }
        let inventories = parts.into_iter().map(|(precedence, name, text)| {
            let spec = InventorySpec {
                name: name.to_owned(),
                file_label: format!("{name}.csv"),
                format: None,
                encoding: None,
                delimiter: None,
                sheet: None,
                precedence,
                entity: None,
                map: InventoryMap::default(),
            };
            (
                precedence,
                read(&spec, text.as_bytes(), &NoSecrets).expect("a register"),
            )
        });
        let mut people = String::from("id,mail,status\nboss,boss@acme.example,active\n");
        for (user, left) in self.left.iter().enumerate() {
            let status = if *left { "left" } else { "active" };
            people.push_str(&format!("o{user},owner{user}@acme.example,{status}\n"));
        }
        Ground {
            policy: Policy::preset("cis").expect("shipped"),
            exceptions: Some(self.exceptions()),
            inventory: Some(Inventory::merge(inventories.collect())),
            people: Some(read_people("people.csv", people.as_bytes(), time(day)).expect("people")),
            context: Default::default(),
            catalogue: Default::default(),
            confirmations: Default::default(),
            kinds: BTreeMap::new(),
            now: time(day),
        }
    }

    pub(crate) fn exceptions_text(&self) -> String {
        let entry = |(id, until): (&String, &i64)| {
            format!(
                "[[exception]]\nid = '{id}'\nreason = 'accepted_risk'\napprover = 'cso@acme.example'\napproved_at = {}\nexpires_at = {}\nticket = 'RISK-1'\n",
                time(*until - 20).strftime("%Y-%m-%d"),
                time(*until).strftime("%Y-%m-%d")
            )
        };
        self.accepted.iter().map(entry).collect()
    }

    fn exceptions(&self) -> Exceptions {
        Exceptions::from_toml(&self.exceptions_text(), "exceptions.toml").expect("well formed")
    }

    /// The thing in the world that a subject stands for; `None` for what this company does not
    /// keep track of.
    pub(crate) fn thing(&self, subject: &str) -> Option<String> {
        if let Some(id) = subject.strip_prefix("aws-access-key-id:") {
            return Some(id.to_owned());
        }
        let secret = SecretId::from_hex(subject.strip_prefix("secret:")?)?;
        let leak = self.leaks.iter().find(|leak| leak.secret == secret)?;
        Some(match leak.of {
            Some(key) => self.keys[key].id.clone(),
            None => subject.to_owned(),
        })
    }

    /// Whether what a check complains about is really so today; `None` where this company has no
    /// opinion.
    pub(crate) fn is_so(&self, check: &str, thing: &str, day: i64) -> Option<bool> {
        let key = self.keys.iter().find(|key| key.id == thing);
        let works = key.map(|key| key.active && !key.deleted);
        match (check, key) {
            // A key that is switched off can be switched on again: it belongs into the register.
            ("INV-01", Some(key)) => {
                let ix = self.keys.iter().position(|one| one.id == key.id);
                let leaked = self.leaks.iter().any(|leak| leak.of == ix);
                Some((!key.deleted || leaked) && !key.registered)
            }
            ("LIF-06", Some(key)) => Some(works? && day - key.used > 45),
            // What lies open must be changed at once, whatever its age.
            ("LIF-03", Some(key)) => {
                let ix = self.keys.iter().position(|one| one.id == key.id);
                let leaked = self.leaks.iter().any(|leak| leak.of == ix);
                Some(works? && (day - key.made > 90 || leaked))
            }
            // Nobody here rewrites a history: what was committed stays committed.
            ("EXP-01", Some(_)) => Some(true),
            ("EXP-03", Some(_)) => works,
            // Nobody can say that a password without issuer was changed.
            ("EXP-01" | "EXP-03", None) => Some(true),
            ("OWN-02", Some(key)) => Some(works? && key.registered && self.left[key.user]),
            _ => None,
        }
    }
}
