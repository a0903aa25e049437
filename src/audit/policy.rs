//! Thresholds: the policy as resolved. As written it is a `PolicyFile`.
//!
//! A preset is a policy file that keymuster ships; a file of the user's is laid over one. Each
//! number travels with its source, so that a finding can say which standard it was held against.

use std::collections::BTreeMap;

use keymuster_api::Severity;
use serde::Deserialize;

use super::{
    policy_file::{PolicyError, parse},
    practice::Practice,
};
use crate::inventory::Tier;

/// The presets keymuster ships, by name.
const PRESETS: &[(&str, &str)] = &[
    ("cis", include_str!("../../rules/policy/cis.toml")),
    ("default", DEFAULT),
    ("pci", include_str!("../../rules/policy/pci.toml")),
];
const DEFAULT: &str = include_str!("../../rules/policy/default.toml");

/// A number of days, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Days, at least 1.
    pub days: u32,
    /// The standard behind the number.
    pub source: String,
}

/// How much depends on what a credential reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words are those of the rotation matrix")]
pub enum Sensitivity {
    Public,
    Internal,
    Confidential,
    Regulated,
}

impl Sensitivity {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Sensitivity::Public => "public",
            Sensitivity::Internal => "internal",
            Sensitivity::Confidential => "confidential",
            Sensitivity::Regulated => "regulated",
        }
    }

    /// From the word used in files.
    pub fn from_word(word: &str) -> Option<Sensitivity> {
        match word {
            "public" => Some(Sensitivity::Public),
            "internal" => Some(Sensitivity::Internal),
            "confidential" => Some(Sensitivity::Confidential),
            "regulated" => Some(Sensitivity::Regulated),
            _ => None,
        }
    }
}

/// How a credential is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words are those of the rotation matrix")]
pub enum Exposure {
    Vaulted,
    Ci,
    ThirdParty,
    External,
    Leaked,
}

impl Exposure {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Exposure::Vaulted => "vaulted",
            Exposure::Ci => "ci",
            Exposure::ThirdParty => "third-party",
            Exposure::External => "external",
            Exposure::Leaked => "leaked",
        }
    }
}

/// Time to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sla {
    /// Days by severity: critical, high, medium, low. Information is never due.
    pub days: [u32; 4],
    /// Hours for a secret that is exposed and works.
    pub exposed_hours: u32,
    /// Who says so.
    pub source: String,
}

impl Sla {
    /// Hours to mend a finding of this check and severity; `None` for information.
    pub fn hours(&self, check: &str, severity: Severity) -> Option<u32> {
        let [critical, high, medium, low] = self.days;
        if check == "EXP-03" {
            return Some(self.exposed_hours);
        }
        match severity {
            Severity::Critical => Some(critical.saturating_mul(24)),
            Severity::High => Some(high.saturating_mul(24)),
            Severity::Medium => Some(medium.saturating_mul(24)),
            Severity::Low => Some(low.saturating_mul(24)),
            Severity::Info => None,
        }
    }
}

/// A field of a record that a tier asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of the record")]
pub enum Field {
    CredentialType,
    Identifiers,
    System,
    Owner,
    Approver,
    ApprovedAt,
    Purpose,
    Scope,
    Expiry,
    RevocationPath,
    RecoveryProcedure,
}

/// The policy as resolved: every threshold has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `cis`, or what the user's file calls itself.
    pub name: String,
    /// Longest time between two rotations of a cloud access key.
    pub access_keys: Limit,
    /// Longest time without use.
    pub dormant: Limit,
    /// Longest time between two reviews, in months, by tier (T0 first), and its source.
    pub review_months: [u32; 4],
    /// Who says so.
    pub review_source: String,
    /// Longest time between two rotations, in days: sensitivity by exposure.
    pub rotation: [[u32; 5]; 4],
    /// Who says so.
    pub rotation_source: String,
    /// Longest life, in days, by tier (T0 first).
    pub lifetime_days: [u32; 4],
    /// Who says so.
    pub lifetime_source: String,
    /// Time to mend.
    pub sla: Sla,
    /// How many days before the end an expiry is announced, longest first.
    pub expiring_days: Vec<u32>,
    /// Longest life of an exception, in days, by tier (T0 first).
    pub exception_days: [u32; 4],
    /// How many findings one exception may cover unless it says `broad`.
    pub exception_matches: u32,
    /// What a record must say, by tier (T0 first).
    pub mandatory: [Vec<Field>; 4],
    /// Further thresholds.
    pub practice: Practice,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::preset("default").expect("the shipped default policy is complete")
    }
}

