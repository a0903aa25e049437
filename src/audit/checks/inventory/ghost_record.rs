//! INV-02: the register knows a credential that does not exist.
//!
//! # Why
//! A register that lists what is gone is not believed about the rest; and what vanished
//! without a record of its end was perhaps moved, not revoked.
//!
//! # How it is decided
//! For records in force whose identifiers a complete listing would show (an access key id, the
//! ARN of a user or role) and whose account was seen completely, without gaps. A record that
//! matches a credential or names a principal that exists passes. All other records are not
//! evaluated: a database login is not gone because no connector lists it. Low; medium in
//! production.
//!
//! # Remedy
//! Retire the record with proof of the revocation.

use std::collections::BTreeSet;

use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject,
        scope::{Scopes, account_scope},
    },
    inventory::{Record, RecordStatus, Tier},
};

/// The check.
pub(in crate::audit::checks) struct GhostRecord;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-02",
    slug: "ghost-record",
    title: "Ghost record",
    why: "A register that lists what is gone is not believed about the rest.",
    decided: "a record in force matches nothing, although everything of its account was listed",
    remedy: "retire the record with proof of the revocation",
    needs: &[Input::Inventory, Input::Discovered, Input::Coverage],
};

impl Check for GhostRecord {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let Some(inventory) = cx.inventory else {
            return;
        };
        let scopes = Scopes::of(cx);
        let identities = cx.estate.identities.iter();
        let principals: BTreeSet<&str> = identities.map(|identity| cx.text(identity.key)).collect();
        let mentioned: BTreeSet<u32> = cx.matches.also.iter().flatten().map(|m| m.record).collect();
        let near: BTreeSet<u32> = cx
            .matches
            .to_confirm
            .iter()
            .flatten()
            .map(|m| m.record)
            .collect();
        for (ix, record) in (0..).zip(&inventory.records) {
            if !in_force(record) {
                continue;
            }
            let subject = Subject::Record(ix);
            let matched = cx
                .matches
                .of_record
                .get(ix as usize)
                .is_some_and(|all| !all.is_empty());
            if matched || mentioned.contains(&ix) || names_principal(&principals, record) {
                out.pass(&subject);
                continue;
            }
            if near.contains(&ix) {
                out.not_evaluated_because(&subject, "inventory: match to be confirmed");
                continue;
            }
            let Some((scope, identifier)) = shown_by(record, &scopes) else {
                out.not_evaluated(&subject, Input::Coverage);
                continue;
            };
            let tier = cx
                .tier_from(Some(record), false, cx.environment(Some(record), None))
                .0;
            let severity = match tier {
                Tier::T1 => Severity::Medium,
                _ => Severity::Low,
            };
            out.fail(subject, severity, |draft| {
                let source = record.source.to_string();
                draft.evidence("recorded", identifier, source.as_str());
                draft.evidence("recorded status", status_word(record), source);
                for coverage in cx.estate.gathered.coverage.iter().filter(|c| c.scope == scope) {
                    let counted = format!("{} {} of {scope}, complete", coverage.received, coverage.what);
                    draft.evidence("seen", counted, coverage.source.locator.as_str());
                }
                draft.remedy(format!(
                    "set record {} to revoked with the date and the proof (an event of {scope}), or correct its identifiers",
                    record.id
                ));
            });
        }
    }
}

fn in_force(record: &Record) -> bool {
    matches!(
        record.status,
        None | Some(RecordStatus::Active | RecordStatus::Exception)
    )
}

fn status_word(record: &Record) -> &'static str {
    record
        .status
        .map_or("active (none given)", RecordStatus::as_str)
}

/// Whether an identifier of the record is a principal that exists: one record may stand for a
/// role that has no credentials.
fn names_principal(principals: &BTreeSet<&str>, record: &Record) -> bool {
    let mut identifiers = record.identifiers.iter();
    identifiers.any(|id| principals.contains(id.value.as_str()))
}

