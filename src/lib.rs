//! keymuster takes the roll of every machine credential an organisation has.
//!
//! The modules in the order of a run: a sweep lends contents to the engine and collects facts;
//! the estate joins them; the inventory and its context say what should exist; the audit judges; the
//! ledger remembers; the report tells; evidence proves. ARCHITECTURE.md has the map and the invariants.

pub mod sweep;

pub mod catalogue;
pub mod engine;
pub mod unpack;

pub mod access;
pub mod estate;
pub mod inventory;

pub mod context;

pub mod audit;
pub mod judgement;
pub mod ledger;
pub mod suppress;

pub mod evidence;
pub mod report;

pub mod cli;
