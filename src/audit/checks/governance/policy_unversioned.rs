//! GOV-03: the access policy has no version, no review, or is everybody's default.
//!
//! # Why
//! A policy that nobody wrote for this service allows what some other service needed.
//!
//! # How it is decided
//! For APIs whose gateway or catalogue shows a policy: it must have a version or commit, and its
//! last review must be younger than the policy's cadence for the tier, by somebody; and no more
//! services than the policy allows may share the very same rules. Low; medium at T0. For vaulted
//! credentials whose record names an API: that API's policy must have a review. Not evaluated where
//! nothing shows a policy.
//!
//! # Remedy
//! Version it with the service.

use std::collections::BTreeMap;

use keymuster_api::Severity;

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Modifier, Subject,
        subject::months_later,
    },
    context::{System, SystemKind},
    inventory::Tier,
};

/// The check.
pub(in crate::audit::checks) struct PolicyUnversioned;

static ABOUT: CheckAbout = CheckAbout {
    id: "GOV-03",
    slug: "policy-unversioned",
    title: "Access policy unversioned, foreign or default",
    why: "A policy that nobody wrote for this service allows what some other service needed.",
    decided: "an API's policy has no version, no recent review, or is shared by too many services",
    remedy: "version it with the service",
    needs: &[Input::Catalogue],
};

impl Check for PolicyUnversioned {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let apis = cx.context.systems.iter().flatten();
        let apis: Vec<&System> = apis
            .filter(|api| api.kind == SystemKind::Api && !api.retired)
            .collect();
        let mut shared: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for api in &apis {
            if let Some(policy) = api
                .policy
                .as_ref()
                .filter(|policy| !policy.digest.is_empty())
            {
                shared.entry(&policy.digest).or_default().push(&api.name);
            }
        }
        for api in apis {
            let subject = Subject::Entry(EntryKind::Api, api.name.clone());
            let Some(policy) = &api.policy else {
                out.not_evaluated(&subject, Input::Catalogue);
                continue;
            };
            let mut wrong: Vec<(&str, String)> = Vec::new();
            if policy.version.is_none() {
                wrong.push(("version", "none".to_owned()));
            }
            let months = cx.policy.review_months[api.tier.unwrap_or(Tier::T2) as usize];
            let due = policy.reviewed_at.map(|at| months_later(at, months));
            match due {
                None => wrong.push(("review", "none".to_owned())),
                Some(due) if due < cx.now => {
                    wrong.push(("review", format!("was due {}", due)));
                }
                Some(_) if policy.reviewer.is_none() => {
                    wrong.push(("reviewer", "none".to_owned()));
                }
                Some(_) => {}
            }
            let same = shared.get(policy.digest.as_str()).map_or(0, Vec::len);
            let most = cx.policy.practice.shared_policies as usize;
            if policy.digest.is_empty() {
                wrong.push(("rules of its own", "none: the gateway's default".to_owned()));
            } else if same > most {
                wrong.push(("shared", format!("by {same} services, at most {most}")));
            }
            if wrong.is_empty() {
                out.pass(&subject);
                continue;
            }
            let severity = match api.tier {
                Some(Tier::T0) => Severity::Medium,
                _ => Severity::Low,
            };
            out.fail(subject, severity, |draft| {
                draft.ignore(Modifier::Tier);
                for (what, says) in &wrong {
                    draft.evidence(what, says.as_str(), api.source.as_str());
                }
                let reviewer = policy.reviewer.clone().unwrap_or_default();
                draft.evidence("last reviewer", reviewer, api.source.as_str());
                draft.remedy(format!(
                    "keep the policy of {} beside its code, with a version, and have its owner review it ({})",
                    api.name, api.source
                ));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::{World, ago},
        context::{PolicyRef, SystemKind},
        inventory::Tier,
    };

    fn world(change: impl FnOnce(&mut PolicyRef)) -> World {
        let mut world = World::new();
        let mut policy = PolicyRef {
            digest: "a".to_owned(),
            version: Some("4f2a".to_owned()),
            reviewer: Some("ada".to_owned()),
            reviewed_at: Some(ago(92)),
        };
        change(&mut policy);
        world.system(SystemKind::Api, "orders").policy = Some(policy);
        world
    }

    #[test]
    fn true_no_version_review_or_reviewer() {
        type Change = fn(&mut PolicyRef);
        let cases: [(Change, &str); 5] = [
            (|p| p.version = None, "version"),
            (|p| p.reviewed_at = None, "review"),
            (|p| p.reviewed_at = Some(ago(93)), "review"),
            (|p| p.reviewer = None, "reviewer"),
            (|p| p.digest.clear(), "rules of its own"),
        ];
        for (change, label) in cases {
            let finding = world(change).finding("GOV-03");
            assert_eq!(
                (finding.severity, finding.evidence[0].label.as_str()),
                (Severity::Low, label)
            );
        }
        let mut high = world(|p| p.version = None);
        high.context.systems.as_mut().expect("given")[0].tier = Some(Tier::T0);
        assert_eq!(high.finding("GOV-03").severity, Severity::Medium);
    }

    #[test]
    fn true_shared_by_too_many() {
        let mut world = world(|_| {});
        let policy = world.context.systems.as_ref().expect("given")[0]
            .policy
            .clone();
        for name in ["b", "c"] {
            world.system(SystemKind::Api, name).policy = policy.clone();
        }
        assert_eq!(world.findings("GOV-03"), [], "three may share");
        world.system(SystemKind::Api, "d").policy = policy;
        assert_eq!(world.findings("GOV-03").len(), 4);
    }

    #[test]
    fn near_miss_reviewed_in_time() {
        world(|_| {}).assert_passes("GOV-03");
        let mut retired = world(|p| p.version = None);
        retired.context.systems.as_mut().expect("given")[0].retired = true;
        retired.assert_ignores("GOV-03");
    }

    #[test]
    fn missing_any_policy() {
        let mut world = World::new();
        world.system(SystemKind::Api, "orders");
        world.assert_lacks("GOV-03", "catalogue");
    }
}
