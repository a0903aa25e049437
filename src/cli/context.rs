//! Reads what the organisation says besides its register: events, tickets, catalogues. A file
//! that cannot be read stops the run before it begins.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use super::config::Config;
use crate::{context::Context, engine::Engine};

/// What the organisation says besides its register.
pub(super) fn read(config: &Config, engine: &Engine) -> Result<Context> {
    let mut context = Context::default();
    let bytes = |path: &Path, what: &str| {
        fs::read(path).with_context(|| {
            format!(
                "cannot read {what} {}; correct the name in keymuster.toml, or leave the line out",
                path.display()
            )
        })
    };
    for table in &config.file.events {
        let label = table.file.display().to_string();
        let text = bytes(&config.path(&table.file), "the events")?;
        context.read_events(&label, &text, engine)?;
    }
    for table in &config.file.tickets {
        let label = table.file.display().to_string();
        let text = bytes(&config.path(&table.file), "the tickets")?;
        context.read_tickets(&label, &text, engine)?;
    }
    let mut nothing = Vec::new();
    for path in config.expand(&config.file.catalogue.files, &mut nothing)? {
        let shown = path.strip_prefix(&config.folder).unwrap_or(&path);
        let label = shown.display().to_string();
        context.read_catalogue(&label, &bytes(&path, "the catalogue")?, engine)?;
    }
    if let Some(glob) = nothing.first() {
        bail!(
            "{}: [catalogue] '{glob}' names no file; correct it, or leave it out",
            config.path.display()
        );
    }
    context.merge();
    Ok(context)
}
