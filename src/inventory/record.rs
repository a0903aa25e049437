//! The canonical record: one line of the register, whatever file it came from.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use jiff::Timestamp;
use keymuster_api::{Handle, SecretId};
use serde::{Deserialize, Serialize};

/// Where a record was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordSource {
    /// The inventory's configured name.
    pub inventory: String,
    /// The file.
    pub file: String,
    /// The row, counted from 1 as an editor counts lines of the file (the header has one too).
    pub row: u64,
}

impl fmt::Display for RecordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.row)
    }
}

/// An identifier with its scheme: `access_key_id`, `arn`, `fingerprint_hmac`, `email`,
/// `client_id`, `key_id`, `ci_variable`, `vault_path`, `repo_path` (`resource:path`, or a path),
/// `principal` (a user name), `masked` (`AKIA****ABCD`) …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    /// The scheme.
    pub scheme: String,
    /// The value, as written in the record (trimmed).
    pub value: String,
}

/// How much depends on it: T0 payment, admin, regulated production; T1 production; T2
/// internal; T3 public-read, development.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the four tiers are described above")]
pub enum Tier {
    T0,
    T1,
    T2,
    T3,
}

impl Tier {
    /// `T0` … `T3`.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::T0 => "T0",
            Tier::T1 => "T1",
            Tier::T2 => "T2",
            Tier::T3 => "T3",
        }
    }
}

/// What the record says about the credential's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are those of the record")]
pub enum RecordStatus {
    Requested,
    Active,
    Disabled,
    Exception,
    Revoked,
    Retired,
}

impl RecordStatus {
    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordStatus::Requested => "requested",
            RecordStatus::Active => "active",
            RecordStatus::Disabled => "disabled",
            RecordStatus::Exception => "exception",
            RecordStatus::Revoked => "revoked",
            RecordStatus::Retired => "retired",
        }
    }

    /// Whether the record says the credential is gone.
    pub fn is_ended(self) -> bool {
        matches!(self, RecordStatus::Revoked | RecordStatus::Retired)
    }
}

/// Whether an owner is somebody or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are those of the record")]
pub enum OwnerKind {
    Person,
    Team,
    Interim,
}

/// What a reviewer decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are those of the record")]
pub enum ReviewDecision {
    Keep,
    Reduce,
    Revoke,
}

impl ReviewDecision {
    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            ReviewDecision::Keep => "keep",
            ReviewDecision::Reduce => "reduce",
            ReviewDecision::Revoke => "revoke",
        }
    }
}

/// A duty that somebody has towards a credential, besides its owner and its approver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Stands in for the owner.
    Delegate,
    /// Answers for it at the gateway.
    Gateway,
    /// Answers for it at the identity provider.
    Idp,
    /// Answers for it where it runs.
    Runtime,
    /// Rotates it.
    Rotator,
    /// Reads its log.
    LogReviewer,
    /// Revokes it.
    Revoker,
    /// Takes it out of service.
    Decommissioner,
    /// Answers for the business that needs it; asked for at T0.
    BusinessSponsor,
    /// Owns the access policy.
    PolicyOwner,
    /// Reviewed it last.
    Reviewer,
    /// Made it.
    Creator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 12] = [
        Role::Delegate,
        Role::Gateway,
        Role::Idp,
        Role::Runtime,
        Role::Rotator,
        Role::LogReviewer,
        Role::Revoker,
        Role::Decommissioner,
        Role::BusinessSponsor,
        Role::PolicyOwner,
        Role::Reviewer,
        Role::Creator,
    ];

    /// The field's name in `[inventory.map]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Delegate => "delegate",
            Role::Gateway => "gateway_owner",
            Role::Idp => "idp_owner",
            Role::Runtime => "runtime_owner",
            Role::Rotator => "rotator",
            Role::LogReviewer => "log_reviewer",
            Role::Revoker => "revoker",
            Role::Decommissioner => "decommissioner",
            Role::BusinessSponsor => "business_sponsor",
            Role::PolicyOwner => "policy_owner",
            Role::Reviewer => "reviewer",
            Role::Creator => "creator",
        }
    }
}

/// What a piece of evidence proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are those of the record")]
pub enum EvidenceKind {
    Issuance,
    Review,
    Rotation,
    Revocation,
    Incident,
}

impl EvidenceKind {
    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            EvidenceKind::Issuance => "issuance",
            EvidenceKind::Review => "review",
            EvidenceKind::Rotation => "rotation",
            EvidenceKind::Revocation => "revocation",
            EvidenceKind::Incident => "incident",
        }
    }
}

/// A ticket, log or document that the register refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// What it proves, where the register says.
    pub kind: Option<EvidenceKind>,
    /// The reference, as written: a ticket number, a URL, a file with its SHA-256.
    pub reference: String,
}

