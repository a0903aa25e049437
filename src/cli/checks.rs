//! `checks list`: what is judged.

use std::io::Write as _;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::Exit;
use crate::audit::{CHECKS, feeds};

/// Checks: list them.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: ChecksVerb,
}

#[derive(Subcommand)]
enum ChecksVerb {
    /// Every check: id, slug, title.
    List {
        /// text or json.
        #[arg(long, default_value = "text", value_parser = ["text", "json"])]
        format: String,
    },
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let ChecksVerb::List { format } = &args.verb;
    let mut out = std::io::stdout().lock();
    let mut checks: Vec<_> = CHECKS.iter().map(|check| check.about()).collect();
    checks.sort_by_key(|about| about.id);
    if format == "json" {
        let list: Vec<_> = checks
            .iter()
            .map(|about| json!({ "id": about.id, "slug": about.slug, "title": about.title, "why": about.why, "decided": about.decided, "remedy": about.remedy, "inputs": feeds(about) }))
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
    } else {
        for about in &checks {
            writeln!(out, "{:7} {:20} {}", about.id, about.slug, about.title)?;
        }
        writeln!(
            out,
            "{} checks; `keymuster explain ID` shows one, with what feeds it",
            checks.len()
        )?;
    }
    Ok(Exit::Clean)
}
