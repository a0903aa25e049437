//! A group of GitLab, audited by the program over the network: what was planted is found,
//! whatever the network does; and the same without it.

mod estate;

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use keymuster_simulator::{Reply, Route, Running};
use serde_json::{Value, json};

use crate::{
    hosts::{assert_clean, audit, by_key, failing, found, record},
    world::{World, secret},
};
use estate::{CANARY, Estate, NOW};

const TOKEN: &str = "t0ken-of-the-auditor";
/// The checks whose defects are planted; others may have their own word.
const PLANTED: [&str; 5] = ["INV-01", "LIF-02", "LIF-03", "LIF-06", "EXP-02"];

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
             [[connector]]\ntype = \"gitlab\"\ngroup = \"acme\"\nbase = \"{address}/api/v4\"\n\
             token = {{ file = \"token\" }}\ninstance = true\nvalues = \"detect\"\n{more}\n\
             [report]\ndir = \"out\"\nformats = [\"json\", \"csv\", \"html\", \"sarif\"]\n"
        ),
    );
}

#[test]
fn planted_defects_are_found_whatever_the_network_does_and_offline_too() {
    let mut estate = Estate::new(TOKEN);
    assert!(
        estate.defects >= 40 && estate.kinds.len() >= 20,
        "{} defects of {} kinds",
        estate.defects,
        estate.kinds.len()
    );
    estate.host.failing = failing();
    let broken = Reply {
        status: 500,
        ..Reply::default()
    };
    estate
        .host
        .broken
        .insert("/api/v4/projects/1003/hooks".to_owned(), broken);
    let running = Running::start(estate.host);
    let world = world(&estate.register, running.address(), "record = \"tape\"");
    let ran = audit(&world);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let live = record(&world);
    let told = by_key(&live, found(&live, &PLANTED));
    let missing: Vec<_> = estate.expected.difference(&told).collect();
    let more: Vec<_> = told.difference(&estate.expected).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "not found: {missing:#?}\nnot planted: {more:#?}"
    );
    // One list could not be seen, and nothing else: all other counts are whole.
    let coverage = live["coverage"].as_array().expect("coverage");
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let partial: Vec<(String, String)> = coverage
        .iter()
        .filter(|row| row["complete"] == json!(false))
        .map(|row| (text(row, "scope"), text(row, "what")))
        .collect();
    let (_, path) = estate::project(3);
    assert_eq!(
        partial,
        [(format!("127.0.0.1:{path}"), "webhooks".to_owned())]
    );
    for row in coverage.iter().filter(|row| row["complete"] == json!(true)) {
        let is_exact = row["expected"].is_null() || row["expected"] == row["received"];
        assert!(is_exact, "{row}");
    }
    let mut secrets = vec![TOKEN.to_owned(), CANARY.to_owned()];
    secrets.extend(estate.secrets);
    assert_clean(&world, &ran, &secrets);
    // The same without the network.
    let calls = running.host.calls();
    let address = running.address().to_owned();
    let Running { host, server } = running;
    drop(server);
    std::fs::rename(world.path("state"), world.path("state-of-live")).expect("a folder");
    world.write("state/.keep", "");
    configure(&world, &address, "replay = \"tape\"");
    let ran = world.run(&["audit", "--now", NOW, "--quiet", "--offline"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(record(&world), live, "live and offline differ");
    assert_eq!(host.calls(), calls);
}

#[test]
fn a_run_that_was_killed_five_times_ends_as_one_that_was_not() {
    let estate = Estate::new(TOKEN);
    let register = estate.register.clone();
    let quiet = Running::start(estate.host);
    let whole = world(&register, quiet.address(), "");
    assert_eq!(audit(&whole).code, 1);
    let expected = record(&whole);
    let calls = quiet.host.calls();
    let mut host = Estate::new(TOKEN).host;
    host.failing = failing();
    let running = Running::start(host);
    let killed = world(&register, running.address(), "");
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
        plain(&record(&killed), running.address()),
        plain(&expected, quiet.address())
    );
}

