//! `inventory`: propose a mapping for any file, validate it, print an empty register.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;

use super::{Exit, global::Global, state};
use crate::{
    engine::{Engine, RuleSet},
    inventory::{self, InventorySpec, proposal_toml, propose, propose_people},
    report,
};

/// The register: propose a column mapping, check a file, print an empty one.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: InventoryVerb,
}

#[derive(Subcommand)]
enum InventoryVerb {
    /// Propose which column is which field, with reasons, as TOML for keymuster.toml.
    Map {
        /// The register.
        file: PathBuf,
        /// It is a people directory.
        #[arg(long)]
        people: bool,
    },
    /// Read a register as `audit` would, and say how many records it has.
    Check {
        /// The register.
        file: PathBuf,
    },
    /// Show how each row of a register is read, one record a line.
    Show {
        /// The register.
        file: PathBuf,
    },
    /// An empty register with every column that matters, as CSV.
    Template,
}

const TEMPLATE: &str = "Record ID,Name,Credential type,Access key ID,ARN,System,Provider,Account,Environment,Owner,Purpose,Approved by,Approved at,Scope,Status,Issued at,Expires,No expiry reason,Last rotated,Last reviewed,Revocation path,Recovery procedure,Risk tier\r\n";

pub(super) fn run(_global: &Global, args: &Args) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    match &args.verb {
        InventoryVerb::Map { file, people } => {
            let (spec, bytes, engine) = open(file)?;
            let table = inventory::read_register_table(&spec, &bytes, &engine)?;
            let proposals = if *people {
                propose_people(&table)
            } else {
                propose(&table)
            };
            out.write_all(proposal_toml(&table, &proposals).as_bytes())?;
        }
        InventoryVerb::Check { file } => {
            let (spec, bytes, engine) = open(file)?;
            let read = inventory::read(&spec, &bytes, &engine)?;
            writeln!(out, "{}: {} records", file.display(), read.records.len())?;
            for note in &read.notes {
                writeln!(out, "note: {note}")?;
            }
            for cell in &read.leaked {
                writeln!(
                    out,
                    "secret: {} column {}: {}; take it out of the register and revoke it",
                    cell.source, cell.column, cell.rule
                )?;
            }
            if !read.leaked.is_empty() {
                return Ok(Exit::Findings);
            }
        }
        InventoryVerb::Show { file } => {
            let (spec, bytes, engine) = open(file)?;
            let read = inventory::read(&spec, &bytes, &engine)?;
            for record in &read.records {
                writeln!(out, "{}", report::record_line(record))?;
            }
        }
        InventoryVerb::Template => out.write_all(TEMPLATE.as_bytes())?,
    }
    Ok(Exit::Clean)
}

fn open(file: &PathBuf) -> Result<(InventorySpec, Vec<u8>, Engine)> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let spec = InventorySpec {
        name: "register".to_owned(),
        file_label: file.display().to_string(),
        precedence: 1,
        ..InventorySpec::default()
    };
    Ok((
        spec,
        bytes,
        Engine::new(RuleSet::embedded()?, state::passing_key()?),
    ))
}
