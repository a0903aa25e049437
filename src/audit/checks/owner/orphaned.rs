//! OWN-02: the owner left, or nobody is left of the team.
//!
//! # Why
//! The credential outlives the person who answered for it, who may still know it.
//!
//! # How it is decided
//! The owner (from the record, else from a claim) is looked up in the people directory: a
//! person who ended, or a team without an active member, is an orphan. An end that lies ahead
//! is none yet. An owner the directory does not know is not evaluated: it may be a mailbox, a
//! contractor, or a spelling. High; critical where the leaver could read the secret (made it,
//! or brought it into the source).
//!
//! # Remedy
//! Give it a new owner, and rotate it.

use keymuster_api::{ClaimRole, Severity, Status};

use crate::{
    audit::{Check, CheckAbout, CheckCx, Findings, Input, Party, Subject, words},
    estate::Credential,
    inventory::Person,
};

/// The check.
pub(in crate::audit::checks) struct Orphaned;

static ABOUT: CheckAbout = CheckAbout {
    id: "OWN-02",
    slug: "orphaned",
    title: "Orphaned: owner left or team dissolved",
    why: "The credential outlives the person who answered for it, who may still know it.",
    decided: "the owner has ended in the people directory, or the team has no active member",
    remedy: "give it a new owner, and rotate it",
    needs: &[Input::Inventory, Input::People],
};

impl Check for Orphaned {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, credential) in cx.credentials() {
            if credential.status == Status::Revoked {
                continue;
            }
            let record = cx.record_of(ix);
            let Some(owner) = cx.owner(record, &credential.claims) else {
                continue;
            };
            let subject = Subject::Credential(ix);
            match out.party(&owner.party) {
                None => out.not_evaluated(&subject, Input::People),
                Some(Party::Unknown) => {
                    out.not_evaluated_because(&subject, "people: owner unknown to the directory");
                }
                Some(Party::Active(_) | Party::Team(_)) => out.pass(&subject),
                Some(Party::Dissolved(team)) => out.fail(subject, Severity::High, |draft| {
                    draft.evidence("owner", owner.party.as_str(), owner.source.as_str());
                    let members = format!("{} members, none active", team.members.len());
                    draft.evidence("team", members, "people directory");
                    draft.remedy(format!(
                        "give it a new owner, and {}",
                        words::rotate(cx, ix)
                    ));
                }),
                Some(Party::Left(person)) => {
                    let reader = could_read(cx, out, credential, person);
                    out.fail(subject, Severity::High, |draft| {
                        draft.evidence("owner", owner.party.as_str(), owner.source.as_str());
                        let left = person.ended_at.map_or_else(
                            || "ended, date unknown".to_owned(),
                            |at| format!("{at}, {} days ago", cx.days_since(at)),
                        );
                        draft.evidence("left", left, person.source.as_str());
                        draft.evidence(
                            "manager",
                            person.manager.clone().unwrap_or_default(),
                            person.source.as_str(),
                        );
                        if let Some((how, source)) = reader {
                            draft.at_least(Severity::Critical);
                            draft.evidence("could read the secret", how, source);
                        }
                        draft.remedy(format!(
                            "give it a new owner, and {}",
                            words::rotate(cx, ix)
                        ));
                    });
                }
            }
        }
    }
}

/// How the leaver came to know the secret, if they did.
fn could_read(
    cx: &CheckCx<'_>,
    out: &Findings<'_>,
    credential: &Credential,
    person: &Person,
) -> Option<(&'static str, String)> {
    let is_person = |name: &str| out.party(name) == Some(Party::Left(person));
    let made = cx
        .estate
        .claims(&credential.claims)
        .filter(|claim| matches!(claim.role, ClaimRole::Creator | ClaimRole::Author))
        .find(|claim| is_person(&claim.party))
        .map(|claim| ("made it", claim.source.locator.clone()));
    made.or_else(|| {
        cx.estate
            .sightings(credential)
            .filter(|sighting| !sighting.public)
            .find(|sighting| {
                sighting
                    .introduced
                    .iter()
                    .flatten()
                    .any(|c| is_person(&c.author))
            })
            .map(|sighting| ("brought it into the source", cx.place(sighting)))
    })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{ClaimRole, Severity, Status};

    use crate::{audit::checks::testing::World, inventory::PersonStatus};

    #[test]
    fn true_the_manager_must_act() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = Some("Ada@acme.example".to_owned());
        world.person("ada", PersonStatus::Ended).manager = Some("mia".to_owned());
        world.person("mia", PersonStatus::Active);
        let finding = world.finding("OWN-02");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.route_to, "mia@acme.example");
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value.contains("20 days ago"))
        );
        world.claim(key, ClaimRole::Creator, "ada");
        assert_eq!(world.finding("OWN-02").severity, Severity::Critical);
    }

    #[test]
    fn true_the_team_or_security_must_act_when_the_manager_left_too() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.person("ada", PersonStatus::Ended).manager = Some("mia".to_owned());
        world.person("mia", PersonStatus::Ended);
        assert_eq!(world.finding("OWN-02").route_to, "security");
        world.team("payments", true);
        assert_eq!(world.finding("OWN-02").route_to, "payments");
    }

    #[test]
    fn true_a_dissolved_team() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = Some("team:Atlas".to_owned());
        world.team("atlas", false);
        assert_eq!(world.finding("OWN-02").severity, Severity::High);
    }

    #[test]
    fn near_miss_active_owner_or_revoked_credential() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        // The end lies ahead: still active today.
        let ada = world.person("ada", PersonStatus::Active);
        ada.ended_at = Some(crate::audit::checks::testing::ago(-30));
        world.assert_passes("OWN-02");
        world.people.as_mut().expect("given").people[0].status = PersonStatus::Ended;
        world.credential(key).status = Status::Revoked;
        world.assert_ignores("OWN-02");
    }

    #[test]
    fn missing_directory_or_unknown_owner() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = Some("platform-mailbox".to_owned());
        world.assert_lacks("OWN-02", "people: owner unknown to the directory");
        world.people = None;
        world.assert_lacks("OWN-02", "people");
    }
}
