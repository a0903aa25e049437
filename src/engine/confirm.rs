//! From a hit to a candidate: the pattern at that place, then proof, entropy, judge, seal.

use std::{ops::Range, sync::Arc};

use keymuster_api::{Candidate, Confidence, Details, Handle, PathClass, PathClasses};
use regex_automata::{Anchored, Input, PatternID, util::primitives::NonMaxUsize};

use super::{
    allow, heads,
    judge::{entropy, login, placeholder, structure, wordiness},
    proof::{Found, Proof},
    published,
    rule::{CONTEXT, Judge, Lane, MOST_GROUPS, NEAR, Regexes, Rule, is_token_byte, is_word_byte},
    run,
    seal::Seal,
    words,
};

/// Least entropy of a value of the run lane in bits per byte, where the rule states none: 16
/// random hexadecimal digits have 3.2 on average.
const RUN_ENTROPY: f64 = 2.8;

/// What is known of a place before a rule is tried there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: whatever the rule needs is looked for.
    Nothing,
    /// A lane saw what the rule needs, and its word near where it wants one.
    Lane,
}

/// Tries one rule at one place. A pure function of [`Rule::window`].
pub(super) fn confirm(
    rule: &Rule,
    number: u32,
    seal: &Seal,
    bytes: &[u8],
    at: usize,
    known: Known,
) -> Option<Candidate> {
    if known == Known::Nothing {
        needs(rule, bytes, at).ok()?;
    }
    try_at(rule, number, seal, bytes, at).ok()
}

/// Like [`confirm`] where nothing is known, and says why not.
pub(super) fn judge(
    rule: &Rule,
    number: u32,
    seal: &Seal,
    bytes: &[u8],
    at: usize,
) -> Result<Candidate, &'static str> {
    needs(rule, bytes, at)?;
    try_at(rule, number, seal, bytes, at)
}

/// Whether what must be seen before the pattern is tried is there.
fn needs(rule: &Rule, bytes: &[u8], at: usize) -> Result<(), &'static str> {
    let is_run = rule.lane == Lane::Run;
    if matches!(rule.lane, Lane::Token(_)) && at > 0 && is_word_byte(bytes[at - 1]) {
        return Err("it begins in the middle of a word");
    }
    if let Lane::Anchor(anchors) = &rule.lane
        && !heads::may_begin(anchors, bytes, at)
    {
        return Err("it begins in the middle of a word");
    }
    if is_run && run::length(bytes, at).is_none() {
        return Err(
            "no run of 16 token bytes with a digit begins here, or not where a value may stand",
        );
    }
    if !rule.words.is_empty() {
        let (from, to) = words::window(bytes, at, is_run);
        if !words::is_near(&rule.words, bytes, from, to) {
            return Err("none of the rule's words stands near");
        }
    }
    Ok(())
}

