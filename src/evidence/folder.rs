//! Bundles on disk: a folder for each run, which is whole or not there.
//!
//! A bundle is written under a passing name, the memory is committed, and then the bundle takes
//! its name. A run that is killed in between leaves a passing folder; the next one looks whether
//! the memory knows its root, and finishes or removes it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{Bundle, EvidenceError, hex};

const PASSING: &str = ".partial-";
/// More than any file of evidence that can be held in memory.
const MOST: u64 = 8 << 30;

fn refused(what: impl Into<String>) -> impl FnOnce(io::Error) -> EvidenceError {
    let what = what.into();
    move |error| EvidenceError::Io { what, error }
}

/// Writes a bundle under a passing name.
///
/// # Errors
/// When the folder cannot be written, or already holds this run.
pub fn store(folder: &Path, bundle: &Bundle) -> Result<(), EvidenceError> {
    let name = &bundle.run;
    let is_name = Path::new(name).file_name() == Some(name.as_ref()) && !name.starts_with('.');
    let target = folder.join(name);
    if !is_name || target.exists() {
        return Err(refused(format!("cannot store the run '{name}'"))(
            io::ErrorKind::AlreadyExists.into(),
        ));
    }
    fs::create_dir_all(folder).map_err(refused(format!("cannot make {}", folder.display())))?;
    let passing = folder.join(format!("{PASSING}{name}"));
    let write = || -> io::Result<()> {
        let _ = fs::remove_dir_all(&passing);
        fs::create_dir(&passing)?;
        for (name, bytes) in &bundle.files {
            let mut file = File::create_new(passing.join(name))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        sync(&passing)
    };
    write().map_err(refused(format!("cannot write {}", passing.display())))
}

/// Gives a stored bundle its name.
///
/// # Errors
/// When the folder refuses.
pub fn publish(folder: &Path, run: &str) -> Result<PathBuf, EvidenceError> {
    let target = folder.join(run);
    let rename = || -> io::Result<()> {
        fs::rename(folder.join(format!("{PASSING}{run}")), &target)?;
        sync(folder)
    };
    rename().map_err(refused(format!("cannot finish {}", target.display())))?;
    Ok(target)
}

/// Finishes or removes what a run left that was killed: `settled` says whether the memory knows
/// this run with this root. Returns the runs that were finished.
///
/// # Errors
/// When the folder refuses.
pub fn recover(
    folder: &Path,
    settled: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<String>, EvidenceError> {
    let mut finished = Vec::new();
    for name in names(folder)? {
        let Some(run) = name.strip_prefix(PASSING) else {
            continue;
        };
        let path = folder.join(&name);
        let known = load(&path).is_ok_and(|bundle| settled(run, &hex(&bundle.root())));
        if known {
            publish(folder, run)?;
            finished.push(run.to_owned());
        } else {
            fs::remove_dir_all(&path)
                .map_err(refused(format!("cannot remove {}", path.display())))?;
        }
    }
    Ok(finished)
}

/// The bundles of a folder, by name; or the folder itself, if it is one.
///
/// # Errors
/// When it cannot be listed.
pub fn folders(folder: &Path) -> Result<Vec<PathBuf>, EvidenceError> {
    if folder.join(super::bundle::RUN).exists() {
        return Ok(vec![folder.to_path_buf()]);
    }
    let names = names(folder)?.into_iter();
    Ok(names
        .filter(|name| !name.starts_with(PASSING))
        .map(|name| folder.join(name))
        .collect())
}

fn names(folder: &Path) -> Result<Vec<String>, EvidenceError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    list().map_err(refused(format!("cannot list {}", folder.display())))
}

/// Reads a bundle. The name of the folder is the run's id, as far as the folder says.
///
/// # Errors
/// When it cannot be read, or holds anything but plain files.
pub fn load(path: &Path) -> Result<Bundle, EvidenceError> {
    let shown = path.display().to_string();
    let mut files = BTreeMap::new();
    let mut total = 0;
    for name in names(path)? {
        let file = path.join(&name);
        let about = fs::symlink_metadata(&file).map_err(refused(format!("cannot read {shown}")))?;
        total += about.len();
        if !about.is_file() || total > MOST {
            return Err(EvidenceError::Content {
                file: file.display().to_string(),
                why: "is no plain file of at most 8 GiB".to_owned(),
            });
        }
        let bytes = fs::read(&file).map_err(refused(format!("cannot read {}", file.display())))?;
        files.insert(name, bytes);
    }
    let run = path.file_name().unwrap_or_default();
    let run = run.to_string_lossy();
    Ok(Bundle {
        run: run.strip_prefix(PASSING).unwrap_or(&run).to_owned(),
        files,
    })
}

/// Makes a folder's list of names last, where the system can.
fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Windows opens no folders.
        Err(_) if cfg!(not(unix)) => Ok(()),
        other => other,
    }
}
