//! A chain of runs that is tampered with, and derived again.

use std::{collections::BTreeMap, fs};

use sha2::{Digest as _, Sha256};

use super::{
    Before, Bundle, BundleInput, EvidenceError, InputText, Loaded, RunRecord, Settings, Signer,
    balance, folders, hex, load, public_key, publish, recover, replay, store, verify,
    verify::{one, verify_each},
    write_facts,
};
use crate::{
    judgement::{Case, Earlier, judge},
    ledger::{self, Kept, Ledger},
    report::{
        Document, DocumentInput, RunFacts, Timings,
        trackers::tests::company::{Company, Dice, time},
    },
};

fn seal(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// One run of a company, with its evidence.
fn run(ledger: &mut Ledger, company: &Company, day: i64, before: Option<Before>) -> Bundle {
    let ground = company.ground(day);
    let gathered = company.gathered();
    let facts = write_facts(&gathered, &ground);
    let copy = ledger.copied().expect("readable");
    let case = Case::new(gathered, &ground);
    let earlier = Earlier {
        first_exposed: ledger.first_exposed().expect("readable"),
        history: ledger.history().expect("readable"),
    };
    let cx = case.cx(&ground, &earlier);
    let mut judged = judge(&cx, &seal).expect("an audit");
    let facts_of_run = ledger::RunFacts {
        id: format!("night-{day}"),
        at: time(day),
        now: time(day),
        tool: "test".to_owned(),
        complete: true,
        key_id: "k1".to_owned(),
    };
    let mut bundle = None;
    let keep = |judged: &mut crate::audit::Judged, changes: &ledger::Changes| {
        let told = RunFacts {
            id: facts_of_run.id.clone(),
            estate: "acme".to_owned(),
            now: time(day),
            key_id: Some("k1".to_owned()),
            ephemeral: false,
            tool_version: "test".to_owned(),
            facts: BTreeMap::from([("fail-on".to_owned(), "high".to_owned())]),
        };
        let document = Document::build(&DocumentInput {
            run: &told,
            estate: &case.estate,
            inventory: ground.inventory.as_ref(),
            matches: &case.matches,
            findings: &judged.findings,
            populations: &judged.population,
            kinds: &ground.kinds,
            timings: &Timings::default(),
        });
        assert_eq!(balance(&document), [""; 0]);
        let record = RunRecord {
            schema: 1,
            id: told.id.clone(),
            estate: told.estate.clone(),
            now: told.now.to_string(),
            clock: "--now".to_owned(),
            key_id: "k1".to_owned(),
            tool: told.tool_version.clone(),
            program_sha256: None,
            facts: told.facts.clone(),
            settings: Settings {
                preset: "cis".to_owned(),
                policy: None,
                exceptions: Some(InputText {
                    name: "exceptions.toml".to_owned(),
                    text: company.exceptions_text(),
                }),
                has_inventory: true,
                has_people: true,
            },
            inputs: Vec::new(),
            before: before.clone(),
        };
        bundle = Some(Bundle::new(BundleInput {
            run: &record,
            facts: facts.clone(),
            before: &copy,
            document: &document,
            notes: &changes.notes,
        }));
        Ok::<_, EvidenceError>(Kept::default())
    };
    let exceptions = ground.exceptions.as_ref();
    ledger
        .settle(&facts_of_run, &cx, &mut judged, exceptions, keep)
        .expect("settles");
    ledger
        .remember(&earlier.history, &crate::audit::to_remember(&cx))
        .expect("settles");
    bundle.expect("made")
}

fn signer(number: u8) -> Signer {
    Signer::new(&[number; 32])
}

/// Nights of one company, signed and chained.
fn chain(nights: i64) -> Vec<Bundle> {
    chain_of(Company::new(11), nights)
}

fn chain_of(mut company: Company, nights: i64) -> Vec<Bundle> {
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut bundles: Vec<Bundle> = Vec::new();
    for day in 0..nights {
        company.live(day);
        let before = bundles.last().map(|bundle| Before {
            run: bundle.run.clone(),
            root: hex(&bundle.root()),
        });
        let mut bundle = run(&mut ledger, &company, day, before);
        signer(1).sign(&mut bundle).expect("signs");
        bundles.push(bundle);
        if day == 1 {
            let id = ledger.standing().expect("readable")[0].finding.id.clone();
            company.accepted.insert(id, 9);
        }
    }
    bundles
}

fn loaded(bundles: &[Bundle]) -> Vec<Loaded> {
    bundles.iter().cloned().map(Ok).collect()
}

fn problems(bundles: &[Bundle], root: Option<&str>) -> Vec<String> {
    let key = signer(1).public();
    verify(&loaded(bundles), Some(&key), root, None).problems
}

/// One way of tampering with a chain; `None` where the dice gave nothing to tamper with.
fn tamper(bundles: &mut Vec<Bundle>, dice: &mut Dice) -> Option<&'static str> {
    let ix = dice.below(bundles.len());
    let names: Vec<String> = bundles[ix].files.keys().cloned().collect();
    let name = names[dice.below(names.len())].clone();
    match dice.below(10) {
        0..=3 => {
            let bytes = bundles[ix].files.get_mut(&name)?;
            let at = (!bytes.is_empty()).then(|| dice.below(bytes.len()))?;
            bytes[at] ^= 1 << dice.below(8);
            Some("a bit of a file")
        }
        4 => {
            let bytes = bundles[ix].files.get_mut(&name)?;
            let at = (!bytes.is_empty()).then(|| dice.below(bytes.len()))?;
            match dice.one_in(2) {
                true => drop(bytes.remove(at)),
                false => bytes.insert(at, b' '),
            }
            Some("a byte more or less")
        }
        5 => {
            // A line is dropped, or two change places.
            let bytes = bundles[ix].files.get_mut(&name)?;
            let mut lines: Vec<Vec<u8>> =
                bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let at = (lines.len() > 2).then(|| dice.below(lines.len() - 2))?;
            match dice.one_in(2) {
                true => drop(lines.remove(at)),
                false if lines[at] != lines[at + 1] => lines.swap(at, at + 1),
                false => return None,
            }
            *bytes = lines.join(&b'\n');
            Some("lines of a file")
        }
        6 => {
            bundles[ix].files.remove(&name);
            Some("a file is dropped")
        }
        7 => {
            // Two runs change their names, or a run takes another one's file.
            let other = (ix + 1) % bundles.len();
            match dice.one_in(2) {
                true => {
                    let run = bundles[ix].run.clone();
                    bundles[ix].run = bundles[other].run.clone();
                    bundles[other].run = run;
                }
                false => {
                    let file = bundles[other].files.get(&name)?.clone();
                    if bundles[ix].files[&name] == file {
                        return None;
                    }
                    bundles[ix].files.insert(name, file);
                }
            }
            Some("runs are swapped")
        }
        8 => {
            bundles.remove(ix);
            Some("a run is dropped")
        }
        _ => {
            // A forger rewrites a finding, and signs all anew with a key of their own.
            let bytes = bundles[ix].files.get_mut("findings.jsonl")?;
            let text = String::from_utf8(bytes.clone()).expect("UTF-8");
            *bytes = text.replacen("\"high\"", "\"low\"", 1).into_bytes();
            for bundle in bundles.iter_mut() {
                signer(2).sign(bundle).expect("signs");
            }
            Some("a forgery")
        }
    }
}

