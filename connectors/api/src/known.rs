//! Five ways of not knowing, which must never be mixed up.

use serde::{Deserialize, Serialize};

/// A value as far as its system told it.
///
/// `Never` is an answer ("this key was never used"); the others are the absence of one, each
/// with its own consequence: a check whose input is `Unknown` or `Denied` is *not evaluated*.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// The system told this value.
    Known(T),
    /// The system told that it never happened or does not exist.
    Never,
    /// Nobody asked, or the input that would tell was not given.
    #[default]
    Unknown,
    /// The system refused to tell.
    Denied,
    /// The system has no such object.
    Absent,
    /// The system cannot tell this at all.
    Unsupported,
}

impl<T> Known<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Known::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the system gave an answer: a value, or a definite never.
    pub fn is_answer(&self) -> bool {
        matches!(self, Known::Known(_) | Known::Never)
    }

    /// Keeps an answer over no answer, and the first of two answers.
    #[must_use]
    pub fn or(self, other: Known<T>) -> Known<T> {
        if self.is_answer() || !other.is_answer() {
            self
        } else {
            other
        }
    }

    /// The same absence around another type, or the mapped value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Known::Known(value) => Known::Known(f(value)),
            Known::Never => Known::Never,
            Known::Unknown => Known::Unknown,
            Known::Denied => Known::Denied,
            Known::Absent => Known::Absent,
            Known::Unsupported => Known::Unsupported,
        }
    }

    /// The word for a missing answer, or `None` where there is a value.
    pub fn absence(&self) -> Option<&'static str> {
        match self {
            Known::Known(_) => None,
            Known::Never => Some("never"),
            Known::Unknown => Some("unknown"),
            Known::Denied => Some("denied"),
            Known::Absent => Some("absent"),
            Known::Unsupported => Some("unsupported"),
        }
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Known::Unknown, Known::Known)
    }
}
