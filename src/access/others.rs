//! Principals of all systems but AWS, and the steps from one system to the next.

use std::collections::BTreeMap;

use keymuster_api::Key;

use super::{
    Access, AccessFacts, Problem, across, entra, gcp, kubernetes,
    reach::Graph,
    standing::{Standing, Standings},
};

/// Providers whose principals are judged here.
const PROVIDERS: &[&str] = &["kubernetes", "gcp", "entra"];
/// How keys of theirs begin.
const PREFIXES: &[&str] = &["kubernetes:", "gcp:", "entra:", "azure:"];

/// A policy of AWS that grants nothing and is wrong in nothing.
pub(super) const NO_DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

/// Whether a policy or a trust is one of these systems.
pub(super) fn is_foreign(key: &Key) -> bool {
    PREFIXES.iter().any(|prefix| key.0.starts_with(prefix))
}

/// Whether principals of this provider are judged here.
pub fn is_of_others(provider: &str) -> bool {
    PROVIDERS.contains(&provider)
}

/// What every principal of these systems can really do.
#[derive(Debug, Default)]
pub struct Others {
    standings: Standings,
    problems: Vec<Problem>,
}

/// Judges every principal of these systems; `aws` is what its own evaluator says of the same facts.
pub fn assess_others(facts: &AccessFacts<'_>, aws: &Access) -> Others {
    let mut others = Others::default();
    let mut graph = Graph::default();
    kubernetes::assess(
        facts,
        &mut others.standings,
        &mut graph,
        &mut others.problems,
    );
    gcp::assess(
        facts,
        &mut others.standings,
        &mut graph,
        &mut others.problems,
    );
    entra::assess(
        facts,
        &mut others.standings,
        &mut graph,
        &mut others.problems,
    );
    across::draw(facts, aws, &mut graph);
    graph.close(&mut others.standings);
    others.problems.sort();
    others.problems.dedup();
    others
}

impl Others {
    /// What is said of a principal; `None` where none of its system's grants were seen.
    pub fn standing(&self, key: &Key) -> Option<&Standing> {
        self.standings.get(key)
    }

    /// Every principal, by key.
    pub fn standings(&self) -> &BTreeMap<Key, Standing> {
        &self.standings
    }

    /// What could not be understood as written, by policy.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
