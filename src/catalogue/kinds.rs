//! Kinds of credentials: what one is, who uses it, how long it may live, how to end it.
//!
//! The data is `rules/kinds.toml`; this is its reader. Not here: how a kind is found (that is the
//! rules' part), and what is demanded of it (that is policy).

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use thiserror::Error;

use super::kind_text::{Class, Kind, KindFile, Sensitivity, Text};

/// The embedded kinds, read while the program was built.
mod embedded {
    use super::{Class, Cow, Kind, Sensitivity, Text};

    const fn text(text: &'static str) -> Text {
        Cow::Borrowed(text)
    }

    include!(concat!(env!("OUT_DIR"), "/kinds.rs"));
}

/// Why a file of kinds could not be read. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KindsError {
    /// No TOML, an unknown key, a missing one, or a value of another type.
    #[error("line {line}: {message}")]
    Form {
        /// Where.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// An id that stands there twice.
    #[error("line {line}: the kind '{id}' is already defined; remove one of the two")]
    Double {
        /// Where the second one begins.
        line: usize,
        /// The id.
        id: String,
    },
    /// An id that is not `provider.kind` of its own provider.
    #[error("line {line}: the kind '{id}' must be called '{provider}.' and a kebab-case word")]
    Id {
        /// Where.
        line: usize,
        /// The id.
        id: String,
        /// The provider it names.
        provider: String,
    },
}

/// Every kind, by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kinds(BTreeMap<Text, Kind>);

impl Kinds {
    /// The kinds that come with the program.
    pub fn embedded() -> &'static Kinds {
        static KINDS: OnceLock<Kinds> = OnceLock::new();
        KINDS.get_or_init(|| {
            Kinds(
                embedded::KINDS
                    .iter()
                    .map(|kind| (kind.id.clone(), kind.clone()))
                    .collect(),
            )
        })
    }

    /// Reads a file of `[[kind]]` tables.
    ///
    /// # Errors
    /// With the line, if it is no such file, or an id is malformed or stands there twice.
    pub fn parse(text: &str) -> Result<Kinds, KindsError> {
        let line = |at: usize| {
            text.as_bytes()[..at.min(text.len())]
                .iter()
                .filter(|&&b| b == b'\n')
                .count()
                + 1
        };
        let file: KindFile = toml::from_str(text).map_err(|error| KindsError::Form {
            line: line(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let mut kinds = BTreeMap::new();
        for kind in file.kind {
            let line = line(kind.span().start);
            let kind = kind.into_inner();
            if !kind.is_well_named() {
                return Err(KindsError::Id {
                    line,
                    id: kind.id.into_owned(),
                    provider: kind.provider.into_owned(),
                });
            }
            if kinds.contains_key(&kind.id) {
                return Err(KindsError::Double {
                    line,
                    id: kind.id.into_owned(),
                });
            }
            kinds.insert(kind.id.clone(), kind);
        }
        Ok(Kinds(kinds))
    }

    /// The kind of that id.
    pub fn get(&self, id: &str) -> Option<&Kind> {
        self.0.get(id)
    }

    /// Every kind, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Kinds, KindsError};

    const ONE: &str = r#"[[kind]]
id = "acme.token"
title = "Acme token"
provider = "acme"
class = "service"
secret = true
lifetime-usual-days = 90
listed = "acme tokens"
revoke = "acme revoke ID"
rotate = "Make another."
page = "https://acme.example/tokens"
sensitivity = "internal"
"#;

    #[test]
    fn the_embedded_file_is_sound() {
        let kinds = Kinds::embedded();
        for id in [
            "aws.access-key",
            "aws.console-password",
            "aws.service-credential",
            "aws.signing-certificate",
            "github.pat",
        ] {
            assert!(kinds.get(id).is_some(), "{id}");
        }
        for kind in kinds.iter() {
            assert!(kind.page.starts_with("https://"), "{}", kind.id);
            assert!(
                !kind.title.ends_with('.') && !kind.listed.is_empty() && !kind.revoke.is_empty(),
                "{}",
                kind.id
            );
            let (usual, most) = (kind.lifetime_usual_days, kind.lifetime_max_days);
            assert!(
                most.is_none_or(|most| usual.is_some_and(|usual| usual <= most)),
                "{}",
                kind.id
            );
        }
    }

    #[test]
    fn kinds_are_counted_once_and_those_without_a_rule_are_told() {
        #[derive(serde::Deserialize)]
        struct File {
            kind: Vec<Undetected>,
        }
        #[derive(serde::Deserialize)]
        struct Undetected {
            id: String,
            reason: String,
        }
        let kinds = Kinds::embedded();
        for kind in kinds.iter() {
            // How a rule finds it does not make another kind.
            for way in ["-by-name", "-near-word", "-loose"] {
                assert!(!kind.id.ends_with(way), "{}", kind.id);
            }
        }
        let file: File =
            toml::from_str(include_str!("../../rules/undetected.toml")).expect("it parses");
        for one in &file.kind {
            assert!(kinds.get(&one.id).is_none(), "{} has a kind", one.id);
            assert!(!one.reason.is_empty(), "{} has no reason", one.id);
        }
        let count = kinds.iter().count();
        assert!(count >= 1500, "only {count} kinds");
    }

    #[test]
    fn a_kind_is_read() {
        let kinds = Kinds::parse(ONE).expect("a file");
        let kind = kinds.get("acme.token").expect("the kind");
        assert_eq!(
            (kind.class, kind.lifetime_usual_days, kind.lifetime_max_days),
            (Class::Service, Some(90), None)
        );
        assert_eq!(kinds.get("acme.other"), None);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let unknown = ONE.replace("page =", "pge =");
        assert!(
            matches!(
                Kinds::parse(&unknown),
                Err(KindsError::Form { line: 11, .. })
            ),
            "{:?}",
            Kinds::parse(&unknown)
        );
        let class = ONE.replace("\"service\"", "\"robot\"");
        assert!(
            matches!(Kinds::parse(&class), Err(KindsError::Form { line: 5, .. })),
            "{:?}",
            Kinds::parse(&class)
        );
        let twice = format!("{ONE}\n{ONE}");
        assert_eq!(
            Kinds::parse(&twice),
            Err(KindsError::Double {
                line: 14,
                id: "acme.token".into()
            })
        );
        let id = ONE.replace("acme.token", "token");
        assert!(matches!(
            Kinds::parse(&id),
            Err(KindsError::Id { line: 1, .. })
        ));
        assert!(matches!(
            Kinds::parse("kind = 3"),
            Err(KindsError::Form { line: 1, .. })
        ));
    }
}
