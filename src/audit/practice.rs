//! Thresholds beyond ages and lifetimes: who may own how much, how fast events are acted on,
//! how reviews and rotations must look, where secrets may be kept.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;

use super::{policy::Limit, policy_file::LimitFile};
use crate::context::LifeEventKind;

/// The thresholds as resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practice {
    /// Longest time that an old and a new credential of one principal stand side by side.
    pub overlap: Limit,
    /// Window over which granted and used permissions are compared.
    pub unused: Limit,
    /// Longest time between two exercises of a revocation.
    pub drill: Limit,
    /// Hours from an event to revocation or rotation, by event.
    pub event_hours: BTreeMap<LifeEventKind, u32>,
    /// Who says so.
    pub event_source: String,
    /// Who may own what.
    pub owners: Owners,
    /// When a batch of reviews is no review.
    pub bulk: Bulk,
    /// How many records may give the very same purpose.
    pub same_purpose: u32,
    /// How many services may share one access policy.
    pub shared_policies: u32,
    /// Approved stores of secrets, as records name them; empty where none are listed.
    pub stores: Vec<String>,
    /// Longest life, in days, by trust tier; a tier that is not here has only its risk's.
    pub trust_days: BTreeMap<String, u32>,
    /// Who says so.
    pub trust_source: String,
    /// Who answers for what in each business unit.
    pub control_points: BTreeMap<String, ControlPoints>,
}

/// Who may own what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    /// Teams that run shared infrastructure: a control plane, no accountable owner.
    pub operators: Vec<String>,
    /// Largest share of active credentials for one owner, in percent.
    pub most_percent: u32,
    /// Most active credentials for one owner.
    pub most: u32,
    /// The share counts only where there are at least so many.
    pub least_population: u32,
    /// Who says so.
    pub source: String,
}

/// When a batch of reviews is no review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// More decisions than this …
    pub count: u32,
    /// … within so many minutes.
    pub minutes: u32,
    /// Who says so.
    pub source: String,
}

/// The teams of a business unit that answer for the four control points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlPoints {
    /// Sets the standards.
    pub standards: Option<String>,
    /// Runs gateways and platforms.
    pub runtime: Option<String>,
    /// Issues, rotates, revokes.
    pub lifecycle: Option<String>,
    /// Keeps the evidence.
    pub evidence: Option<String>,
}

