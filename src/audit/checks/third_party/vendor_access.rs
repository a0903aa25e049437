//! TPO-02: somebody outside has access without a contract or a way to end it, or after the end.
//!
//! # Why
//! When the relation ends, somebody must know what to switch off; after it ended, nobody looks.
//!
//! # How it is decided
//! For credentials that somebody must answer for and whose record names a vendor or says that a
//! partner or third party holds them: the vendor must stand in the list of vendors, with a contract
//! that has not ended (or the record's own), a playbook for taking its access away, and, for
//! partners, a place where its calls are logged. High; critical after the end. Not evaluated
//! without a list of vendors.
//!
//! # Remedy
//! Revoke by the playbook.

use keymuster_api::{Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        checks::life::is_third_party,
        recorded::{Recorded, Said},
        words,
    },
    context::Names,
    inventory::Record,
};

/// The check.
pub(in crate::audit::checks) struct VendorAccess;

static ABOUT: CheckAbout = CheckAbout {
    id: "TPO-02",
    slug: "vendor-access",
    title: "Vendor or partner access without contract or playbook, or after exit",
    why: "When the relation ends, somebody must know what to switch off.",
    decided: "the vendor is in no list, has no contract or playbook, or its contract has ended",
    remedy: "revoke by the playbook",
    needs: &[Input::Inventory, Input::Vendors],
};

impl Check for VendorAccess {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let Some(record) = cx.record_of(ix) else {
                continue;
            };
            let outside = record.trust_tier.as_deref().is_some_and(is_third_party);
            if record.vendor.is_none() && !outside {
                continue;
            }
            let subject = Subject::Credential(ix);
            if cx.context.vendors.is_none() {
                out.not_evaluated(&subject, Input::Vendors);
                continue;
            }
            let (wrong, ended) = faults(cx, &names, &recorded, record);
            if wrong.is_empty() {
                out.pass(&subject);
                continue;
            }
            let severity = if ended {
                Severity::Critical
            } else {
                Severity::High
            };
            out.fail(subject, severity, |draft| {
                let row = record.source.to_string();
                let vendor = record.vendor.clone().unwrap_or_default();
                draft.evidence("vendor", vendor.as_str(), row.as_str());
                for (what, says, source) in &wrong {
                    draft.evidence(what, says.as_str(), source.as_str());
                }
                let playbook = names
                    .vendor(&vendor)
                    .and_then(|vendor| vendor.playbook.clone());
                draft.remedy(match (ended, playbook) {
                    (true, Some(playbook)) => {
                        format!("follow {playbook}: {}", words::revoke(cx, ix))
                    }
                    (true, None) => format!("{}, and write the playbook", words::revoke(cx, ix)),
                    _ => format!(
                        "complete the vendor's entry in the list of vendors, and record {} ({row})",
                        record.id
                    ),
                });
            });
        }
    }
}

/// What is wrong, and whether the relation has ended.
fn faults(
    cx: &CheckCx<'_>,
    names: &Names<'_>,
    recorded: &Recorded<'_>,
    record: &Record,
) -> (Vec<(&'static str, String, String)>, bool) {
    let row = record.source.to_string();
    let mut wrong = Vec::new();
    let mut ended = false;
    if let Some(Ok(end)) = recorded.time(record, Said::ContractEnd)
        && end < cx.now
    {
        ended = true;
        wrong.push(("contract ended", end.to_string(), row.clone()));
    }
    let Some(name) = record.vendor.as_deref() else {
        wrong.push(("vendor", "none is named".to_owned(), row));
        return (wrong, ended);
    };
    let Some(vendor) = names.vendor(name) else {
        wrong.push((
            "list of vendors",
            format!("has no {name}"),
            "vendors".to_owned(),
        ));
        return (wrong, ended);
    };
    let source = || vendor.source.clone();
    if let Some(end) = vendor.contract_end.filter(|end| *end < cx.now) {
        ended = true;
        wrong.push(("contract ended", end.to_string(), source()));
    }
    if vendor.ended {
        ended = true;
        wrong.push(("relation", "ended".to_owned(), source()));
    }
    if vendor.contract.is_none() && recorded.text(record, Said::ContractRef).is_none() {
        wrong.push(("contract", "none".to_owned(), source()));
    }
    if vendor.playbook.is_none() {
        wrong.push(("playbook", "none".to_owned(), source()));
    }
    let logged = vendor.log_source.is_some() || recorded.text(record, Said::LogSource).is_some();
    if record.trust_tier.as_deref() == Some("partner") && !logged {
        wrong.push(("log source", "none".to_owned(), source()));
    }
    (wrong, ended)
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago},
        context::Vendor,
    };

    fn world(change: impl FnOnce(&mut Vendor)) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).vendor = Some("TWILIO".to_owned());
        let mut vendor = Vendor {
            name: "Twilio".to_owned(),
            contract: Some("C-7".to_owned()),
            contract_end: Some(ago(-1)),
            ended: false,
            playbook: Some("RB-1".to_owned()),
            log_source: None,
            owner: None,
            source: "vendors.csv:2".to_owned(),
        };
        change(&mut vendor);
        world.context.vendors = Some(vec![vendor]);
        world
    }

    #[test]
    fn true_after_the_end_is_critical() {
        let finding = world(|v| v.contract_end = Some(ago(1))).finding("TPO-02");
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.remediation.starts_with("follow RB-1: "));
        assert_eq!(
            world(|v| v.ended = true).finding("TPO-02").severity,
            Severity::Critical
        );
        let own = world(|_| {});
        let mut own = own;
        own.said(0, "contract_end", "2026-05-30");
        assert_eq!(own.finding("TPO-02").severity, Severity::Critical);
    }

    #[test]
    fn true_without_contract_playbook_or_entry() {
        for change in [
            (|v: &mut Vendor| v.contract = None) as fn(&mut Vendor),
            |v| v.playbook = None,
            |v| v.name = "Other".to_owned(),
        ] {
            assert_eq!(world(change).finding("TPO-02").severity, Severity::High);
        }
        let mut partner = world(|_| {});
        partner.inventory.as_mut().expect("given").records[0].trust_tier =
            Some("partner".to_owned());
        assert_eq!(partner.finding("TPO-02").evidence[1].label, "log source");
        partner.said(0, "log_source", "gateway logs");
        partner.assert_passes("TPO-02");
        partner.inventory.as_mut().expect("given").records[0].vendor = None;
        assert_eq!(partner.finding("TPO-02").evidence[0].value, "none is named");
    }

    #[test]
    fn near_miss_in_force_or_inside() {
        world(|_| {}).assert_passes("TPO-02");
        let mut inside = world(|v| v.ended = true);
        inside.credential(0).status = Status::Disabled;
        inside.assert_ignores("TPO-02");
        inside.credential(0).status = Status::Active;
        let record = &mut inside.inventory.as_mut().expect("given").records[0];
        record.vendor = None;
        record.trust_tier = Some("internal_workload".to_owned());
        inside.assert_ignores("TPO-02");
    }

    #[test]
    fn missing_list_of_vendors() {
        let mut world = world(|_| {});
        world.context.vendors = None;
        world.assert_lacks("TPO-02", "vendors");
    }
}
