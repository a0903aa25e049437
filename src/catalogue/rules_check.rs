//! Checks the shipped rules apart from the engine: kinds and provers exist, literals begin the
//! patterns, lengths are bounded, every `hit` is hit for many seeds and every `miss` is missed.
//! Not here: what only the engine can tell (placeholders, the judge, precedence).

use std::{collections::BTreeMap, fs, path::Path};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::kinds::Kinds;
use crate::engine::{
    proof::{Found, Proof, prover},
    shape,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
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
    judge: Option<String>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    skip: Vec<String>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    confidence: grades::Confidence,
    severity: Option<grades::Severity>,
    why: String,
    page: String,
    hit: Vec<String>,
    miss: Vec<String>,
}

/// The words that the two grades may be.
mod grades {
    use serde::Deserialize;

    #[derive(Deserialize, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum Confidence {
        Low,
        Medium,
        High,
    }

    #[derive(Deserialize, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum Severity {
        Info,
        Low,
        Medium,
        High,
        Critical,
    }
}

fn files() -> BTreeMap<String, File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/detect");
    fs::read_dir(folder)
        .expect("the rules' folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("a text");
            let file = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, file)
        })
        .collect()
}

fn compile(pattern: &str) -> Regex {
    RegexBuilder::new(pattern)
        .unicode(false)
        .build()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A rule with its expressions compiled.
struct Ready<'a> {
    rule: &'a Rule,
    pattern: Regex,
    before: Option<Regex>,
    near: Option<Regex>,
}

impl Ready<'_> {
    /// Where literals of the rule's lane stand, as the engine will see them.
    fn starts(&self, text: &[u8]) -> Vec<usize> {
        let run = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        (0..text.len())
            .filter(|&at| {
                let rest = &text[at..];
                let anchored = self.rule.anchors.iter().any(|literal| {
                    rest.get(..literal.len())
                        .is_some_and(|b| b.eq_ignore_ascii_case(literal.as_bytes()))
                });
                let prefixed = self
                    .rule
                    .prefix
                    .iter()
                    .any(|literal| rest.starts_with(literal.as_bytes()));
                let previous = at.checked_sub(1).map(|at| text[at]);
                let long = rest.iter().take_while(|b| run(b)).count() >= 16;
                let border = previous.is_none_or(|b| !b.is_ascii_alphanumeric() && b != b'_');
                anchored || prefixed && long && border
            })
            .collect()
    }

    /// The secrets that the rule finds, as far as pattern, context, entropy and prover decide.
    fn secrets(&self, text: &[u8]) -> Vec<Vec<u8>> {
        self.starts(text)
            .into_iter()
            .filter_map(|at| self.at(text, at))
            .collect()
    }

    fn at(&self, text: &[u8], at: usize) -> Option<Vec<u8>> {
        let groups = self
            .pattern
            .captures_at(text, at)
            .filter(|found| found.get_match().start() == at)?;
        let secret = groups.name("secret").expect("the group").as_bytes();
        let end = groups.get_match().end();
        let near = &text[at.saturating_sub(256)..text.len().min(end + 256)];
        let before = &text[at.saturating_sub(128)..at];
        let context = self
            .before
            .as_ref()
            .is_none_or(|regex| regex.is_match(before))
            && self.near.as_ref().is_none_or(|regex| regex.is_match(near));
        let random = self
            .rule
            .entropy
            .is_none_or(|least| entropy(secret) >= least);
        let named: Vec<(&str, &[u8])> = self
            .pattern
            .capture_names()
            .flatten()
            .filter(|name| *name != "secret")
            .filter_map(|name| Some((name, groups.name(name)?.as_bytes())))
            .collect();
        let found = Found {
            secret,
            matched: groups.get_match().as_bytes(),
            groups: &named,
        };
        let proof = self
            .prover()
            .map(|name| (prover(name).expect("a prover").prove)(&found));
        (context && random && proof != Some(Proof::Refuted)).then(|| secret.to_vec())
    }

    fn prover(&self) -> Option<&str> {
        self.rule
            .checksum
            .as_deref()
            .or(self.rule.structure.as_deref())
    }
}

/// Shannon entropy in bits per byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes
        .iter()
        .for_each(|&byte| counts[usize::from(byte)] += 1);
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

