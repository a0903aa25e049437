//! Nights: runs one after another, with what happened in between.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use keymuster_api::{Known, Severity, Status};

use super::{Changes, DOCUMENTS, Kept, Ledger, LedgerError, RunFacts};
use crate::{
    audit::{
        CheckCx, Exceptions, Finding, Judged, State,
        checks::testing::{ACCOUNT, World, ago, now, seal},
        find, run_some,
    },
    inventory::Tier,
};

/// One night: judges a world by one check, and settles it.
fn night(ledger: &mut Ledger, world: &World, check: &str, day: i64) -> (Judged, Changes) {
    let now = now() + SignedDuration::from_hours(24 * day);
    let exposed: BTreeMap<String, Timestamp> = ledger.first_exposed().expect("readable");
    let cx = CheckCx {
        now,
        first_exposed: &exposed,
        ..world.cx()
    };
    let mut judged = run_some(&cx, &seal, &[find(check).expect("a check")]);
    let changes = ledger
        .settle(&facts(day), &cx, &mut judged, None, |_, _| keep(None))
        .expect("settles");
    (judged, changes)
}

fn keep(document: Option<String>) -> Result<Kept, LedgerError> {
    Ok(Kept {
        document,
        documents: DOCUMENTS,
        ..Kept::default()
    })
}

fn facts(day: i64) -> RunFacts {
    let now = now() + SignedDuration::from_hours(24 * day);
    RunFacts {
        id: format!("run-{day}"),
        at: now,
        now,
        tool: "keymuster test".to_owned(),
        complete: true,
        key_id: "key-1".to_owned(),
    }
}

fn only(judged: &Judged) -> &Finding {
    assert_eq!(judged.findings.len(), 1, "{:#?}", judged.findings);
    &judged.findings[0]
}

/// A world with one dormant key in an account that was seen completely.
fn dormant() -> (World, u32) {
    let mut world = World::new();
    world.covered(&format!("aws:{ACCOUNT}"));
    let key = world.key("deploy");
    world.credential(key).last_used = Known::Known(ago(50));
    (world, key)
}

#[test]
fn new_open_fixed_regressed_open() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let (mut world, key) = dormant();
    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 0);
    let id = only(&judged).id.clone();
    assert_eq!(only(&judged).state, State::New);
    assert_eq!(changes.new, std::slice::from_ref(&id));

    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 1);
    assert_eq!(only(&judged).state, State::Open);
    assert_eq!(only(&judged).first_seen, now());
    assert_eq!(changes, Changes::default());

    world.credential(key).last_used = Known::Known(now());
    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 2);
    assert_eq!(only(&judged).state, State::Fixed);
    assert_eq!(
        only(&judged).evidence.last().expect("why").value,
        "the check passes"
    );
    assert_eq!(changes.fixed, std::slice::from_ref(&id));

    // Mended once is told once.
    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 3);
    assert_eq!((judged.findings.len(), changes), (0, Changes::default()));

    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 60);
    assert_eq!(only(&judged).state, State::Regressed);
    assert_eq!((&only(&judged).id, only(&judged).first_seen), (&id, now()));
    assert_eq!(changes.regressed, [id]);
    // Medium: 30 days, counted from its return.
    assert_eq!(only(&judged).due, Some(facts(90).now));
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 61);
    assert_eq!(only(&judged).state, State::Open);
}

#[test]
fn a_gone_key_is_fixed_only_where_its_account_was_seen() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let (world, _) = dormant();
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 0);
    let id = only(&judged).id.clone();

    // The connector failed: nothing is known of the key.
    let (judged, changes) = night(&mut ledger, &World::new(), "LIF-06", 1);
    assert_eq!(only(&judged).state, State::NotEvaluated);
    assert_eq!(changes.not_evaluated, std::slice::from_ref(&id));
    let mut partial = World::new();
    partial.covered(&format!("aws:{ACCOUNT}")).complete = false;
    let (judged, changes) = night(&mut ledger, &partial, "LIF-06", 2);
    assert_eq!(only(&judged).state, State::NotEvaluated);
    assert_eq!(changes, Changes::default());

    // Back: open, not new, not regressed; and the days nobody looked do not count.
    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 3);
    assert_eq!(only(&judged).state, State::Open);
    assert_eq!(only(&judged).due, Some(facts(32).now));
    assert_eq!(changes, Changes::default());

    let mut complete = World::new();
    complete.covered(&format!("aws:{ACCOUNT}"));
    let (judged, changes) = night(&mut ledger, &complete, "LIF-06", 4);
    assert_eq!(only(&judged).state, State::Fixed);
    assert_eq!(changes.fixed, [id]);
}

#[test]
fn lost_telemetry_is_not_mended() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let (mut world, key) = dormant();
    night(&mut ledger, &world, "LIF-06", 0);
    world.credential(key).last_used = Known::Denied;
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 1);
    assert_eq!(only(&judged).state, State::NotEvaluated);
    assert!(matches!(
        only(&judged).subject,
        crate::audit::Subject::Credential(0)
    ));
    world.credential(key).status = Status::Disabled;
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 2);
    assert_eq!(only(&judged).state, State::Fixed);
}

