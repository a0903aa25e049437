//! GOV-02: made or changed without anybody having said yes before.
//!
//! # Why
//! What passes by the review is found by an auditor, or by somebody worse.
//!
//! # How it is decided
//! For listed credentials with a record: the ticket of its approval must be in the export of
//! tickets, say yes, and have been decided no later than a day after the credential was made. Each
//! later change that a log tells (a new secret, other rights) must lie within a week of a ticket
//! that the record refers to; who changed it is told, and whether they belong to the owner's team.
//! Medium; high for third parties and at T0. Not evaluated without tickets, and where nobody knows
//! when it was made. What has no record is INV-01's matter.
//!
//! # Remedy
//! Have it approved, or revoke it; put the gate where it was made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keymuster_api::{Event, EventKind, Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Directory, Findings, Input, Subject,
        checks::life::is_third_party,
        recorded::{Recorded, Said},
        subject::days_between,
        words,
    },
    context::{Names, Ticket},
    estate::Credential,
    inventory::Record,
};

/// The check.
pub(in crate::audit::checks) struct OutsideReview;

static ABOUT: CheckAbout = CheckAbout {
    id: "GOV-02",
    slug: "outside-review",
    title: "Created or changed outside the review path",
    why: "What passes by the review is found by an auditor, or by somebody worse.",
    decided: "no approved ticket before it was made, or a later change without one",
    remedy: "have it approved, or revoke it; put the gate where it was made",
    needs: &[Input::Inventory, Input::Discovered, Input::Tickets],
};

impl Check for OutsideReview {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        let directory = cx.people.map(Directory::new);
        let changed = changes_by_subject(cx);
        for (ix, credential) in cx.credentials() {
            let dead = matches!(credential.status, Status::Disabled | Status::Revoked);
            if !credential.listed || dead {
                continue;
            }
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
                continue;
            }
            let Some(record) = cx.record_of(ix) else {
                continue;
            };
            if cx.context.tickets.is_none() {
                out.not_evaluated(&subject, Input::Tickets);
                continue;
            }
            let Some(created) = credential.created.value().copied() else {
                out.not_evaluated(&subject, Input::Discovered);
                continue;
            };
            let mut wrong: Vec<(&str, String, String)> = Vec::new();
            if let Some((says, source)) = approval(&names, record, created) {
                wrong.push(("approval", says, source));
            }
            let tickets = tickets(&names, &recorded, record);
            for event in changes(cx, &changed, credential, created) {
                if !tickets.iter().any(|ticket| is_near(ticket, event.at)) {
                    let by = who(directory.as_ref(), record, event.by.as_deref());
                    let says = format!("{}{by}, without a ticket", event.at);
                    wrong.push(("changed", says, event.source.locator.clone()));
                }
            }
            if wrong.is_empty() {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                draft.evidence("made", created.to_string(), cx.sources(credential));
                for (what, says, source) in &wrong {
                    draft.evidence(what, says.as_str(), source.as_str());
                }
                if record.trust_tier.as_deref().is_some_and(is_third_party) {
                    draft.at_least(Severity::High);
                }
                draft.remedy(format!(
                    "have it approved and name the ticket in record {} ({}), or {}",
                    record.id,
                    record.source,
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

/// What is wrong with the approval, and where.
fn approval(names: &Names<'_>, record: &Record, created: Timestamp) -> Option<(String, String)> {
    let row = record.source.to_string();
    let Some(reference) = record.approval_ref.as_deref() else {
        return Some(("no ticket is named".to_owned(), row));
    };
    let Some(ticket) = names.ticket(reference) else {
        return Some((format!("no ticket {reference} in the export"), row));
    };
    let source = ticket.source.clone();
    if ticket.rejected {
        return Some((format!("{} says {}", ticket.id, ticket.state), source));
    }
    if !ticket.approved {
        return Some((format!("{} is still {}", ticket.id, ticket.state), source));
    }
    match ticket.decided.or(ticket.opened) {
        Some(decided) if days_between(created, decided) >= 1 => Some((
            format!("{} was decided only at {decided}", ticket.id),
            source,
        )),
        _ => None,
    }
}

/// The tickets that a record refers to.
fn tickets<'a>(names: &Names<'a>, recorded: &Recorded<'_>, record: &Record) -> Vec<&'a Ticket> {
    let said = [
        Said::RotationEvidence,
        Said::ReviewRef,
        Said::IncidentEvidence,
    ];
    let mut references: Vec<&str> = said
        .into_iter()
        .flat_map(|said| recorded.list(record, said))
        .collect();
    references.extend(record.approval_ref.as_deref());
    references
        .into_iter()
        .filter_map(|reference| names.ticket(reference))
        .filter(|ticket| ticket.approved)
        .collect()
}

/// Whether a ticket was open or decided within a week of a change.
fn is_near(ticket: &Ticket, at: Timestamp) -> bool {
    let mut dates = [ticket.opened, ticket.decided].into_iter().flatten();
    dates.any(|date| (-7..=7).contains(&days_between(date, at)))
}

/// Changes that logs tell, by what was changed.
fn changes_by_subject<'a>(cx: &CheckCx<'a>) -> BTreeMap<&'a str, Vec<&'a Event>> {
    let mut by_subject: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in &cx.estate.gathered.events {
        if event.kind == EventKind::Changed {
            by_subject.entry(&event.subject.0).or_default().push(event);
        }
    }
    by_subject
}

/// The changes of a credential or its principal, after it was made.
fn changes<'a>(
    cx: &CheckCx<'a>,
    by_subject: &BTreeMap<&'a str, Vec<&'a Event>>,
    credential: &Credential,
    created: Timestamp,
) -> Vec<&'a Event> {
    let mut keys: Vec<&str> = vec![cx.text(credential.subject)];
    keys.extend(credential.aliases.iter().map(|&alias| cx.text(alias)));
    let principal = cx.estate.identity_of(credential);
    keys.extend(principal.map(|identity| cx.text(identity.key)));
    keys.iter()
        .filter_map(|key| by_subject.get(key))
        .flatten()
        .copied()
        .filter(|event| event.at > created)
        .collect()
}

/// `, by bob (not of the owner's team)`.
fn who(directory: Option<&Directory<'_>>, record: &Record, by: Option<&str>) -> String {
    let Some(by) = by else {
        return String::new();
    };
    let team = |name: &str| directory.and_then(|directory| directory.party(name).team());
    let foreign = match (team(by), record.owner.as_deref().and_then(team)) {
        (Some(of_actor), Some(of_owner)) => !of_actor.eq_ignore_ascii_case(of_owner),
        _ => false,
    };
    let foreign = if foreign {
        " (not of the owner's team)"
    } else {
        ""
    };
    format!(", by {by}{foreign}")
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Event, EventKind, Known, Severity, Source, Status, SystemId};

