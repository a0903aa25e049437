//! Results as files and as text: the only code that serializes them.
//!
//! Here: what `scan` prints ([`scan`]), the record of an audit ([`Document`]), the formats that
//! are projections of it ([`FORMATS`]), and the pages of `answer` and `explain`. Not here: any
//! judgement. A number in a report is counted from the document, never decided.
//!
//! Invariant: every text that came from outside is made harmless for the place it goes to: a
//! terminal, a spreadsheet, a Markdown page, a SARIF viewer.
//! Invariant: no clock and no environment; the only files touched are those of [`write_file`].

pub mod access;
mod answer;
mod cells;
mod compare;
mod document;
mod explain;
mod file;
mod formats;
mod page;
mod paint;
mod period;
mod record;
mod review;
mod sarif;
pub mod scan;
mod standing;
mod text;
mod ticket;
pub(crate) mod trackers;
mod wire;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod samples;

pub use answer::{Answer, NoSuchCredential, answer};
pub use compare::{Changed, CompareError, Comparison};
pub use document::{
    AnswerSources, Answered, ChangesEntry, CheckEntry, CommitEntry, CoverageEntry, CredentialEntry,
    Document, DocumentInput, EvidenceEntry, FindingEntry, GapEntry, HandleEntry, MatchEntry,
    PlaceEntry, PopulationEntry, ReadError, Reconciliation, Run, RunFacts, SCHEMA, ScoreEntry,
    SuppressedEntry, Timings, Tool, TrendEntry, Unevaluated, UseEntry,
};
pub use document::{Headline, headline};
pub use explain::{explain_check, explain_kind, explain_rule};
pub use file::{WriteError, write_file, write_tickets};
pub use formats::{FORMATS, Format, Split, format};
pub use period::{Period, PeriodError, RunSummary};
pub use record::record_line;
pub use review::{ReviewFile, review_files, write_reviews};
pub use trackers::{
    Job, PlanFile, PlannedFile, PlannedStep, Rights, TRACKERS, TicketFile, Tracker, content,
    tracker,
};

/// How a page may look. Files ignore it; terminal and pages honour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatCx {
    /// Whether to use colours; the caller decides (`--color`, `NO_COLOR`, no terminal).
    pub color: bool,
    /// Columns of the terminal; lines are wrapped to it where they can be.
    pub width: usize,
    /// Whether to list everything where a page would otherwise cut a list short.
    pub verbose: bool,
}

impl Default for FormatCx {
    /// No colours, 100 columns, lists cut short: right for a file or a pipe.
    fn default() -> FormatCx {
        FormatCx {
            color: false,
            width: 100,
            verbose: false,
        }
    }
}
