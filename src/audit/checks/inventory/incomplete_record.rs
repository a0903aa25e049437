//! INV-06: a record lacks what its tier asks for.
//!
//! # Why
//! Who approved it, why does it exist, when will it be removed: a record that cannot answer
//! is no record.
//!
//! # How it is decided
//! Each record in force is held against the fields that the policy makes mandatory for its
//! tier. Placeholders count as empty. A reason for having no end stands for an end. Requests
//! are still being filled in, and ended records are history: neither is judged. Medium; high
//! at T0.
//!
//! # Remedy
//! Fill in what is missing; ask for it at release.

use keymuster_api::Severity;

use crate::{
    audit::{Check, CheckAbout, CheckCx, Field, Findings, Input, Subject},
    inventory::{Record, RecordStatus},
};

/// The check.
pub(in crate::audit::checks) struct IncompleteRecord;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-06",
    slug: "incomplete-record",
    title: "Incomplete record",
    why: "A record that cannot say who approved it, why it exists and when it ends is no record.",
    decided: "a field that the policy makes mandatory for the record's tier is empty",
    remedy: "fill in what is missing; ask for it at release",
    needs: &[Input::Inventory],
};

impl Check for IncompleteRecord {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let Some(inventory) = cx.inventory else {
            return;
        };
        for (ix, record) in (0..).zip(&inventory.records) {
            if matches!(
                record.status,
                Some(RecordStatus::Requested | RecordStatus::Revoked | RecordStatus::Retired)
            ) {
                continue;
            }
            let subject = Subject::Record(ix);
            let (tier, why) = cx.tier_of_record(ix);
            let missing: Vec<&str> = cx
                .policy
                .mandatory(tier)
                .iter()
                .filter(|field| is_empty(record, **field))
                .map(|field| word(*field))
                .collect();
            if missing.is_empty() {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                let row = record.source.to_string();
                draft.evidence("empty", missing.join(", "), row.as_str());
                draft.evidence("tier", format!("{}: {why}", tier.as_str()), row.as_str());
                draft.remedy(format!(
                    "fill in {} of record {} ({row})",
                    missing.join(", "),
                    record.id
                ));
            });
        }
    }
}

fn is_empty(record: &Record, field: Field) -> bool {
    match field {
        Field::CredentialType => record.credential_type.is_none(),
        Field::Identifiers => record.identifiers.is_empty(),
        Field::System => record.system.is_none(),
        Field::Owner => record.owner.is_none(),
        Field::Approver => record.approver.is_none(),
        Field::ApprovedAt => record.approved_at.is_none(),
        Field::Purpose => record.purpose.is_none(),
        Field::Scope => record.scope.is_empty(),
        Field::Expiry => record.expires_at.is_none() && record.no_expiry_reason.is_none(),
        Field::RevocationPath => record.revocation_path.is_none(),
        Field::RecoveryProcedure => record.recovery_procedure.is_none(),
    }
}

fn word(field: Field) -> &'static str {
    match field {
        Field::CredentialType => "credential_type",
        Field::Identifiers => "identifiers",
        Field::System => "system",
        Field::Owner => "owner",
        Field::Approver => "approver",
        Field::ApprovedAt => "approved_at",
        Field::Purpose => "purpose",
        Field::Scope => "scope",
        Field::Expiry => "expires_at or no_expiry_reason",
        Field::RevocationPath => "revocation_path",
        Field::RecoveryProcedure => "recovery_procedure",
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::World,
        inventory::{RecordStatus, Tier},
    };

    #[test]
    fn true_fields_are_named() {
        let mut world = World::new();
        let (_, record) = world.record("R-1");
        record.approver = None;
        record.expires_at = None;
        let finding = world.finding("INV-06");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.evidence[0].value,
            "approver, expires_at or no_expiry_reason"
        );
        assert_eq!(finding.evidence[0].source, "inventory.csv:2");
        let (_, record) = world.record("R-2");
        record.scope.clear();
        record.tier = Some(Tier::T0);
        assert_eq!(world.findings("INV-06")[0].severity, Severity::High);
    }

    #[test]
    fn near_miss_a_reason_for_no_end_and_a_low_tier() {
        let mut world = World::new();
        let (_, record) = world.record("R-1");
        record.expires_at = None;
        record.no_expiry_reason = Some("hardware cannot change it".to_owned());
        world.assert_passes("INV-06");
        let mut world = World::new();
        let (_, record) = world.record("R-1");
        record.tier = Some(Tier::T3);
        record.approver = None;
        record.recovery_procedure = None;
        world.assert_passes("INV-06");
    }

    #[test]
    fn near_miss_requests_and_ended_records() {
        let mut world = World::new();
        for status in [
            RecordStatus::Requested,
            RecordStatus::Revoked,
            RecordStatus::Retired,
        ] {
            let (_, record) = world.record("R-1");
            record.status = Some(status);
            record.owner = None;
        }
        world.assert_ignores("INV-06");
    }

    #[test]
    fn missing_inventory() {
        let mut world = World::new();
        world.record("R-1").1.owner = None;
        world.inventory = None;
        world.assert_ignores("INV-06");
    }
}
