//! What a check writes into a finding, and what the general modifiers make of its severity.

use keymuster_api::{Severity, Status};

use super::{Evidence, route::Candidate};
use crate::inventory::Tier;

/// A general modifier of severities, which a check can switch off where it has considered the
/// same thing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// One step up for administrators.
    Privilege,
    /// One step up at T0, one down at T3.
    Tier,
    /// One step down where it is disabled or revoked.
    Status,
}

/// What a check adds to a finding.
pub struct Draft<'d> {
    title: String,
    evidence: Vec<Evidence>,
    remediation: String,
    locations: Vec<String>,
    floor: Option<Severity>,
    ignored: Vec<Modifier>,
    over: Option<(i64, i64)>,
    credentials: Vec<u32>,
    suppressed: bool,
    candidates: &'d [Candidate],
}

impl Draft<'_> {
    /// An empty draft.
    pub(super) fn new(credential: Option<u32>, candidates: &[Candidate]) -> Draft<'_> {
        Draft {
            title: String::new(),
            evidence: Vec::new(),
            remediation: String::new(),
            locations: Vec::new(),
            floor: None,
            ignored: Vec::new(),
            over: None,
            credentials: credential.into_iter().collect(),
            suppressed: false,
            candidates,
        }
    }

    /// What was written.
    pub(super) fn close(self) -> Written {
        Written {
            title: self.title,
            evidence: self.evidence,
            remediation: self.remediation,
            locations: self.locations,
            floor: self.floor,
            ignored: self.ignored,
            over: self.over,
            credentials: self.credentials,
            suppressed: self.suppressed,
        }
    }

    /// The line for people; without it, the check's title and the subject.
    pub fn title(&mut self, title: impl Into<String>) {
        self.title = title.into();
    }

    /// One piece of evidence. Never a secret. Nothing is added where the value is empty.
    pub fn evidence(&mut self, label: &str, value: impl Into<String>, source: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.evidence.push(Evidence {
                label: label.to_owned(),
                value,
                source: source.into(),
            });
        }
    }

    /// What to do, concretely.
    pub fn remedy(&mut self, remedy: impl Into<String>) {
        self.remediation = remedy.into();
    }

    /// One more place.
    pub fn location(&mut self, location: impl Into<String>) {
        self.locations.push(location.into());
    }

    /// At least this bad, whatever the modifiers that raise; those that lower still lower it.
    pub fn at_least(&mut self, severity: Severity) {
        self.floor = self.floor.max(Some(severity));
    }

    /// Switches a general modifier off.
    pub fn ignore(&mut self, modifier: Modifier) {
        self.ignored.push(modifier);
    }

    /// A value over its limit, for the score.
    pub fn over_limit(&mut self, value: i64, limit: i64) {
        self.over = Some((value, limit));
    }

    /// Names a credential that a finding about a principal or a record stands for.
    pub fn stands_for(&mut self, credential: u32) {
        self.credentials.push(credential);
    }

    /// Everything about it is suppressed: it is shown, and does not count.
    pub fn suppressed(&mut self) {
        self.suppressed = true;
    }

    /// Who might be asked, best first.
    pub(super) fn candidates(&self) -> &[Candidate] {
        self.candidates
    }
}

/// A draft, closed.
pub(super) struct Written {
    pub(super) title: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) remediation: String,
    pub(super) locations: Vec<String>,
    pub(super) floor: Option<Severity>,
    pub(super) ignored: Vec<Modifier>,
    pub(super) over: Option<(i64, i64)>,
    pub(super) credentials: Vec<u32>,
    pub(super) suppressed: bool,
}

/// The general modifiers: one step up for administrators or T0, one down for T3 or disabled.
/// Only a recorded tier counts: a derived T0 is the administrator once more.
pub(super) fn modified(
    base: Severity,
    written: &Written,
    admin: bool,
    recorded: Option<Tier>,
    status: Option<Status>,
) -> Severity {
    let on = |modifier| !written.ignored.contains(&modifier);
    let up =
        (admin && on(Modifier::Privilege)) || (recorded == Some(Tier::T0) && on(Modifier::Tier));
    let off = matches!(status, Some(Status::Disabled | Status::Revoked));
    let down = (recorded == Some(Tier::T3) && on(Modifier::Tier)) || (off && on(Modifier::Status));
    let floor = written.floor.unwrap_or(base);
    match (up, down) {
        (true, false) => base.raised().max(floor),
        (false, true) => base.max(floor).lowered(),
        _ => base.max(floor),
    }
}
