//! `scopes.toml`: the scopes, issuers and ways of authentication that the organisation agreed on.

use serde::{Deserialize, Serialize};

use super::tree::toml_error;
use crate::inventory::InventoryError;

/// The catalogue of scopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// Its edition.
    pub version: String,
    /// The file.
    pub source: String,
    /// The scopes.
    pub scopes: Vec<ScopeEntry>,
    /// Issuers whose tokens APIs may accept; empty where nothing was agreed on.
    pub issuers: Vec<String>,
    /// Ways of authentication that APIs may offer, by the words of
    /// [`AuthMethod`](super::AuthMethod); empty where nothing was agreed on.
    pub auth: Vec<String>,
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeEntry {
    /// Its name.
    pub name: String,
    /// What it opens.
    pub about: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Option<String>,
    #[serde(default)]
    issuers: Vec<String>,
    #[serde(default)]
    auth: Vec<String>,
    scope: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    about: Option<String>,
}

/// Reads the catalogue.
pub(super) fn read(label: &str, text: &str) -> Result<Scopes, InventoryError> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(label, text, &error))?;
    if let Some(unknown) = file
        .auth
        .iter()
        .find(|word| super::AuthMethod::from_word(word).is_none())
    {
        let known: Vec<&str> = super::AuthMethod::ALL.iter().map(|m| m.as_str()).collect();
        let message = format!("auth names no way of authentication: {unknown}");
        return Err(InventoryError::new(label, message).help(format!("use {}", known.join(", "))));
    }
    Ok(Scopes {
        version: file.version.unwrap_or_else(|| "unnumbered".to_owned()),
        source: label.to_owned(),
        scopes: file
            .scope
            .into_iter()
            .map(|entry| ScopeEntry {
                name: entry.name,
                about: entry.about,
            })
            .collect(),
        issuers: file.issuers,
        auth: file.auth,
    })
}