/// The fields of a record that most registers leave out.
///
/// `direction` is one of inbound, outbound, internal; `auth_method` one of static_secret,
/// signed_token, mtls, oidc_federation, managed_identity, basic, other; `grant_type` one of
/// standing, emergency, temporary; as written where the word is another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names are those of the record's fields; the special ones are described"
)]
pub struct RecordDetails {
    pub business_process: Option<String>,
    pub apis: Vec<String>,
    pub application: Option<String>,
    pub direction: Option<String>,
    /// Where it may be used from, for what: network ranges, repositories, branches.
    pub conditions: Option<String>,
    pub audience: Vec<String>,
    pub auth_method: Option<String>,
    /// The approved store that it should lie in.
    pub store: Option<String>,
    pub contract_ref: Option<String>,
    pub contract_end: Option<Timestamp>,
    /// That the owners of interface and credential differ, and how they agreed.
    pub split: Option<String>,
    /// The event that it was issued by: a ticket, a pipeline.
    pub issued_by_event: Option<String>,
    pub rotation_evidence: Option<String>,
    pub review_decision: Option<ReviewDecision>,
    pub review_ref: Option<String>,
    /// What shows that it is still needed.
    pub need_signal: Option<String>,
    /// When its revocation was last tried.
    pub revocation_drill_at: Option<Timestamp>,
    pub revocation_evidence: Option<String>,
    pub grant_type: Option<String>,
    pub exception_ref: Option<String>,
    /// Where its use is logged.
    pub log_source: Option<String>,
    pub evidence: Vec<EvidenceRef>,
    /// Who has which duty, as written.
    pub roles: BTreeMap<Role, String>,
}

/// One field of which two registers say different things. The record holds what the register of
/// higher precedence says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Conflict {
    /// The field, as `[inventory.map]` writes it.
    pub field: String,
    /// What the other register says.
    pub value: String,
    /// Where.
    pub source: RecordSource,
}

/// One line of the register. Empty cells and placeholders (`n/a`, `tbd`, `-`) are `None`. A
/// date without a time is the end of that day, UTC, for `expires_at`, and its start for all
/// that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `record_id`; where the register has none, derived from inventory and identifiers.
    pub id: String,
    /// Where it was read.
    pub source: RecordSource,
    /// `credential_type`, one of the record's enumeration where recognised.
    pub credential_type: Option<String>,
    /// What it is known by.
    pub identifiers: Vec<Identifier>,
    /// Its name.
    pub name: Option<String>,
    /// System or application it belongs to.
    pub system: Option<String>,
    /// Provider.
    pub provider: Option<String>,
    /// Tenant or account.
    pub account: Option<String>,
    /// `prod`, `staging`, `test`, `dev`, `shared`, `unknown`.
    pub environment: Option<String>,
    /// Business unit or acquisition.
    pub entity: Option<String>,
    /// Accountable owner, as written.
    pub owner: Option<String>,
    /// Person or team, where the register says.
    pub owner_kind: Option<OwnerKind>,
    /// Who approved it.
    pub approver: Option<String>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// Where that is written down.
    pub approval_ref: Option<String>,
    /// Why it exists.
    pub purpose: Option<String>,
    /// What it may do.
    pub scope: Vec<String>,
    /// Data classes it can reach.
    pub data_classes: Vec<String>,
    /// The tier, where the register gives one.
    pub tier: Option<Tier>,
    /// `internal_workload`, `partner`, `third_party` …
    pub trust_tier: Option<String>,
    /// Its state, where the register gives one; absent means active.
    pub status: Option<RecordStatus>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Why it has no end.
    pub no_expiry_reason: Option<String>,
    /// Longest life allowed, in days.
    pub max_lifetime_days: Option<u32>,
    /// Rotation interval, in days.
    pub rotation_days: Option<u32>,
    /// When it was last rotated, says the record.
    pub last_rotated_at: Option<Timestamp>,
    /// When it was last reviewed.
    pub last_reviewed_at: Option<Timestamp>,
    /// How it is revoked.
    pub revocation_path: Option<String>,
    /// How the service recovers then.
    pub recovery_procedure: Option<String>,
    /// When it was revoked, says the record.
    pub revoked_at: Option<Timestamp>,
    /// By whom.
    pub revoked_by: Option<String>,
    /// The vendor.
    pub vendor: Option<String>,
    /// Columns that no field takes, by header; cells of fields that could not be understood; and
    /// those of [`RecordDetails`] as they were written.
    pub extra: BTreeMap<String, String>,
    /// Fields that most registers leave out; `None` where this one has none of them.
    pub details: Option<Box<RecordDetails>>,
    /// Lines of further registers that are the same record.
    pub also: Vec<RecordSource>,
    /// Fields in which those disagree.
    pub conflicts: Vec<Conflict>,
}

impl Record {
    /// The rare fields, empty ones where the register has none.
    pub fn details(&self) -> &RecordDetails {
        static NONE: LazyLock<RecordDetails> = LazyLock::new(RecordDetails::default);
        self.details.as_deref().unwrap_or(&NONE)
    }

    /// The rare fields, to be written.
    pub fn details_mut(&mut self) -> &mut RecordDetails {
        self.details.get_or_insert_default()
    }

    /// Who has this duty, as written.
    pub fn role(&self, role: Role) -> Option<&str> {
        self.details().roles.get(&role).map(String::as_str)
    }
}

/// A cell of a register that is itself a secret: refused, sealed, reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedCell {
    /// Where.
    pub source: RecordSource,
    /// The column's header.
    pub column: String,
    /// The rule that recognised it.
    pub rule: String,
    /// The kind of credential.
    pub kind: String,
    /// Its keyed name.
    pub secret: SecretId,
    /// Its public identifier, where the format carries one.
    pub handle: Option<Handle>,
}

/// Every record of every inventory, in order of precedence, then file and row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The records.
    pub records: Vec<Record>,
    /// Cells that were secrets.
    pub leaked: Vec<LeakedCell>,
    /// Things a reader should know that stop nothing (a duplicate column, an ignored one).
    pub notes: Vec<String>,
}
