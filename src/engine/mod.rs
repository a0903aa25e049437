//! Bytes in, sealed sightings out. Knows nothing of systems or people.
//!
//! The way of a secret: a **lane** sees a literal that a rule needs ([`token_lane`],
//! [`anchor_lane`]) and leaves a hit; [`confirm`] tries the rule's pattern there, proves it by
//! checksum or structure ([`proof`]) or judges it ([`judge`]), and [`seal`]s it; [`precedence`]
//! picks one of several candidates. [`layer`] peels encodings off and has what they hide searched
//! in the same way. [`inherit`] carries hits and verdicts over from the version
//! a content was made from, so that only fresh bytes are searched, and [`quiet`] knows fresh bytes
//! that were fresh before, in another version.
//!
//! Invariant: no files, no network, no threads, no clock in here; and nothing that leaves this
//! module holds a byte of a secret, apart from what its kind declares public.

mod allow;
mod anchor_lane;
mod check;
mod confirm;
mod folded;
mod gate;
mod heads;
mod inherit;
mod judge;
mod lane_proof;
mod layer;
mod precedence;
pub mod proof;
mod published;
mod quiet;
mod rule;
mod rule_text;
mod ruleset;
mod run;
mod seal;
mod search;
pub mod shape;
mod text;
mod token_lane;
mod words;

pub use check::{Fault, check};
pub use rule::{Judge, Lane, Rule};
pub use ruleset::{RuleError, RuleSet};
pub use seal::Seal;
pub use search::Engine;
