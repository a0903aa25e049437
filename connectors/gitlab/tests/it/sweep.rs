//! What a sweep tells of one of everything, and what it does not.

use std::sync::Arc;

use keymuster_api::{GapKind, IdentityKind, Known, Memo, Redactor as _, Status};
use keymuster_gitlab::Values;
use keymuster_simulator::{Failing, Reply, Route};
use keymuster_support::{Finder, Remembers};
use serde_json::json;

use crate::world::{PUBLIC, World, acme, folder, list};

const HOST: &str = "127.0.0.1";

fn at(text: &str) -> Known<keymuster_api::Timestamp> {
    Known::Known(text.parse().expect("a time"))
}

#[test]
fn one_of_everything_is_told() {
    let told = World::new(acme()).sweep(&|_| {});
    let mut keys: Vec<&str> = told.keys();
    keys.sort_unstable();
    let expected: Vec<String> = [
        "access-token:41",
        "access-token:51",
        "access-token:61",
        "access-token:71",
        "access-token:81",
        "acme/web:gitlab.secure-file:release.jks",
        "application:5",
        "deploy-key:7",
        "deploy-key:7",
        "deploy-token:21",
        "pipeline-trigger:10",
        "pipeline-trigger:9",
        "ssh-key:15",
        "webhook:33",
    ]
    .map(|key| format!("{HOST}:{key}"))
    .to_vec();
    assert_eq!(keys, expected);
    let mut slots: Vec<&str> = told.slots.iter().map(|slot| slot.key.0.as_str()).collect();
    slots.sort_unstable();
    let expected: Vec<String> = [
        ":gitlab.variable:REGISTRY_TOKEN",
        "acme/web#schedule-4:gitlab.variable:NIGHTLY_PASSWORD",
        "acme/web:gitlab.secure-file:release.jks",
        "acme/web:gitlab.variable:DEPLOY_TOKEN",
        "acme/web:gitlab.variable:HIDDEN",
        "acme/web@review/*:gitlab.variable:DEPLOY_TOKEN",
        "acme:gitlab.variable:REGION",
        "acme@prod*:gitlab.variable:AWS_SECRET_ACCESS_KEY",
    ]
    .map(|key| format!("{HOST}:{key}"))
    .to_vec();
    assert_eq!(slots, expected);
    let slot = told.slot(&format!(
        "{HOST}:acme@prod*:gitlab.variable:AWS_SECRET_ACCESS_KEY"
    ));
    let says = |name| slot.property(name).collect::<Vec<_>>().concat();
    assert_eq!(
        (
            says("masked"),
            says("protected"),
            says("environment-scope"),
            says("type")
        ),
        (
            "true".to_owned(),
            "true".to_owned(),
            "prod*".to_owned(),
            "env_var".to_owned()
        )
    );
    assert_eq!((slot.created, slot.secret), (Known::Unsupported, None));
}

#[test]
fn tokens_are_told_once_with_whose_they_are_and_when_they_end() {
    let told = World::new(acme()).sweep(&|_| {});
    let token = |id: u32| told.credential(&format!("{HOST}:access-token:{id}"));
    for (id, kind, name) in [
        (41, "gitlab.group-token", "127.0.0.1:acme group bot"),
        (51, "gitlab.project-token", "127.0.0.1:acme/web bot"),
        (61, "gitlab.pat", "dora: laptop"),
        (71, "gitlab.service-account-token", "sa-deploy: deploy"),
        (81, "gitlab.service-account-token", "sa-runner: runner"),
    ] {
        let of = token(id);
        assert_eq!((of.kind.as_str(), of.name.as_deref()), (kind, Some(name)));
        assert_eq!(of.created, at("2026-01-02T03:04:05Z"));
        assert_eq!(
            (of.expires, of.last_used),
            (at("2027-01-02T00:00:00Z"), Known::Never)
        );
        assert_eq!((of.status, of.rotated), (Status::Active, of.created));
        let key = format!("{HOST}:access-token:{id}");
        assert_eq!(told.setting(&key, "scope"), ["api"]);
        assert_eq!(told.setting(&key, "role"), ["maintainer"]);
    }
    let kind = |id: u32| {
        let key = format!("{HOST}:user:{id}");
        told.identities
            .iter()
            .find(|one| one.key.0 == key)
            .map(|one| one.kind)
    };
    assert_eq!(kind(3), Some(IdentityKind::User));
    assert_eq!(kind(42), Some(IdentityKind::ServiceAccount));
    assert_eq!(
        kind(701),
        Some(IdentityKind::ServiceAccount),
        "a bot is no person"
    );
    // Who made a token is told by the bot that it acts as.
    let by = told.claims_of(&format!("{HOST}:access-token:51"));
    assert_eq!(
        by,
        [
            "carl Creator GET /projects/11/access_tokens",
            "carl Maintainer GET /projects/11/members",
        ]
    );
    let by = told.claims_of(&format!("{HOST}:access-token:61"));
    assert_eq!(by, ["dora Owner GET /personal_access_tokens"]);
}

