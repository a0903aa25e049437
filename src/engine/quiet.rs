//! Texts that were searched and hold nothing, remembered by a keyed hash: the same lines come back
//! in branch after branch of a history, and most fresh regions of a version were fresh in
//! another.
//!
//! Regions are cut into pieces where their own bytes say so, so that a text is cut alike wherever
//! it stands. A piece is known by all the bytes that the lanes look at for hits that begin in it.
//! Only absence is remembered (of hits, of words around a hit, of candidates at one), and only of
//! this engine and thread; an entry that is overwritten costs a search.
//!
//! The hash is keyed by the estate's key, so nobody can write a text that is taken for another;
//! by chance it would happen once in 2^64 pieces.

use std::{
    cell::RefCell,
    hash::Hasher as _,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use foldhash::{SharedSeed, quality::FoldHasher};
use keymuster_api::Hit;

use super::{rule::is_token_byte, seal::Seal};

/// Longer regions are cut into pieces.
const WHOLE: usize = 1024;
/// A piece of a longer region has at least so many bytes …
const SHORTEST: usize = 128;
/// … and at most so many.
const LONGEST: usize = 2048;
/// Texts that are remembered, one for each value of as many bits of their name.
const ENTRIES: usize = 1 << 16;

/// Knows texts without hits. Shared by every worker; what is known is each worker's own.
pub(super) struct Quiet {
    seed: u64,
    seeds: SharedSeed,
    /// Bytes behind a piece that lanes look at.
    look: usize,
    /// Tells this engine's entries from those of another.
    engine: u64,
}

/// A text and what stands around it, as far as it was looked at.
pub(super) struct Around<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) range: Range<usize>,
    /// Bytes behind it; before it, one.
    pub(super) look: usize,
    /// What it was searched for.
    pub(super) what: What,
}

/// What a text was searched for in vain.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// Hits of any lane.
    Hits,
    /// Words that rules of a slot want near a hit.
    Words { slot: u16 },
    /// Candidates at a hit of a slot, so many bytes behind the beginning of the text.
    Candidates { slot: u16, at: u16 },
}

impl What {
    fn number(self) -> u64 {
        match self {
            What::Hits => 0,
            What::Words { slot } => 1 | u64::from(slot) << 16,
            What::Candidates { slot, at } => 2 | u64::from(slot) << 16 | u64::from(at) << 32,
        }
    }
}

/// A part of a region that is not known to be without hits.
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    name: u64,
}

/// What a thread knows: names, no text.
struct Known {
    engine: u64,
    names: Vec<u64>,
}

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { engine: 0, names: Vec::new() }) };
}

/// Engines made so far.
static ENGINES: AtomicU64 = AtomicU64::new(0);

impl Quiet {
    /// For lanes that look at most so many bytes behind where a hit begins, and one before.
    pub(super) fn new(look: usize, seal: &Seal) -> Quiet {
        let key = seal.subject(b"texts without hits");
        let number = |at: usize| {
            let eight: [u8; 8] = std::array::from_fn(|index| key[at + index]);
            u64::from_le_bytes(eight)
        };
        Quiet {
            seed: number(0),
            seeds: SharedSeed::from_u64(number(8)),
            look,
            engine: ENGINES.fetch_add(1, Relaxed) + 1,
        }
    }

    /// The pieces of these regions (sorted, disjoint) that must be searched.
    pub(super) fn unknown(&self, bytes: &[u8], regions: &[Range<usize>], out: &mut Vec<Piece>) {
        self.with_known(|known| {
            for region in regions {
                let mut start = region.start;
                while start < region.end {
                    let range = start..cut(bytes, start, region.end);
                    start = range.end;
                    let name = self.name(&self.piece(bytes, range.clone()));
                    if known[entry(name)] != name {
                        out.push(Piece { range, name });
                    }
                }
            }
        });
    }

    /// Remembers those of the pieces in which none of the hits (sorted) begins.
    pub(super) fn learn(&self, bytes: &[u8], pieces: &[Piece], hits: &[Hit]) {
        let mut hits = hits.iter().map(|hit| hit.at as usize).peekable();
        self.with_known(|known| {
            for Piece { range, name } in pieces {
                while hits.next_if(|&at| at < range.start).is_some() {}
                let is_quiet = hits.peek().is_none_or(|&at| at >= range.end);
                if is_quiet && self.is_settled(bytes, range.end) {
                    known[entry(*name)] = *name;
                }
            }
        });
    }

    /// Whether this is the name of a text that holds nothing.
    pub(super) fn is_known(&self, name: u64) -> bool {
        self.with_known(|known| known[entry(name)] == name)
    }

    /// Remembers a text that holds nothing.
    pub(super) fn remember(&self, name: u64) {
        self.with_known(|known| known[entry(name)] = name);
    }

