//! Anchors that begin where a word begins: the names of issuers and their settings, hundreds of
//! them, in any ASCII case. The token lane knows where words begin; there four bytes index a
//! table, so their number does not matter.
//!
//! Words that occur inside other names (`dbPassword`, `api_token`) and literals without letters
//! are too frequent or too short for that; they are the anchor lane's ([`is_everywhere`]).

use std::ops::Range;

use keymuster_api::Hit;

use super::folded::{self, Folded};

/// Literals that are searched for everywhere, not only where a word begins.
const EVERYWHERE: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "credential",
    "token",
    "authorization",
];

/// Bytes of an anchor that are looked for; the pattern sees to the rest.
pub(super) const LOOK: usize = 16;

/// Whether an anchor is searched for at every byte: a common word, or one that shows no word of
/// two letters or digits with four bytes from its beginning.
pub(super) fn is_everywhere(anchor: &str) -> bool {
    EVERYWHERE.iter().any(|word| anchor.starts_with(word)) || head(anchor).is_none()
}

/// Where the first word of an anchor begins, if two letters or digits stand there and two more
/// bytes follow.
fn head(anchor: &str) -> Option<usize> {
    let at = anchor.bytes().position(|b| b.is_ascii_alphanumeric())?;
    let four = anchor.as_bytes().get(at..at + 4)?;
    (at < LOOK - 4 && four[1].is_ascii_alphanumeric()).then_some(at)
}

/// Whether a word begins here: a letter or digit behind neither, or a capital behind a small
/// letter.
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| bytes[before]) else {
        return true;
    };
    !before.is_ascii_alphanumeric()
        || before.is_ascii_lowercase() && bytes.get(at).is_some_and(u8::is_ascii_uppercase)
}

/// Whether a match of a rule with these anchors may begin here: where the lanes look.
pub(super) fn may_begin(anchors: &[super::rule_text::Text], bytes: &[u8], at: usize) -> bool {
    anchors.iter().any(|anchor| {
        bytes
            .get(at..at + anchor.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(anchor.as_bytes()))
            && (is_everywhere(anchor)
                || !anchor.as_bytes()[0].is_ascii_alphanumeric()
                || begins_word(bytes, at))
    })
}

/// Anchors by the beginning of their first word.
pub(super) struct Heads {
    /// A bit for each hash of four bytes: whether an anchor has it.
    known: Box<[u64; 1024]>,
    /// Sorted by hash.
    anchors: Vec<Anchor>,
    /// Where the anchors whose hashes share their first ten bits begin in `anchors`.
    starts: Box<[u16; 1025]>,
}

struct Anchor {
    hash: u16,
    /// What stands from the word on.
    word: Folded,
    /// Bytes before the word.
    before: u8,
    slot: u16,
    text: Box<[u8]>,
}

impl Heads {
    /// A table of these anchors, for none of which [`is_everywhere`] holds.
    pub(super) fn new<'a>(literals: impl Iterator<Item = (&'a str, u16)>) -> Heads {
        let mut anchors: Vec<Anchor> = literals
            .filter_map(|(text, slot)| {
                let at = head(text)?;
                let text = &text.as_bytes()[..text.len().min(LOOK)];
                Some(Anchor {
                    hash: hash(folded::load(text, at)),
                    word: Folded::new(&text[at..]),
                    before: at as u8,
                    slot,
                    text: text.into(),
                })
            })
            .collect();
        anchors.sort_by(|a, b| (a.hash, &a.text, a.slot).cmp(&(b.hash, &b.text, b.slot)));
        let mut known = Box::new([0; 1024]);
        let mut starts = Box::new([0u16; 1025]);
        for anchor in &anchors {
            known[usize::from(anchor.hash >> 6)] |= 1 << (anchor.hash & 63);
            starts[usize::from(anchor.hash >> 6) + 1] += 1;
        }
        for bucket in 0..1024 {
            starts[bucket + 1] += starts[bucket];
        }
        Heads {
            known,
            anchors,
            starts,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.anchors.len()
    }

    /// How many bytes before its first word an anchor may begin.
    pub(super) fn before(&self) -> usize {
        let before = self.anchors.iter().map(|anchor| anchor.before);
        usize::from(before.max().unwrap_or(0))
    }

    /// Hits of anchors whose first word begins at `at` and that begin in `region` themselves.
    #[inline]
    pub(super) fn look_up(
        &self,
        bytes: &[u8],
        at: usize,
        region: &Range<usize>,
        out: &mut Vec<Hit>,
    ) {
        let loaded = folded::load(bytes, at);
        let hash = hash(loaded);
        let bucket = usize::from(hash >> 6);
        if self.known[bucket] >> (hash & 63) & 1 == 0 {
            return;
        }
        let within = usize::from(self.starts[bucket])..usize::from(self.starts[bucket + 1]);
        for anchor in &self.anchors[within] {
            if anchor.word.may_be(loaded) {
                anchor.compare(bytes, at, region, out);
            }
        }
    }
}

impl Anchor {
    fn compare(&self, bytes: &[u8], at: usize, region: &Range<usize>, out: &mut Vec<Hit>) {
        let Some(start) = at.checked_sub(usize::from(self.before)) else {
            return;
        };
        let text = bytes.get(start..start + self.text.len());
        if region.contains(&start) && text.is_some_and(|text| text.eq_ignore_ascii_case(&self.text))
        {
            out.push(Hit {
                at: start as u32,
                len: self.text.len() as u16,
                slot: self.slot,
            });
        }
    }
}

/// Sixteen bits of four folded bytes (Fibonacci hashing).
#[inline]
fn hash(loaded: u64) -> u16 {
    ((loaded as u32).wrapping_mul(0x9e37_79b1) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::{begins_word, head, is_everywhere, may_begin};

    #[test]
    fn anchors_are_parted_by_how_they_can_be_found() {
        for anchor in ["password", "token_id", "://", ":aa", "mux", "1//0"] {
            assert!(is_everywhere(anchor), "{anchor}");
        }
        for anchor in [
            "pagerduty",
            "-----begin",
            "/hooks/",
            "<server>",
            "$2a$1",
            "pd_key",
        ] {
            assert!(!is_everywhere(anchor), "{anchor}");
        }
        assert_eq!(head("-----begin"), Some(5));
        assert_eq!(head("<server>"), Some(1));
    }

    #[test]
    fn words_begin_at_borders_and_capitals() {
        let text = b"myPagerduty pagerduty_x xpagerduty 9pagerduty -pagerduty";
        let begins: Vec<usize> = (0..text.len())
            .filter(|&at| may_begin(&["pagerduty".into()], text, at))
            .collect();
        assert_eq!(begins, [2, 12, 47]);
        assert!(begins_word(b"a", 0));
    }
}
