//! Who one is: scopes, roles, editions; what is missing, and what is refused.

use keymuster_api::Connector as _;
use keymuster_gitlab::countable;
use keymuster_simulator::Route;
use serde_json::json;

use crate::world::{World, acme, list, quiet};

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_asked() {
    let world = World::new(acme());
    let refused =
        |change: crate::world::Change<'_>| world.connector(change).err().unwrap_or_default();
    for (base, why) in [
        ("gitlab.com", "no address"),
        ("http://git.acme.test/api/v4", "unencrypted"),
        ("https://u:p@git.acme.test/api/v4", "more than an address"),
        ("https://git.acme.test", "/api/v4"),
    ] {
        let said = refused(&|spec| spec.base = base.to_owned());
        assert!(said.contains(why), "{base}: {said}");
    }
    for group in ["", "/", "a/../b", "a b", "a?x", ".."] {
        let said = refused(&|spec| spec.group = Some(group.to_owned()));
        assert!(said.contains("no path of a group"), "{group}: {said}");
    }
    assert!(refused(&|spec| spec.token = None).contains("there is no token"));
    let said = refused(&|spec| spec.leave_out = vec!["webhook".to_owned()]);
    assert!(said.contains("webhooks"), "{said}");
    assert!(countable().contains(&"gitlab.variable"));
    let own = world
        .connector(&|spec| spec.base = "https://acme.test/git/api/v4/".to_owned())
        .expect("a connector");
    assert_eq!(own.git_base(), "https://acme.test/git");
    assert_eq!(own.about().label, "gitlab acme");
    assert_eq!(world.host().calls(), 0);
}

#[test]
fn the_doctor_says_which_scope_and_which_role_is_missing() {
    let world = World::new(acme());
    let seen = world.doctor(&|_| {}).expect("a look");
    assert_eq!(
        seen.summary,
        "the token of the administrator auditor sees acme with 3 projects"
    );
    assert_eq!(
        seen.missing,
        Vec::<String>::new(),
        "nothing is missing here"
    );
    let mut host = acme();
    let mut set = |path: &str, route: Route| host.routes.insert(path.to_owned(), route);
    set(
        "/personal_access_tokens/self",
        Route::One(json!({"scopes": ["read_api", "sudo"]})),
    );
    set("/groups/1/variables", Route::Refuse(403, "403 Forbidden"));
    set(
        "/projects/11/hooks",
        Route::Refuse(
            403,
            "insufficient_scope: The request requires higher privileges than provided by the access token.",
        ),
    );
    set("/applications", Route::Refuse(401, "401 Unauthorized"));
    let world = World::new(host);
    let missing = world.doctor(&|_| {}).expect("a look").missing.join("\n");
    for text in [
        "read_repository: the token lacks this scope; unseen stays what is in the repositories",
        "may do more than it needs (sudo)",
        "the role Owner of the group (read_api): GET /groups/{group}/variables is denied",
        "unseen stay variables of groups",
        "GET /projects/{project}/hooks is denied (the token's scope is too narrow",
        "an administrator's token (read_api, admin_mode): GET /applications is denied",
    ] {
        assert!(missing.contains(text), "{text} is not said:\n{missing}");
    }
    let world = World::new(acme());
    let none = world.doctor(&|spec| spec.group = Some("nobody".to_owned()));
    assert!(none.expect_err("no group").contains("nobody is not seen"));
}

#[test]
fn the_community_edition_is_not_asked_for_what_it_lacks() {
    let mut host = acme();
    let edition = json!({"version": "18.5.0", "enterprise": false});
    host.routes
        .insert("/metadata".to_owned(), Route::One(edition));
    let world = World::new(host);
    let told = world.sweep(&|_| {});
    let asked = world.host().paths("GET");
    for paid in ["service_accounts", "manage/", "protected_environments"] {
        assert!(
            !asked.iter().any(|path| path.contains(paid)),
            "{paid} was asked for"
        );
    }
    assert!(asked.iter().any(|path| path.ends_with("secure_files")));
    let paid = told.count("127.0.0.1:acme", "service accounts");
    assert_eq!(
        paid,
        Some((None, 0, true)),
        "there are none, which is all of them"
    );
    assert_eq!(
        told.setting("127.0.0.1:acme/web@production", "protected"),
        Vec::<&str>::new()
    );
}

#[test]
fn hidden_refused_and_not_there_are_three_things() {
    let mut host = acme();
    quiet(&mut host, 14, "acme/hidden");
    for (path, route) in [
        ("/groups/2/members", Route::Refuse(404, "404 Not Found")),
        ("/groups/2/hooks", Route::Refuse(404, "404 Not Found")),
        (
            "/groups/2/deploy_tokens",
            Route::Refuse(403, "403 Forbidden"),
        ),
        (
            "/groups/2/access_tokens",
            Route::Refuse(404, "404 Group Not Found"),
        ),
    ] {
        host.routes.insert(path.to_owned(), route);
    }
    let told = World::new(host).sweep(&|_| {});
    let gap = |what: &str| -> Vec<String> {
        let of = told
            .gaps
            .iter()
            .filter(|gap| gap.subject == format!("127.0.0.1:acme/team: {what}"));
        of.map(ToString::to_string).collect()
    };
    assert!(gap("members")[0].contains("hidden from this token; it needs any role"));
    assert!(gap("members")[0].ends_with("(denied)"));
    assert!(
        gap("deploy tokens")[0].contains("refused: 403 Forbidden; it needs the role Maintainer")
    );
    assert!(gap("group access tokens")[0].ends_with("(missing)"));
    assert_eq!(
        gap("webhooks"),
        Vec::<String>::new(),
        "this edition has none"
    );
    assert_eq!(
        told.count("127.0.0.1:acme/team", "webhooks"),
        Some((None, 0, true))
    );
}

#[test]
fn a_refused_token_is_told_once_for_each_list_and_nothing_is_found() {
    let world = World::new(acme());
    let told = world.sweep(&|spec| {
        spec.token = Some(zeroize::Zeroizing::new("wr0ng".to_owned()));
    });
    assert!(told.credentials.is_empty() && told.slots.is_empty());
    assert!(
        told.gaps
            .iter()
            .all(|gap| gap.reason.contains("the token is refused"))
    );
    assert!(
        told.coverage.iter().all(|row| !row.complete),
        "{:?}",
        told.coverage
    );
    let text = format!("{told:?}");
    assert!(!text.contains("wr0ng"));
    let mut host = acme();
    host.routes
        .insert("/groups/acme/projects".to_owned(), list(vec![]));
    let told = World::new(host).sweep(&|_| {});
    assert_eq!(
        told.count("127.0.0.1:acme", "repositories"),
        Some((Some(0), 0, true))
    );
}
