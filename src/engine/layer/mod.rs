//! Layers inside text: what an encoded piece says, searched by the same engine.
//!
//! A layer is seen at a hit of its own kind: the token lane offers the start of every long run,
//! and [`encoded::sees`] asks whether its head decodes to text; [`escaped::search`] looks for
//! the escapes that hide a name or a prefix. The verdict at such a hit decodes a bounded piece
//! and searches it together with what stands before and after it on its line, so that names,
//! operators and comments count; positions are mapped back to the outer bytes.
//!
//! Invariant: a hit is a function of the byte before it and [`HEAD`] bytes from it; a verdict
//! of [`BEFORE`] bytes before and [`AFTER`] bytes from its hit. So layers are inherited between
//! versions like any other verdict.
//!
//! Not here: containers of files, and encodings of a whole content ([`super::text`]).

mod encoded;
mod escaped;

use std::{ops::Range, sync::Arc};

use keymuster_api::{Candidate, Hit};
use zeroize::Zeroizing;

pub(super) use encoded::sees as sees_encoded;
pub(super) use escaped::{search as search_escaped, sees as sees_escaped};

use super::rule::{COMMENT, CONTEXT};

/// Layers peeled off one another, at most.
pub(super) const DEPTH: usize = 4;
/// Bytes from a hit that decide whether it is one.
pub(super) const HEAD: usize = 16;
/// Encoded bytes decoded from one hit, at most.
const LONGEST: usize = 32 << 10;
/// Bytes before a hit that its verdict may look at.
pub(super) const BEFORE: usize = escaped::LEFT + CONTEXT;
/// Bytes from a hit that its verdict may look at.
pub(super) const AFTER: usize = LONGEST + COMMENT + 1;

/// The slots of hits of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slots {
    pub(super) encoded: u16,
    pub(super) escaped: u16,
}

impl Slots {
    pub(super) fn contains(self, slot: u16) -> bool {
        slot == self.encoded || slot == self.escaped
    }

    /// All hits of layers in a content, found without lanes.
    pub(super) fn every(self, bytes: &[u8]) -> Vec<Hit> {
        (0..bytes.len())
            .filter_map(|at| {
                let slot = if sees_encoded(bytes, at) {
                    self.encoded
                } else if sees_escaped(bytes, at) {
                    self.escaped
                } else {
                    return None;
                };
                Some(hit(bytes, at, slot))
            })
            .collect()
    }
}

/// A hit of a layer. More bytes behind it never unmake one, so at the end of a content it is
/// as long as what is there.
pub(super) fn hit(bytes: &[u8], at: usize, slot: u16) -> Hit {
    Hit {
        at: at as u32,
        len: HEAD.min(bytes.len() - at) as u16,
        slot,
    }
}

/// A piece with one layer peeled off, between what stands around it.
struct Peeled {
    /// What was before it on its line, what it says, what is behind it on its line.
    text: Zeroizing<Vec<u8>>,
    /// Which bytes of `text` were decoded.
    inner: Range<usize>,
    /// For each byte of `text`, and for its end: where it stands outside.
    offsets: Vec<u32>,
    /// The encodings, outermost first.
    names: Vec<&'static str>,
}

impl Peeled {
    /// Where a span of the text stands outside; never empty.
    fn outside(&self, span: &Range<usize>) -> Range<usize> {
        let at = |position: usize| self.offsets[position.min(self.offsets.len() - 1)] as usize;
        let start = at(span.start);
        start..at(span.end).max(start + 1)
    }
}

/// What a search of the piece at a hit finds in it, told where it stands outside.
pub(super) fn candidates(
    slots: Slots,
    bytes: &[u8],
    hit: Hit,
    depth: usize,
    search: &dyn Fn(&[u8]) -> Vec<Candidate>,
) -> Vec<Candidate> {
    if depth == DEPTH {
        return Vec::new();
    }
    let Some(peeled) = peel(slots, bytes, hit) else {
        return Vec::new();
    };
    let at = hit.at as usize;
    let mut found = search(&peeled.text);
    // What stands around the piece is found without peeling.
    found.retain(|candidate| peeled.inner.contains(&candidate.span.start));
    for candidate in &mut found {
        candidate.span = peeled.outside(&candidate.span);
        candidate.window = at.saturating_sub(BEFORE)..(at + AFTER).min(bytes.len());
        candidate.hit = at;
        name(candidate, &peeled.names);
    }
    found
}

/// Puts encodings before those that were peeled off already.
pub(super) fn name(candidate: &mut Candidate, names: &[&str]) {
    let details = Arc::make_mut(&mut candidate.details);
    let names = names.iter().map(|&name| name.to_owned());
    details.decoded.splice(0..0, names);
}

/// What the piece at a hit says, if it says anything.
fn peel(slots: Slots, bytes: &[u8], hit: Hit) -> Option<Peeled> {
    let at = hit.at as usize;
    let piece = if hit.slot == slots.encoded {
        encoded::decode(bytes, at)
    } else {
        escaped::decode(bytes, at)
    }?;
    Some(piece.on_its_line(bytes))
}

/// A decoded piece: its bytes, and where each stands outside.
struct Piece {
    /// The encoded bytes.
    span: Range<usize>,
    text: Zeroizing<Vec<u8>>,
    /// As long as `text`.
    offsets: Vec<u32>,
    names: Vec<&'static str>,
}

impl Piece {
    fn on_its_line(self, bytes: &[u8]) -> Peeled {
        let Range { start, end } = self.span;
        let floor = start.saturating_sub(CONTEXT);
        let before = match memchr::memrchr(b'\n', &bytes[floor..start]) {
            Some(feed) => floor + feed + 1..start,
            None => floor..start,
        };
        let ceiling = (end + COMMENT).min(bytes.len());
        let after = match memchr::memchr(b'\n', &bytes[end..ceiling]) {
            Some(feed) => end..end + feed,
            None => end..ceiling,
        };
        let inner = before.len()..before.len() + self.text.len();
        let mut text = Zeroizing::new(Vec::with_capacity(inner.end + after.len()));
        text.extend_from_slice(&bytes[before.clone()]);
        text.extend_from_slice(&self.text);
        text.extend_from_slice(&bytes[after.clone()]);
        let whole = |range: Range<usize>| range.map(|at| at as u32);
        let offsets = whole(before)
            .chain(self.offsets)
            .chain(whole(after.start..after.end + 1))
            .collect();
        Peeled {
            text,
            inner,
            offsets,
            names: self.names,
        }
    }
}

/// Whether a byte is one that text is made of.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

#[cfg(test)]
mod tests;
