//! Who answers for it.

pub(super) mod approver;
pub(super) mod changed_hands;
pub(super) mod generic_owner;
pub(super) mod no_owner;
pub(super) mod orphaned;
pub(super) mod split_owner;

use crate::{
    audit::{CheckCx, Directory, Party},
    inventory::{Record, RecordStatus},
};

/// Records in force, with their indices: requests are still being filled in, ended ones are
/// history.
pub(super) fn in_force<'a>(cx: &CheckCx<'a>) -> impl Iterator<Item = (u32, &'a Record)> + use<'a> {
    let records = cx.inventory.map_or(&[][..], |inventory| &inventory.records);
    (0u32..).zip(records).filter(|(_, record)| {
        !matches!(
            record.status,
            Some(RecordStatus::Requested | RecordStatus::Revoked | RecordStatus::Retired)
        )
    })
}

/// Whether two names stand for one party: equal words, or one person or team of the directory.
fn is_same(directory: Option<&Directory<'_>>, a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    if a.eq_ignore_ascii_case(b) {
        return true;
    }
    let party = |name: &str| directory.map_or(Party::Unknown, |directory| directory.party(name));
    let (a, b) = (party(a), party(b));
    a != Party::Unknown && a == b
}

/// Whether one stands for the other: the same, or a person and their team.
fn is_same_side(directory: Option<&Directory<'_>>, a: &str, b: &str) -> bool {
    if is_same(directory, a, b) {
        return true;
    }
    let team = |name: &str| directory.and_then(|directory| directory.party(name).team());
    let is_team = |name: &str| {
        directory.is_some_and(|directory| {
            matches!(directory.party(name), Party::Team(_) | Party::Dissolved(_))
        })
    };
    match (team(a), team(b)) {
        (Some(of_a), Some(of_b)) => of_a.eq_ignore_ascii_case(of_b) && (is_team(a) || is_team(b)),
        _ => false,
    }
}
