//! Single stages of reading, over bytes that are given: for fuzzing and benchmarks.
//!
//! Not a part of the interface: behind the feature `stages`, and free to change. Everything in
//! here hands on to what a sweep uses, and adds nothing of its own.

use keymuster_api::{CommitFact, Copied, ObjectId};

use crate::{
    buffer::Buffer,
    commit,
    delta::{self, Stored},
    inflate::Inflater,
    tree::TreeEntry,
};

#[cfg(test)]
mod tests;

/// Inflates, into a buffer that is reused.
pub struct Inflate {
    inner: Inflater,
    out: Buffer,
}

impl Inflate {
    /// An inflater that refuses objects of more than `limit` bytes.
    pub fn new(limit: u64) -> Inflate {
        Inflate {
            inner: Inflater::new(limit),
            out: Buffer::default(),
        }
    }

    /// An entry of a pack, whose header says `size` bytes.
    pub fn entry(&mut self, packed: &[u8], size: u64) -> Option<&[u8]> {
        self.inner.exact(packed, size, &mut self.out).ok()?;
        Some(self.out.bytes())
    }

    /// A loose object, whose size nobody tells before.
    pub fn loose(&mut self, packed: &[u8]) -> Option<&[u8]> {
        self.inner.unsized_stream(packed, &mut self.out).ok()?;
        Some(self.out.bytes())
    }
}

/// Applies deltas, into a buffer that is reused.
#[derive(Default)]
pub struct Apply {
    out: Buffer,
    copied: Vec<Copied>,
}

impl Apply {
    /// The version that a delta makes of its base, and what it copied; `None` if it is refused.
    pub fn apply(&mut self, base: &[u8], delta: &[u8], limit: u64) -> Option<(&[u8], &[Copied])> {
        delta::apply(base, delta, limit, &mut self.out, &mut self.copied).ok()?;
        Some((self.out.bytes(), &self.copied))
    }
}

/// An entry's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryBase<'a> {
    /// Stored whole: the number of its kind.
    Whole(u8),
    /// A delta on the entry so many bytes earlier.
    Earlier(u64),
    /// A delta on the object with this id.
    Named(&'a [u8]),
}

/// What an entry is stored as, its declared size, and where its compressed bytes begin.
pub fn header(bytes: &[u8], hash_len: usize) -> Option<(EntryBase<'_>, u64, usize)> {
    let header = delta::header(bytes, hash_len)?;
    let base = match header.stored {
        Stored::Whole(kind) => EntryBase::Whole(kind.number()),
        Stored::Earlier(distance) => EntryBase::Earlier(distance),
        Stored::Named(id) => EntryBase::Named(id),
    };
    Some((base, header.size, header.data_at))
}

/// A commit as the graph reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree's id, and its parents', in order.
    pub ids: Vec<ObjectId>,
    /// Seconds.
    pub authored: i64,
    /// Seconds.
    pub committed: i64,
}

/// Reads a commit's head.
pub fn commit(bytes: &[u8]) -> Option<Commit> {
    // No object is known, so that every id is told.
    let parsed = commit::head(bytes, u32::MAX, |_| None)?;
    Some(Commit {
        ids: parsed.absent,
        authored: parsed.head.authored,
        committed: parsed.head.committed,
    })
}

/// Author and time of a commit, tagger and time of a tag.
pub fn person(id: ObjectId, bytes: &[u8]) -> CommitFact {
    commit::fact(id, bytes)
}

/// What a tag points at.
pub fn tagged(bytes: &[u8]) -> Option<ObjectId> {
    commit::tagged(bytes)
}

/// Mode, name, id, and length of an entry of a tree.
pub type ReadEntry<'a> = (&'a [u8], &'a [u8], &'a [u8], usize);

/// Mode, name and id of the first entry of a tree, and how many bytes it takes.
pub fn tree_entry(bytes: &[u8], hash_len: usize) -> Option<ReadEntry<'_>> {
    let entry = TreeEntry::parse(bytes, hash_len)?;
    Some((entry.mode, entry.name, entry.id, entry.len))
}
