//! The engine: searches one content, with or without what is known of its base.

use std::{cell::RefCell, ops::Range};

use keymuster_api::{
    Candidate, Content, Fresh, Hit, PathClass, Redaction, Redactor, SecretId, Spot, Trace,
};

use super::{
    confirm::confirm,
    inherit::{self, Reach},
    precedence,
    rule::{TOKEN_RUN, is_named},
    ruleset::RuleSet,
    seal::Seal,
    text::{self, Decoded, Kind},
    words,
};

/// Rules and key: all that searching needs. Shared by every worker.
pub struct Engine {
    rules: RuleSet,
    seal: Seal,
    reach: Vec<Reach>,
    lane_reach: usize,
}

thread_local! {
    /// Hits carry no content; the buffer is only kept for its capacity.
    static HITS: RefCell<Vec<Hit>> = const { RefCell::new(Vec::new()) };
}

impl Engine {
    /// An engine with these rules, sealing with this key.
    pub fn new(rules: RuleSet, seal: Seal) -> Engine {
        let reach = rules
            .slots
            .iter()
            .map(|slot| {
                slot.all.iter().fold(Reach::default(), |reach, &number| {
                    // Far from both ends of a long content the window is not clamped.
                    let window = rules.rules[number as usize].window(1 << 20, 1 << 30);
                    Reach {
                        before: reach.before.max((1 << 20) - window.start),
                        after: reach.after.max(window.end - (1 << 20)),
                    }
                })
            })
            .collect();
        let lane_reach = rules
            .anchors
            .longest()
            .max(rules.tokens.longest())
            .max(TOKEN_RUN)
            + 1;
        Engine {
            rules,
            seal,
            reach,
            lane_reach,
        }
    }

    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The key.
    pub fn key(&self) -> &Seal {
        &self.seal
    }

    /// Searches a content. What it returns serves contents made from this one.
    pub fn search(&self, content: &Content<'_>) -> Trace {
        let bytes = content.bytes;
        let kind = text::kind(bytes);
        let mut trace = match kind {
            Kind::Utf16Le | Kind::Utf16Be => self.search_utf16(bytes, kind == Kind::Utf16Be),
            Kind::Text | Kind::Binary => match content.fresh {
                Fresh::Only { copied, base }
                    if base.traits == kind as u32 && !copied.is_empty() =>
                {
                    let regions = inherit::regions(copied, base.len, bytes, self.lane_reach);
                    let inherited = if base.hits.is_empty() {
                        Vec::new()
                    } else {
                        inherit::hits(copied, base, bytes.len(), &self.reach)
                    };
                    self.search_regions(bytes, &regions, inherited, Some(base))
                }
                _ => self.search_regions(
                    bytes,
                    std::slice::from_ref(&(0..bytes.len())),
                    Vec::new(),
                    None,
                ),
            },
        };
        trace.len = bytes.len();
        trace.traits = kind as u32;
        if content.origin.is_cut {
            // What looked past the end of the slice is judged again with the next.
            trace
                .candidates
                .retain(|candidate| candidate.window.end < bytes.len());
        }
        if let Spot::File { path } = &content.place.spot {
            self.search_named(bytes, path.name(), &mut trace);
        }
        trace
    }

