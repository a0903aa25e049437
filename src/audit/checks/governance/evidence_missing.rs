//! GOV-04: what the record says, nothing proves.
//!
//! # Why
//! An auditor asks for the ticket, not for the word.
//!
//! # How it is decided
//! For records, each statement needs its proof: the approval a reference; a review, a rotation and
//! a revocation that the record claims, each one of their own. A reference that has the form of a
//! ticket must be in the export of tickets. A record whose only source lies in a repository that
//! was swept and holds the credential is the consumer's own word. Medium; high at T0. Where
//! everything has a reference and no tickets were given, it is not evaluated.
//!
//! # Remedy
//! Collect it; name the ticket or log.

use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        recorded::{Recorded, Said},
    },
    context::Names,
    inventory::{Record, RecordStatus},
};

/// The check.
pub(in crate::audit::checks) struct EvidenceMissing;

static ABOUT: CheckAbout = CheckAbout {
    id: "GOV-04",
    slug: "evidence-missing",
    title: "Evidence missing",
    why: "An auditor asks for the ticket, not for the word.",
    decided: "approval, review, rotation or revocation is claimed without a reference, or with one that leads nowhere",
    remedy: "collect it; name the ticket or log",
    needs: &[Input::Inventory, Input::Tickets],
};

impl Check for EvidenceMissing {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        let records = cx.inventory.map_or(&[][..], |inventory| &inventory.records);
        for (ix, record) in (0u32..).zip(records) {
            if record.status == Some(RecordStatus::Requested) {
                continue;
            }
            let subject = Subject::Record(ix);
            let claims = claims(&recorded, record);
            let mut matrix: Vec<(&str, String, bool)> = Vec::new();
            let mut unverified = false;
            for (what, reference) in claims {
                let (says, is_fine) = match reference {
                    None => ("none".to_owned(), false),
                    Some(text) => {
                        let known = proof(cx, &names, text);
                        unverified |= known == Proof::Unverified;
                        match known {
                            Proof::Dead => (format!("{text}, which is in no export"), false),
                            _ => (text.to_owned(), true),
                        }
                    }
                };
                matrix.push((what, says, is_fine));
            }
            let own_word = self_recorded(cx, ix, record);
            let is_fine = matrix.iter().all(|(_, _, is_fine)| *is_fine) && own_word.is_none();
            if is_fine {
                if unverified {
                    out.not_evaluated(&subject, Input::Tickets);
                } else {
                    out.pass(&subject);
                }
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let row = record.source.to_string();
                for (what, says, _) in &matrix {
                    draft.evidence(what, says.as_str(), row.as_str());
                }
                if let Some(repository) = &own_word {
                    let says = format!("self-recorded: {repository} holds the credential, too");
                    draft.evidence("only source", says, row.as_str());
                }
                let missing: Vec<&str> = matrix
                    .iter()
                    .filter(|(_, _, is_fine)| !is_fine)
                    .map(|(what, _, _)| *what)
                    .collect();
                draft.remedy(match missing.as_slice() {
                    [] => format!("keep record {} in the organisation's register, not beside the code", record.id),
                    missing => format!(
                        "name the ticket, log or provider's answer that proves the {} of record {} ({row})",
                        missing.join(", "),
                        record.id
                    ),
                });
            });
        }
    }
}

/// What a record claims, with the reference it gives.
fn claims<'r>(recorded: &Recorded<'_>, record: &'r Record) -> Vec<(&'static str, Option<&'r str>)> {
    let mut claims = vec![("issuance", record.approval_ref.as_deref())];
    if record.last_reviewed_at.is_some() {
        claims.push(("review", recorded.text(record, Said::ReviewRef)));
    }
    if record.last_rotated_at.is_some() {
        claims.push(("rotation", recorded.text(record, Said::RotationEvidence)));
    }
    let ended = record.status.is_some_and(RecordStatus::is_ended);
    if ended || record.revoked_at.is_some() {
        claims.push((
            "revocation",
            recorded.text(record, Said::RevocationEvidence),
        ));
    }
    claims
}

#[derive(PartialEq, Eq)]
enum Proof {
    Found,
    Dead,
    Unverified,
}

