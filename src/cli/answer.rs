//! `answer ID`: who approved it, why it exists, when it will be removed, and who uses it.

use anyhow::{Context as _, Result};

use super::{Exit, audit::LEDGER_FILE, config::Config, global::Global, scan};
use crate::{
    ledger::Ledger,
    report::{Document, answer},
};

/// Who approved a credential, why it exists, when it will be removed; exit 1 if one is open.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A finding (KM-…), a key id, a secret id, a record id or a subject.
    id: String,
    /// The run [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let document = document(global, args.run.as_deref())?;
    let answer = answer(&document, &args.id)?;
    answer.write(&scan::page(global, true), &mut std::io::stdout().lock())?;
    Ok(if answer.complete() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// The record of a run, from the ledger.
pub(super) fn document(global: &Global, run: Option<&str>) -> Result<Document> {
    let folder = match &global.state {
        Some(folder) => folder.clone(),
        None => Config::load(global)?.state_folder()?,
    };
    let path = folder.join(LEDGER_FILE);
    anyhow::ensure!(
        path.is_file(),
        "there is no ledger in {}; run `keymuster audit` first, or name the state folder with --state",
        folder.display()
    );
    let ledger = Ledger::open(&path)?;
    let json = ledger.document(run)?;
    let json = json.with_context(|| match run {
        Some(run) => format!("the ledger has no run '{run}'"),
        None => "the ledger has no run yet; run `keymuster audit` first".to_owned(),
    })?;
    Ok(Document::read(json.as_bytes())?)
}
