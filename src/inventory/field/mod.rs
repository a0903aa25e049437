//! The dictionary: every field of the record and of the people directory, the headers that
//! mean it, and what its values look like.
//!
//! A header is compared without case, accents, blanks and punctuation, so `Owner-Name`,
//! `owner_name` and `OwnerName` are one alias: `ownername`.

mod people;
mod record;

pub(crate) use people::PEOPLE;
pub(crate) use record::RECORD;

use super::{dates::looks_like_date, identify, text::squeezed, words};

/// One field.
pub(crate) struct Field {
    /// Its name, as `[inventory.map]` writes it.
    pub(crate) name: &'static str,
    /// What its values look like.
    pub(crate) shape: Shape,
    /// Whether several columns may feed it at once.
    pub(crate) many: bool,
    /// Squeezed headers that mean it, separated by blanks; the name itself is one too.
    pub(crate) aliases: &'static str,
}

/// What values look like.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Any,
    Person,
    Date,
    Days,
    Account,
    Id,
    Path,
    Mail,
    /// Values for which this says yes.
    Word(fn(&str) -> bool),
    /// Words that need not all be known.
    LooseWord(fn(&str) -> bool),
    /// Words or masks that the shape of this identifier recognises.
    Scheme(&'static str),
}

impl Shape {
    /// How well a value fits, 0 to 1.
    pub(crate) fn fit(self, value: &str) -> f64 {
        let yes = |yes: bool, otherwise: f64| if yes { 1.0 } else { otherwise };
        let letters = || value.chars().any(char::is_alphabetic);
        let one_word = || !value.contains(char::is_whitespace);
        match self {
            Shape::Any => 1.0,
            Shape::Text => yes(letters() && !looks_like_date(value), 0.4),
            Shape::Person if value.contains('@') => 1.0,
            Shape::Person => {
                let name = letters() && value.chars().count() <= 80 && !looks_like_date(value);
                if name { 0.95 } else { 0.3 }
            }
            Shape::Date => yes(looks_like_date(value) || words::is_never(value), 0.0),
            Shape::Days => yes(words::days(value).is_some(), 0.0),
            Shape::Account => {
                let digits = value.bytes().filter(u8::is_ascii_digit).count();
                let exact = (digits == 12 && !letters()) || identify::is_guid(value);
                yes(
                    exact,
                    if one_word() && !value.contains('@') {
                        0.7
                    } else {
                        0.4
                    },
                )
            }
            Shape::Id => yes(one_word() && !looks_like_date(value), 0.3),
            Shape::Path => yes(value.contains(['/', ':']), 0.4),
            Shape::Mail => yes(value.contains('@') && one_word(), 0.0),
            Shape::Word(known) => yes(known(value), 0.0),
            Shape::LooseWord(known) => yes(known(value), 0.65),
            Shape::Scheme(scheme) => {
                let (found, _) = identify::sniff(value);
                yes(
                    found
                        .iter()
                        .any(|i| i.scheme == scheme || i.scheme == "masked"),
                    0.3,
                )
            }
        }
    }
}

const fn one(name: &'static str, shape: Shape, aliases: &'static str) -> Field {
    Field {
        name,
        shape,
        many: false,
        aliases,
    }
}

const fn many(name: &'static str, shape: Shape, aliases: &'static str) -> Field {
    Field {
        name,
        shape,
        many: true,
        aliases,
    }
}

fn is_status(value: &str) -> bool {
    words::status(value).is_some()
}

fn is_environment(value: &str) -> bool {
    words::environment(value).is_some()
}

fn is_tier(value: &str) -> bool {
    words::tier(value).is_some()
}

fn is_type(value: &str) -> bool {
    words::credential_type(value).is_some()
}

fn is_owner_kind(value: &str) -> bool {
    words::owner_kind(value).is_some()
}

fn is_direction(value: &str) -> bool {
    words::direction(value).is_some()
}

fn is_auth_method(value: &str) -> bool {
    words::auth_method(value).is_some()
}

fn is_grant_type(value: &str) -> bool {
    words::grant_type(value).is_some()
}

fn is_trust_tier(value: &str) -> bool {
    words::trust_tier(value).is_some()
}

fn is_review_decision(value: &str) -> bool {
    words::review_decision(value).is_some()
}

fn is_person_status(value: &str) -> bool {
    words::person_is_there(value).is_some()
}

/// Fields that name a credential, by scheme; their columns add up.
pub(crate) const IDENTIFIERS: &[&str] = &[
    "access_key_id",
    "arn",
    "client_id",
    "object_id",
    "key_id",
    "token_id",
    "fingerprint_hmac",
    "ssh_fingerprint",
    "spki_sha256",
    "serial_issuer",
    "vault_path",
    "ci_variable",
    "k8s_secret",
    "repo_path",
    "app_installation",
    "email",
    "client_email",
    "principal",
    "identifier",
];

