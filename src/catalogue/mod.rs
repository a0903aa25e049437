//! What is known about kinds of credentials, apart from how to find them: data, no code.

mod kinds;

pub use kinds::{Class, Kind, Kinds, KindsError, Sensitivity};
