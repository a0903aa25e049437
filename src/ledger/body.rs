//! A finding as the ledger stores it, so that one which could not be looked at again can still
//! be shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LedgerError;
use crate::audit::{Evidence, Finding, ScoreTerm, State, Subject, controls, find};

/// The words of score terms, which findings hold as constants.
const TERMS: [&str; 7] = [
    "base",
    "privilege",
    "exposure",
    "tier",
    "validity",
    "ownerless",
    "age",
];

#[derive(Serialize, Deserialize)]
struct Body {
    title: String,
    score: u8,
    score_terms: Vec<(String, i32)>,
    credential_type: String,
    credential: String,
    provider: String,
    account: String,
    environment: String,
    locations: Vec<String>,
    owner: String,
    owner_source: String,
    route_to: String,
    route_reason: String,
    approver: String,
    purpose: String,
    expires: String,
    revocation_path: String,
    record_id: String,
    evidence: Vec<[String; 3]>,
    remediation: String,
}

/// Writes what the other columns do not hold.
pub(super) fn write(finding: &Finding) -> String {
    let finding = finding.clone();
    let body = Body {
        title: finding.title,
        score: finding.score,
        score_terms: finding
            .score_terms
            .iter()
            .map(|term| (term.name.to_owned(), term.points))
            .collect(),
        credential_type: finding.credential_type,
        credential: finding.credential,
        provider: finding.provider,
        account: finding.account,
        environment: finding.environment,
        locations: finding.locations,
        owner: finding.owner,
        owner_source: finding.owner_source,
        route_to: finding.route_to,
        route_reason: finding.route_reason,
        approver: finding.approver,
        purpose: finding.purpose,
        expires: finding.expires,
        revocation_path: finding.revocation_path,
        record_id: finding.record_id,
        evidence: finding
            .evidence
            .into_iter()
            .map(|each| [each.label, each.value, each.source])
            .collect(),
        remediation: finding.remediation,
    };
    serde_json::to_string(&body).expect("texts and numbers are always JSON")
}

/// What the columns of a row hold.
pub(super) struct Columns<'r> {
    pub(super) id: &'r str,
    pub(super) check: &'r str,
    pub(super) subject_key: &'r str,
    pub(super) severity: &'r str,
    pub(super) state: State,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) due: Option<Timestamp>,
}

/// Reads a finding back; `None` if its check does not exist any more.
///
/// Its subject is where it is today, if it still exists, else a scope of its old name.
pub(super) fn read(
    columns: &Columns<'_>,
    body: &str,
    subject: Option<Subject>,
) -> Result<Option<Finding>, LedgerError> {
    let bad = |what: &str| LedgerError::Row(format!("{what} of finding {}", columns.id));
    let Some(check) = find(columns.check) else {
        return Ok(None);
    };
    let body: Body = serde_json::from_str(body).map_err(|_| bad("body"))?;
    Ok(Some(Finding {
        id: columns.id.to_owned(),
        check: check.about(),
        title: body.title,
        severity: columns.severity.parse().map_err(|_| bad("severity"))?,
        score: body.score,
        score_terms: body
            .score_terms
            .into_iter()
            .filter_map(|(name, points)| {
                let name = TERMS.into_iter().find(|term| *term == name)?;
                Some(ScoreTerm { name, points })
            })
            .collect(),
        state: columns.state,
        first_seen: columns.first_seen,
        last_seen: columns.last_seen,
        due: columns.due,
        sla_breached: false,
        subject: subject.unwrap_or_else(|| Subject::Scope(columns.subject_key.to_owned())),
        subject_key: columns.subject_key.to_owned(),
        credential_type: body.credential_type,
        credential: body.credential,
        provider: body.provider,
        account: body.account,
        environment: body.environment,
        locations: body.locations,
        owner: body.owner,
        owner_source: body.owner_source,
        route_to: body.route_to,
        route_reason: body.route_reason,
        approver: body.approver,
        purpose: body.purpose,
        expires: body.expires,
        revocation_path: body.revocation_path,
        record_id: body.record_id,
        evidence: body
            .evidence
            .into_iter()
            .map(|[label, value, source]| Evidence {
                label,
                value,
                source,
            })
            .collect(),
        remediation: body.remediation,
        // The mapping is the program's, not the finding's.
        frameworks: controls::of(check.about().id).to_vec(),
    }))
}
