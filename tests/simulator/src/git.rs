//! Repositories over smart HTTP, by git's own server program.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Asked, Reply};

/// Answers for bare repositories below a folder; `None` if the path is none of theirs.
///
/// # Panics
/// When git does not run.
pub fn serve_git(folder: &Path, asked: &Asked) -> Option<Reply> {
    let path = asked.path();
    let (repository, _) = path.split_once(".git/")?;
    let known = folder.join(format!("{}.git", repository.trim_start_matches('/')));
    if !known.is_dir() {
        return Some(Reply {
            status: 404,
            ..Reply::default()
        });
    }
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env(
            "GIT_PROTOCOL",
            asked.header("git-protocol").unwrap_or_default(),
        )
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env(
            "CONTENT_TYPE",
            asked.header("content-type").unwrap_or_default(),
        )
        .env(
            "HTTP_CONTENT_ENCODING",
            asked.header("content-encoding").unwrap_or_default(),
        )
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("stdin");
    let body = asked.body.clone();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = child.wait_with_output().expect("git ends");
    let _ = writer.join();
    let end = output
        .stdout
        .windows(4)
        .position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&output.stdout[..end]).into_owned();
    let mut reply = Reply {
        status: 200,
        body: output.stdout[end + 4..].to_vec(),
        ..Reply::default()
    };
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("status") {
            reply.status = value.trim().split(' ').next()?.parse().ok()?;
        } else {
            reply
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Some(reply)
}
