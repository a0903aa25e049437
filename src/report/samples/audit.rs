//! The sample's audit: three credentials, two records, seven findings.

use std::collections::BTreeMap;

use keymuster_api::{
    About, Claim, ClaimRole, Coverage, Event, EventKind, IdentityKind, Key, Known, Reference,
    SecretId, Severity, Slot, Status,
};

use super::{HOSTILE, at, gaps, kinds, resources, sightings, source};
use crate::{
    audit::{CheckAbout, Evidence, Finding, Input, Population, ScoreTerm, State, Subject},
    estate::{Credential, Estate, Gathered, Identity},
    inventory::{Inventory, Match, MatchKey, Matches, Record, RecordSource},
    report::{Document, DocumentInput, RunFacts, Timings},
};

pub(in crate::report) static DORMANT: CheckAbout = CheckAbout {
    id: "LIF-06",
    slug: "dormant",
    title: "Dormant or never used",
    why: "What nobody uses, nobody misses when somebody else does.",
    decided: "The last use lies more than 45 days back.",
    remedy: "Disable it, wait, delete it.",
    needs: &[Input::Discovered, Input::Usage],
};

pub(in crate::report) static UNREGISTERED: CheckAbout = CheckAbout {
    id: "INV-01",
    slug: "unregistered",
    title: "Unregistered credential",
    why: "Nobody answers for what nobody recorded.",
    decided: "No record matches it with 0.80 or more.",
    remedy: "Register it, or revoke it.",
    needs: &[Input::Discovered, Input::Inventory],
};

static EXPOSED: CheckAbout = CheckAbout {
    id: "EXP-01",
    slug: "exposed",
    title: "Secret in source",
    why: "Whoever can read the repository can act with it.",
    decided: "A rule found it in a tree or a history.",
    remedy: "Revoke it, then remove it.",
    needs: &[Input::Locations],
};

static GHOST: CheckAbout = CheckAbout {
    id: "INV-02",
    slug: "ghost",
    title: "Ghost record",
    why: "A register that lists what is gone is not believed about what is there.",
    decided: "The scope was seen completely, and it is not there.",
    remedy: "Retire the record, with proof.",
    needs: &[Input::Inventory, Input::Coverage],
};

static COVERAGE: CheckAbout = CheckAbout {
    id: "COV-01",
    slug: "coverage",
    title: "Coverage gap",
    why: "Clean must not mean unseen.",
    decided: "A connector could not see everything.",
    remedy: "Grant what is missing.",
    needs: &[Input::Coverage],
};

fn credential(estate: &mut Estate, subject: &str, kind: &str) -> Credential {
    let texts = &mut estate.texts;
    Credential {
        subject: texts.intern(subject),
        aliases: vec![],
        kind: texts.intern(kind),
        provider: texts.intern("aws"),
        account: Some(texts.intern("123456789012")),
        name: None,
        handle: None,
        secret: None,
        identity: None,
        status: Status::Active,
        listed: true,
        created: Known::Known(at("2024-02-01T00:00:00Z")),
        rotated: Known::Unsupported,
        last_used: Known::Never,
        last_used_for: None,
        expires: Known::Never,
        sightings: vec![],
        claims: vec![],
        sources: vec![source("aws/report.csv:3")],
    }
}

