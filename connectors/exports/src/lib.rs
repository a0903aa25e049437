//! Exported files of clouds and clusters, read entry by entry.
//!
//! What `kubectl`, `gcloud`, `az` and their APIs write has one shape: JSON objects, alone, in
//! lists, in lists inside an answer (`items`, `value`), in several answers one after another.
//! Connectors know what an entry means; here is how entries are found, with the line of each, and
//! how whatever is wrong with a file becomes a gap that names file and place.
//!
//! Not here: what an entry means.

mod entries;
mod files;
mod owners;
mod pages;
mod reader;

pub use entries::Entry;
pub use files::{ExportFile, Found, expand, head, list_paths, preflight};
pub use owners::owner_word;
pub use reader::{Reader, Taken};

#[cfg(test)]
mod tests;