#[test]
fn keys_triggers_hooks_and_applications_are_told_with_what_they_may() {
    let told = World::new(acme()).sweep(&|_| {});
    let key = format!("{HOST}:deploy-key:7");
    assert_eq!(
        told.setting(&key, "repository"),
        ["127.0.0.1:acme/team/api", "127.0.0.1:acme/web"]
    );
    assert_eq!(told.setting(&key, "write"), ["false", "true"]);
    let both: Vec<_> = told
        .credentials
        .iter()
        .filter(|one| one.key.0 == key)
        .collect();
    let print = both[0].handle.as_ref().map(|handle| handle.value.as_str());
    assert_eq!(print, Some(PUBLIC.1));
    let used: Vec<_> = both.iter().map(|one| one.last_used).collect();
    assert_eq!(used, [at("2026-11-01T00:00:00Z"), Known::Unsupported]);
    assert_eq!(both[0].expires, Known::Never);
    let ssh = told.credential(&format!("{HOST}:ssh-key:15"));
    assert_eq!(
        (&ssh.handle, ssh.last_used),
        (&both[0].handle, Known::Never)
    );

    let trigger = told.credential(&format!("{HOST}:pipeline-trigger:10"));
    assert_eq!((trigger.last_used, trigger.secret), (Known::Never, None));
    let by = told.claims_of(&format!("{HOST}:pipeline-trigger:10"));
    assert_eq!(by[1], "dora Owner GET /projects/11/triggers");

    let open = format!("{HOST}:webhook:32");
    assert_eq!(told.setting(&open, "url-scheme"), ["http"]);
    assert_eq!(told.setting(&open, "url-host"), ["ci.acme.test"]);
    assert_eq!(told.setting(&open, "url-parameter"), ["token"]);
    assert_eq!(told.setting(&open, "verifies-certificate"), ["false"]);
    assert_eq!(told.setting(&open, "event"), ["push"]);
    assert_eq!(
        told.setting(&open, "has-secret"),
        Vec::<&str>::new(),
        "nobody tells"
    );
    let hook = told.credential(&format!("{HOST}:webhook:33"));
    assert_eq!(
        hook.name.as_deref(),
        Some("127.0.0.1:acme/web webhook to ci.acme.test: X-Api-Key")
    );

    let app = format!("{HOST}:application:5");
    assert_eq!(
        told.setting(&app, "callback-host"),
        ["grafana.acme.test", "b.acme.test"]
    );
    assert_eq!(told.setting(&app, "callback-scheme"), ["http", "https"]);
    assert_eq!(told.setting(&app, "client-id"), ["client-id-of-grafana"]);
    assert_eq!(told.credential(&app).expires, Known::Never);
    let deploy = told.credential(&format!("{HOST}:deploy-token:21"));
    assert_eq!(
        (deploy.expires, deploy.created),
        (Known::Never, Known::Unsupported)
    );
}

