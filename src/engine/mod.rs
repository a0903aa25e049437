//! Bytes in, sealed sightings out. Knows nothing of systems or people.
//!
//! Invariant: no files, no network, no threads, no clock in here; and nothing that leaves this
//! module holds a byte of a secret, apart from what its kind declares public.

pub mod proof;
pub mod shape;
