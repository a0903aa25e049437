//! Patterns of policies: `*`, `?`, and policy variables. Matching takes at most pattern times
//! text steps, whatever the pattern.

use super::condition::{Lookup, Seen, Tri};

/// One step of a compiled pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// This byte.
    Byte(u8),
    /// Any one character.
    One,
    /// Any number of characters.
    Many,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
    fold: bool,
    plain: bool,
}

impl Glob {
    /// A pattern that tells case apart, as for resources.
    pub fn new(pattern: &str) -> Glob {
        let mut glob = Glob {
            tokens: Vec::with_capacity(pattern.len()),
            fold: false,
            plain: true,
        };
        glob.push_pattern(pattern);
        glob
    }

    /// A pattern that does not tell case apart, as for actions.
    pub fn folded(pattern: &str) -> Glob {
        let mut glob = Glob::new(&pattern.to_ascii_lowercase());
        glob.fold = true;
        glob
    }

    fn empty() -> Glob {
        Glob {
            tokens: Vec::new(),
            fold: false,
            plain: true,
        }
    }

    fn push_pattern(&mut self, pattern: &str) {
        for byte in pattern.bytes() {
            match byte {
                b'*' => self.push(Token::Many),
                b'?' => self.push(Token::One),
                byte => self.push(Token::Byte(byte)),
            }
        }
    }

    fn push_literal(&mut self, text: &str) {
        self.tokens.extend(text.bytes().map(Token::Byte));
    }

    fn push(&mut self, token: Token) {
        // Stars in a row are one star.
        if token == Token::Many && self.tokens.last() == Some(&Token::Many) {
            return;
        }
        self.plain &= matches!(token, Token::Byte(_));
        self.tokens.push(token);
    }

    /// The steps of the pattern.
    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether it matches everything.
    pub(super) fn is_any(&self) -> bool {
        self.tokens.as_slice() == [Token::Many]
    }

    /// Whether it has no wildcards.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether a text may fit both: they begin alike up to the first wildcard of either.
    pub(super) fn may_meet(&self, other: &Glob) -> bool {
        let mut pairs = self.tokens.iter().zip(&other.tokens);
        let differ = pairs.find(|(one, other)| one != other);
        !matches!(differ, Some((Token::Byte(_), Token::Byte(_))))
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        if self.tokens.as_slice() == [Token::Many] {
            return true;
        }
        if self.plain && self.tokens.len() != text.len() {
            return false;
        }
        let bytes = text.as_bytes();
        let (mut t, mut p) = (0, 0);
        // Where to go on if what follows the last star does not fit: that star takes one more.
        let mut retry: Option<(usize, usize)> = None;
        while t < bytes.len() {
            match self.tokens.get(p) {
                Some(Token::Many) => {
                    retry = Some((p, t));
                    p += 1;
                }
                Some(Token::One) => {
                    p += 1;
                    t = next_char(bytes, t);
                }
                Some(Token::Byte(byte)) if *byte == self.folded_byte(bytes[t]) => {
                    p += 1;
                    t += 1;
                }
                _ => {
                    let Some((star, at)) = retry else {
                        return false;
                    };
                    t = at + 1;
                    p = star + 1;
                    retry = Some((star, t));
                }
            }
        }
        self.tokens[p..].iter().all(|token| *token == Token::Many)
    }

    fn folded_byte(&self, byte: u8) -> u8 {
        if self.fold {
            byte.to_ascii_lowercase()
        } else {
            byte
        }
    }
}

fn next_char(bytes: &[u8], at: usize) -> usize {
    let mut next = at + 1;
    while bytes.get(next).is_some_and(|byte| byte & 0xc0 == 0x80) {
        next += 1;
    }
    next
}

