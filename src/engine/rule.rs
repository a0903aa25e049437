//! A rule: as written in TOML, and as the engine uses it.

use std::{ops::Range, sync::Arc};

use keymuster_api::{Confidence, PathClass, PathClasses, Severity};
use regex_automata::{meta, util::syntax};

use super::{
    judge::structure,
    proof::{PROVERS, Prover},
    rule_text::{
        ClassWord, ConfidenceWord, RuleText, SeverityWord, Text, Texts, lengths as measure,
    },
    words,
};

pub use super::rule_text::Judge;

/// Bytes before a match that `before` and the judges may look at.
pub(super) const CONTEXT: usize = 128;
/// Bytes on either side of a match in which `near` is looked for.
pub(super) const NEAR: usize = 256;
/// Bytes after a match, on its line, in which an inline comment is looked for.
pub(super) const COMMENT: usize = 256;
/// A hit of the token lane needs this many lane bytes from its first, one of the run lane this
/// many token bytes.
pub(super) const TOKEN_RUN: usize = 16;
/// The run lane leaves longer runs alone: data, not a value.
pub(super) const RUN_LONGEST: usize = 512;
/// Longest match a rule may have.
const LONGEST: usize = 20_000;

macro_rules! words {
    ($name:ident => $target:ident { $($variant:ident),+ }) => {
        impl From<$name> for $target {
            fn from(word: $name) -> $target {
                match word { $($name::$variant => $target::$variant),+ }
            }
        }
    };
}
words!(ConfidenceWord => Confidence { Low, Medium, High });
words!(SeverityWord => Severity { Info, Low, Medium, High, Critical });
words!(ClassWord => PathClass { Plain, Test, Docs, Generated, Config });

/// What must be seen before a rule's pattern is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lane {
    /// One of these begins a run of token bytes.
    Token(Texts),
    /// One of these, in any ASCII case.
    Anchor(Texts),
    /// The file's name; the pattern is searched in all of it.
    Name(Texts),
    /// A run of token bytes that may be a value, with one of the rule's words before it.
    Run,
}

/// Whether a file name matches one of a rule's `names`: exact, or `*.suffix`.
pub(super) fn is_named(name: &[u8], names: &[Text]) -> bool {
    names.iter().any(|wanted| match wanted.strip_prefix('*') {
        Some(suffix) => name.len() > suffix.len() && name.ends_with(suffix.as_bytes()),
        None => name == wanted.as_bytes(),
    })
}

/// A rule, checked and ready.
pub struct Rule {
    /// `provider.kind`.
    pub id: Arc<str>,
    /// One line for people.
    pub title: Text,
    /// An id of `kinds.toml`.
    pub kind: Arc<str>,
    /// What must be seen first.
    pub lane: Lane,
    /// The pattern as written.
    pub pattern: Text,
    /// One of these, in any ASCII case, must stand near; none: no word is needed.
    pub words: Texts,
    /// Shortest match of the pattern, in bytes.
    pub shortest: usize,
    /// Longest match of the pattern, in bytes.
    pub longest: usize,
    /// Proof by checksum or structure.
    pub prover: Option<&'static Prover>,
    /// Scheme of the `handle` group.
    pub handle: Option<Text>,
    /// Least entropy of the secret, bits per byte.
    pub entropy: Option<f64>,
    /// Judge of name and value.
    pub judge: Option<Judge>,
    /// Whether the match is public by itself.
    pub public: bool,
    /// Path classes in which it holds.
    pub classes: PathClasses,
    /// How sure a match is without proof.
    pub confidence: Confidence,
    /// How bad.
    pub severity: Severity,
    /// What its holder can do.
    pub why: Text,
    /// The vendor's page.
    pub page: Option<Text>,
    /// Shapes that must match.
    pub hits: Texts,
    /// Texts that must not.
    pub misses: Texts,
    /// File and line of the rule.
    pub source: Text,
    pub(super) before: Option<Text>,
    pub(super) near: Option<Text>,
    pub(super) regexes: std::sync::OnceLock<Regexes>,
}

/// Groups that a pattern may have, the whole match among them.
pub(super) const MOST_GROUPS: usize = 16;

/// A rule's compiled patterns: made on first use, because a hook that looks at ten files needs
/// only a few of them.
pub(super) struct Regexes {
    /// The anchors, where the pattern is nothing but their alternation.
    pub(super) literals: Option<Texts>,
    pub(super) pattern: meta::Regex,
    pub(super) secret: usize,
    pub(super) handle: Option<usize>,
    pub(super) groups: Vec<(String, usize)>,
    pub(super) before: Option<meta::Regex>,
    pub(super) near: Option<meta::Regex>,
}

