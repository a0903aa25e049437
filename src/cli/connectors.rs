//! `connectors`: which there are, and whether the configured ones can see.

use std::io::Write as _;

use anyhow::Result;
use clap::Subcommand;
use keymuster_api::{NoProgress, SystemId};

use super::{Exit, config::Config, global::Global, sources, state};
use crate::{
    engine::{Engine, RuleSet},
    sweep::{self, SweepOptions, registry::CONNECTORS},
};

/// Connectors: list them, and see whether the configured ones can see.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: ConnectorsVerb,
}

#[derive(Subcommand)]
enum ConnectorsVerb {
    /// Every connector type.
    List,
    /// Look, without sweeping: who are we there, and what would stay unseen.
    Doctor,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    match args.verb {
        ConnectorsVerb::List => list(),
        ConnectorsVerb::Doctor => doctor(global),
    }
}

fn list() -> Result<Exit> {
    let mut out = anstream::stdout().lock();
    for listed in CONNECTORS {
        let missing = if listed.built {
            ""
        } else {
            " (not in this build)"
        };
        let network = if listed.network {
            ", over the network"
        } else {
            ""
        };
        writeln!(out, "{:10} {}{network}{missing}", listed.kind, listed.about)?;
    }
    Ok(Exit::Clean)
}

fn doctor(global: &Global) -> Result<Exit> {
    let config = Config::load(global)?;
    let mut missing = 0;
    let mut out = anstream::stdout().lock();
    let mut nothing = Vec::new();
    let connectors = sources::connectors(&config, &[], &mut nothing)?;
    for glob in &nothing {
        missing += 1;
        writeln!(
            out,
            "  missing: '{glob}' names no file; correct the path in {}",
            config.path.display()
        )?;
    }
    let engine = Engine::new(RuleSet::embedded()?, state::passing_key()?);
    let cancel = global.watch();
    let options = SweepOptions {
        jobs: global.jobs(),
        max_memory: global.max_memory,
        now: global.now(),
        every_version: false,
        whole: false,
        unpack: Default::default(),
        cancel: &cancel,
        memo: None,
        progress: &NoProgress,
    };
    for (system, connector) in (0u32..).map(SystemId).zip(&connectors) {
        writeln!(out, "{}", connector.about().label)?;
        match connector.preflight(&sweep::cx(system, &engine, &options, None)) {
            Ok(preflight) => {
                writeln!(out, "  {}", preflight.summary)?;
                for line in &preflight.missing {
                    missing += 1;
                    writeln!(out, "  missing: {line}")?;
                }
            }
            Err(error) => {
                missing += 1;
                writeln!(out, "  cannot sweep: {error}")?;
            }
        }
    }
    writeln!(
        out,
        "{}",
        if missing == 0 {
            "nothing is missing".to_owned()
        } else {
            format!("{missing} things would stay unseen")
        }
    )?;
    Ok(if missing == 0 {
        Exit::Clean
    } else {
        Exit::Findings
    })
}
