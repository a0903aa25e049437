//! The engine: searches one content, with or without what is known of its base.

use std::{cell::RefCell, ops::Range};

use keymuster_api::{
    Candidate, Content, Fresh, Hit, PathClass, Redaction, Redactor, SecretId, Spot, Trace,
};

use super::{
    confirm::{Known, confirm},
    heads,
    inherit::{self, Reach},
    layer, precedence,
    quiet::{Around, Piece, Quiet, What},
    rule::{TOKEN_RUN, is_named},
    ruleset::RuleSet,
    seal::Seal,
    text::{self, Decoded},
    words,
};

/// Rules and key: all that searching needs. Shared by every worker.
pub struct Engine {
    rules: RuleSet,
    seal: Seal,
    reach: Vec<Reach>,
    lane_reach: usize,
    quiet: Quiet,
}

/// A larger window costs more to be named than rules cost to be tried.
const LARGE: usize = 1200;

/// Buffers of a search, kept for their capacity. None holds content.
#[derive(Default)]
struct Work {
    hits: Vec<Hit>,
    pieces: Vec<Piece>,
    regions: Vec<Range<usize>>,
}

thread_local! {
    static WORK: RefCell<Work> = RefCell::default();
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
        let mut reach: Vec<Reach> = reach;
        for slot in [rules.layers.encoded, rules.layers.escaped] {
            reach[usize::from(slot)] = Reach {
                before: layer::BEFORE,
                after: layer::AFTER,
            };
        }
        let lane_reach = rules
            .anchors
            .longest()
            .max(heads::LOOK)
            .max(TOKEN_RUN)
            .max(layer::HEAD)
            + 1;
        Engine {
            quiet: Quiet::new(lane_reach, &seal),
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
        let mut trace = match (kind.decode(bytes), content.fresh) {
            (Some(decoded), _) => {
                let mut trace = self.search_all(&decoded.text, 0);
                trace.hits.clear();
                outside(&decoded, bytes, &mut trace.candidates);
                trace
            }
            (None, Fresh::Only { copied, base })
                if base.traits == kind as u32 && !copied.is_empty() =>
            {
                let regions = inherit::regions(copied, base.len, bytes, self.lane_reach);
                let inherited = if base.hits.is_empty() {
                    Vec::new()
                } else {
                    inherit::hits(copied, base, bytes.len(), &self.reach)
                };
                self.search_regions(bytes, &regions, inherited, Some(base), 0)
            }
            (None, _) => self.search_all(bytes, 0),
        };
        self.drop_chance(kind, &mut trace);
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

    /// Searches all of a content, or of a layer this deep in one.
    pub(super) fn search_all(&self, bytes: &[u8], depth: usize) -> Trace {
        let all = 0..bytes.len();
        self.search_regions(bytes, std::slice::from_ref(&all), Vec::new(), None, depth)
    }

    /// In binary files words and tokens stand near each other by chance: what is known by words
    /// alone is dropped there, unless it was peeled out of a layer of text.
    fn drop_chance(&self, kind: text::Kind, trace: &mut Trace) {
        if kind == text::Kind::Binary {
            trace.candidates.retain(|candidate| {
                let rule = &self.rules.rules[candidate.rule as usize];
                rule.lane != super::rule::Lane::Run || !candidate.details.decoded.is_empty()
            });
        }
    }

    fn search_regions(
        &self,
        bytes: &[u8],
        regions: &[Range<usize>],
        inherited: Vec<inherit::Inherited>,
        base: Option<&Trace>,
        depth: usize,
    ) -> Trace {
        // Taken, because layers are searched while hits are judged.
        let mut work = WORK.take();
        self.fresh_hits(bytes, regions, &mut work);
        let found = &work.hits;
        let mut trace = Trace::default();
        if !found.is_empty() || !inherited.is_empty() {
            trace.hits.reserve_exact(found.len() + inherited.len());
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
                self.judge(bytes, hit, from.zip(base), depth, &mut trace);
            }
            trace.candidates.sort_by(order);
            trace.candidates.dedup();
        }
        WORK.set(work);
        trace
    }

    /// The hits that begin in these regions, sorted.
    fn fresh_hits(&self, bytes: &[u8], regions: &[Range<usize>], work: &mut Work) {
        let Work {
            hits,
            pieces,
            regions: unknown,
        } = work;
        hits.clear();
        pieces.clear();
        unknown.clear();
        self.quiet.unknown(bytes, regions, pieces);
        for Piece { range, .. } in &*pieces {
            match unknown.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => unknown.push(range.clone()),
            }
        }
        let escaped = self.rules.layers.escaped;
        for region in &*unknown {
            self.rules.tokens.search(bytes, region.clone(), hits);
            layer::search_escaped(bytes, region.clone(), escaped, hits);
        }
        self.rules.anchors.search(bytes, unknown, hits);
        hits.sort_unstable();
        hits.dedup();
        self.quiet.learn(bytes, pieces, hits);
    }

    fn judge(
        &self,
        bytes: &[u8],
        hit: Hit,
        known: Option<(usize, &Trace)>,
        depth: usize,
        trace: &mut Trace,
    ) {
        let slot = usize::from(hit.slot);
        let at = hit.at as usize;
        match known {
            Some((_, base)) if base.candidates.is_empty() => {}
            Some((from, base)) => {
                // All of the slot's verdicts hold; those of other slots at this place are
                // taken with their own hit.
                let rules = &self.rules.slots[slot].all;
                let is_layer = self.rules.layers.contains(hit.slot);
                trace.candidates.extend(
                    inherit::candidates(base, from, at, bytes.len(), self.reach[slot]).filter(
                        |candidate| {
                            if is_layer {
                                !candidate.details.decoded.is_empty()
                            } else {
                                candidate.details.decoded.is_empty()
                                    && rules.binary_search(&candidate.rule).is_ok()
                            }
                        },
                    ),
                );
            }
            None if self.rules.layers.contains(hit.slot) => {
                let search = |text: &[u8]| self.search_all(text, depth + 1).candidates;
                let found = layer::candidates(self.rules.layers, bytes, hit, depth, &search);
                trace.candidates.extend(found);
            }
            None => self.confirm(bytes, hit, &mut trace.candidates),
        }
        trace.hits.push(hit);
    }

    /// Tries the rules of a hit, unless its window is known to hold nothing.
    fn confirm(&self, bytes: &[u8], hit: Hit, out: &mut Vec<Candidate>) {
        let at = hit.at as usize;
        let mut rules = self.rules_at(bytes, hit).peekable();
        if rules.peek().is_none() {
            return;
        }
        let reach = self.reach[usize::from(hit.slot)];
        let range = at.saturating_sub(reach.before)..(at + reach.after).min(bytes.len());
        let name = (reach.before + reach.after <= LARGE).then(|| {
            self.quiet.name(&Around {
                bytes,
                look: 0,
                what: What::Candidates {
                    slot: hit.slot,
                    at: (at - range.start) as u16,
                },
                range,
            })
        });
        if name.is_some_and(|name| self.quiet.is_known(name)) {
            return;
        }
        let before = out.len();
        for number in rules {
            let rule = &self.rules.rules[number as usize];
            out.extend(confirm(rule, number, &self.seal, bytes, at, Known::Lane));
        }
        if let Some(name) = name
            && out.len() == before
        {
            self.quiet.remember(name);
        }
    }

    /// The rules to try at a hit: those of its slot that want no word, and those whose word
    /// stands near.
    fn rules_at(&self, bytes: &[u8], hit: Hit) -> impl Iterator<Item = u32> {
        let slot = &self.rules.slots[usize::from(hit.slot)];
        let at = hit.at as usize;
        let always = match slot.gate.admits(&slot.always, &self.rules.rules, bytes, at) {
            true => &slot.always[..],
            false => &[],
        };
        let near = match slot.worded.is_empty() {
            true => Vec::new(),
            false => self.worded_at(bytes, hit),
        };
        always.iter().copied().chain(near)
    }

    /// The rules of a hit's slot whose word stands near.
    fn worded_at(&self, bytes: &[u8], hit: Hit) -> Vec<u32> {
        let slot = &self.rules.slots[usize::from(hit.slot)];
        let (from, to) = words::window(bytes, hit.at as usize, slot.is_run);
        let around = Around {
            bytes,
            range: from..to,
            look: 1,
            what: What::Words { slot: hit.slot },
        };
        let name = self.quiet.name(&around);
        let mut near = Vec::new();
        if self.quiet.is_known(name) {
            return near;
        }
        self.rules
            .words
            .find(&slot.filter, bytes, from, to, |word| {
                near.extend(slot.wanting(word));
            });
        if near.is_empty() {
            self.quiet.remember(name);
        }
        near.sort_unstable();
        near.dedup();
        near
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

    /// The oracle's layers: found from every start, and searched as it searches.
    fn layers_whole(&self, text: &[u8], depth: usize, numbers: &Range<u32>) -> Vec<Candidate> {
        let search = |text: &[u8]| {
            let rules = (0u32..).zip(&self.rules.rules);
            let mut found: Vec<Candidate> = rules
                .filter(|(number, _)| numbers.contains(number))
                .filter(|(_, rule)| !matches!(rule.lane, super::rule::Lane::Name(_)))
                .flat_map(|(number, rule)| every_start(rule, number, &self.seal, text))
                .collect();
            found.extend(self.layers_whole(text, depth + 1, numbers));
            found
        };
        let layers = self.rules.layers;
        layers
            .every(text)
            .into_iter()
            .flat_map(|hit| layer::candidates(layers, text, hit, depth, &search))
            .collect()
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
        let decoded = kind.decode(bytes);
        let text: &[u8] = decoded.as_ref().map_or(bytes, |decoded| &decoded.text);
        let mut trace = Trace {
            len: bytes.len(),
            traits: kind as u32,
            ..Trace::default()
        };
        for number in numbers.clone() {
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
        trace
            .candidates
            .extend(self.layers_whole(text, 0, &numbers));
        if let Some(decoded) = &decoded {
            outside(decoded, bytes, &mut trace.candidates);
        }
        self.drop_chance(kind, &mut trace);
        trace.candidates.sort_by(order);
        trace.candidates.dedup();
        trace
    }
}

/// Moves what was found in a decoded content to where it stands in the original.
fn outside(decoded: &Decoded, bytes: &[u8], candidates: &mut [Candidate]) {
    for candidate in candidates {
        candidate.span =
            decoded.original(candidate.span.start)..decoded.original(candidate.span.end);
        candidate.window = 0..bytes.len();
        candidate.hit = decoded.original(candidate.hit);
        layer::name(candidate, &[decoded.name]);
    }
}

/// Candidates in the order of a trace.
fn order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    let key = |candidate: &Candidate| {
        (
            candidate.hit,
            candidate.rule,
            candidate.span.start,
            candidate.span.end,
        )
    };
    key(a)
        .cmp(&key(b))
        .then_with(|| a.details.decoded.cmp(&b.details.decoded))
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
    .filter_map(move |at| confirm(rule, number, seal, bytes, at, Known::Nothing))
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
