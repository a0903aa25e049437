//! The rule set: every rule, and the tables that lead from a hit to the rules to try.

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use sha2::{Digest as _, Sha256};

use super::{
    anchor_lane::AnchorLane,
    gate::Gate,
    heads::{self, Heads},
    layer,
    rule::{Lane, Rule},
    rule_text::RuleFile,
    token_lane::TokenLane,
    words::{Filter, Words},
};

/// The embedded rules, read while the program was built.
mod embedded {
    use std::borrow::Cow;

    use crate::engine::rule_text::{
        ClassWord::{Docs, Generated, Test},
        ConfidenceWord, Judge, RuleText, SeverityWord, Text,
    };

    /// A rule, where it stands, and the lengths of its shortest and longest match.
    pub(super) struct Embedded {
        pub(super) text: RuleText,
        pub(super) source: &'static str,
        pub(super) lengths: (usize, usize),
    }

    const fn text(text: &'static str) -> Text {
        Cow::Borrowed(text)
    }

    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

/// A rule file that cannot be used: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in bytes.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Every rule in force.
pub struct RuleSet {
    /// Sorted by id: an index into this is a rule's number.
    pub rules: Vec<Rule>,
    /// What leads from a hit's slot to rules.
    pub(super) slots: Vec<Slot>,
    /// The words that rules want near their matches.
    pub(super) words: Words,
    pub(super) tokens: TokenLane,
    pub(super) anchors: AnchorLane,
    /// The slots of layers, which lead to no rule.
    pub(super) layers: layer::Slots,
    /// Rules that live in files of certain names.
    pub(super) named: Vec<u32>,
    id: OnceLock<[u8; 16]>,
}

/// The rules that a hit leads to.
#[derive(Default)]
pub(super) struct Slot {
    /// Those to try at every hit.
    pub(super) always: Vec<u32>,
    /// What stands before those.
    pub(super) gate: Gate,
    /// Those to try where a word stands near, sorted by the word's number.
    pub(super) worded: Vec<(u16, u32)>,
    /// The beginnings of those words.
    pub(super) filter: Filter,
    /// Both, sorted.
    pub(super) all: Vec<u32>,
    /// Whether the hits are runs, whose words stand before them.
    pub(super) is_run: bool,
}

impl Slot {
    fn new(numbers: &[u32], rules: &[Rule], words: &Words) -> Slot {
        let mut slot = Slot {
            all: numbers.to_vec(),
            ..Slot::default()
        };
        slot.all.sort_unstable();
        for &number in numbers {
            let rule = &rules[number as usize];
            slot.is_run |= rule.lane == Lane::Run;
            if rule.words.is_empty() {
                slot.always.push(number);
            }
            for word in rule.words.iter() {
                slot.worded
                    .extend(words.number(word).map(|word| (word, number)));
            }
        }
        slot.worded.sort_unstable();
        if !slot.worded.is_empty() {
            slot.filter = words.filter(slot.worded.iter().map(|&(word, _)| word));
        }
        slot.gate = Gate::new(slot.always.iter().map(|&number| &rules[number as usize]));
        slot
    }

    /// The rules that want this word.
    pub(super) fn wanting(&self, word: u16) -> impl Iterator<Item = u32> {
        let first = self.worded.partition_point(|&(other, _)| other < word);
        self.worded[first..]
            .iter()
            .take_while(move |&&(other, _)| other == word)
            .map(|&(_, number)| number)
    }
}

impl RuleSet {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// Never in a released program: a test reads them all.
    pub fn embedded() -> Result<RuleSet, RuleError> {
        Ok(RuleSet::new(embedded_rules()?.into_values().collect()))
    }

    /// The program's own rules and these files of the user's. A rule with the id of an
    /// embedded one replaces it.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn with_files<'a>(
        files: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<RuleSet, RuleError> {
        let mut rules = embedded_rules()?;
        let mut own = BTreeMap::new();
        for (file, text) in files {
            read_file(file, text, &mut own)?;
        }
        rules.extend(own);
        Ok(RuleSet::new(rules.into_values().collect()))
    }

    /// Only these files.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn read<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<RuleSet, RuleError> {
        let mut rules = BTreeMap::new();
        for (file, text) in files {
            read_file(file, text, &mut rules)?;
        }
        Ok(RuleSet::new(rules.into_values().collect()))
    }