fn try_at(
    rule: &Rule,
    number: u32,
    seal: &Seal,
    bytes: &[u8],
    at: usize,
) -> Result<Candidate, &'static str> {
    let is_run = rule.lane == Lane::Run;
    let regexes = rule.regexes();
    let mut slots = Slots::default();
    let (matched, secret) = find(rule, regexes, bytes, at, &mut slots)?;
    if secret.is_empty() {
        return Err("the match holds no secret");
    }
    if is_run {
        if bytes
            .get(secret.end)
            .is_some_and(|&byte| is_token_byte(byte))
        {
            return Err("the value goes on behind what the pattern takes");
        }
        if run::is_id(bytes, &secret, at.saturating_sub(words::REACH)) {
            return Err("it looks like an id, and its line names no credential");
        }
        if run::is_digest(bytes, &secret, at.saturating_sub(words::REACH)) {
            return Err("the name before the value says that it is a digest or a version");
        }
    }
    if let Some(before) = &regexes.before {
        let context = &bytes[at.saturating_sub(CONTEXT)..at];
        // `before` ends in `$`: the last bytes decide.
        before
            .find(context)
            .ok_or("what stands before does not fit")?;
    }
    if let Some(near) = &regexes.near {
        let context = &bytes[at.saturating_sub(NEAR)..(matched.end + NEAR).min(bytes.len())];
        near.find(context)
            .ok_or("the words that belong near are missing")?;
    }
    let reading = match rule.judge {
        Some(Judge::Structure) => Some(read(rule, bytes, at, matched.clone())?),
        _ => None,
    };
    let secret = reading
        .as_ref()
        .map_or(secret, |(reading, _)| reading.span.clone());
    let joined = reading
        .as_ref()
        .and_then(|(reading, _)| reading.joined(bytes));
    let value = joined
        .as_ref()
        .map_or(&bytes[secret.clone()], |joined| &joined[..]);
    let groups: Vec<(&str, &[u8])> = regexes
        .groups
        .iter()
        .filter(|(name, _)| name != "secret")
        .filter_map(|(name, index)| Some((name.as_str(), &bytes[slots.get(*index)?])))
        .collect();
    let (mut confidence, mut facts, proved) = match rule.prover {
        None => (rule.confidence, Vec::new(), false),
        Some(prover) => {
            match (prover.prove)(&Found {
                secret: value,
                matched: &bytes[matched.clone()],
                groups: &groups,
            }) {
                Proof::Refuted => return Err("checksum or structure do not hold"),
                Proof::Undecided(facts) => (rule.confidence, facts, false),
                Proof::Proved(facts) => (Confidence::High, facts, true),
            }
        }
    };
    let mut classes = rule.classes;
    let mut is_example = false;
    if !proved {
        if placeholder::is_placeholder(value) {
            return Err("the value is a placeholder");
        }
        if placeholder::is_made_up(value) {
            if rule.judge.is_some() {
                return Err("the value is made up");
            }
            // Beside its issuer's name and of its format it is told, with a doubt, where it
            // would be used; documentation and tests are full of such examples.
            confidence = Confidence::Low;
            is_example = true;
        }
        if rule.judge.is_none() {
            // Files of credentials hold no examples.
            if !matches!(rule.lane, Lane::Name(_)) && login::stands_for_one(value) {
                return Err("the value is a word that stands for a password");
            }
            if placeholder::is_reference(value) {
                return Err("the value is the name of a variable");
            }
            // People make passwords of words; machines make no tokens of them.
            let is_token =
                is_run || !rule.words.is_empty() && value.len() >= 24 && !value.contains(&b' ');
            if is_token && !is_example && wordiness::is_name(value) {
                return Err("the value is made of words");
            }
        }
        let least = rule.entropy.or(is_run.then_some(RUN_ENTROPY));
        if least.is_some_and(|least| entropy(value) < least) {
            return Err("the value is not random enough");
        }
        classes = match rule.judge {
            None => rule.classes,
            Some(Judge::Structure) => reading
                .as_ref()
                .map_or(PathClasses::NONE, |(_, classes)| rule.classes.and(*classes)),
            Some(Judge::Login) => rule.classes,
        };
    }
    if rule.judge == Some(Judge::Login) {
        let group = |name: &str| {
            groups
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| *text)
        };
        let verdict = if is_basic(rule) {
            login::basic(value)
        } else {
            login::classes(value, group("user"), group("host"))
        };
        classes = rule.classes.and(verdict);
        if classes == PathClasses::NONE {
            return Err("the password is a word that stands for one");
        }
    }
    if is_example {
        let in_use = PathClasses::NONE
            .with(PathClass::Plain)
            .with(PathClass::Config);
        classes = classes.and(in_use);
    }
    if classes == PathClasses::NONE {
        return Err("the rule does not hold where such a value counts");
    }
    let handle = handle(
        rule,
        regexes.handle.and_then(|index| slots.get(index)),
        bytes,
        &mut facts,
    );
    let secret_id = match &handle {
        Some(handle) if rule.public => seal.secret(handle.value.as_bytes()),
        _ => seal.secret(value),
    };
    if !rule.public {
        published::add(&rule.kind, value, seal, &mut facts);
    }
    let details = Details {
        preview: preview(rule, value),
        handle,
        decoded: Vec::new(),
        facts,
        allowed: allow::comment(bytes, matched.end.max(secret.end)),
        inside: None,
    };
    Ok(Candidate {
        rule: number,
        window: rule.window(at, bytes.len()),
        hit: at,
        confidence,
        secret: secret_id,
        verdicts: classes,
        details: Arc::new(details),
        span: secret,
    })
}

/// Whether the value is user and password in base64.
/// Where the groups of a match stand.
#[derive(Default)]
struct Slots(SmallSlots);

/// Patterns have a handful of groups, two ends each.
type SmallSlots = [Option<NonMaxUsize>; 2 * MOST_GROUPS];

impl Slots {
    fn get(&self, group: usize) -> Option<Range<usize>> {
        let start = self.0.get(2 * group).copied().flatten()?;
        let end = self.0.get(2 * group + 1).copied().flatten()?;
        Some(start.get()..end.get())
    }
}

