//! `key`: the estate's key, which names every secret.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use zeroize::Zeroizing;

use super::{Exit, audit::LEDGER_FILE, config, global::Global, state};
use crate::{evidence::Signer, ledger::Ledger};

/// The estate's key: show its name, or make one.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: KeyVerb,
}

#[derive(Subcommand)]
enum KeyVerb {
    /// The key's public name and where it lies.
    Show,
    /// Make a key where there is none.
    New,
    /// Copy key and ledger into a new folder, while runs may go on: keep it apart, it is the key.
    Backup {
        /// A folder that is not there yet.
        dir: PathBuf,
    },
    /// Bring key and ledger back into a state folder that has none.
    Restore {
        /// The folder that `backup` made.
        dir: PathBuf,
    },
    /// Make a key that signs evidence: FILE for the runs, FILE.pub for those who verify.
    Evidence {
        /// Where the private key goes.
        file: PathBuf,
    },
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    if let KeyVerb::Evidence { file } = &args.verb {
        return make_evidence_key(file);
    }
    let folder = match (&global.state, config::find(global)?) {
        (Some(folder), _) => folder.clone(),
        (None, Some(config)) => config.state_folder()?,
        (None, None) => state::default_folder("default")
            .context("there is no home directory; name a folder with --state DIR")?,
    };
    match &args.verb {
        KeyVerb::Backup { dir } => return backup(&folder, dir),
        KeyVerb::Restore { dir } => return restore(dir, &folder),
        _ => {}
    }
    let seal = match args.verb {
        KeyVerb::Show => state::read_key(&folder)?,
        KeyVerb::New => Some(state::make_key(&folder)?),
        KeyVerb::Evidence { .. } | KeyVerb::Backup { .. } | KeyVerb::Restore { .. } => None,
    };
    let mut out = anstream::stdout().lock();
    match seal {
        Some(seal) => {
            writeln!(out, "{}  {}", seal.key_id(), folder.display())?;
            Ok(Exit::Clean)
        }
        None => {
            writeln!(
                out,
                "there is no key in {}; make one with `keymuster key new`, or restore the folder from its backup",
                folder.display()
            )?;
            Ok(Exit::Findings)
        }
    }
}

/// A copy of the ledger that is whole at one moment, and the key where it lies in the folder.
fn backup(folder: &Path, dir: &Path) -> Result<Exit> {
    let ledger = folder.join(LEDGER_FILE);
    let key = state::key_file(folder);
    if !ledger.exists() && !key.exists() {
        bail!(
            "{} has neither key nor ledger; name the state folder with --state",
            folder.display()
        );
    }
    fs::create_dir(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let mut out = anstream::stdout().lock();
    if key.exists() {
        let text = Zeroizing::new(fs::read_to_string(&key)?);
        state::write_private(&state::key_file(dir), &text)?;
        writeln!(out, "{}", state::key_file(dir).display())?;
    }
    if ledger.exists() {
        let copy = dir.join(LEDGER_FILE);
        Ledger::open(&ledger)?.copy_to(&copy)?;
        writeln!(out, "{}", copy.display())?;
    }
    Ok(Exit::Clean)
}

/// Nothing that is there is overwritten.
fn restore(dir: &Path, folder: &Path) -> Result<Exit> {
    let files = [state::key_file(dir), dir.join(LEDGER_FILE)];
    let files: Vec<&PathBuf> = files.iter().filter(|file| file.exists()).collect();
    if files.is_empty() {
        bail!(
            "{} is no backup; it has neither key nor ledger",
            dir.display()
        );
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the state folder {}", folder.display()))?;
    let _lock = state::lock(folder)?;
    let target = |file: &Path| folder.join(file.file_name().unwrap_or_default());
    for file in &files {
        if target(file).exists() {
            bail!(
                "{} is there already; move it away first",
                target(file).display()
            );
        }
    }
    // What is restored must be usable: a ledger is opened before it takes its place.
    if let Some(ledger) = files.iter().find(|file| file.ends_with(LEDGER_FILE)) {
        Ledger::open(ledger)?;
    }
    let mut out = anstream::stdout().lock();
    for file in files {
        fs::copy(file, target(file)).with_context(|| format!("cannot copy {}", file.display()))?;
        writeln!(out, "{}", target(file).display())?;
    }
    Ok(Exit::Clean)
}

/// A fresh key pair; nothing is overwritten.
fn make_evidence_key(file: &Path) -> Result<Exit> {
    let signer = Signer::new(&*state::random_key()?);
    state::write_private(file, &signer.private_pem())?;
    let mut public = file.to_path_buf().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    fs::write(&public, signer.public_pem())
        .with_context(|| format!("cannot write {}", public.display()))?;
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{} signs: keep it where only the runs can read it\n{} verifies: give it to those who check",
        file.display(),
        public.display()
    )?;
    Ok(Exit::Clean)
}
