//! Who one is, and what that person may not see.

use keymuster_github::{GithubConnector, GithubSpec, Login, Values};
use keymuster_http::Patience;
use keymuster_simulator::Route;
use serde_json::json;
use zeroize::Zeroizing;

use crate::world::{TOKEN, World, acme};

/// An RSA key made now: nothing in the tree is a key.
fn key() -> Option<String> {
    let output = std::process::Command::new("openssl")
        .args(["genrsa", "2048"])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn an_app_asks_for_its_token_once_and_uses_it() {
    let key = key().expect("openssl makes a key");
    let mut host = acme();
    host.installation = Some((42, TOKEN.to_owned()));
    let world = World::new(host);
    let app = |installation, key: &str| Login::App {
        id: "7".to_owned(),
        installation,
        key: Zeroizing::new(key.to_owned()),
    };
    let told = world.sweep(&|spec| spec.login = Some(app(42, &key)));
    assert_eq!(
        told.count("127.0.0.1:acme", "actions.secret"),
        Some((Some(2), 2, true))
    );
    let minted = world
        .host
        .asked()
        .iter()
        .filter(|asked| asked.path().ends_with("/access_tokens"))
        .count();
    assert_eq!(minted, 1);
    let error = world
        .doctor(&|spec| spec.login = Some(app(43, &key)))
        .expect_err("no such installation");
    assert!(error.contains("no installation 43"), "{error}");
    let error = world
        .doctor(&|spec| spec.login = Some(app(42, "-----BEGIN X-----\nAAAA\n-----END X-----")))
        .expect_err("no key");
    assert!(error.contains("no RSA private key"), "{error}");
}

#[test]
fn a_wrong_token_is_told_with_what_to_do_and_never_itself() {
    let world = World::new(acme());
    for token in ["wrong-t0k3n", "wrong\nt0k3n"] {
        let change = |spec: &mut GithubSpec| {
            spec.login = Some(Login::Token(Zeroizing::new(token.to_owned())))
        };
        let error = world.doctor(&change).expect_err("refused");
        assert!(
            error.contains("is refused") || error.contains("line break"),
            "{error}"
        );
        assert!(!error.contains("t0k3n"));
        let told = world.sweep(&change);
        assert!(!told.gaps.is_empty() && told.credentials.is_empty());
        assert!(told.coverage.iter().all(|row| !row.complete));
    }
}

#[test]
fn the_doctor_names_the_permission_and_what_stays_unseen() {
    let mut host = acme();
    host.routes
        .insert("/user".to_owned(), Route::One(json!({"login": "auditor"})));
    host.routes.insert(
        "/orgs/acme/installations".to_owned(),
        Route::Refuse(403, "Resource not accessible by personal access token"),
    );
    host.routes.remove("/repos/acme/web/keys");
    host.routes.remove("/orgs/acme/credential-authorizations");
    let world = World::new(host);
    let look = world.doctor(&|_| {}).expect("a look");
    assert_eq!(
        look.summary,
        "the token of auditor sees acme with 3 repositories"
    );
    let has = |words: &[&str]| {
        look.missing
            .iter()
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(
        has(&[
            "organization_administration: read",
            "/orgs/{org}/installations",
            "denied",
            "installed GitHub Apps"
        ]),
        "{:#?}",
        look.missing
    );
    assert!(has(&[
        "administration: read",
        "/repos/{owner}/{repo}/keys",
        "deploy keys"
    ]));
    assert!(has(&[
        "credential-authorizations",
        "unsupported",
        "classic tokens"
    ]));
    assert!(has(&["codespaces", "apps cannot read it"]));
    assert_eq!(look.missing.len(), 4, "{:#?}", look.missing);
    let look = world
        .doctor(&|spec| {
            spec.leave_out = [
                "app installations",
                "deploy keys",
                "authorised credentials",
                "codespaces.secret",
            ]
            .map(str::to_owned)
            .to_vec();
        })
        .expect("a look");
    assert_eq!(look.missing, Vec::<String>::new());
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused_with_the_next_step() {
    let spec = GithubSpec {
        organization: "acme".to_owned(),
        base: "https://api.github.com".to_owned(),
        login: Some(Login::Token(Zeroizing::new("x".to_owned()))),
        values: Values::Never,
        leave_out: Vec::new(),
        clones: false,
        record: None,
        replay: None,
        patience: Patience::default(),
    };
    let refused = |change: &dyn Fn(&mut GithubSpec)| {
        let mut spec = spec.clone();
        change(&mut spec);
        GithubConnector::new(spec).err().expect("refused")
    };
    assert!(GithubConnector::new(spec.clone()).is_ok());
    assert!(
        refused(&|spec| spec.base = "http://ghe.acme.test/api/v3".to_owned())
            .contains("unencrypted")
    );
    assert!(refused(&|spec| spec.base = "ghe.acme.test".to_owned()).contains("is no address"));
    assert!(
        refused(&|spec| spec.base = "https://token@ghe.acme.test".to_owned())
            .contains("belongs into token")
    );
    assert!(
        refused(&|spec| spec.organization = "acme/app".to_owned())
            .contains("no name of an organisation")
    );
    assert!(refused(&|spec| spec.login = None).contains("there is no token"));
    assert!(refused(&|spec| spec.leave_out = vec!["hooks".to_owned()]).contains("webhooks"));
}
