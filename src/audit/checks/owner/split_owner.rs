//! OWN-04: several answer for it, which is nobody.
//!
//! # Why
//! Each of two owners waits for the other.
//!
//! # How it is decided
//! For credentials that somebody must answer for: the record's owner, owners in tags and other
//! claims, and the owner of the API or system that the record names are held against each other.
//! A person and their team are one side. Where the record has an agreement (`split`) between the
//! owner of the API and that of the credential, those two are no conflict. A shared system with
//! several product teams and nobody who decides on its policy, and a business unit of the policy
//! with a control point that nobody has, are findings of their own. Medium; high at T0. Not
//! evaluated where no source names any owner.
//!
//! # Remedy
//! One accountable owner; record the rest as technical owners.

use keymuster_api::{ClaimRole, Severity};

use super::is_same_side;
use crate::{
    audit::{
        Check, CheckAbout, CheckCx, ControlPoints, Directory, EntryKind, Findings, Input, Subject,
        recorded::{Recorded, Said},
    },
    context::{Names, System, SystemKind},
};

/// The check.
pub(in crate::audit::checks) struct SplitOwner;

static ABOUT: CheckAbout = CheckAbout {
    id: "OWN-04",
    slug: "split-owner",
    title: "Split ownership",
    why: "Each of two owners waits for the other.",
    decided: "record, tags and the catalogue name owners that are neither one party nor a person and their team",
    remedy: "one accountable owner; record the rest as technical owners",
    needs: &[Input::Inventory, Input::Catalogue],
};

impl Check for SplitOwner {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let directory = cx.people.map(Directory::new);
        let names = cx.context.names();
        let recorded = Recorded::of(cx.inventory);
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) {
                continue;
            }
            let subject = Subject::Credential(ix);
            let claims = claims(cx, ix, &names, &recorded);
            if claims.is_empty() {
                let missing = match cx.inventory {
                    None => Input::Inventory,
                    Some(_) => Input::Discovered,
                };
                out.not_evaluated(&subject, missing);
                continue;
            }
            let (first, rest) = (&claims[0], &claims[1..]);
            let is_split = rest
                .iter()
                .any(|other| !is_same_side(directory.as_ref(), &first.party, &other.party));
            if !is_split {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                for claim in &claims {
                    draft.evidence(claim.what, claim.party.as_str(), claim.source.as_str());
                }
                draft.remedy(format!(
                    "agree on one accountable owner ({} is named first), write it into the register, and record the others as technical owners",
                    first.party
                ));
            });
        }
        for system in cx
            .context
            .systems
            .iter()
            .flatten()
            .filter(|system| !system.retired)
        {
            shared(system, out);
        }
        for (unit, points) in &cx.policy.practice.control_points {
            control_points(cx, unit, points, out);
        }
    }
}

struct Claim {
    what: &'static str,
    party: String,
    source: String,
}

fn claims(cx: &CheckCx<'_>, ix: u32, names: &Names<'_>, recorded: &Recorded<'_>) -> Vec<Claim> {
    let credential = cx.credential(ix);
    let record = cx.record_of(ix);
    let mut all = Vec::new();
    if let Some((record, owner)) = record.and_then(|record| Some((record, record.owner.as_ref()?)))
    {
        for party in parties(owner) {
            all.push(Claim {
                what: "owner in the register",
                party: party.to_owned(),
                source: record.source.to_string(),
            });
        }
    }
    for claim in cx.estate.claims(&credential.claims) {
        if claim.role == ClaimRole::Owner && !claim.party.trim().is_empty() {
            all.push(Claim {
                what: "owner claimed",
                party: claim.party.clone(),
                source: claim.source.locator.clone(),
            });
        }
    }
    let Some(record) = record else {
        return all;
    };
    // An agreement between the owner of the API and that of the credential answers it.
    if recorded.text(record, Said::Split).is_some() {
        return all;
    }
    let opened = recorded
        .list(record, Said::Apis)
        .into_iter()
        .chain(record.system.as_deref());
    for system in opened.flat_map(|name| names.systems(name)) {
        if let Some(owner) = &system.owner {
            all.push(Claim {
                what: "owner in the catalogue",
                party: owner.clone(),
                source: format!("{}: {}", system.source, system.name),
            });
        }
    }
    all
}

