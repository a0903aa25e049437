//! Every request that a sweep makes of GitHub's REST interface, held against GitHub's own
//! description by Prism, which answers with the description's examples.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use keymuster_simulator::Host;

use crate::world::World;

/// So long Prism may take to read the description.
const START: Duration = Duration::from_secs(180);

/// A running Prism; it ends when this is dropped.
struct Prism {
    child: Child,
    port: u16,
    log: Arc<Mutex<String>>,
}

impl Prism {
    fn start() -> Prism {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let parts = std::env::var_os("KEYMUSTER_REAL_PARTS")
            .map_or_else(|| root.join("target/real-parts"), PathBuf::from);
        let program = parts.join("prism/node_modules/.bin/prism");
        assert!(
            program.is_file(),
            "there is no {}; run tests/real-parts/setup.sh first",
            program.display()
        );
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut child = Command::new("node")
            .arg(program)
            .args(["mock", "--errors", "-h", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .arg(root.join("fixtures/github/openapi.json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs; install Node.js 20 or newer");
        let log = Arc::new(Mutex::new(String::new()));
        let (ready, is_ready) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("Prism is listening") {
                    let _ = ready.send(());
                }
                let mut log = kept.lock().expect("lock");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let prism = Prism { child, port, log };
        let came = is_ready.recv_timeout(START);
        assert!(came.is_ok(), "Prism does not start: {}", prism.log());
        prism
    }

    fn log(&self) -> String {
        self.log.lock().expect("lock").clone()
    }

    /// The status of an answer.
    fn status(&self, target: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Prism listens");
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
        status.unwrap_or(0)
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_request_is_one_that_github_describes() {
    let prism = Prism::start();
    assert_eq!(prism.status("/orgs/acme/actions/secrets?per_page=100"), 200);
    let wrong = prism.status("/orgs/acme/actions/secrets?per_page=many");
    assert!(wrong >= 400, "Prism lets everything through: {wrong}");
    assert!(prism.status("/orgs/acme/nothing") >= 400);
    let before = prism.log().len();
    // Only its configuration is used: what is asked goes to Prism.
    let world = World::new(Host::default());
    let told = world.sweep(&|spec| {
        spec.base = format!("http://127.0.0.1:{}", prism.port);
        // A query is none of the REST interface.
        spec.leave_out = vec!["repository outlines".to_owned()];
    });
    let log = prism.log();
    let asked = log[before..].matches("Request received").count();
    assert!(
        asked >= 35,
        "only {asked} requests came: {}",
        &log[before..]
    );
    for line in log[before..].lines() {
        let is_wrong = line.contains("Violation") || line.contains("did not pass");
        assert!(!is_wrong, "{line}");
    }
    let more: Vec<String> = told
        .gaps
        .iter()
        .map(ToString::to_string)
        // The example of a next page is at api.github.com, where nobody goes from here.
        .filter(|gap| !gap.contains("would be at another host"))
        .collect();
    // Three examples of GitHub's are none by its own schemas, so Prism gives none.
    let known = [
        "acme: actions.variable",
        "acme: agents.variable",
        "octocat/Hello-World: teams",
    ]
    .map(|what| format!("127.0.0.1:{what}: the host says 500 (unreadable)"));
    assert_eq!(more, known);
    assert_eq!(world.host.calls(), 0);
    assert!(told.credentials.len() >= 9, "{:?}", told.keys());
}
