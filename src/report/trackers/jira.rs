//! Jira Cloud. The plain CSV import always creates, 250 issues at once; the administrators' one
//! (External System Import) takes 10,000 and updates by the column `Issue Key`
//! (support.atlassian.com, "import data from a CSV file").
//!
//! What closes and what reopens are files of their own: only they name a status, which the
//! importer asks to be mapped, so that an update moves no issue that somebody works on.

use std::io::{self, Write};

use super::{Job, Rights, TicketFile, Tracker, chunks};
use crate::{
    ledger::Act,
    report::{
        Document,
        cells::{self, Table},
        formats::jira_csv::{HEADER, MOST, check, row},
    },
};

/// Issues of one file, for administrators.
const MOST_OF_ADMINISTRATORS: usize = 10_000;

pub(super) struct Jira;

impl Tracker for Jira {
    fn name(&self) -> &'static str {
        "jira"
    }

    fn about(&self) -> &'static str {
        "Jira Cloud, CSV import; updates need an administrator"
    }

    fn files<'a>(&self, jobs: &[Job<'a>], rights: Rights) -> Vec<TicketFile<'a>> {
        let most = match rights {
            Rights::User => MOST,
            Rights::Administrator => MOST_OF_ADMINISTRATORS,
        };
        let mut files = chunks("create", &[Act::Create], jobs, most);
        let administrators = MOST_OF_ADMINISTRATORS;
        files.extend(chunks("update", &[Act::Update], jobs, administrators));
        files.extend(chunks("close", &[Act::Close], jobs, administrators));
        files.extend(chunks("reopen", &[Act::Reopen], jobs, administrators));
        files
    }

    fn write(&self, doc: &Document, file: &TicketFile<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut header = HEADER.to_vec();
        let status = match file.does {
            "close" => Some("Done"),
            "reopen" => Some("To Do"),
            _ => None,
        };
        if file.does != "create" {
            header.push("Issue Key");
        }
        if status.is_some() {
            header.push("Status");
        }
        let mut table = Table::new(out, &header)?;
        for job in &file.jobs {
            let mut cells = row(doc, job.finding).to_vec();
            if file.does != "create" {
                cells.push(job.step.key.clone().unwrap_or_default());
            }
            cells.extend(status.map(str::to_owned));
            table.row(&cells)?;
        }
        table.finish()
    }

    fn check(&self, file: &TicketFile<'_>, written: &[u8]) -> Result<(), String> {
        check(written)?;
        if file.does != "create" {
            // Without its key a row creates a second issue.
            let keys = cells::columns(written, &["Issue Key"])?;
            if keys.iter().any(|cells| cells[0].is_empty()) {
                return Err("a row that updates has no key".to_owned());
            }
        }
        Ok(())
    }
}
