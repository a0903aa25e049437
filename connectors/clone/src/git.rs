//! How git is run: an environment of its own, limits, and no questions.

use std::{
    ffi::OsStr,
    io::Read as _,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keymuster_api::{Cancel, GapKind};
use zeroize::Zeroizing;

use crate::Unfetched;

/// How often a running git is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// At most so much of what git says is read.
const OUTPUT_LIMIT: u64 = 256 << 20;

/// What authenticates one at a host.
#[derive(Clone)]
pub struct Login {
    /// The addresses it is for: `https://github.com`. It is sent nowhere else.
    pub base: String,
    /// The name before the token: `x-access-token` at GitHub, `oauth2` at GitLab.
    pub user: String,
    /// The token.
    pub token: Zeroizing<String>,
}

/// Constant, whatever it holds.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

/// Settings that hold whatever a repository or machine says.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.symlinks", "false"),
    ("core.alternateRefsCommand", "false"),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("http.followRedirects", "false"),
    ("maintenance.auto", "false"),
    ("protocol.file.allow", "never"),
    ("safe.bareRepository", "explicit"),
    ("submodule.recurse", "false"),
    ("transfer.fsckObjects", "true"),
    ("transfer.bundleURI", "false"),
];

/// One call of git.
pub(crate) struct Call<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) login: Option<&'a Login>,
    /// Whether plain HTTP is let in: for servers on this machine.
    pub(crate) plain: bool,
    pub(crate) until: Instant,
    pub(crate) cancel: &'a Cancel,
}

impl Call<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS", "/bin/false")
            .env(
                "GIT_SSH_COMMAND",
                "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes",
            )
            .env(
                "GIT_ALLOW_PROTOCOL",
                if self.plain { "https:http" } else { "https" },
            )
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .current_dir("/");
        // Proxies and certificates are the machine's, not the repository's.
        for name in [
            "https_proxy",
            "HTTPS_PROXY",
            "no_proxy",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, value) in SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        if let Some(login) = self.login {
            let pair = Zeroizing::new(format!("{}:{}", login.user, login.token.as_str()));
            let header = Zeroizing::new(format!(
                "Authorization: Basic {}",
                STANDARD.encode(pair.as_bytes())
            ));
            command
                .env("GIT_CONFIG_COUNT", "1")
                .env(
                    "GIT_CONFIG_KEY_0",
                    format!("http.{}/.extraHeader", login.base.trim_end_matches('/')),
                )
                .env("GIT_CONFIG_VALUE_0", header.as_str());
        }
        command
    }

    /// Runs git and gives what it wrote. `watch` says between whiles why it should end.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        arguments: &[S],
        watch: &mut dyn FnMut() -> Option<Unfetched>,
    ) -> Result<Vec<u8>, Unfetched> {
        let mut command = self.command();
        command
            .arg("--git-dir")
            .arg(self.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: what it starts ends with it.
            .process_group(0);
        let mut child = command.spawn().map_err(|error| {
            Unfetched::new(
                GapKind::Failed,
                format!("git cannot be run ({error}); install it, or leave out clone = true"),
            )
        })?;
        let out = drain(child.stdout.take());
        let err = drain(child.stderr.take());
        let ended = self.wait(&mut child, watch);
        let (out, err) = (
            out.join().unwrap_or_default(),
            err.join().unwrap_or_default(),
        );
        match ended? {
            true => Ok(out),
            false => Err(said(&err)),
        }
    }

    fn wait(
        &self,
        child: &mut Child,
        watch: &mut dyn FnMut() -> Option<Unfetched>,
    ) -> Result<bool, Unfetched> {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) => {}
                Err(error) => {
                    kill(child);
                    return Err(Unfetched::new(
                        GapKind::Failed,
                        format!("git cannot be waited for: {error}"),
                    ));
                }
            }
            let why = if self.cancel.is_cancelled() {
                Some(Unfetched::new(
                    GapKind::Cancelled,
                    "the run was stopped before it was fetched".to_owned(),
                ))
            } else if Instant::now() > self.until {
                Some(Unfetched::new(
                    GapKind::Limit,
                    "it was not fetched in time; run again, it goes on where it ended".to_owned(),
                ))
            } else {
                watch()
            };
            if let Some(why) = why {
                kill(child);
                return Err(why);
            }
            thread::sleep(LOOK);
        }
    }
}

fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn drain(from: Option<impl std::io::Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut bytes);
            // What is more is read and dropped, or git would wait.
            let _ = std::io::copy(&mut from, &mut std::io::sink());
        }
        bytes
    })
}

/// What a failure means. git's own words may hold an address; only what they mean is told.
fn said(err: &[u8]) -> Unfetched {
    let text = String::from_utf8_lossy(err).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let (kind, reason) = if has(&[
        "could not read username",
        "authentication failed",
        "403",
        "401",
    ]) {
        (
            GapKind::Denied,
            "git was refused; the token needs contents: read",
        )
    } else if has(&["not found", "404"]) {
        (
            GapKind::Missing,
            "git finds no repository there; it is empty, gone, or hidden from the token",
        )
    } else if has(&["redirect"]) {
        (
            GapKind::Denied,
            "it redirects, and nobody goes there with the token",
        )
    } else if has(&["fsck", "bad object", "index-pack failed", "unpack"]) {
        (
            GapKind::Corrupt,
            "what came is no sound repository (git's own check of objects)",
        )
    } else if has(&["could not resolve", "connect", "timed out"]) {
        (GapKind::Unreadable, "nobody answers there")
    } else if has(&["no space"]) {
        (GapKind::Limit, "the disk is full")
    } else {
        (GapKind::Unreadable, "git could not fetch it")
    };
    Unfetched::new(kind, reason.to_owned())
}