fn proof(cx: &CheckCx<'_>, names: &Names<'_>, reference: &str) -> Proof {
    if names.ticket(reference).is_some() {
        return Proof::Found;
    }
    match (&cx.context.tickets, is_ticket(reference)) {
        (Some(_), true) => Proof::Dead,
        (None, true) => Proof::Unverified,
        // An address, a path, a log: there, as far as a register can tell.
        _ => Proof::Found,
    }
}

/// Whether a reference has the form of a ticket: `SEC-12`, `CHG0030001`.
fn is_ticket(reference: &str) -> bool {
    let text = reference.trim();
    let letters = text.bytes().take_while(|b| b.is_ascii_alphabetic()).count();
    let rest = &text[letters..];
    let digits = rest.strip_prefix('-').unwrap_or(rest);
    (2..=10).contains(&letters)
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (rest.starts_with('-') || digits.len() >= 5)
}

/// The repository that holds both the register and the credential.
fn self_recorded(cx: &CheckCx<'_>, ix: u32, record: &Record) -> Option<String> {
    let clean = |path: &str| {
        path.trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned()
    };
    let file = clean(&record.source.file);
    let credentials = cx.matches.of_record.get(ix as usize)?;
    credentials
        .iter()
        .flat_map(|&ix| cx.leaks(cx.credential(ix)))
        .map(|sighting| cx.estate.resource_of(sighting))
        .find(|resource| {
            let place = clean(&resource.location);
            !place.is_empty()
                && file
                    .strip_prefix(&place)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
        .map(|resource| resource.name.clone())
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use super::is_ticket;
    use crate::{
        audit::checks::testing::{World, ago},
        inventory::{Record, RecordStatus, Tier},
    };

    fn approved(reference: Option<&str>) -> World {
        let mut world = World::new();
        world.record("R-1").1.approval_ref = reference.map(str::to_owned);
        world.context.tickets = Some(Vec::new());
        world
    }

    fn first(world: &mut World) -> &mut Record {
        &mut world.inventory.as_mut().expect("given").records[0]
    }

    #[test]
    fn true_no_reference_or_a_dead_one() {
        assert_eq!(approved(None).finding("GOV-04").severity, Severity::Medium);
        let mut dead = approved(Some("SEC-12"));
        assert!(
            dead.finding("GOV-04").evidence[0]
                .value
                .ends_with("in no export")
        );
        first(&mut dead).tier = Some(Tier::T0);
        assert_eq!(dead.finding("GOV-04").severity, Severity::High);
    }

    #[test]
    fn true_each_claim_needs_its_own() {
        let link = "https://tickets.acme.example/1";
        for (number, column) in ["Review ref", "Rotation evidence", "Revocation proof"]
            .iter()
            .enumerate()
        {
            let mut world = approved(Some(link));
            match number {
                0 => first(&mut world).last_reviewed_at = Some(ago(1)),
                1 => first(&mut world).last_rotated_at = Some(ago(1)),
                _ => first(&mut world).status = Some(RecordStatus::Revoked),
            }
            assert_eq!(world.finding("GOV-04").evidence[1].value, "none");
            world.said(0, column, link);
            world.assert_passes("GOV-04");
        }
    }

    #[test]
    fn true_the_consumers_own_word() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", "a.py");
        let record = world.registered(key);
        record.approval_ref = Some("https://x.example/1".to_owned());
        record.source.file = "repos/web/register.csv".to_owned();
        assert!(
            world.finding("GOV-04").evidence[1]
                .value
                .starts_with("self-recorded: web")
        );
        first(&mut world).source.file = "repos/website/register.csv".to_owned();
        world.assert_passes("GOV-04");
    }

    #[test]
    fn near_miss_an_address_is_a_reference() {
        approved(Some("https://tickets.acme.example/1")).assert_passes("GOV-04");
        let mut asked = approved(None);
        first(&mut asked).status = Some(RecordStatus::Requested);
        asked.assert_ignores("GOV-04");
        assert!(is_ticket("SEC-12") && is_ticket("CHG0030001"));
        assert!(
            !is_ticket("v2") && !is_ticket("log-4a") && !is_ticket("A-1") && !is_ticket("RFC 12")
        );
    }

    #[test]
    fn missing_tickets() {
        let mut world = approved(Some("SEC-12"));
        world.context.tickets = None;
        world.assert_lacks("GOV-04", "tickets");
    }
}
