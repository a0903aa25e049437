//! Files for trackers whose imports remember nothing: what to create, update, close and reopen, by
//! the keys that the ledger knows. One tracker a file here, one slice [`TRACKERS`].
//!
//! Not here: which finding needs what (`ledger::plan`), and reading a tracker's export.

mod azure_devops;
mod jira;
mod linear;
mod servicenow;

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Document, FindingEntry, Run, text::day_of, ticket};
use crate::ledger::{Act, Standing, Step};

/// One tracker's files.
pub trait Tracker: Sync {
    /// The name that `--for` takes.
    fn name(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// Which files these jobs become, each with its jobs.
    fn files<'a>(&self, jobs: &[Job<'a>], rights: Rights) -> Vec<TicketFile<'a>>;
    /// Writes one of them.
    ///
    /// # Errors
    /// When `out` cannot be written.
    fn write(&self, doc: &Document, file: &TicketFile<'_>, out: &mut dyn Write) -> io::Result<()>;
    /// Checks what was written, before the file gets its name.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, file: &TicketFile<'_>, written: &[u8]) -> Result<(), String>;
}

/// Every tracker.
pub const TRACKERS: &[&dyn Tracker] = &[
    &jira::Jira,
    &servicenow::ServiceNow,
    &azure_devops::AzureDevOps,
    &linear::Linear,
];

/// The tracker of this name.
pub fn tracker(name: &str) -> Option<&'static dyn Tracker> {
    TRACKERS.iter().copied().find(|one| one.name() == name)
}

/// What whoever imports may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Import few at once.
    User,
    /// Import many at once.
    Administrator,
}

/// One finding and what to do with its ticket.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// What.
    pub step: &'a Step,
    /// The finding as it stands.
    pub finding: &'a FindingEntry,
}

/// One file.
#[derive(Debug, Clone)]
pub struct TicketFile<'a> {
    /// Its name.
    pub name: String,
    /// What importing it does: `create`, `update` …, or `by hand`.
    pub does: &'static str,
    /// What it holds.
    pub jobs: Vec<Job<'a>>,
}

/// Files `<does>-1.csv`, `<does>-2.csv` … of at most so many jobs.
fn chunks<'a>(
    does: &'static str,
    acts: &[Act],
    jobs: &[Job<'a>],
    most: usize,
) -> Vec<TicketFile<'a>> {
    let wanted: Vec<Job<'a>> = jobs
        .iter()
        .filter(|job| acts.contains(&job.step.act))
        .copied()
        .collect();
    let numbered = (1..).zip(wanted.chunks(most));
    numbered
        .map(|(number, jobs)| TicketFile {
            name: format!("{}-{number}.csv", does.replace(' ', "-")),
            does,
            jobs: jobs.to_vec(),
        })
        .collect()
}

/// What a file says of a finding, as a hash: what people act on, and nothing that changes by
/// itself from night to night.
pub fn content(finding: &FindingEntry) -> String {
    let mut hash = Sha256::new();
    let mut locations = finding.locations.clone();
    locations.sort();
    let due = finding.due.as_deref().map(day_of);
    let texts = [
        finding.check.as_str(),
        &finding.severity,
        ticket::text(&finding.owner),
        ticket::text(&finding.route_to),
        ticket::text(&finding.record_id),
        ticket::text(&finding.credential),
        ticket::text(&finding.environment),
        due.unwrap_or_default(),
    ];
    for text in texts
        .into_iter()
        .chain(locations.iter().map(String::as_str))
    {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Document {
    /// How all findings of a ledger stand, whatever run they were last seen in, as a document of
    /// this run.
    pub fn of_standing(standing: &[Standing], run: Run) -> Document {
        let mut doc = Document {
            schema: super::SCHEMA,
            run,
            ..Document::default()
        };
        for one in standing {
            let mut entry = FindingEntry::of(&one.finding);
            if !one.reason.is_empty() {
                entry.remediation = format!("{} ({})", entry.remediation, one.reason);
            }
            doc.add_check(one.finding.check);
            doc.findings.push(entry);
        }
        doc.checks.sort_by(|a, b| a.id.cmp(&b.id));
        doc
    }
}

/// `tickets.plan.json`: what was planned, for somebody to approve.
#[derive(Debug, Clone, Serialize)]
pub struct PlanFile<'a> {
    /// The tracker.
    pub tracker: &'a str,
    /// The newest run.
    pub run: &'a str,
    /// How many of each.
    pub counts: Vec<(&'static str, usize)>,
    /// The files, with what importing them does.
    pub files: Vec<PlannedFile>,
    /// What is to be done, and why; findings that need nothing are only counted.
    pub steps: Vec<PlannedStep<'a>>,
}

/// A file of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedFile {
    /// Its name.
    pub file: String,
    /// What importing it does.
    pub does: &'static str,
    /// How many tickets.
    pub tickets: usize,
}

/// A step of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStep<'a> {
    /// What.
    pub act: &'static str,
    /// The finding.
    pub finding: &'a str,
    /// The ticket, where its key is known.
    pub key: Option<&'a str>,
    /// What the finding is about.
    pub title: String,
    /// Why.
    pub why: &'a str,
}

impl<'a> PlanFile<'a> {
    /// Of these steps and files.
    pub fn new(
        tracker: &'a str,
        run: &'a str,
        jobs: &[Job<'a>],
        files: &[TicketFile<'_>],
    ) -> PlanFile<'a> {
        let count = |act: Act| jobs.iter().filter(|job| job.step.act == act).count();
        PlanFile {
            tracker,
            run,
            counts: Act::ALL
                .iter()
                .map(|&act| (act.as_str(), count(act)))
                .collect(),
            files: files
                .iter()
                .map(|file| PlannedFile {
                    file: file.name.clone(),
                    does: file.does,
                    tickets: file.jobs.len(),
                })
                .collect(),
            steps: jobs
                .iter()
                .filter(|job| job.step.act != Act::None)
                .map(|job| PlannedStep {
                    act: job.step.act.as_str(),
                    finding: &job.step.finding,
                    key: job.step.key.as_deref(),
                    title: ticket::summary(job.finding, 200),
                    why: &job.step.why,
                })
                .collect(),
        }
    }

    /// As JSON, with line end.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        super::wire::pretty(out, self)
    }

    /// For people.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, cx: &super::FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let words: Vec<String> = self
            .counts
            .iter()
            .map(|(act, count)| format!("{count} {act}"))
            .collect();
        writeln!(
            out,
            "{}, run {}: {}",
            self.tracker,
            super::text::harmless(self.run),
            words.join(", ")
        )?;
        let most = if cx.verbose { usize::MAX } else { 40 };
        for step in self.steps.iter().take(most) {
            let key = step.key.unwrap_or("-");
            writeln!(
                out,
                "{:<7} {}  {:<10} {}\n        {}",
                step.act,
                super::text::harmless(step.finding),
                super::text::harmless(key),
                step.title,
                super::text::prose(step.why)
            )?;
        }
        if self.steps.len() > most {
            writeln!(out, "and {} more, -v shows all", self.steps.len() - most)?;
        }
        out.flush()
    }
}

#[cfg(test)]
pub(crate) mod tests;