#[test]
fn settings_and_owners_are_told() {
    let told = World::new(acme()).sweep(&|_| {});
    let web = "127.0.0.1:acme/web";
    for (name, value) in [
        ("visibility", "private"),
        ("fork", "false"),
        ("fork-pipelines-in-parent", "true"),
        ("job-token-inbound-limited", "false"),
        ("variables-overridden-by", "developer"),
        ("default-branch-protected", "true"),
        ("default-branch-force-push", "true"),
        ("default-branch-pushed-by", "developers"),
    ] {
        assert_eq!(told.setting(web, name), [value], "{name}");
    }
    assert_eq!(
        told.setting("127.0.0.1:acme/team/api", "default-branch-protected"),
        ["false"]
    );
    assert_eq!(
        told.setting("127.0.0.1:acme", "requires-second-factor"),
        ["false"]
    );
    let production = "127.0.0.1:acme/web@production";
    assert_eq!(told.setting(production, "protected"), ["true"]);
    assert_eq!(told.setting(production, "required-reviewers"), ["2"]);
    assert_eq!(told.setting(production, "deployed-by"), ["maintainers"]);
    assert_eq!(
        told.setting("127.0.0.1:acme/web@review/a", "protected"),
        ["false"]
    );
    let schedule = "127.0.0.1:acme/web#schedule-4";
    assert_eq!(
        told.claims_of(schedule),
        ["dora Owner GET /projects/11/pipeline_schedules/4"]
    );
    assert_eq!(
        told.claims_of(web),
        ["carl Maintainer GET /projects/11/members"]
    );
    let api = "127.0.0.1:acme/team/api";
    assert_eq!(
        told.claims_of(api),
        ["dora Maintainer GET /groups/1/members"],
        "from above"
    );
    let slot = "127.0.0.1:acme/web@review/*:gitlab.variable:DEPLOY_TOKEN";
    assert_eq!(
        told.claims_of(slot),
        ["carl Maintainer GET /projects/11/members"]
    );
}

#[test]
fn the_count_is_exact_and_leads_go_nowhere_else() {
    let world = World::new(acme());
    let told = world.sweep(&|_| {});
    for (scope, what, count) in [
        ("acme", "groups", (Some(1), 1, true)),
        ("acme", "repositories", (Some(3), 3, true)),
        ("acme", "gitlab.variable", (Some(2), 2, true)),
        ("acme/web", "gitlab.variable", (Some(3), 3, true)),
        ("acme/team/api", "gitlab.variable", (Some(0), 0, true)),
        ("acme/web", "variables of schedules", (Some(1), 1, true)),
        ("acme", "personal access tokens", (None, 0, true)),
        ("", "personal access tokens", (Some(4), 4, true)),
        ("acme/team/api", "gitlab.secure-file", (None, 0, false)),
        ("acme/team/api", "protected environments", (None, 0, true)),
    ] {
        assert_eq!(
            told.count(&format!("{HOST}:{scope}"), what),
            Some(count),
            "{scope} {what}"
        );
    }
    let leads: Vec<String> = told
        .leads
        .iter()
        .map(|lead| world.plain(&format!("{} {}", lead.name, lead.address)))
        .collect();
    assert_eq!(
        leads,
        [
            "acme/team/api http://host/acme/team/api.git",
            "acme/web http://host/acme/web.git",
        ]
    );
    let gaps: Vec<String> = told.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(gaps.len(), 2, "{gaps:#?}");
    assert!(
        gaps.iter()
            .any(|gap| gap.contains("secure-file") && gap.contains("Developer"))
    );
    assert!(gaps.iter().any(|gap| gap.contains("its path is none")));
}

#[test]
fn without_need_no_value_leaves_the_host() {
    let world = World::new(acme());
    let told = world.sweep(&|_| {});
    let asked = world.host().paths("GET");
    assert!(
        !asked.iter().any(|path| path.ends_with("/variables")),
        "{asked:?}"
    );
    assert_eq!(
        world.host().paths("POST").into_iter().collect::<Vec<_>>(),
        ["/api/graphql"]
    );
    // A host that does not know the query is asked for its lists; they tell the same.
    let mut host = acme();
    host.queries_are_old = true;
    let old = World::new(host);
    let lists = old.sweep(&|_| {});
    assert!(
        old.host()
            .paths("GET")
            .contains("/api/v4/projects/11/variables")
    );
    let slots = |told: &keymuster_support::Told| format!("{:#?}", told.slots);
    assert_eq!(slots(&told), slots(&lists));
    assert_eq!(told.coverage, lists.coverage);
}

