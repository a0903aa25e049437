//! Files of a report: complete and checked, or not there.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Document, Format, FormatCx, PlanFile, TicketFile, Tracker, wire};

/// Why a file could not be written; the file that had its name before is still there.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The folder or the disk refused.
    #[error("cannot write {}: {error}; check the folder and the space left", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What was written is not what the format promises: a bug.
    #[error("{} was not written, its check failed: {reason}; please report this", path.display())]
    Check {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Writes one format of a document into a folder that exists, under the format's own name; where
/// the format makes several files, into a folder of its name, with a list of them, which is what
/// is returned. Files of an earlier list that are no longer made are removed: somebody would
/// import them.
///
/// # Errors
/// When the folder cannot be written, or the check of the format fails.
pub fn write_file(
    dir: &Path,
    format: &dyn Format,
    doc: &Document,
    cx: &FormatCx,
) -> Result<PathBuf, WriteError> {
    let path = dir.join(format.file());
    let Some(split) = format.split(doc) else {
        write_checked(
            &path,
            |out| format.write(doc, cx, out),
            |written| format.check(doc, written),
        )?;
        return Ok(path);
    };
    let folder = path.parent().unwrap_or(dir).to_path_buf();
    fs::create_dir_all(&folder).map_err(|error| WriteError::Io {
        path: folder.clone(),
        error,
    })?;
    let before: List = fs::read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut list = List {
        format: format.name().to_owned(),
        run: doc.run.id.clone(),
        ..List::default()
    };
    for (name, part) in &split.parts {
        write_checked(
            &folder.join(name),
            |out| format.write(part, cx, out),
            |written| format.check(part, written),
        )?;
        list.files.push(ListedFile {
            file: name.clone(),
            findings: part.findings.len(),
        });
    }
    list.left_out = split
        .left_out
        .into_iter()
        .map(|(what, why)| LeftOut { what, why })
        .collect();
    for stale in before.files {
        let kept = list.files.iter().any(|file| file.file == stale.file);
        // A list that somebody changed must not lead out of the folder.
        let is_name = Path::new(&stale.file).file_name() == Some(stale.file.as_ref());
        if !kept && is_name {
            let _ = fs::remove_file(folder.join(&stale.file));
        }
    }
    write_checked(&path, |out| wire::pretty(out, &list), |_| Ok(()))?;
    Ok(path)
}

/// Writes the files of a plan into a folder, and `tickets.plan.json` beside them. Files of an
/// earlier plan are removed first: importing them once more would create once more.
///
/// # Errors
/// When the folder cannot be written, or the check of a file fails.
pub fn write_tickets(
    dir: &Path,
    tracker: &dyn Tracker,
    doc: &Document,
    files: &[TicketFile<'_>],
    plan: &PlanFile<'_>,
) -> Result<PathBuf, WriteError> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |error| WriteError::Io { path, error }
    };
    fs::create_dir_all(dir).map_err(io(dir))?;
    for entry in fs::read_dir(dir).map_err(io(dir))? {
        let path = entry.map_err(io(dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let words = ["create", "update", "close", "reopen", "upsert", "by-hand"];
        let ours = name
            .strip_suffix(".csv")
            .and_then(|name| name.rsplit_once('-'));
        let ours = ours.is_some_and(|(word, number)| {
            words.contains(&word) && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if ours {
            fs::remove_file(&path).map_err(io(&path))?;
        }
    }
    for file in files {
        write_checked(
            &dir.join(&file.name),
            |out| tracker.write(doc, file, out),
            |written| tracker.check(file, written),
        )?;
    }
    let path = dir.join("tickets.plan.json");
    write_checked(&path, |out| plan.write_json(out), |_| Ok(()))?;
    Ok(path)
}

/// What a folder of several files holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct List {
    format: String,
    run: String,
    files: Vec<ListedFile>,
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct ListedFile {
    file: String,
    findings: usize,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct LeftOut {
    what: String,
    why: String,
}

/// Writes to a temporary file beside the path, which is read again and checked before it takes
/// the name.
fn write_checked(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    check: impl FnOnce(&[u8]) -> Result<(), String>,
) -> Result<(), WriteError> {
    let path = path.to_path_buf();
    let dir = path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let io = |error| WriteError::Io {
        path: path.clone(),
        error,
    };
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(".keymuster-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any program creates files: what the umask leaves.
        temporary.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = temporary.tempfile_in(&dir).map_err(io)?;
    {
        let mut out = BufWriter::new(file.as_file_mut());
        write(&mut out).map_err(io)?;
        out.flush().map_err(io)?;
    }
    file.as_file().sync_all().map_err(io)?;
    let written = fs::read(file.path()).map_err(io)?;
    check(&written).map_err(|reason| WriteError::Check {
        path: path.clone(),
        reason,
    })?;
    file.persist(&path).map_err(|refused| io(refused.error))?;
    Ok(())
}
