//! A resource that several patterns all mean, made from them: whether an action is allowed on
//! anything of a kind is asked with it.

use std::collections::HashSet;

use crate::access::glob::{Glob, Token};

/// After so many steps a search is given up.
const MAX_STEPS: usize = 20_000;

/// From where on wildcards of a kind may stand for a colon: in the last part of the ARN, unless
/// that part has colons of its own. Otherwise another account's pattern would fit a function that
/// is called like the account.
fn colons_from(kind: &Glob) -> usize {
    let mut colons = (0..).zip(kind.tokens()).filter_map(|(at, token)| {
        let is_colon = *token == Token::Byte(b':');
        is_colon.then_some(at)
    });
    match (colons.nth(4), colons.next()) {
        (Some(_), Some(_)) => usize::MAX,
        (Some(fifth), None) => fifth,
        (None, _) => 0,
    }
}

/// The patterns are too tangled to say whether a text fits all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tangled;

/// A text that all patterns match; `None` if there is none. The first pattern is that of a kind
/// of ARN.
pub(super) fn witness(patterns: &[&Glob]) -> Result<Option<String>, Tangled> {
    let colons_from = patterns.first().map_or(0, |kind| colons_from(kind));
    let start: Vec<u16> = vec![0; patterns.len()];
    let mut seen: HashSet<Vec<u16>> = HashSet::new();
    // A path through the positions of all patterns at once, and the bytes it took.
    let mut stack: Vec<(Vec<u16>, usize, Option<u8>)> = vec![(start, 0, None)];
    let mut text: Vec<u8> = Vec::new();
    let mut steps = 0;
    while let Some((at, depth, byte)) = stack.pop() {
        text.truncate(depth.saturating_sub(usize::from(byte.is_some())));
        text.extend(byte);
        steps += 1;
        if steps > MAX_STEPS {
            return Err(Tangled);
        }
        let tokens: Vec<Option<Token>> = patterns
            .iter()
            .zip(&at)
            .map(|(pattern, &position)| pattern.tokens().get(usize::from(position)).copied())
            .collect();
        if tokens.iter().all(Option::is_none) {
            return Ok(String::from_utf8(text).ok());
        }
        if !seen.insert(at.clone()) {
            continue;
        }
        // Stars that end here are tried last: the stack is taken from its end.
        let literal = tokens.iter().find_map(|token| match token {
            Some(Token::Byte(byte)) => Some(*byte),
            _ => None,
        });
        let taken = literal.unwrap_or(b'x');
        let fits = tokens.iter().all(|token| match token {
            None => false,
            Some(Token::Byte(byte)) => *byte == taken,
            Some(Token::One | Token::Many) => true,
        });
        let only_stars = tokens
            .iter()
            .all(|token| matches!(token, None | Some(Token::Many)));
        let in_a_part = taken == b':'
            && usize::from(at.first().copied().unwrap_or_default()) < colons_from
            && !matches!(tokens.first(), Some(Some(Token::Byte(_))));
        if fits && !only_stars && !in_a_part {
            let next = at
                .iter()
                .zip(&tokens)
                .map(|(position, token)| position + u16::from(*token != Some(Token::Many)))
                .collect();
            stack.push((next, text.len() + 1, Some(taken)));
        }
        for (number, token) in tokens.iter().enumerate() {
            if *token == Some(Token::Many) {
                let mut next = at.clone();
                next[number] += 1;
                stack.push((next, text.len(), None));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{Tangled, witness};
    use crate::access::glob::Glob;

    #[test]
    fn a_text_that_all_patterns_match() {
        for (patterns, some) in [
            (vec!["arn:aws:lambda:?*:1:function:?*", "*"], true),
            (
                vec![
                    "arn:aws:lambda:?*:1:function:?*",
                    "arn:aws:lambda:us-east-1:1:function:app",
                ],
                true,
            ),
            (
                vec!["arn:aws:lambda:?*:1:function:?*", "arn:aws:lambda:*:2:*"],
                false,
            ),
            (vec!["a*b*c", "*x*", "a*y*c"], true),
            (vec!["a*", "b*"], false),
            (vec!["a?c", "ab*", "*d"], false),
            (vec!["*a*a*a*b", "a*a*a*"], true),
            (vec!["*a*a*a*b", "c*c*c"], false),
        ] {
            let globs: Vec<Glob> = patterns.iter().map(|text| Glob::new(text)).collect();
            let refs: Vec<&Glob> = globs.iter().collect();
            let found = witness(&refs).expect("no bomb");
            assert_eq!(found.is_some(), some, "{patterns:?} gave {found:?}");
            for glob in &globs {
                assert!(found.as_deref().is_none_or(|text| glob.matches(text)));
            }
        }
    }

    #[test]
    fn bombs_are_given_up() {
        let a = Glob::new(&("*a".repeat(300) + "x"));
        let b = Glob::new(&("*b".repeat(300) + "y"));
        assert_eq!(witness(&[&a, &b]), Err(Tangled));
        assert_eq!(witness(&[&a, &b, &Glob::new("c")]), Ok(None));
    }
}
