//! Judgement: checks over the reconciled estate, the findings they make, and the policy that
//! sets their thresholds.
//!
//! Invariant: pure. No I/O, no clock; `now` is a value in [`CheckCx`].

mod check;
mod finding;

pub use check::{Check, CheckAbout, CheckCx, Input, KindAdvice, PrivilegeFact};
pub use finding::{Evidence, Finding, Population, ScoreTerm, State, Subject};

/// placeholder
pub struct Policy;
/// placeholder
pub struct Findings<'a>(&'a ());
