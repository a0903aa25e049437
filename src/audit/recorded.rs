//! What records say in columns that the register's reader keeps as written: duties, evidence,
//! references. Column names are compared without case, accents, blanks and punctuation.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::subject::read_time;
use crate::inventory::{Inventory, Record, squeezed};

/// A statement of a record beyond the reader's own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    Apis,
    Audience,
    AuthMethod,
    BusinessProcess,
    BusinessSponsor,
    ContractEnd,
    ContractRef,
    Decommissioner,
    Delegate,
    ExceptionRef,
    GrantType,
    IncidentEvidence,
    InterimUntil,
    IssuedByEvent,
    LogFields,
    LogReviewer,
    LogSource,
    NeedSignal,
    PolicyOwner,
    Requester,
    ReviewDecision,
    ReviewRef,
    Reviewer,
    RevocationDrillAt,
    RevocationEvidence,
    Revoker,
    RotationEvidence,
    Rotator,
    Split,
    Store,
    UsedBy,
}

use Said as S;

/// Each with the names its column may have, squeezed; the first is the record's own.
const NAMES: &[(Said, &str)] = &[
    (S::Apis, "apis api apiname application app applications"),
    (S::Audience, "audience audiences aud"),
    (
        S::AuthMethod,
        "authmethod authentication authenticationmethod",
    ),
    (S::BusinessProcess, "businessprocess process"),
    (
        S::BusinessSponsor,
        "businesssponsor sponsor executivesponsor",
    ),
    (S::ContractEnd, "contractend contractends contractenddate"),
    (
        S::ContractRef,
        "contractref contract contractnumber contractid",
    ),
    (S::Decommissioner, "decommissioner decommissionedby"),
    (S::Delegate, "delegate deputy"),
    (S::ExceptionRef, "exceptionref exception exceptionid waiver"),
    (S::GrantType, "granttype accesstype granted"),
    (S::IncidentEvidence, "incidentevidence incidentref incident"),
    (S::InterimUntil, "interimuntil ownerinterimuntil"),
    (S::IssuedByEvent, "issuedbyevent issuedby issueevent"),
    (S::LogFields, "logfields logsfields fieldsoflog"),
    (S::LogReviewer, "logreviewer logsreviewedby"),
    (S::LogSource, "logsource logs auditlog logging"),
    (S::NeedSignal, "needsignal usagesignal"),
    (S::PolicyOwner, "policyowner"),
    (S::Requester, "requester requestedby requestor"),
    (
        S::ReviewDecision,
        "reviewdecision decision recertificationdecision",
    ),
    (S::ReviewRef, "reviewref reviewticket reviewevidence"),
    (S::Reviewer, "reviewer reviewedby recertifiedby attestedby"),
    (
        S::RevocationDrillAt,
        "revocationdrillat lastdrill drilldate revocationtested",
    ),
    (
        S::RevocationEvidence,
        "revocationevidence revocationref revocationproof",
    ),
    (S::Revoker, "revoker whorevokes canrevoke"),
    (
        S::RotationEvidence,
        "rotationevidence rotationref rotationproof rotationticket",
    ),
    (S::Rotator, "rotator rotatedby"),
    (S::Split, "split ownersplit ownershipagreement"),
    (S::Store, "store vault secretstore storedin storage"),
    (S::UsedBy, "usedby users consumers consumingteams teams"),
];

/// The columns of a register that say such things, by statement.
pub(super) struct Recorded<'a>(BTreeMap<Said, Vec<&'a str>>);

impl<'a> Recorded<'a> {
    /// Looks at the headers of every register.
    pub(super) fn of(inventory: Option<&'a Inventory>) -> Recorded<'a> {
        let mut headers: Vec<&str> = Vec::new();
        for record in inventory.map_or(&[][..], |inventory| &inventory.records) {
            for header in record.extra.keys() {
                if let Err(at) = headers.binary_search(&header.as_str()) {
                    headers.insert(at, header);
                }
            }
        }
        let mut found: BTreeMap<Said, Vec<(usize, &str)>> = BTreeMap::new();
        for header in headers {
            let key = squeezed(header);
            for (said, names) in NAMES {
                let rank = names.split_ascii_whitespace().position(|name| name == key);
                if let Some(rank) = rank {
                    found.entry(*said).or_default().push((rank, header));
                }
            }
        }
        let best_first = |mut all: Vec<(usize, &'a str)>| {
            all.sort_unstable();
            all.into_iter().map(|(_, header)| header).collect()
        };
        let found = found.into_iter().map(|(said, all)| (said, best_first(all)));
        Recorded(found.collect())
    }

    /// What a record says; `None` where it says nothing, or a placeholder.
    pub(super) fn text<'r>(&self, record: &'r Record, said: Said) -> Option<&'r str> {
        let mut headers = self.0.get(&said)?.iter();
        headers.find_map(|header| {
            let text = record.extra.get(*header)?.trim();
            let is_said = !text.is_empty() && !crate::inventory::is_placeholder(text);
            is_said.then_some(text)
        })
    }

    /// A date that a record says: RFC 3339, or a day, which is its end. `Err` where what it says
    /// is no such date.
    pub(super) fn time(&self, record: &Record, said: Said) -> Option<Result<Timestamp, String>> {
        let text = self.text(record, said)?;
        Some(read_time(text).ok_or_else(|| text.to_owned()))
    }

    /// Several things in one cell.
    pub(super) fn list<'r>(&self, record: &'r Record, said: Said) -> Vec<&'r str> {
        let text = self.text(record, said).unwrap_or_default();
        let parts = text.split([';', ',', '\n']).map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{NAMES, Recorded, S};
    use crate::{audit::checks::testing::World, inventory::squeezed};

    #[test]
    fn columns_are_found_however_they_are_spelled() {
        let mut world = World::new();
        let (_, record) = world.record("R-1");
        let said = [
            ("Business Sponsor", "carol"),
            ("reviewed_by", "tbd"),
            ("Reviewer", "dan"),
        ];
        for (header, cell) in said {
            record.extra.insert(header.to_owned(), cell.to_owned());
        }
        let inventory = world.inventory.as_ref();
        let recorded = Recorded::of(inventory);
        let record = &inventory.expect("given").records[0];
        assert_eq!(recorded.text(record, S::BusinessSponsor), Some("carol"));
        // A placeholder is nothing, and the next column is asked.
        assert_eq!(recorded.text(record, S::Reviewer), Some("dan"));
        assert_eq!(recorded.text(record, S::Revoker), None);
    }

    #[test]
    fn every_name_means_one_statement_and_is_written_as_it_is_compared() {
        let mut all = BTreeSet::new();
        for (said, names) in NAMES {
            for name in names.split_ascii_whitespace() {
                assert_eq!(squeezed(name), name);
                assert!(all.insert(name), "{name} of {said:?} is taken");
            }
        }
    }
}
