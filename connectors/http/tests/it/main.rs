//! The REST core against a real server that misbehaves in every way that is known.

mod kept;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use keymuster_api::{Cancel, GapKind, Memo, Redactor as _, Timestamp};
use keymuster_http::{
    Answer, Endpoint, Items, Listed, Missing, Network, Paging, Patience, Query, Rest, RestSpec,
    SealCx, Sealed, Tape, Transport, Unseen, Wire, Without,
};
use keymuster_simulator::{Failing, Host, Reply, Route, Running, Server};
use keymuster_support::Finder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
struct Thing {
    name: String,
}

impl Wire for Thing {}

#[derive(Debug, Deserialize, Serialize)]
struct Variable {
    name: String,
    #[serde(default)]
    value: Sealed,
}

impl Wire for Variable {
    fn seal(&mut self, cx: &SealCx<'_>) {
        self.value.seal(cx);
    }
}

const LIST: Endpoint = Endpoint {
    path: "/things/{of}",
    items: Items::Array,
    paging: Paging::Link,
    what: "things",
    needs: "things: read",
    unseen: "things",
    missing: Missing::Denied,
    without: Without::Unseen,
};
const UNDER: Endpoint = Endpoint {
    items: Items::Under("things"),
    ..LIST
};
const ONE: Endpoint = Endpoint {
    items: Items::One,
    paging: Paging::None,
    missing: Missing::Absent,
    ..LIST
};

fn things(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"name": format!("thing {n}"), "temp_clone_token": "CANARYclone"}))
        .collect()
}

fn quick() -> Patience {
    Patience {
        attempts: 4,
        pauses: 5,
        first: Duration::from_millis(1),
        longest: Duration::from_secs(5),
        pages: 50,
    }
}

struct World {
    host: Arc<Host>,
    server: Server,
    cancel: Cancel,
    memo: Option<Arc<dyn Memo>>,
    tape: Option<Arc<Tape>>,
    replay: bool,
}

impl World {
    fn new(host: Host) -> World {
        let Running { host, server } = Running::start(host);
        World {
            host,
            server,
            cancel: Cancel::new(),
            memo: None,
            tape: None,
            replay: false,
        }
    }

    fn of(routes: Vec<(&str, Route)>) -> World {
        let routes = routes
            .into_iter()
            .map(|(path, route)| (path.to_owned(), route))
            .collect();
        World::new(Host {
            routes,
            ..Host::default()
        })
    }

    fn rest(&self) -> Rest<'_> {
        let network = Network::new(&[("authorization", "Bearer t0ken")]).expect("a client");
        Rest::new(RestSpec {
            base: self.server.address().parse().expect("an address"),
            queries: None,
            transport: (!self.replay).then(|| Arc::new(network) as Arc<dyn Transport>),
            identity: self.server.address().to_owned(),
            memo: self.memo.clone(),
            tape: self.tape.clone(),
            seal: SealCx {
                redactor: &Finder,
                fingerprints: true,
                detects: true,
            },
            cancel: &self.cancel,
            patience: quick(),
            classify: |_, _, _| None,
        })
    }

    fn list(&self, endpoint: &Endpoint, of: &str) -> Answer<Listed<Thing>> {
        let rest = self.rest();
        keymuster_http::run(rest.list(endpoint, &[("of", of)], &[("per_page", "10")]))
            .expect("a runtime")
    }

    fn one(&self, of: &str) -> Answer<Thing> {
        let rest = self.rest();
        keymuster_http::run(rest.one(&ONE, &[("of", of)], &[])).expect("a runtime")
    }
}

fn html() -> Reply {
    Reply {
        status: 200,
        body: b"<html>\x1b[2J log in</html>".to_vec(),
        ..Reply::default()
    }
}

#[test]
fn pages_are_followed_to_their_end_and_counted() {
    let world = World::of(vec![
        ("/things/a", Route::List(None, things(35))),
        ("/things/b", Route::List(Some("things"), things(31))),
        ("/things/c", Route::List(Some("things"), things(0))),
    ]);
    let a = world.list(&LIST, "a").expect("a list");
    assert_eq!((a.items.len(), a.total, a.is_whole()), (35, None, true));
    assert_eq!(a.items[34].name, "thing 34");
    let b = world.list(&UNDER, "b").expect("a list");
    assert_eq!((b.items.len(), b.total, b.is_whole()), (31, Some(31), true));
    let c = world.list(&UNDER, "c").expect("a list");
    assert_eq!((c.items.len(), c.total, c.is_whole()), (0, Some(0), true));
    assert_eq!(world.host.paths("GET").len(), 3);
}

