//! What a sweep tells of one of everything.

use std::sync::Arc;

use keymuster_api::{GapKind, Known, Memo, Redactor as _, Status, tie};
use keymuster_github::Values;
use keymuster_simulator::{Failing, Reply, Route};
use keymuster_support::{Finder, Remembers, Told};

use crate::world::{World, acme, folder, under};

#[test]
fn one_of_everything_is_told() {
    let world = World::new(acme());
    let told = world.sweep(&|_| {});
    let host = "127.0.0.1";
    let mut keys: Vec<String> = told.keys().into_iter().map(str::to_owned).collect();
    keys.sort();
    keys.dedup();
    let hash = tie::of(&Finder, tie::GITHUB_TOKEN_HASH, "CANARYhash");
    let mut expected = vec![
        format!("{host}:acme/web:actions.secret:DEPLOY"),
        format!("{host}:acme/web:agents.secret:AGENT"),
        format!("{host}:acme/web@a/b c:actions.secret:SLASH"),
        format!("{host}:acme/web@production:actions.secret:DEPLOY"),
        format!("{host}:acme:actions.secret:ALL"),
        format!("{host}:acme:actions.secret:SOME"),
        format!("{host}:acme:dependabot.secret:REGISTRY"),
        format!("{host}:app-installation:9"),
        format!("{host}:authorisation:5"),
        format!("{host}:authorisation:6"),
        format!("{host}:deploy-key:21"),
        format!("{host}:pat:77"),
        format!("{host}:token:{hash}"),
        format!("{host}:webhook:12"),
    ];
    expected.sort();
    assert_eq!(keys, expected);

    let slot = |name: &str| {
        told.slots
            .iter()
            .find(|slot| slot.name == name)
            .expect("a slot")
    };
    assert_eq!(
        slot("ALL").property("visibility").collect::<Vec<_>>(),
        ["all"]
    );
    assert_eq!(
        slot("SOME").property("repository").collect::<Vec<_>>(),
        ["127.0.0.1:acme/web"]
    );
    let all = told.credential("127.0.0.1:acme:actions.secret:ALL");
    assert_eq!(
        (all.kind.as_str(), all.status),
        ("github.actions-secret", Status::Active)
    );
    assert_eq!(
        all.rotated,
        Known::Known("2025-01-02T03:04:05Z".parse().expect("a time"))
    );
    assert_eq!(
        (all.expires, all.last_used),
        (Known::Unsupported, Known::Unsupported)
    );

    let pat = told.credential("127.0.0.1:pat:77");
    assert_eq!(
        (pat.expires, pat.name.as_deref()),
        (Known::Never, Some("dora: deploy"))
    );
    assert_eq!(
        told.setting("127.0.0.1:pat:77", "permission:new_thing"),
        ["admin"]
    );
    assert_eq!(
        told.setting("127.0.0.1:pat-request:2", "requested-by"),
        ["eve"]
    );
    assert_eq!(
        told.setting("127.0.0.1:authorisation:5", "scope"),
        ["repo", "admin:org"]
    );
    assert_eq!(
        told.setting("127.0.0.1:app-installation:9", "permission:administration"),
        ["write"]
    );
    assert_eq!(
        told.setting("127.0.0.1:app-installation:9", "repositories"),
        ["all"]
    );
    let key = told.credential("127.0.0.1:deploy-key:21");
    assert_eq!(
        key.handle.as_ref().map(|handle| handle.value.as_str()),
        Some("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU")
    );
    assert_eq!((key.expires, key.last_used), (Known::Never, Known::Never));
    assert_eq!(told.setting("127.0.0.1:deploy-key:21", "write"), ["true"]);
    let ssh = told.credential("127.0.0.1:authorisation:6");
    assert_eq!((&ssh.handle, ssh.kind.as_str()), (&key.handle, "key.ssh"));

    let open = "127.0.0.1:webhook:11";
    assert_eq!(told.setting(open, "url-scheme"), ["http"]);
    assert_eq!(told.setting(open, "url-host"), ["ci.acme.test"]);
    assert_eq!(told.setting(open, "url-parameter"), ["token"]);
    assert_eq!(told.setting(open, "verifies-certificate"), ["false"]);
    assert_eq!(told.setting(open, "has-secret"), ["false"]);
    assert_eq!(
        told.setting("127.0.0.1:acme", "default-token-permissions"),
        ["write"]
    );
    assert_eq!(
        told.setting("127.0.0.1:acme", "token-approves-reviews"),
        ["true"]
    );
    assert_eq!(
        told.setting("127.0.0.1:acme", "oidc-subject-claims"),
        ["repo", "context"]
    );
    let production = "127.0.0.1:acme/web@production";
    assert_eq!(told.setting(production, "required-reviewers"), ["1"]);
    assert_eq!(told.setting(production, "wait-minutes"), ["30"]);
    assert_eq!(told.setting(production, "branch-policy"), ["protected"]);
    assert_eq!(
        told.setting("127.0.0.1:acme/web@a/b c", "branch-policy"),
        ["none"]
    );
    assert_eq!(told.setting("127.0.0.1:acme/web", "visibility"), ["public"]);
    assert_eq!(
        told.setting("127.0.0.1:acme/web", "custom-property:tier"),
        ["t1", "t2"]
    );
}

