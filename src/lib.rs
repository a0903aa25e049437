//! keymuster takes the roll of every machine credential an organisation has.

pub mod audit;
pub mod catalogue;
pub mod engine;
pub mod estate;
pub mod inventory;
pub mod ledger;
