//! EXP-02: a pipeline's store holds it so that more can read it than must.
//!
//! # Why
//! A variable that every branch and every log sees is one pull request away from everybody.
//!
//! # How it is decided
//! For slots of stores whose flags were read. GitLab's variables that hold a credential (by their
//! flags, name or value): masked (or hidden), protected, and not for all environments. Organisation secrets of GitHub: not visible to all repositories.
//! Readable variables (of Actions, of agents) that hold a secret. Slots that a job gets which runs
//! what anybody proposes (`pull_request_target` with a checkout of the proposal): high. Slots of
//! production's environments that take every branch and need no review. Variables of GitLab that are
//! not protected where pipelines of forks run in the project: high. Names that no
//! slot has, where all slots of the scopes are known: low, because whoever may make such a slot gets
//! into the job. Medium; high where the slot is
//! production's, or visible to every repository. The finding is about the credential, where its
//! value was seen, else about the slot's scope and name. Not evaluated where a store's flags were
//! not listed.
//!
//! # Remedy
//! Mask, protect, scope; or read it from a vault.

use std::collections::BTreeMap;

use keymuster_api::{Consumer, SecretId, Severity, Slot};

use crate::audit::{
    Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Subject,
    checks::places::{Stage, stage},
    settings::surroundings,
};

/// The check.
pub(in crate::audit::checks) struct WeaklyHeld;

static ABOUT: CheckAbout = CheckAbout {
    id: "EXP-02",
    slug: "weakly-held",
    title: "Weakly held in CI or runtime",
    why: "A variable that every branch and every log sees is one pull request away from everybody.",
    decided: "a slot is neither masked nor protected, is for all environments or repositories, or is readable and holds a secret",
    remedy: "mask, protect, scope; or read it from a vault",
    needs: &[Input::Locations],
};

impl Check for WeaklyHeld {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let mut by_secret: BTreeMap<SecretId, u32> = BTreeMap::new();
        for (ix, credential) in cx.credentials() {
            if let Some(secret) = credential.secret {
                by_secret.insert(secret, ix);
            }
        }
        let mut by_subject: BTreeMap<Subject, Vec<Held<'_>>> = BTreeMap::new();
        for (at, slot) in cx.estate.gathered.slots.iter().enumerate() {
            if !is_ci(slot) {
                continue;
            }
            let usage = cx.estate.usage.slots.get(at);
            let own = usage.and_then(|usage| usage.credential);
            let known = own.or_else(|| by_secret.get(&slot.secret?).copied());
            let subject = match known {
                Some(ix) => Subject::Credential(ix),
                // GitLab keeps configuration and secrets in one list: what nothing says to be a
                // secret may lie open.
                None if slot.store == "gitlab.variable" => continue,
                None => Subject::Entry(EntryKind::Slot, slot.key.0.clone()),
            };
            let named = usage.map_or(&[][..], |usage| &usage.named);
            let held = Held {
                slot,
                proposals: named.iter().find_map(|&number| proposals(cx, number)),
                around: surroundings::weakness(cx, slot),
            };
            by_subject.entry(subject).or_default().push(held);
        }
        for (subject, slots) in by_subject {
            judge(subject, &slots, out);
        }
        phantoms(cx, out);
    }
}

/// The stores whose flags say who reads.
fn is_ci(slot: &Slot) -> bool {
    matches!(
        slot.store.as_str(),
        "gitlab.variable" | "actions.secret" | "actions.variable" | "agents.variable"
    )
}

/// A slot, and a job that uses it while it runs what somebody proposes.
struct Held<'a> {
    slot: &'a Slot,
    proposals: Option<&'a Consumer>,
    /// What is weak about its environment or its project.
    around: Option<&'static str>,
}

/// The consumer of a use, if it runs proposals with the rights of the repository.
fn proposals<'a>(cx: &CheckCx<'a>, number: u32) -> Option<&'a Consumer> {
    let meant = cx.estate.usage.uses.get(number as usize)?;
    let consumer = cx.estate.gathered.consumers.get(meant.consumer? as usize)?;
    let mut properties = consumer.properties.iter();
    let runs = properties.any(|(name, value)| name == "runs-proposals" && value == "true");
    runs.then_some(consumer)
}

