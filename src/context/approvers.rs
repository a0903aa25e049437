//! `approvers.toml`: who may approve what.

use serde::{Deserialize, Serialize};

use super::tree::toml_error;
use crate::inventory::{InventoryError, Tier};

/// The list of approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// Which edition of the criteria this is; shown in evidence.
    pub version: String,
    /// The file.
    pub source: String,
    /// Who.
    pub entries: Vec<Approver>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// A person or a team, as written.
    pub who: String,
    /// The tiers they may approve; empty for all.
    pub tiers: Vec<Tier>,
    /// The systems they may approve; empty for all.
    pub systems: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Option<String>,
    approver: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    who: String,
    #[serde(default)]
    tiers: Vec<TierWord>,
    #[serde(default)]
    systems: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
enum TierWord {
    T0,
    T1,
    T2,
    T3,
}

/// Reads the list.
pub(super) fn read(label: &str, text: &str) -> Result<Approvers, InventoryError> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(label, text, &error))?;
    let tier = |word: TierWord| match word {
        TierWord::T0 => Tier::T0,
        TierWord::T1 => Tier::T1,
        TierWord::T2 => Tier::T2,
        TierWord::T3 => Tier::T3,
    };
    let entries = file
        .approver
        .into_iter()
        .map(|entry| Approver {
            who: entry.who,
            tiers: entry.tiers.into_iter().map(tier).collect(),
            systems: entry.systems,
        })
        .collect();
    Ok(Approvers {
        version: file.version.unwrap_or_else(|| "unnumbered".to_owned()),
        source: label.to_owned(),
        entries,
    })
}
