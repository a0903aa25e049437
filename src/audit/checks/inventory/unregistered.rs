//! INV-01: a credential exists that the register does not know.
//!
//! # Why
//! Nobody approved it, nobody knows why it exists, nobody will remove it.
//!
//! # How it is decided
//! Every credential that a system lists and has not revoked, and every secret found in a
//! source (medium confidence or better, no test, not suppressed, not plainly expired), must
//! have a record at 0.80 or above. A public identifier alone is no credential. Where a record
//! at 0.60 or above waits for confirmation, that is INV-04's, and this check has no answer; nor
//! has it for a key whose id was not listed, unless a record covers its principal.
//! High; low where it is disabled; critical for administrators.
//!
//! # Remedy
//! Register it with owner and purpose, or revoke it.

use keymuster_api::{ClaimRole, Known, Severity, Status};

use crate::audit::{
    Check, CheckAbout, CheckCx, Draft, Findings, Input, Modifier, Subject,
    checks::status_word,
    listing::{Listing, NO_KEY_ID},
    words,
};

/// The check.
pub(in crate::audit::checks) struct Unregistered;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-01",
    slug: "unregistered",
    title: "Unregistered credential",
    why: "Nobody approved it, nobody knows why it exists, nobody will remove it.",
    decided: "listed and not revoked, or found as a secret in a source, without a record at 0.80 or above",
    remedy: "register it with owner and purpose, or revoke it",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for Unregistered {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let listing = Listing::of(cx);
        for (ix, credential) in cx
            .credentials()
            .filter(|(_, credential)| cx.is_live(credential))
        {
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
            } else if listing.is_open(ix) {
                out.not_evaluated_because(&subject, NO_KEY_ID);
            } else if cx.matched(ix).is_some() {
                out.pass(&subject);
            } else if cx.is_unconfirmed(ix) {
                out.not_evaluated_because(&subject, "inventory: match to be confirmed");
            } else {
                let severity = match credential.status {
                    Status::Disabled => Severity::Low,
                    _ => Severity::High,
                };
                out.fail(subject, severity, |draft| describe(cx, ix, draft));
            }
        }
    }
}

fn describe(cx: &CheckCx<'_>, ix: u32, draft: &mut Draft<'_>) {
    let credential = cx.credential(ix);
    if credential.status == Status::Disabled {
        // "Low if disabled" is the whole of it: an administrator's disabled key stays low.
        draft.ignore(Modifier::Privilege);
    }
    let listed_by = cx.sources(credential);
    if credential.listed {
        draft.evidence("listed", cx.label(credential), listed_by.as_str());
        draft.evidence("status", status_word(credential.status), listed_by.as_str());
    }
    if let Known::Known(at) = credential.created {
        draft.evidence("created", at.to_string(), listed_by.as_str());
    }
    if let Some(identity) = cx.estate.identity_of(credential) {
        draft.evidence("principal", cx.text(identity.key), listed_by.as_str());
    }
    if let Some(sighting) = cx.leaks(credential).next() {
        draft.evidence("seen as a secret", &*sighting.rule, cx.place(sighting));
    }
    if let Some(at) = cx.first_exposed(credential) {
        draft.evidence("first seen", at.to_string(), "history");
    }
    for claim in cx.estate.claims(&credential.claims) {
        if claim.role == ClaimRole::Creator {
            draft.evidence(
                "creator",
                claim.party.as_str(),
                claim.source.locator.as_str(),
            );
        }
    }
    let nearest = cx
        .matches
        .nearest
        .get(ix as usize)
        .map_or(&[][..], Vec::as_slice);
    for near in nearest.iter().take(3) {
        if let Some(record) = cx.record(near.record) {
            let value = format!("{} at {:.2}: {}", record.id, near.score, near.because);
            draft.evidence("nearest record", value, record.source.to_string());
        }
    }
    if nearest.is_empty() {
        draft.evidence("nearest record", "none", "the register");
    }
    draft.remedy(format!(
        "register it with owner, approver, purpose and end, or {}",
        words::revoke(cx, ix)
    ));
}

