//! The real parts: a moto server, the account in it, and what `aws iam` exports of that account.
//!
//! Not here: what the account is for (`company.rs`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use base64::Engine as _;
use serde_json::Value;

use crate::world::World;

/// AWS commands that run side by side.
const SIDE_BY_SIDE: usize = 3;

/// An account as it was exported.
pub(super) struct Exported {
    /// File name to what the command printed, byte for byte.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// `user/1` to the key.
    pub(super) keys: BTreeMap<String, Key>,
    /// After what is early in the plan, before all the rest.
    pub(super) between: jiff::Timestamp,
}

/// An access key.
pub(super) struct Key {
    pub(super) user: String,
    pub(super) id: String,
    pub(super) secret: String,
}

/// Starts a server, makes the account in it, exports it, ends the server.
pub(super) fn export(plan: &Value) -> Exported {
    with_account(plan, |_, exported| exported)
}

/// The same, and does something with the server while it runs.
pub(super) fn with_account<T>(plan: &Value, then: impl FnOnce(&Server, Exported) -> T) -> T {
    let world = World::new();
    let server = Server::start(&world);
    let mut build = python(&world, "company.py");
    build
        .arg(&server.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = build.spawn().expect("company.py starts");
    let mut input = child.stdin.take().expect("its input");
    input
        .write_all(plan.to_string().as_bytes())
        .expect("it reads the plan");
    drop(input);
    let made = child.wait_with_output().expect("company.py ends");
    let made: Value = serde_json::from_slice(&printed("company.py", made)).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let keys: BTreeMap<String, Key> = made["keys"]
        .as_object()
        .expect("keys")
        .iter()
        .map(|(name, key)| {
            let key = Key {
                user: text(&key["user"]),
                id: text(&key["id"]),
                secret: text(&key["secret"]),
            };
            (name.clone(), key)
        })
        .collect();
    let files = commands(plan, &keys, |args| server.aws(&world, args));
    let exported = Exported {
        files,
        keys,
        between: text(&made["between"]).parse().expect("a time"),
    };
    then(&server, exported)
}

/// What an auditor runs: five commands, one of them for each user, and one for each key of users
/// that used one.
fn commands(
    plan: &Value,
    keys: &BTreeMap<String, Key>,
    aws: impl Fn(&[&str]) -> Vec<u8> + Sync,
) -> BTreeMap<String, Vec<u8>> {
    aws(&["generate-credential-report"]);
    let states = (0..20).map(|_| aws(&["generate-credential-report"]));
    let complete = states
        .into_iter()
        .any(|answer| String::from_utf8_lossy(&answer).contains("COMPLETE"));
    assert!(complete, "the credential report does not become ready");
    let mut todo: Vec<(String, Vec<&str>)> = vec![(
        "authorization-details.json".to_owned(),
        vec!["get-account-authorization-details"],
    )];
    for user in plan["users"].as_array().expect("users") {
        let name = user["name"].as_str().expect("name");
        todo.push((
            format!("access-keys-{name}.json"),
            vec!["list-access-keys", "--user-name", name],
        ));
    }
    let report = aws(&["get-credential-report"]);
    let used = used(&report);
    for key in keys.values().filter(|key| used.contains(&key.user)) {
        todo.push((
            format!("last-used-{}.json", key.id),
            vec!["get-access-key-last-used", "--access-key-id", &key.id],
        ));
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some((file, args)) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((file.clone(), aws(args)));
        }
        done
    };
    let mut files: BTreeMap<String, Vec<u8>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("every command succeeds"))
            .collect()
    });
    files.insert("credential-report.json".to_owned(), report);
    files
}

/// Users with a key that was used, says the report: of the others it tells all there is.
fn used(answer: &[u8]) -> BTreeSet<String> {
    let answer: Value = serde_json::from_slice(answer).expect("JSON");
    let content = answer["Content"].as_str().expect("a report");
    let report = base64::engine::general_purpose::STANDARD
        .decode(content)
        .expect("base64");
    let mut csv = csv::Reader::from_reader(&*report);
    let rows = csv.deserialize::<BTreeMap<String, String>>();
    rows.map(|row| row.expect("a row"))
        .filter(|row| {
            let mut dates = (1..=2).map(|n| &row[&format!("access_key_{n}_last_used_date")]);
            dates.any(|date| date != "N/A")
        })
        .map(|row| row["user"].clone())
        .collect()
}

/// A moto server of our own. It ends when this is dropped, also by a panic; and should the test
/// be killed, the server notices that its input is closed.
pub(super) struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(world: &World) -> Server {
        let mut command = python(world, "server.py");
        command
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("moto starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        let read = BufReader::new(out).read_line(&mut line);
        let server = Server {
            child,
            url: format!("http://127.0.0.1:{}", line.trim()),
        };
        read.expect("moto tells its port");
        assert!(
            line.trim().parse::<u16>().is_ok(),
            "moto did not start: run target/real-parts/venv/bin/python tests/real-parts/server.py"
        );
        server
    }

    /// Runs keymuster in a world, with this server for AWS.
    pub(super) fn run(&self, world: &World, args: &[&str]) -> Output {
        let mut command = world.command(args);
        hermetic(&mut command, world);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(venv().join("bin")).chain(std::env::split_paths(&path));
        command
            .current_dir(world.path("."))
            .env("PATH", std::env::join_paths(all).expect("a path"))
            .env("AWS_ENDPOINT_URL", &self.url)
            .stdin(Stdio::null());
        command.output().expect("keymuster starts")
    }

    /// Runs `aws iam …` and returns what it printed.
    fn aws(&self, world: &World, args: &[&str]) -> Vec<u8> {
        let mut command = Command::new(venv().join("bin/aws"));
        command
            .args(["--endpoint-url", &self.url, "--output", "json", "iam"])
            .args(args);
        hermetic(&mut command, world);
        command.stdin(Stdio::null());
        printed(&args.join(" "), command.output().expect("aws starts"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn printed(what: &str, output: Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn python(world: &World, script: &str) -> Command {
    let mut command = Command::new(venv().join("bin/python"));
    command.arg(root().join("tests/real-parts").join(script));
    hermetic(&mut command, world);
    command
}

/// Nothing of this machine's AWS configuration, and no other network than the loopback.
fn hermetic(command: &mut Command, world: &World) {
    command
        .env_clear()
        .current_dir(world.path("home"))
        .env("HOME", world.path("home"))
        .env("TMPDIR", world.path("home"))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_PAGER", "");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python environment of the real parts. Without it these tests fail: a test that is
/// skipped where nobody looks proves nothing.
fn venv() -> PathBuf {
    let parts = match std::env::var_os("KEYMUSTER_REAL_PARTS") {
        Some(folder) => PathBuf::from(folder),
        None => root().join("target/real-parts"),
    };
    let venv = parts.join("venv");
    assert!(
        venv.join("bin/aws").exists() && venv.join("bin/python").exists(),
        "{} holds no moto and no AWS command line; run: tests/real-parts/setup.sh",
        venv.display()
    );
    venv
}
