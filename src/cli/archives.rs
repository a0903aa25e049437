//! How far containers of files are opened: options of `scan`, and `[archives]` of
//! `keymuster.toml`.

use serde::Deserialize;

use super::global::size;
use crate::unpack::Limits;

/// Options of `scan`.
#[derive(clap::Args)]
pub(super) struct ArchiveArgs {
    /// Open archives inside archives this deep; 0 opens none.
    #[arg(long, value_name = "N", default_value_t = Limits::default().depth)]
    max_archive_depth: usize,
    /// Bytes that one archive may unpack to: 512M, 2G.
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = size)]
    max_archive_size: u64,
    /// Files that one archive may hold.
    #[arg(long, value_name = "N", default_value_t = Limits::default().members)]
    max_archive_members: u64,
}

impl ArchiveArgs {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            depth: self.max_archive_depth,
            bytes: self.max_archive_size,
            members: self.max_archive_members,
        }
    }
}

/// `[archives]`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ArchivesTable {
    max_depth: Option<usize>,
    max_size: Option<u64>,
    max_members: Option<u64>,
}

impl ArchivesTable {
    pub(super) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            depth: self.max_depth.unwrap_or(default.depth),
            bytes: self.max_size.unwrap_or(default.bytes),
            members: self.max_members.unwrap_or(default.members),
        }
    }
}
