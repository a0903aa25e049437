//! Which clauses of which framework a check gives evidence for.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

const TEXT: &str = include_str!("../../rules/frameworks/controls.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    frameworks: BTreeMap<String, String>,
    checks: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// The clauses of a check, as `NIST CSF 2.0 PR.AA-05`, sorted by framework; empty for a check
/// that is not in the table.
pub fn of(check: &str) -> &'static [String] {
    table().get(check).map_or(&[], Vec::as_slice)
}

/// Every check of the catalogue, sorted.
pub fn known() -> impl Iterator<Item = &'static str> {
    table().keys().map(String::as_str)
}

fn table() -> &'static BTreeMap<String, Vec<String>> {
    static TABLE: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let file: File =
            toml::from_str(TEXT).expect("the shipped table of controls is well formed");
        file.checks
            .into_iter()
            .map(|(check, clauses)| (check, shown(&file.frameworks, clauses)))
            .collect()
    })
}

fn shown(names: &BTreeMap<String, String>, clauses: BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut by_name: Vec<(&str, Vec<String>)> = clauses
        .into_iter()
        .map(|(key, ids)| {
            let name = names
                .get(&key)
                .expect("the shipped table names its frameworks");
            (name.as_str(), ids)
        })
        .collect();
    by_name.sort();
    by_name
        .into_iter()
        .flat_map(|(name, ids)| ids.into_iter().map(move |id| format!("{name} {id}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{known, of};

    #[test]
    fn all_fifty_checks_are_mapped() {
        assert_eq!(known().count(), 50);
        for check in known() {
            assert!(!of(check).is_empty(), "{check}");
        }
        assert!(of("XXX-01").is_empty());
    }

    #[test]
    fn clauses_are_shown_with_their_framework() {
        let clauses = of("PRV-02");
        for clause in [
            "NIST CSF 2.0 PR.AA-05",
            "NIST SP 800-53 r5 AC-6(5)",
            "PCI DSS 4.0.1 7.2.5",
            "ISO 27001:2022 A.8.2",
            "OWASP Agentic ASI03",
            "OWASP NHI 2025 NHI5",
        ] {
            assert!(
                clauses.iter().any(|c| c == clause),
                "{clause} not in {clauses:?}"
            );
        }
        assert!(clauses.iter().all(|c| !c.contains("None")));
    }
}
