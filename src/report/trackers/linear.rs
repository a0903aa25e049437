//! Linear: its importer only creates. What is to be updated, closed and reopened is a list to be
//! worked through by hand, or by a script of your own.

use std::io::{self, Write};

use super::{Job, Rights, TicketFile, Tracker, chunks};
use crate::{
    ledger::Act,
    report::{
        Document,
        cells::{self, Table},
        formats::linear::{HEADER, MOST, check, row},
        ticket,
    },
};

pub(super) struct Linear;

const BY_HAND: &str = "by hand";

impl Tracker for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn about(&self) -> &'static str {
        "Linear CSV import, which only creates; the rest is listed"
    }

    fn files<'a>(&self, jobs: &[Job<'a>], _rights: Rights) -> Vec<TicketFile<'a>> {
        let mut files = chunks("create", &[Act::Create], jobs, MOST);
        let rest = [Act::Update, Act::Close, Act::Reopen];
        files.extend(chunks(BY_HAND, &rest, jobs, MOST));
        files
    }

    fn write(&self, doc: &Document, file: &TicketFile<'_>, out: &mut dyn Write) -> io::Result<()> {
        if file.does == BY_HAND {
            let mut table = Table::new(out, &["Id", "What to do", "Title", "Why"])?;
            for job in &file.jobs {
                table.row(&[
                    job.step.key.as_deref().unwrap_or_default(),
                    job.step.act.as_str(),
                    &ticket::summary(job.finding, 255),
                    &job.step.why,
                ])?;
            }
            return table.finish();
        }
        let mut table = Table::new(out, &HEADER)?;
        for job in &file.jobs {
            table.row(&row(doc, job.finding))?;
        }
        table.finish()
    }

    fn check(&self, file: &TicketFile<'_>, written: &[u8]) -> Result<(), String> {
        match file.does {
            BY_HAND => cells::check(written),
            _ => check(written),
        }
    }
}
