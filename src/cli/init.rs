//! `init`: a commented keymuster.toml, and the estate's key.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{
    Exit,
    config::{Config, FILE_NAME, TEMPLATE},
    global::Global,
    state,
};

/// Write a commented keymuster.toml and make the estate's key.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Show the file on standard output and write nothing.
    #[arg(long)]
    print: bool,
    /// The organisation's short name.
    #[arg(long, value_name = "NAME")]
    estate: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let text = match &args.estate {
        None => TEMPLATE.to_owned(),
        Some(name) => TEMPLATE.replacen("estate = \"acme\"", &format!("estate = \"{name}\""), 1),
    };
    if args.print {
        std::io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let path = global
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(FILE_NAME));
    if path.exists() {
        bail!(
            "{} exists already; edit it, or name another file with --config",
            path.display()
        );
    }
    fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    let config = Config::read(&path)?;
    let folder = match &global.state {
        Some(folder) => folder.clone(),
        None => config.state_folder()?,
    };
    let seal = state::make_key(&folder)?;
    global.say(&format!(
        "wrote {}; the estate's key {} lies in {}",
        path.display(),
        seal.key_id(),
        folder.display()
    ));
    global.say("next: edit the file, then `keymuster connectors doctor`, then `keymuster audit`");
    Ok(Exit::Clean)
}
