//! LIF-03: older than the policy lets a secret grow.
//!
//! # Why
//! Everybody who ever saw it can still use it.
//!
//! # How it is decided
//! For listed credentials that are not disabled or revoked: days since the rotation the system
//! proves (a never-rotated one counts from creation) against the matrix of sensitivity by
//! exposure. Sensitivity is the highest of the record's data classes, else the kind's.
//! Exposure is: leaked, if the secret itself was found in a source and the time for that has
//! passed; third-party, if the record
//! says so; CI, if a slot holds it; vaulted, if the record names a vault; else external. For
//! cloud access keys the policy's own maximum counts if it is shorter, and so does the
//! record's. What the record claims of a rotation proves nothing. Medium; high past twice the
//! limit and at T0; critical where it is exposed.
//!
//! # Remedy
//! Rotate it.

use std::collections::BTreeSet;

use keymuster_api::{Known, SecretId, Severity, Status};

use crate::{
    audit::{Check, CheckAbout, CheckCx, Exposure, Findings, Input, Sensitivity, Subject, words},
    estate::Credential,
    inventory::Record,
};

/// The check.
pub(in crate::audit::checks) struct RotationOverdue;

static ABOUT: CheckAbout = CheckAbout {
    id: "LIF-03",
    slug: "rotation-overdue",
    title: "Rotation overdue",
    why: "Everybody who ever saw it can still use it.",
    decided: "days since the proven rotation against the matrix of sensitivity by exposure",
    remedy: "rotate it",
    needs: &[Input::Discovered],
};

/// A limit and how it came about.
struct Allowed {
    days: u32,
    because: String,
    source: String,
}

impl Check for RotationOverdue {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let slots = cx.estate.gathered.slots.iter();
        let in_slots: BTreeSet<SecretId> = slots.filter_map(|slot| slot.secret).collect();
        for (ix, credential) in cx.credentials() {
            if !credential.listed || matches!(credential.status, Status::Disabled | Status::Revoked)
            {
                continue;
            }
            let subject = Subject::Credential(ix);
            let proof = match (credential.rotated, credential.created) {
                (Known::Known(at), _) => Some(("last rotation, says the system", at)),
                (Known::Never, Known::Known(at)) => Some(("never rotated, created", at)),
                _ => None,
            };
            let Some((label, at)) = proof else {
                out.not_evaluated(&subject, Input::Discovered);
                continue;
            };
            let age = cx.days_since(at);
            let record = cx.record_of(ix);
            let sensitivity = sensitivity(cx, credential, record);
            let exposure = exposure(cx, credential, record, sensitivity, &in_slots);
            let allowed = allowed(cx, credential, record, sensitivity, exposure);
            let limit = i64::from(allowed.days);
            if age <= limit {
                out.pass(&subject);
                continue;
            }
            out.fail(subject, Severity::Medium, |draft| {
                draft.evidence(label, at.to_string(), cx.sources(credential));
                draft.evidence("age", format!("{age} d, at most {limit} d"), allowed.source);
                draft.evidence(
                    "limit",
                    allowed.because,
                    format!("policy {}", cx.policy.name),
                );
                if let Some((record, claimed)) = record.and_then(|r| Some((r, r.last_rotated_at?)))
                {
                    draft.evidence(
                        "last rotation, says the record",
                        claimed.to_string(),
                        record.source.to_string(),
                    );
                }
                if exposure == Exposure::Leaked {
                    draft.at_least(Severity::Critical);
                    if let Some(sighting) = cx.leaks(credential).next() {
                        draft.evidence("exposed", &*sighting.rule, cx.place(sighting));
                    }
                } else if age > limit * 2 {
                    draft.at_least(Severity::High);
                }
                draft.over_limit(age, limit);
                draft.remedy(words::rotate(cx, ix));
            });
        }
    }
}

fn allowed(
    cx: &CheckCx<'_>,
    credential: &Credential,
    record: Option<&Record>,
    sensitivity: Sensitivity,
    exposure: Exposure,
) -> Allowed {
    let matrix = Allowed {
        days: cx.policy.rotation_days(sensitivity, exposure),
        because: format!("{} by {}", sensitivity.as_str(), exposure.as_str()),
        source: cx.policy.rotation_source.clone(),
    };
    let kind = cx.text(credential.kind);
    let access_key = kind.contains("access-key") || kind.contains("access_key");
    let cloud = access_key.then(|| Allowed {
        days: cx.policy.access_keys.days,
        because: "a cloud access key".to_owned(),
        source: cx.policy.access_keys.source.clone(),
    });
    let own = record.and_then(|record| {
        Some(Allowed {
            days: record.rotation_days?,
            because: "its record's own interval".to_owned(),
            source: record.source.to_string(),
        })
    });
    // The first of equal limits: the matrix explains most.
    [cloud, own]
        .into_iter()
        .flatten()
        .fold(matrix, |least, other| {
            if other.days < least.days {
                other
            } else {
                least
            }
        })
}

