//! Exports of ticket systems (Jira, ServiceNow, any table): approvals and changes.
//!
//! Only ids, states, dates and names of people are kept; descriptions are not.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::sheet::Sheet;
use crate::inventory::{DayIs, InventoryError, squeezed};

/// One ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// `SEC-123`, `CHG0030001`.
    pub id: String,
    /// Its state as written.
    pub state: String,
    /// Whether it says yes: approved, done, closed.
    pub approved: bool,
    /// Whether it says no: rejected, cancelled.
    pub rejected: bool,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// When it was decided: approved, else resolved or closed.
    pub decided: Option<Timestamp>,
    /// Who asked.
    pub requester: Option<String>,
    /// Who approved.
    pub approver: Option<String>,
    /// `file:row`.
    pub source: String,
}

const APPROVED: &str = "approved approval accepted authorized authorised done closed resolved \
     complete completed closedcomplete implemented implement scheduled fulfilled released review \
     genehmigt freigegeben erledigt geschlossen";
const REJECTED: &str = "rejected declined denied cancelled canceled withdrawn wontdo \
     closedincomplete closedskipped notapproved abgelehnt abgebrochen";

/// Reads an export.
pub(super) fn read(sheet: &Sheet) -> Result<Vec<Ticket>, InventoryError> {
    let id = sheet.needed("issuekey key number ticket ticketid id")?;
    let state = sheet.column("status state");
    let approval = sheet.column("approval approvalstatus approvalstate");
    let opened = sheet.dates(
        sheet.column("created createdat createdon opened openedat syscreatedon"),
        DayIs::Start,
    )?;
    let approved_at = sheet.dates(
        sheet.column("approvedat approvedon approvaldate approvalset"),
        DayIs::Start,
    )?;
    let closed = sheet.dates(
        sheet.column("resolved resolvedat resolutiondate closed closedat closedon"),
        DayIs::Start,
    )?;
    let requester = sheet.column("requester requestedby reporter openedby caller");
    let approver = sheet.column("approver approvedby approvers customfieldapprovers");
    let mut tickets = Vec::new();
    for row in 0..sheet.len() {
        let Some(id) = sheet.text(row, Some(id)) else {
            continue;
        };
        // ServiceNow has an approval beside the state, and that decides.
        let decided_by = sheet.cell(row, approval).or(sheet.cell(row, state));
        let word = squeezed(decided_by.unwrap_or_default());
        let is = |words: &str| words.split_ascii_whitespace().any(|known| known == word);
        tickets.push(Ticket {
            id,
            state: sheet
                .cell(row, state)
                .or(decided_by)
                .unwrap_or_default()
                .to_owned(),
            approved: is(APPROVED),
            rejected: is(REJECTED),
            opened: opened[row],
            decided: approved_at[row].or(closed[row]),
            requester: sheet.text(row, requester),
            approver: sheet.text(row, approver),
            source: sheet.place(row),
        });
    }
    Ok(tickets)
}