#[cfg(test)]
mod tests {
    use keymuster_api::{ClaimRole, Confidence, IdentityKind, Severity, Status};

    use crate::audit::checks::testing::{World, matching, suppressed};
    use crate::inventory::MatchKey;

    #[test]
    fn true_listed_and_seen() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.claim(key, ClaimRole::Creator, "dora@acme.example");
        let (record, _) = world.record("R-9");
        world.near(key, record, 0.4);
        let secret = world.secret("github.pat");
        world.seen(secret, "payments-api", "src/a.py");
        let findings = world.findings("INV-01");
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().all(|f| f.severity == Severity::High));
        let listed = findings
            .iter()
            .find(|f| f.provider == "aws")
            .expect("the key");
        assert!(listed.evidence.iter().any(|e| e.label == "creator"));
        assert!(
            listed
                .evidence
                .iter()
                .any(|e| e.value.starts_with("R-9 at 0.40"))
        );
        assert!(
            listed
                .remediation
                .contains("--status Inactive --user-name deploy")
        );
    }

    #[test]
    fn true_admin_is_critical_and_disabled_is_low() {
        let mut world = World::new();
        let admin = world.identity(IdentityKind::User, "root-ish");
        world.admin(admin);
        let key = world.key_of(admin);
        assert_eq!(world.finding("INV-01").severity, Severity::Critical);
        world.credential(key).status = Status::Disabled;
        assert_eq!(world.finding("INV-01").severity, Severity::Low);
    }

    #[test]
    fn near_miss_registered_or_revoked() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.assert_passes("INV-01");
        let mut world = World::new();
        let key = world.key("deploy");
        world.credential(key).status = Status::Revoked;
        world.assert_ignores("INV-01");
    }

    #[test]
    fn near_miss_sightings_that_are_no_credential() {
        let mut world = World::new();
        let secret = world.secret("generic.secret");
        world.seen(secret, "a", "src/a.py").confidence = Confidence::Low;
        world.seen(secret, "a", "src/b.py").public = true;
        world.seen(secret, "a", "tests/c.py");
        world.seen(secret, "a", "README.md").suppressed = suppressed(None);
        world.assert_ignores("INV-01");
        // A suppression that has run out covers nothing.
        world.seen(secret, "a", "src/d.py").suppressed = suppressed(Some("2026-05-01"));
        assert_eq!(world.findings("INV-01").len(), 1);
    }

    #[test]
    fn missing_inventory_or_confirmation() {
        let mut world = World::new();
        let key = world.key("deploy");
        let (record, _) = world.record("R-1");
        world.matches.to_confirm[key as usize].push(matching(key, record, MatchKey::Hint, 0.7));
        world.assert_lacks("INV-01", "inventory: match to be confirmed");
        world.inventory = None;
        world.assert_lacks("INV-01", "inventory");
    }

    #[test]
    fn missing_key_id() {
        let mut world = World::new();
        let key = world.unnamed_key("deploy");
        world.assert_lacks("INV-01", "discovered: its key id was not listed");
        // A record of its user covers it; one of a key may be that of another key.
        let (record, row) = world.record("R-1");
        row.identifiers[0].scheme = "arn".to_owned();
        world.accept(key, record, MatchKey::Principal);
        world.assert_passes("INV-01");
        let records = &mut world.inventory.as_mut().expect("given").records;
        records[0].identifiers[0].scheme = "access_key_id".to_owned();
        world.assert_lacks("INV-01", "discovered: its key id was not listed");
        // Where all keys were listed, one without an id is one that has none.
        world.matches.accepted[key as usize] = None;
        world.estate.gathered.coverage[0].complete = true;
        assert_eq!(world.findings("INV-01").len(), 1);
    }
}
