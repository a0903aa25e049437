//! A kind as written in `rules/kinds.toml`. Shared with `build.rs`, which reads the file while the
//! program is built; so nothing in here refers to the crate.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that is either built in or was read from a file.
pub(crate) type Text = Cow<'static, str>;

/// A file of kinds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindFile {
    pub(crate) kind: Vec<toml::Spanned<Kind>>,
}

/// One kind of credential.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// `provider.kind`, the same in every version.
    pub id: Text,
    /// What people call it, without a full stop.
    pub title: Text,
    /// Who issues it, as the first part of rule ids writes it.
    pub provider: Text,
    /// Who uses it.
    pub class: Class,
    /// Whether it opens anything; an identifier does not.
    pub secret: bool,
    /// Scheme of its public identifier, if it has one.
    pub handle: Option<Text>,
    /// After how many days it is usually renewed.
    pub lifetime_usual_days: Option<u32>,
    /// The longest life in days that its issuer allows or recommends.
    pub lifetime_max_days: Option<u32>,
    /// Where its issuer lists those that exist: a page, a call or a command.
    pub listed: Text,
    /// How to end one: a page, a call or a command.
    pub revoke: Text,
    /// How to replace one.
    pub rotate: Text,
    /// The issuer's documentation.
    pub page: Text,
    /// What lies behind it.
    pub sensitivity: Sensitivity,
}

/// Who uses a credential of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A human being, in whose name it acts.
    Person,
    /// A program with an account of its own.
    Service,
    /// An application that is registered with the issuer (OAuth, bots, webhooks).
    App,
    /// A host, a node, a runner, a key pair.
    Machine,
    /// It cannot be told from the kind.
    None,
}

/// What lies behind a credential of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// Nothing that is not published.
    Public,
    /// What everybody in the organisation may know.
    Internal,
    /// What only some may know.
    Confidential,
    /// What laws or contracts protect (payment, health, personal data).
    Regulated,
}

impl Kind {
    /// Whether the id is the provider, a dot, and a word in kebab-case.
    pub(crate) fn is_well_named(&self) -> bool {
        self.id.split_once('.').is_some_and(|(provider, word)| {
            provider == self.provider
                && word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    }
}