/// All of it is noticed, against the key and the root of the newest run.
#[test]
fn forgeries_are_noticed() {
    let sound = chain_of(Company::small(11), 3);
    let root = hex(&sound[2].root());
    assert_eq!(problems(&sound, Some(&root)), [""; 0]);
    // What was not touched holds as it did: it is checked once.
    let key = signer(1).public();
    let check = |bundle: &Bundle| one(bundle, Some(&key));
    let known: Vec<_> = sound.iter().map(check).collect();
    let check = |bundle: &Bundle| match sound.iter().position(|same| same == bundle) {
        Some(at) => known[at].clone(),
        None => check(bundle),
    };
    let mut dice = Dice(4_711);
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    // More of them for whoever has the time: KEYMUSTER_FORGERIES=10000.
    let wanted = std::env::var("KEYMUSTER_FORGERIES").ok();
    let wanted: u32 = wanted.and_then(|one| one.parse().ok()).unwrap_or(1_000);
    let mut count = 0;
    while count < wanted {
        let mut bundles = sound.clone();
        let Some(what) = tamper(&mut bundles, &mut dice) else {
            continue;
        };
        let found = verify_each(&loaded(&bundles), &check, Some(&root), None);
        assert_ne!(found.problems, [""; 0], "{what}");
        *done.entry(what).or_default() += 1;
        count += 1;
    }
    assert!(
        done.len() == 7 && done.values().all(|count| *count > 20),
        "{done:?}"
    );
}