/// The score of a header that is a known word but for a typing error.
pub(crate) const NEAR: f64 = 0.9;

/// How well a header names a field: 1 for an alias, less for one inside a longer header or
/// with a typing error, 0 for neither; and how far down the list that alias stands.
pub(crate) fn name_score(field: &Field, header: &str, header_words: &[String]) -> (f64, usize) {
    let squeezed = squeezed(header);
    let mut best = (0.0, usize::MAX);
    let own = self::squeezed(field.name);
    for (rank, alias) in [own.as_str()]
        .into_iter()
        .chain(field.aliases.split(' '))
        .enumerate()
    {
        if alias == squeezed {
            return (1.0, rank);
        }
        let longest = alias.len().max(squeezed.len());
        let allowed = match longest {
            0..=4 => 0,
            5..=9 => 1,
            _ => 2,
        };
        let mut offer = |score: f64| {
            if score > best.0 {
                best = (score, rank);
            }
        };
        if alias.len().abs_diff(squeezed.len()) <= allowed
            && super::text::distance(alias, &squeezed) <= allowed
        {
            offer(NEAR);
        }
        offer(inside(alias, header_words));
    }
    best
}

/// Whether a field of the record is one of those that most registers leave out.
pub(crate) fn is_detail(name: &str) -> bool {
    let from = RECORD.iter().position(|field| field.name == FIRST_DETAIL);
    let at = RECORD.iter().position(|field| field.name == name);
    at.zip(from).is_some_and(|(at, from)| at >= from)
}

/// From here on [`RECORD`] lists the fields of [`super::RecordDetails`].
const FIRST_DETAIL: &str = "business_process";

/// An alias that is some neighbouring words of the header, scored by how much of it they are.
fn inside(alias: &str, words: &[String]) -> f64 {
    let mut best: f64 = 0.0;
    for start in 0..words.len() {
        let mut rest = alias;
        for (n, word) in words[start..].iter().enumerate() {
            let Some(after) = rest.strip_prefix(word.as_str()) else {
                break;
            };
            rest = after;
            if rest.is_empty() {
                best = best.max(0.37 + 0.55 * (n + 1) as f64 / words.len() as f64);
            }
        }
    }
    best
}

/// Whether a text is an alias of any field of the record or the directory.
pub(crate) fn is_header_word(text: &str) -> bool {
    use std::{collections::HashSet, sync::LazyLock};
    static ALL: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let fields = RECORD.iter().chain(PEOPLE);
        fields
            .flat_map(|field| {
                let aliases = field.aliases.split(' ').map(str::to_owned);
                aliases.chain([squeezed(field.name)])
            })
            .collect()
    });
    text.len() <= 80 && ALL.contains(&squeezed(text))
}

#[cfg(test)]
mod tests {
    use super::{IDENTIFIERS, PEOPLE, RECORD, Shape, name_score};
    use crate::inventory::text::{squeezed, words};

    #[test]
    fn aliases_are_written_as_headers_are_compared() {
        for field in RECORD.iter().chain(PEOPLE) {
            for alias in field.aliases.split(' ') {
                assert_eq!(squeezed(alias), alias, "{}", field.name);
                assert!(!alias.is_empty(), "{}", field.name);
            }
        }
        for scheme in IDENTIFIERS {
            assert!(
                RECORD
                    .iter()
                    .any(|field| field.name == *scheme && field.many),
                "{scheme}"
            );
        }
    }

    #[test]
    fn headers_score_by_how_much_of_them_is_the_alias() {
        let owner = RECORD.iter().find(|field| field.name == "owner").unwrap();
        let score = |header: &str| name_score(owner, header, &words(header)).0;
        assert_eq!(score("Eigentümer"), 1.0);
        assert_eq!(score("Business-Owner"), 1.0);
        assert_eq!(score("Ownner"), 0.9);
        assert!(score("former owner") < 0.7);
        assert!(score("Owner (as of today)") < 0.7);
        assert_eq!(score("Remarks"), 0.0);
    }

    #[test]
    fn values_fit_or_do_not() {
        assert_eq!(Shape::Date.fit("never"), 1.0);
        assert_eq!(Shape::Date.fit("Jane"), 0.0);
        assert_eq!(Shape::Account.fit("123456789012"), 1.0);
        assert!(Shape::Text.fit("123456789012") < 0.5);
        assert_eq!(Shape::Scheme("access_key_id").fit("AKIA****ABCD"), 1.0);
    }
}
