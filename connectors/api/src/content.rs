//! Seam 1, search: what a worker lends to the engine, and what comes back.

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Confidence, Handle, PathBytes, PathClass, PathClasses, Place, SecretId};

/// Bytes lent to the engine. Borrowed, because buffers are reused and wiped once.
pub struct Content<'a> {
    /// Where the bytes lie.
    pub place: &'a Place,
    /// The bytes themselves: a whole object, or one slice of a large one.
    pub bytes: &'a [u8],
    /// Where in the object `bytes` begins; zero unless this is a later slice.
    pub origin: Origin,
    /// What the path says, where a path is known: `None` in pack order.
    pub class: Option<PathClass>,
    /// Which of the bytes were never searched before.
    pub fresh: Fresh<'a>,
}

/// The position of a slice's first byte in its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// Bytes before the slice.
    pub offset: u64,
    /// Line feeds before the slice.
    pub lines: u64,
    /// Bytes between the last line feed before the slice and the slice.
    pub column: u64,
    /// Whether more bytes of the object follow this slice.
    pub is_cut: bool,
}

/// What must be searched, and what is known already.
#[derive(Clone, Copy)]
pub enum Fresh<'a> {
    /// Search all of it.
    Everything,
    /// All but the copied ranges is fresh; where two copied ranges meet lies a seam.
    Only {
        /// Ranges taken unchanged from the base: sorted by `at`, disjoint, not empty.
        copied: &'a [Copied],
        /// What searching the base gave.
        base: &'a Trace,
    },
}

/// A range of the content that was copied from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Where it begins in this content.
    pub at: usize,
    /// Where it began in the base.
    pub from: usize,
    /// Its length in bytes, at least 1.
    pub len: usize,
}

/// What searching one version left behind, so that the next version need not search again.
///
/// Only the engine reads and writes it; a connector keeps it beside the bytes of the base.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Length of the content in bytes.
    pub len: usize,
    /// Properties of the whole content (encoding, binary or text). Where a version's differ
    /// from its base's, nothing is inherited.
    pub traits: u32,
    /// Places where a rule may begin to match, sorted by position.
    pub hits: Vec<Hit>,
    /// What was confirmed, before precedence and suppression, sorted by span.
    pub candidates: Vec<Candidate>,
}

/// A place where one of the engine's lanes saw what a group of rules needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Position in the content.
    pub at: u32,
    /// Length of what the lane looked at.
    pub len: u16,
    /// The engine's number for what was seen.
    pub slot: u16,
}

/// A sealed match: safe to keep, clone and inherit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Index of the rule in the rule set.
    pub rule: u32,
    /// The secret's bytes, relative to the content.
    pub span: Range<usize>,
    /// The bytes the verdict is a function of; contains `span`.
    pub window: Range<usize>,
    /// Where the lane's hit stands that led here.
    pub hit: usize,
    /// How sure, after checksum and structure were tried.
    pub confidence: Confidence,
    /// The secret's keyed name.
    pub secret: SecretId,
    /// In which path classes the candidate holds.
    pub verdicts: PathClasses,
    /// What else the match told. Shared between the versions that inherit it.
    pub details: Arc<Details>,
}

/// What a match told beyond its place, none of it secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// The credential's public identifier.
    pub handle: Option<Handle>,
    /// Characters that the kind declares public, and the length: `ghp_… (40)`.
    pub preview: String,
    /// Encodings that were peeled off, outermost first.
    pub decoded: Vec<String>,
    /// Facts read from the structure: `issuer`, `expires`, `account`, `encrypted` …
    pub facts: Vec<(String, String)>,
    /// The reason written in an inline comment that suppresses this match.
    pub allowed: Option<String>,
    /// Where the match stands, if the content is a container of files.
    pub inside: Option<Inside>,
}

/// A place in a member of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The member's path: `lib/a.jar!META-INF/MANIFEST.MF`. A `!` that is part of a name is
    /// doubled. Empty where only compression is around the text.
    pub path: PathBytes,
    /// Line of the first byte, from 1.
    pub line: u64,
    /// Its column in bytes, from 1.
    pub column: u64,
    /// Line of the last byte.
    pub end_line: u64,
    /// Its column.
    pub end_column: u64,
}
