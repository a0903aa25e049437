//! The policy as written: a TOML file in which everything may be left out.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;

use super::{
    policy::{Field, Limit, Policy},
    practice::{
        BulkFile, ControlPoints, EventsFile, MostFile, OwnersFile, PracticeFile, StoresFile,
        TrustFile,
    },
};

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is no policy.
    #[error("{line}:{column}: {message}")]
    Text {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// No such preset.
    #[error("no preset is called '{name}'; there are: {known}")]
    Preset {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// The policy as written: everything may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyFile {
    name: Option<String>,
    access_keys: Option<LimitFile>,
    dormant: Option<LimitFile>,
    review: Option<ReviewFile>,
    rotation: Option<RotationFile>,
    lifetime: Option<LifetimeFile>,
    sla: Option<SlaFile>,
    expiring: Option<ExpiringFile>,
    exceptions: Option<ExceptionsFile>,
    mandatory: Option<MandatoryFile>,
    overlap: Option<LimitFile>,
    unused: Option<LimitFile>,
    drill: Option<LimitFile>,
    events: Option<EventsFile>,
    owners: Option<OwnersFile>,
    bulk_review: Option<BulkFile>,
    same_purpose: Option<MostFile>,
    shared_policies: Option<MostFile>,
    stores: Option<StoresFile>,
    trust: Option<TrustFile>,
    control_points: Option<BTreeMap<String, ControlPoints>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitFile {
    days: NonZeroU32,
    source: Option<String>,
}

impl LimitFile {
    pub(super) fn resolved(self) -> Limit {
        Limit {
            days: self.days.get(),
            source: self.source.unwrap_or_else(|| "own policy".to_owned()),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByTier {
    #[serde(rename = "T0")]
    t0: Option<NonZeroU32>,
    #[serde(rename = "T1")]
    t1: Option<NonZeroU32>,
    #[serde(rename = "T2")]
    t2: Option<NonZeroU32>,
    #[serde(rename = "T3")]
    t3: Option<NonZeroU32>,
}

impl ByTier {
    fn over(self, into: &mut [u32; 4]) {
        for (into, value) in into.iter_mut().zip([self.t0, self.t1, self.t2, self.t3]) {
            set(into, value);
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ReviewFile {
    months: ByTier,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RotationFile {
    source: Option<String>,
    public: Option<RowFile>,
    internal: Option<RowFile>,
    confidential: Option<RowFile>,
    regulated: Option<RowFile>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RowFile {
    vaulted: Option<NonZeroU32>,
    ci: Option<NonZeroU32>,
    third_party: Option<NonZeroU32>,
    external: Option<NonZeroU32>,
    leaked: Option<NonZeroU32>,
}

impl RowFile {
    fn over(self, into: &mut [u32; 5]) {
        let cells = [
            self.vaulted,
            self.ci,
            self.third_party,
            self.external,
            self.leaked,
        ];
        for (into, value) in into.iter_mut().zip(cells) {
            set(into, value);
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LifetimeFile {
    days: ByTier,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SlaFile {
    days: Option<BySeverity>,
    exposed_hours: Option<NonZeroU32>,
    source: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BySeverity {
    critical: Option<NonZeroU32>,
    high: Option<NonZeroU32>,
    medium: Option<NonZeroU32>,
    low: Option<NonZeroU32>,
}

impl BySeverity {
    fn over(self, into: &mut [u32; 4]) {
        let days = [self.critical, self.high, self.medium, self.low];
        for (into, value) in into.iter_mut().zip(days) {
            set(into, value);
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ExpiringFile {
    days: Vec<NonZeroU32>,
    #[serde(rename = "source")]
    _source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ExceptionsFile {
    max_days: Option<ByTier>,
    max_matches: Option<NonZeroU32>,
    #[serde(rename = "source")]
    _source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MandatoryFile {
    #[serde(rename = "T0")]
    t0: Option<Vec<Field>>,
    #[serde(rename = "T1")]
    t1: Option<Vec<Field>>,
    #[serde(rename = "T2")]
    t2: Option<Vec<Field>>,
    #[serde(rename = "T3")]
    t3: Option<Vec<Field>>,
    #[serde(rename = "source")]
    _source: Option<String>,
}

impl Policy {
    /// This policy with a file laid over it.
    pub(super) fn overlaid(mut self, file: PolicyFile) -> Policy {
        // A section that changes a number without naming a source is the user's own.
        let own = |source: Option<String>| source.unwrap_or_else(|| "own policy".to_owned());
        self.practice = self.practice.overlaid(PracticeFile {
            overlap: file.overlap,
            unused: file.unused,
            drill: file.drill,
            events: file.events,
            owners: file.owners,
            bulk_review: file.bulk_review,
            same_purpose: file.same_purpose,
            shared_policies: file.shared_policies,
            stores: file.stores,
            trust: file.trust,
            control_points: file.control_points,
        });
        if let Some(name) = file.name {
            self.name = name;
        }
        if let Some(limit) = file.access_keys {
            self.access_keys = limit.resolved();
        }
        if let Some(limit) = file.dormant {
            self.dormant = limit.resolved();
        }
        if let Some(review) = file.review {
            review.months.over(&mut self.review_months);
            self.review_source = own(review.source);
        }
        if let Some(rotation) = file.rotation {
            let rows = [
                rotation.public,
                rotation.internal,
                rotation.confidential,
                rotation.regulated,
            ];
            for (row, into) in rows.into_iter().zip(&mut self.rotation) {
                row.unwrap_or_default().over(into);
            }
            self.rotation_source = own(rotation.source);
        }
        if let Some(lifetime) = file.lifetime {
            lifetime.days.over(&mut self.lifetime_days);
            self.lifetime_source = own(lifetime.source);
        }
        if let Some(sla) = file.sla {
            sla.days.unwrap_or_default().over(&mut self.sla.days);
            set(&mut self.sla.exposed_hours, sla.exposed_hours);
            self.sla.source = own(sla.source);
        }
        if let Some(expiring) = file.expiring {
            self.expiring_days = expiring.days.iter().map(|days| days.get()).collect();
            self.expiring_days.sort_unstable_by(|a, b| b.cmp(a));
        }
        if let Some(exceptions) = file.exceptions {
            exceptions
                .max_days
                .unwrap_or_default()
                .over(&mut self.exception_days);
            set(&mut self.exception_matches, exceptions.max_matches);
        }
        if let Some(mandatory) = file.mandatory {
            let tiers = [mandatory.t0, mandatory.t1, mandatory.t2, mandatory.t3];
            for (fields, into) in tiers.into_iter().zip(&mut self.mandatory) {
                if let Some(fields) = fields {
                    *into = fields;
                }
            }
        }
        self
    }
}

/// Reads a policy file.
pub(super) fn parse(text: &str) -> Result<PolicyFile, PolicyError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
        PolicyError::Text {
            line,
            column,
            message: error.message().to_owned(),
        }
    })
}

/// Line and column (in bytes, both from 1) of an offset in a text.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    (line, before.len() - start + 1)
}

fn set(into: &mut u32, value: Option<NonZeroU32>) {
    if let Some(value) = value {
        *into = value.get();
    }
}