impl Policy {
    /// The names of the presets, sorted.
    pub fn presets() -> Vec<&'static str> {
        PRESETS.iter().map(|(name, _)| *name).collect()
    }

    /// A preset by name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn preset(name: &str) -> Result<Policy, PolicyError> {
        let (_, text) = PRESETS
            .iter()
            .find(|(preset, _)| *preset == name)
            .ok_or_else(|| PolicyError::Preset {
                name: name.to_owned(),
                known: Policy::presets().join(", "),
            })?;
        let base = Policy::empty().overlaid(parse(DEFAULT)?);
        Ok(base.overlaid(parse(text)?))
    }

    /// A policy file laid over another policy.
    ///
    /// # Errors
    /// When the text is no policy: with line, column and what was expected.
    pub fn from_toml(text: &str, base: &Policy) -> Result<Policy, PolicyError> {
        Ok(base.clone().overlaid(parse(text)?))
    }

    /// Longest time between two rotations, in days.
    pub fn rotation_days(&self, sensitivity: Sensitivity, exposure: Exposure) -> u32 {
        self.rotation[sensitivity as usize][exposure as usize]
    }

    /// Longest life in days.
    pub fn lifetime(&self, tier: Tier) -> u32 {
        self.lifetime_days[tier as usize]
    }

    /// What a record of this tier must say.
    pub fn mandatory(&self, tier: Tier) -> &[Field] {
        &self.mandatory[tier as usize]
    }

    /// Longest life of an exception in days.
    pub fn exception_days(&self, tier: Tier) -> u32 {
        self.exception_days[tier as usize]
    }

    fn empty() -> Policy {
        let none = || Limit {
            days: 1,
            source: String::new(),
        };
        Policy {
            name: String::new(),
            access_keys: none(),
            dormant: none(),
            review_months: [1; 4],
            review_source: String::new(),
            rotation: [[1; 5]; 4],
            rotation_source: String::new(),
            lifetime_days: [1; 4],
            lifetime_source: String::new(),
            sla: Sla {
                days: [1; 4],
                exposed_hours: 1,
                source: String::new(),
            },
            expiring_days: Vec::new(),
            exception_days: [1; 4],
            exception_matches: 1,
            mandatory: Default::default(),
            practice: Practice::empty(),
        }
    }
}

/// Every number that decides, with its source, for reports: topic to `90 d (CIS …)`.
impl Policy {
    /// The thresholds in words, by topic.
    pub fn in_words(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            (
                "access keys",
                format!("{} d ({})", self.access_keys.days, self.access_keys.source),
            ),
            (
                "dormant",
                format!("{} d ({})", self.dormant.days, self.dormant.source),
            ),
            (
                "lifetime",
                format!("{:?} d ({})", self.lifetime_days, self.lifetime_source),
            ),
            (
                "review",
                format!("{:?} months ({})", self.review_months, self.review_source),
            ),
            ("rotation", self.rotation_source.clone()),
            (
                "sla",
                format!(
                    "{:?} d, exposed {} h ({})",
                    self.sla.days, self.sla.exposed_hours, self.sla.source
                ),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use super::{super::PolicyError, DEFAULT, Exposure, Policy, Sensitivity};
    use crate::inventory::Tier;

    #[test]
    fn every_preset_resolves_and_differs_where_its_standard_does() {
        for name in Policy::presets() {
            let policy = Policy::preset(name).expect("shipped");
            assert_eq!(policy.name, name);
            assert!(policy.mandatory.iter().all(|fields| !fields.is_empty()));
        }
        assert_eq!(Policy::preset("cis").expect("cis").dormant.days, 45);
        assert_eq!(Policy::preset("pci").expect("pci").dormant.days, 90);
        assert!(Policy::preset("iso").is_err());
    }

    #[test]
    fn the_default_leaves_nothing_to_the_empty_policy() {
        // Every threshold of the empty policy is 1; only `leaked` may stay so.
        let policy = Policy::default();
        assert!(policy.lifetime_days.iter().all(|&days| days > 1));
        assert!(policy.review_months.iter().all(|&months| months > 1));
        assert!(
            policy
                .rotation
                .iter()
                .flat_map(|row| &row[..4])
                .all(|&days| days > 1)
        );
        assert!(
            DEFAULT
                .lines()
                .filter(|line| line.starts_with("source"))
                .count()
                >= 9
        );
    }

    #[test]
    fn a_file_changes_only_what_it_says() {
        let base = Policy::preset("cis").expect("cis");
        let text = "[dormant]\ndays = 60\n[rotation]\ninternal = { ci = 30 }\n[lifetime]\ndays = { T0 = 7 }\n";
        let policy = Policy::from_toml(text, &base).expect("good");
        assert_eq!(policy.dormant.days, 60);
        assert_eq!(policy.dormant.source, "own policy");
        assert_eq!(
            policy.rotation_days(Sensitivity::Internal, Exposure::Ci),
            30
        );
        assert_eq!(
            policy.rotation_days(Sensitivity::Internal, Exposure::Vaulted),
            365
        );
        assert_eq!(policy.lifetime(Tier::T0), 7);
        assert_eq!(policy.lifetime(Tier::T2), base.lifetime(Tier::T2));
        assert_eq!(policy.access_keys, base.access_keys);
    }

    #[test]
    fn errors_name_line_and_column() {
        let base = Policy::default();
        let error = Policy::from_toml("[dormant]\ndasy = 45\n", &base).expect_err("typo");
        let PolicyError::Text {
            line,
            column,
            message,
        } = error
        else {
            panic!("another error");
        };
        assert_eq!((line, column), (2, 1));
        assert!(
            message.contains("dasy") && message.contains("days"),
            "{message}"
        );
        let zero = Policy::from_toml("[dormant]\ndays = 0\n", &base);
        assert!(matches!(zero, Err(PolicyError::Text { line: 2, .. })));
    }

    #[test]
    fn an_exposed_secret_is_due_within_a_day() {
        let sla = Policy::default().sla;
        assert_eq!(sla.hours("EXP-03", Severity::Low), Some(24));
        assert_eq!(sla.hours("LIF-06", Severity::Medium), Some(720));
        assert_eq!(sla.hours("LIF-10", Severity::Info), None);
    }
}