#[test]
fn owners_come_from_files_teams_and_properties_and_makers_from_the_log() {
    let told = World::new(acme()).sweep(&|_| {});
    let of = |subject: &str| -> Vec<String> {
        let mut claims: Vec<String> = told
            .claims
            .iter()
            .filter(|claim| claim.subject.0 == subject)
            .map(|claim| format!("{} {:?} {}", claim.party, claim.role, claim.source.locator))
            .collect();
        claims.sort();
        claims
    };
    let owners = [
        "@acme/web Maintainer GET /repos/acme/web/teams",
        "@acme/web Owner 127.0.0.1:acme/web:.github/CODEOWNERS",
        "team-web Owner GET /orgs/acme/properties/values",
    ];
    assert_eq!(of("127.0.0.1:acme/web"), owners);
    assert_eq!(
        of("127.0.0.1:acme/web@production:actions.secret:DEPLOY"),
        owners
    );
    assert_eq!(
        of("127.0.0.1:acme/api"),
        ["@acme/api Owner 127.0.0.1:acme/api:CODEOWNERS"]
    );
    assert_eq!(
        of("127.0.0.1:acme:actions.secret:ALL"),
        ["dora Creator GET /orgs/acme/audit-log"]
    );
    assert_eq!(
        of("127.0.0.1:pat:77"),
        ["dora Owner GET /orgs/acme/personal-access-tokens"]
    );
    assert!(
        of("127.0.0.1:deploy-key:21")
            .contains(&"ghost Creator GET /repos/acme/web/keys".to_owned())
    );
}

#[test]
fn the_count_is_exact_and_leads_go_nowhere_else() {
    let world = World::new(acme());
    let told = world.sweep(&|_| {});
    assert_eq!(
        told.count("127.0.0.1:acme", "actions.secret"),
        Some((Some(2), 2, true))
    );
    assert_eq!(
        told.count("127.0.0.1:acme", "agents.secret"),
        Some((None, 0, true)),
        "there are none here"
    );
    assert_eq!(
        told.count("127.0.0.1:acme", "codespaces.secret"),
        Some((None, 0, false)),
        "denied"
    );
    assert_eq!(
        told.count("127.0.0.1:acme/web", "actions.secret"),
        Some((Some(1), 1, true))
    );
    assert_eq!(
        told.count("127.0.0.1:acme/web@production", "actions.secret"),
        Some((Some(1), 1, true))
    );
    assert_eq!(
        told.count("127.0.0.1:acme/api", "deploy keys"),
        Some((Some(0), 0, true))
    );
    assert_eq!(
        told.count("127.0.0.1:acme/api", "environments"),
        Some((Some(0), 0, true))
    );
    let asked = world.host.paths("GET");
    assert!(
        !asked.contains("/repos/acme/api/keys"),
        "known to be empty, not asked"
    );
    let leads: Vec<String> = told
        .leads
        .iter()
        .map(|lead| world.plain(&format!("{} {}", lead.name, lead.address)))
        .collect();
    assert_eq!(
        leads,
        [
            "acme/api http://host/acme/api.git",
            "acme/web http://host/acme/web.git"
        ]
    );
    let gaps: Vec<String> = told.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(gaps.len(), 2, "{gaps:#?}");
    assert!(
        gaps.iter()
            .any(|gap| gap.contains("codespaces.secret") && gap.contains("admin:org"))
    );
    assert!(gaps.iter().any(|gap| gap.contains("its name is none")));
}

