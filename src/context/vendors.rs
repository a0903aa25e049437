//! Vendors and partners: contract, end, playbook.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::sheet::Sheet;
use crate::inventory::{DayIs, InventoryError, squeezed};

/// A vendor or partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// Its name.
    pub name: String,
    /// The contract's number.
    pub contract: Option<String>,
    /// When the contract ends.
    pub contract_end: Option<Timestamp>,
    /// Whether the list says that the relation has ended.
    pub ended: bool,
    /// How its access is taken away.
    pub playbook: Option<String>,
    /// Where its calls are logged.
    pub log_source: Option<String>,
    /// Who answers for the relation.
    pub owner: Option<String>,
    /// `file:row`.
    pub source: String,
}

/// Whether a table is one of vendors.
pub(super) fn is(sheet: &Sheet) -> bool {
    sheet.column("vendor vendorname supplier partner").is_some()
        && sheet
            .column("contract contractref contractid contractend playbook contractnumber")
            .is_some()
}

/// Reads a list of vendors.
pub(super) fn read(sheet: &Sheet) -> Result<Vec<Vendor>, InventoryError> {
    let name = sheet.needed("vendor vendorname supplier partner name")?;
    let contract = sheet.column("contract contractref contractid contractnumber");
    let ends = sheet.dates(
        sheet.column("contractend contractends enddate validuntil expires"),
        DayIs::End,
    )?;
    let status = sheet.column("status state");
    let playbook = sheet.column("playbook revocationplaybook exitplan runbook");
    let log_source = sheet.column("logsource logs monitoring");
    let owner = sheet.column("owner relationshipowner vendormanager");
    let mut vendors = Vec::new();
    for (row, contract_end) in ends.into_iter().enumerate() {
        let Some(name) = sheet.text(row, Some(name)) else {
            return Err(sheet.error(row, "a vendor needs a name"));
        };
        let word = squeezed(sheet.cell(row, status).unwrap_or_default());
        vendors.push(Vendor {
            name,
            contract: sheet.text(row, contract),
            contract_end,
            ended: matches!(
                word.as_str(),
                "ended"
                    | "terminated"
                    | "inactive"
                    | "expired"
                    | "offboarded"
                    | "exited"
                    | "former"
            ),
            playbook: sheet.text(row, playbook),
            log_source: sheet.text(row, log_source),
            owner: sheet.text(row, owner),
            source: sheet.place(row),
        });
    }
    Ok(vendors)
}
