//! Recordings: what was received and is kept, one call a line, so that the same connector gives
//! the same facts without the network.
//!
//! `calls.jsonl` begins with a line that says under which key its values were sealed, then has
//! `{host, method, path, query, status, etag, fetched_at, page, next, body}` for each call that
//! ended in an answer, and `fault` for each that did not. A recording that was not finished is
//! `calls.jsonl.part`, and nobody reads it.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use keymuster_api::{Redactor, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

use crate::{Fault, Response};

const FILE: &str = "calls.jsonl";
const SCHEMA: u32 = 1;
/// A line longer than this is none of ours.
const LINE_LIMIT: usize = 96 << 20;

/// Why a recording cannot be written or read.
#[derive(Debug, Error)]
pub enum TapeError {
    /// The folder or the file.
    #[error("cannot {verb} the recording {path}: {error}")]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A line that is no call.
    #[error("{path}:{line}: no recorded call; record it again")]
    Form {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
    },
    /// Its values were sealed under another key.
    #[error(
        "{path} was recorded under another estate's key, so its values meet nothing here; record it again"
    )]
    Key {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Head {
    keymuster: String,
    schema: u32,
    key: String,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The hash of what was sent, where something was.
    pub(crate) query: Option<String>,
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) fetched_at: String,
    pub(crate) page: u32,
    pub(crate) next: Option<String>,
    /// Kind of gap and reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<(String, String)>,
    pub(crate) body: Value,
}

/// A recording, being written or being read.
pub struct Tape {
    now: Timestamp,
    part: Option<PathBuf>,
    whole: PathBuf,
    writer: Mutex<Option<BufWriter<fs::File>>>,
    calls: BTreeMap<(String, Option<String>), Call>,
    base: String,
    origin: String,
}

impl Tape {
    /// Begins a recording in this folder. `base` is the host's address: paths are relative to it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn record(
        folder: &Path,
        base: &Url,
        now: Timestamp,
        redactor: &dyn Redactor,
    ) -> Result<Tape, TapeError> {
        let part = folder.join(format!("{FILE}.part"));
        let io = |error| TapeError::Io {
            verb: "write",
            path: part.clone(),
            error,
        };
        fs::create_dir_all(folder).map_err(io)?;
        let mut writer = BufWriter::new(private(&part).map_err(io)?);
        let head = Head {
            keymuster: "calls".to_owned(),
            schema: SCHEMA,
            key: key(redactor),
        };
        line(&mut writer, &head).map_err(io)?;
        Ok(Tape {
            now,
            whole: folder.join(FILE),
            writer: Mutex::new(Some(writer)),
            calls: BTreeMap::new(),
            base: base.as_str().trim_end_matches('/').to_owned(),
            origin: base.origin().ascii_serialization(),
            part: Some(part),
        })
    }

    /// Reads the recording in this folder.
    ///
    /// # Errors
    /// When there is none, a line is no call, or it was made under another key.
    pub fn open(
        folder: &Path,
        base: &Url,
        now: Timestamp,
        redactor: &dyn Redactor,
    ) -> Result<Tape, TapeError> {
        let path = folder.join(FILE);
        let io = |error| TapeError::Io {
            verb: "read",
            path: path.clone(),
            error,
        };
        let mut reader = BufReader::new(fs::File::open(&path).map_err(io)?);
        let mut calls = BTreeMap::new();
        let (mut text, mut number) = (String::new(), 0);
        loop {
            text.clear();
            if reader.read_line(&mut text).map_err(io)? == 0 {
                break;
            }
            number += 1;
            let form = || TapeError::Form {
                path: path.clone(),
                line: number,
            };
            if text.len() > LINE_LIMIT {
                return Err(form());
            }
            if number == 1 {
                let head: Head = serde_json::from_str(&text).map_err(|_| form())?;
                if head.keymuster != "calls" || head.schema != SCHEMA {
                    return Err(form());
                }
                if head.key != key(redactor) {
                    return Err(TapeError::Key { path });
                }
                continue;
            }
            let call: Call = serde_json::from_str(&text).map_err(|_| form())?;
            calls.insert((call.path.clone(), call.query.clone()), call);
        }
        if number == 0 {
            return Err(TapeError::Form { path, line: 1 });
        }
        Ok(Tape {
            now,
            part: None,
            whole: path,
            writer: Mutex::new(None),
            calls,
            base: base.as_str().trim_end_matches('/').to_owned(),
            origin: base.origin().ascii_serialization(),
        })
    }

    /// The path of an address, relative to the host's.
    fn path<'u>(&self, url: &'u str) -> &'u str {
        let path = url.strip_prefix(self.base.as_str());
        path.or_else(|| url.strip_prefix(self.origin.as_str()))
            .unwrap_or(url)
    }

    pub(crate) fn write(&self, call: &Call) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(to) = writer.as_mut()
            && line(to, call).is_err()
        {
            // `finish` tells: what is not whole is not published.
            *writer = None;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Ends a recording: only now it is there to be read.
    ///
    /// # Errors
    /// When not all of it could be written.
    pub fn finish(&self) -> Result<(), TapeError> {
        let Some(part) = &self.part else {
            return Ok(());
        };
        let io = |error| TapeError::Io {
            verb: "write",
            path: part.clone(),
            error,
        };
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut writer) = writer else {
            return Err(io(std::io::Error::other(
                "a line could not be written; is the disk full?",
            )));
        };
        writer.flush().map_err(io)?;
        fs::rename(part, &self.whole).map_err(io)
    }

    pub(crate) fn find(&self, url: &str, body: Option<&str>) -> Option<Result<Response, Fault>> {
        let call = self
            .calls
            .get(&(self.path(url).to_owned(), body.map(hash)))?;
        if let Some((kind, reason)) = &call.fault {
            return Some(Err(Fault::Recorded(kind.clone(), reason.clone())));
        }
        let mut headers = Vec::new();
        if let Some(next) = &call.next {
            let next = if next.starts_with('/') {
                format!("{}{next}", self.base)
            } else {
                next.clone()
            };
            headers.push((NEXT.to_owned(), next));
        }
        Some(Ok(Response {
            status: call.status,
            headers,
            body: Zeroizing::new(serde_json::to_vec(&call.body).unwrap_or_default()),
        }))
    }
}

/// Under this name a recording says where the next page is, whatever the host's style.
pub(crate) const NEXT: &str = "x-keymuster-next";

/// The hash by which a sent query is known.
pub(crate) fn hash(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn key(redactor: &dyn Redactor) -> String {
    redactor.seal(b"keymuster recording").to_string()
}

fn line(to: &mut impl std::io::Write, what: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *to, what)?;
    to.write_all(b"\n")
}

/// A new file that only its owner may read.
fn private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