fn each(mut check: impl FnMut(&str, &Ready<'_>)) {
    for (file, content) in &files() {
        for rule in &content.rule {
            let ready = Ready {
                rule,
                pattern: compile(&rule.pattern),
                before: rule.before.as_deref().map(compile),
                near: rule.near.as_deref().map(compile),
            };
            check(file, &ready);
        }
    }
}

#[test]
fn rules_are_well_formed() {
    let mut ids = BTreeMap::new();
    let classes = ["plain", "test", "docs", "generated", "config"];
    each(|file, ready| {
        let rule = ready.rule;
        let id = &rule.id;
        assert!(ids.insert(id.clone(), ()).is_none(), "{id}: twice");
        assert!(
            id.starts_with(&format!("{file}.")),
            "{id}: lies in {file}.toml"
        );
        let kind = Kinds::embedded()
            .get(&rule.kind)
            .unwrap_or_else(|| panic!("{id}: no kind {}", rule.kind));
        assert!(
            rule.public || kind.secret,
            "{id}: finds a secret of a kind that is none"
        );
        assert!(
            rule.prefix.is_empty() != rule.anchors.is_empty(),
            "{id}: prefix or anchors"
        );
        for anchor in &rule.anchors {
            assert!(
                anchor.len() >= 3 && anchor.to_ascii_lowercase() == *anchor,
                "{id}: {anchor}"
            );
        }
        assert!(
            rule.prefix.iter().all(|prefix| prefix.len() >= 2),
            "{id}: a short prefix"
        );
        assert!(
            rule.checksum.is_none() || rule.structure.is_none(),
            "{id}: two provers"
        );
        if let Some(name) = ready.prover() {
            assert!(prover(name).is_some(), "{id}: no prover {name}");
        }
        assert!(
            rule.judge
                .as_deref()
                .is_none_or(|judge| judge == "assignment"),
            "{id}: judge"
        );
        assert!(
            rule.skip
                .iter()
                .chain(&rule.only)
                .all(|class| classes.contains(&class.as_str())),
            "{id}: class"
        );
        assert!(
            rule.names.iter().all(|name| !name.is_empty()),
            "{id}: names"
        );
        assert!(
            rule.page.starts_with("https://") && !rule.title.ends_with('.'),
            "{id}: page or title"
        );
        assert!(
            rule.why.ends_with('.') && !rule.hit.is_empty() && !rule.miss.is_empty(),
            "{id}: why, hit, miss"
        );
        assert!(
            rule.confidence != grades::Confidence::High || rule.judge.is_none(),
            "{id}: too sure"
        );
        assert!(
            !rule.public || rule.severity == Some(grades::Severity::Info),
            "{id}: public, not info"
        );
        let groups: Vec<_> = ready.pattern.capture_names().flatten().collect();
        assert_eq!(
            groups.iter().filter(|name| **name == "secret").count(),
            1,
            "{id}: secret"
        );
        if groups.contains(&"handle") {
            assert!(rule.handle.is_some(), "{id}: a handle without its scheme");
        }
    });
}

#[test]
fn patterns_are_bounded() {
    each(|_, ready| {
        let rule = ready.rule;
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(&rule.pattern)
            .expect("it parses");
        let longest = hir.properties().maximum_len().unwrap_or(usize::MAX);
        let most = if rule.structure.is_some() {
            20_000
        } else {
            1_000
        };
        assert!(longest <= most, "{}: up to {longest} bytes", rule.id);
        for context in [&rule.before, &rule.near].into_iter().flatten() {
            assert!(context.len() < 600, "{}", rule.id);
        }
    });
}

#[test]
fn anchors_stay_few() {
    let mut anchors = BTreeMap::new();
    each(|_, ready| {
        for anchor in &ready.rule.anchors {
            *anchors.entry(anchor.clone()).or_insert(0) += 1;
        }
    });
    assert!(
        anchors.len() <= 60,
        "{} anchors: {anchors:?}",
        anchors.len()
    );
}

#[test]
fn hits_are_hit_from_a_literal_on() {
    let mut wrong = Vec::new();
    each(|_, ready| {
        for form in &ready.rule.hit {
            for seed in 0..20 {
                let text = shape::fill(form, seed)
                    .unwrap_or_else(|error| panic!("{}: {error}", ready.rule.id));
                if ready.secrets(text.as_bytes()).is_empty() {
                    wrong.push(format!("{}: seed {seed} of {form}", ready.rule.id));
                    break;
                }
                // A pattern that also matches elsewhere would be blind in the engine.
                for found in ready.pattern.find_iter(text.as_bytes()) {
                    let matched = found.as_bytes();
                    let literal = ready
                        .rule
                        .prefix
                        .iter()
                        .any(|p| matched.starts_with(p.as_bytes()))
                        || ready.rule.anchors.iter().any(|a| {
                            matched
                                .get(..a.len())
                                .is_some_and(|b| b.eq_ignore_ascii_case(a.as_bytes()))
                        });
                    assert!(
                        literal,
                        "{}: matches without its literal in {form}",
                        ready.rule.id
                    );
                }
            }
        }
    });
    assert!(wrong.is_empty(), "not hit:\n{}", wrong.join("\n"));
}

#[test]
fn misses_are_missed() {
    let mut wrong = Vec::new();
    each(|_, ready| {
        for form in &ready.rule.miss {
            for seed in 0..20 {
                let text = shape::fill(form, seed)
                    .unwrap_or_else(|error| panic!("{}: {error}", ready.rule.id));
                if !ready.secrets(text.as_bytes()).is_empty() {
                    wrong.push(format!("{}: seed {seed} of {form}", ready.rule.id));
                    break;
                }
            }
        }
    });
    assert!(wrong.is_empty(), "not missed:\n{}", wrong.join("\n"));
}

#[test]
fn no_shape_is_a_key() {
    // What stands in `hit` and `miss` before filling must be found by no rule but by its name.
    let texts: Vec<String> = files()
        .into_values()
        .flat_map(|file| file.rule)
        .flat_map(|rule| [rule.hit, rule.miss].concat())
        .collect();
    each(|_, ready| {
        if ready.rule.judge.is_none() {
            for text in &texts {
                let found = ready.secrets(text.as_bytes());
                let real = found
                    .iter()
                    .find(|secret| !secret.contains(&b'{') && !secret.contains(&b'$'));
                assert!(
                    real.is_none(),
                    "{} finds something in {text}",
                    ready.rule.id
                );
            }
        }
    });
}
