//! The record of an audit, `findings.json`: every other format is a projection of it.
//!
//! The members and their names are a contract, written down in
//! `fixtures/schemas/findings-1.schema.json`: what is absent is `null` and never left out, new
//! members may appear, old ones stay. An older document is read with what it has.

mod blocks;
mod build;
mod credentials;
mod headline;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::Severity;
use serde::{Deserialize, Serialize};

pub(crate) use blocks::{Block, blocks};
pub use build::{DocumentInput, RunFacts};
pub use headline::{Headline, headline};

/// The version of the document's schema.
pub const SCHEMA: u32 = 1;

macro_rules! entries {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)? })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
            #[serde(default)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type),+ }
        )+
    };
}

entries! {
    /// One audit. Times are RFC 3339 in UTC.
    Document {
        /// Always [`SCHEMA`] in what this version writes.
        schema: u32,
        /// What wrote it.
        tool: Tool,
        /// Which run.
        run: Run,
        /// What was expected and received, per scope.
        coverage: Vec<CoverageEntry>,
        /// What was not seen.
        gaps: Vec<GapEntry>,
        /// How each check's population came out.
        population: Vec<PopulationEntry>,
        /// How discovered and recorded credentials add up; `null` without inventory.
        reconciliation: Option<Reconciliation>,
        /// Every credential, sorted by subject.
        credentials: Vec<CredentialEntry>,
        /// Findings, worst first: by severity, score, check, subject.
        findings: Vec<FindingEntry>,
        /// The words of every check that made a finding, sorted by id.
        checks: Vec<CheckEntry>,
        /// What changed since the run before; `null` where nothing remembers.
        changes: Option<ChangesEntry>,
        /// What earlier runs came to, oldest first; this one is the last.
        trend: Vec<TrendEntry>,
        /// The only member that differs between two runs over the same inputs.
        timings: Timings,
    }

    /// The program.
    Tool {
        /// `keymuster`.
        name: String,
        /// Its version.
        version: String,
    }

    /// One run.
    Run {
        /// The ledger's id of the run.
        id: String,
        /// The estate's configured name.
        estate: String,
        /// The run's point in time.
        now: String,
        /// The id of the estate's key; `null` for a key that was made for this run alone.
        key_id: Option<String>,
        /// Whether finding ids hold for this run only.
        ephemeral: bool,
        /// Further facts by name: the preset, what was allowed. Never the command line.
        facts: BTreeMap<String, String>,
    }

    /// How much of a scope was seen.
    CoverageEntry {
        /// `aws:123456789012`, `git:payments-api`.
        scope: String,
        /// What was counted.
        what: String,
        /// How many there are, if the system said.
        expected: Option<u64>,
        /// How many were seen.
        received: u64,
        /// Bytes searched.
        bytes: u64,
        /// Whether everything was seen.
        complete: bool,
        /// Who says so.
        source: String,
    }

    /// Something that was not seen.
    GapEntry {
        /// `unreadable`, `denied` …
        kind: String,
        /// What.
        subject: String,
        /// Why, and what to do.
        reason: String,
        /// Who says so.
        source: String,
    }

    /// How a check's population came out.
    PopulationEntry {
        /// The check's id.
        check: String,
        /// All subjects: evaluated and not evaluated.
        total: u64,
        /// Subjects judged.
        evaluated: u64,
        /// Of these, without finding.
        passed: u64,
        /// Of these, with finding.
        failed: u64,
        /// Subjects that lack an input.
        not_evaluated: Vec<Unevaluated>,
    }

    /// Subjects that could not be judged.
    Unevaluated {
        /// The input they lack.
        input: String,
        /// How many.
        count: u64,
    }

    /// Discovered = registered + to confirm + unregistered; records = matched + unmatched.
    Reconciliation {
        /// Credentials discovered.
        credentials: u64,
        /// Of these, with an accepted record.
        registered: u64,
        /// Of these, with a likely record that somebody must confirm.
        to_confirm: u64,
        /// Of these, without record.
        unregistered: u64,
        /// Records of all inventories.
        records: u64,
        /// Of these, accepted for at least one credential.
        records_matched: u64,
        /// Of these, for none.
        records_unmatched: u64,
    }

    /// One credential.
    CredentialEntry {
        /// The canonical subject, which finding ids are made from.
        subject: String,
        /// An id of the catalogue of kinds.
        kind: String,
        /// The kind's title.
        title: String,
        /// `aws`, `github` …
        provider: String,
        /// Account, tenant, organisation.
        account: Option<String>,
        /// Its display name.
        name: Option<String>,
        /// Its public identifier.
        handle: Option<HandleEntry>,
        /// Its keyed name, 32 hexadecimal digits, where its value was seen.
        secret_id: Option<String>,
        /// The principal it authenticates.
        identity: Option<String>,
        /// `active`, `disabled`, `revoked`, `unknown`.
        status: String,
        /// A time, or `never`, `unknown`, `denied`, `absent`, `unsupported`.
        created: String,
        /// As `created`.
        rotated: String,
        /// As `created`.
        last_used: String,
        /// As `created`.
        expires: String,
        /// Where its value, or its public identifier, was seen.
        places: Vec<PlaceEntry>,
        /// Who answers for it.
        owner: Option<String>,
        /// Where the record of it is.
        record_id: Option<String>,
        /// The three questions.
        answered: Answered,
        /// Where the owner was read.
        owner_source: Option<String>,
        /// Why that record.
        matched: Option<MatchEntry>,
        /// With what it was last used.
        last_used_for: Option<String>,
        /// Who uses it, or holds it.
        used_by: Vec<UseEntry>,
        /// Whether a system lists it, as opposed to: only seen.
        listed: bool,
        /// Other subjects it would be named by if less were known.
        aliases: Vec<String>,
        /// Who says that it exists.
        sources: Vec<String>,
    }

    /// A public identifier.
    HandleEntry {
        /// What kind of identifier.
        scheme: String,
        /// The identifier.
        value: String,
    }

    /// One place of a credential.
    PlaceEntry {
        /// The repository, tree or account.
        resource: String,
        /// The path in it.
        path: String,
        /// Line, from 1.
        line: Option<u64>,
        /// Column in bytes, from 1.
        column: Option<u64>,
        /// Line of the last byte.
        end_line: Option<u64>,
        /// Column of the last byte.
        end_column: Option<u64>,
        /// The rule that found it.
        rule: String,
        /// The newest commit that holds it.
        commit: Option<CommitEntry>,
        /// The commits that brought the secret in.
        introduced: Option<Vec<CommitEntry>>,
        /// How many versions of the path hold it.
        versions: u32,
        /// Refs whose tip holds it.
        at_tip: Option<Vec<String>>,
        /// Whether it is in the working tree.
        in_worktree: bool,
        /// Why this place does not count.
        suppressed: Option<SuppressedEntry>,
    }

    /// A commit.
    CommitEntry {
        /// Its id.
        id: String,
        /// Who wrote it.
        author: String,
        /// When.
        at: Option<String>,
    }

    /// Why a place does not count.
    SuppressedEntry {
        /// What suppresses it.
        by: String,
        /// The reason given there.
        reason: String,
        /// Until when.
        until: Option<String>,
    }

    /// The answers to: who approved it, why does it exist, when will it be removed?
    Answered {
        /// Who approved it, and when, as far as the record says.
        approved_by: Option<String>,
        /// Why it exists.
        purpose: Option<String>,
        /// When it ends: a time, `revoked`, or `no end: <the recorded reason>`.
        removed_when: Option<String>,
        /// Where each answer was read.
        sources: AnswerSources,
    }

    /// Where the answers were read.
    AnswerSources {
        /// Of the approver.
        approved_by: Option<String>,
        /// Of the purpose.
        purpose: Option<String>,
        /// Of the end.
        removed_when: Option<String>,
    }

    /// Why a record and a credential are the same.
    MatchEntry {
        /// The strongest key that agreed.
        key: String,
        /// How sure, 0 to 1.
        confidence: f64,
        /// What was equal.
        because: String,
        /// The record's file and row.
        source: String,
    }

    /// Somebody or something that uses a credential.
    UseEntry {
        /// Who or what.
        by: String,
        /// `refers to it`, `holds it`, `used it`; of a consumer, in what way: `env TOKEN`.
        how: String,
        /// Who says so.
        source: String,
        /// Of a consumer, which breaks if the credential is revoked: `job`, `service`, `agent`,
        /// `infrastructure`.
        kind: Option<String>,
        /// The environment that the consumer deploys to.
        environment: Option<String>,
        /// Whether the consumer names it, as opposed to: may mean it.
        certain: Option<bool>,
        /// Who looks after the consumer, sorted.
        owners: Vec<String>,
    }

    /// One finding.
    FindingEntry {
        /// `KM-` and 16 characters, stable over runs.
        finding_id: String,
        /// The check's id.
        check: String,
        /// One line for people.
        title: String,
        /// `critical`, `high`, `medium`, `low`, `info`.
        severity: String,
        /// 0 to 100; orders findings.
        score: u8,
        /// One of the eight states.
        state: String,
        /// When it was first seen.
        first_seen: String,
        /// When it was last seen.
        last_seen: String,
        /// When it should be mended.
        due: Option<String>,
        /// Whether that time has passed.
        sla_breached: bool,
        /// The kind, or the record's type.
        credential_type: Option<String>,
        /// How the credential is called.
        credential: Option<String>,
        /// Provider.
        provider: Option<String>,
        /// Account.
        account: Option<String>,
        /// Environment.
        environment: Option<String>,
        /// `repo:path:line` and addresses in systems.
        locations: Vec<String>,
        /// The accountable owner.
        owner: Option<String>,
        /// Where the owner was read.
        owner_source: Option<String>,
        /// Who must act.
        route_to: Option<String>,
        /// From the record.
        approver: Option<String>,
        /// From the record.
        purpose: Option<String>,
        /// A time, or `never`.
        expires: Option<String>,
        /// How to revoke it.
        revocation_path: Option<String>,
        /// The matched record.
        record_id: Option<String>,
        /// What the finding rests on; never empty.
        evidence: Vec<EvidenceEntry>,
        /// What to do.
        remediation: String,
        /// Clauses of frameworks.
        frameworks: Vec<String>,
        /// The check's slug.
        slug: String,
        /// `credential`, `record`, `identity`, `scope`.
        subject_kind: String,
        /// The canonical subject.
        subject: String,
        /// Why it is routed there.
        route_reason: Option<String>,
        /// How the score came about.
        score_terms: Vec<ScoreEntry>,
        /// How many jobs, services and agents break if the credential is revoked, as far as
        /// pipelines and manifests were read; `null` where the finding is about none.
        consumers: Option<u64>,
    }

    /// One piece of evidence.
    EvidenceEntry {
        /// What it shows.
        label: String,
        /// The value.
        value: String,
        /// Where it was read.
        source: String,
    }

    /// One term of a score.
    ScoreEntry {
        /// What it stands for.
        name: String,
        /// What it adds.
        points: i32,
    }

    /// The words of a check.
    CheckEntry {
        /// `LIF-06`.
        id: String,
        /// `dormant`.
        slug: String,
        /// Its title.
        title: String,
        /// Why it matters.
        why: String,
        /// How it is decided.
        decided: String,
        /// What to do.
        remedy: String,
    }

    /// What changed since the run before: published ids of findings, sorted.
    ChangesEntry {
        /// The run before; `null` for the first one.
        since: Option<String>,
        /// Never seen before.
        new: Vec<String>,
        /// Proven to be mended.
        fixed: Vec<String>,
        /// Mended once, and back.
        regressed: Vec<String>,
        /// More severe than before.
        worsened: Vec<String>,
        /// Open before, and not looked at this time.
        not_evaluated: Vec<String>,
    }

    /// What one run came to.
    TrendEntry {
        /// The run.
        run: String,
        /// Its point in time.
        now: String,
        /// Credentials of the estate.
        credentials: u64,
        /// Of these, how many answer all three questions.
        answered: u64,
        /// Open findings by severity.
        open: BTreeMap<String, u64>,
        /// Open findings past their due date.
        overdue: u64,
        /// Things that could not be seen.
        gaps: u64,
    }

    /// When and how long; comparisons leave it out.
    Timings {
        /// When the run began, by the clock.
        started: Option<String>,
        /// Milliseconds by phase.
        milliseconds: BTreeMap<String, u64>,
    }
}