fn judge(subject: Subject, slots: &[Held<'_>], out: &mut Findings<'_>) {
    let mut wrong: Vec<(&Slot, Vec<&'static str>)> = Vec::new();
    let mut unknown = false;
    for held in slots {
        let mut weak = weaknesses(held.slot);
        if held.proposals.is_some() {
            weak.get_or_insert_default().push(PROPOSALS);
        }
        if let Some(around) = held.around {
            weak.get_or_insert_default().push(around);
        }
        match weak {
            None => unknown = true,
            Some(weak) if weak.is_empty() => {}
            Some(weak) => wrong.push((held.slot, weak)),
        }
    }
    if wrong.is_empty() {
        if unknown {
            out.not_evaluated(&subject, Input::Locations);
        } else {
            out.pass(&subject);
        }
        return;
    }
    let severe = wrong.iter().any(|(slot, weak)| {
        weak.contains(&ALL_REPOSITORIES)
            || weak.contains(&PROPOSALS)
            || weak.contains(&surroundings::FORKS)
            || environment(slot) == Some(Stage::Production)
    });
    let severity = if severe {
        Severity::High
    } else {
        Severity::Medium
    };
    out.fail(subject, severity, |draft| {
        for (slot, weak) in &wrong {
            let says = format!("{}: {}", slot.key.0, weak.join(", "));
            draft.evidence("slot", says, slot.source.locator.as_str());
        }
        for consumer in slots.iter().filter_map(|held| held.proposals) {
            let source = consumer.source.locator.as_str();
            draft.evidence("runs proposals", consumer.key.0.as_str(), source);
        }
        let (slot, _) = wrong[0];
        draft.remedy(match slot.store.as_str() {
            "gitlab.variable" => format!(
                "mask, protect and scope it: glab variable update {} --masked --protected --scope <environment>, in {}",
                slot.name, slot.scope
            ),
            "actions.secret" => format!(
                "let only the repositories have it that need it: gh secret set {} --repos <repositories>, in {}",
                slot.name, slot.scope
            ),
            _ => format!(
                "make it a secret instead of a variable ({} in {}), and rotate it: its value can be read",
                slot.name, slot.scope
            ),
        });
    });
}

/// Names that no slot has, where all slots are known: whoever may make one gets into the job.
fn phantoms(cx: &CheckCx<'_>, out: &mut Findings<'_>) {
    let mut missing: BTreeMap<String, Vec<&keymuster_api::SlotUse>> = BTreeMap::new();
    let uses = cx.estate.usage.uses.iter().zip(&cx.estate.gathered.uses);
    for (_, use_) in uses.filter(|(meant, _)| meant.phantom) {
        let own = use_.scopes.iter().find(|scope| !scope.contains('@'));
        if let (Some(scope), Some(name)) = (own, &use_.name) {
            let key = keymuster_api::slot_key(scope, &use_.store, name);
            missing.entry(key.0).or_default().push(use_);
        }
    }
    for (key, uses) in missing {
        out.fail(
            Subject::Entry(EntryKind::Slot, key.clone()),
            Severity::Low,
            |draft| {
                draft.title(format!("Named, and not there: {key}"));
                for use_ in &uses {
                    draft.evidence("named by", use_.by.0.as_str(), use_.source.locator.as_str());
                }
                draft.remedy(
                    "take the reference out, or make the slot in the scope that should have it",
                );
            },
        );
    }
}

const PROPOSALS: &str = "given to a job that runs what anybody proposes";
const ALL_REPOSITORIES: &str = "visible to all repositories";

/// What is weak about a slot; `None` where its flags were not listed.
fn weaknesses(slot: &Slot) -> Option<Vec<&'static str>> {
    let flag = |name: &str| {
        let mut all = slot.properties.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let mut weak = Vec::new();
    match slot.store.as_str() {
        "gitlab.variable" => {
            let masked = flag("masked")?;
            if masked != "true" && flag("hidden") != Some("true") {
                weak.push("not masked");
            }
            if flag("protected")? != "true" {
                weak.push("not protected");
            }
            if flag("environment-scope").is_none_or(|scope| scope == "*") {
                weak.push("for all environments");
            }
            // One flag alone is a way of working; a masked and protected one is held well.
            if weak == ["for all environments"] {
                weak.clear();
            }
        }
        "actions.secret" => {
            // Only an organisation's secrets have a visibility.
            if flag("visibility") == Some("all") {
                weak.push(ALL_REPOSITORIES);
            }
        }
        _ => {
            if slot.secret.is_some() {
                weak.push("a readable variable that holds a secret");
            }
        }
    }
    Some(weak)
}

fn environment(slot: &Slot) -> Option<Stage> {
    let scoped = slot
        .properties
        .iter()
        .find(|(name, _)| name == "environment-scope");
    let of_key = slot.scope.rsplit_once('@').map_or("", |(_, name)| name);
    stage(scoped.map_or(of_key, |(_, value)| value.as_str()))
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::audit::checks::testing::World;

    fn gitlab(flags: &[(&str, &str)]) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        let slot = world.slot(key, "gitlab:acme/web", "gitlab.variable", "KEY");
        slot.properties = flags
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        world
    }

    #[test]
    fn true_unmasked_or_unprotected() {
        let open = gitlab(&[
            ("masked", "false"),
            ("protected", "true"),
            ("environment-scope", "prod"),
        ]);
        let finding = open.finding("EXP-02");
        assert_eq!(finding.severity, Severity::High, "it is production's");
        assert!(finding.evidence[0].value.ends_with(": not masked"));
        let open = gitlab(&[
            ("masked", "true"),
            ("protected", "false"),
            ("environment-scope", "*"),
        ]);
        assert_eq!(open.finding("EXP-02").severity, Severity::Medium);
    }

    #[test]
    fn true_an_organisations_secret_for_all_and_a_readable_one() {
        let mut world = World::new();
        let slot = world.slot_of("github:acme", "actions.secret", "KEY");
        slot.properties
            .push(("visibility".to_owned(), "all".to_owned()));
        let finding = world.finding("EXP-02");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.subject_key, "slot:github:acme:actions.secret:KEY");
        let mut world = World::new();
        let key = world.key("deploy");
        world.slot(key, "github:acme/web", "actions.variable", "KEY");
        assert_eq!(world.finding("EXP-02").severity, Severity::Medium);
    }

    #[test]
    fn true_a_name_that_no_slot_has() {
        let finding = World::pipeline(&[], "GONE", |_| {}).finding("EXP-02");
        assert_eq!(finding.severity, Severity::Low);
        assert_eq!(
            finding.subject_key,
            "slot:github:acme/app:actions.secret:GONE"
        );
    }

    #[test]
    fn true_a_job_that_runs_proposals_gets_it() {
        let world = World::pipeline(&["KEY"], "KEY", |job| {
            let runs = ("runs-proposals".to_owned(), "true".to_owned());
            job.properties.push(runs);
        });
        assert_eq!(world.finding("EXP-02").severity, Severity::High);
    }

    #[test]
    fn near_miss_a_name_that_a_slot_has_or_may_have() {
        World::pipeline(&["KEY"], "KEY", |_| {}).assert_passes("EXP-02");
        let mut world = World::pipeline(&[], "GONE", |_| {});
        world.estate.gathered.coverage.pop();
        world.join();
        world.assert_ignores("EXP-02");
    }

    #[test]
    fn near_miss_masked_and_protected_or_selected() {
        let flags = [
            ("masked", "true"),
            ("protected", "true"),
            ("environment-scope", "*"),
        ];
        gitlab(&flags).assert_passes("EXP-02");
        let flags = [
            ("masked", "false"),
            ("hidden", "true"),
            ("protected", "true"),
        ];
        gitlab(&flags).assert_passes("EXP-02");
        let mut world = World::new();
        let slot = world.slot_of("github:acme", "actions.secret", "KEY");
        slot.properties
            .push(("visibility".to_owned(), "selected".to_owned()));
        world.assert_passes("EXP-02");
        let mut world = World::new();
        world.slot_of("vault", "vault", "secret/x");
        world.assert_ignores("EXP-02");
    }

    #[test]
    fn missing_flags() {
        gitlab(&[("masked", "true")]).assert_lacks("EXP-02", "locations");
    }
}
