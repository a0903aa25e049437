//! Micro-benchmarks, one for each stage of a scan: what a byte costs there.
//!
//!     cargo bench --features stages --bench stages
//!
//! The input is made at run time, the same in every run. BENCHMARKS.md has figures.
#![allow(clippy::unwrap_used, reason = "a tool for measuring")]

mod inputs;
mod reading;
mod searching;

fn main() {
    divan::main();
}
