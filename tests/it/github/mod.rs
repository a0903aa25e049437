//! An organisation of GitHub, audited by the program over the network: what was planted is
//! found, whatever the network does; and the same without it.

mod estate;
mod names;

use std::{
    collections::BTreeSet,
    process::Stdio,
    time::{Duration, Instant},
};

use keymuster_simulator::{Host, Reply, Running};
use serde_json::{Value, json};

use crate::{
    hosts::{assert_clean, audit, by_key, failing, found, record},
    world::{World, secret},
};
use estate::{CANARY, Estate, NOW};

const TOKEN: &str = "t0ken-of-the-auditor";
/// The checks whose defects are planted; others may have their own word.
const PLANTED: [&str; 5] = ["INV-01", "LIF-02", "LIF-03", "LIF-06", "PRV-02"];

/// A world with the register, the directory and a configuration; `more` is added to the
/// connector's table.
fn world(register: &str, address: &str, more: &str) -> World {
    let world = World::new();
    world.write("seal.key", "07".repeat(32));
    world.write("state/.keep", "");
    world.write("token", format!("{TOKEN}\n"));
    world.write("inventory.csv", register);
    world.write("people.csv", estate::people());
    configure(&world, address, more);
    world
}

fn configure(world: &World, address: &str, more: &str) {
    world.write(
        "keymuster.toml",
        format!(
            "estate = \"acme\"\n[state]\ndir = \"state\"\nseal = {{ file = \"seal.key\" }}\n\
             [[inventory]]\nname = \"register\"\nfile = \"inventory.csv\"\n\
             [[people]]\nfile = \"people.csv\"\n[policy]\npreset = \"cis\"\n\
             [[connector]]\ntype = \"github\"\norganization = \"acme\"\nbase = \"{address}\"\n\
             token = {{ file = \"token\" }}\nvalues = \"detect\"\n{more}\n\
             [report]\ndir = \"out\"\nformats = [\"json\", \"csv\", \"html\", \"sarif\"]\n"
        ),
    );
}

