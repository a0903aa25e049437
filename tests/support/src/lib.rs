//! What the tests of network connectors share, over the contract alone: something that finds
//! and names secrets ([`Finder`]), something that remembers ([`Remembers`]), and something that
//! takes what a connector tells ([`Told`]).

mod finder;
mod remembers;
mod told;

pub use finder::Finder;
pub use remembers::Remembers;
pub use told::Told;