fn estate() -> Estate {
    let mut estate = Estate {
        gathered: Gathered {
            systems: vec![About {
                kind: "aws-iam",
                label: "aws-iam aws/*.json".to_owned(),
                network: false,
            }],
            resources: resources(),
            sightings: sightings(),
            ..Gathered::default()
        },
        ..Estate::default()
    };
    let user = "arn:aws:iam::123456789012:user/ci-deploy";
    let texts = &mut estate.texts;
    let identity = Identity {
        key: texts.intern(user),
        kind: IdentityKind::User,
        name: texts.intern("ci-deploy"),
        provider: texts.intern("aws"),
        account: None,
        status: Status::Active,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: Known::Unknown,
        tags: vec![],
        credentials: vec![0],
        claims: vec![],
        sources: vec![],
    };
    estate.identities.push(identity);

    // Exposed, in nobody's register, claimed by two sources.
    let exposed = credential(
        &mut estate,
        "aws-access-key-id:AKIAEXAMPLE1",
        "aws.access-key",
    );
    let exposed = Credential {
        handle: Some((
            estate.texts.intern("aws-access-key-id"),
            estate.texts.intern("AKIAEXAMPLE1"),
        )),
        aliases: vec![
            estate
                .texts
                .intern("secret:01010101010101010101010101010101"),
        ],
        secret: Some(SecretId([1; 16])),
        identity: Some(0),
        last_used: Known::Known(at("2026-11-01T12:00:00Z")),
        last_used_for: Some(estate.texts.intern("s3, eu-west-1")),
        sightings: (1..=9).collect(),
        claims: vec![0, 1],
        ..exposed
    };
    // Registered, and everything is answered.
    let registered = credential(
        &mut estate,
        "aws-access-key-id:AKIAEXAMPLE2",
        "aws.access-key",
    );
    let registered = Credential {
        handle: Some((
            estate.texts.intern("aws-access-key-id"),
            estate.texts.intern("AKIAEXAMPLE2"),
        )),
        ..registered
    };
    // Only seen, with hostile words around it.
    let seen = credential(
        &mut estate,
        "secret:03030303030303030303030303030303",
        "generic.password",
    );
    let seen = Credential {
        name: Some(estate.texts.intern(HOSTILE)),
        account: None,
        provider: estate.texts.intern(""),
        secret: Some(SecretId([3; 16])),
        status: Status::Unknown,
        listed: false,
        created: Known::Unknown,
        rotated: Known::Unknown,
        last_used: Known::Unknown,
        expires: Known::Denied,
        sightings: vec![0],
        sources: vec![],
        ..seen
    };
    estate.credentials = vec![exposed, registered, seen];

    let claim = |party: &str, confidence, locator: &str| Claim {
        subject: Key::from(user),
        party: party.to_owned(),
        role: ClaimRole::Owner,
        observed: None,
        confidence,
        source: source(locator),
    };
    let gathered = &mut estate.gathered;
    gathered.claims = vec![
        claim("platform", 60, "CODEOWNERS:3"),
        claim("team-payments", 90, "aws/tags.json"),
    ];
    gathered.slots = vec![Slot {
        key: Key::from("github:acme/payments-api:actions:AWS_KEY"),
        name: "AWS_KEY".to_owned(),
        scope: "acme/payments-api".to_owned(),
        store: "actions".to_owned(),
        secret: Some(SecretId([1; 16])),
        created: Known::Unknown,
        updated: Known::Unknown,
        properties: vec![],
        source: source("GET /repos/acme/payments-api/actions/secrets"),
    }];
    gathered.references = vec![Reference {
        by: Key::from("job deploy of .github/workflows/release.yml"),
        to: Key::from("github:acme/payments-api:actions:AWS_KEY"),
        source: source(".github/workflows/release.yml:31"),
    }];
    gathered.events = vec![Event {
        subject: Key::from("aws-access-key-id:AKIAEXAMPLE1"),
        kind: EventKind::Used,
        at: at("2026-11-01T12:00:00Z"),
        by: Some("203.0.113.7".to_owned()),
        source: source("cloudtrail/11.json:9"),
    }];
    gathered.coverage = vec![
        Coverage {
            scope: "aws:123456789012".to_owned(),
            what: "access keys".to_owned(),
            expected: Some(3),
            received: 2,
            bytes: 0,
            complete: false,
            source: source("aws/report.csv"),
        },
        Coverage {
            scope: "git:payments-api".to_owned(),
            what: "blobs".to_owned(),
            expected: None,
            received: 58_112,
            bytes: 1_400_000_000,
            complete: true,
            source: source("../repos/payments-api"),
        },
    ];
    gathered.gaps = gaps(2);
    estate
}

fn record(id: &str, row: u64) -> Record {
    Record {
        id: id.to_owned(),
        source: RecordSource {
            inventory: "register".to_owned(),
            file: "register.xlsx".to_owned(),
            row,
        },
        owner: Some("team-data".to_owned()),
        approver: Some("Cara Diaz".to_owned()),
        approved_at: Some(at("2026-01-15T00:00:00Z")),
        approval_ref: Some("CHG-12".to_owned()),
        purpose: Some("nightly export to the warehouse".to_owned()),
        expires_at: Some(at("2027-06-30T23:59:59Z")),
        ..Record::default()
    }
}

fn finding(id: &str, check: &'static CheckAbout, severity: Severity, subject: Subject) -> Finding {
    Finding {
        id: id.to_owned(),
        check,
        title: check.title.to_owned(),
        severity,
        score: 60,
        score_terms: vec![
            ScoreTerm {
                name: "base",
                points: 50,
            },
            ScoreTerm {
                name: "exposure",
                points: 10,
            },
        ],
        state: State::New,
        first_seen: at("2026-11-20T00:00:00Z"),
        last_seen: at("2026-11-24T00:00:00Z"),
        due: Some(at("2026-11-27T00:00:00Z")),
        sla_breached: false,
        subject,
        subject_key: "aws-access-key-id:AKIAEXAMPLE1".to_owned(),
        credential_type: "aws.access-key".to_owned(),
        credential: "AKIAEXAMPLE1".to_owned(),
        provider: "aws".to_owned(),
        account: "123456789012".to_owned(),
        environment: "prod".to_owned(),
        locations: vec![
            "payments-api:src/config.py:12".to_owned(),
            "aws:123456789012".to_owned(),
        ],
        owner: "team-payments".to_owned(),
        owner_source: "aws/tags.json".to_owned(),
        route_to: "ann@acme.example".to_owned(),
        route_reason: "leads team-payments".to_owned(),
        approver: String::new(),
        purpose: String::new(),
        expires: "never".to_owned(),
        revocation_path: "IAM console".to_owned(),
        record_id: String::new(),
        evidence: vec![Evidence {
            label: "nearest record".to_owned(),
            value: "REC-2, 0.41".to_owned(),
            source: "register.xlsx:3".to_owned(),
        }],
        remediation:
            "Register it with an owner, or deactivate it in IAM, watch for a day, and delete it"
                .to_owned(),
        frameworks: vec!["CIS 5.5".to_owned(), "NIST CSF 2.0 PR.AA-05".to_owned()],
    }
}