/// The complete scope that would show the record's credential, and by which identifier.
fn shown_by<'r>(record: &'r Record, scopes: &Scopes<'_>) -> Option<(String, &'r str)> {
    record.identifiers.iter().find_map(|id| {
        let value = id.value.as_str();
        let (account, counted): (Option<String>, &[&str]) = if value.starts_with("arn:aws") {
            let mut parts = value.split(':').skip(2);
            if parts.next() != Some("iam") {
                return None;
            }
            let account = parts.nth(1).map(str::to_owned);
            let kind = parts.next()?;
            if kind.starts_with("user/") {
                (account, &["user", "identit", "principal"])
            } else if kind.starts_with("role/") {
                (account, &["role", "identit", "principal"])
            } else {
                return None;
            }
        } else if id.scheme == "access_key_id" && value.starts_with("AKIA") {
            (account_of(record), &["key", "credential"])
        } else {
            return None;
        };
        let scope = account_scope("aws", &account?);
        let counts = scopes.all.get(&scope)?.whats.iter();
        let counted = counts
            .flat_map(|what| counted.iter().map(move |word| what.contains(word)))
            .any(|says| says);
        (counted && scopes.is_complete(&scope)).then_some((scope, value))
    })
}

/// The twelve digits of the record's account, or of one of its ARNs.
fn account_of(record: &Record) -> Option<String> {
    let texts = record
        .account
        .iter()
        .chain(record.identifiers.iter().map(|id| &id.value));
    texts
        .flat_map(|text| text.split(|c: char| !c.is_ascii_digit()))
        .find(|digits| digits.len() == 12)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use keymuster_api::{IdentityKind, Severity};

    use crate::{
        audit::checks::testing::{ACCOUNT, World},
        inventory::{Identifier, Record, RecordStatus},
    };

    fn identified(record: &mut Record, scheme: &str, value: String) {
        record.identifiers = vec![Identifier {
            scheme: scheme.to_owned(),
            value,
        }];
    }

    /// A record of a key that no account lists.
    fn ghost(world: &mut World) -> &mut Record {
        let (_, record) = world.record("R-1");
        identified(
            record,
            "access_key_id",
            format!("{}TEST9", concat!("AK", "IA")),
        );
        record
    }

    #[test]
    fn true_gone_from_a_complete_account() {
        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}"));
        ghost(&mut world);
        let finding = world.finding("INV-02");
        assert_eq!(finding.severity, Severity::Low);
        assert_eq!(finding.subject_key, "record:register:R-1");
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value.contains("complete"))
        );
        ghost_prod(&mut world);
        assert_eq!(world.finding("INV-02").severity, Severity::Medium);
    }

    fn ghost_prod(world: &mut World) {
        let records = &mut world.inventory.as_mut().expect("given").records;
        records[0].environment = Some("prod".to_owned());
    }

    #[test]
    fn near_miss_ended_or_matched_or_a_principal() {
        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}"));
        ghost(&mut world).status = Some(RecordStatus::Revoked);
        world.assert_ignores("INV-02");

        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}"));
        let key = world.key("deploy");
        world.registered(key);
        world.assert_passes("INV-02");

        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}")).what = "roles".to_owned();
        world.identity(IdentityKind::Role, "batch");
        let (_, record) = world.record("R-1");
        identified(record, "arn", format!("arn:aws:iam::{ACCOUNT}:role/batch"));
        world.assert_passes("INV-02");
    }

    #[test]
    fn near_miss_what_the_listing_would_not_show() {
        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}"));
        let (_, record) = world.record("R-1");
        record.credential_type = Some("database_login".to_owned());
        identified(
            record,
            "arn",
            format!("arn:aws:rds:eu-west-1:{ACCOUNT}:db:main"),
        );
        world.assert_lacks("INV-02", "coverage");
    }

    #[test]
    fn missing_coverage() {
        let mut world = World::new();
        ghost(&mut world);
        world.assert_lacks("INV-02", "coverage");
        world.covered(&format!("aws:{ACCOUNT}")).complete = false;
        world.assert_lacks("INV-02", "coverage");
        // Only roles were listed: that says nothing of keys.
        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}")).what = "roles".to_owned();
        ghost(&mut world);
        world.assert_lacks("INV-02", "coverage");
        let mut world = World::new();
        world.covered(&format!("aws:{ACCOUNT}"));
        world.gap("credential-report.csv");
        ghost(&mut world);
        world.assert_lacks("INV-02", "coverage");
    }
}
