//! Evidence of a run: a folder that anybody can check with a public key, and that gives the same
//! findings again.
//!
//! | file | holds |
//! |---|---|
//! | `run.json` | which program, run, policy and exceptions; digests of the input files; the run before |
//! | `facts.jsonl` | what systems, registers and directories said, sealed; one fact a line |
//! | `before.jsonl` | what the memory held before the run |
//! | `population.jsonl` | coverage, gaps and counts, which must balance |
//! | `matches.jsonl` | each credential with its record, each with the reason |
//! | `findings.jsonl` | the findings |
//! | `decisions.jsonl` | what was accepted or suppressed, by whom, until when |
//! | `statement.dsse.json` | an in-toto Statement v1 over all of them, signed (Ed25519, DSSE) |
//!
//! The files' digests are the leaves of a Merkle tree (RFC 6962, section 2.1); `run.json` names the
//! root of the run before. So nobody changes, drops or reorders anything behind the root that they
//! hold, and a signature says who made it.
//!
//! In reading order: [`facts`] and [`results`] make the files, [`bundle`] puts them together,
//! [`statement`] signs them, [`folder`] stores and reads them, [`verify()`] checks, [`replay()`] derives.
//!
//! Invariant: never a secret; a secret is known here by its keyed name.

mod balance;
mod bundle;
mod canonical;
mod facts;
mod folder;
mod merkle;
mod replay;
mod results;
mod statement;
mod verify;

#[cfg(test)]
mod tests;

pub use balance::balance;
pub use bundle::{Before, Bundle, BundleInput, InputFile, InputText, RunRecord, Settings};
pub use facts::{Fact, read_facts, write_facts};
pub use folder::{folders, load, publish, recover, store};
pub use replay::{Replayed, Sealing, replay};
pub use statement::{KeyError, Signer, public_key};
pub use verify::{Loaded, Verified, verify};

/// Why evidence cannot be made, read or derived again.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file or folder refused.
    #[error("{what}: {error}; check the folder and the space left")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file does not say what it should.
    #[error("{file}: {why}")]
    Content {
        /// The file of the bundle.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The memory that the run started from cannot be restored.
    #[error("before.jsonl: {0}")]
    Before(#[from] crate::ledger::LedgerError),
    /// The checks contradict themselves.
    #[error("{0}")]
    Judgement(String),
}

/// A root or digest in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
