//! The token lane: finds known prefixes at the start of long runs of token bytes, at the cost
//! of classifying bytes, whatever the number of prefixes.
//!
//! Nearly every machine-made secret is a run of 16 or more of `[A-Za-z0-9_-]` with a prefix.
//! The bytes are classified 64 at a time into bit masks; shifts find the positions that begin
//! 16 token bytes and follow no word byte; only there a prefix is looked up.

use std::ops::Range;

use keymuster_api::Hit;

use super::rule::TOKEN_RUN;

/// Prefixes, grouped by their first two bytes.
pub(super) struct TokenLane {
    /// For each pair of first bytes: where its prefixes begin in `prefixes`, plus one; 0 for none.
    starts: Box<[u16; 65536]>,
    /// Sorted by first two bytes.
    prefixes: Vec<(Box<[u8]>, u16)>,
}

impl TokenLane {
    pub(super) fn new<'a>(literals: impl Iterator<Item = (&'a [u8], u16)>) -> TokenLane {
        let mut prefixes: Vec<(Box<[u8]>, u16)> =
            literals.map(|(text, slot)| (text.into(), slot)).collect();
        prefixes.sort();
        let mut starts: Box<[u16; 65536]> = vec![0; 65536]
            .into_boxed_slice()
            .try_into()
            .expect("65,536 entries");
        for (index, (text, _)) in prefixes.iter().enumerate().rev() {
            starts[pair(text)] = index as u16 + 1;
        }
        TokenLane { starts, prefixes }
    }

    pub(super) fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// Hits that begin inside `region`. Looks one byte before a position and [`TOKEN_RUN`]
    /// bytes from it, so a caller widens fresh ranges accordingly.
    pub(super) fn search(&self, bytes: &[u8], region: Range<usize>, out: &mut Vec<Hit>) {
        if self.prefixes.is_empty() || region.is_empty() {
            return;
        }
        let end = bytes.len();
        let mut at = region.start;
        // Whether the byte before the block is a word byte.
        let mut carry = u64::from(at > 0 && is_word(bytes[at - 1]));
        let (mut word, mut dash) = classify(bytes, at);
        while at < region.end {
            let (next_word, next_dash) = if at + 64 < end {
                classify(bytes, at + 64)
            } else {
                (0, 0)
            };
            let token = u128::from(word | dash) | u128::from(next_word | next_dash) << 64;
            let pairs = token & (token >> 1);
            let fours = pairs & (pairs >> 2);
            let eights = fours & (fours >> 4);
            let sixteens = eights & (eights >> 8);
            let mut starts = (sixteens as u64) & !(word << 1 | carry);
            while starts != 0 {
                let position = at + starts.trailing_zeros() as usize;
                starts &= starts - 1;
                if position >= region.end {
                    break;
                }
                self.look_up(bytes, position, out);
            }
            carry = word >> 63;
            (word, dash) = (next_word, next_dash);
            at += 64;
        }
    }

    fn look_up(&self, bytes: &[u8], position: usize, out: &mut Vec<Hit>) {
        let rest = &bytes[position..];
        let key = pair(rest);
        let start = self.starts[key];
        if start == 0 {
            return;
        }
        for (text, slot) in &self.prefixes[usize::from(start) - 1..] {
            if pair(text) != key {
                break;
            }
            if rest.starts_with(text) {
                out.push(Hit {
                    at: position as u32,
                    len: text.len().max(TOKEN_RUN) as u16,
                    slot: *slot,
                });
            }
        }
    }
}

fn pair(text: &[u8]) -> usize {
    usize::from(text[0]) << 8 | usize::from(text[1])
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Bit masks of word bytes and of dashes in the 64 bytes at `at`; bytes past the end are neither.
fn classify(bytes: &[u8], at: usize) -> (u64, u64) {
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

/// Written as plain comparisons over arrays, which the compiler turns into vector code; the
/// multiplication gathers eight bytes of 0 or 1 into eight bits.
fn masks(block: &[u8; 64]) -> (u64, u64) {
    let mut words = [0u8; 64];
    let mut dashes = [0u8; 64];
    for i in 0..64 {
        let byte = block[i];
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        words[i] = u8::from(letter | digit | (byte == b'_'));
        dashes[i] = u8::from(byte == b'-');
    }
    (gather(&words), gather(&dashes))
}

fn gather(flags: &[u8; 64]) -> u64 {
    let mut mask = 0;
    for (i, eight) in flags.chunks_exact(8).enumerate() {
        let eight = u64::from_le_bytes(eight.try_into().expect("eight bytes"));
        mask |= (eight.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop, prop_assert_eq, proptest};

    use super::{TokenLane, is_word};
    use crate::engine::rule::{TOKEN_RUN, is_token_byte};

    fn naive(prefixes: &[&str], bytes: &[u8]) -> Vec<(usize, u16)> {
        let mut found = Vec::new();
        for at in 0..bytes.len() {
            let boundary = at == 0 || !is_word(bytes[at - 1]);
            let run = bytes.len() >= at + TOKEN_RUN
                && bytes[at..at + TOKEN_RUN].iter().all(|&b| is_token_byte(b));
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
        fn masks_find_what_a_loop_finds(text in prop::collection::vec(prop::sample::select(b"abcA_-0. =".to_vec()), 0..400), from in 0usize..200) {
            let prefixes = ["aa", "ab", "ab-c", "a-", "A_"];
            let lane = TokenLane::new(prefixes.iter().enumerate().map(|(i, p)| (p.as_bytes(), i as u16)));
            let from = from.min(text.len());
            let mut hits = Vec::new();
            lane.search(&text, from..text.len(), &mut hits);
            let mut hits: Vec<_> = hits.iter().map(|hit| (hit.at as usize, hit.slot)).collect();
            hits.sort();
            let wanted: Vec<_> = naive(&prefixes, &text).into_iter().filter(|&(at, _)| at >= from).collect();
            prop_assert_eq!(hits, wanted);
        }
    }
}
