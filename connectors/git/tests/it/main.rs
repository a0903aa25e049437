//! The git connector against the real git: fixtures are made by it, answers compared with it.
//!
//! Fixtures are scripts with fixed dates and no configuration but their own; the oracle walks
//! every commit and lists every tree.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod corrupt;
mod fixture;
#[allow(dead_code, unreachable_pub, reason = "the harness has further users")]
mod fuzz;
mod memory;
mod mock;
mod oracle;
mod places;
mod restricted;
mod stores;
