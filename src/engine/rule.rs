//! A rule: as written in TOML, and as the engine uses it.

use std::{ops::Range, sync::Arc};

use keymuster_api::{Confidence, PathClass, PathClasses, Severity};
use regex_automata::{meta, util::syntax};
use serde::Deserialize;

use super::proof::{PROVERS, Prover};

/// Bytes before a match that `before` and the judge of assignments may look at.
pub(super) const CONTEXT: usize = 128;
/// Bytes on either side of a match in which `near` is looked for.
pub(super) const NEAR: usize = 256;
/// Bytes after a match, on its line, in which an inline comment is looked for.
pub(super) const COMMENT: usize = 256;
/// A token-lane hit needs this many token bytes from its first.
pub(super) const TOKEN_RUN: usize = 16;
/// Longest match a rule may have.
const LONGEST: usize = 20_000;

/// A rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) rule: Vec<toml::Spanned<RuleText>>,
}

/// A rule as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleText {
    id: String,
    title: String,
    kind: String,
    #[serde(default)]
    prefix: Vec<String>,
    #[serde(default)]
    anchors: Vec<String>,
    pattern: String,
    before: Option<String>,
    near: Option<String>,
    checksum: Option<String>,
    structure: Option<String>,
    handle: Option<String>,
    entropy: Option<f64>,
    judge: Option<Judge>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    skip: Vec<ClassWord>,
    #[serde(default)]
    only: Vec<ClassWord>,
    #[serde(default)]
    names: Vec<String>,
    confidence: ConfidenceWord,
    #[serde(default = "high")]
    severity: SeverityWord,
    why: String,
    page: Option<String>,
    #[serde(default)]
    hit: Vec<String>,
    #[serde(default)]
    miss: Vec<String>,
}

fn high() -> SeverityWord {
    SeverityWord::High
}

/// Which code judges key name and value, for rules without a format of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judge {
    /// A value assigned to a name that says it is secret.
    Assignment,
    /// The password of a URL or a connection string: weighed with its user and host.
    Login,
}

macro_rules! words {
    ($name:ident => $target:ident { $($variant:ident),+ }) => {
        #[derive(Debug, Clone, Copy, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum $name { $($variant),+ }
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
    Token(Vec<String>),
    /// One of these, in any ASCII case.
    Anchor(Vec<String>),
    /// The file's name; the pattern is searched in all of it.
    Name(Vec<String>),
}

/// Whether a file name matches one of a rule's `names`: exact, or `*.suffix`.
pub(super) fn is_named(name: &[u8], names: &[String]) -> bool {
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
    pub title: String,
    /// An id of `kinds.toml`.
    pub kind: Arc<str>,
    /// What must be seen first.
    pub lane: Lane,
    /// The pattern as written.
    pub pattern: String,
    /// Longest match of the pattern, in bytes.
    pub longest: usize,
    /// Proof by checksum or structure.
    pub prover: Option<&'static Prover>,
    /// Scheme of the `handle` group.
    pub handle: Option<String>,
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
    pub why: String,
    /// The vendor's page.
    pub page: Option<String>,
    /// Shapes that must match.
    pub hits: Vec<String>,
    /// Texts that must not.
    pub misses: Vec<String>,
    /// File and line of the rule.
    pub source: String,
    pub(super) before: Option<String>,
    pub(super) near: Option<String>,
    pub(super) regexes: std::sync::OnceLock<Regexes>,
}

/// A rule's compiled patterns: made on first use, because a hook that looks at ten files needs
/// only a few of them.
pub(super) struct Regexes {
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
    pub(super) fn new(text: RuleText, source: String) -> Result<Rule, String> {
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
            _ => {
                return Err(named(
                    "give either `prefix` (token lane) or `anchors` (anchor lane), or `names`",
                ));
            }
        };
        match &lane {
            Lane::Token(all) => {
                for prefix in all {
                    if prefix.len() < 2 || !prefix.bytes().all(is_token_byte) {
                        return Err(named(&format!(
                            "prefix '{prefix}' must be two or more of [A-Za-z0-9_-]; use `anchors` for others"
                        )));
                    }
                }
            }
            Lane::Anchor(all) => {
                for anchor in all {
                    if anchor.len() < 3 || anchor.bytes().any(|b| b.is_ascii_uppercase()) {
                        return Err(named(&format!(
                            "anchor '{anchor}' must be lower case and at least three bytes long"
                        )));
                    }
                }
            }
            Lane::Name(_) => {}
        }
        let longest =
            longest_match(&text.pattern).map_err(|why| named(&format!("pattern: {why}")))?;
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
                    .find(|prover| prover.name == name)
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
        for &word in &text.skip {
            classes = classes.without(PathClass::from(word));
        }
        let rule = Rule {
            title: text.title,
            kind: text.kind.into(),
            lane,
            pattern: text.pattern,
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
            id: id.as_str().into(),
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

    /// Compiles the rule's patterns.
    ///
    /// # Errors
    /// Which pattern is wrong, and how.
    pub(super) fn compile(&self) -> Result<Regexes, String> {
        let build = |what: &str, pattern: &str| {
            meta::Regex::builder()
                .configure(
                    meta::Config::new()
                        .nfa_size_limit(Some(16 << 20))
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

    /// The bytes a verdict at this hit may look at, in a content of this length.
    pub(super) fn window(&self, at: usize, len: usize) -> Range<usize> {
        let context = if self.before.is_some() || self.judge.is_some() {
            CONTEXT
        } else {
            1
        };
        let near = if self.near.is_some() { NEAR } else { 0 };
        at.saturating_sub(context.max(near))..(at + self.longest + COMMENT.max(near) + 1).min(len)
    }
}

/// `[A-Za-z0-9_-]`.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Longest match in bytes.
fn longest_match(pattern: &str) -> Result<usize, String> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    hir.properties()
        .maximum_len()
        .ok_or_else(|| "is unbounded; write {20,400} instead of {20,}, * or +".to_owned())
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