/// The match of a rule's pattern at `at`, and its secret.
fn find(
    rule: &Rule,
    regexes: &Regexes,
    bytes: &[u8],
    at: usize,
    slots: &mut Slots,
) -> Result<(Range<usize>, Range<usize>), &'static str> {
    const NO_MATCH: &str = "the pattern does not match here";
    if let Some(literals) = &regexes.literals {
        let len = literals
            .iter()
            .map(|literal| literal.len())
            .zip(literals.iter())
            .find(|(len, literal)| {
                bytes
                    .get(at..at + len)
                    .is_some_and(|text| text.eq_ignore_ascii_case(literal.as_bytes()))
            })
            .map(|(len, _)| len)
            .ok_or(NO_MATCH)?;
        return Ok((at..at + len, at..at + len));
    }
    // One byte more than the longest match, so that `\b` and `\z` see what follows.
    let end = (at + rule.longest + 1).min(bytes.len());
    let input = Input::new(&bytes[..end])
        .range(at..end)
        .anchored(Anchored::Yes);
    let used = 2 * regexes.pattern.group_info().group_len(PatternID::ZERO);
    regexes
        .pattern
        .search_slots(&input, &mut slots.0[..used])
        .ok_or(NO_MATCH)?;
    let matched = slots.get(0).ok_or(NO_MATCH)?;
    let secret = slots
        .get(regexes.secret)
        .ok_or("the match holds no secret")?;
    Ok((matched, secret))
}

fn is_basic(rule: &Rule) -> bool {
    rule.prover
        .is_some_and(|prover| prover.name == "basic-auth")
}

/// Reads name and value around a match: of a rule with anchors the match is a word of the name, of
/// one of the run lane it is the value, and the nearest name before it that leads there counts.
fn read(
    rule: &Rule,
    bytes: &[u8],
    at: usize,
    matched: Range<usize>,
) -> Result<(structure::Reading, PathClasses), &'static str> {
    // Nothing outside the window may be seen.
    let window = rule.window(at, bytes.len());
    let end = (matched.start + rule.longest + structure::REACH).min(window.end);
    let text = &bytes[..end];
    if rule.lane != Lane::Run {
        return structure::judge(text, window.start, matched);
    }
    let (from, to) = words::window(bytes, at, true);
    let mut why = "no name before the value leads to it";
    for word in words::places(&rule.words, bytes, from, to)
        .into_iter()
        .rev()
    {
        match structure::judge(text, window.start, word) {
            Ok((reading, classes)) if reading.span.start == at => return Ok((reading, classes)),
            Ok(_) => {}
            Err(reason) => why = reason,
        }
    }
    Err(why)
}

/// The public identifier: the pattern's `handle` group, or the fact of that name that a prover
/// computed (a key's fingerprint).
fn handle(
    rule: &Rule,
    span: Option<Range<usize>>,
    bytes: &[u8],
    facts: &mut Vec<(String, String)>,
) -> Option<Handle> {
    let scheme = rule.handle.as_deref()?;
    if rule.public && !rule.words.is_empty() {
        // Nothing but words nearby says that this is an identifier: it may be the secret that
        // belongs to one, so it is never shown.
        return None;
    }
    let Some(span) = span else {
        let at = facts.iter().position(|(name, _)| name == scheme)?;
        return Some(Handle::new(scheme, facts.remove(at).1));
    };
    let text = &bytes[span];
    let is_shown = text.len() <= 300 && text.iter().all(|&b| b.is_ascii_graphic());
    is_shown.then(|| Handle::new(scheme, String::from_utf8_lossy(text)))
}

/// The literal a token begins with is the same for all of its kind, so it is public; then the
/// length. Nothing else of a secret is ever shown.
fn preview(rule: &Rule, value: &[u8]) -> String {
    let head = match &rule.lane {
        Lane::Token(literals) => literals
            .iter()
            .filter(|literal| {
                value.starts_with(literal.as_bytes()) && literal.len() * 2 <= value.len()
            })
            .max_by_key(|literal| literal.len())
            .map_or("", |literal| &**literal),
        Lane::Anchor(_) | Lane::Name(_) if value.starts_with(b"-----BEGIN ") => {
            let line = value[..value.len().min(60)]
                .split(|&b| b == b'\n' || b == b'\\')
                .next()
                .unwrap_or_default();
            return match std::str::from_utf8(line) {
                Ok(line) if line.trim_end().ends_with("-----") => {
                    format!("{} ({} bytes)", line.trim_end(), value.len())
                }
                _ => format!("… ({} bytes)", value.len()),
            };
        }
        Lane::Anchor(_) | Lane::Name(_) | Lane::Run => "",
    };
    format!("{head}… ({} characters)", value.len())
}