impl Document {
    /// The same run with these findings only, and with the credentials they are about.
    pub(crate) fn with(&self, findings: Vec<FindingEntry>) -> Document {
        let subjects: BTreeSet<&str> = findings.iter().map(|f| f.subject.as_str()).collect();
        let credentials = self.credentials.iter();
        Document {
            credentials: credentials
                .filter(|credential| subjects.contains(credential.subject.as_str()))
                .cloned()
                .collect(),
            findings,
            schema: self.schema,
            tool: self.tool.clone(),
            run: self.run.clone(),
            checks: self.checks.clone(),
            timings: self.timings.clone(),
            ..Document::default()
        }
    }
}

impl FindingEntry {
    /// The severity as a grade; a word of a later version counts as information.
    pub fn grade(&self) -> Severity {
        self.severity.parse().unwrap_or(Severity::Info)
    }

    /// Whether it counts: new, open, or back again.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "new" | "open" | "regressed")
    }
}

impl Answered {
    /// Whether all three questions are answered.
    pub fn all(&self) -> bool {
        self.approved_by.is_some() && self.purpose.is_some() && self.removed_when.is_some()
    }
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or its members have other types.
    #[error("this is no findings document; give the findings.json of an audit")]
    Malformed(#[from] serde_json::Error),
    /// It has no schema version, or a later one.
    #[error(
        "findings document of schema {0}, this version reads schema {SCHEMA}; update keymuster"
    )]
    Schema(String),
}

impl Document {
    /// Reads a document that this or an earlier version wrote.
    ///
    /// # Errors
    /// When the bytes are no document, or one of a later schema.
    pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
        let value: serde_json::Value = serde_json::from_slice(bytes)?;
        let schema = &value["schema"];
        if schema.as_u64() != Some(u64::from(SCHEMA)) {
            return Err(ReadError::Schema(schema.to_string()));
        }
        let mut doc: Document = serde_json::from_value(value)?;
        // They are looked up by subject; nobody promised that a hand left them in order.
        doc.credentials.sort_by(|a, b| a.subject.cmp(&b.subject));
        Ok(doc)
    }

    /// Open findings.
    pub fn open(&self) -> impl Iterator<Item = &FindingEntry> {
        self.findings.iter().filter(|finding| finding.is_open())
    }

    /// The credential of this subject.
    pub fn credential(&self, subject: &str) -> Option<&CredentialEntry> {
        let at = self
            .credentials
            .binary_search_by(|entry| entry.subject.as_str().cmp(subject));
        at.ok().map(|at| &self.credentials[at])
    }
}