impl Rule {
    /// Checks a rule as written.
    ///
    /// # Errors
    /// What is wrong with it and what to write instead, without the rule's place.
    pub(super) fn new(
        text: RuleText,
        source: Text,
        lengths: Option<(usize, usize)>,
    ) -> Result<Rule, String> {
        let id = text.id;
        let named = |what: &str| format!("rule '{id}': {what}");
        if !id.contains('.')
            || !id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        {
            return Err(named(
                "an id is '<provider>.<kind>' in lower case, digits, '-' and '_'",
            ));
        }
        let lane = match (
            text.prefix.is_empty(),
            text.anchors.is_empty(),
            text.names.is_empty(),
        ) {
            (_, _, false) => Lane::Name(text.names),
            (false, true, true) => Lane::Token(text.prefix),
            (true, false, true) => Lane::Anchor(text.anchors),
            (true, true, true) if !text.words.is_empty() => Lane::Run,
            _ => {
                return Err(named(
                    "give either `prefix` (token lane), or `anchors` (anchor lane), or `names`, or only `words` (run lane)",
                ));
            }
        };
        match &lane {
            Lane::Token(all) => {
                for prefix in all.iter() {
                    if prefix.len() < 2 || !prefix.bytes().all(is_lane_byte) {
                        return Err(named(&format!(
                            "prefix '{prefix}' must be two or more of [A-Za-z0-9_+/.=-]; use `anchors` for others"
                        )));
                    }
                }
            }
            Lane::Anchor(all) => {
                for anchor in all.iter() {
                    if anchor.len() < 3 || anchor.bytes().any(|b| b.is_ascii_uppercase()) {
                        return Err(named(&format!(
                            "anchor '{anchor}' must be lower case and at least three bytes long"
                        )));
                    }
                }
            }
            Lane::Name(_) | Lane::Run => {}
        }
        for word in text.words.iter() {
            if !words::is_word(word) {
                return Err(named(&format!(
                    "word '{word}' must be 3 to 40 bytes of lower case, digits, '_', '-', '.' and blanks, and begin with a letter or digit"
                )));
            }
        }
        let (shortest, longest) = lengths
            .map_or_else(|| measure(&text.pattern), Ok)
            .map_err(|why| named(&format!("pattern: {why}")))?;
        if longest > LONGEST {
            return Err(named(&format!(
                "pattern can match {longest} bytes; at most {LONGEST} are allowed, bound its repetitions"
            )));
        }
        let prover = match text.checksum.as_ref().or(text.structure.as_ref()) {
            None => None,
            Some(name) => Some(
                PROVERS
                    .iter()
                    .find(|prover| prover.name == &**name)
                    .ok_or_else(|| {
                        let known: Vec<_> = PROVERS.iter().map(|prover| prover.name).collect();
                        named(&format!(
                            "'{name}' is no prover; known are: {}",
                            known.join(", ")
                        ))
                    })?,
            ),
        };
        let set = |words: &[ClassWord]| {
            words.iter().fold(PathClasses::NONE, |set, &word| {
                set.with(PathClass::from(word))
            })
        };
        let mut classes = if text.only.is_empty() {
            PathClasses::ALL
        } else {
            set(&text.only)
        };
        for &word in text.skip.iter() {
            classes = classes.without(PathClass::from(word));
        }
        if lane == Lane::Run && text.only.is_empty() {
            // Lock files and bundles are runs of token bytes and little else.
            classes = classes.without(PathClass::Generated);
        }
        let rule = Rule {
            title: text.title,
            kind: (*text.kind).into(),
            lane,
            pattern: text.pattern,
            words: text.words,
            shortest,
            longest,
            prover,
            handle: text.handle,
            entropy: text.entropy,
            judge: text.judge,
            public: text.public,
            classes,
            confidence: text.confidence.into(),
            severity: if text.public {
                Severity::Info
            } else {
                text.severity.into()
            },
            why: text.why,
            page: text.page,
            hits: text.hit,
            misses: text.miss,
            source,
            before: text.before,
            near: text.near,
            regexes: std::sync::OnceLock::new(),
            id: (*id).into(),
        };
        Ok(rule)
    }

    /// The compiled patterns.
    ///
    /// # Panics
    /// Never for a rule that [`Rule::compile`] accepted; rule sets from users are compiled
    /// whole while they are read, the embedded one is by a test.
    pub(super) fn regexes(&self) -> &Regexes {
        self.regexes.get_or_init(|| {
            self.compile()
                .expect("rule was compiled when it was checked")
        })
    }

