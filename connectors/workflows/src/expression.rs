//! References in expressions of GitHub: `${{ secrets.TOKEN }}`.
//!
//! Only words are told apart, no grammar is built: a reference is `secrets` (or `vars`) where
//! a context may stand, and what follows it. So the time is linear in the text and no nesting
//! is too deep.
//! Source: docs.github.com/actions/reference/workflows-and-actions/expressions

/// What an expression refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    /// `secrets.NAME`.
    Secret(Name),
    /// `vars.NAME`.
    Variable(Name),
}

/// Which of a context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// This one.
    Exact(String),
    /// The one that an expression gives: `secrets[matrix.token]`.
    Computed(String),
    /// Every one: `toJSON(secrets)`.
    All,
}

/// The references of a text in which expressions stand in `${{ }}`.
pub(crate) fn in_text(text: &str, out: &mut Vec<Wanted>) {
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        let inside = &rest[at + 3..];
        let end = end_of(inside);
        in_expression(&inside[..end], out);
        rest = &inside[end..];
    }
}

/// The expressions of a text, without their brackets.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        if at > 0 {
            all.push(Piece::Text(&rest[..at]));
        }
        let inside = &rest[at + 3..];
        let end = end_of(inside);
        all.push(Piece::Expression(inside[..end].trim()));
        rest = inside.get(end + 2..).unwrap_or("");
    }
    if !rest.is_empty() {
        all.push(Piece::Text(rest));
    }
    all
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// To be computed.
    Expression(&'a str),
}

