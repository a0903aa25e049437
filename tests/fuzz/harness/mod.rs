//! What the fuzz targets do with their input; ordinary tests replay the seeds through it.

pub mod format;

pub mod delta;
pub mod object;

pub mod forge;
pub mod reading;
pub mod script;

pub mod index;
pub mod pack;

#[cfg(feature = "rules")]
pub mod rules;

use keymuster_git::stages;
