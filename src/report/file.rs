//! Files of a report: complete and checked, or not there.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::{Document, Format, FormatCx};

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

/// Writes one format of a document into a folder that exists, under the format's own name: to a
/// temporary file beside it, which is read again and checked before it takes the name.
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
    let mut file = temporary.tempfile_in(dir).map_err(io)?;
    {
        let mut out = BufWriter::new(file.as_file_mut());
        format.write(doc, cx, &mut out).map_err(io)?;
        out.flush().map_err(io)?;
    }
    file.as_file().sync_all().map_err(io)?;
    let written = fs::read(file.path()).map_err(io)?;
    format
        .check(doc, &written)
        .map_err(|reason| WriteError::Check {
            path: path.clone(),
            reason,
        })?;
    file.persist(&path).map_err(|refused| io(refused.error))?;
    Ok(path)
}