#[test]
fn values_are_dropped_named_or_searched() {
    let world = World::new(acme());
    let leak = |told: &Told| {
        let slot = told
            .slots
            .iter()
            .find(|slot| slot.name == "LEAK")
            .expect("a slot")
            .clone();
        let kinds: Vec<String> = told
            .credentials
            .iter()
            .filter(|one| one.key == slot.key)
            .map(|one| one.kind.clone())
            .collect();
        (slot.secret, kinds)
    };
    let secret = Some(Finder.seal(b"CANARYvariable"));
    assert_eq!(leak(&world.sweep(&|_| {})), (None, vec![]));
    assert_eq!(
        leak(&world.sweep(&|spec| spec.values = Values::Fingerprint)),
        (secret, vec![])
    );
    let told = world.sweep(&|spec| spec.values = Values::Detect);
    assert_eq!(leak(&told), (secret, vec!["test.canary".to_owned()]));
}

#[test]
fn nothing_but_declared_endpoints_is_read_and_nothing_else_than_reading_is_done() {
    let world = World::new(acme());
    world.sweep(&|_| {});
    world.doctor(&|_| {}).expect("a look");
    let known: serde_json::Value =
        serde_json::from_str(include_str!("../../../../fixtures/github/endpoints.json"))
            .expect("JSON");
    let patterns: Vec<Vec<&str>> = known["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .map(|path| path.split('/').collect())
        .collect();
    for path in world.host.paths("GET") {
        let parts: Vec<&str> = path.split('/').collect();
        let is_known = patterns.iter().any(|pattern| {
            pattern.len() == parts.len()
                && pattern
                    .iter()
                    .zip(&parts)
                    .all(|(of, part)| of == part || of.starts_with('{'))
        });
        assert!(is_known, "{path}");
    }
    assert_eq!(
        world.host.paths("POST").into_iter().collect::<Vec<_>>(),
        ["/graphql"]
    );
    for method in ["PUT", "PATCH", "DELETE", "HEAD"] {
        assert!(world.host.paths(method).is_empty(), "{method}");
    }
}

#[test]
fn live_and_offline_tell_the_same_and_no_canary_is_anywhere() {
    for values in [Values::Never, Values::Fingerprint, Values::Detect] {
        let (_folder, path) = folder();
        let mut host = acme();
        host.failing = Failing {
            per_mille: 300,
            seed: 5,
            times: 2,
        };
        host.broken
            .insert("/orgs/acme/hooks".to_owned(), Reply::default());
        let mut world = World::new(host);
        let memo = Arc::new(Remembers::default());
        world.memo = Some(Arc::clone(&memo) as Arc<dyn Memo>);
        let live = world.sweep(&|spec| {
            spec.values = values;
            spec.record = Some(path.clone());
        });
        let again = world.sweep(&|spec| spec.values = values);
        assert_eq!(live, again, "what is remembered tells the same");
        let calls = world.host.calls();
        world.memo = None;
        let offline = world.sweep(&|spec| {
            spec.values = values;
            spec.login = None;
            spec.replay = Some(path.clone());
        });
        assert_eq!(live, offline);
        assert_eq!(world.host.calls(), calls);
        assert!(
            live.gaps
                .iter()
                .any(|gap| gap.subject == "127.0.0.1:acme: webhooks")
        );
        let recorded = std::fs::read_to_string(path.join("calls.jsonl")).expect("the recording");
        for text in [&recorded, &format!("{live:?}"), &memo.text()] {
            let at = text.find("CANARY");
            assert!(
                at.is_none(),
                "{}",
                &text[at.unwrap_or(0).saturating_sub(200)..][..400.min(text.len())]
            );
            assert!(!text.contains("t0ken"));
        }
    }
}

#[test]
fn a_repository_that_moved_is_followed_and_one_that_went_costs_only_itself() {
    let mut host = acme();
    let paths: Vec<String> = host
        .routes
        .keys()
        .filter(|path| path.starts_with("/repos/acme/api"))
        .cloned()
        .collect();
    for path in paths {
        host.routes.remove(&path);
    }
    // Renamed: GitHub sends one on to the number.
    let paths: Vec<String> = host
        .routes
        .keys()
        .filter(|path| path.starts_with("/repos/acme/web/actions"))
        .cloned()
        .collect();
    for path in paths {
        let moved = path.replace("/repos/acme/web", "/repositories/1");
        let route = host.routes.remove(&path).expect("a route");
        host.routes.insert(moved.clone(), route);
        host.routes
            .insert(path, Route::Moved(format!("{{address}}{moved}")));
    }
    let told = World::new(host).sweep(&|_| {});
    assert_eq!(
        told.count("127.0.0.1:acme/web", "actions.secret"),
        Some((Some(1), 1, true))
    );
    assert_eq!(
        told.count("127.0.0.1:acme/api", "repository"),
        Some((None, 0, false))
    );
    assert_eq!(told.count("127.0.0.1:acme/api", "actions.secret"), None);
    let gone: Vec<_> = told
        .gaps
        .iter()
        .filter(|gap| gap.subject.contains("acme/api"))
        .collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].kind, GapKind::Missing);
}

