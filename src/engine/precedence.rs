//! Which of several candidates for one secret is told: total, documented, the same for any
//! order of arrival.
//!
//! Candidates whose secrets overlap are one group. In a group the first of this order wins:
//! what a layer decoded, or a format that is sure, before other text; a rule with a format of its
//! own before a judged one; of the judged, what an encoded value says before the value; the surer;
//! the one that knows a public handle; the longer secret; the id that sorts first; the one with
//! fewer layers around it. A public identifier is not told where the secret it belongs to is told in
//! the same content.

use std::cmp::Reverse;

use keymuster_api::{Candidate, Confidence};

use super::ruleset::RuleSet;

/// Whether the secret cannot be read where it stands.
fn is_opaque(candidate: &Candidate) -> bool {
    let layers = &candidate.details.decoded;
    layers.iter().any(|name| name == "base64" || name == "hex")
}

/// The winners among the candidates that hold at their place, sorted by span.
pub(super) fn winners<'c>(
    rules: &RuleSet,
    candidates: &'c [Candidate],
    holds: impl Fn(&Candidate) -> bool,
) -> Vec<&'c Candidate> {
    let mut ordered: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| holds(candidate))
        .collect();
    ordered.sort_by_key(|candidate| {
        let rule = &rules.rules[candidate.rule as usize];
        // What was decoded says more than the encoded text, unless that is sure by itself.
        let is_raw = !is_opaque(candidate) && candidate.confidence < Confidence::High;
        (
            is_raw,
            rule.judge.is_some(),
            Reverse(candidate.confidence),
            Reverse(candidate.details.handle.is_some()),
            Reverse(candidate.span.len()),
            candidate.rule,
            candidate.span.start,
            candidate.details.decoded.len(),
        )
    });
    let mut winners: Vec<&Candidate> = Vec::new();
    for candidate in ordered {
        let overlaps = |other: &&Candidate| {
            candidate.span.start < other.span.end && other.span.start < candidate.span.end
        };
        if !winners.iter().any(overlaps) {
            winners.push(candidate);
        }
    }
    let owned: Vec<_> = winners
        .iter()
        .filter(|winner| !rules.rules[winner.rule as usize].public)
        .filter_map(|winner| winner.details.handle.as_ref())
        .collect();
    let is_part = |candidate: &&Candidate| {
        rules.rules[candidate.rule as usize].public
            && candidate
                .details
                .handle
                .as_ref()
                .is_some_and(|handle| owned.contains(&handle))
    };
    let mut winners: Vec<&Candidate> = winners
        .iter()
        .copied()
        .filter(|candidate| !is_part(candidate))
        .collect();
    winners.sort_by_key(|candidate| (candidate.span.start, candidate.span.end));
    winners
}
