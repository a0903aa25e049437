//! A finding: one check, one subject, evidence, and who must act.

use jiff::Timestamp;
use keymuster_api::Severity;

use super::CheckAbout;

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A credential: index in the estate.
    Credential(u32),
    /// A record: index in the inventory.
    Record(u32),
    /// A principal: index in the estate.
    Identity(u32),
    /// A scope of a connector, by name.
    Scope(String),
    /// Something else that has a name.
    Entry(EntryKind, String),
}

impl Subject {
    /// The canonical subject of what has a name.
    pub(super) fn entry_key(kind: EntryKind, name: &str) -> String {
        format!("{}:{name}", kind.as_str())
    }

    /// What a canonical subject names, if that is something of this kind.
    pub(super) fn entry_of(key: &str) -> Option<Subject> {
        let (word, name) = key.split_once(':')?;
        let kind = EntryKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)?;
        Some(Subject::Entry(kind, name.to_owned()))
    }
}

/// What has a name and is neither credential, record, principal nor scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// An API of the catalogue.
    Api,
    /// A system of the catalogue.
    System,
    /// An exception.
    Exception,
    /// Somebody who owns credentials.
    Owner,
    /// A business unit of the policy.
    Unit,
    /// A named place that holds a credential nobody saw.
    Slot,
    /// Where a host sends events.
    Webhook,
}

impl EntryKind {
    const ALL: [EntryKind; 7] = [
        EntryKind::Api,
        EntryKind::System,
        EntryKind::Exception,
        EntryKind::Owner,
        EntryKind::Unit,
        EntryKind::Slot,
        EntryKind::Webhook,
    ];

    /// The word used in keys and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Api => "api",
            EntryKind::System => "system",
            EntryKind::Exception => "exception",
            EntryKind::Owner => "owner",
            EntryKind::Unit => "unit",
            EntryKind::Slot => "slot",
            EntryKind::Webhook => "webhook",
        }
    }
}

/// One piece of evidence. Never a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// What it shows: `last used`, `policy statement`.
    pub label: String,
    /// The value.
    pub value: String,
    /// Where it was read.
    pub source: String,
}

/// Where a finding stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words are those of the contract")]
pub enum State {
    New,
    Open,
    Fixed,
    Regressed,
    Suppressed,
    Accepted,
    NotEvaluated,
    Superseded,
}

impl State {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            State::New => "new",
            State::Open => "open",
            State::Fixed => "fixed",
            State::Regressed => "regressed",
            State::Suppressed => "suppressed",
            State::Accepted => "accepted",
            State::NotEvaluated => "not_evaluated",
            State::Superseded => "superseded",
        }
    }

    /// From the word used in files.
    pub fn from_word(word: &str) -> Option<State> {
        [
            State::New,
            State::Open,
            State::Fixed,
            State::Regressed,
            State::Suppressed,
            State::Accepted,
            State::NotEvaluated,
            State::Superseded,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }

    /// Whether it counts for the exit code.
    pub fn is_open(self) -> bool {
        matches!(self, State::New | State::Open | State::Regressed)
    }
}

/// One term of the score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreTerm {
    /// What it stands for: `privilege`, `exposure`.
    pub name: &'static str,
    /// What it adds.
    pub points: i32,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `KM-` and 16 base32 characters: HMAC(estate key, check id ‖ canonical subject).
    pub id: String,
    /// The check.
    pub check: &'static CheckAbout,
    /// One line for people.
    pub title: String,
    /// After modifiers.
    pub severity: Severity,
    /// 0 to 100; orders findings, never sets the severity.
    pub score: u8,
    /// How the score came about.
    pub score_terms: Vec<ScoreTerm>,
    /// Set by the ledger.
    pub state: State,
    /// Set by the ledger.
    pub first_seen: Timestamp,
    /// Set by the ledger.
    pub last_seen: Timestamp,
    /// When it should be mended.
    pub due: Option<Timestamp>,
    /// Whether that time has passed.
    pub sla_breached: bool,
    /// What it is about.
    pub subject: Subject,
    /// The canonical subject as text (what the id was made from).
    pub subject_key: String,
    /// Kind id or record's credential type.
    pub credential_type: String,
    /// How the credential is called: handle, name, or `secret <id>`.
    pub credential: String,
    /// Provider.
    pub provider: String,
    /// Account.
    pub account: String,
    /// Environment.
    pub environment: String,
    /// `repo:path:line` and system addresses, sorted.
    pub locations: Vec<String>,
    /// The accountable owner; empty where none.
    pub owner: String,
    /// Where the owner was read; empty where none.
    pub owner_source: String,
    /// Who must act.
    pub route_to: String,
    /// Why it is routed there.
    pub route_reason: String,
    /// From the record.
    pub approver: String,
    /// From the record.
    pub purpose: String,
    /// RFC 3339, or `never`, or empty where unknown.
    pub expires: String,
    /// How to revoke: from the record, else from the kind.
    pub revocation_path: String,
    /// The matched record; empty where none.
    pub record_id: String,
    /// At least one.
    pub evidence: Vec<Evidence>,
    /// What to do, concretely.
    pub remediation: String,
    /// Framework ids: `NIST CSF 2.0 PR.AA-05`, sorted by framework.
    pub frameworks: Vec<String>,
}

/// How a check's population came out; the four counts add up to what there was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Population {
    /// The check's id.
    pub check: String,
    /// Subjects judged.
    pub evaluated: u64,
    /// Of these, without finding.
    pub passed: u64,
    /// Of these, with finding.
    pub failed: u64,
    /// Subjects that lack an input, with the input's name and how many.
    pub not_evaluated: Vec<(String, u64)>,
}
