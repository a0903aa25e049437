//! `key`: the estate's key, which names every secret.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::Subcommand;

use super::{Exit, config, global::Global, state};

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
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let folder = match (&global.state, config::find(global)?) {
        (Some(folder), _) => folder.clone(),
        (None, Some(config)) => config.state_folder()?,
        (None, None) => state::default_folder("default")
            .context("there is no home directory; name a folder with --state DIR")?,
    };
    let seal = match args.verb {
        KeyVerb::Show => state::read_key(&folder)?,
        KeyVerb::New => Some(state::make_key(&folder)?),
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