#[test]
fn values_are_dropped_named_or_searched() {
    let world = World::new(acme());
    let key = format!("{HOST}:acme/web:gitlab.variable:DEPLOY_TOKEN");
    let seen = |values: Values| {
        let told = world.sweep(&|spec| spec.values = values);
        let kinds: Vec<String> = told
            .credentials
            .iter()
            .filter(|one| one.key.0 == key)
            .map(|one| one.kind.clone())
            .collect();
        let trigger = |id| {
            told.credential(&format!("{HOST}:pipeline-trigger:{id}"))
                .secret
        };
        (told.slot(&key).secret, kinds, trigger(10), trigger(9))
    };
    let secret = Some(Finder.seal(b"CANARYvariable"));
    let whole = Some(Finder.seal(b"whole-token-of-a-trigger-CANARYtrigger"));
    assert_eq!(seen(Values::Never), (None, vec![], None, None));
    assert_eq!(seen(Values::Fingerprint), (secret, vec![], whole, None));
    let canary = vec!["test.canary".to_owned()];
    assert_eq!(seen(Values::Detect), (secret, canary, whole, None));
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
            .insert("/api/v4/projects/11/hooks".to_owned(), Reply::default());
        let mut world = World::new(host);
        let memo = Arc::new(Remembers::default());
        world.memo = Some(Arc::clone(&memo) as Arc<dyn Memo>);
        let live = world.sweep(&|spec| {
            spec.values = values;
            spec.record = Some(path.clone());
        });
        let again = world.sweep(&|spec| spec.values = values);
        assert_eq!(live, again, "what is remembered tells the same");
        let calls = world.host().calls();
        world.memo = None;
        let offline = world.sweep(&|spec| {
            spec.values = values;
            spec.token = None;
            spec.replay = Some(path.clone());
        });
        assert_eq!(live, offline);
        assert_eq!(world.host().calls(), calls);
        assert!(
            live.gaps
                .iter()
                .any(|gap| gap.subject == "127.0.0.1:acme/web: webhooks")
        );
        let recorded = std::fs::read_to_string(path.join("calls.jsonl")).expect("the recording");
        for text in [&recorded, &format!("{live:?}"), &memo.text()] {
            let at = text.find("CANARY").map(|at| at.saturating_sub(100));
            assert!(
                at.is_none(),
                "{}",
                text[at.unwrap_or(0)..]
                    .chars()
                    .take(300)
                    .collect::<String>()
            );
            assert!(!text.contains("t0ken"));
        }
    }
}

#[test]
fn one_denied_list_costs_only_its_own_count() {
    let whole = World::new(acme()).sweep(&|_| {});
    let mut host = acme();
    for id in [11, 12] {
        let refused = Route::Refuse(403, "403 Forbidden");
        host.routes
            .insert(format!("/projects/{id}/deploy_keys"), refused);
    }
    let told = World::new(host).sweep(&|_| {});
    let differs: Vec<_> = whole
        .coverage
        .iter()
        .filter(|row| !told.coverage.contains(row))
        .map(|row| (row.scope.as_str(), row.what.as_str()))
        .collect();
    let keys = "deploy keys";
    assert_eq!(
        differs,
        [
            ("127.0.0.1:acme/team/api", keys),
            ("127.0.0.1:acme/web", keys)
        ]
    );
    let denied: Vec<_> = told
        .gaps
        .iter()
        .filter(|gap| gap.subject.contains("2 scopes"))
        .collect();
    assert_eq!(denied.len(), 1, "one reason is one gap: {:?}", told.gaps);
    assert!(
        denied[0]
            .reason
            .contains("the role Maintainer of the project")
    );
}

