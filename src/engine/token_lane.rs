//! The token lane: finds known prefixes at the start of long runs of token bytes, at the cost
//! of classifying bytes, whatever the number of prefixes.
//!
//! Nearly every machine-made secret is a run of 16 or more of `[A-Za-z0-9_+/.=-]` with a prefix.
//! The bytes are classified 64 at a time into bit masks; shifts find the positions that begin
//! 16 of them and follow no word byte; only there a prefix is looked up. A run that holds a
//! digit and stands where a value may stand is a hit of its own, for rules that know a value by
//! the words near it ([`super::run`]).

use std::ops::Range;

use keymuster_api::Hit;
use wide::u8x16;

use super::{
    folded::{self, Folded},
    heads::Heads,
    layer,
    rule::{TOKEN_RUN, is_word_byte},
    run,
};

/// Prefixes, grouped by their first two bytes.
pub(super) struct TokenLane {
    /// For each pair of first bytes: where its prefixes begin in `prefixes`, plus one; 0 for none.
    starts: Box<[u16; 65536]>,
    /// Sorted by first two bytes.
    prefixes: Vec<Prefix>,
    /// The slot of hits of runs, if a rule wants them.
    runs: Option<u16>,
    /// The slot of hits of encoded texts, if they are wanted.
    encoded: Option<u16>,
    /// Anchors that begin where a word begins.
    heads: Heads,
    /// [`Heads::before`].
    before: usize,
}

struct Prefix {
    pair: u16,
    slot: u16,
    /// Its first bytes, to be compared at once, in any case.
    head: Folded,
    text: Box<[u8]>,
}

