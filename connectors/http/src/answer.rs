//! The answers, which must not be mixed up: seen (perhaps empty), denied, absent, unsupported;
//! and that there was none.

use keymuster_api::GapKind;

/// What was asked for, or why it was not seen.
pub type Answer<T> = Result<T, Unseen>;

/// Why something was not seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    /// The host refuses: its words, and what to do.
    Denied(String),
    /// The host has no such thing.
    Absent,
    /// The host does not have the feature, or not switched on.
    Unsupported(String),
    /// No answer came that could be read.
    Failed(GapKind, String),
}

impl Unseen {
    /// The word used in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Unseen::Denied(_) => "denied",
            Unseen::Absent => "absent",
            Unseen::Unsupported(_) => "unsupported",
            Unseen::Failed(_, _) => "failed",
        }
    }
}

/// A list as far as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was read, in the host's order.
    pub items: Vec<T>,
    /// How many the host says there are.
    pub total: Option<u64>,
    /// How many entries were not of the form that was expected.
    pub broken: u64,
    /// Why the list broke off, if it did.
    pub stopped: Option<Unseen>,
}

impl<T> Default for Listed<T> {
    fn default() -> Listed<T> {
        Listed {
            items: Vec::new(),
            total: None,
            broken: 0,
            stopped: None,
        }
    }
}

impl<T> Listed<T> {
    /// Whether all of it was seen.
    pub fn is_whole(&self) -> bool {
        self.broken == 0
            && self.stopped.is_none()
            && self
                .total
                .is_none_or(|total| total <= self.items.len() as u64)
    }
}