#[test]
fn denied_absent_unsupported_and_empty_are_four_answers() {
    let world = World::of(vec![
        ("/things/empty", Route::List(None, vec![])),
        (
            "/things/denied",
            Route::Refuse(403, "Resource not accessible CANARYword \u{1b}[2J"),
        ),
        ("/things/gone", Route::Refuse(410, "gone")),
        ("/things/bad-login", Route::Refuse(401, "Bad credentials")),
    ]);
    assert_eq!(
        world.list(&LIST, "empty").map(|listed| listed.items),
        Ok(vec![])
    );
    let Err(Unseen::Denied(words)) = world.list(&LIST, "denied") else {
        panic!("denied");
    };
    assert!(
        words.contains("Resource not accessible") && words.contains("things: read"),
        "{words}"
    );
    assert!(
        !words.contains("CANARY") && !words.contains('\u{1b}'),
        "{words}"
    );
    assert!(matches!(
        world.list(&LIST, "hidden"),
        Err(Unseen::Denied(_))
    ));
    assert_eq!(world.one("nothing"), Err(Unseen::Absent));
    assert!(matches!(
        world.list(&LIST, "gone"),
        Err(Unseen::Unsupported(_))
    ));
    assert!(matches!(
        world.list(&LIST, "bad-login"),
        Err(Unseen::Denied(_))
    ));
    let calls = world.host.calls();
    for step in ["..", ".", ""] {
        assert!(matches!(
            world.list(&LIST, step),
            Err(Unseen::Failed(GapKind::Corrupt, _))
        ));
    }
    assert_eq!(
        world.host.calls(),
        calls,
        "a step would lead to another endpoint"
    );
}

