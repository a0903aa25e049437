//! What is known about kinds of credentials, apart from how to find them: data, no code.

mod kind_text;
mod kinds;

pub use kind_text::{Class, Kind, Sensitivity};
pub use kinds::{Kinds, KindsError};