/// A pattern that may hold policy variables: `arn:aws:s3:::home/${aws:username}/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As written.
    pub text: Box<str>,
    parts: Parts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Parts {
    Fixed(Glob),
    Variable(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Pattern(Box<str>),
    Literal(Box<str>),
    Variable {
        key: Box<str>,
        default: Option<Box<str>>,
    },
}

impl Pattern {
    /// Compiles; `variables` is whether the policy's version knows them.
    pub fn new(text: &str, variables: bool) -> Pattern {
        let parts = match variables.then(|| split(text)).flatten() {
            Some(parts) => Parts::Variable(parts),
            None => Parts::Fixed(Glob::new(text)),
        };
        Pattern {
            text: text.into(),
            parts,
        }
    }

    /// Whether the answer depends on the request.
    pub fn is_variable(&self) -> bool {
        match &self.parts {
            Parts::Fixed(_) => false,
            Parts::Variable(parts) => parts
                .iter()
                .any(|part| matches!(part, Part::Variable { .. })),
        }
    }

    /// The pattern as it is without variables.
    pub(super) fn fixed(&self) -> Option<&Glob> {
        match &self.parts {
            Parts::Fixed(glob) => Some(glob),
            Parts::Variable(_) => None,
        }
    }

    /// The pattern with its variables filled in, if they are known.
    pub(super) fn filled(&self, context: &dyn Lookup) -> Option<std::borrow::Cow<'_, Glob>> {
        self.resolve(context).ok().flatten()
    }

    /// Whether the text fits; unknown where a variable's value is. A variable without a value
    /// makes the pattern match nothing.
    pub fn matches(&self, text: &str, context: &dyn Lookup, unknown: &mut Vec<String>) -> Tri {
        match self.resolve(context) {
            Ok(Some(glob)) => Tri::from(glob.matches(text)),
            Ok(None) => Tri::No,
            Err(key) => {
                unknown.push(format!("value of {key}"));
                Tri::Unknown
            }
        }
    }

    /// The pattern with values filled in; `None` where one is absent, the key of an unknown one
    /// as error.
    fn resolve(&self, context: &dyn Lookup) -> Result<Option<std::borrow::Cow<'_, Glob>>, &str> {
        let parts = match &self.parts {
            Parts::Fixed(glob) => return Ok(Some(std::borrow::Cow::Borrowed(glob))),
            Parts::Variable(parts) => parts,
        };
        let mut glob = Glob::empty();
        for part in parts {
            match part {
                Part::Pattern(text) => glob.push_pattern(text),
                Part::Literal(text) => glob.push_literal(text),
                Part::Variable { key, default } => match (context.seen(key), default) {
                    (Seen::Known([value]), _) => glob.push_literal(value),
                    (Seen::Unknown, _) => return Err(key),
                    (Seen::Absent | Seen::Known(_), Some(default)) => glob.push_literal(default),
                    (Seen::Absent | Seen::Known(_), None) => return Ok(None),
                },
            }
        }
        Ok(Some(std::borrow::Cow::Owned(glob)))
    }

    /// Whether the text is equal, without wildcards; `fold` for comparing without case.
    pub(super) fn equals(
        &self,
        text: &str,
        fold: bool,
        context: &dyn Lookup,
        unknown: &mut Vec<String>,
    ) -> Tri {
        let parts = match &self.parts {
            Parts::Fixed(_) => return Tri::from(same(&self.text, text, fold)),
            Parts::Variable(parts) => parts,
        };
        let mut value = String::new();
        for part in parts {
            match part {
                Part::Pattern(text) | Part::Literal(text) => value.push_str(text),
                Part::Variable { key, default } => match (context.seen(key), default) {
                    (Seen::Known([known]), _) => value.push_str(known),
                    (Seen::Unknown, _) => {
                        unknown.push(format!("value of {key}"));
                        return Tri::Unknown;
                    }
                    (_, Some(default)) => value.push_str(default),
                    (_, None) => return Tri::No,
                },
            }
        }
        Tri::from(same(&value, text, fold))
    }
}

fn same(a: &str, b: &str, fold: bool) -> bool {
    if fold {
        a.to_lowercase() == b.to_lowercase()
    } else {
        a == b
    }
}

/// The parts of a text with variables; `None` if there are none.
fn split(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        if start > 0 {
            parts.push(Part::Pattern(rest[..start].into()));
        }
        let inside = &rest[start + 2..start + length];
        parts.push(match inside {
            "*" | "?" | "$" => Part::Literal(inside.into()),
            _ => {
                let (key, default) = match inside.split_once(',') {
                    Some((key, default)) => (key, Some(default.trim().trim_matches('\'').into())),
                    None => (inside, None),
                };
                Part::Variable {
                    key: key.trim().to_ascii_lowercase().into(),
                    default,
                }
            }
        });
        rest = &rest[start + length + 1..];
    }
    if parts.is_empty() {
        return None;
    }
    if !rest.is_empty() {
        parts.push(Part::Pattern(rest.into()));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Glob, Pattern};
    use crate::access::{Context, Tri};

    #[test]
    fn wildcards_stand_anywhere() {
        for (pattern, text, hit) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("?", "é", true),
            ("??", "é", false),
            ("a**b", "ab", true),
            ("*ab", "aab", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), hit, "{pattern} on {text}");
        }
        assert!(Glob::folded("IAM:Get*").matches("iam:GETuser"));
        assert!(!Glob::new("Iam:*").matches("iam:GetUser"));
    }

    #[test]
    fn a_bomb_takes_no_longer_than_its_size() {
        let pattern = "a*".repeat(500) + "b";
        let text = "a".repeat(20_000);
        let start = Instant::now();
        assert!(!Glob::new(&pattern).matches(&text));
        assert!(!Glob::new(&"*?".repeat(3_000)).matches("aaa"));
        assert!(start.elapsed().as_secs() < 5);
    }

    #[test]
    fn variables_take_values_literally() {
        let context = Context::new()
            .with("aws:username", &["a*"])
            .without("aws:principaltag/team");
        let ask = |pattern: &str, text: &str| {
            Pattern::new(pattern, true).matches(text, &context, &mut Vec::new())
        };
        assert_eq!(ask("home/${aws:username}/*", "home/a*/x"), Tri::Yes);
        assert_eq!(ask("home/${aws:username}/*", "home/ab/x"), Tri::No);
        assert_eq!(ask("home/${AWS:UserName}", "home/a*"), Tri::Yes);
        assert_eq!(ask("${aws:PrincipalTag/team}", ""), Tri::No);
        assert_eq!(
            ask("${aws:PrincipalTag/team, 'none'}/x", "none/x"),
            Tri::Yes
        );
        assert_eq!(ask("a${*}b", "a*b"), Tri::Yes);
        assert_eq!(ask("a${*}b", "axb"), Tri::No);
        assert_eq!(ask("${$}{x}", "${x}"), Tri::Yes);
        assert_eq!(ask("${aws:userid}", "x"), Tri::Unknown);
        let old = Pattern::new("${aws:username}", false);
        assert_eq!(
            old.matches("${aws:username}", &context, &mut Vec::new()),
            Tri::Yes
        );
    }
}
