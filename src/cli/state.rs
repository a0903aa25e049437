//! The state folder and the estate's key.
//!
//! The key is 32 random bytes in hexadecimal, readable by its owner only. It is made when asked
//! for (`init`, `demo`, `key new`), never silently by `audit`: a fresh container would rename
//! every finding every night.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use zeroize::Zeroizing;

use crate::{
    engine::{Engine, Seal},
    sweep::SweepMemo,
    unpack::Limits,
};

/// Name of the key file in the state folder.
const KEY_FILE: &str = "seal.key";
/// Name of the lock in the state folder.
const LOCK_FILE: &str = "run.lock";
/// Name of the memory of earlier runs in the state folder.
const MEMO_FILE: &str = "memo.sqlite";

/// The user's state folder: `$XDG_STATE_HOME/keymuster/<estate>`, by default below
/// `~/.local/state` (XDG Base Directory Specification).
pub(super) fn default_folder(estate: &str) -> Option<PathBuf> {
    let base = match env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(env::var_os("HOME")?).join(".local/state"),
    };
    Some(base.join("keymuster").join(estate))
}

/// Opens the memory of earlier runs in a state folder. Without one a run is only slower, so
/// whatever is wrong with it is told and stops nothing.
pub(super) fn open_memo(
    folder: &Path,
    engine: &Engine,
    every_version: bool,
    unpack: &Limits,
) -> Option<Arc<SweepMemo>> {
    match SweepMemo::open(&folder.join(MEMO_FILE), engine, every_version, unpack) {
        Ok((memo, note)) => {
            note.iter().for_each(|note| super::note(note));
            Some(Arc::new(memo))
        }
        Err(why) => {
            super::note(&format!(
                "no memory of earlier runs in {}: {why}; everything is read",
                folder.display()
            ));
            None
        }
    }
}

/// Takes the lock of a state folder, which ends with the process, however that ends.
pub(super) fn lock(folder: &Path) -> Result<fs::File> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the state folder {}", folder.display()))?;
    let path = folder.join(LOCK_FILE);
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    let file = options
        .open(&path)
        .with_context(|| format!("cannot open the lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "another run holds {}; wait for its end, or give this one a state folder of its own (--state)",
            path.display()
        ),
        // Some network file systems have no locks: the ledger's own still holds.
        Err(fs::TryLockError::Error(error)) => {
            super::note(&format!(
                "cannot lock {}: {error}; make sure that runs do not overlap",
                path.display()
            ));
            Ok(file)
        }
    }
}

/// Reads the key of a state folder; `None` if there is none yet.
pub(super) fn read_key(folder: &Path) -> Result<Option<Seal>> {
    let path = folder.join(KEY_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read the key {}", path.display()));
        }
    };
    parse_key(&text)
        .with_context(|| {
            format!(
                "{} is no key; restore it from its backup (`keymuster key backup`)",
                path.display()
            )
        })
        .map(Some)
}

/// 64 hexadecimal digits.
pub(super) fn parse_key(text: &str) -> Result<Seal> {
    let text = text.trim();
    let mut key = Zeroizing::new([0u8; 32]);
    if text.len() != 64 || !text.is_ascii() {
        bail!("a key is 64 hexadecimal digits");
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16)
            .map_err(|_| anyhow::anyhow!("a key is 64 hexadecimal digits"))?;
    }
    Ok(Seal::new(*key))
}

/// Makes a key in a state folder that has none, and reads it.
pub(super) fn make_key(folder: &Path) -> Result<Seal> {
    if let Some(seal) = read_key(folder)? {
        return Ok(seal);
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the state folder {}", folder.display()))?;
    let path = folder.join(KEY_FILE);
    let key = random_key()?;
    let text: Zeroizing<String> =
        Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect());
    write_private(&path, &text)?;
    Ok(Seal::new(*key))
}

/// Where the key of a state folder lies.
pub(super) fn key_file(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

/// Writes a file that only its owner can read, where there is none.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write the key {}", path.display()))?;
    writeln!(file, "{}", text.trim_end())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write the key {}", path.display()))
}

/// A key for this run only.
pub(super) fn passing_key() -> Result<Seal> {
    Ok(Seal::new(*random_key()?))
}

pub(super) fn random_key() -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(key)
}