/// The thresholds as written.
#[derive(Debug, Clone, Default)]
pub(super) struct PracticeFile {
    pub(super) overlap: Option<LimitFile>,
    pub(super) unused: Option<LimitFile>,
    pub(super) drill: Option<LimitFile>,
    pub(super) events: Option<EventsFile>,
    pub(super) owners: Option<OwnersFile>,
    pub(super) bulk_review: Option<BulkFile>,
    pub(super) same_purpose: Option<MostFile>,
    pub(super) shared_policies: Option<MostFile>,
    pub(super) stores: Option<StoresFile>,
    pub(super) trust: Option<TrustFile>,
    pub(super) control_points: Option<BTreeMap<String, ControlPoints>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsFile {
    hours: HoursFile,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HoursFile {
    leaver: Option<NonZeroU32>,
    application_retired: Option<NonZeroU32>,
    repository_archived: Option<NonZeroU32>,
    vendor_ended: Option<NonZeroU32>,
    environment_deleted: Option<NonZeroU32>,
    incident: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OwnersFile {
    operators: Option<Vec<String>>,
    most_percent: Option<NonZeroU32>,
    most: Option<NonZeroU32>,
    least_population: Option<NonZeroU32>,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkFile {
    count: Option<NonZeroU32>,
    minutes: Option<NonZeroU32>,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MostFile {
    most: NonZeroU32,
    #[serde(rename = "source")]
    _source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoresFile {
    approved: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TrustFile {
    lifetime_days: TrustDays,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustDays {
    internal_workload: Option<NonZeroU32>,
    internal_human_tool: Option<NonZeroU32>,
    partner: Option<NonZeroU32>,
    third_party: Option<NonZeroU32>,
    external_developer: Option<NonZeroU32>,
}

impl Practice {
    /// Nothing set: what the default policy is laid over.
    pub(super) fn empty() -> Practice {
        let none = || Limit {
            days: 1,
            source: String::new(),
        };
        Practice {
            overlap: none(),
            unused: none(),
            drill: none(),
            event_hours: BTreeMap::new(),
            event_source: String::new(),
            owners: Owners {
                operators: Vec::new(),
                most_percent: 1,
                most: 1,
                least_population: 1,
                source: String::new(),
            },
            bulk: Bulk {
                count: 1,
                minutes: 1,
                source: String::new(),
            },
            same_purpose: 1,
            shared_policies: 1,
            stores: Vec::new(),
            trust_days: BTreeMap::new(),
            trust_source: String::new(),
            control_points: BTreeMap::new(),
        }
    }

    /// These thresholds with those of a file laid over them.
    pub(super) fn overlaid(mut self, file: PracticeFile) -> Practice {
        let own = |source: Option<String>| source.unwrap_or_else(|| "own policy".to_owned());
        let limits = [
            (&mut self.overlap, file.overlap),
            (&mut self.unused, file.unused),
            (&mut self.drill, file.drill),
        ];
        for (into, limit) in limits {
            if let Some(limit) = limit {
                *into = limit.resolved();
            }
        }
        if let Some(events) = file.events {
            let hours = &events.hours;
            for (kind, value) in [
                (LifeEventKind::Leaver, hours.leaver),
                (LifeEventKind::ApplicationRetired, hours.application_retired),
                (LifeEventKind::RepositoryArchived, hours.repository_archived),
                (LifeEventKind::VendorEnded, hours.vendor_ended),
                (LifeEventKind::EnvironmentDeleted, hours.environment_deleted),
                (LifeEventKind::Incident, hours.incident),
            ] {
                if let Some(value) = value {
                    self.event_hours.insert(kind, value.get());
                }
            }
            self.event_source = own(events.source);
        }
        if let Some(owners) = file.owners {
            set(&mut self.owners.most_percent, owners.most_percent);
            set(&mut self.owners.most, owners.most);
            set(&mut self.owners.least_population, owners.least_population);
            self.owners.operators = owners.operators.unwrap_or(self.owners.operators);
            self.owners.source = own(owners.source);
        }
        if let Some(bulk) = file.bulk_review {
            set(&mut self.bulk.count, bulk.count);
            set(&mut self.bulk.minutes, bulk.minutes);
            self.bulk.source = own(bulk.source);
        }
        set(&mut self.same_purpose, file.same_purpose.map(|m| m.most));
        set(
            &mut self.shared_policies,
            file.shared_policies.map(|m| m.most),
        );
        if let Some(stores) = file.stores {
            self.stores = stores.approved;
        }
        if let Some(trust) = file.trust {
            let days = &trust.lifetime_days;
            for (tier, value) in [
                ("internal_workload", days.internal_workload),
                ("internal_human_tool", days.internal_human_tool),
                ("partner", days.partner),
                ("third_party", days.third_party),
                ("external_developer", days.external_developer),
            ] {
                if let Some(value) = value {
                    self.trust_days.insert(tier.to_owned(), value.get());
                }
            }
            self.trust_source = own(trust.source);
        }
        if let Some(points) = file.control_points {
            self.control_points = points;
        }
        self
    }
}

fn set(into: &mut u32, value: Option<NonZeroU32>) {
    if let Some(value) = value {
        *into = value.get();
    }
}

#[cfg(test)]
mod tests {
    use crate::{audit::Policy, context::LifeEventKind};

    #[test]
    fn outsiders_are_held_shorter_than_insiders_and_every_event_has_its_hours() {
        let policy = Policy::default();
        let practice = &policy.practice;
        let inside = policy.lifetime_days.iter().min().copied();
        for outside in ["partner", "third_party", "external_developer"] {
            let days = practice.trust_days.get(outside).copied();
            assert!(days.is_some() && days <= inside, "{outside}: {days:?}");
        }
        assert_eq!(practice.event_hours.len(), 6);
        assert!(practice.event_hours[&LifeEventKind::Incident] <= 24);
        for source in [
            &practice.overlap.source,
            &practice.unused.source,
            &practice.drill.source,
            &practice.event_source,
            &practice.owners.source,
            &practice.bulk.source,
            &practice.trust_source,
        ] {
            assert!(!source.is_empty());
        }
    }

    #[test]
    fn a_file_changes_only_what_it_says() {
        let base = Policy::default();
        let text = "[owners]\noperators = ['platform']\n[stores]\napproved = ['vault']\n\
            [events]\nhours = { leaver = 4 }\n[control-points.retail]\nstandards = 'appsec'\n";
        let policy = Policy::from_toml(text, &base).expect("good");
        let practice = &policy.practice;
        assert_eq!(practice.owners.operators, ["platform"]);
        assert_eq!(practice.owners.most, base.practice.owners.most);
        assert_eq!(practice.event_hours[&LifeEventKind::Leaver], 4);
        assert_eq!(practice.event_hours.len(), 6);
        assert_eq!(practice.stores, ["vault"]);
        assert_eq!(practice.control_points["retail"].runtime, None);
        for wrong in [
            "[events]\nhours = { lever = 4 }\n",
            "[trust]\nlifetime-days = { friends = 4 }\n",
            "[control-points.retail]\nstandard = 'x'\n",
            "[stores]\napprovd = []\n",
        ] {
            assert!(Policy::from_toml(wrong, &base).is_err(), "{wrong}");
        }
    }
}
