//! Calls by the AWS command line: it knows profiles, sign-in, roles, partitions, pages, pacing and
//! retries, and prints what an auditor exports by hand.

use std::{
    io::{self, Read},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use keymuster_api::Cancel;
use zeroize::Zeroizing;

use super::{Caller, Refusal, calls::Call};

/// So many bytes of what a command says of its failure are looked at.
const MAX_SAID: u64 = 64 << 10;
/// How often a running command is looked after.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs commands under one login.
pub(crate) struct Cli<'a> {
    pub(crate) program: &'a str,
    /// The profile; without one the command line finds a login by itself.
    pub(crate) profile: Option<&'a str>,
    /// The login of a role, as variables of the environment.
    pub(crate) session: Vec<(&'static str, Zeroizing<String>)>,
    pub(crate) cancel: &'a Cancel,
    pub(crate) max_memory: u64,
}

impl Caller for Cli<'_> {
    fn call(&self, call: &Call, args: &[&str]) -> Result<Vec<u8>, Refusal> {
        let mut command = Command::new(self.program);
        command
            .args([call.service, call.verb, "--output", "json"])
            .args(args)
            .env("AWS_PAGER", "")
            .env("AWS_RETRY_MODE", "adaptive")
            .env("AWS_MAX_ATTEMPTS", "10")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(profile) = self.profile {
            command.env("AWS_PROFILE", profile);
        }
        // A profile would outrank the role's login.
        if !self.session.is_empty() {
            command.env_remove("AWS_PROFILE");
        }
        for (name, value) in &self.session {
            command.env(name, value.as_str());
        }
        let mut child = command.spawn().map_err(|error| Refusal {
            code: "NotFound".to_owned(),
            message: format!(
                "cannot start '{}' ({}); install the AWS command line, or name it with `command`",
                self.program,
                error.kind()
            ),
        })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (printed, said, status) = thread::scope(|scope| {
            let printed = scope.spawn(|| read(out, self.max_memory));
            let said = scope.spawn(|| read(err, MAX_SAID));
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break Some(status),
                    Ok(None) if !self.cancel.is_cancelled() => thread::sleep(GLANCE),
                    _ => {
                        // It may have ended by itself.
                        let _ = child.kill();
                        let _ = child.wait();
                        break None;
                    }
                }
            };
            (printed.join(), said.join(), status)
        });
        let refuse = |code: &str, message: &str| Refusal {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let Some(status) = status else {
            return Err(refuse("Cancelled", "the run was stopped"));
        };
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        if !status.success() {
            return Err(Refusal::of(&String::from_utf8_lossy(&said)));
        }
        match printed {
            Ok(Ok(bytes)) if bytes.len() as u64 <= self.max_memory => Ok(bytes),
            Ok(Ok(_)) => Err(refuse("TooLarge", "the answer is larger than --max-memory")),
            _ => Err(refuse("Unreadable", "the answer could not be read")),
        }
    }
}

/// All of a stream, and a byte more than allowed where there is more; the rest is thrown away, so
/// that the command can end.
fn read(from: Option<impl Read>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(mut from) = from else {
        return Ok(bytes);
    };
    from.by_ref()
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    io::copy(&mut from, &mut io::sink())?;
    Ok(bytes)
}
