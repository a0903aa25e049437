//! The feed of lifecycle events: who left, what was retired, which vendor ended, what happened.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::sheet::Sheet;
use crate::inventory::{DayIs, InventoryError, squeezed};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LifeEventKind {
    /// Somebody left, or changed to work that has nothing to do with it.
    Leaver,
    /// An application or system was switched off.
    ApplicationRetired,
    /// A repository was archived or deleted.
    RepositoryArchived,
    /// A contract with a vendor or partner ended.
    VendorEnded,
    /// An environment was taken down.
    EnvironmentDeleted,
    /// A security incident touched it.
    Incident,
    /// Something changed hands: an application, a repository, a team.
    Transferred,
}

impl LifeEventKind {
    /// The word used in files and evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            LifeEventKind::Leaver => "leaver",
            LifeEventKind::ApplicationRetired => "application-retired",
            LifeEventKind::RepositoryArchived => "repository-archived",
            LifeEventKind::VendorEnded => "vendor-ended",
            LifeEventKind::EnvironmentDeleted => "environment-deleted",
            LifeEventKind::Incident => "incident",
            LifeEventKind::Transferred => "transferred",
        }
    }

    fn from_word(word: &str) -> Option<LifeEventKind> {
        Some(match squeezed(word).as_str() {
            "leaver" | "left" | "offboarded" | "offboarding" | "departure" | "terminated"
            | "termination" => LifeEventKind::Leaver,
            "applicationretired" | "appretired" | "systemretired" | "retired"
            | "decommissioned" => LifeEventKind::ApplicationRetired,
            "repositoryarchived" | "repoarchived" | "archived" | "repositorydeleted" => {
                LifeEventKind::RepositoryArchived
            }
            "vendorended" | "vendorend" | "contractended" | "vendorexit" | "partnerended" => {
                LifeEventKind::VendorEnded
            }
            "environmentdeleted" | "envdeleted" | "environmentretired" => {
                LifeEventKind::EnvironmentDeleted
            }
            "incident" | "breach" | "compromise" | "securityincident" => LifeEventKind::Incident,
            "transferred" | "transfer" | "ownerchanged" | "reorganisation" | "reorganization"
            | "moved" => LifeEventKind::Transferred,
            _ => return None,
        })
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LifeEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: LifeEventKind,
    /// To whom or what, as written: a person, an application, a repository, a vendor, the public
    /// identifier of a credential.
    pub subject: String,
    /// The ticket or incident behind it.
    pub reference: Option<String>,
    /// `file:row`.
    pub source: String,
}

/// Reads a feed.
pub(super) fn read(sheet: &Sheet) -> Result<Vec<LifeEvent>, InventoryError> {
    let kind = sheet.needed("event eventtype kind type")?;
    let subject = sheet.needed("subject who what name entity object")?;
    let at = sheet.needed("at date when time timestamp occurredat effectivedate")?;
    let reference = sheet.column("reference ref ticket incident change");
    let times = sheet.dates(Some(at), DayIs::Start)?;
    let mut events = Vec::new();
    for (row, time) in times.into_iter().enumerate() {
        let cells = (
            sheet.cell(row, Some(kind)),
            sheet.text(row, Some(subject)),
            time,
        );
        let (Some(word), Some(subject), Some(at)) = cells else {
            return Err(sheet
                .error(row, "an event needs a kind, a subject and a time")
                .help("fill in the row, or take it out"));
        };
        let kind = LifeEventKind::from_word(word).ok_or_else(|| {
            sheet.error(row, "is no kind of event that is known").help(
                "use leaver, application-retired, repository-archived, vendor-ended, \
                 environment-deleted, incident or transferred",
            )
        })?;
        events.push(LifeEvent {
            at,
            kind,
            subject,
            reference: sheet.text(row, reference),
            source: sheet.place(row),
        });
    }
    Ok(events)
}
