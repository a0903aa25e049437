//! A rule as written in TOML. Shared with `build.rs`, which reads the embedded rules while the
//! program is built, so that starting costs no parsing; so nothing in here refers to the crate.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that is either built in or was read from a user's file.
pub(crate) type Text = Cow<'static, str>;
/// A list of such texts.
pub(crate) type Texts = Cow<'static, [Text]>;

/// A rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    #[serde(default)]
    pub(crate) rule: Vec<toml::Spanned<RuleText>>,
}

/// A rule as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RuleText {
    pub(crate) id: Text,
    pub(crate) title: Text,
    pub(crate) kind: Text,
    #[serde(default)]
    pub(crate) prefix: Texts,
    #[serde(default)]
    pub(crate) anchors: Texts,
    #[serde(default)]
    pub(crate) words: Texts,
    pub(crate) pattern: Text,
    pub(crate) before: Option<Text>,
    pub(crate) near: Option<Text>,
    pub(crate) checksum: Option<Text>,
    pub(crate) structure: Option<Text>,
    pub(crate) handle: Option<Text>,
    pub(crate) entropy: Option<f64>,
    pub(crate) judge: Option<Judge>,
    #[serde(default)]
    pub(crate) public: bool,
    #[serde(default)]
    pub(crate) skip: Cow<'static, [ClassWord]>,
    #[serde(default)]
    pub(crate) only: Cow<'static, [ClassWord]>,
    #[serde(default)]
    pub(crate) names: Texts,
    pub(crate) confidence: ConfidenceWord,
    #[serde(default = "high")]
    pub(crate) severity: SeverityWord,
    pub(crate) why: Text,
    pub(crate) page: Option<Text>,
    #[serde(default)]
    pub(crate) hit: Texts,
    #[serde(default)]
    pub(crate) miss: Texts,
}

fn high() -> SeverityWord {
    SeverityWord::High
}

/// Which code judges key name and value, for rules without a format of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judge {
    /// The pattern is a word of a name, or a value with such a word before it (run lane): the
    /// reader of structure finds the other, and what they are worth is judged.
    Structure,
    /// The password of a URL or a connection string: weighed with its user and host.
    Login,
}

/// How sure a match is without proof.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConfidenceWord {
    Low,
    Medium,
    High,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeverityWord {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// What a path says about its content.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClassWord {
    Plain,
    Test,
    Docs,
    Generated,
    Config,
}

/// More states than this, and a pattern is refused: it would cost megabytes and milliseconds.
pub(crate) const MOST_STATES: usize = 100_000;

/// Shortest and longest match of a pattern in bytes.
///
/// # Errors
/// What is wrong with the pattern and what to write instead.
pub(crate) fn lengths(pattern: &str) -> Result<(usize, usize), String> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    let properties = hir.properties();
    let longest = properties
        .maximum_len()
        .ok_or_else(|| "is unbounded; write {20,400} instead of {20,}, * or +".to_owned())?;
    let states = states(&hir);
    if states > MOST_STATES {
        return Err(format!(
            "needs about {states} states; at most {MOST_STATES} are allowed, lower its repetitions"
        ));
    }
    Ok((properties.minimum_len().unwrap_or(0), longest))
}

/// About how many states a pattern compiles to, so that a rule that is compiled when it is first
/// tried, in a worker, cannot fail there.
pub(crate) fn states(hir: &regex_syntax::hir::Hir) -> usize {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            states(&repetition.sub)
                .saturating_add(1)
                .saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(states).fold(1, usize::saturating_add)
        }
    }
}
