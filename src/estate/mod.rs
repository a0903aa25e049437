//! What exists: every credential once, whichever systems it was seen in.
//!
//! Facts arrive from connectors in any order ([`Gathered`]); [`resolve()`] joins them into an
//! [`Estate`] whose parts refer to each other by index, sorted, so that the same facts make
//! the same estate whatever the order they came in.
//!
//! Invariant: no I/O, no clock, no failure in here.

mod held;
mod model;
mod resolve;
mod sighting;
mod texts;
mod ties;
mod usage;

pub use model::{Credential, Estate, Gathered, Identity, Resource};
pub use resolve::resolve;
pub use sighting::{Position, Sighting, Suppressed};
pub use texts::{Sym, Texts};
pub use usage::{Consumption, Meant, SlotUsage, Usage};