#[test]
fn a_leak_that_left_the_tip_is_not_mended() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut world = World::new();
    world.covered("git:web");
    let secret = world.secret("github.pat");
    world.seen(secret, "web", "a.sh");
    night(&mut ledger, &world, "EXP-01", 0);
    let mut clean = World::new();
    clean.covered("git:web");
    clean.repository("web");
    let (judged, changes) = night(&mut ledger, &clean, "EXP-01", 1);
    assert_eq!(only(&judged).state, State::NotEvaluated);
    assert!(changes.fixed.is_empty());
    assert!(
        only(&judged)
            .evidence
            .last()
            .expect("why")
            .value
            .contains("not proven")
    );
}

#[test]
fn a_leaked_key_that_is_revoked_and_purged_is_mended() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut world = World::new();
    let key = world.key("deploy");
    world.seen(key, "web", "a.sh");
    night(&mut ledger, &world, "EXP-01", 0);
    // Purged, but alive: still a leak.
    world.credential(key).sightings.clear();
    let (judged, _) = night(&mut ledger, &world, "EXP-01", 1);
    assert_eq!(only(&judged).state, State::NotEvaluated);
    world.credential(key).status = Status::Disabled;
    let (judged, changes) = night(&mut ledger, &world, "EXP-01", 2);
    assert_eq!(only(&judged).state, State::Fixed);
    assert_eq!(changes.fixed.len(), 1);
}

#[test]
fn an_exposed_key_that_left_its_account_is_mended() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut world = World::new();
    world.covered(&format!("aws:{ACCOUNT}"));
    let key = world.key("deploy");
    world.seen(key, "web", "a.sh");
    night(&mut ledger, &world, "EXP-03", 0);
    // The account was listed completely, and the key is only known from the source now.
    world.credential(key).listed = false;
    world.credential(key).status = Status::Unknown;
    let (judged, _) = night(&mut ledger, &world, "EXP-03", 1);
    assert_eq!(only(&judged).state, State::Fixed);
}

#[test]
fn a_better_subject_keeps_the_published_id() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut world = World::new();
    let secret = world.secret("aws.access-key");
    world.seen(secret, "web", "a.sh");
    let (judged, _) = night(&mut ledger, &world, "EXP-01", 0);
    let id = only(&judged).id.clone();
    let old = world.estate.credentials[0].subject;
    let better = world.estate.texts.intern("aws-access-key-id:better");
    world.credential(secret).subject = better;
    world.credential(secret).aliases = vec![old];
    for day in [1, 2] {
        let (judged, changes) = night(&mut ledger, &world, "EXP-01", day);
        assert_eq!(only(&judged).id, id);
        assert_eq!(only(&judged).state, State::Open);
        assert_eq!(only(&judged).subject_key, "aws-access-key-id:better");
        assert_eq!(changes, Changes::default());
    }
    let computed = crate::audit::finding_id(&seal, "EXP-01", "aws-access-key-id:better");
    assert_ne!(computed, id);
    assert_eq!(
        ledger.published(&computed).expect("readable"),
        Some(id.clone())
    );
    assert_eq!(ledger.published(&id).expect("readable"), Some(id));
}

#[test]
fn two_subjects_that_turn_out_to_be_one_keep_the_older_id() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut world = World::new();
    let first = world.secret("github.pat");
    world.seen(first, "web", "a.sh");
    let (judged, _) = night(&mut ledger, &world, "EXP-01", 0);
    let id = only(&judged).id.clone();
    let second = world.secret("github.pat");
    world.seen(second, "web", "b.sh");
    night(&mut ledger, &world, "EXP-01", 1);
    let old = world.estate.credentials[first as usize].subject;
    world.credential(second).aliases = vec![old];
    world.credential(first).sightings.clear();
    let gone = world.estate.texts.intern("gone");
    world.credential(first).subject = gone;
    let (judged, changes) = night(&mut ledger, &world, "EXP-01", 2);
    assert_eq!(only(&judged).id, id);
    assert_eq!(changes, Changes::default());
}

#[test]
fn worse_is_told_and_due_dates_follow_the_severity() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let (mut world, key) = dormant();
    world.registered(key);
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 0);
    assert_eq!(only(&judged).due, Some(facts(30).now));
    world.inventory.as_mut().expect("given").records[0].tier = Some(Tier::T0);
    let (judged, changes) = night(&mut ledger, &world, "LIF-06", 8);
    assert_eq!(only(&judged).severity, Severity::High);
    assert_eq!(changes.worsened.len(), 1);
    assert_eq!(only(&judged).due, Some(facts(7).now));
    assert!(only(&judged).sla_breached);
}

