//! GOV-01: an exception, or an emergency grant, that is invalid or has outlived its end.
//!
//! # Why
//! An exception without an end is the rule; one that nobody signed is none.
//!
//! # How it is decided
//! Each entry of the exceptions file must say what it covers, why, who approved it and when, until
//! when, and by which ticket; a compensating control must be named where one is the reason. High;
//! medium where only the signature is missing. Each record whose grant is an emergency or temporary
//! one must end, and not have ended while the credential works, high. A record that refers to an
//! exception is not evaluated where no file of exceptions is given.
//!
//! # Remedy
//! Close it, or renew it with approval.

use keymuster_api::{Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Subject,
    checks::owner::in_force,
    exceptions::Standing,
    recorded::{Recorded, Said},
};

/// The check.
pub(in crate::audit::checks) struct ExceptionOutlived;

static ABOUT: CheckAbout = CheckAbout {
    id: "GOV-01",
    slug: "exception-outlived",
    title: "Exception or emergency grant outlived or invalid",
    why: "An exception without an end is the rule; one that nobody signed is none.",
    decided: "an exception lacks approver, scope, control or end, or has ended; an emergency grant has no end or has outlived it",
    remedy: "close it, or renew it with approval",
    needs: &[Input::Exceptions, Input::Inventory],
};

impl Check for ExceptionOutlived {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for standing in cx
            .exceptions
            .into_iter()
            .flat_map(|all| all.standings(cx.now))
        {
            exception(&standing, out);
        }
        let recorded = Recorded::of(cx.inventory);
        for (ix, record) in in_force(cx) {
            let grant = recorded
                .text(record, Said::GrantType)
                .map(str::to_lowercase);
            let passing = grant.as_deref().is_some_and(|grant| {
                ["emergency", "temporary", "break-glass", "breakglass"].contains(&grant)
            });
            let refers = recorded.text(record, Said::ExceptionRef);
            if !passing && refers.is_none() {
                continue;
            }
            let subject = Subject::Record(ix);
            let credentials = cx.matches.of_record.get(ix as usize);
            let mut credentials = credentials
                .into_iter()
                .flatten()
                .map(|&ix| cx.credential(ix));
            let works = credentials.any(|one| one.status == Status::Active);
            let wrong = match record.expires_at {
                None if passing => Some("has no end".to_owned()),
                Some(end) if passing && end < cx.now && works => {
                    Some(format!("ended at {end}, and the credential works"))
                }
                _ => None,
            };
            match wrong {
                Some(wrong) => out.fail(subject, Severity::High, |draft| {
                    let row = record.source.to_string();
                    let grant = grant.clone().unwrap_or_default();
                    draft.title(format!("{grant} grant outlived: {}", record.id));
                    draft.evidence("grant", format!("{grant}: {wrong}"), row.as_str());
                    let approver = record.approver.clone().unwrap_or_default();
                    draft.evidence("approved by", approver, row.as_str());
                    draft.remedy(format!(
                        "revoke it, or have it approved as a standing grant with an end in record {} ({row})",
                        record.id
                    ));
                }),
                None if refers.is_some() && cx.exceptions.is_none() => {
                    out.not_evaluated(&subject, Input::Exceptions);
                }
                None => out.pass(&subject),
            }
        }
    }
}

fn exception(standing: &Standing, out: &mut Findings<'_>) {
    let subject = Subject::Entry(EntryKind::Exception, standing.name.clone());
    let Some(wrong) = &standing.wrong else {
        out.pass(&subject);
        return;
    };
    let severity = if standing.only_unsigned {
        Severity::Medium
    } else {
        Severity::High
    };
    out.fail(subject, severity, |draft| {
        let place = standing.place.as_str();
        draft.title(format!("Exception outlived or invalid: {}", standing.name));
        draft.evidence("exception", wrong.as_str(), place);
        draft.evidence("approved by", standing.approver.as_str(), place);
        draft.evidence("until", standing.until.as_str(), place);
        draft.evidence("control", standing.control.as_str(), place);
        draft.remedy(format!(
            "close the exception at {place}, or renew it with approval"
        ));
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use crate::audit::{
        Exceptions,
        checks::testing::{World, ago},
    };

    const WHOLE: &str = "[[exception]]\ncheck = 'EXP-01'\nreason = 'accepted_risk'\napprover = 'boss@acme.example'\napproved_at = 2026-05-01\nexpires_at = '2026-07-01'\nticket = 'SEC-1'\n";

    fn world(text: &str) -> World {
        let mut world = World::new();
        world.exceptions = Some(Exceptions::from_toml(text, "exceptions.toml").expect("toml"));
        world
    }

    #[test]
    fn true_ended_unsigned_or_without_control() {
        let ended = world(&WHOLE.replace("2026-07-01", "2026-05-31"));
        let finding = ended.finding("GOV-01");
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.subject_key.starts_with("exception:"));
        assert!(finding.evidence[0].value.contains("it ended"));
        let unsigned = world(&WHOLE.replace("approver = 'boss@acme.example'\n", ""));
        assert_eq!(unsigned.finding("GOV-01").severity, Severity::Medium);
        for (from, to) in [
            ("accepted_risk", "compensating_control"),
            ("expires_at = '2026-07-01'\n", ""),
            ("check = 'EXP-01'\n", ""),
            (
                "approver = 'boss@acme.example'\napproved_at = 2026-05-01\nexpires_at = '2026-07-01'",
                "",
            ),
        ] {
            assert_eq!(
                world(&WHOLE.replace(from, to)).finding("GOV-01").severity,
                Severity::High
            );
        }
    }

    #[test]
    fn true_an_emergency_that_stayed() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = Some(ago(1));
        world.said(0, "Grant type", "Emergency");
        assert!(
            world.finding("GOV-01").evidence[0]
                .value
                .contains("and the credential works")
        );
        world.credential(key).status = Status::Disabled;
        world.assert_passes("GOV-01");
        world.inventory.as_mut().expect("given").records[0].expires_at = None;
        assert!(
            world.finding("GOV-01").evidence[0]
                .value
                .ends_with("has no end")
        );
    }

    #[test]
    fn near_miss_whole_or_standing() {
        world(WHOLE).assert_passes("GOV-01");
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).expires_at = Some(ago(1));
        world.said(0, "Grant type", "standing");
        world.assert_ignores("GOV-01");
        world.said(0, "Grant type", "temporary");
        world.inventory.as_mut().expect("given").records[0].expires_at = Some(ago(0));
        world.assert_passes("GOV-01");
    }

    #[test]
    fn missing_file_of_exceptions() {
        let mut world = World::new();
        world.record("R-1");
        world.said(0, "exception_ref", "EX-1");
        world.assert_lacks("GOV-01", "exceptions");
    }
}
