//! Provers: offline proof that a match is a credential, by checksum or by structure.
//!
//! A rule names one (`checksum = "github-crc32"` or `structure = "jwt"`); one prover per file,
//! [`PROVERS`] is the registry.

/// What a rule matched, as a prover sees it. Borrowed from the worker's buffer.
pub struct Found<'a> {
    /// The bytes of the `secret` group.
    pub secret: &'a [u8],
    /// The bytes of the whole match.
    pub matched: &'a [u8],
    /// Named groups of the pattern, besides `secret`.
    pub groups: &'a [(&'a str, &'a [u8])],
}

/// A prover's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Checksum or structure hold: confidence is high. With facts that are not secret:
    /// `issuer`, `expires` (RFC 3339), `account`, `encrypted`, `key-type` …
    Proved(Vec<(String, String)>),
    /// It cannot be told; the rule's own confidence stands.
    Undecided(Vec<(String, String)>),
    /// It cannot be such a credential: the match is dropped.
    Refuted,
}

/// One way of proving.
pub struct Prover {
    /// The name rules use.
    pub name: &'static str,
    /// What it checks, and where the format is described.
    pub about: &'static str,
    /// Does it. Total: any bytes, bounded time, no panic.
    pub prove: fn(&Found<'_>) -> Proof,
}

/// Every prover, sorted by name.
pub const PROVERS: &[Prover] = &[];