#[test]
fn faults_are_borne_and_broken_answers_told() {
    let cut = Reply {
        cut: Some(5),
        ..Reply::json(200, &json!(things(3)))
    };
    let mut host = Host {
        failing: Failing {
            per_mille: 1000,
            seed: 3,
            times: 2,
        },
        ..Host::default()
    };
    for n in 0..40 {
        host.routes
            .insert(format!("/things/{n}"), Route::List(None, things(3)));
    }
    for (name, reply) in [
        ("cut", cut),
        ("html", html()),
        ("closed", Reply::default()),
        ("wrong", Reply::json(200, &json!("text"))),
    ] {
        host.broken.insert(format!("/things/{name}"), reply);
    }
    let world = World::new(host);
    for n in 0..40 {
        let listed = world.list(&LIST, &n.to_string()).expect("a list");
        assert_eq!(listed.items.len(), 3, "{n}");
    }
    for (name, kind) in [
        ("cut", GapKind::Unreadable),
        ("html", GapKind::Corrupt),
        ("closed", GapKind::Unreadable),
        ("wrong", GapKind::Corrupt),
    ] {
        match world.list(&LIST, name) {
            Err(Unseen::Failed(found, reason)) => assert_eq!(found, kind, "{name}: {reason}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn entries_of_another_form_cost_only_themselves() {
    let mut list = things(3);
    list.extend([
        json!({"name": 7}),
        json!(null),
        json!([[[]]]),
        json!({"name": "last", "new": {"x": 1}}),
    ]);
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let deep = Reply {
        status: 200,
        body: deep.into_bytes(),
        ..Reply::default()
    };
    let world = World::of(vec![
        ("/things/a", Route::List(None, list)),
        ("/things/deep", Route::Raw(deep)),
    ]);
    let listed = world.list(&LIST, "a").expect("a list");
    assert_eq!(
        (listed.items.len(), listed.broken, listed.is_whole()),
        (4, 3, false)
    );
    assert!(matches!(
        world.list(&LIST, "deep"),
        Err(Unseen::Failed(GapKind::Corrupt, _))
    ));
}

#[test]
fn no_link_and_no_redirect_leads_away_and_no_chain_is_endless() {
    let link = |to: &str| {
        Route::Raw(
            Reply::json(200, &json!(things(1))).with("link", format!("<{to}>; rel=\"next\"")),
        )
    };
    let elsewhere = World::of(vec![]);
    let away = elsewhere.server.address().to_owned();
    let world = World::of(vec![
        ("/things/away", link(&format!("{away}/things/a"))),
        (
            "/things/circle",
            link("{address}/things/circle?per_page=10"),
        ),
        (
            "/things/moved",
            Route::Moved("{address}/things/new".to_owned()),
        ),
        ("/things/new", Route::List(None, things(2))),
        ("/things/stolen", Route::Moved(format!("{away}/things/a"))),
        (
            "/things/round",
            Route::Moved("{address}/things/round".to_owned()),
        ),
    ]);
    let listed = world.list(&LIST, "away").expect("its first page");
    assert_eq!(listed.items.len(), 1);
    assert!(matches!(
        listed.stopped,
        Some(Unseen::Failed(GapKind::Corrupt, _))
    ));
    let listed = world.list(&LIST, "circle").expect("its first page");
    assert!(matches!(
        listed.stopped,
        Some(Unseen::Failed(GapKind::Limit, _))
    ));
    assert_eq!(
        world.list(&LIST, "moved").map(|listed| listed.items.len()),
        Ok(2)
    );
    assert!(matches!(
        world.list(&LIST, "stolen"),
        Err(Unseen::Failed(GapKind::Denied, _))
    ));
    assert!(matches!(
        world.list(&LIST, "round"),
        Err(Unseen::Failed(GapKind::Corrupt, _))
    ));
    assert_eq!(elsewhere.host.calls(), 0, "nobody went to the other host");
}

#[test]
fn a_chain_of_ever_new_pages_ends() {
    let page = Arc::new(Mutex::new(0));
    let server = Server::start(Arc::new(move |asked| {
        let mut page = page.lock().expect("lock");
        *page += 1;
        Reply::json(200, &json!(things(1)))
            .with("link", format!("<{}?page={page}>; rel=next", asked.path()))
    }));
    let world = World {
        server,
        ..World::of(vec![])
    };
    let listed = world.list(&LIST, "endless").expect("some pages");
    assert_eq!(listed.items.len(), 50);
    assert!(matches!(
        listed.stopped,
        Some(Unseen::Failed(GapKind::Limit, _))
    ));
}

#[test]
fn the_primary_limit_is_waited_for_by_the_hosts_own_clock() {
    for skew in [0, -7200, 7200] {
        let routes = (0..6)
            .map(|n| (format!("/things/{n}"), Route::List(None, things(1))))
            .collect();
        let world = World::new(Host {
            routes,
            limit: Some(3),
            skew,
            ..Host::default()
        });
        let began = Instant::now();
        for n in 0..6 {
            assert!(world.list(&LIST, &n.to_string()).is_ok(), "skew {skew}");
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(12), "skew {skew}: {took:?}");
    }
    let late = Reply::json(429, &json!({"message": "later"})).with("retry-after", "86000");
    let world = World::of(vec![("/things/late", Route::Raw(late))]);
    assert!(matches!(
        world.list(&LIST, "late"),
        Err(Unseen::Failed(GapKind::Limit, _))
    ));
}

#[test]
fn a_dead_host_and_a_stopped_run_end_at_once() {
    let world = World::of(vec![("/things/a", Route::List(None, things(1)))]);
    world.cancel.cancel();
    assert!(matches!(
        world.list(&LIST, "a"),
        Err(Unseen::Failed(GapKind::Cancelled, _))
    ));
    assert_eq!(world.host.calls(), 0);
    let mut world = World::of(vec![]);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address")
        .port();
    world.replay = false;
    let cancel = Cancel::new();
    let rest = Rest::new(RestSpec {
        base: format!("http://127.0.0.1:{port}")
            .parse()
            .expect("an address"),
        queries: None,
        transport: Some(Arc::new(Network::new(&[]).expect("a client"))),
        identity: "dead".to_owned(),
        memo: None,
        tape: None,
        seal: SealCx {
            redactor: &Finder,
            fingerprints: false,
            detects: false,
        },
        cancel: &cancel,
        patience: quick(),
        classify: |_, _, _| None,
    });
    let began = Instant::now();
    for _ in 0..200 {
        let answer: Answer<Thing> =
            keymuster_http::run(rest.one(&ONE, &[("of", "a")], &[])).expect("a runtime");
        assert!(matches!(
            answer,
            Err(Unseen::Failed(GapKind::Unreadable, _))
        ));
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

const QUERY: Query = Query::new("query($first:Int!){organization{x}}");

#[test]
fn a_query_gives_what_it_can_and_says_what_it_left_out() {
    let body = json!({
        "data": {"name": "CANARYname it is", "more": 1},
        "errors": [{"type": "FORBIDDEN", "message": "CANARYmessage"}],
    });
    let server = Server::start(Arc::new(move |asked| {
        assert_eq!(asked.method, "POST");
        Reply::json(200, &body)
    }));
    let world = World {
        server,
        ..World::of(vec![])
    };
    let rest = world.rest();
    let endpoint = Endpoint {
        path: "/graphql",
        ..ONE
    };
    let answer: Answer<(Thing, Vec<String>)> =
        keymuster_http::run(rest.query(&endpoint, &QUERY, json!({"first": 1}))).expect("a runtime");
    let (thing, errors) = answer.expect("data");
    assert!(thing.name.starts_with("[sealed test.canary"), "{thing:?}");
    assert_eq!(errors, ["FORBIDDEN"]);
}
