//! Words that must stand near a value: most kinds of credentials have no format of their own,
//! and are known by the name of their issuer beside them.
//!
//! A rule set has thousands of words and looks for all of them at once, in a window of
//! [`REACH`] bytes, only where a lane saw something: three bytes index a table.

use std::ops::Range;

use super::folded::{self, Folded};

/// Bytes on either side of a hit in which words are looked for.
pub(super) const REACH: usize = 48;
/// Words shorter than this must stand alone.
const ALONE: usize = 6;
/// A word inside so long a run of base64 is no word.
const BLOCK: usize = 32;
/// Longest word.
const LONGEST: usize = 40;

/// Whether a rule may name this word.
pub(super) fn is_word(word: &str) -> bool {
    (3..=LONGEST).contains(&word.len())
        && word.as_bytes()[0].is_ascii_alphanumeric()
        && word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-. ".contains(&b))
}

/// The bytes around a hit in which a rule's words are looked for: before a value of the run
/// lane, on both sides of the others.
pub(super) fn window(bytes: &[u8], at: usize, is_run: bool) -> (usize, usize) {
    let end = if is_run {
        at
    } else {
        (at + REACH).min(bytes.len())
    };
    (at.saturating_sub(REACH), end)
}

/// All words of a rule set.
pub(super) struct Words {
    /// For each three first bytes, folded to 15 bits: the first word with them, plus one.
    starts: Box<[u16; 1 << 15]>,
    /// Sorted by their folded first bytes, then by text.
    words: Vec<Word>,
}

struct Word {
    key: u16,
    head: Folded,
    text: Box<str>,
}

impl Words {
    /// A table of these words; duplicates are dropped.
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>) -> Words {
        let mut words: Vec<&str> = words.collect();
        words.sort_unstable_by_key(|word| (fold(word.as_bytes()), *word));
        words.dedup();
        let mut starts: Box<[u16; 1 << 15]> = vec![0; 1 << 15]
            .into_boxed_slice()
            .try_into()
            .expect("32,768 entries");
        for (index, word) in words.iter().enumerate().rev() {
            starts[usize::from(fold(word.as_bytes()))] = u16::try_from(index + 1)
                .expect("fewer than 65,535 words; `rules check` counts them");
        }
        Words {
            starts,
            words: words
                .into_iter()
                .map(|word| Word {
                    key: fold(word.as_bytes()),
                    head: Folded::new(word.as_bytes()),
                    text: word.into(),
                })
                .collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The number of a word.
    pub(super) fn number(&self, word: &str) -> Option<u16> {
        let key = fold(word.as_bytes());
        let first = self.starts[usize::from(key)].checked_sub(1)?;
        (first..)
            .zip(&self.words[usize::from(first)..])
            .take_while(|(_, known)| known.key == key)
            .find(|(_, known)| &*known.text == word)
            .map(|(number, _)| number)
    }

    /// Calls back with the number of every word that stands in `bytes[from..to]` and that the
    /// filter lets through, and perhaps with some others.
    pub(super) fn find(
        &self,
        filter: &Filter,
        bytes: &[u8],
        from: usize,
        to: usize,
        mut found: impl FnMut(u16),
    ) {
        let Some((&[first, second], rest)) = bytes[from..to].split_first_chunk() else {
            return;
        };
        let mut key = fold(&[0, first, second]);
        for (at, &byte) in (from..).zip(rest) {
            key = (key << 5 | u16::from(byte & 31)) & 0x7fff;
            if !filter.may_have(key) {
                continue;
            }
            let Some(first) = self.starts[usize::from(key)].checked_sub(1) else {
                continue;
            };
            let loaded = folded::load(bytes, at);
            let same = (first..)
                .zip(&self.words[usize::from(first)..])
                .take_while(|(_, word)| word.key == key);
            for (number, word) in same {
                if word.head.may_be(loaded) && stands(word.text.as_bytes(), bytes, at, from..to) {
                    found(number);
                }
            }
        }
    }

    /// A filter that lets these words through.
    pub(super) fn filter(&self, numbers: impl Iterator<Item = u16>) -> Filter {
        let keys: Vec<u16> = numbers
            .map(|number| self.words[usize::from(number)].key)
            .collect();
        Filter::new(&keys)
    }
}

/// The beginnings of some of the words, so that those of others cost a look into a small table.
#[derive(Default)]
pub(super) struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    fn new(keys: &[u16]) -> Filter {
        // Sixteen bits a word, and all that there can be where there are many.
        let len = (keys.len() * 16)
            .next_power_of_two()
            .clamp(1 << 10, 1 << 15)
            / 64;
        let mut bits = vec![0; len];
        for key in keys {
            bits[usize::from(key >> 6) % len] |= 1 << (key & 63);
        }
        Filter { bits }
    }

    fn may_have(&self, key: u16) -> bool {
        self.bits[usize::from(key >> 6) & (self.bits.len() - 1)] >> (key & 63) & 1 != 0
    }
}

