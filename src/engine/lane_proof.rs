//! The proof that a rule's lane cannot lose a match: from the pattern alone, for every text that
//! it could match.
//!
//! A rule with prefixes or anchors: every match begins with one of them. The first 16
//! bytes of every match are lane bytes in the token lane, token bytes in the run lane.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, literal::Extractor};

use super::rule::{Lane, Rule, TOKEN_RUN, is_lane_byte, is_token_byte};

/// Proves a rule's lane.
///
/// # Errors
/// Which match the lane could lose, and what to write instead.
pub(super) fn prove(rule: &Rule) -> Result<(), String> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(&rule.pattern)
        .map_err(|error| error.to_string())?;
    match &rule.lane {
        Lane::Name(_) => Ok(()),
        Lane::Anchor(anchors) => begins_with(&lowered(&hir), anchors),
        Lane::Token(prefixes) => {
            begins_with(&hir, prefixes)?;
            begins_with_run(&hir, is_lane_byte, "[A-Za-z0-9_+/.=-]")
        }
        Lane::Run => begins_with_run(&hir, is_token_byte, "[A-Za-z0-9_-]"),
    }
}

fn begins_with(hir: &Hir, literals: &[super::rule_text::Text]) -> Result<(), String> {
    let mut extractor = Extractor::new();
    extractor
        .limit_class(64)
        .limit_repeat(64)
        .limit_literal_len(48)
        .limit_total(20_000);
    let found = extractor.extract(hir);
    let Some(found) = found.literals() else {
        return Err(
            "no literal is common to all matches; let the pattern begin with a literal of `prefix` or `anchors`"
                .to_owned(),
        );
    };
    match found.iter().find(|one| {
        !literals
            .iter()
            .any(|literal| one.as_bytes().starts_with(literal.as_bytes()))
    }) {
        None => Ok(()),
        Some(lost) => Err(format!(
            "a match may begin with '{}', which begins with no literal of the rule; add it, or narrow the pattern",
            lost.as_bytes().escape_ascii()
        )),
    }
}

fn begins_with_run(hir: &Hir, fits: fn(u8) -> bool, class: &str) -> Result<(), String> {
    let lead = lead(hir, fits);
    if lead.count >= TOKEN_RUN {
        return Ok(());
    }
    Err(format!(
        "only the first {} bytes of every match are sure to be {class}; the lane needs {TOKEN_RUN}: lengthen the value, or use `anchors`",
        lead.count
    ))
}

/// How many bytes at the beginning of every match fit, and whether all do.
struct Lead {
    count: usize,
    is_all: bool,
}

fn lead(hir: &Hir, fits: fn(u8) -> bool) -> Lead {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Lead {
            count: 0,
            is_all: true,
        },
        HirKind::Literal(literal) => {
            let count = literal.0.iter().take_while(|&&byte| fits(byte)).count();
            Lead {
                count,
                is_all: count == literal.0.len(),
            }
        }
        HirKind::Class(class) => {
            let is_all = match class {
                Class::Bytes(class) => class
                    .ranges()
                    .iter()
                    .all(|range| (range.start()..=range.end()).all(fits)),
                Class::Unicode(_) => false,
            };
            Lead {
                count: usize::from(is_all),
                is_all,
            }
        }
        HirKind::Repetition(repetition) => {
            let once = lead(&repetition.sub, fits);
            let count = match (repetition.min, once.is_all) {
                (0, _) => 0,
                (least, true) => once.count.saturating_mul(least as usize),
                (_, false) => once.count,
            };
            Lead {
                count,
                is_all: once.is_all,
            }
        }
        HirKind::Capture(capture) => lead(&capture.sub, fits),
        HirKind::Concat(parts) => {
            let mut all = Lead {
                count: 0,
                is_all: true,
            };
            for part in parts {
                let one = lead(part, fits);
                all.count += one.count;
                if !one.is_all {
                    all.is_all = false;
                    break;
                }
            }
            all
        }
        HirKind::Alternation(parts) => parts
            .iter()
            .map(|part| lead(part, fits))
            .fold(None, |all: Option<Lead>, one| {
                Some(match all {
                    None => one,
                    Some(all) => Lead {
                        count: all.count.min(one.count),
                        is_all: all.is_all && one.is_all,
                    },
                })
            })
            .unwrap_or(Lead {
                count: 0,
                is_all: true,
            }),
    }
}

/// The same pattern over lower-cased text, so that `(?i:…)` has one beginning and not 2ⁿ.
fn lowered(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Literal(literal) => Hir::literal(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Bytes(class)) => {
            let mut lower = ClassBytes::empty();
            for range in class.ranges() {
                for byte in range.start()..=range.end() {
                    let byte = byte.to_ascii_lowercase();
                    lower.push(ClassBytesRange::new(byte, byte));
                }
            }
            Hir::class(Class::Bytes(lower))
        }
        HirKind::Class(class) => Hir::class(class.clone()),
        HirKind::Repetition(repetition) => {
            let mut repetition = repetition.clone();
            repetition.sub = Box::new(lowered(&repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => {
            let mut capture = capture.clone();
            capture.sub = Box::new(lowered(&capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(lowered).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(lowered).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::{begins_with, begins_with_run, lowered};
    use crate::engine::rule::is_token_byte;

    fn parse(pattern: &str) -> regex_syntax::hir::Hir {
        regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .expect("a pattern")
    }

    #[test]
    fn runs_are_proved_from_the_pattern() {
        for pattern in [
            "[0-9a-f]{32}",
            r"\bghp_[0-9A-Za-z]{36}\b",
            "(?<secret>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})",
            "(abcd_|xy-)[a-z]{13,20}[.][a-z]+",
        ] {
            assert_eq!(
                begins_with_run(&parse(pattern), is_token_byte, "token bytes"),
                Ok(()),
                "{pattern}"
            );
        }
        for pattern in [
            "[0-9a-f]{15}",
            "[0-9a-f+]{32}",
            "[a-z]{8}[.][a-z]{30}",
            "([a-z]{20}|[a-z]{3})",
            "[a-z]{10}[ ]?[a-z]{20}",
        ] {
            assert!(
                begins_with_run(&parse(pattern), is_token_byte, "token bytes").is_err(),
                "{pattern}"
            );
        }
    }

    #[test]
    fn beginnings_are_proved_from_the_pattern() {
        let literals = ["password".into(), "pwd".into()];
        for pattern in ["(?i:password|pwd)=x", "pwd[a-z]{3}"] {
            assert_eq!(
                begins_with(&lowered(&parse(pattern)), &literals),
                Ok(()),
                "{pattern}"
            );
        }
        for pattern in ["(?i:passwor[dt])=x", "[a-z]{9}", "(pwd)?x"] {
            assert!(
                begins_with(&lowered(&parse(pattern)), &literals).is_err(),
                "{pattern}"
            );
        }
    }
}