#[test]
fn exceptions_hold_while_they_last() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let (world, _) = dormant();
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 0);
    let text = format!(
        "[[exception]]\nid = '{}'\nreason = 'planned_fix'\napprover = 'boss'\napproved_at = 2026-06-01\nexpires_at = 2026-06-02\nticket = 'SEC-2'\n",
        only(&judged).id
    );
    let exceptions = Exceptions::from_toml(&text, "e.toml").expect("well formed");
    for (day, state, notes) in [(1, State::Accepted, 0), (2, State::Open, 1)] {
        let cx = CheckCx {
            now: facts(day).now,
            ..world.cx()
        };
        let mut judged = run_some(&cx, &seal, &[find("LIF-06").expect("a check")]);
        let changes = ledger
            .settle(&facts(day), &cx, &mut judged, Some(&exceptions), |_, _| {
                keep(None)
            })
            .expect("settles");
        assert_eq!(only(&judged).state, state);
        assert_eq!(changes.notes.len(), notes);
    }
}

#[test]
fn the_first_exposure_is_remembered() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut world = World::new();
    let key = world.key("deploy");
    world.seen(key, "tree", "a.py").introduced = None;
    // A tree has no history: the first run is the first that anybody knows.
    let (judged, _) = night(&mut ledger, &world, "EXP-01", 0);
    assert_eq!(judged.findings.len(), 1);
    let (judged, _) = night(&mut ledger, &world, "EXP-03", 1);
    assert!(
        judged
            .findings
            .iter()
            .all(|finding| finding.check.id != "EXP-03")
    );
    let (judged, _) = night(&mut ledger, &world, "EXP-03", 2);
    assert!(
        judged
            .findings
            .iter()
            .any(|finding| finding.check.id == "EXP-03")
    );
    let exposed = ledger.first_exposed().expect("readable");
    assert_eq!(exposed.values().copied().collect::<Vec<_>>(), [now()]);
}

#[test]
fn a_crash_leaves_the_run_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let (world, _) = dormant();
    let mut ledger = Ledger::open(&path).expect("opens");
    night(&mut ledger, &world, "LIF-06", 0);
    let cx = CheckCx {
        now: facts(1).now,
        ..world.cx()
    };
    let mut judged = run_some(&cx, &seal, &[find("LIF-06").expect("a check")]);
    let transaction = ledger.connection.transaction().expect("begins");
    super::settle::settle_for_tests(&transaction, &facts(1), &cx, &mut judged);
    drop(transaction);
    drop(ledger);
    let mut ledger = Ledger::open(&path).expect("opens again");
    let runs = ledger.runs().expect("readable");
    assert_eq!(
        runs.iter()
            .map(|run| run.facts.id.as_str())
            .collect::<Vec<_>>(),
        ["run-0"]
    );
    let (judged, _) = night(&mut ledger, &world, "LIF-06", 2);
    assert_eq!(
        (only(&judged).state, only(&judged).first_seen),
        (State::Open, now())
    );
}

#[test]
fn two_runs_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let run = |day: i64, path: &std::path::Path| {
        let (world, _) = dormant();
        let mut ledger = Ledger::open(path).expect("opens");
        for round in 0..5 {
            night(&mut ledger, &world, "LIF-06", day + round * 2);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(0, &path));
        scope.spawn(|| run(1, &path));
    });
    let ledger = Ledger::open(&path).expect("opens");
    assert_eq!(ledger.runs().expect("readable").len(), 10);
}

#[test]
fn documents_are_kept_for_a_while() {
    let mut ledger = Ledger::ephemeral().expect("opens");
    assert_eq!(ledger.document(None).expect("readable"), None);
    let (world, _) = dormant();
    for day in 0..32 {
        let json = format!("{{\"run\":{day}}}");
        let cx = world.cx();
        let mut judged = run_some(&cx, &seal, &[find("LIF-06").expect("a check")]);
        let kept = ledger.settle(&facts(day), &cx, &mut judged, None, |_, _| keep(Some(json)));
        kept.expect("settles");
    }
    assert_eq!(
        ledger.document(None).expect("readable").as_deref(),
        Some("{\"run\":31}")
    );
    assert_eq!(
        ledger.document(Some("run-2")).expect("readable").as_deref(),
        Some("{\"run\":2}")
    );
    assert_eq!(ledger.document(Some("run-1")).expect("readable"), None);
}

#[test]
fn a_newer_or_foreign_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let ledger = Ledger::open(&path).expect("opens");
    ledger
        .connection
        .pragma_update(None, "user_version", 99)
        .expect("set");
    drop(ledger);
    let error = Ledger::open(&path).err().expect("refused");
    assert!(
        matches!(error, LedgerError::Newer { found: 99, .. }),
        "{error}"
    );

    let other = folder.path().join("other.sqlite");
    let connection = rusqlite::Connection::open(&other).expect("opens");
    connection
        .execute_batch("create table a (b)")
        .expect("made");
    drop(connection);
    assert!(matches!(
        Ledger::open(&other),
        Err(LedgerError::Foreign { .. })
    ));

    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "this is no database, and it is long enough to be told",
    )
    .expect("written");
    assert!(matches!(Ledger::open(&text), Err(LedgerError::Open { .. })));
    assert!(matches!(
        Ledger::open(&folder.path().join("no/such/folder")),
        Err(LedgerError::Open { .. })
    ));
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    Ledger::open(&path).expect("opens");
    let mode = std::fs::metadata(&path)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