    fn new(rules: Vec<Rule>) -> RuleSet {
        let mut prefixes: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut anchors: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut named = Vec::new();
        let mut runs = Vec::new();
        for (number, rule) in (0u32..).zip(&rules) {
            let (table, literals) = match &rule.lane {
                Lane::Token(literals) => (&mut prefixes, literals),
                Lane::Anchor(literals) => (&mut anchors, literals),
                Lane::Name(_) => {
                    named.push(number);
                    continue;
                }
                Lane::Run => {
                    runs.push(number);
                    continue;
                }
            };
            for literal in literals.iter() {
                let rules = table.entry(literal).or_default();
                if rules.last() != Some(&number) {
                    rules.push(number);
                }
            }
        }
        let words = Words::new(
            rules
                .iter()
                .flat_map(|rule| rule.words.iter())
                .map(|word| &**word),
        );
        let mut slots = Vec::new();
        let mut slot = |numbers: &[u32]| {
            slots.push(Slot::new(numbers, &rules, &words));
            u16::try_from(slots.len() - 1)
                .expect("fewer than 65,536 literals; checked by `rules check`")
        };
        let runs = (!runs.is_empty()).then(|| slot(&runs));
        let layers = layer::Slots {
            encoded: slot(&[]),
            escaped: slot(&[]),
        };
        let heads = Heads::new(
            anchors
                .iter()
                .filter(|(text, _)| !heads::is_everywhere(text))
                .map(|(&text, rules)| (text, slot(rules))),
        );
        let tokens = TokenLane::new(
            prefixes
                .iter()
                .map(|(&text, rules)| (text.as_bytes(), slot(rules))),
            runs,
            Some(layers.encoded),
            heads,
        );
        let anchors = AnchorLane::new(
            anchors
                .iter()
                .filter(|(text, _)| heads::is_everywhere(text))
                .map(|(&text, rules)| {
                    let look = text.len().min(heads::LOOK);
                    (&text.as_bytes()[..look], slot(rules))
                }),
        );
        RuleSet {
            slots,
            words,
            tokens,
            anchors,
            layers,
            named,
            id: OnceLock::new(),
            rules,
        }
    }

    /// A name for exactly this set of rules: changes when any verdict could.
    pub fn id(&self) -> [u8; 16] {
        *self.id.get_or_init(|| {
            let mut hash = Sha256::new();
            for rule in &self.rules {
                // What a memo must notice: everything a verdict depends on.
                hash.update(format!(
                    "{}\0{}\0{}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0",
                    rule.id,
                    rule.pattern,
                    rule.kind,
                    rule.lane,
                    rule.words,
                    rule.before,
                    rule.near,
                    rule.entropy,
                    rule.judge,
                    rule.classes,
                    rule.confidence,
                    rule.prover.map(|prover| prover.name),
                ));
            }
            let mut id = [0; 16];
            id.copy_from_slice(&hash.finalize()[..16]);
            id
        })
    }

    /// The rule with this id.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rules
            .binary_search_by(|rule| (*rule.id).cmp(id))
            .ok()
            .map(|index| &self.rules[index])
    }

    /// How much is looked for: prefixes, anchors, words.
    pub fn literals(&self) -> (usize, usize, usize) {
        let anchors = self.anchors.len() + self.tokens.heads();
        (self.tokens.len(), anchors, self.words.len())
    }
}

fn embedded_rules() -> Result<BTreeMap<std::sync::Arc<str>, Rule>, RuleError> {
    embedded::RULES
        .iter()
        .map(|one| {
            let rule = Rule::new(
                one.text.clone(),
                Cow::Borrowed(one.source),
                Some(one.lengths),
            )
            .map_err(|message| {
                let (file, line) = one.source.rsplit_once(':').unwrap_or((one.source, "1"));
                RuleError {
                    file: file.to_owned(),
                    line: line.parse().unwrap_or(1),
                    column: 1,
                    message,
                }
            })?;
            Ok((rule.id.clone(), rule))
        })
        .collect()
}

fn read_file(
    file: &str,
    text: &str,
    rules: &mut BTreeMap<std::sync::Arc<str>, Rule>,
) -> Result<(), RuleError> {
    let fault = |offset: usize, message: String| {
        let before = &text[..text.floor_char_boundary(offset)];
        RuleError {
            file: file.to_owned(),
            line: before.bytes().filter(|&b| b == b'\n').count() + 1,
            column: before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1,
            message,
        }
    };
    let parsed: RuleFile = toml::from_str(text).map_err(|error| {
        fault(
            error.span().map_or(0, |span| span.start),
            error.message().to_owned(),
        )
    })?;
    for rule in parsed.rule {
        let start = rule.span().start;
        let place = fault(start, String::new());
        let source = Cow::Owned(format!("{file}:{}", place.line));
        let rule =
            Rule::new(rule.into_inner(), source, None).map_err(|message| fault(start, message))?;
        // A user's rule fails here and not in a worker, where it is compiled when it is tried.
        rule.check_patterns()
            .map_err(|message| fault(start, message))?;
        if let Some(other) = rules.get(&rule.id) {
            return Err(fault(
                start,
                format!(
                    "rule '{}' is already defined in {}; rename one",
                    rule.id, other.source
                ),
            ));
        }
        rules.insert(rule.id.clone(), rule);
    }
    Ok(())
}
