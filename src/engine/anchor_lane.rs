//! The anchor lane: a dozen literals, in any ASCII case, that occur inside other names or have no
//! letters. All other anchors are looked up where words begin ([`super::heads`]).

use std::{cell::RefCell, ops::Range};

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};
use keymuster_api::Hit;
use zeroize::Zeroize as _;

/// Anchors, grouped by the shortest anchor they begin with.
pub(super) struct AnchorLane {
    /// One for the shortest literals, one for the others: a packed searcher compares as many
    /// bytes as its shortest literal has, and few bytes mean many false alarms.
    searchers: Vec<Searcher>,
    /// Sorted, so that those with a common beginning are neighbours.
    anchors: Vec<(Box<[u8]>, u16)>,
    longest: usize,
}

struct Searcher {
    finder: Finder,
    /// For each literal that is searched for: the anchors that begin with it.
    heads: Vec<Range<usize>>,
}

enum Finder {
    Packed(packed::Searcher),
    Automaton(Box<AhoCorasick>),
}

impl Finder {
    fn new(literals: &[&[u8]]) -> Finder {
        let mut builder = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostFirst)
            .builder();
        builder.extend(literals);
        match builder.build() {
            Some(searcher) => Finder::Packed(searcher),
            None => Finder::Automaton(Box::new(
                AhoCorasick::builder()
                    .kind(Some(AhoCorasickKind::DFA))
                    .match_kind(aho_corasick::MatchKind::LeftmostFirst)
                    .build(literals)
                    .expect("a few dozen short literals fit an automaton"),
            )),
        }
    }

    /// The number of the literal and where it begins.
    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = match self {
            Finder::Packed(searcher) => searcher.find_in(text, (from..text.len()).into()),
            Finder::Automaton(searcher) => {
                searcher.find(aho_corasick::Input::new(text).range(from..))
            }
        }?;
        Some((found.pattern().as_usize(), found.start()))
    }
}

/// A worker's lower-cased copy of what it searches; it holds plaintext, so it is wiped.
struct Lowered {
    text: Vec<u8>,
    parts: Vec<Part>,
}

/// A part of the lower-cased copy.
struct Part {
    /// Where it begins in the copy.
    text_at: usize,
    /// Where it begins in the content.
    at: usize,
    /// In how many of its bytes a hit may begin.
    len: usize,
}