impl TokenLane {
    pub(super) fn new<'a>(
        literals: impl Iterator<Item = (&'a [u8], u16)>,
        runs: Option<u16>,
        encoded: Option<u16>,
        heads: Heads,
    ) -> TokenLane {
        // The pattern sees to the rest of a long one.
        let mut prefixes: Vec<Prefix> = literals
            .map(|(text, slot)| {
                let text = &text[..text.len().min(TOKEN_RUN)];
                Prefix {
                    pair: pair(text),
                    slot,
                    head: Folded::new(text),
                    text: text.into(),
                }
            })
            .collect();
        prefixes.sort_by(|a, b| (&a.text, a.slot).cmp(&(&b.text, b.slot)));
        let mut starts: Box<[u16; 65536]> = vec![0; 65536]
            .into_boxed_slice()
            .try_into()
            .expect("65,536 entries");
        for (index, prefix) in prefixes.iter().enumerate().rev() {
            starts[usize::from(prefix.pair)] = index as u16 + 1;
        }
        TokenLane {
            starts,
            prefixes,
            runs,
            encoded,
            before: heads.before(),
            heads,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// How many anchors are looked up where words begin.
    pub(super) fn heads(&self) -> usize {
        self.heads.len()
    }

    /// Hits that begin inside `region`. Looks one byte before a position and [`TOKEN_RUN`]
    /// bytes from it, so a caller widens fresh ranges accordingly.
    pub(super) fn search(&self, bytes: &[u8], region: Range<usize>, out: &mut Vec<Hit>) {
        if region.is_empty() {
            return;
        }
        let end = bytes.len();
        let mut at = region.start;
        // Whether the byte before the block is a word byte.
        let before = at.checked_sub(1).map_or(0, |before| bytes[before]);
        let mut carry = u64::from(is_word_byte(before));
        let mut carry_alnum = u64::from(before.is_ascii_alphanumeric());
        let mut carry_lower = u64::from(before.is_ascii_lowercase());
        // The first word of an anchor may begin behind its first bytes.
        let look_end = (region.end + self.before).min(end);
        let mut here = classify(bytes, at);
        while at < look_end {
            // Of a small region the next block says nothing that this one does not.
            let (next, seen) = if at + 64 >= end {
                (Masks::default(), 128)
            } else if at + 64 < look_end + TOKEN_RUN {
                (classify(bytes, at + 64), 128)
            } else {
                (Masks::default(), 64)
            };
            let lane = u128::from(here.lane) | u128::from(next.lane) << 64;
            let mut starts = sixteens(lane) & !(here.word << 1 | carry);
            let token = u128::from(here.token()) | u128::from(next.token()) << 64;
            let runs = self.runs.map_or(0, |_| sixteens(token));
            while starts != 0 {
                let offset = starts.trailing_zeros();
                let position = at + offset as usize;
                starts &= starts - 1;
                if position >= region.end {
                    break;
                }
                self.look_up(bytes, position, out);
                if let Some(slot) = self.encoded
                    && layer::sees_encoded(bytes, position)
                {
                    out.push(layer::hit(bytes, position, slot));
                }
                if runs >> offset & 1 != 0
                    && let Some(slot) = self.runs
                {
                    // Names in code are runs too, and far more frequent; few hold a digit.
                    let length = (!(token >> offset)).trailing_zeros();
                    let within = offset + length < seen;
                    let digits = u128::from(here.digit) | u128::from(next.digit) << 64;
                    let length = if !within {
                        run::length(bytes, position)
                    } else {
                        let shown = (1 << length) - 1;
                        let fits = digits >> offset & shown != 0 && run::may_begin(bytes, position);
                        fits.then_some(length as usize)
                    };
                    if let Some(length) = length {
                        out.push(Hit {
                            at: position as u32,
                            len: length as u16 + 1,
                            slot,
                        });
                    }
                }
            }
            let lower = here.alnum & !here.digit & !here.upper;
            let mut words = here.alnum & !(here.alnum << 1 | carry_alnum)
                | here.upper & (lower << 1 | carry_lower);
            // A head begins with two letters or digits.
            let alnum = u128::from(here.alnum) | u128::from(next.alnum) << 64;
            words &= (alnum & alnum >> 1) as u64;
            while words != 0 {
                let position = at + words.trailing_zeros() as usize;
                words &= words - 1;
                self.heads.look_up(bytes, position, &region, out);
            }
            carry = here.word >> 63;
            carry_alnum = here.alnum >> 63;
            carry_lower = lower >> 63;
            here = next;
            at += 64;
        }
    }

    fn look_up(&self, bytes: &[u8], position: usize, out: &mut Vec<Hit>) {
        let rest = &bytes[position..];
        let pair = pair(rest);
        let start = self.starts[usize::from(pair)];
        if start == 0 {
            return;
        }
        let loaded = folded::load(bytes, position);
        let same = self.prefixes[usize::from(start) - 1..]
            .iter()
            .take_while(|prefix| prefix.pair == pair);
        for prefix in same {
            if prefix.head.may_be(loaded) && rest.starts_with(&prefix.text) {
                out.push(Hit {
                    at: position as u32,
                    len: TOKEN_RUN as u16,
                    slot: prefix.slot,
                });
            }
        }
    }
}

fn pair(text: &[u8]) -> u16 {
    u16::from_be_bytes([text[0], text[1]])
}

/// The positions among the first 64 at which 16 set bits begin.
fn sixteens(mask: u128) -> u64 {
    let pairs = mask & (mask >> 1);
    let fours = pairs & (pairs >> 2);
    let eights = fours & (fours >> 4);
    (eights & (eights >> 8)) as u64
}

/// A bit for each of 64 bytes.
#[derive(Clone, Copy, Default)]
struct Masks {
    /// [`is_lane_byte`](super::rule::is_lane_byte).
    lane: u64,
    /// Letters, digits and `_`.
    word: u64,
    dash: u64,
    digit: u64,
    /// Letters and digits.
    alnum: u64,
    /// Capitals.
    upper: u64,
}

impl Masks {
    fn token(self) -> u64 {
        self.word | self.dash
    }
}

/// The masks of the 64 bytes at `at`; bytes past the end are nothing.
fn classify(bytes: &[u8], at: usize) -> Masks {
    match bytes
        .get(at..at + 64)
        .and_then(|block| block.try_into().ok())
    {
        Some(block) => masks(block),
        None => {
            let mut block = [0; 64];
            let rest = &bytes[at..];
            block[..rest.len()].copy_from_slice(rest);
            masks(&block)
        }
    }
}

fn masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    for (index, sixteen) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::new(*sixteen);
        let within = |bytes: u8x16, first: u8, count: u8| {
            let offset = bytes - u8x16::splat(first);
            offset.min(u8x16::splat(count - 1)).simd_eq(offset)
        };
        let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
        let letter = within(bytes | u8x16::splat(0x20), b'a', 26);
        let digit = within(bytes, b'0', 10);
        let alnum = letter | digit;
        let word = alnum | is(b'_');
        // `-`, `.`, `/` and `+`, `=`.
        let lane = word | within(bytes, b'-', 3) | is(b'+') | is(b'=');
        let bits = |mask: u8x16| u64::from(mask.to_bitmask()) << (16 * index);
        masks.lane |= bits(lane);
        masks.word |= bits(word);
        masks.dash |= bits(is(b'-'));
        masks.digit |= bits(digit);
        masks.alnum |= bits(alnum);
        masks.upper |= bits(within(bytes, b'A', 26));
    }
    masks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop, prop_assert_eq, proptest};

    use super::TokenLane;
    use crate::engine::{
        heads::{self, Heads},
        rule::{TOKEN_RUN, is_lane_byte, is_word_byte},
        run,
    };

    fn naive(prefixes: &[&str], bytes: &[u8]) -> Vec<(usize, u16)> {
        let mut found = Vec::new();
        for at in 0..bytes.len() {
            let boundary = at == 0 || !is_word_byte(bytes[at - 1]);
            let run = bytes.len() >= at + TOKEN_RUN
                && bytes[at..at + TOKEN_RUN].iter().all(|&b| is_lane_byte(b));
            for (slot, prefix) in (0u16..).zip(prefixes) {
                if boundary && run && bytes[at..].starts_with(prefix.as_bytes()) {
                    found.push((at, slot));
                }
            }
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn masks_find_what_a_loop_finds(text in prop::collection::vec(prop::sample::select(b"abcA_-0. =+/".to_vec()), 0..400), from in 0usize..200) {
            let prefixes = ["aa", "ab", "ab-c", "a-", "A_"];
            let lane = TokenLane::new(prefixes.iter().enumerate().map(|(i, p)| (p.as_bytes(), i as u16)), None, None, Heads::new(std::iter::empty()));
            let from = from.min(text.len());
            let mut hits = Vec::new();
            lane.search(&text, from..text.len(), &mut hits);
            let mut hits: Vec<_> = hits.iter().map(|hit| (hit.at as usize, hit.slot)).collect();
            hits.sort();
            let wanted: Vec<_> = naive(&prefixes, &text).into_iter().filter(|&(at, _)| at >= from).collect();
            prop_assert_eq!(hits, wanted);
        }

        #[test]
        fn runs_are_what_a_loop_finds(text in prop::collection::vec(prop::sample::select(b"abcdefghA_-0= ".to_vec()), 0..900), from in 0usize..200) {
            let lane = TokenLane::new(std::iter::empty(), Some(7), None, Heads::new(std::iter::empty()));
            let from = from.min(text.len());
            let mut hits = Vec::new();
            lane.search(&text, from..text.len(), &mut hits);
            let hits: Vec<_> = hits.iter().map(|hit| (hit.at as usize, usize::from(hit.len) - 1)).collect();
            let wanted: Vec<_> = (from..text.len()).filter_map(|at| Some((at, run::length(&text, at)?))).collect();
            prop_assert_eq!(hits, wanted);
        }

        #[test]
        fn heads_are_what_a_loop_finds(text in prop::collection::vec(prop::sample::select(b"abAB9_-/ ".to_vec()), 0..400), from in 0usize..200, to in 200usize..400) {
            let anchors = ["abab", "abab9", "/bab_", "--aba-", "9ab/", "ab__"];
            let lane = TokenLane::new(std::iter::empty(), None, None, Heads::new(anchors.iter().enumerate().map(|(i, a)| (*a, i as u16))));
            let region = from.min(text.len())..to.min(text.len());
            let mut hits = Vec::new();
            lane.search(&text, region.clone(), &mut hits);
            let mut hits: Vec<_> = hits.iter().map(|hit| (hit.at as usize, hit.slot)).collect();
            hits.sort();
            let mut wanted = Vec::new();
            for at in region {
                for (slot, anchor) in (0u16..).zip(anchors) {
                    if heads::may_begin(&[anchor.into()], &text, at) {
                        wanted.push((at, slot));
                    }
                }
            }
            prop_assert_eq!(hits, wanted);
        }
    }
}