    /// The candidates that are told, of a content at this path; at no path (a message, a
    /// value) every rule without a file name holds.
    pub fn winners<'t>(
        &self,
        candidates: &'t [Candidate],
        path: Option<&[u8]>,
    ) -> Vec<&'t Candidate> {
        if candidates.is_empty() {
            return Vec::new();
        }
        let class = path.map_or(PathClass::Plain, PathClass::of);
        let name = path.map(|path| path.rsplit(|&b| b == b'/').next().unwrap_or(path));
        precedence::winners(&self.rules, candidates, |candidate| {
            let at_home = match &self.rules.rules[candidate.rule as usize].lane {
                super::rule::Lane::Name(names) => name.is_some_and(|name| is_named(name, names)),
                _ => true,
            };
            at_home && candidate.verdicts.contains(class)
        })
    }

    /// Why hits came to nothing: position, rule, reason. For people who write rules.
    pub fn explain_hits(
        &self,
        content: &Content<'_>,
        trace: &Trace,
    ) -> Vec<(usize, &str, &'static str)> {
        let mut out = Vec::new();
        for hit in &trace.hits {
            for number in self.rules_at(content.bytes, *hit) {
                let rule = &self.rules.rules[number as usize];
                if let Err(why) =
                    super::confirm::judge(rule, number, &self.seal, content.bytes, hit.at as usize)
                {
                    out.push((hit.at as usize, &*rule.id, why));
                }
            }
        }
        out
    }

    /// Whether some rule lives in files of this name.
    pub fn wants_name(&self, name: &[u8]) -> bool {
        self.rules
            .named
            .iter()
            .any(|&number| match &self.rules.rules[number as usize].lane {
                super::rule::Lane::Name(names) => is_named(name, names),
                _ => false,
            })
    }

    fn search_regions(
        &self,
        bytes: &[u8],
        regions: &[Range<usize>],
        inherited: Vec<inherit::Inherited>,
        base: Option<&Trace>,
    ) -> Trace {
        HITS.with_borrow_mut(|found| {
            found.clear();
            for region in regions {
                self.rules.tokens.search(bytes, region.clone(), found);
            }
            self.rules.anchors.search(bytes, regions, found);
            if found.is_empty() && inherited.is_empty() {
                return Trace::default();
            }
            let mut trace = Trace::default();
            found.sort_unstable();
            found.dedup();
            let mut inherited = inherited.into_iter().peekable();
            let mut fresh = found.iter().copied().peekable();
            // Both are sorted: copied ranges are disjoint and in order.
            loop {
                let (hit, from) = match (fresh.peek(), inherited.peek()) {
                    (None, None) => break,
                    (Some(&hit), old) if old.is_none_or(|old| hit < old.hit) => {
                        fresh.next();
                        (hit, None)
                    }
                    (new, Some(old)) => {
                        let (hit, from) = (old.hit, old.from);
                        if new == Some(&hit) {
                            fresh.next();
                        }
                        inherited.next();
                        (hit, from)
                    }
                    (Some(_), None) => break,
                };
                self.judge(bytes, hit, from.zip(base), &mut trace);
            }
            trace.candidates.sort_by(order);
            trace.candidates.dedup();
            trace
        })
    }

    fn judge(&self, bytes: &[u8], hit: Hit, known: Option<(usize, &Trace)>, trace: &mut Trace) {
        let slot = usize::from(hit.slot);
        let at = hit.at as usize;
        match known {
            Some((from, base)) => {
                // All of the slot's verdicts hold; those of other slots at this place are
                // taken with their own hit.
                let rules = &self.rules.slots[slot].all;
                trace.candidates.extend(
                    inherit::candidates(base, from, at, bytes.len(), self.reach[slot])
                        .filter(|candidate| rules.binary_search(&candidate.rule).is_ok()),
                );
            }
            None => {
                for number in self.rules_at(bytes, hit) {
                    trace.candidates.extend(confirm(
                        &self.rules.rules[number as usize],
                        number,
                        &self.seal,
                        bytes,
                        at,
                    ));
                }
            }
        }
        trace.hits.push(hit);
    }

    /// The rules to try at a hit: those of its slot that want no word, and those whose word
    /// stands near.
    fn rules_at(&self, bytes: &[u8], hit: Hit) -> impl Iterator<Item = u32> {
        let slot = &self.rules.slots[usize::from(hit.slot)];
        let mut near = Vec::new();
        if !slot.worded.is_empty() {
            let (from, to) = words::window(bytes, hit.at as usize, slot.is_run);
            self.rules.words.find(bytes, from, to, |word| {
                near.extend(slot.wanting(word));
            });
            near.sort_unstable();
            near.dedup();
        }
        slot.always.iter().copied().chain(near)
    }

    fn search_utf16(&self, bytes: &[u8], big_endian: bool) -> Trace {
        let decoded = Decoded::utf16(bytes, big_endian);
        let all = 0..decoded.text.len();
        let mut trace =
            self.search_regions(&decoded.text, std::slice::from_ref(&all), Vec::new(), None);
        trace.hits.clear();
        for candidate in &mut trace.candidates {
            candidate.span =
                decoded.original(candidate.span.start)..decoded.original(candidate.span.end);
            candidate.window = 0..bytes.len();
            candidate.hit = decoded.original(candidate.hit);
        }
        trace
    }

    fn search_named(&self, bytes: &[u8], name: &[u8], trace: &mut Trace) {
        for &number in &self.rules.named {
            let rule = &self.rules.rules[number as usize];
            let super::rule::Lane::Name(names) = &rule.lane else {
                continue;
            };
            if is_named(name, names) {
                trace
                    .candidates
                    .extend(every_start(rule, number, &self.seal, bytes));
            }
        }
        trace.candidates.sort_by(order);
        trace.candidates.dedup();
    }

    /// The oracle: every rule's pattern from every start over the whole content. No lanes, no
    /// windows, nothing inherited; slow, and what [`Engine::search`] must equal.
    pub fn search_whole(&self, content: &Content<'_>) -> Trace {
        self.search_whole_with(content, 0..self.rules.rules.len() as u32)
    }

    /// The oracle with some of the rules.
    pub(super) fn search_whole_with(&self, content: &Content<'_>, numbers: Range<u32>) -> Trace {
        let bytes = content.bytes;
        let kind = text::kind(bytes);
        let decoded = match kind {
            Kind::Utf16Le | Kind::Utf16Be => Some(Decoded::utf16(bytes, kind == Kind::Utf16Be)),
            Kind::Text | Kind::Binary => None,
        };
        let text: &[u8] = decoded.as_ref().map_or(bytes, |decoded| &decoded.text);
        let mut trace = Trace {
            len: bytes.len(),
            traits: kind as u32,
            ..Trace::default()
        };
        for number in numbers {
            let rule = &self.rules.rules[number as usize];
            if let super::rule::Lane::Name(names) = &rule.lane {
                let Spot::File { path } = &content.place.spot else {
                    continue;
                };
                if !is_named(path.name(), names) {
                    continue;
                }
            }
            trace
                .candidates
                .extend(every_start(rule, number, &self.seal, text));
        }
        if let Some(decoded) = &decoded {
            for candidate in &mut trace.candidates {
                candidate.span =
                    decoded.original(candidate.span.start)..decoded.original(candidate.span.end);
                candidate.window = 0..bytes.len();
                candidate.hit = decoded.original(candidate.hit);
            }
        }
        trace.candidates.sort_by(order);
        trace.candidates.dedup();
        trace
    }
}