impl Drop for Lowered {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

thread_local! {
    static LOWERED: RefCell<Lowered> = const { RefCell::new(Lowered { text: Vec::new(), parts: Vec::new() }) };
}

/// Literals up to this length have a searcher of their own.
const SHORT: usize = 3;
/// Bytes lowered and searched at a time: stays in the second-level cache.
const BLOCK: usize = 64 << 10;

impl AnchorLane {
    pub(super) fn new<'a>(literals: impl Iterator<Item = (&'a [u8], u16)>) -> AnchorLane {
        let mut anchors: Vec<(Box<[u8]>, u16)> =
            literals.map(|(text, slot)| (text.into(), slot)).collect();
        anchors.sort();
        // Whatever begins with another anchor is found by way of that one.
        let mut heads: Vec<Range<usize>> = Vec::new();
        for (index, (text, _)) in anchors.iter().enumerate() {
            match heads.last_mut() {
                Some(head) if text.starts_with(&anchors[head.start].0) => head.end = index + 1,
                _ => heads.push(index..index + 1),
            }
        }
        let (short, long): (Vec<_>, Vec<_>) = heads
            .into_iter()
            .partition(|head| anchors[head.start].0.len() <= SHORT);
        let searchers = [short, long]
            .into_iter()
            .filter(|heads| !heads.is_empty())
            .map(|heads| {
                let literals: Vec<&[u8]> =
                    heads.iter().map(|head| &*anchors[head.start].0).collect();
                Searcher {
                    finder: Finder::new(&literals),
                    heads,
                }
            })
            .collect();
        let longest = anchors
            .iter()
            .map(|(text, _)| text.len())
            .max()
            .unwrap_or(0);
        AnchorLane {
            searchers,
            anchors,
            longest,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Length of the longest anchor.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Hits that begin inside one of the regions, which are sorted and disjoint.
    ///
    /// Small regions are gathered in one text, each with the bytes behind it that an anchor may
    /// reach into and a gap that no anchor can bridge: starting a search costs more than what
    /// it reads in a dozen bytes.
    pub(super) fn search(&self, bytes: &[u8], regions: &[Range<usize>], out: &mut Vec<Hit>) {
        if self.anchors.is_empty() {
            return;
        }
        LOWERED.with_borrow_mut(|lowered| {
            let Lowered { text, parts } = lowered;
            text.clear();
            parts.clear();
            for region in regions {
                let mut at = region.start;
                while at < region.end {
                    let end = (at + BLOCK).min(region.end);
                    let part = &bytes[at..(end + self.longest).min(bytes.len())];
                    parts.push(Part {
                        text_at: text.len(),
                        at,
                        len: end - at,
                    });
                    text.extend(part.iter().map(u8::to_ascii_lowercase));
                    text.push(0);
                    at = end;
                    if text.len() >= BLOCK {
                        self.search_text(text, parts, out);
                        text.clear();
                        parts.clear();
                    }
                }
            }
            self.search_text(text, parts, out);
        });
    }

    fn search_text(&self, text: &[u8], parts: &[Part], out: &mut Vec<Hit>) {
        for searcher in &self.searchers {
            let mut from = 0;
            let mut part = 0;
            while let Some((literal, start)) = searcher.finder.find(text, from) {
                from = start + 1;
                while parts
                    .get(part + 1)
                    .is_some_and(|next| next.text_at <= start)
                {
                    part += 1;
                }
                let within = start - parts[part].text_at;
                if within >= parts[part].len {
                    continue;
                }
                // Two literals searched for never begin at one place: none begins with another.
                for (anchor, slot) in &self.anchors[searcher.heads[literal].clone()] {
                    if text[start..].starts_with(anchor) {
                        out.push(Hit {
                            at: (parts[part].at + within) as u32,
                            len: anchor.len() as u16,
                            slot: *slot,
                        });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AnchorLane;

    #[test]
    fn overlapping_anchors_are_all_found() {
        let anchors = ["secret", "secret_key", "token", "auth_token", "://"];
        let lane = AnchorLane::new(
            anchors
                .iter()
                .enumerate()
                .map(|(i, a)| (a.as_bytes(), i as u16)),
        );
        let text = b"AUTH_TOKEN x Secret_Key http://secret";
        let mut hits = Vec::new();
        lane.search(text, std::slice::from_ref(&(0..text.len())), &mut hits);
        let mut found: Vec<_> = hits
            .iter()
            .map(|hit| (hit.at, anchors[usize::from(hit.slot)]))
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                (0, "auth_token"),
                (5, "token"),
                (13, "secret"),
                (13, "secret_key"),
                (28, "://"),
                (31, "secret")
            ]
        );
    }

    #[test]
    fn hits_across_blocks_are_found_once() {
        let lane = AnchorLane::new([(&b"token"[..], 0)].into_iter());
        let mut text = vec![b'x'; super::BLOCK - 2];
        text.extend_from_slice(b"TOKEN and more");
        let mut hits = Vec::new();
        lane.search(&text, std::slice::from_ref(&(0..text.len())), &mut hits);
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].at as usize, super::BLOCK - 2);
    }

    #[test]
    fn regions_do_not_lend_each_other_bytes() {
        let lane = AnchorLane::new([(&b"token"[..], 0)].into_iter());
        let text = b"tokens tok xx en token";
        let find = |regions: &[std::ops::Range<usize>]| {
            let mut hits = Vec::new();
            lane.search(text, regions, &mut hits);
            hits.iter().map(|hit| hit.at).collect::<Vec<_>>()
        };
        assert_eq!(find(&[0..1, 7..10, 14..17]), [0u32; 1]);
        assert_eq!(find(&[1..7, 17..18]), [17]);
        assert_eq!(find(&[7..10, 14..16]), [0u32; 0]);
    }
}