    use crate::{
        audit::checks::testing::{World, ago},
        context::Ticket,
        inventory::PersonStatus,
    };

    /// A key made 30 days ago, approved by a ticket that was decided so many days ago.
    fn world(decided: i64) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).approval_ref = Some("SEC-1".to_owned());
        world.context.tickets = Some(vec![Ticket {
            id: "SEC-1".to_owned(),
            state: "Done".to_owned(),
            approved: true,
            rejected: false,
            opened: Some(ago(40)),
            decided: Some(ago(decided)),
            requester: None,
            approver: None,
            source: "jira.csv:2".to_owned(),
        }]);
        world
    }

    #[test]
    fn true_no_ticket_a_late_one_or_a_no() {
        assert_eq!(world(29).finding("GOV-02").severity, Severity::Medium);
        let mut outside = world(29);
        outside.inventory.as_mut().expect("given").records[0].trust_tier =
            Some("partner".to_owned());
        assert_eq!(outside.finding("GOV-02").severity, Severity::High);
        for reference in [None, Some("SEC-2")] {
            let mut world = world(31);
            world.inventory.as_mut().expect("given").records[0].approval_ref =
                reference.map(str::to_owned);
            assert_eq!(world.findings("GOV-02").len(), 1);
        }
        for (approved, rejected) in [(false, false), (false, true)] {
            let mut world = world(31);
            let ticket = &mut world.context.tickets.as_mut().expect("given")[0];
            (ticket.approved, ticket.rejected) = (approved, rejected);
            assert_eq!(world.findings("GOV-02").len(), 1);
        }
    }

    fn changed(world: &mut World, days: i64) {
        let subject = world
            .estate
            .text(world.estate.credentials[0].subject)
            .to_owned();
        world.estate.gathered.events.push(Event {
            subject: subject.into(),
            kind: EventKind::Changed,
            at: ago(days),
            by: Some("bob".to_owned()),
            source: Source {
                system: SystemId(0),
                locator: "cloudtrail.json:4".to_owned(),
            },
        });
    }

    #[test]
    fn true_a_change_without_a_ticket() {
        let mut world = world(31);
        world.person("ada", PersonStatus::Active);
        world.person("bob", PersonStatus::Active).team = Some("growth".to_owned());
        changed(&mut world, 25);
        world.assert_passes("GOV-02");
        changed(&mut world, 23);
        let finding = world.finding("GOV-02");
        assert!(
            finding.evidence[1]
                .value
                .contains("by bob (not of the owner's team)")
        );
        changed(&mut world, 35);
        assert_eq!(
            world.finding("GOV-02").evidence.len(),
            2,
            "before it was made"
        );
    }

    #[test]
    fn near_miss_decided_the_same_day() {
        world(30).assert_passes("GOV-02");
        let mut off = world(1);
        off.credential(0).status = Status::Disabled;
        off.assert_ignores("GOV-02");
        let mut unknown = world(1);
        unknown.matches.accepted[0] = None;
        unknown.assert_ignores("GOV-02");
    }

    #[test]
    fn missing_tickets_or_date() {
        let mut world = world(31);
        world.credential(0).created = Known::Unknown;
        world.assert_lacks("GOV-02", "discovered");
        world.context.tickets = None;
        world.assert_lacks("GOV-02", "tickets");
        world.inventory = None;
        world.assert_lacks("GOV-02", "inventory");
    }
}