/// Whether one of a rule's words stands in `bytes[from..to]`: what the table answers, without
/// the table.
pub(super) fn is_near(
    words: &[super::rule_text::Text],
    bytes: &[u8],
    from: usize,
    to: usize,
) -> bool {
    (from..to).any(|at| {
        words
            .iter()
            .any(|word| stands(word.as_bytes(), bytes, at, from..to))
    })
}

/// Where a rule's words stand in `bytes[from..to]`, in order.
pub(super) fn places(
    words: &[super::rule_text::Text],
    bytes: &[u8],
    from: usize,
    to: usize,
) -> Vec<Range<usize>> {
    (from..to)
        .filter_map(|at| {
            let longest = words
                .iter()
                .filter(|word| stands(word.as_bytes(), bytes, at, from..to))
                .map(|word| word.len())
                .max()?;
            Some(at..at + longest)
        })
        .collect()
}

/// Five bits of each of three bytes: equal for both cases of a letter.
fn fold(bytes: &[u8]) -> u16 {
    u16::from(bytes[0] & 31) << 10 | u16::from(bytes[1] & 31) << 5 | u16::from(bytes[2] & 31)
}

/// Whether a word stands at this place, within the window. A short one must stand alone: `aha` is
/// in `AHA_KEY` and `ahaKey` and not in `Sahara`; none stands in a line of base64.
fn stands(word: &[u8], bytes: &[u8], at: usize, window: Range<usize>) -> bool {
    let end = at + word.len();
    if end > window.end || !bytes[at..end].eq_ignore_ascii_case(word) {
        return false;
    }
    is_alone(word, bytes, at, end) && !is_in_block(bytes, at..end, window)
}

fn is_alone(word: &[u8], bytes: &[u8], at: usize, end: usize) -> bool {
    if word.len() >= ALONE {
        return true;
    }
    let starts = at == 0 || {
        let before = bytes[at - 1];
        !before.is_ascii_alphabetic()
            || before.is_ascii_lowercase() && bytes[at].is_ascii_uppercase()
    };
    starts
        && bytes.get(end).is_none_or(|after| {
            !after.is_ascii_alphabetic()
                || after.is_ascii_uppercase() && bytes[end - 1].is_ascii_lowercase()
        })
}

/// Whether the word is a part of a long run of base64, as far as the window shows: signatures,
/// certificates and attachments hold every short word sooner or later.
fn is_in_block(bytes: &[u8], word: Range<usize>, window: Range<usize>) -> bool {
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let before = bytes[window.start..word.start].iter().rev();
    let after = bytes[word.end..window.end].iter();
    let around = before.take_while(is_base64).count() + after.take_while(is_base64).count();
    around + word.len() >= BLOCK
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop, prop_assert_eq, proptest};

    use super::{Words, is_near, is_word};

    #[test]
    fn short_words_stand_alone() {
        let words = Words::new(["aha", "algolia"].into_iter());
        let names = |text: &str| {
            let mut found = Vec::new();
            let filter = words.filter(0..2);
            words.find(&filter, text.as_bytes(), 0, text.len(), |word| {
                found.push(word)
            });
            found.len()
        };
        for text in [
            "AHA_KEY",
            "ahaKey",
            "myAhaKey",
            "x-aha: ",
            "aha",
            "myalgoliakeys",
        ] {
            assert_eq!(names(text), 1, "{text}");
        }
        for text in ["Sahara", "ahab", "AHAB", "al-golia", "aha_algo"] {
            assert_eq!(names(text), usize::from(text == "aha_algo"), "{text}");
        }
        for text in [
            "0/wiz+x0W0l3ghOuvvVtsG3PWbiOmVN6AJ1sMEHCP",
            "0W0l3ghOuvvVtsG3PWbiOmVN6AJ1sME/aha/",
        ] {
            assert_eq!(names(text), 0, "{text}");
        }
        assert!(is_word("abuse_ipdb") && !is_word("ab") && !is_word("Aha") && !is_word("_x_"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn the_table_finds_what_a_loop_finds(text in prop::collection::vec(prop::sample::select(b"abAB_- c".to_vec()), 0..100)) {
            let list = ["aba", "abab", "bab_a", "cab", "ab-ab-ab"];
            let words = Words::new(list.into_iter());
            let mut found = vec![false; list.len()];
            let filter = words.filter(0..list.len() as u16);
            words.find(&filter, &text, 0, text.len(), |word| found[usize::from(word)] = true);
            for word in list {
                let number = words.number(word).expect("a word");
                let alone = is_near(&[word.into()], &text, 0, text.len());
                prop_assert_eq!(found[usize::from(number)], alone, "{}", word);
            }
        }
    }
}