/// A private project is cloned with the token, which is in no file, no argument and no address;
/// what lies in it meets what the host lists, and its pipeline says who uses which variable.
#[test]
fn what_lies_in_cloned_projects_meets_what_the_host_lists() {
    let seeds = World::new();
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(seeds.path("id"))
        .status()
        .expect("ssh-keygen runs");
    assert!(made.success());
    let (private, public) = (seeds.read("id"), seeds.read("id.pub"));
    let token = secret("{gitlab-routable:glpat-}", 31);
    seeds.write("work/web/key.pem", &private);
    seeds.write(
        "work/web/run.sh",
        format!("curl -H 'PRIVATE-TOKEN: {token}'\n"),
    );
    seeds.write(
        "work/web/.gitlab-ci.yml",
        "deploy:\n  environment: production\n  script:\n    - ./deploy --token \"$DEPLOY_TOKEN\" --key \"$SHARED_KEY\"\n",
    );
    seeds.write("work/web/CODEOWNERS", "* alice@acme.test\n");
    seeds.commit_all("work/web", "2026-01-01T00:00:00Z", "one");
    let bare = seeds.path("srv/acme/pay/web.git");
    let bare = bare.to_str().expect("a path");
    seeds.git("work/web", &["clone", "--quiet", "--bare", ".", bare]);
    let mut estate = Estate::new(TOKEN);
    let routes = &mut estate.host.routes;
    let mut set = |path: &str, items: Vec<Value>| {
        routes.insert(path.to_owned(), Route::List(None, items));
    };
    let (id, _) = estate::project(1);
    set(
        "/groups/acme/projects",
        vec![
            json!({"id": id, "path_with_namespace": "acme/pay/web", "visibility": "private", "default_branch": "main"}),
        ],
    );
    for what in [
        "access_tokens",
        "deploy_tokens",
        "triggers",
        "hooks",
        "pipeline_schedules",
        "secure_files",
    ] {
        set(&format!("/projects/{id}/{what}"), vec![]);
    }
    let variable = |key: &str, pattern: &str| json!({"key": key, "value": format!("{CANARY}{key}{pattern}"), "variable_type": "env_var", "protected": true, "masked": true, "environment_scope": pattern});
    set(
        &format!("/projects/{id}/variables"),
        vec![
            variable("DEPLOY_TOKEN", "prod*"),
            variable("DEPLOY_TOKEN", "*"),
            variable("UNUSED_TOKEN", "*"),
        ],
    );
    set("/groups/2/variables", vec![variable("SHARED_KEY", "*")]);
    set(
        &format!("/projects/{id}/deploy_keys"),
        vec![
            json!({"id": 1, "key": public.trim(), "title": "ci", "created_at": "2026-10-01T00:00:00Z", "expires_at": "2027-01-16T00:00:00Z", "can_push": true}),
        ],
    );
    estate.host.git = Some(seeds.path("srv"));
    let running = Running::start(estate.host);
    let world = world(&estate.register, running.address(), "clone = true");
    let ran = audit(&world);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let document = record(&world);
    let credentials = document["credentials"].as_array().expect("credentials");
    let of = |key: &str| -> &Value {
        let named = |one: &&Value| {
            let aliases = one["aliases"].as_array().into_iter().flatten();
            let names = aliases.chain([&one["subject"]]).filter_map(Value::as_str);
            names.into_iter().any(|name| name == key)
        };
        let found = credentials.iter().find(named);
        found.unwrap_or_else(|| panic!("{key} is none of {credentials:#?}"))
    };
    let key = of("127.0.0.1:deploy-key:1").to_string();
    assert!(
        key.contains("key.pem"),
        "the key does not meet its private half: {key}"
    );
    for (slot, used) in [
        ("acme/pay/web@prod*:gitlab.variable:DEPLOY_TOKEN", true),
        ("acme/pay:gitlab.variable:SHARED_KEY", true),
        ("acme/pay/web:gitlab.variable:DEPLOY_TOKEN", false),
        ("acme/pay/web:gitlab.variable:UNUSED_TOKEN", false),
    ] {
        let of = of(&format!("127.0.0.1:{slot}")).to_string();
        assert_eq!(of.contains(".gitlab-ci.yml#deploy"), used, "{slot}: {of}");
    }
    // CODEOWNERS of the project owns what the project holds.
    let own = of("127.0.0.1:acme/pay/web:gitlab.variable:UNUSED_TOKEN");
    assert_eq!(own["owner"], json!("alice@acme.test"), "{own}");
    let above = of("127.0.0.1:acme/pay:gitlab.variable:SHARED_KEY");
    assert_eq!(above["owner"], Value::Null, "{above}");
    let private = private.lines().nth(1).expect("a line").to_owned();
    assert_clean(
        &world,
        &ran,
        &[TOKEN.to_owned(), CANARY.to_owned(), token, private],
    );
    let posts = running.host.paths("POST");
    assert!(
        posts.iter().all(|path| path.ends_with("/git-upload-pack")),
        "{posts:?}"
    );
    for asked in running.host.asked() {
        assert!(!asked.target.contains(TOKEN), "{}", asked.target);
    }
}

#[test]
fn the_doctor_says_which_role_is_missing_and_a_wrong_key_is_told() {
    let mut host = Estate::new(TOKEN).host;
    let refused = Route::Refuse(403, "403 Forbidden");
    host.routes
        .insert("/groups/1/variables".to_owned(), refused);
    let running = Running::start(host);
    let world = world("Record ID,Name\n", running.address(), "");
    let ran = world.run(&["connectors", "doctor"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let role =
        "missing: the role Owner of the group (read_api): GET /groups/{group}/variables is denied";
    assert!(ran.stdout.contains(role), "{}", ran.stdout);
    configure(&world, running.address(), "organization = \"x\"");
    let ran = world.run(&["connectors", "doctor"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("organization"), "{}", ran.stderr);
    configure(&world, "http://git.acme.test", "");
    let ran = world.run(&["connectors", "doctor"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("would send the token unencrypted"),
        "{}",
        ran.stderr
    );
}
