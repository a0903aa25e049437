//! Mirrors from a real smart-HTTP server.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use keymuster_api::{Cancel, GapKind};
use keymuster_clone::{Limits, Login, Mirrors};
use keymuster_simulator::{Host, Reply, Server};
use zeroize::Zeroizing;

const TOKEN: &str = "c1one-t0ken";

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@acme.test"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@acme.test"),
        ])
        .output()
        .expect("git runs");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A server with `acme/app.git`, which asks for the token.
struct World {
    folder: tempfile::TempDir,
    server: Server,
    host: Arc<Host>,
    cut: Arc<AtomicBool>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let bare = folder.path().join("srv/acme/app.git");
        fs::create_dir_all(&bare).expect("folders");
        git(&bare, &["init", "--quiet", "--bare"]);
        let host = Arc::new(Host {
            token: TOKEN.to_owned(),
            git: Some(folder.path().join("srv")),
            ..Host::default()
        });
        let cut = Arc::new(AtomicBool::new(false));
        let (answerer, cutting) = (Arc::clone(&host), Arc::clone(&cut));
        let server = Server::start(Arc::new(move |asked| {
            let mut reply = answerer.answer(asked, "");
            if cutting.load(Relaxed)
                && asked.path().ends_with("git-upload-pack")
                && asked.method == "POST"
            {
                // Both rounds of the protocol end early; the second one is the pack.
                reply.cut = Some(reply.body.len().saturating_sub(20));
            }
            reply
        }));
        let world = World {
            folder,
            server,
            host,
            cut,
        };
        world.commit("one");
        world
    }

    fn commit(&self, name: &str) -> String {
        let work = self.folder.path().join("work");
        if !work.is_dir() {
            fs::create_dir(&work).expect("a folder");
            git(&work, &["init", "--quiet", "--initial-branch=main"]);
        }
        fs::write(work.join(name), name).expect("write");
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "-m", name]);
        let bare = self.folder.path().join("srv/acme/app.git");
        git(
            &work,
            &[
                "push",
                "--quiet",
                bare.to_str().expect("a path"),
                "main",
                "main:refs/pull/7/head",
            ],
        );
        git(&work, &["rev-parse", "HEAD"])
    }

    fn address(&self) -> String {
        format!("{}/acme/app.git", self.server.address())
    }

    fn mirrors(&self, token: &str, limits: Limits) -> Mirrors {
        let login = Login {
            base: self.server.address().to_owned(),
            user: "x-access-token".to_owned(),
            token: Zeroizing::new(token.to_owned()),
        };
        Mirrors::new(
            self.folder.path().join("mirrors"),
            limits,
            vec![login],
            false,
        )
    }

    fn fetches(&self) -> usize {
        let asked = self.host.asked();
        asked
            .iter()
            .filter(|asked| {
                asked.method == "POST"
                    && String::from_utf8_lossy(&asked.body).contains("command=fetch")
            })
            .count()
    }
}

#[test]
fn a_private_repository_is_mirrored_refreshed_and_left_alone() {
    let world = World::new();
    let mirrors = world.mirrors(TOKEN, Limits::default());
    let cancel = Cancel::new();
    let path = mirrors
        .refresh(&world.address(), &cancel)
        .expect("a mirror");
    assert!(path.ends_with("127.0.0.1/acme/app.git"));
    let fetched = world.fetches();
    assert!(fetched > 0);
    assert_eq!(mirrors.refresh(&world.address(), &cancel), Ok(path.clone()));
    assert_eq!(
        world.fetches(),
        fetched,
        "nothing changed, nothing was fetched"
    );
    let tip = world.commit("two");
    mirrors
        .refresh(&world.address(), &cancel)
        .expect("a mirror");
    assert!(world.fetches() > fetched);
    assert_eq!(git(&path, &["rev-parse", "refs/heads/main"]), tip);
    assert_eq!(
        git(&path, &["rev-parse", "refs/pull/7/head"]),
        tip,
        "pull requests too"
    );
    // The token is in no file of the mirror.
    let mut folders = vec![path];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let bytes = fs::read(entry.path()).expect("a file");
                let text = String::from_utf8_lossy(&bytes);
                assert!(
                    !text.contains(TOKEN) && !text.contains("Authorization"),
                    "{}",
                    entry.path().display()
                );
            }
        }
    }
    let offline = Mirrors::new(
        world.folder.path().join("mirrors"),
        Limits::default(),
        vec![],
        true,
    );
    assert!(offline.refresh(&world.address(), &cancel).is_ok());
    let other = world.address().replace("app.git", "new.git");
    assert_eq!(
        offline
            .refresh(&other, &cancel)
            .expect_err("not there")
            .kind,
        GapKind::Missing
    );
}

