//! The rule set: every rule, and the tables that lead from a hit to the rules to try.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{
    anchor_lane::AnchorLane,
    rule::{Lane, Rule, RuleFile},
    token_lane::TokenLane,
};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/rule_files.rs"));
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
    pub(super) slots: Vec<Vec<u32>>,
    pub(super) tokens: TokenLane,
    pub(super) anchors: AnchorLane,
    /// Rules that live in files of certain names.
    pub(super) named: Vec<u32>,
    /// Longest reach of any hit, either side.
    id: [u8; 16],
}

impl RuleSet {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// Never in a released program: a test reads them all.
    pub fn embedded() -> Result<RuleSet, RuleError> {
        RuleSet::read(
            embedded::FILES.iter().map(|&(file, text)| (file, text)),
            false,
        )
    }

    /// The program's own rules and these files of the user's. A rule with the id of an
    /// embedded one replaces it.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn with_files<'a>(
        files: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<RuleSet, RuleError> {
        let mut rules = BTreeMap::new();
        for &(file, text) in embedded::FILES {
            read_file(file, text, false, &mut rules)?;
        }
        let mut own = BTreeMap::new();
        for (file, text) in files {
            read_file(file, text, true, &mut own)?;
        }
        rules.extend(own);
        Ok(RuleSet::new(rules.into_values().collect()))
    }

    /// Only these files.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn read<'a>(
        files: impl Iterator<Item = (&'a str, &'a str)>,
        compile: bool,
    ) -> Result<RuleSet, RuleError> {
        let mut rules = BTreeMap::new();
        for (file, text) in files {
            read_file(file, text, compile, &mut rules)?;
        }
        Ok(RuleSet::new(rules.into_values().collect()))
    }

    fn new(rules: Vec<Rule>) -> RuleSet {
        let mut prefixes: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut anchors: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut named = Vec::new();
        let mut hash = Sha256::new();
        for (number, rule) in (0u32..).zip(&rules) {
            let (table, literals) = match &rule.lane {
                Lane::Token(literals) => (&mut prefixes, literals),
                Lane::Anchor(literals) => (&mut anchors, literals),
                Lane::Name(_) => {
                    named.push(number);
                    continue;
                }
            };
            for literal in literals {
                let rules = table.entry(literal).or_default();
                if rules.last() != Some(&number) {
                    rules.push(number);
                }
            }
        }
        for rule in &rules {
            // What a memo must notice: everything a verdict depends on.
            hash.update(format!(
                "{}\0{}\0{}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0",
                rule.id,
                rule.pattern,
                rule.kind,
                rule.lane,
                rule.before,
                rule.near,
                rule.entropy,
                rule.classes,
                rule.confidence
            ));
        }
        let mut slots = Vec::new();
        let mut slot = |rules: &[u32]| {
            slots.push(rules.to_vec());
            u16::try_from(slots.len() - 1)
                .expect("fewer than 65,536 literals; checked by `rules check`")
        };
        let tokens = TokenLane::new(
            prefixes
                .iter()
                .map(|(&text, rules)| (text.as_bytes(), slot(rules))),
        );
        let anchors = AnchorLane::new(
            anchors
                .iter()
                .map(|(&text, rules)| (text.as_bytes(), slot(rules))),
        );
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        RuleSet {
            slots,
            tokens,
            anchors,
            named,
            id,
            rules,
        }
    }

    /// A name for exactly this set of rules: changes when any verdict could.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// The rule with this id.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rules
            .binary_search_by(|rule| (*rule.id).cmp(id))
            .ok()
            .map(|index| &self.rules[index])
    }

    /// How many literals each lane looks for: prefixes, anchors.
    pub fn literals(&self) -> (usize, usize) {
        (self.tokens.len(), self.anchors.len())
    }
}

fn read_file(
    file: &str,
    text: &str,
    compile: bool,
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
        let rule = Rule::new(rule.into_inner(), format!("{file}:{}", place.line))
            .map_err(|message| fault(start, message))?;
        if compile {
            let regexes = rule.compile().map_err(|message| fault(start, message))?;
            // A user's rule fails here and not in a worker.
            let _ = rule.regexes.set(regexes);
        }
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
