//! Shapes: test credentials described, and made from a seed at run time, so that nothing in
//! the tree looks like a live key.
//!
//! A shape is text with placeholders: `{class:N}`, `{class:N-M}` or `{structure:argument}`; `{{`
//! stands for a brace. The classes are in [`class`]'s table, the structures in `tokens` and
//! `keys`. What is made has the right form (checksums, lengths, DER) and opens nothing.

mod keys;
mod tokens;

use thiserror::Error;

/// Why a shape could not be filled. Offsets count bytes from the shape's start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// A placeholder without its closing brace.
    #[error("the placeholder at byte {at} has no closing brace; write '{{{{' for a brace")]
    Unclosed {
        /// Where it opens.
        at: usize,
    },
    /// A placeholder of no known name.
    #[error("no placeholder is called '{name}'; write '{{{{' for a brace")]
    Unknown {
        /// The name.
        name: String,
    },
    /// An argument that the placeholder does not take.
    #[error("the placeholder '{name}' does not take '{argument}'")]
    Argument {
        /// The placeholder's name.
        name: String,
        /// What was given.
        argument: String,
    },
}

/// More characters than any credential needs; keeps a hostile rule file from filling memory.
const MOST: u64 = 20_000;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGIT: &str = "0123456789";
const WORDS: &[&str] = &[
    "amber", "anchor", "basalt", "beacon", "birch", "canyon", "cedar", "cobalt", "comet", "copper",
    "coral", "delta", "ember", "falcon", "fjord", "garnet", "glacier", "harbor", "hazel", "heron",
    "indigo", "juniper", "lagoon", "lantern", "maple", "marble", "meadow", "nectar", "nimbus",
    "orchid", "otter", "pebble", "prairie", "quartz", "raven", "saffron", "sierra", "tundra",
    "velvet", "willow",
];
const ROLES: &[&str] = &[
    "billing", "deploy", "export", "ingest", "mailer", "metrics", "orders", "reports", "search",
];

const LOOK_ALIKES: &[(char, char)] = &[('a', '4'), ('e', '3'), ('i', '1'), ('o', '0')];