#[test]
fn refusals_and_limits_are_told_apart() {
    let world = World::new();
    let cancel = Cancel::new();
    let kind = |mirrors: &Mirrors, address: &str| {
        mirrors
            .refresh(address, &cancel)
            .map_err(|unfetched| unfetched.kind)
    };
    assert_eq!(
        kind(&world.mirrors("wrong", Limits::default()), &world.address()),
        Err(GapKind::Denied)
    );
    let mirrors = world.mirrors(TOKEN, Limits::default());
    assert_eq!(
        kind(&mirrors, &world.address().replace("app", "none")),
        Err(GapKind::Missing)
    );
    for address in [
        "http://127.0.0.1/../x.git",
        "--upload-pack=touch",
        "ext::sh -c true",
        "https://h/a b.git",
        "file:///etc/x.git",
    ] {
        assert!(kind(&mirrors, address).is_err(), "{address}");
    }
    let small = Limits {
        bytes: 10,
        ..Limits::default()
    };
    assert_eq!(
        kind(&world.mirrors(TOKEN, small), &world.address()),
        Err(GapKind::Limit)
    );
    let short = Limits {
        time: Duration::ZERO,
        ..Limits::default()
    };
    assert_eq!(
        kind(&world.mirrors(TOKEN, short), &world.address()),
        Err(GapKind::Limit)
    );
    cancel.cancel();
    assert_eq!(kind(&mirrors, &world.address()), Err(GapKind::Cancelled));
}

#[test]
fn a_fetch_that_broke_off_counts_for_nothing_and_goes_on_next_time() {
    let world = World::new();
    let mirrors = world.mirrors(TOKEN, Limits::default());
    let cancel = Cancel::new();
    world.cut.store(true, Relaxed);
    assert!(mirrors.refresh(&world.address(), &cancel).is_err());
    let path = world.folder.path().join("mirrors/127.0.0.1/acme/app.git");
    assert!(!path.join("keymuster-refs").exists());
    // What a killed git leaves.
    fs::write(path.join("shallow.lock"), "").expect("write");
    fs::create_dir_all(path.join("objects/pack")).expect("a folder");
    fs::write(path.join("objects/pack/tmp_pack_x"), "half").expect("write");
    world.cut.store(false, Relaxed);
    assert_eq!(mirrors.refresh(&world.address(), &cancel), Ok(path.clone()));
    assert!(!path.join("objects/pack/tmp_pack_x").exists());
    git(&path, &["fsck", "--full"]);
}

/// A server that sends elsewhere: the token must not go along.
#[test]
fn a_redirect_is_not_followed() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let thief = Server::start(Arc::new(move |request| {
        log.lock().expect("lock").push(request.clone());
        Reply {
            status: 404,
            ..Reply::default()
        }
    }));
    let target = thief.address().to_owned();
    let server = Server::start(Arc::new(move |request| {
        Reply {
            status: 302,
            ..Reply::default()
        }
        .with("location", format!("{target}{}", request.target))
    }));
    let folder = tempfile::tempdir().expect("a folder");
    let login = Login {
        base: server.address().to_owned(),
        user: "x".to_owned(),
        token: Zeroizing::new(TOKEN.to_owned()),
    };
    let mirrors = Mirrors::new(
        folder.path().to_owned(),
        Limits::default(),
        vec![login],
        false,
    );
    assert!(
        mirrors
            .refresh(&format!("{}/a/b.git", server.address()), &Cancel::new())
            .is_err()
    );
    assert!(asked.lock().expect("lock").is_empty(), "nobody went there");
}

#[test]
fn the_mirrors_head_is_the_branch_that_the_hosts_names() {
    let world = World::new();
    let tip = world.commit("a");
    let bare = world.folder.path().join("srv/acme/app.git");
    git(&bare, &["branch", "trunk", "main"]);
    git(&bare, &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let mirrors = world.mirrors(TOKEN, Limits::default());
    let cancel = Cancel::new();
    let path = mirrors
        .refresh(&world.address(), &cancel)
        .expect("a mirror");
    assert_eq!(git(&path, &["symbolic-ref", "HEAD"]), "refs/heads/trunk");
    assert_eq!(git(&path, &["rev-parse", "HEAD"]), tip);
    // The host changes its mind, and nothing else.
    git(&bare, &["symbolic-ref", "HEAD", "refs/heads/main"]);
    mirrors
        .refresh(&world.address(), &cancel)
        .expect("a mirror");
    assert_eq!(git(&path, &["symbolic-ref", "HEAD"]), "refs/heads/main");
}
