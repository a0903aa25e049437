//! One automaton for the beginnings of all patterns of a slot: most hits are none of what a dozen
//! rules look for, and one anchored search that ends after a few bytes tells it for all of them.
//!
//! Only a shortcut: each rule is still tried by itself where the gate is passed. A pattern is cut
//! at its first long repetition, so that the automaton stays small.

use std::sync::OnceLock;

use regex_automata::{Anchored, Input, meta};
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::rule::Rule;

/// Fewer rules are tried one by one.
const FEWEST: usize = 2;
/// Repetitions that may go on for longer are cut …
const LONG: u32 = 16;
/// … to as many of what is repeated.
const KEPT: u32 = 8;

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
        if numbers.len() < FEWEST {
            return true;
        }
        let regex = self.regex.get_or_init(|| {
            let patterns = numbers
                .iter()
                .map(|&number| beginning(&rules[number as usize].pattern))
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
fn beginning(pattern: &str) -> Option<Hir> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .ok()?;
    Some(cut(&hir).0)
}

/// What a pattern begins with, and whether something was cut off.
fn cut(hir: &Hir) -> (Hir, bool) {
    match hir.kind() {
        HirKind::Capture(group) => cut(&group.sub),
        HirKind::Repetition(repetition) if repetition.max.is_none_or(|max| max > LONG) => {
            let kept = repetition.min.min(KEPT);
            let head = Hir::repetition(Repetition {
                min: kept,
                max: Some(kept),
                ..repetition.clone()
            });
            (head, true)
        }
        HirKind::Concat(parts) => {
            let mut heads = Vec::new();
            for part in parts {
                let (head, is_cut) = cut(part);
                heads.push(head);
                if is_cut {
                    return (Hir::concat(heads), true);
                }
            }
            (Hir::concat(heads), false)
        }
        HirKind::Alternation(parts) => {
            let (heads, cuts): (Vec<Hir>, Vec<bool>) = parts.iter().map(cut).unzip();
            (Hir::alternation(heads), cuts.contains(&true))
        }
        _ => (hir.clone(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, beginning};
    use crate::engine::RuleSet;

    #[test]
    fn a_pattern_is_cut_at_its_first_long_repetition() {
        for (pattern, head) in [
            ("abc", "abc"),
            ("(?<secret>k_[0-9a-f]{32})\\b", "k_[0-9a-f]{8}"),
            ("a{0,3}[^x]{0,20}z", "a{0,3}"),
            ("(?:a[b-d]{20}|e)f", "(?:a[b-d]{8}|e)"),
            ("(?:ab){2,4}c", "(?:ab){2,4}c"),
        ] {
            assert_eq!(
                beginning(pattern).map(|hir| hir.to_string()),
                beginning(head).map(|hir| hir.to_string()),
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
            // Twice the rule, so that there is a gate.
            let gate = Gate::new([rule].into_iter());
            for shape in rule.hits.iter() {
                let text = crate::engine::shape::fill(shape, 7).expect("a shape");
                for found in pattern.find_iter(text.as_bytes()) {
                    let admits =
                        gate.admits(&[number; 2], &rules.rules, text.as_bytes(), found.start());
                    assert!(admits, "{}", rule.id);
                }
            }
        }
    }
}