    /// What [`Rule::compile`] could complain of, at a hundredth of its price.
    ///
    /// # Errors
    /// Which pattern is wrong, and how.
    pub(super) fn check_patterns(&self) -> Result<(), String> {
        let parse = |what: &str, pattern: &str| {
            let hir = regex_syntax::ParserBuilder::new()
                .unicode(false)
                .utf8(false)
                .build()
                .parse(pattern)
                .map_err(|error| format!("rule '{}': {what}: {error}", self.id))?;
            if super::rule_text::states(&hir) > super::rule_text::MOST_STATES {
                return Err(format!(
                    "rule '{}': {what}: is too large; lower its repetitions",
                    self.id
                ));
            }
            if hir.properties().explicit_captures_len() >= MOST_GROUPS {
                return Err(format!(
                    "rule '{}': {what}: has more than {} groups; write (?:…) for those without a name",
                    self.id,
                    MOST_GROUPS - 1
                ));
            }
            Ok(hir)
        };
        // Not by the text: `\?<secret>` is none.
        if !has_secret(&parse("pattern", &self.pattern)?) {
            return Err(format!(
                "rule '{}': pattern needs a group (?<secret>…)",
                self.id
            ));
        }
        if let Some(before) = &self.before {
            parse("before", before)?;
        }
        if let Some(near) = &self.near {
            parse("near", near)?;
        }
        Ok(())
    }

    /// Compiles the rule's patterns.
    ///
    /// # Errors
    /// Which pattern is wrong, and how.
    pub(super) fn compile(&self) -> Result<Regexes, String> {
        let build = |what: &str, pattern: &str| {
            meta::Regex::builder()
                .configure(
                    meta::Config::new()
                        .nfa_size_limit(Some(256 << 20))
                        .utf8_empty(false),
                )
                .syntax(syntax::Config::new().unicode(false).utf8(false))
                .build(pattern)
                .map_err(|error| format!("rule '{}': {what}: {}", self.id, innermost(&error)))
        };
        let pattern = build("pattern", &self.pattern)?;
        let mut groups = Vec::new();
        let info = pattern.group_info();
        for (index, name) in info
            .pattern_names(regex_automata::PatternID::ZERO)
            .enumerate()
        {
            if let Some(name) = name {
                groups.push((name.to_owned(), index));
            }
        }
        let find = |wanted: &str| {
            groups
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|&(_, index)| index)
        };
        let secret = find("secret")
            .ok_or_else(|| format!("rule '{}': pattern needs a group (?<secret>…)", self.id))?;
        let handle = find("handle");
        Ok(Regexes {
            literals: self.literals(),
            secret,
            handle,
            groups,
            before: self
                .before
                .as_deref()
                .map(|text| build("before", text))
                .transpose()?,
            near: self
                .near
                .as_deref()
                .map(|text| build("near", text))
                .transpose()?,
            pattern,
        })
    }

    /// The anchors of a rule whose pattern is `(?<secret>(?i:…|…))` of them.
    fn literals(&self) -> Option<Texts> {
        let Lane::Anchor(anchors) = &self.lane else {
            return None;
        };
        let names: Vec<&str> = anchors.iter().map(|anchor| &**anchor).collect();
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
        (names.iter().all(|name| name.bytes().all(is_plain))
            && *self.pattern == format!("(?<secret>(?i:{}))", names.join("|")))
        .then(|| anchors.clone())
    }

    /// The bytes a verdict at this hit may look at, in a content of this length.
    pub(super) fn window(&self, at: usize, len: usize) -> Range<usize> {
        let context = if self.before.is_some() || self.judge.is_some() {
            CONTEXT
        } else {
            1
        };
        let near = if self.near.is_some() { NEAR } else { 0 };
        let words = if self.words.is_empty() {
            0
        } else {
            words::REACH + 1
        };
        let after = if self.lane == Lane::Run {
            self.longest.max(RUN_LONGEST)
        } else {
            self.longest
        };
        let (context, after) = if self.judge == Some(Judge::Structure) {
            // The run lane's name stands up to `words` before the value.
            (context + words, after + structure::REACH)
        } else {
            (context, after)
        };
        at.saturating_sub(context.max(near).max(words))
            ..(at + after + COMMENT.max(near).max(words) + 1).min(len)
    }
}

/// Token bytes and `+ / . =`: what the first 16 bytes of a match in the token lane consist of.
pub(super) fn is_lane_byte(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'+' | b'/' | b'.' | b'=')
}

/// `[A-Za-z0-9_-]`.
pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN_BYTES[usize::from(byte)]
}

/// [`is_token_byte`] of every byte: read in loops.
const TOKEN_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        bytes[byte] = is_word_byte(byte as u8) || byte == b'-' as usize;
        byte += 1;
    }
    bytes
};

/// `[A-Za-z0-9_]`: no match of the token lane begins behind one.
pub(super) const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a pattern has the group of the secret.
fn has_secret(hir: &regex_syntax::hir::Hir) -> bool {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Capture(group) => {
            group.name.as_deref() == Some("secret") || has_secret(&group.sub)
        }
        HirKind::Repetition(repetition) => has_secret(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_secret),
        _ => false,
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
