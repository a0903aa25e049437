//! EXP-02: a pipeline's store holds it so that more can read it than must.
//!
//! # Why
//! A variable that every branch and every log sees is one pull request away from everybody.
//!
//! # How it is decided
//! For slots of stores whose flags were read. GitLab's variables: masked (or hidden), protected,
//! and not for all environments. Organisation secrets of GitHub: not visible to all repositories.
//! Readable variables (of Actions, of agents) that hold a secret. Medium; high where the slot is
//! production's, or visible to every repository. The finding is about the credential, where its
//! value was seen, else about the slot's scope and name. Not evaluated where a store's flags were
//! not listed.
//!
//! # Remedy
//! Mask, protect, scope; or read it from a vault.

use std::collections::BTreeMap;

use keymuster_api::{SecretId, Severity, Slot};

use crate::audit::{
    Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Subject,
    checks::places::{Stage, stage},
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
        let mut by_subject: BTreeMap<Subject, Vec<&Slot>> = BTreeMap::new();
        for slot in cx.estate.gathered.slots.iter().filter(|slot| is_ci(slot)) {
            let known = slot.secret.and_then(|secret| by_secret.get(&secret));
            let subject = match known {
                Some(&ix) => Subject::Credential(ix),
                None => Subject::Entry(EntryKind::Slot, slot.key.0.clone()),
            };
            by_subject.entry(subject).or_default().push(slot);
        }
        for (subject, slots) in by_subject {
            judge(subject, &slots, out);
        }
    }
}

/// The stores whose flags say who reads.
fn is_ci(slot: &Slot) -> bool {
    matches!(
        slot.store.as_str(),
        "gitlab.variable" | "actions.secret" | "actions.variable" | "agents.variable"
    )
}

fn judge(subject: Subject, slots: &[&Slot], out: &mut Findings<'_>) {
    let mut wrong: Vec<(&Slot, Vec<&'static str>)> = Vec::new();
    let mut unknown = false;
    for slot in slots {
        match weaknesses(slot) {
            None => unknown = true,
            Some(weak) if weak.is_empty() => {}
            Some(weak) => wrong.push((slot, weak)),
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
        weak.contains(&ALL_REPOSITORIES) || environment(slot) == Some(Stage::Production)
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
