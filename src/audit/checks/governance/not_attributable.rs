//! GOV-05: nobody could tell afterwards what was done with it.
//!
//! # Why
//! A call that no log links to an identity can be neither investigated nor denied.
//!
//! # How it is decided
//! For active, listed credentials with a record: the record (or the list of vendors, for a
//! vendor's) names where its calls are logged, who reads those logs, and, at T0 and T1, the
//! business process they are held against. Where the register has a column of the log's fields, one
//! of them must identify the caller (key, client, principal). Medium; high at T0. Not evaluated
//! without a register. What has no record is INV-01's matter.
//!
//! # Remedy
//! Switch the logs on, with the identity in them.

use keymuster_api::{Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        recorded::{Recorded, Said},
    },
    inventory::Tier,
};

/// The check.
pub(in crate::audit::checks) struct NotAttributable;

static ABOUT: CheckAbout = CheckAbout {
    id: "GOV-05",
    slug: "not-attributable",
    title: "Use not attributable",
    why: "A call that no log links to an identity can be neither investigated nor denied.",
    decided: "no log source, nobody who reads it, no identity among its fields, or no business process at T0 and T1",
    remedy: "switch the logs on, with the identity in them",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for NotAttributable {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        for (ix, credential) in cx.credentials() {
            if !credential.listed || credential.status != Status::Active {
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
            let vendor = record.vendor.as_deref().and_then(|name| names.vendor(name));
            let of_vendor = vendor.and_then(|vendor| vendor.log_source.as_deref());
            let source = recorded.text(record, Said::LogSource).or(of_vendor);
            let (tier, _) = cx.tier(ix);
            let mut wrong: Vec<(&str, String)> = Vec::new();
            if source.is_none() {
                wrong.push(("log source", "none".to_owned()));
            }
            if recorded.text(record, Said::LogReviewer).is_none() {
                wrong.push(("log reviewer", "none".to_owned()));
            }
            let fields = recorded.list(record, Said::LogFields);
            if !fields.is_empty() && !fields.iter().any(|field| names_caller(field)) {
                let says = format!("{}: none identifies the caller", fields.join(", "));
                wrong.push(("fields of the log", says));
            }
            let business = recorded.text(record, Said::BusinessProcess);
            if tier <= Tier::T1 && business.is_none() {
                wrong.push(("business process", "none".to_owned()));
            }
            if wrong.is_empty() {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let row = record.source.to_string();
                for (what, says) in &wrong {
                    draft.evidence(what, says.as_str(), row.as_str());
                }
                draft.evidence("logged in", source.unwrap_or_default(), row.as_str());
                let logs = match cx.text(credential.provider) {
                    "aws" => "CloudTrail (management and data events)",
                    "github" => "the organisation's audit log with token ids",
                    "gitlab" => "GitLab's audit events",
                    _ => "the logs of the system it opens",
                };
                draft.remedy(format!(
                    "switch on {logs}, and name in record {} ({row}) where they are, who reads them, and for which business process",
                    record.id
                ));
            });
        }
    }
}

/// Whether a field of a log identifies who called.
fn names_caller(field: &str) -> bool {
    const WORDS: &[&str] = &[
        "key",
        "keyid",
        "accesskeyid",
        "client",
        "clientid",
        "principal",
        "identity",
        "user",
        "caller",
        "subject",
        "sub",
        "tokenid",
        "actor",
        "arn",
    ];
    let lower = field.to_lowercase();
    let squeezed: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut parts = lower.split(|c: char| !c.is_alphanumeric());
    WORDS.contains(&squeezed.as_str()) || parts.any(|part| WORDS.contains(&part))
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use super::names_caller;
    use crate::{audit::checks::testing::World, context::Vendor, inventory::Tier};

    fn logged() -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.said(0, "Log source", "cloudtrail");
        world.said(0, "Log reviewer", "secops");
        world
    }

    fn unsaid(world: &mut World, column: &str) {
        world.inventory.as_mut().expect("given").records[0]
            .extra
            .remove(column);
    }

    #[test]
    fn true_no_source_reviewer_or_identity() {
        for (column, label) in [
            ("Log source", "log source"),
            ("Log reviewer", "log reviewer"),
        ] {
            let mut world = logged();
            unsaid(&mut world, column);
            let finding = world.finding("GOV-05");
            assert_eq!(
                (finding.severity, finding.evidence[0].label.as_str()),
                (Severity::Medium, label)
            );
        }
        let mut world = logged();
        world.said(0, "Log fields", "time, path, status");
        assert_eq!(
            world.finding("GOV-05").evidence[0].label,
            "fields of the log"
        );
        world.said(0, "Log fields", "time, client id");
        world.assert_passes("GOV-05");
        assert!(names_caller("accessKeyId") && !names_caller("monkey") && !names_caller("status"));
    }

    #[test]
    fn true_t0_and_t1_need_a_business_process() {
        for (tier, severity) in [(Tier::T0, Severity::High), (Tier::T1, Severity::Medium)] {
            let mut world = logged();
            world.inventory.as_mut().expect("given").records[0].tier = Some(tier);
            assert_eq!(world.finding("GOV-05").severity, severity);
            world.said(0, "Business process", "payout");
            world.assert_passes("GOV-05");
        }
    }

    #[test]
    fn near_miss_the_vendors_logs_count() {
        let mut world = logged();
        unsaid(&mut world, "Log source");
        world.inventory.as_mut().expect("given").records[0].vendor = Some("Twilio".to_owned());
        world.context.vendors = Some(vec![Vendor {
            name: "twilio".to_owned(),
            contract: None,
            contract_end: None,
            ended: false,
            playbook: None,
            log_source: Some("gateway".to_owned()),
            owner: None,
            source: "vendors.csv:2".to_owned(),
        }]);
        world.assert_passes("GOV-05");
        world.credential(0).status = Status::Disabled;
        world.assert_ignores("GOV-05");
    }

    #[test]
    fn missing_inventory() {
        let mut world = logged();
        world.inventory = None;
        world.assert_lacks("GOV-05", "inventory");
    }
}