#[test]
fn nothing_but_declared_endpoints_is_read() {
    let world = World::new(acme());
    world.sweep(&|spec| spec.values = Values::Detect);
    world.doctor(&|_| {}).expect("a look");
    let known = include_str!("../../../../fixtures/gitlab/endpoints.txt");
    let patterns: Vec<Vec<&str>> = known
        .lines()
        .filter(|line| line.starts_with('/'))
        .map(|path| path.split('/').collect())
        .collect();
    for path in world.host().paths("GET") {
        let path = path.strip_prefix("/api/v4").expect("the interface");
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
    for method in ["PUT", "PATCH", "DELETE", "HEAD"] {
        assert!(world.host().paths(method).is_empty(), "{method}");
    }
    let sent = world.host().asked();
    let with_token = sent
        .iter()
        .all(|asked| asked.header("private-token") == Some("t0ken"));
    assert!(with_token && sent.iter().all(|asked| !asked.target.contains("t0ken")));
}

#[test]
fn what_was_left_out_is_not_asked_and_a_stopped_run_says_what_it_did_not_see() {
    let world = World::new(acme());
    let told = world.sweep(&|spec| {
        spec.leave_out = vec!["webhooks".to_owned(), "gitlab.variable".to_owned()];
        spec.clones = false;
        spec.instance = false;
    });
    assert!(told.leads.is_empty() && told.count("127.0.0.1:acme", "webhooks").is_none());
    let asked = world.host().paths("GET");
    assert!(
        !asked
            .iter()
            .any(|path| path.ends_with("/hooks") || path.contains("/admin/"))
    );
    assert!(
        told.keys()
            .iter()
            .all(|key| !key.ends_with("access-token:61")),
        "not asked for"
    );
    let (_folder, path) = folder();
    let world = World::new(acme());
    world.cancel.cancel();
    let told = world.sweep(&|spec| spec.record = Some(path.clone()));
    assert!(told.gaps.iter().all(|gap| gap.kind == GapKind::Cancelled) && !told.gaps.is_empty());
    assert!(!path.join("calls.jsonl").exists());
    assert_eq!(world.host().calls(), 0);
}

#[test]
fn a_whole_instance_is_read_without_a_group() {
    let mut host = acme();
    let group = json!({"id": 1, "full_path": "acme", "parent_id": null});
    host.routes.insert("/groups".to_owned(), list(vec![group]));
    let projects = host
        .routes
        .get("/groups/acme/projects")
        .cloned()
        .expect("projects");
    host.routes.insert("/projects".to_owned(), projects);
    let world = World::new(host);
    let told = world.sweep(&|spec| spec.group = None);
    assert_eq!(
        told.count("127.0.0.1:", "repositories"),
        Some((Some(3), 3, true))
    );
    assert_eq!(told.count("127.0.0.1:", "groups"), Some((Some(1), 1, true)));
    told.slot("127.0.0.1:acme/web:gitlab.variable:DEPLOY_TOKEN");
    assert!(told.others[0].contains("127.0.0.1"), "{:?}", told.others);
    // Who is no administrator reads what is one's own, not all that is public.
    let from = world.host().calls() as usize;
    world.sweep(&|spec| {
        spec.group = None;
        spec.instance = false;
    });
    let asked = &world.host().asked()[from..];
    let of = |path: &str| asked.iter().find(|asked| asked.path().ends_with(path));
    let projects = of("/api/v4/projects").expect("asked");
    assert_eq!(projects.parameter("membership"), Some("true"));
    let groups = of("/api/v4/groups").expect("asked");
    assert_eq!(groups.parameter("all_available"), Some("false"));
}

#[test]
fn answers_of_a_wrong_form_cost_themselves() {
    let mut host = acme();
    let broken = list(vec![
        json!(7),
        json!({"name": "no id"}),
        json!({"id": {"x": 1}}),
        json!({"id": 99, "scopes": "api", "expires_at": 7, "revoked": "maybe", "access_level": "high", "user_id": [1]}),
    ]);
    host.routes
        .insert("/projects/11/access_tokens".to_owned(), broken);
    let told = World::new(host).sweep(&|_| {});
    let token = told.credential("127.0.0.1:access-token:99");
    assert_eq!(
        (token.status, token.expires),
        (Status::Active, Known::Never)
    );
    assert_eq!(
        told.count("127.0.0.1:acme/web", "project access tokens"),
        Some((Some(4), 1, false))
    );
    assert!(
        told.gaps
            .iter()
            .any(|gap| gap.kind == GapKind::Corrupt && gap.reason.contains("3 entries"))
    );
}
