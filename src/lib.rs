//! keymuster takes the roll of every machine credential an organisation has.

pub mod access;
