//! Azure DevOps: a row without `ID` creates, one with `ID` updates; 1,000 rows a file
//! (learn.microsoft.com, "Import or update work items in bulk by using CSV files"). The page shows
//! what it will do, unsaved, until somebody confirms it.

use std::io::{self, Write};

use super::{Job, Rights, TicketFile, Tracker, chunks};
use crate::{
    ledger::Act,
    report::{
        Document,
        cells::{self, Table},
        formats::azure_devops::{HEADER, MOST, check, row},
    },
};

pub(super) struct AzureDevOps;

impl Tracker for AzureDevOps {
    fn name(&self) -> &'static str {
        "azure-devops"
    }

    fn about(&self) -> &'static str {
        "Azure DevOps work items, CSV import"
    }

    fn files<'a>(&self, jobs: &[Job<'a>], _rights: Rights) -> Vec<TicketFile<'a>> {
        let mut files = chunks("create", &[Act::Create], jobs, MOST);
        files.extend(chunks("update", &[Act::Update], jobs, MOST));
        files.extend(chunks("close", &[Act::Close], jobs, MOST));
        files.extend(chunks("reopen", &[Act::Reopen], jobs, MOST));
        files
    }

    fn write(&self, doc: &Document, file: &TicketFile<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut header = HEADER.to_vec();
        let state = match file.does {
            "close" => Some("Done"),
            "reopen" => Some("To Do"),
            _ => None,
        };
        let updates = file.does != "create";
        if updates {
            header.insert(0, "ID");
        }
        if state.is_some() {
            header.push("State");
        }
        let mut table = Table::new(out, &header)?;
        for job in &file.jobs {
            let mut cells = row(doc, job.finding).to_vec();
            if updates {
                cells.insert(0, job.step.key.clone().unwrap_or_default());
            }
            cells.extend(state.map(str::to_owned));
            table.row(&cells)?;
        }
        table.finish()
    }

    fn check(&self, file: &TicketFile<'_>, written: &[u8]) -> Result<(), String> {
        check(written)?;
        if file.does != "create" {
            let ids = cells::columns(written, &["ID"])?;
            if ids.iter().any(|cells| cells[0].is_empty()) {
                return Err("a row that updates has no id".to_owned());
            }
        }
        Ok(())
    }
}