fn exposure(
    cx: &CheckCx<'_>,
    credential: &Credential,
    record: Option<&Record>,
    sensitivity: Sensitivity,
    in_slots: &BTreeSet<SecretId>,
) -> Exposure {
    let identified = |scheme: &str| {
        record.is_some_and(|record| record.identifiers.iter().any(|id| id.scheme == scheme))
    };
    let in_slot = || {
        credential
            .secret
            .is_some_and(|secret| in_slots.contains(&secret))
    };
    let third_party = || {
        let tier = record.and_then(|record| record.trust_tier.as_deref());
        tier.is_some_and(super::is_third_party)
    };
    // What leaked an hour ago is not overdue yet.
    let overdue = || {
        let days = cx.policy.rotation_days(sensitivity, Exposure::Leaked);
        cx.first_exposed(credential)
            .is_none_or(|at| cx.now.as_second() - at.as_second() > i64::from(days) * 86_400)
    };
    if cx.leaks(credential).next().is_some() && overdue() {
        Exposure::Leaked
    } else if third_party() {
        Exposure::ThirdParty
    } else if identified("ci_variable") || in_slot() {
        Exposure::Ci
    } else if identified("vault_path") {
        Exposure::Vaulted
    } else {
        Exposure::External
    }
}

/// The highest data class of the record, else what the kind says, else internal.
fn sensitivity(cx: &CheckCx<'_>, credential: &Credential, record: Option<&Record>) -> Sensitivity {
    const WORDS: &[(Sensitivity, &[&str])] = &[
        (
            Sensitivity::Regulated,
            &[
                "regulated",
                "pci",
                "phi",
                "hipaa",
                "card",
                "payment",
                "health",
            ],
        ),
        (
            Sensitivity::Confidential,
            &[
                "confidential",
                "secret",
                "restricted",
                "personal",
                "pii",
                "customer",
            ],
        ),
        (Sensitivity::Internal, &["internal"]),
        (Sensitivity::Public, &["public"]),
    ];
    let of_class = |class: &String| {
        let class = class.to_lowercase();
        let said = |words: &[&str]| {
            class
                .split(|c: char| !c.is_alphanumeric())
                .any(|part| words.contains(&part))
        };
        WORDS
            .iter()
            .find(|(_, words)| said(words))
            .map(|(sensitivity, _)| *sensitivity)
    };
    let recorded = record.and_then(|record| record.data_classes.iter().filter_map(of_class).max());
    recorded
        .or_else(|| Sensitivity::from_word(&cx.advice(credential)?.sensitivity))
        .unwrap_or(Sensitivity::Internal)
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::{
        audit::checks::testing::{World, ago},
        inventory::Identifier,
    };

    fn aged(world: &mut World, days: i64) -> u32 {
        let key = world.key("deploy");
        world.credential(key).created = Known::Known(ago(days));
        world.credential(key).rotated = Known::Known(ago(days));
        key
    }

    #[test]
    fn true_over_the_limit_and_over_twice_the_limit() {
        let mut world = World::new();
        aged(&mut world, 91);
        let finding = world.finding("LIF-03");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.value == "internal by external")
        );
        assert!(
            finding
                .remediation
                .contains("create-access-key --user-name deploy")
        );
        let mut world = World::new();
        aged(&mut world, 181);
        assert_eq!(world.finding("LIF-03").severity, Severity::High);
    }

    #[test]
    fn true_leaked_is_critical_after_a_day() {
        let mut world = World::new();
        let key = aged(&mut world, 2);
        world.seen(key, "payments-api", "src/a.py");
        assert_eq!(world.finding("LIF-03").severity, Severity::Critical);
    }

    #[test]
    fn near_miss_leaked_this_morning() {
        let mut world = World::new();
        let key = aged(&mut world, 30);
        world.seen(key, "payments-api", "src/a.py").introduced = None;
        let subject = world
            .estate
            .text(world.estate.credentials[0].subject)
            .to_owned();
        world.first_exposed.insert(subject, ago(1));
        world.assert_passes("LIF-03");
    }

    #[test]
    fn true_the_matrix_and_the_record_shorten() {
        let mut world = World::new();
        let key = aged(&mut world, 31);
        world.registered(key).data_classes = vec!["PCI data".to_owned()];
        assert!(
            world
                .finding("LIF-03")
                .evidence
                .iter()
                .any(|e| e.value == "regulated by external")
        );
        let mut world = World::new();
        let key = aged(&mut world, 31);
        world.registered(key).rotation_days = Some(30);
        assert_eq!(world.findings("LIF-03").len(), 1);
    }

    #[test]
    fn near_miss_on_the_day_and_with_its_id_in_a_source() {
        let mut world = World::new();
        let key = aged(&mut world, 90);
        // The key's public id in a file is not its secret.
        world.seen(key, "docs", "runbook.md").public = true;
        world.assert_passes("LIF-03");
        // A vault lets the matrix be milder, but not the maximum of cloud keys.
        let mut world = World::new();
        let key = aged(&mut world, 91);
        world.registered(key).identifiers = vec![Identifier {
            scheme: "vault_path".to_owned(),
            value: "kv/deploy".to_owned(),
        }];
        assert!(
            world
                .finding("LIF-03")
                .evidence
                .iter()
                .any(|e| e.value == "a cloud access key")
        );
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("LIF-03");
    }

    #[test]
    fn missing_proof() {
        let mut world = World::new();
        let key = aged(&mut world, 400);
        world.registered(key).last_rotated_at = Some(ago(1));
        world.credential(key).rotated = Known::Unknown;
        world.assert_lacks("LIF-03", "discovered");
    }
}
