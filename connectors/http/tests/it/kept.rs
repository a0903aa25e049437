//! What is kept between runs: ETags in the memo, recordings.

use keymuster_support::Remembers;

use super::*;

#[test]
fn what_did_not_change_is_not_sent_again_and_no_secret_is_remembered() {
    let mut world = World::of(vec![("/things/a", Route::List(None, things(25)))]);
    let memo = Arc::new(Remembers::default());
    world.memo = Some(Arc::clone(&memo) as Arc<dyn Memo>);
    let first = world.list(&LIST, "a").expect("a list");
    let again = world.list(&LIST, "a").expect("a list");
    assert_eq!(first, again);
    let asked = world.host.asked();
    let tagged = asked
        .iter()
        .filter(|asked| asked.header("if-none-match").is_some())
        .count();
    assert_eq!((asked.len(), tagged), (6, 3));
    assert!(!memo.text().is_empty() && !memo.text().contains("CANARY"));
}

#[test]
fn a_recording_gives_the_same_answers_without_the_network_and_holds_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let now: Timestamp = "2026-11-27T00:00:00Z".parse().expect("a time");
    let variables = vec![
        json!({"name": "PLAIN", "value": "blue"}),
        json!({"name": "TOKEN", "value": "CANARYvalue"}),
    ];
    let mut broken = things(2);
    broken.push(json!(7));
    let mut world = World::of(vec![
        ("/things/a", Route::List(None, things(25))),
        ("/things/b", Route::List(Some("things"), broken)),
        ("/things/v", Route::List(None, variables)),
        ("/things/denied", Route::Refuse(403, "no CANARYmessage")),
        ("/things/html", Route::Raw(html())),
        ("/graphql", Route::One(json!({}))),
    ]);
    let base = world.server.address().parse().expect("an address");
    world.tape = Some(Arc::new(
        Tape::record(folder.path(), &base, now, &Finder).expect("a recording"),
    ));
    let ask = |world: &World| {
        let rest = world.rest();
        let variables: Answer<Listed<Variable>> =
            keymuster_http::run(rest.list(&LIST, &[("of", "v")], &[])).expect("a runtime");
        let names: Vec<(String, bool)> = variables
            .expect("variables")
            .items
            .into_iter()
            .map(|one| {
                (
                    format!("{} {:?}", one.name, one.value),
                    one.value.credential().is_some(),
                )
            })
            .collect();
        (
            world.list(&LIST, "a"),
            world.list(&UNDER, "b"),
            world.list(&LIST, "denied"),
            world.list(&LIST, "hidden"),
            world.list(&LIST, "html"),
            world.one("nothing"),
            names,
        )
    };
    let live = ask(&world);
    assert!(
        !live.6[0].1 && live.6[1].1,
        "the credential among the values is known: {:?}",
        live.6
    );
    let part = folder.path().join("calls.jsonl.part");
    assert!(part.exists() && !folder.path().join("calls.jsonl").exists());
    world
        .tape
        .take()
        .expect("a tape")
        .finish()
        .expect("written");
    let text = std::fs::read_to_string(folder.path().join("calls.jsonl")).expect("the recording");
    assert!(!text.contains("CANARY"), "{text}");
    assert!(text.contains("\"fetched_at\":\"2026-11-27T00:00:00Z\""));
    let calls = world.host.calls();
    world.replay = true;
    world.tape = Some(Arc::new(
        Tape::open(folder.path(), &base, now, &Finder).expect("a recording"),
    ));
    assert_eq!(ask(&world), live);
    assert_eq!(world.host.calls(), calls, "the network was not used");
    assert!(matches!(
        world.list(&LIST, "unasked"),
        Err(Unseen::Failed(GapKind::Missing, _))
    ));
}

#[test]
fn a_recording_that_is_none_is_told_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let now: Timestamp = "2026-11-27T00:00:00Z".parse().expect("a time");
    let base = "https://x.test".parse().expect("an address");
    let open = |text: &str| {
        std::fs::write(folder.path().join("calls.jsonl"), text).expect("write");
        Tape::open(folder.path(), &base, now, &Finder)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert!(open("").expect_err("none").contains("calls.jsonl:1:"));
    assert!(
        open("{\"keymuster\":\"calls\",\"schema\":1,\"key\":\"00\"}\n")
            .expect_err("none")
            .contains("another estate's key")
    );
    let key = Finder.seal(b"keymuster recording");
    let head = format!("{{\"keymuster\":\"calls\",\"schema\":1,\"key\":\"{key}\"}}\n");
    assert!(
        open(&format!("{head}not a call\n"))
            .expect_err("none")
            .contains("calls.jsonl:2:")
    );
    assert_eq!(open(&head), Ok(()));
}