fn findings() -> Vec<Finding> {
    let mut all = vec![finding(
        "KM-AAAAAAAAAAAAAAAA",
        &DORMANT,
        Severity::Medium,
        Subject::Credential(0),
    )];
    all.push(Finding {
        title: "An active access key stands in payments-api, in 9 places, and in the history of its main branch since March 2024".to_owned(),
        sla_breached: true,
        state: State::Regressed,
        score: 95,
        ..finding("KM-BBBBBBBBBBBBBBBB", &EXPOSED, Severity::Critical, Subject::Credential(0))
    });
    all.push(finding(
        "KM-CCCCCCCCCCCCCCCC",
        &UNREGISTERED,
        Severity::High,
        Subject::Credential(0),
    ));
    all.push(Finding {
        title: HOSTILE.to_owned(),
        subject_key: "secret:03030303030303030303030303030303".to_owned(),
        credential_type: "generic.password".to_owned(),
        credential: HOSTILE.to_owned(),
        provider: String::new(),
        account: String::new(),
        environment: String::new(),
        locations: vec![HOSTILE.to_owned()],
        owner: String::new(),
        owner_source: String::new(),
        route_to: HOSTILE.to_owned(),
        expires: String::new(),
        due: None,
        remediation: HOSTILE.to_owned(),
        ..finding(
            "KM-DDDDDDDDDDDDDDDD",
            &EXPOSED,
            Severity::Low,
            Subject::Credential(2),
        )
    });
    all.push(Finding {
        subject_key: "record:REC-3".to_owned(),
        credential_type: "api key".to_owned(),
        credential: "old-billing-key".to_owned(),
        record_id: "REC-3".to_owned(),
        owner: "team-data".to_owned(),
        approver: "Cara Diaz".to_owned(),
        purpose: "billing".to_owned(),
        locations: vec![],
        ..finding(
            "KM-EEEEEEEEEEEEEEEE",
            &GHOST,
            Severity::Low,
            Subject::Record(1),
        )
    });
    all.push(Finding {
        subject_key: "aws:123456789012".to_owned(),
        credential: "aws:123456789012".to_owned(),
        ..finding(
            "KM-FFFFFFFFFFFFFFFF",
            &COVERAGE,
            Severity::Medium,
            Subject::Scope("aws:123456789012".to_owned()),
        )
    });
    all.push(Finding {
        subject_key: "aws-access-key-id:AKIAEXAMPLE2".to_owned(),
        credential: "AKIAEXAMPLE2".to_owned(),
        state: State::Accepted,
        ..finding(
            "KM-GGGGGGGGGGGGGGGG",
            &DORMANT,
            Severity::Medium,
            Subject::Credential(1),
        )
    });
    all
}

/// The sample's document.
pub(in crate::report) fn document() -> Document {
    let inventory = Inventory {
        records: vec![record("REC-2", 3), record("REC-3", 4)],
        ..Inventory::default()
    };
    let matches = Matches {
        accepted: vec![
            None,
            Some(Match {
                credential: 1,
                record: 0,
                key: MatchKey::NativeId,
                confidence: 0.99,
                because: "access_key_id AKIAEXAMPLE2".to_owned(),
            }),
            None,
        ],
        also: vec![vec![]; 3],
        to_confirm: vec![vec![]; 3],
        nearest: vec![vec![]; 3],
        of_record: vec![vec![1], vec![]],
    };
    Document::build(&DocumentInput {
        run: &RunFacts {
            id: "2026-11-24-1".to_owned(),
            estate: "acme".to_owned(),
            now: at("2026-11-24T06:00:00Z"),
            key_id: Some("k1".to_owned()),
            ephemeral: false,
            tool_version: "0.1.0".to_owned(),
            facts: BTreeMap::from([("preset".to_owned(), "cis".to_owned())]),
        },
        estate: &estate(),
        inventory: Some(&inventory),
        matches: &matches,
        findings: &findings(),
        populations: &[Population {
            check: "LIF-06".to_owned(),
            evaluated: 2,
            passed: 0,
            failed: 2,
            not_evaluated: vec![("Usage".to_owned(), 1)],
        }],
        kinds: &kinds(),
        timings: &Timings {
            started: Some("2026-11-24T06:00:01Z".to_owned()),
            milliseconds: BTreeMap::from([("sweep".to_owned(), 1200)]),
        },
    })
}
