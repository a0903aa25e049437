//! What a run stands on, read before anything is swept: each of it stops the run if it is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;

use super::{
    audit::Args,
    config::{self, Config},
    context,
};
use crate::{
    audit::{Exceptions, Policy},
    catalogue::Kinds,
    engine::Engine,
    evidence::{InputFile, InputText, Settings},
    inventory::{
        self, Catalogue, Confirmations, Inventory, InventoryMap, InventorySpec, People, Reviews,
    },
    judgement::Ground,
    report::format,
};

/// What a run stands on, and where its results go.
pub(super) struct Standing {
    /// What facts are held against.
    pub(super) ground: Ground,
    /// The same, as it was written.
    pub(super) settings: Settings,
    /// The files that were read.
    pub(super) inputs: Vec<InputFile>,
    pub(super) fail_on: String,
    pub(super) formats: Vec<String>,
    pub(super) out: PathBuf,
}

pub(super) fn read_ground(
    config: &Config,
    args: &Args,
    engine: &Engine,
    now: Timestamp,
) -> Result<Standing> {
    let table = &config.file.policy;
    let preset = args.preset.as_deref().or(table.preset.as_deref());
    let preset = preset.unwrap_or("default").to_owned();
    let mut policy = Policy::preset(&preset)?;
    let mut settings = Settings {
        preset,
        ..Settings::default()
    };
    if let Some(file) = &table.file {
        let path = config.path(file);
        let text = read(&path, "policy")?;
        policy = Policy::from_toml(&text, &policy)
            .map_err(|error| anyhow!("{}:{error}", path.display()))?;
        let name = file.display().to_string();
        settings.policy = Some(InputText { name, text });
    }
    let mut exceptions = None;
    if let Some(table) = &config.file.exceptions {
        let path = config.path(&table.file);
        let text = read(&path, "exceptions")?;
        let name = path.display().to_string();
        exceptions = Some(Exceptions::from_toml(&text, &name)?);
        settings.exceptions = Some(InputText { name, text });
    }
    let mut inputs = Vec::new();
    let inventory = reviewed(inventory(config, engine, &mut inputs)?, config, now)?;
    let people = people(config, now, &mut inputs)?;
    let catalogue = catalogue(config, &mut inputs)?;
    settings.has_inventory = inventory.is_some();
    settings.has_people = people.is_some();
    Ok(Standing {
        fail_on: fail_on(config, args)?,
        formats: formats(config, args)?,
        out: args
            .out
            .clone()
            .unwrap_or_else(|| config.path(&config.file.report.dir)),
        ground: Ground {
            policy,
            exceptions,
            inventory,
            people,
            context: context::read(config, engine)?,
            catalogue,
            confirmations: confirmations(config)?,
            kinds: config::advice(Kinds::embedded()),
            now,
        },
        settings,
        inputs,
    })
}

fn fail_on(config: &Config, args: &Args) -> Result<String> {
    let fail_on = args.fail_on.clone();
    let fail_on = fail_on.or_else(|| config.file.policy.fail_on.clone());
    let fail_on = fail_on.unwrap_or_else(|| "low".to_owned());
    if fail_on != "never" && fail_on.parse::<keymuster_api::Severity>().is_err() {
        bail!(
            "{}: fail-on = \"{fail_on}\" is none of: info, low, medium, high, critical, never",
            config.path.display()
        );
    }
    Ok(fail_on)
}

fn formats(config: &Config, args: &Args) -> Result<Vec<String>> {
    let formats = if args.format.is_empty() {
        config.file.report.formats.clone()
    } else {
        args.format.clone()
    };
    for name in &formats {
        if format(name).is_none() {
            let known: Vec<_> = crate::report::FORMATS
                .iter()
                .map(|format| format.name())
                .collect();
            bail!(
                "'{name}' is no report format; known are: {}",
                known.join(", ")
            );
        }
    }
    Ok(formats)
}

