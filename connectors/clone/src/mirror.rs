//! Mirrors on disk: one bare repository each, below a folder of the state.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use keymuster_api::{Cancel, GapKind};
use sha2::{Digest as _, Sha256};

use crate::git::{Call, Login};

/// In a mirror: the hash of the refs that it was fetched with, written last.
const DONE: &str = "keymuster-refs";
/// How often the size of a mirror is looked at.
const WEIGH: Duration = Duration::from_millis(500);

/// What one repository may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on disk.
    pub bytes: u64,
    /// From the first question to the last byte.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 20 << 30,
            time: Duration::from_secs(3600),
        }
    }
}

/// Why a repository was not fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfetched {
    /// What kind of failure.
    pub kind: GapKind,
    /// Why, and what to do next.
    pub reason: String,
}

impl Unfetched {
    pub(crate) fn new(kind: GapKind, reason: String) -> Unfetched {
        Unfetched { kind, reason }
    }
}

/// A folder of mirrors.
#[derive(Debug, Clone)]
pub struct Mirrors {
    folder: PathBuf,
    limits: Limits,
    logins: Vec<Login>,
    /// Whether nothing is fetched, and what is there is taken as it is.
    offline: bool,
}

impl Mirrors {
    /// Mirrors below this folder.
    pub fn new(folder: PathBuf, limits: Limits, logins: Vec<Login>, offline: bool) -> Mirrors {
        Mirrors {
            // git runs elsewhere.
            folder: std::path::absolute(&folder).unwrap_or(folder),
            limits,
            logins,
            offline,
        }
    }

    /// The mirror of a repository, as it is at its host now.
    ///
    /// # Errors
    /// When it could not be fetched; an earlier state of it is not given instead.
    pub fn refresh(&self, address: &str, cancel: &Cancel) -> Result<PathBuf, Unfetched> {
        let path = self.path(address)?;
        let done = path.join(DONE);
        if self.offline {
            return match done.is_file() {
                true => Ok(path),
                false => Err(Unfetched::new(
                    GapKind::Missing,
                    "it was not cloned yet, and this run uses no network".to_owned(),
                )),
            };
        }
        let io = |error: std::io::Error| {
            Unfetched::new(
                GapKind::Failed,
                format!("cannot write {}: {error}", path.display()),
            )
        };
        let login = self.logins.iter().find(|login| {
            let rest = address.strip_prefix(login.base.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/'))
        });
        let call = Call {
            folder: &path,
            login,
            plain: is_here(address),
            until: Instant::now() + self.limits.time,
            cancel,
        };
        if !path.join("HEAD").is_file() {
            fs::create_dir_all(&path).map_err(io)?;
            call.run(&["init", "--quiet", "--bare", "--template="], &mut || None)?;
        }
        let told = call.run(
            &["ls-remote", "--quiet", "--symref", "--", address],
            &mut || None,
        )?;
        let refs = hash(&told);
        if fs::read_to_string(&done).is_ok_and(|known| known == refs) {
            return Ok(path);
        }
        let _ = fs::remove_file(&done);
        sweep_up(&path);
        let limit = self.limits.bytes;
        let mut weighed = Instant::now();
        let mut watch = || {
            if weighed.elapsed() < WEIGH {
                return None;
            }
            weighed = Instant::now();
            (weight(&path) > limit).then(|| too_large(limit))
        };
        call.run(
            &[
                "fetch",
                "--quiet",
                "--prune",
                "--force",
                "--no-tags",
                "--no-auto-gc",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--end-of-options",
                address,
                "+refs/*:refs/*",
            ],
            &mut watch,
        )?;
        if weight(&path) > limit {
            return Err(too_large(limit));
        }
        if let Some(head) = head(&told) {
            call.run(&["symbolic-ref", "HEAD", head], &mut || None)?;
        }
        fs::write(&done, refs).map_err(io)?;
        Ok(path)
    }

    /// `HOST/OWNER/NAME.git` below the folder; names that are steps or options are refused.
    fn path(&self, address: &str) -> Result<PathBuf, Unfetched> {
        let (_, rest) = address.split_once("://").unwrap_or(("", address));
        let mut path = self.folder.clone();
        let mut parts = 0;
        for part in rest.split('/') {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
            let is_name = part.bytes().all(is_plain)
                && part.bytes().any(|byte| byte != b'.')
                && !part.starts_with('-');
            if !is_name {
                let reason = "its address is none that a repository can have".to_owned();
                return Err(Unfetched::new(GapKind::Corrupt, reason));
            }
            // A port would differ from run to run where it is this machine's.
            path.push(part.split(':').next().unwrap_or(part));
            parts += 1;
        }
        if parts < 2 {
            let reason = "its address names no repository".to_owned();
            return Err(Unfetched::new(GapKind::Corrupt, reason));
        }
        Ok(path)
    }
}

/// The branch that the host's HEAD names: what is read as it stands today.
fn head(told: &[u8]) -> Option<&str> {
    let told = std::str::from_utf8(told).ok()?;
    let line = told.lines().find(|line| line.ends_with("\tHEAD"))?;
    let name = line.strip_prefix("ref: ")?.strip_suffix("\tHEAD")?;
    let is_branch = name.starts_with("refs/heads/") && !name.contains(char::is_whitespace);
    is_branch.then_some(name)
}

fn too_large(limit: u64) -> Unfetched {
    Unfetched::new(GapKind::Limit, format!("it is larger than {limit} bytes"))
}

fn is_here(address: &str) -> bool {
    [
        "http://127.0.0.1:",
        "http://127.0.0.1/",
        "http://[::1]:",
        "http://localhost:",
    ]
    .iter()
    .any(|start| address.starts_with(start))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Removes what a fetch that was killed left: unfinished packs, locks.
fn sweep_up(path: &Path) {
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if name.starts_with("tmp_") || name.ends_with(".lock") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Bytes of all files below.
fn weight(path: &Path) -> u64 {
    let mut bytes = 0;
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                Ok(meta) => bytes += meta.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
