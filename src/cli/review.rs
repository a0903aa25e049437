//! `review`: one file per owner out, decisions back in.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;

use super::{Exit, config::Config, global::Global};
use crate::{
    inventory::Reviews,
    report::{review_files, write_reviews},
};

/// Recertification: one file per owner out, decisions back in.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: ReviewVerb,
}

#[derive(Subcommand)]
enum ReviewVerb {
    /// Write one CSV per owner with everything they answer for, to be filled in.
    Export {
        /// Where the files go.
        #[arg(long, value_name = "DIR", default_value = "review")]
        out: PathBuf,
        /// The run [default: the newest].
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// Take filled-in files; the decisions are kept in reviews.file of the configuration. Exits
    /// with 1 while some rows have no decision.
    Import {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    match &args.verb {
        ReviewVerb::Export { out, run } => export(global, out, run.as_deref()),
        ReviewVerb::Import { files } => import(global, files),
    }
}

fn export(global: &Global, out: &Path, run: Option<&str>) -> Result<Exit> {
    let doc = super::answer::document(global, run)?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for file in review_files(&doc)? {
        let path = out.join(&file.name);
        if path.exists() {
            bail!(
                "{} is there already, perhaps filled in; import it or name another folder with --out",
                path.display()
            );
        }
        fs::write(&path, &file.bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if !global.quiet {
            let owner = if file.owner.is_empty() {
                "nobody"
            } else {
                &file.owner
            };
            super::note(&format!(
                "{}: {} credentials of {owner}",
                path.display(),
                file.credentials
            ));
        }
    }
    Ok(Exit::Clean)
}

fn import(global: &Global, files: &[PathBuf]) -> Result<Exit> {
    let config = Config::load(global)?;
    let Some(table) = &config.file.reviews else {
        bail!(
            "{}: nothing says where decisions are kept; add [reviews] file = \"reviews.csv\"",
            config.path.display()
        );
    };
    let kept = config.path(&table.file);
    let now = global.now();
    let read = |path: &PathBuf| -> Result<Reviews> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Reviews::read(&path.display().to_string(), &bytes, now)?)
    };
    let mut entries = match kept.exists() {
        true => read(&kept)?.entries,
        false => Vec::new(),
    };
    let (mut taken, mut unanswered) = (0, 0);
    for path in files {
        let reviews = read(path)?;
        reviews.notes.iter().for_each(|note| super::note(note));
        taken += reviews.entries.len();
        unanswered += reviews.unanswered;
        entries.extend(reviews.entries);
    }
    let mut bytes = Vec::new();
    write_reviews(&Reviews::newest(entries), &mut bytes)?;
    fs::write(&kept, &bytes).with_context(|| format!("cannot write {}", kept.display()))?;
    if !global.quiet {
        super::note(&format!(
            "{taken} decisions taken into {}, {unanswered} rows without one",
            kept.display()
        ));
    }
    Ok(if unanswered > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}
