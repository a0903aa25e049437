//! `report`: the record of a run in another format; no sweep.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;

use super::{Exit, answer, global::Global, scan};
use crate::report::{Document, FORMATS, format};

/// Show a run again, in any format, without sweeping.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A findings.json [default: the newest run in the ledger].
    file: Option<PathBuf>,
    /// How to show it.
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = PossibleValuesParser::new(FORMATS.iter().map(|format| format.name())))]
    format: String,
    /// The run in the ledger [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let document = match &args.file {
        Some(path) => {
            let bytes =
                fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            Document::read(&bytes).with_context(|| path.display().to_string())?
        }
        None => answer::document(global, args.run.as_deref())?,
    };
    let format = format(&args.format).context("unknown format")?;
    format.write(
        &document,
        &scan::page(global, true),
        &mut std::io::stdout().lock(),
    )?;
    Ok(Exit::Clean)
}