/// Candidates in the order of a trace.
fn order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    (a.hit, a.rule, a.span.start, a.span.end).cmp(&(b.hit, b.rule, b.span.start, b.span.end))
}

/// Every start at which a rule's pattern matches, confirmed there.
fn every_start<'a>(
    rule: &'a super::rule::Rule,
    number: u32,
    seal: &'a Seal,
    bytes: &'a [u8],
) -> impl Iterator<Item = Candidate> + 'a {
    let pattern = &rule.regexes().pattern;
    let mut from = 0;
    std::iter::from_fn(move || {
        if from > bytes.len() {
            return None;
        }
        let found = pattern.search(&regex_automata::Input::new(bytes).range(from..))?;
        from = found.start() + 1;
        Some(found.start())
    })
    .filter_map(move |at| confirm(rule, number, seal, bytes, at))
}

impl Redactor for Engine {
    fn redact(&self, text: &str) -> Vec<Redaction> {
        let place = keymuster_api::Place {
            system: keymuster_api::SystemId(0),
            resource: 0,
            spot: Spot::Object {
                address: String::new(),
            },
        };
        let content = Content {
            place: &place,
            bytes: text.as_bytes(),
            origin: Default::default(),
            class: None,
            fresh: Fresh::Everything,
        };
        let trace = self.search(&content);
        self.winners(&trace.candidates, None)
            .into_iter()
            .filter(|candidate| !self.rules.rules[candidate.rule as usize].public)
            .map(|candidate| {
                let rule = &self.rules.rules[candidate.rule as usize];
                Redaction {
                    span: candidate.span.clone(),
                    rule: rule.id.to_string(),
                    kind: rule.kind.to_string(),
                    secret: candidate.secret,
                    handle: candidate.details.handle.clone(),
                }
            })
            .collect()
    }

    fn seal(&self, secret: &[u8]) -> SecretId {
        self.seal.secret(secret)
    }
}