#[test]
fn forty_planted_defects_are_found_whatever_the_network_does_and_offline_too() {
    let Estate {
        mut host,
        register,
        expected,
        defects,
        kinds,
        ..
    } = Estate::new(TOKEN);
    assert!(
        defects >= 40 && kinds.len() >= 20,
        "{defects} defects of {} kinds",
        kinds.len()
    );
    host.failing = failing();
    let broken = Reply {
        status: 500,
        ..Reply::default()
    };
    host.broken
        .insert("/repos/acme/r003/hooks".to_owned(), broken);
    let running = Running::start(host);
    let world = world(&register, running.server.address(), "record = \"tape\"");
    let ran = audit(&world);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let live = record(&world);
    let told = by_key(&live, found(&live, &PLANTED));
    let missing: Vec<_> = expected.difference(&told).collect();
    let more: Vec<_> = told.difference(&expected).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "not found: {missing:#?}\nnot planted: {more:#?}"
    );
    // One list could not be seen, and nothing else: all other counts are whole.
    let coverage = live["coverage"].as_array().expect("coverage");
    let partial: Vec<(&str, &str)> = coverage
        .iter()
        .filter(|row| row["complete"] == json!(false))
        .map(|row| {
            (
                row["scope"].as_str().unwrap_or_default(),
                row["what"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(partial, [("127.0.0.1:acme/r003", "webhooks")]);
    for row in coverage.iter().filter(|row| row["complete"] == json!(true)) {
        assert!(
            row["expected"].is_null() || row["expected"] == row["received"],
            "{row}"
        );
    }
    let secrets = [TOKEN.to_owned(), CANARY.to_owned()];
    assert_clean(&world, &ran, &secrets);
    // The same without the network.
    let calls = running.host.calls();
    let address = running.server.address().to_owned();
    drop(running.server);
    std::fs::rename(world.path("state"), world.path("state-of-live")).expect("a folder");
    world.write("state/.keep", "");
    configure(&world, &address, "replay = \"tape\"");
    let ran = world.run(&["audit", "--now", NOW, "--quiet", "--offline"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(record(&world), live, "live and offline differ");
    assert_eq!(running.host.calls(), calls);
}

#[test]
fn a_run_that_was_killed_five_times_ends_as_one_that_was_not() {
    let estate = Estate::new(TOKEN);
    let register = estate.register.clone();
    let quiet = Running::start(estate.host);
    let whole = world(&register, quiet.server.address(), "");
    assert_eq!(audit(&whole).code, 1);
    let expected = record(&whole);
    let calls = quiet.host.calls();
    let mut host = Estate::new(TOKEN).host;
    host.failing = failing();
    let running = Running::start(host);
    let killed = world(&register, running.server.address(), "");
    let mut kills = 0;
    for share in [3, 17, 29, 41, 53] {
        let stop = running.host.calls() + calls * share / 100;
        let mut child = killed
            .command(&["audit", "--now", NOW, "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let began = Instant::now();
        while running.host.calls() < stop && began.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if child.try_wait().expect("a child").is_none() {
            child.kill().expect("killed");
            kills += 1;
        }
        child.wait().expect("ended");
    }
    assert_eq!(kills, 5);
    assert_eq!(audit(&killed).code, 1);
    // Addresses hold the port; everything else is the same.
    let plain = |document: &Value, address: &str| document.to_string().replace(address, "HOST");
    assert_eq!(
        plain(&record(&killed), running.server.address()),
        plain(&expected, quiet.server.address())
    );
}

/// Two repositories at the host hold a token that the audit log knows by its hash, one that
/// the list of authorisations knows by its end, and the private half of a deploy key.
#[test]
fn what_lies_in_cloned_repositories_meets_what_the_host_lists() {
    let seeds = World::new();
    let logged = secret("{github-token:ghp_}", 91);
    let authorised = secret("{github-token:gho_}", 92);
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(seeds.path("id"))
        .status()
        .expect("ssh-keygen runs");
    assert!(made.success());
    let (private, public) = (seeds.read("id"), seeds.read("id.pub"));
    seeds.write("work/web/deploy.sh", format!("export TOKEN={logged}\n"));
    seeds.write("work/api/key.pem", &private);
    seeds.write(
        "work/api/run.sh",
        format!("curl -H 'Authorization: bearer {authorised}'\n"),
    );
    for repo in ["web", "api"] {
        seeds.commit_all(&format!("work/{repo}"), "2026-01-01T00:00:00Z", "one");
        let bare = seeds.path(&format!("srv/acme/{repo}.git"));
        seeds.git(
            &format!("work/{repo}"),
            &[
                "clone",
                "--quiet",
                "--bare",
                ".",
                bare.to_str().expect("a path"),
            ],
        );
    }
    let mut estate = Estate::new(TOKEN);
    let hash = {
        use sha2::Digest as _;
        data_encoding::BASE64.encode(&sha2::Sha256::digest(&logged))
    };
    let mut set = |path: &str, member, items: Vec<Value>| {
        estate.host.routes.insert(
            path.to_owned(),
            keymuster_simulator::Route::List(member, items),
        );
    };
    set(
        "/orgs/acme/repos",
        None,
        ["web", "api"]
            .map(|name| json!({"name": name, "full_name": format!("acme/{name}"), "private": true}))
            .to_vec(),
    );
    set(
        "/orgs/acme/audit-log",
        None,
        vec![
            json!({"@timestamp": 1_790_000_100_000_i64, "action": "git.clone", "actor": "dora", "hashed_token": hash, "programmatic_access_type": "Personal access token (classic)", "token_scopes": "repo"}),
        ],
    );
    set(
        "/orgs/acme/credential-authorizations",
        None,
        vec![
            json!({"login": "alice@acme.test", "credential_id": 5, "credential_type": "OAuth app token", "token_last_eight": authorised[authorised.len() - 8..], "scopes": ["repo"], "credential_accessed_at": "2026-11-01T00:00:00Z"}),
        ],
    );
    for repo in ["web", "api"] {
        for (path, member) in [
            ("actions/secrets", Some("secrets")),
            ("actions/variables", Some("variables")),
            ("dependabot/secrets", Some("secrets")),
            ("codespaces/secrets", Some("secrets")),
            ("agents/secrets", Some("secrets")),
            ("agents/variables", Some("variables")),
            ("environments", Some("environments")),
            ("hooks", None),
            ("teams", None),
        ] {
            set(&format!("/repos/acme/{repo}/{path}"), member, vec![]);
        }
        let keys = if repo == "web" {
            vec![
                json!({"id": 1, "key": public.trim(), "title": "ci", "read_only": false, "created_at": "2026-10-01T00:00:00Z", "last_used": "2026-11-20T00:00:00Z", "enabled": true}),
            ]
        } else {
            vec![]
        };
        set(&format!("/repos/acme/{repo}/keys"), None, keys);
    }
    estate.host.bulk.clear();
    estate.host.git = Some(seeds.path("srv"));
    let running = Running::start(estate.host);
    let world = world(
        &estate.register,
        running.server.address(),
        "clone = true\nleave-out = [\"actions policy\", \"default token permissions\", \"OIDC subject\"]",
    );
    let ran = audit(&world);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let document = record(&world);
    let credentials = document["credentials"].as_array().expect("credentials");
    let joined = |end: &str| -> Vec<String> {
        let of = credentials.iter().filter(|one| {
            let subject = one["subject"].as_str().unwrap_or_default();
            let aliases = one["aliases"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            aliases.chain([subject]).any(|name| name.contains(end))
        });
        of.map(ToString::to_string).collect()
    };
    for (key, place) in [
        ("127.0.0.1:token:", "deploy.sh"),
        ("127.0.0.1:authorisation:5", "run.sh"),
        ("127.0.0.1:deploy-key:1", "key.pem"),
    ] {
        let all = joined(key);
        assert_eq!(all.len(), 1, "{key}: {all:?}");
        assert!(
            all[0].contains(place),
            "{key} does not meet {place}: {}",
            all[0]
        );
    }
    assert_clean(
        &world,
        &ran,
        &[
            TOKEN.to_owned(),
            logged.clone(),
            authorised.clone(),
            private.lines().nth(1).expect("a line").to_owned(),
        ],
    );
    let posts: BTreeSet<String> = running.host.paths("POST");
    assert!(
        posts
            .iter()
            .all(|path| path.ends_with("/graphql") || path.ends_with("/git-upload-pack")),
        "{posts:?}"
    );
    // The second night: what did not change is neither fetched nor asked for in full.
    let packs = |host: &Host| {
        host.asked()
            .iter()
            .filter(|asked| {
                asked.method == "POST"
                    && String::from_utf8_lossy(&asked.body).contains("command=fetch")
            })
            .count()
    };
    let before = packs(&running.host);
    assert_eq!(audit(&world).code, 1);
    assert_eq!(packs(&running.host), before);
}

#[test]
fn the_doctor_says_which_permission_is_missing() {
    let mut host = Estate::new(TOKEN).host;
    host.routes.insert(
        "/orgs/acme/installations".to_owned(),
        keymuster_simulator::Route::Refuse(403, "Resource not accessible by integration"),
    );
    let running = Running::start(host);
    let world = world("Record ID,Name\n", running.server.address(), "");
    let ran = world.run(&["connectors", "doctor"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains(
            "missing: organization_administration: read: GET /orgs/{org}/installations is denied"
        ),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("unseen stay installed GitHub Apps"));
    configure(&world, running.server.address(), "organisation = \"x\"");
    let ran = world.run(&["connectors", "doctor"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("organization"), "{}", ran.stderr);
}