fn read(path: &Path, what: &str) -> Result<String> {
    fs::read_to_string(path)
        .with_context(|| {
            let path = path.display();
            format!("cannot read {path}; name the {what} file relative to keymuster.toml, or leave the line out")
        })
}

fn inventory(
    config: &Config,
    engine: &Engine,
    inputs: &mut Vec<InputFile>,
) -> Result<Option<Inventory>> {
    let mut parts = Vec::new();
    for table in &config.file.inventory {
        let path = config.path(&table.file);
        let bytes = fs::read(&path)
            .with_context(|| format!("cannot read the inventory {}; correct the name in keymuster.toml, or begin one with `keymuster inventory template`", path.display()))?;
        let label = table.file.display().to_string();
        inputs.push(InputFile::new(&label, &bytes));
        let map = InventoryMap::try_from(table.map.clone())
            .map_err(|message| anyhow!("{}: [inventory.map]: {message}", config.path.display()))?;
        let spec = InventorySpec {
            name: table.name.clone().unwrap_or_else(|| label.clone()),
            file_label: label,
            format: table.format.clone(),
            encoding: table.encoding.clone(),
            delimiter: table.delimiter,
            sheet: table.sheet.clone(),
            precedence: table.precedence,
            entity: table.entity.clone(),
            map,
        };
        parts.push((table.precedence, inventory::read(&spec, &bytes, engine)?));
    }
    Ok(if parts.is_empty() {
        None
    } else {
        Some(Inventory::merge(parts))
    })
}

fn people(config: &Config, now: Timestamp, inputs: &mut Vec<InputFile>) -> Result<Option<People>> {
    let mut parts = Vec::new();
    for table in &config.file.people {
        let path = config.path(&table.file);
        let bytes = fs::read(&path)
            .with_context(|| format!("cannot read the people file {}", path.display()))?;
        let label = table.file.display().to_string();
        inputs.push(InputFile::new(&label, &bytes));
        parts.push(inventory::read_people(&label, &bytes, now)?);
    }
    Ok(match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(People::merge(parts)),
    })
}

/// Who looks after what. A pattern that names nothing is an error: without these files other
/// people would be asked.
fn catalogue(config: &Config, inputs: &mut Vec<InputFile>) -> Result<Catalogue> {
    let mut nothing = Vec::new();
    let mut catalogue = Catalogue::default();
    for path in config.expand(&config.file.owners.files, &mut nothing)? {
        let bytes = fs::read(&path)
            .with_context(|| format!("cannot read the owners file {}", path.display()))?;
        let label = path.display().to_string();
        inputs.push(InputFile::new(&label, &bytes));
        catalogue.add(&label, &bytes)?;
    }
    if let Some(pattern) = nothing.first() {
        bail!(
            "{}: [owners] files: `{pattern}` names no file; correct or remove it",
            config.path.display()
        );
    }
    Ok(catalogue)
}

/// The inventory with what reviewers decided since.
fn reviewed(
    mut inventory: Option<Inventory>,
    config: &Config,
    now: Timestamp,
) -> Result<Option<Inventory>> {
    let (Some(inventory_read), Some(table)) = (&mut inventory, &config.file.reviews) else {
        return Ok(inventory);
    };
    let path = config.path(&table.file);
    // Before the first import there is no such file.
    if path.exists() {
        let bytes = fs::read(&path)
            .with_context(|| format!("cannot read the reviews {}", path.display()))?;
        let label = table.file.display().to_string();
        let reviews = Reviews::read(&label, &bytes, now)?;
        let notes = reviews.apply(inventory_read);
        inventory_read
            .notes
            .extend(reviews.notes.iter().cloned().chain(notes));
    }
    Ok(inventory)
}

fn confirmations(config: &Config) -> Result<Confirmations> {
    let Some(table) = &config.file.matches else {
        return Ok(Confirmations::default());
    };
    let path = config.path(&table.file);
    let text = read(&path, "matches")?;
    Ok(Confirmations::from_toml(
        &text,
        &table.file.display().to_string(),
    )?)
}
