//! ServiceNow: one import set, whose transform map coalesces on `u_finding_id`: a match updates,
//! none inserts. So creating, updating, closing and reopening are rows of one file, and no key has
//! to be known.

use std::io::{self, Write};

use super::{Job, Rights, TicketFile, Tracker, chunks};
use crate::{
    ledger::Act,
    report::{Document, FormatCx, format},
};

pub(super) struct ServiceNow;

impl Tracker for ServiceNow {
    fn name(&self) -> &'static str {
        "servicenow"
    }

    fn about(&self) -> &'static str {
        "ServiceNow import set, to coalesce on u_finding_id"
    }

    fn files<'a>(&self, jobs: &[Job<'a>], _rights: Rights) -> Vec<TicketFile<'a>> {
        // A row that waits for its key needs none here: the id is the key.
        let acts = [Act::Create, Act::Update, Act::Close, Act::Reopen, Act::Wait];
        chunks("upsert", &acts, jobs, 100_000)
    }

    fn write(&self, doc: &Document, file: &TicketFile<'_>, out: &mut dyn Write) -> io::Result<()> {
        let findings = file.jobs.iter().map(|job| {
            let mut finding = job.finding.clone();
            if finding.state == "superseded" {
                "fixed".clone_into(&mut finding.state);
            }
            finding
        });
        let part = doc.with(findings.collect());
        inner()?.write(&part, &FormatCx::default(), out)
    }

    fn check(&self, file: &TicketFile<'_>, written: &[u8]) -> Result<(), String> {
        let inner = inner().map_err(|error| error.to_string())?;
        inner.check(&Document::default(), written)?;
        let rows = csv::Reader::from_reader(written).records().count();
        match rows == file.jobs.len() {
            true => Ok(()),
            false => Err(format!("{rows} rows for {} findings", file.jobs.len())),
        }
    }
}

fn inner() -> io::Result<&'static dyn crate::report::Format> {
    format("servicenow").ok_or_else(|| io::Error::other("there is no such format"))
}
