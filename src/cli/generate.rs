//! `completions` and `man`: derived from the command line's definition.

use std::io::Write as _;

use anyhow::Result;
use clap::CommandFactory as _;

use super::{Cli, Exit};

/// Shell completions on standard output.
#[derive(clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

/// The manual page on standard output.
#[derive(clap::Args)]
pub(super) struct ManArgs {}

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keymuster", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(Exit::Clean)
}

pub(super) fn man() -> Result<Exit> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    std::io::stdout().lock().write_all(&text)?;
    Ok(Exit::Clean)
}