    /// The name of a text: of all that was looked at, of what is not there, and why.
    pub(super) fn name(&self, around: &Around<'_>) -> u64 {
        let Around { bytes, range, .. } = around;
        let seen = range.start.saturating_sub(1)..(range.end + around.look).min(bytes.len());
        let mut hasher = FoldHasher::with_seed(self.seed, &self.seeds);
        let lengths = [range.len() as u32, seen.len() as u32];
        hasher.write_u128(
            u128::from(lengths[0])
                | u128::from(lengths[1]) << 32
                | u128::from(around.what.number()) << 64
                | u128::from(range.start > 0) << 127,
        );
        hasher.write(&bytes[seen]);
        hasher.finish()
    }

    /// A piece, as the lanes see it.
    fn piece<'a>(&self, bytes: &'a [u8], range: Range<usize>) -> Around<'a> {
        Around {
            bytes,
            range,
            look: self.look,
            what: What::Hits,
        }
    }

    /// Whether what was looked at says all: a run of token bytes is a hit or not by its end.
    fn is_settled(&self, bytes: &[u8], end: usize) -> bool {
        let seen = (end + self.look).min(bytes.len());
        seen == bytes.len() || !bytes[end - 1..seen].iter().all(|&b| is_token_byte(b))
    }

    fn with_known<T>(&self, then: impl FnOnce(&mut [u64]) -> T) -> T {
        KNOWN.with_borrow_mut(|known| {
            if known.engine != self.engine {
                known.engine = self.engine;
                known.names.clear();
                known.names.resize(ENTRIES, 0);
            }
            then(&mut known.names)
        })
    }
}

/// Where a name stands among [`ENTRIES`].
fn entry(name: u64) -> usize {
    name as usize % ENTRIES
}

/// Where the piece that begins at `start` ends: behind a line feed before a line whose beginning
/// says so, about one in four.
fn cut(bytes: &[u8], start: usize, end: usize) -> usize {
    if end - start <= WHOLE {
        return end;
    }
    let last = end.min(start + LONGEST);
    let mut at = start + SHORTEST;
    while let Some(feed) = memchr::memchr(b'\n', &bytes[at..last]) {
        at += feed + 1;
        let line = bytes[at..].first_chunk().copied().map(u64::from_le_bytes);
        // The highest bits of a product depend on all bits of its factors.
        if line.is_none_or(|line| line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 == 0) {
            return at;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use keymuster_api::Hit;

    use super::Quiet;
    use crate::engine::Seal;

    fn unknown(quiet: &Quiet, text: &[u8], region: std::ops::Range<usize>) -> usize {
        let mut pieces = Vec::new();
        quiet.unknown(text, std::slice::from_ref(&region), &mut pieces);
        pieces.len()
    }

    fn learn(quiet: &Quiet, text: &[u8], region: std::ops::Range<usize>, hits: &[u32]) {
        let mut pieces = Vec::new();
        quiet.unknown(text, std::slice::from_ref(&region), &mut pieces);
        let hit = |&at: &u32| Hit {
            at,
            len: 1,
            slot: 0,
        };
        let hits: Vec<Hit> = hits.iter().map(hit).collect();
        quiet.learn(text, &pieces, &hits);
    }

    #[test]
    fn a_text_without_hits_is_known_again_with_all_around_it() {
        let quiet = Quiet::new(4, &Seal::new([1; 32]));
        let text = b"one two three four five";
        for region in [4..8, 8..14] {
            learn(&quiet, text, region, &[9]);
        }
        assert_eq!(unknown(&quiet, text, 4..8), 0);
        assert_eq!(unknown(&quiet, text, 8..14), 1, "a hit begins in it");
        assert_eq!(
            unknown(&quiet, b"two two three", 4..8),
            0,
            "as far as was looked"
        );
        for (other, region) in [
            (&b"one-two three four"[..], 4..8),
            (b"one two thxee four", 4..8),
            (b"one two thr", 4..8),
            (b"two three four", 0..4),
            (text, 4..7),
        ] {
            assert_eq!(unknown(&quiet, other, region), 1, "{other:?}");
        }
        let other = Quiet::new(4, &Seal::new([1; 32]));
        assert_eq!(unknown(&other, text, 4..8), 1, "each engine for itself");
    }

    #[test]
    fn a_run_that_goes_on_is_not_settled() {
        let quiet = Quiet::new(4, &Seal::new([1; 32]));
        learn(&quiet, b"x = abcdefgh12", 0..6, &[]);
        assert_eq!(unknown(&quiet, b"x = abcdefgh12", 0..6), 1);
        learn(&quiet, b"x = abcd", 0..6, &[]);
        assert_eq!(unknown(&quiet, b"x = abcd", 0..6), 0, "the text ends");
    }

    #[test]
    fn long_texts_are_cut_alike_wherever_they_stand() {
        let quiet = Quiet::new(17, &Seal::new([2; 32]));
        let line = |number: usize| format!("line {} of a long text\n", number * number);
        let lines: String = (0..400).map(line).collect();
        let moved = format!("something else\n{lines}");
        let all = unknown(&quiet, moved.as_bytes(), 0..moved.len());
        learn(&quiet, lines.as_bytes(), 0..lines.len(), &[]);
        let left = unknown(&quiet, moved.as_bytes(), 0..moved.len());
        assert!(all > 20 && left < 6, "{left} of {all}");
    }
}