/// The text that a shape describes, the same for the same seed.
///
/// # Errors
/// If a placeholder is not closed, not known, or has an argument it does not take.
pub fn fill(shape: &str, seed: u64) -> Result<String, ShapeError> {
    let mut random = Random(seed);
    let mut out = String::with_capacity(shape.len() * 2);
    let mut rest = shape;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        if let Some(literal) = after.strip_prefix('{') {
            out.push('{');
            rest = literal;
            continue;
        }
        let at = shape.len() - rest.len() + open;
        let close = after.find('}').ok_or(ShapeError::Unclosed { at })?;
        let (name, argument) = after[..close]
            .split_once(':')
            .unwrap_or((&after[..close], ""));
        place(&mut out, &mut random, name, argument)?;
        rest = &after[close + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Appends what one placeholder stands for.
fn place(
    out: &mut String,
    random: &mut Random,
    name: &str,
    argument: &str,
) -> Result<(), ShapeError> {
    let wrong = || ShapeError::Argument {
        name: name.to_owned(),
        argument: argument.to_owned(),
    };
    if let Some(alphabet) = class(name) {
        let len = length(argument, random).ok_or_else(wrong)?;
        out.extend((0..len).map(|_| random.of(alphabet.as_bytes()) as char));
        return Ok(());
    }
    let made = match (name, argument) {
        ("uuid", "") => uuid(random),
        ("word", "") => (*random.pick(WORDS)).to_owned(),
        ("name", "") => format!("{}-{}", random.pick(WORDS), random.pick(ROLES)),
        ("host", "") => {
            format!(
                "{}-{}.acme.internal",
                random.pick(WORDS),
                random.below(90) + 10
            )
        }
        ("password", "") => password(random),
        _ => match tokens::make(name, argument, random)
            .or_else(|| keys::make(name, argument, random))
        {
            Some(made) => made,
            None if tokens::NAMES.contains(&name) || keys::NAMES.contains(&name) => {
                return Err(wrong());
            }
            None if ["uuid", "word", "name", "host", "password"].contains(&name) => {
                return Err(wrong());
            }
            None => {
                return Err(ShapeError::Unknown {
                    name: name.to_owned(),
                });
            }
        },
    };
    out.push_str(&made);
    Ok(())
}

/// The characters of a class.
fn class(name: &str) -> Option<String> {
    let alnum = || format!("{UPPER}{LOWER}{DIGIT}");
    Some(match name {
        "alnum" | "base62" => alnum(),
        "lower" => LOWER.to_owned(),
        "upper" => UPPER.to_owned(),
        "digit" => DIGIT.to_owned(),
        "lower-alnum" => format!("{LOWER}{DIGIT}"),
        "upper-alnum" => format!("{UPPER}{DIGIT}"),
        "hex" => format!("{DIGIT}abcdef"),
        "HEX" => format!("{DIGIT}ABCDEF"),
        "base32" => format!("{UPPER}234567"),
        "base64" => format!("{}+/", alnum()),
        "base64url" => format!("{}-_", alnum()),
        _ => return None,
    })
}

/// `N` or `N-M`, drawn from the range.
fn length(argument: &str, random: &mut Random) -> Option<u64> {
    let (low, high) = argument.split_once('-').unwrap_or((argument, argument));
    let (low, high): (u64, u64) = (low.parse().ok()?, high.parse().ok()?);
    (low <= high && high <= MOST).then(|| low + random.below(high - low + 1))
}

/// A random (version 4) UUID.
fn uuid(random: &mut Random) -> String {
    let hex: String = (0..32)
        .map(|_| random.of(b"0123456789abcdef") as char)
        .collect();
    let variant = random.of(b"89ab") as char;
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

/// A password as people make them when they must be strong: `Gl4cier&Raven37`.
fn password(random: &mut Random) -> String {
    let mut word = || {
        let mut letters: Vec<char> = random.pick(WORDS).chars().collect();
        letters[0] = letters[0].to_ascii_uppercase();
        letters
    };
    let (mut first, second) = (word(), word());
    // One letter gives way to a digit, the first that has a look-alike.
    for letter in &mut first {
        if let Some((_, digit)) = LOOK_ALIKES.iter().find(|(like, _)| like == letter) {
            *letter = *digit;
            break;
        }
    }
    let sign = random.of(b"!&*+-_.~") as char;
    let number = random.below(90) + 10;
    format!(
        "{}{sign}{}{number}",
        String::from_iter(first),
        String::from_iter(second)
    )
}

/// SplitMix64: tiny, fast, and good enough to look random. Never for secrets.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is at least 1.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    fn of(&mut self, alphabet: &[u8]) -> u8 {
        *self.pick(alphabet)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{ShapeError, fill, keys, tokens};

    #[test]
    fn the_same_seed_gives_the_same_text() {
        let shape = "{alnum:40} {uuid} {password} {name} {host}";
        assert_eq!(fill(shape, 4), fill(shape, 4));
        assert_ne!(fill(shape, 4), fill(shape, 5));
    }

    #[test]
    fn classes_keep_to_length_and_alphabet() {
        for seed in 0..50 {
            let text = fill("{hex:8}|{HEX:2-4}|{digit:0}|{base32:16}", seed).expect("a shape");
            let parts: Vec<&str> = text.split('|').collect();
            assert!(
                parts[0].len() == 8
                    && parts[0]
                        .bytes()
                        .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
            );
            assert!((2..=4).contains(&parts[1].len()), "{text}");
            assert_eq!(parts[2], "");
            assert!(
                parts[3]
                    .bytes()
                    .all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
            );
        }
    }

    #[test]
    fn a_password_looks_strong() {
        for seed in 0..200 {
            let text = fill("{password}", seed).expect("a shape");
            assert!((10..=24).contains(&text.len()), "{text}");
            assert!(
                text.bytes().any(|b| b.is_ascii_digit())
                    && text.bytes().any(|b| b.is_ascii_punctuation())
            );
        }
    }

    #[test]
    fn braces_are_escaped_and_others_stand_for_themselves() {
        assert_eq!(fill("a {{x}} }", 1).as_deref(), Ok("a {x}} }"));
        let json = fill(r#"{{"auth": "{hex:4}"}"#, 1).expect("a shape");
        assert!(
            json.starts_with("{\"auth\": \"") && json.ends_with("\"}"),
            "{json}"
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(fill("ab{hex:4", 1), Err(ShapeError::Unclosed { at: 2 }));
        assert_eq!(
            fill("{hxe:4}", 1),
            Err(ShapeError::Unknown { name: "hxe".into() })
        );
        for (name, argument) in [
            ("hex", ""),
            ("hex", "4-2"),
            ("hex", "99999999"),
            ("uuid", "3"),
            ("pem", "ROT13"),
        ] {
            let wrong = Err(ShapeError::Argument {
                name: name.into(),
                argument: argument.into(),
            });
            assert_eq!(fill(&format!("{{{name}:{argument}}}"), 1), wrong);
        }
    }

    #[test]
    fn every_structure_can_be_made() {
        for name in tokens::NAMES.iter().chain(keys::NAMES) {
            let argument = match *name {
                "age-key" => ":AGE-SECRET-KEY-",
                "github-token" => ":ghp_",
                "gitlab-routable" => ":glpat-",
                "vercel-token" => ":vcp_",
                "pem" => ":RSA",
                "basic" => ":user",
                _ => "",
            };
            let text = fill(&format!("{{{name}{argument}}}"), 9).expect("a structure");
            assert!(text.len() >= 16, "{name}: {text}");
        }
    }
}