/// Where `}}` ends an expression; quoted text may hold it.
fn end_of(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return at,
            _ => {}
        }
    }
    // An open quote: the first end that there is, rather than none.
    text.find("}}").unwrap_or(text.len())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    Name(&'a str),
    Quoted(&'a str),
    Sign(u8),
}

/// The references of a bare expression, as it stands behind `if:`.
pub(crate) fn in_expression(text: &str, out: &mut Vec<Wanted>) {
    let words = words(text);
    let mut at = 0;
    while at < words.len() {
        let after_dot = at > 0 && matches!(words[at - 1].0, Word::Sign(b'.'));
        let context = match words[at].0 {
            Word::Name(name) if !after_dot && name.eq_ignore_ascii_case("secrets") => {
                Wanted::Secret as fn(Name) -> Wanted
            }
            Word::Name(name) if !after_dot && name.eq_ignore_ascii_case("vars") => Wanted::Variable,
            _ => {
                at += 1;
                continue;
            }
        };
        let word = |ahead: usize| words.get(at + ahead).map(|(word, _)| *word);
        let name = match (word(1), word(2), word(3)) {
            (Some(Word::Sign(b'.')), Some(Word::Name(name)), _) => Name::Exact(name.to_owned()),
            (Some(Word::Sign(b'[')), Some(Word::Quoted(name)), Some(Word::Sign(b']'))) => {
                Name::Exact(name.replace("''", "'"))
            }
            (Some(Word::Sign(b'[')), _, _) => match closing(&words, at + 1) {
                Some(end) => {
                    let from = words[at + 1].1 + 1;
                    Name::Computed(text[from..words[end].1].trim().to_owned())
                }
                None => Name::All,
            },
            // A function of that name, which there is not.
            (Some(Word::Sign(b'(')), _, _) => {
                at += 1;
                continue;
            }
            _ => Name::All,
        };
        out.push(context(name));
        // What stands inside of the brackets is looked at too.
        at += 1;
    }
}

fn closing(words: &[(Word<'_>, usize)], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, (word, _)) in words.iter().enumerate().skip(open) {
        match word {
            Word::Sign(b'[') => depth += 1,
            Word::Sign(b']') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Words with their positions.
fn words(text: &str) -> Vec<(Word<'_>, usize)> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'\'' => {
                at += 1;
                while at < bytes.len() {
                    if bytes[at] == b'\'' {
                        if bytes.get(at + 1) != Some(&b'\'') {
                            break;
                        }
                        at += 1;
                    }
                    at += 1;
                }
                all.push((Word::Quoted(&text[start + 1..at.min(text.len())]), start));
                at += 1;
            }
            byte if is_name(byte) => {
                while at < bytes.len() && is_name(bytes[at]) {
                    at += 1;
                }
                all.push((Word::Name(&text[start..at]), start));
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            byte => {
                all.push((Word::Sign(byte), start));
                at += 1;
            }
        }
    }
    all
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The arguments of a call of `format`, if that is all the expression is.
pub(crate) fn format_call(text: &str) -> Option<Vec<&str>> {
    let inside = text
        .trim()
        .strip_prefix("format")?
        .trim_start()
        .strip_prefix('(')?
        .strip_suffix(')')?;
    let mut all = Vec::new();
    let (mut depth, mut quoted, mut from) = (0i32, false, 0);
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b',' if depth == 0 => {
                all.push(inside[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push(inside[from..].trim());
    Some(all)
}

/// The text of a quoted literal.
pub(crate) fn literal(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let plain = inside.replace("''", "\u{0}");
    (!plain.contains('\'')).then(|| plain.replace('\u{0}', "'"))
}

#[cfg(test)]
mod tests {
    use super::{Name, Wanted, format_call, in_expression, in_text, literal};

    fn secret(name: &str) -> Wanted {
        Wanted::Secret(Name::Exact(name.to_owned()))
    }

    #[test]
    fn references_are_told_from_what_looks_like_them() {
        for (text, wanted) in [
            (
                "${{ secrets.A }}-${{secrets.b_2}}",
                vec![secret("A"), secret("b_2")],
            ),
            (
                "${{ secrets['A'] || Secrets . B }}",
                vec![secret("A"), secret("B")],
            ),
            ("secrets.A", vec![]),
            ("${{ inputs.secrets.A }} ${{ 'secrets.A' }}", vec![]),
            ("${{ steps.secrets-check.outputs.x }}", vec![]),
            ("${{ toJSON(secrets) }}", vec![Wanted::Secret(Name::All)]),
            ("${{ secrets.* }}", vec![Wanted::Secret(Name::All)]),
            (
                "${{ secrets[format('{0}_KEY', matrix.env)] }}",
                vec![Wanted::Secret(Name::Computed(
                    "format('{0}_KEY', matrix.env)".to_owned(),
                ))],
            ),
            (
                "${{ secrets[vars.WHICH] }}",
                vec![
                    Wanted::Secret(Name::Computed("vars.WHICH".to_owned())),
                    Wanted::Variable(Name::Exact("WHICH".to_owned())),
                ],
            ),
            ("${{ fromJSON(secrets.J).key }}", vec![secret("J")]),
            ("${{ format('}} {0}', secrets.A) }}", vec![secret("A")]),
            (
                "${{ env.VARS }} ${{ vars.V }}",
                vec![Wanted::Variable(Name::Exact("V".to_owned()))],
            ),
        ] {
            let mut found = Vec::new();
            in_text(text, &mut found);
            assert_eq!(found, wanted, "{text}");
        }
        let mut found = Vec::new();
        in_expression("vars.ON == 'yes' && !failure()", &mut found);
        assert_eq!(found, [Wanted::Variable(Name::Exact("ON".to_owned()))]);
    }

    #[test]
    fn depth_and_length_cost_time_in_proportion() {
        let deep = format!(
            "${{{{ {}secrets.A{} }}}}",
            "(".repeat(200_000),
            ")".repeat(200_000)
        );
        let brackets = format!("${{{{ {}", "secrets[".repeat(2_000));
        let mut found = Vec::new();
        in_text(&deep, &mut found);
        assert_eq!(found, [secret("A")]);
        found.clear();
        in_text(&brackets, &mut found);
        assert_eq!(found.len(), 2_000);
    }

    #[test]
    fn calls_and_literals_are_taken_apart() {
        assert_eq!(
            format_call("format('a,{0}', matrix.x, f(1, 2))"),
            Some(vec!["'a,{0}'", "matrix.x", "f(1, 2)"])
        );
        assert_eq!(literal("'it''s'"), Some("it's".to_owned()));
        assert_eq!(literal("'a' || 'b'"), None);
    }
}