/// The owners in one cell: parts between semicolons, or several mails. A `/` or an `and` may belong
/// to the name of a team.
fn parties(owner: &str) -> Vec<&str> {
    let mails = owner.trim_start_matches('@').matches('@').count() > 1;
    let parts: Vec<&str> = if mails {
        owner
            .split(|c: char| c.is_whitespace() || ";,/&<>".contains(c))
            .filter(|part| part.contains('@'))
            .collect()
    } else {
        owner.split([';', '\n']).collect()
    };
    let parts = parts.into_iter().map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// A system that several product teams build on needs somebody who decides on its policy.
fn shared(system: &System, out: &mut Findings<'_>) {
    if system.teams.len() < 2 {
        return;
    }
    let kind = match system.kind {
        SystemKind::Api => EntryKind::Api,
        SystemKind::System | SystemKind::Platform => EntryKind::System,
    };
    let subject = Subject::Entry(kind, system.name.clone());
    if system.policy_owner.is_some() {
        out.pass(&subject);
        return;
    }
    out.fail(subject, Severity::Medium, |draft| {
        draft.title(format!(
            "Shared platform without a policy owner: {}",
            system.name
        ));
        draft.evidence("teams", system.teams.join(", "), system.source.as_str());
        draft.evidence("policy owner", "none", system.source.as_str());
        draft.remedy(format!(
            "name in {} who decides on the access policy of {} (policy_owner)",
            system.source, system.name
        ));
    });
}

fn control_points(cx: &CheckCx<'_>, unit: &str, points: &ControlPoints, out: &mut Findings<'_>) {
    let holes: Vec<&str> = [
        ("standards", &points.standards),
        ("runtime", &points.runtime),
        ("lifecycle", &points.lifecycle),
        ("evidence", &points.evidence),
    ]
    .into_iter()
    .filter_map(|(name, team)| team.is_none().then_some(name))
    .collect();
    let subject = Subject::Entry(EntryKind::Unit, unit.to_owned());
    if holes.is_empty() {
        out.pass(&subject);
        return;
    }
    out.fail(subject, Severity::Medium, |draft| {
        draft.title(format!("Control points without a team: {unit}"));
        let place = format!("policy {}: control-points.{unit}", cx.policy.name);
        draft.evidence("nobody answers for", holes.join(", "), place.as_str());
        draft.remedy(format!("name a team for {} in {place}", holes.join(", ")));
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::{ClaimRole, Severity};

    use crate::{
        audit::{ControlPoints, checks::testing::World},
        context::SystemKind,
        inventory::{PersonStatus, Tier},
    };

    #[test]
    fn true_record_and_tag_disagree() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.claim(key, ClaimRole::Owner, "growth");
        let finding = world.finding("OWN-04");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence.len(), 2);
        world.inventory.as_mut().expect("given").records[0].tier = Some(Tier::T0);
        assert_eq!(world.finding("OWN-04").severity, Severity::High);
    }

    #[test]
    fn true_two_in_one_cell_or_the_owner_of_the_api() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = Some("ada@acme.example; bob@acme.example".to_owned());
        assert_eq!(world.findings("OWN-04").len(), 1);
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.system(SystemKind::Api, "payments").owner = Some("growth".to_owned());
        assert_eq!(world.findings("OWN-04").len(), 1);
        world.said(
            0,
            "split",
            "API: growth, credential: ada, agreed 2026-01-01",
        );
        world.assert_passes("OWN-04");
    }

    #[test]
    fn true_a_shared_platform_and_a_hole() {
        let mut world = World::new();
        let teams = ["shop", "billing"].map(str::to_owned).to_vec();
        world.system(SystemKind::Platform, "gateway").teams = teams;
        let finding = world.finding("OWN-04");
        assert_eq!(finding.subject_key, "system:gateway");
        world.context.systems.as_mut().expect("given")[0].policy_owner = Some("appsec".to_owned());
        let team = || Some("x".to_owned());
        let unit = ControlPoints {
            standards: team(),
            runtime: team(),
            lifecycle: None,
            evidence: team(),
        };
        let points = &mut world.policy.practice.control_points;
        points.insert("retail".to_owned(), unit);
        let finding = world.finding("OWN-04");
        assert_eq!(finding.evidence[0].value, "lifecycle");
        points_of(&mut world).lifecycle = team();
        assert_eq!(world.findings("OWN-04"), []);
    }

    fn points_of(world: &mut World) -> &mut ControlPoints {
        let points = &mut world.policy.practice.control_points;
        points.get_mut("retail").expect("it is there")
    }

    #[test]
    fn near_miss_a_person_and_their_team() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.person("ada", PersonStatus::Active);
        world.team("payments", true);
        world.claim(key, ClaimRole::Owner, "@acme/Payments");
        world.claim(key, ClaimRole::Creator, "growth");
        world.system(SystemKind::Api, "payments").owner = Some("ADA@acme.example".to_owned());
        world.assert_passes("OWN-04");
        // Another person of the same team is another owner.
        world.person("bob", PersonStatus::Active);
        world.claim(key, ClaimRole::Owner, "bob@acme.example");
        assert_eq!(world.findings("OWN-04").len(), 1);
    }

    #[test]
    fn near_miss_names_with_a_slash_or_an_and() {
        for name in [
            "@acme/payments",
            "Sales and Operations",
            "R&D",
            "Ada <ada@acme.example>",
        ] {
            let mut world = World::new();
            let key = world.key("deploy");
            world.registered(key).owner = Some(name.to_owned());
            world.assert_passes("OWN-04");
        }
    }

    #[test]
    fn missing_any_owner() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).owner = None;
        world.assert_lacks("OWN-04", "discovered");
        world.inventory = None;
        world.assert_lacks("OWN-04", "inventory");
    }
}
