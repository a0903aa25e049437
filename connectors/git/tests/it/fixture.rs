//! Repositories made by the real git, with a clock of their own.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use keymuster_api::ObjectId;

/// A repository with a working tree.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    now: i64,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with_format("sha1")
    }

    pub(crate) fn with_format(format: &str) -> Fixture {
        let fixture = Fixture {
            folder: tempfile::tempdir().unwrap(),
            now: 1_700_000_000,
        };
        fs::create_dir(fixture.path()).unwrap();
        let format = format!("--object-format={format}");
        fixture.git(&["init", "-q", "-b", "main", &format]);
        fixture.git(&["config", "gc.auto", "0"]);
        fixture
    }

    /// The working tree.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// A place beside the working tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.path(), arguments, b"")
    }

    pub(crate) fn git_in(&self, path: &Path, arguments: &[&str], input: &[u8]) -> String {
        String::from_utf8(self.raw(path, arguments, input))
            .unwrap()
            .trim()
            .to_owned()
    }

    pub(crate) fn raw(&self, path: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let date = format!("{} +0000", self.now);
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(path)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ann Author")
            .env("GIT_AUTHOR_EMAIL", "ann@example.com")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", "Carl Committer")
            .env("GIT_COMMITTER_EMAIL", "carl@example.com")
            .env("GIT_COMMITTER_DATE", &date)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything, a minute after the last commit.
    pub(crate) fn commit(&mut self, message: &str) -> ObjectId {
        self.tick();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.rev("HEAD")
    }

    pub(crate) fn tick(&mut self) {
        self.now += 60;
    }

    pub(crate) fn rev(&self, name: &str) -> ObjectId {
        id(&self.git(&["rev-parse", name]))
    }

    /// Stores a blob that nothing refers to.
    pub(crate) fn blob(&self, content: &[u8]) -> ObjectId {
        id(&self.git_in(&self.path(), &["hash-object", "-w", "--stdin"], content))
    }
}

pub(crate) fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.trim().as_bytes()).unwrap()
}

/// Lines that look like a file somebody wrote, the same for the same seed.
pub(crate) fn text(seed: u64, lines: usize) -> String {
    let mut random = Random(seed);
    (0..lines)
        .map(|at| format!("line {at} holds {:016x}\n", random.next()))
        .collect()
}

/// Numbers without order that are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
