//! One automaton for all patterns of a slot: most hits are none of what its rules look for, and
//! one anchored search that ends after a few bytes tells it for all of them.
//!
//! Only a shortcut: each rule is still tried by itself where the gate is passed. What a pattern
//! repeats often is repeated without end here, so that the automaton stays small.

use std::sync::OnceLock;

use regex_automata::{Anchored, Input, meta};
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::rule::Rule;

/// What is repeated more often is repeated without end …
const LONG: u32 = 12;
/// … and at least so often, if it was more.
const LEAST: u32 = 8;

/// The patterns of the rules that are tried at every hit of a slot.
#[derive(Default)]
pub(super) struct Gate {
    /// Made at the first hit; `None` inside if the patterns do not fit one automaton.
    regex: OnceLock<Option<meta::Regex>>,
    longest: usize,
}

impl Gate {
    /// Before these rules.
    pub(super) fn new<'a>(rules: impl Iterator<Item = &'a Rule>) -> Gate {
        Gate {
            longest: rules.map(|rule| rule.longest).max().unwrap_or(0),
            ..Gate::default()
        }
    }

    /// Whether the pattern of one of the rules may match at this place.
    pub(super) fn admits(&self, numbers: &[u32], rules: &[Rule], bytes: &[u8], at: usize) -> bool {
        if numbers.is_empty() {
            return false;
        }
        let regex = self.regex.get_or_init(|| {
            let patterns = numbers
                .iter()
                .map(|&number| loosened(&rules[number as usize].pattern))
                .collect::<Option<Vec<Hir>>>()?;
            let config = meta::Config::new()
                .nfa_size_limit(Some(16 << 20))
                .utf8_empty(false)
                .which_captures(regex_automata::nfa::thompson::WhichCaptures::None);
            meta::Regex::builder()
                .configure(config)
                .build_many_from_hir(&patterns)
                .ok()
        });
        let Some(regex) = regex else { return true };
        // As much as the rule with the longest match is shown: more makes no pattern match that
        // does not match in less.
        let end = (at + self.longest + 1).min(bytes.len());
        let input = Input::new(&bytes[..end])
            .range(at..end)
            .anchored(Anchored::Yes);
        regex.is_match(input)
    }
}

/// A pattern that matches wherever this one does.
fn loosened(pattern: &str) -> Option<Hir> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .ok()?;
    Some(loosen(&hir))
}

fn loosen(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Capture(group) => loosen(&group.sub),
        HirKind::Repetition(repetition) => {
            let is_long = repetition.max.is_none_or(|max| max > LONG);
            Hir::repetition(Repetition {
                min: match is_long {
                    true => repetition.min.min(LEAST),
                    false => repetition.min,
                },
                max: repetition.max.filter(|_| !is_long),
                greedy: repetition.greedy,
                sub: Box::new(loosen(&repetition.sub)),
            })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(loosen).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(loosen).collect()),
        _ => hir.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, loosened};
    use crate::engine::RuleSet;

    #[test]
    fn long_repetitions_have_no_end() {
        for (pattern, loose) in [
            ("abc", "abc"),
            ("(?<secret>k_[0-9a-f]{32})z", "k_[0-9a-f]{8,}z"),
            ("a{0,3}[^x]{0,20}z", "a{0,3}[^x]*z"),
            ("(?:a[b-d]{20}|e)f", "(?:a[b-d]{8,}|e)f"),
            ("(?:ab{13}){2,4}c", "(?:ab{8,}){2,4}c"),
        ] {
            assert_eq!(
                loosened(pattern).map(|hir| hir.to_string()),
                loosened(loose).map(|hir| hir.to_string()),
                "{pattern}"
            );
        }
    }

    #[test]
    fn every_shape_of_every_rule_passes_its_gate() {
        let rules = RuleSet::embedded().expect("the program's rules");
        for number in 0..rules.rules.len() as u32 {
            let rule = &rules.rules[number as usize];
            let pattern = &rule.regexes().pattern;
            let gate = Gate::new([rule].into_iter());
            for shape in rule.hits.iter() {
                let text = crate::engine::shape::fill(shape, 7).expect("a shape");
                for found in pattern.find_iter(text.as_bytes()) {
                    let admits =
                        gate.admits(&[number], &rules.rules, text.as_bytes(), found.start());
                    assert!(admits, "{}", rule.id);
                }
            }
        }
    }
}