#[test]
fn what_was_left_out_is_not_asked() {
    let world = World::new(acme());
    let told = world.sweep(&|spec| {
        spec.leave_out = vec![
            "codespaces.secret".to_owned(),
            "webhooks".to_owned(),
            "repository outlines".to_owned(),
        ];
        spec.clones = false;
    });
    assert!(told.leads.is_empty());
    assert!(
        !told
            .gaps
            .iter()
            .any(|gap| gap.subject.contains("codespaces")),
        "{:?}",
        told.gaps
    );
    assert!(world.host.paths("POST").is_empty());
    assert!(
        !world
            .host
            .paths("GET")
            .iter()
            .any(|path| path.ends_with("/hooks"))
    );
    assert_eq!(
        told.count("127.0.0.1:acme/api", "environments"),
        Some((Some(0), 0, true)),
        "asked itself now"
    );
}

#[test]
fn one_denied_endpoint_costs_only_its_own_count() {
    let whole = World::new(acme()).sweep(&|_| {});
    let mut host = acme();
    for path in [
        "/repos/acme/web/actions/secrets",
        "/repos/acme/api/actions/secrets",
    ] {
        host.routes.insert(
            path.to_owned(),
            Route::Refuse(403, "Resource not accessible by integration"),
        );
    }
    let told = World::new(host).sweep(&|_| {});
    let differs: Vec<_> = whole
        .coverage
        .iter()
        .filter(|row| !told.coverage.contains(row))
        .map(|row| (row.scope.as_str(), row.what.as_str()))
        .collect();
    assert_eq!(
        differs,
        [
            ("127.0.0.1:acme/api", "actions.secret"),
            ("127.0.0.1:acme/web", "actions.secret")
        ]
    );
    let denied: Vec<_> = told
        .gaps
        .iter()
        .filter(|gap| gap.subject.contains("2 scopes"))
        .collect();
    assert_eq!(denied.len(), 1, "one reason is one gap: {:?}", told.gaps);
    assert!(
        denied[0].reason.contains("secrets: read"),
        "{:?}",
        denied[0]
    );
}

#[test]
fn a_stopped_run_says_what_it_did_not_see_and_publishes_no_recording() {
    let (_folder, path) = folder();
    let world = World::new(acme());
    world.cancel.cancel();
    let told = world.sweep(&|spec| spec.record = Some(path.clone()));
    assert!(told.gaps.iter().all(|gap| gap.kind == GapKind::Cancelled) && !told.gaps.is_empty());
    assert!(!path.join("calls.jsonl").exists());
    assert_eq!(world.host.calls(), 0);
}

#[test]
fn lists_longer_than_a_page_are_whole() {
    let mut host = acme();
    let secrets: Vec<serde_json::Value> = (0..250)
        .map(|n| serde_json::json!({"name": format!("S{n}"), "visibility": "all"}))
        .collect();
    host.routes.insert(
        "/orgs/acme/actions/secrets".to_owned(),
        under("secrets", secrets),
    );
    let told = World::new(host).sweep(&|_| {});
    assert_eq!(
        told.count("127.0.0.1:acme", "actions.secret"),
        Some((Some(250), 250, true))
    );
}
