//! OWN-01: nobody answers for a credential.
//!
//! # Why
//! Nobody will renew it, revoke it, or pick up the telephone when it leaks.
//!
//! # How it is decided
//! For every credential that must be registered (see INV-01): neither its record nor a tag or
//! other owner claim names an owner. Creators, authors and maintainers of the place are
//! candidates, not owners. Not evaluated without an inventory, where a match waits for
//! confirmation, for a key whose id was not listed, and where the principal's tags were not
//! exported. High; critical for administrators and at T0.
//!
//! # Remedy
//! Assign one person or team.

use keymuster_api::{ClaimRole, Severity};

use crate::audit::{
    Check, CheckAbout, CheckCx, Findings, Input, Subject,
    listing::{Listing, NO_KEY_ID, NO_TAGS},
};

/// The check.
pub(in crate::audit::checks) struct NoOwner;

static ABOUT: CheckAbout = CheckAbout {
    id: "OWN-01",
    slug: "no-owner",
    title: "No accountable owner",
    why: "Nobody will renew it, revoke it, or answer when it leaks.",
    decided: "neither the record nor a tag or other owner claim names an owner",
    remedy: "assign one person or team",
    needs: &[Input::Inventory, Input::Discovered],
};

impl Check for NoOwner {
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
            let open = listing.is_open(ix);
            let record = cx.record_of(ix).filter(|_| !open);
            if cx.owner(record, &credential.claims).is_some() {
                out.pass(&subject);
                continue;
            }
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
                continue;
            }
            if open {
                out.not_evaluated_because(&subject, NO_KEY_ID);
                continue;
            }
            if listing.lacks_tags(ix) {
                out.not_evaluated_because(&subject, NO_TAGS);
                continue;
            }
            if cx.is_unconfirmed(ix) {
                out.not_evaluated_because(&subject, "inventory: match to be confirmed");
                continue;
            }
            out.fail(subject, Severity::High, |draft| {
                let row =
                    record.map_or_else(|| "the register".to_owned(), |r| r.source.to_string());
                let says = record.map_or_else(
                    || "no record".to_owned(),
                    |record| format!("record {} names none", record.id),
                );
                draft.evidence("owner in the register", says, row);
                let claims = cx.estate.claims(&credential.claims);
                let asked = claims
                    .filter(|claim| claim.role == ClaimRole::Owner)
                    .count();
                draft.evidence("owner claims", asked.to_string(), "tags and other claims");
                let shown: Vec<(String, String)> = draft
                    .candidates()
                    .iter()
                    .take(3)
                    .map(|c| (format!("{}, {}", c.party, c.role), c.source.clone()))
                    .collect();
                let first = shown.first().map(|(value, _)| value.clone());
                for (value, source) in shown {
                    draft.evidence("candidate", value, source);
                }
                draft.remedy(match first {
                    Some(candidate) => {
                        format!("assign one person or team in the register; ask first: {candidate}")
                    }
                    None => "assign one person or team in the register; nobody is near it, so \
                             disable it if nobody comes forward"
                        .to_owned(),
                });
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::{ClaimRole, IdentityKind, Severity};

    use crate::{
        audit::checks::testing::{ACCOUNT, World},
        inventory::PersonStatus,
    };

    #[test]
    fn true_candidates_are_ranked_and_leavers_are_none() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = None;
        world.person("dora", PersonStatus::Active);
        world.person("gone", PersonStatus::Ended);
        world.claim(key, ClaimRole::Creator, "gone@acme.example");
        world.claim(key, ClaimRole::Author, "dora@acme.example");
        world.claim(key, ClaimRole::Maintainer, "@acme/unknown");
        let finding = world.finding("OWN-01");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.owner, "");
        // Somebody the directory knows comes before a better role it does not know.
        assert_eq!(finding.route_to, "dora@acme.example");
        assert!(!finding.evidence.iter().any(|e| e.value.contains("gone")));
        assert!(
            finding
                .score_terms
                .iter()
                .any(|term| term.name == "ownerless")
        );
    }

    #[test]
    fn true_admin_is_critical_and_goes_to_security() {
        let mut world = World::new();
        let admin = world.identity(IdentityKind::User, "boss");
        world.admin(admin);
        world.key_of(admin);
        let finding = world.finding("OWN-01");
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(finding.route_to, "security");
    }

    #[test]
    fn near_miss_a_tag_names_the_owner() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = None;
        world.claim(key, ClaimRole::Owner, "payments");
        world.assert_passes("OWN-01");
    }

    #[test]
    fn missing_inventory() {
        let mut world = World::new();
        world.key("deploy");
        world.inventory = None;
        world.assert_lacks("OWN-01", "inventory");
    }

    #[test]
    fn missing_key_id() {
        let mut world = World::new();
        let key = world.unnamed_key("deploy");
        world.assert_lacks("OWN-01", "discovered: its key id was not listed");
        // A tag of its user answers, whatever the key is called.
        world.claim(key, ClaimRole::Owner, "payments");
        world.assert_passes("OWN-01");
    }

    #[test]
    fn missing_tags() {
        let mut world = World::new();
        world.key("deploy");
        let counted = world.covered(&format!("aws:{ACCOUNT}"));
        "users".clone_into(&mut counted.what);
        counted.complete = false;
        assert_eq!(world.findings("OWN-01").len(), 1);
        // Policies and tags come in one document: without the one the other was not seen.
        world.privileges[0] = None;
        world.assert_lacks(
            "OWN-01",
            "discovered: its principal's tags were not exported",
        );
    }
}