/// What only the outside can tell: the newest runs are dropped, or the oldest are put away.
#[test]
fn the_ends_of_a_chain() {
    let all = chain(4);
    let root = hex(&all[3].root());
    assert_eq!(problems(&all[..3], None), [""; 0]);
    assert_ne!(problems(&all[..3], Some(&root)), [""; 0]);
    assert_ne!(problems(&all[1..], None), [""; 0]);
    let key = signer(1).public();
    let since = hex(&all[0].root());
    let rest = verify(&loaded(&all[1..]), Some(&key), Some(&root), Some(&since));
    assert_eq!(rest.problems, [""; 0]);
    assert_eq!(rest.runs.len(), 3);
    // In any order they are handed in.
    let mut mixed = all.clone();
    mixed.reverse();
    assert_eq!(problems(&mixed, Some(&root)), [""; 0]);
    assert_ne!(problems(&[], None), [""; 0]);
    // A run that forks from an older one.
    let mut fork = all[3].clone();
    let record = String::from_utf8(fork.files["run.json"].clone()).expect("UTF-8");
    let forked = record.replace("night-3", "night-9");
    fork.files
        .insert("run.json".to_owned(), forked.into_bytes());
    fork.run = "night-9".to_owned();
    signer(1).sign(&mut fork).expect("signs");
    let mut forked = all.clone();
    forked.push(fork);
    assert!(
        problems(&forked, None)
            .iter()
            .any(|one| one.contains("several runs follow"))
    );
}

#[test]
fn a_replay_gives_the_same_root() {
    for bundle in chain(6) {
        let with = replay(&bundle, BTreeMap::new(), Some(&seal)).expect("replays");
        let without = replay(&bundle, BTreeMap::new(), None).expect("replays");
        for replayed in [with, without] {
            assert_eq!(replayed.differences, []);
            assert_eq!(replayed.root, bundle.root());
            assert!(replayed.findings > 5);
        }
    }
    // Findings that do not follow from the facts are noticed, however well they are signed.
    let mut bundle = chain(1).remove(0);
    let text = String::from_utf8(bundle.files["findings.jsonl"].clone()).expect("UTF-8");
    let milder = text.replacen("\"severity\":\"high\"", "\"severity\":\"info\"", 1);
    assert_ne!(text, milder);
    bundle
        .files
        .insert("findings.jsonl".to_owned(), milder.into_bytes());
    signer(1).sign(&mut bundle).expect("signs");
    assert_eq!(problems(&[bundle.clone()], None), [""; 0]);
    let replayed = replay(&bundle, BTreeMap::new(), Some(&seal)).expect("replays");
    assert_eq!(replayed.differences.len(), 1);
    assert_ne!(replayed.root, bundle.root());
}

#[test]
fn hostile_bundles_are_errors_and_no_panics() {
    let sound = chain(2).remove(1);
    let mut dice = Dice(99);
    for _ in 0..200 {
        let mut bundle = sound.clone();
        let name = ["facts.jsonl", "before.jsonl", "run.json", "findings.jsonl"][dice.below(4)];
        let bytes = bundle.files.get_mut(name).expect("there");
        let at = dice.below(bytes.len());
        bytes[at] = b"{}[]\",:0a\n"[dice.below(10)];
        // It says no, or derives something else; a byte in a text of the facts may change nothing.
        let _ = replay(&bundle, BTreeMap::new(), None);
    }
}

#[test]
fn folders_are_whole_or_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("evidence");
    let all = chain(3);
    for bundle in &all[..2] {
        store(&dir, bundle).expect("stored");
        publish(&dir, &bundle.run).expect("named");
    }
    // Killed before the memory was committed, and after it.
    store(&dir, &all[2]).expect("stored");
    assert_eq!(folders(&dir).expect("listed").len(), 2);
    assert_eq!(recover(&dir, &|_, _| false).expect("cleaned"), [""; 0]);
    store(&dir, &all[2]).expect("stored");
    let root = hex(&all[2].root());
    let finished = recover(&dir, &|run, is| run == "night-2" && is == root);
    assert_eq!(finished.expect("finished"), ["night-2"]);
    let bundles: Vec<Loaded> = folders(&dir)
        .expect("listed")
        .iter()
        .map(|path| Ok(load(path).expect("read")))
        .collect();
    let key = public_key(&signer(1).public_pem()).expect("a key");
    let found = verify(&bundles, Some(&key), Some(&root), None);
    assert_eq!((found.problems.len(), found.runs.len()), (0, 3));
    assert!(store(&dir, &all[2]).is_err(), "nothing is overwritten");
    let evil = Bundle {
        run: "../evil".to_owned(),
        ..all[0].clone()
    };
    assert!(store(&dir, &evil).is_err());
    #[cfg(unix)]
    {
        let link = dir.join("night-0/findings.jsonl");
        fs::remove_file(&link).expect("removed");
        std::os::unix::fs::symlink("/etc/passwd", &link).expect("linked");
        assert!(load(&dir.join("night-0")).is_err());
    }
}

#[test]
fn keys_are_pem_files() {
    let one = signer(3);
    let again = Signer::from_pem(&one.private_pem()).expect("a key");
    assert_eq!(again.public_pem(), one.public_pem());
    assert!(Signer::from_pem(&one.public_pem()).is_err());
    assert!(public_key("-----BEGIN NOTHING-----").is_err());
    assert_eq!(format!("{one:?}"), "Signer(…)");
}
