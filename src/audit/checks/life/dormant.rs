//! LIF-06: not used for long, or never.
//!
//! # Why
//! What nobody uses, nobody misses: until somebody else uses it.
//!
//! # How it is decided
//! For listed credentials that are not disabled or revoked: days since the last use, or, where
//! the system says that it was never used, since creation, against the policy's window.
//! Without usage telemetry it is not evaluated: unknown is not unused. Medium; high for
//! administrators. A secret of GitHub is never used where all pipelines that get it were read and
//! none names it, or where another slot of its name stands before it for all of them: medium.
//!
//! # Remedy
//! Disable it, wait, delete it.

use keymuster_api::{Known, Severity, Slot, Status, store};

use crate::audit::{Check, CheckAbout, CheckCx, Findings, Input, Subject, words};

/// The check.
pub(in crate::audit::checks) struct Dormant;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-06",
    slug: "dormant",
    title: "Dormant or never used",
    why: "What nobody uses, nobody misses: until somebody else uses it.",
    decided: "days since the last use, or since creation if never used, against the policy's window",
    remedy: "disable it, wait, delete it",
    needs: &[Input::Discovered, Input::Usage],
};

impl Check for Dormant {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let window = i64::from(cx.policy.dormant.days);
        for (ix, credential) in cx.credentials() {
            if !credential.listed || matches!(credential.status, Status::Disabled | Status::Revoked)
            {
                continue;
            }
            let subject = Subject::Credential(ix);
            let since = match (credential.last_used, credential.created) {
                (Known::Known(used), _) => Some(("last use", used)),
                (Known::Never, Known::Known(created)) => Some(("never used, created", created)),
                (Known::Never, _) => {
                    out.not_evaluated(&subject, Input::Discovered);
                    continue;
                }
                _ => None,
            };
            let Some((label, at)) = since else {
                orphan(cx, ix, &subject, out);
                continue;
            };
            let idle = cx.days_since(at);
            if idle <= window {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                draft.evidence(
                    label,
                    format!("{at}, {idle} days ago"),
                    cx.sources(credential),
                );
                if let Some(what) = credential.last_used_for {
                    draft.evidence("last used for", cx.text(what), cx.sources(credential));
                }
                draft.evidence(
                    "window",
                    format!("{window} d"),
                    format!("policy {}: {}", cx.policy.name, cx.policy.dormant.source),
                );
                draft.over_limit(idle, window);
                draft.remedy(words::disable_and_delete(cx, ix));
            });
        }
    }
}

/// A slot that no pipeline names: without telemetry, what reads slots must tell.
fn orphan(cx: &CheckCx<'_>, ix: u32, subject: &Subject, out: &mut Findings<'_>) {
    let named_only = [store::ACTIONS_SECRET, store::DEPENDABOT_SECRET];
    let all = (0..).zip(&cx.estate.gathered.slots);
    let held: Vec<(usize, &Slot)> = all
        .filter(|(at, slot)| {
            let usage = cx.estate.usage.slots.get(*at);
            usage.is_some_and(|usage| usage.credential == Some(ix))
                && named_only.contains(&slot.store.as_str())
        })
        .collect();
    let usage = |at: usize| &cx.estate.usage.slots[at];
    let is_orphan = |at: usize| {
        usage(at).all_read && usage(at).named.is_empty() && usage(at).perhaps.is_empty()
    };
    if held.is_empty()
        || cx.estate.usage.count(ix) > 0
        || !held.iter().all(|(at, _)| is_orphan(*at))
    {
        out.not_evaluated(subject, Input::Usage);
        return;
    }
    out.fail(subject.clone(), Severity::Medium, |draft| {
        for (at, slot) in &held {
            let names = slot.source.locator.as_str();
            match usage(*at).shadowed_by.first() {
                Some(&other) => {
                    let other = &cx.estate.gathered.slots[other as usize];
                    draft.evidence("stands behind", other.key.0.as_str(), names);
                }
                None => draft.evidence("named by", "no pipeline that gets it", names),
            }
        }
        draft.title(format!("No pipeline uses it: {}", cx.label(cx.credential(ix))));
        draft.remedy("make sure that nothing outside the repositories names it, revoke its value where it was issued, and delete the slot");
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::{IdentityKind, Known, Severity, Status};

    use crate::audit::{
        Policy,
        checks::testing::{World, ago},
    };

    /// One secret of a repository whose pipelines were read or not, and whether a job names it.
    fn slot(read: bool, named: bool) -> World {
        let name = if named { "KEY" } else { "OTHER" };
        let mut world = World::pipeline(&["KEY"], name, |_| {});
        if !read {
            let coverage = &mut world.estate.gathered.coverage;
            coverage.retain(|one| one.what != "pipelines and manifests");
            world.join();
        }
        world
    }

    #[test]
    fn true_a_slot_that_no_pipeline_names() {
        let finding = slot(true, false).finding("LIF-06");
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.subject_key, "github:acme/app:actions.secret:KEY");
    }

    #[test]
    fn near_miss_a_slot_that_is_named_or_may_be() {
        slot(true, true).assert_lacks("LIF-06", "usage");
        slot(false, false).assert_lacks("LIF-06", "usage");
    }

    #[test]
    fn true_unused_and_never_used() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.credential(key).last_used = Known::Known(ago(46));
        let finding = world.finding("LIF-06");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(
            finding
                .remediation
                .starts_with("disable it: aws iam update-access-key")
        );
        world.credential(key).last_used = Known::Never;
        world.credential(key).created = Known::Known(ago(46));
        assert!(
            world.finding("LIF-06").evidence[0]
                .label
                .starts_with("never used")
        );
    }

    #[test]
    fn true_an_administrator_is_high() {
        let mut world = World::new();
        let admin = world.identity(IdentityKind::User, "boss");
        world.admin(admin);
        let key = world.key_of(admin);
        world.credential(key).last_used = Known::Known(ago(46));
        assert_eq!(world.finding("LIF-06").severity, Severity::High);
    }

    #[test]
    fn near_miss_inside_the_window() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.credential(key).last_used = Known::Known(ago(45));
        world.assert_passes("LIF-06");
        // Never used, but made 30 days ago: it may still be on its way.
        world.credential(key).last_used = Known::Never;
        world.assert_passes("LIF-06");
        world.credential(key).last_used = Known::Known(ago(80));
        world.policy = Policy::preset("pci").expect("shipped");
        world.assert_passes("LIF-06");
        world.credential(key).last_used = Known::Known(ago(800));
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("LIF-06");
    }

    #[test]
    fn missing_telemetry() {
        let mut world = World::new();
        let key = world.key("deploy");
        for absence in [
            Known::Unknown,
            Known::Denied,
            Known::Unsupported,
            Known::Absent,
        ] {
            world.credential(key).last_used = absence;
            world.assert_lacks("LIF-06", "usage");
        }
        world.credential(key).last_used = Known::Never;
        world.credential(key).created = Known::Unknown;
        world.assert_lacks("LIF-06", "discovered");
    }
}
