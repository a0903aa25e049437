//! One run enters the memory: states, first and last seen, due dates, aliases.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use keymuster_api::Severity;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::{
    Ledger, LedgerError,
    body::{self, Columns},
    read_time,
};
use crate::audit::{
    CheckCx, Earlier, Evidence, Exceptions, Finding, Judged, State, Subject, Trail, Trails, follow,
    order,
};

/// What the ledger remembers of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// Its id. Settling the same id again replaces the run.
    pub id: String,
    /// When it ran.
    pub at: Timestamp,
    /// The point in time it judged.
    pub now: Timestamp,
    /// Name and version of the program.
    pub tool: String,
    /// Whether everything configured was seen.
    pub complete: bool,
    /// Under which key its ids were made.
    pub key_id: String,
}

/// What changed since the run before: published ids, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Never seen before.
    pub new: Vec<String>,
    /// Proven to be mended.
    pub fixed: Vec<String>,
    /// Mended once, and back.
    pub regressed: Vec<String>,
    /// More severe than before.
    pub worsened: Vec<String>,
    /// Open before, and not looked at this time.
    pub not_evaluated: Vec<String>,
    /// What should be known about exceptions.
    pub notes: Vec<String>,
}

/// A stored finding.
#[derive(Clone)]
struct Row {
    id: String,
    check: String,
    subject: String,
    state: String,
    severity: String,
    first_seen: Timestamp,
    last_seen: Timestamp,
    reopened: i64,
    reopened_at: Option<Timestamp>,
    paused_since: Option<Timestamp>,
    paused_seconds: i64,
    due: Option<Timestamp>,
    listed: bool,
    scopes: Vec<String>,
    reason: String,
    body: String,
}

impl Row {
    fn is_settled(&self) -> bool {
        matches!(self.state.as_str(), "fixed" | "superseded")
    }
}

impl Ledger {
    /// Enters a run: gives each finding the id it is published under, its state, first and last
    /// seen and due date; applies exceptions; adds what was open before and is mended now, or
    /// was not looked at. Then `keep` says what to remember of the run; it may leave files of its
    /// own, which count from the moment this returns. All of it, or nothing.
    ///
    /// # Errors
    /// When the ledger cannot be read or written, or `keep` fails; `judged` is then of no use.
    pub fn settle<E: From<LedgerError>>(
        &mut self,
        run: &RunFacts,
        cx: &CheckCx<'_>,
        judged: &mut Judged,
        exceptions: Option<&Exceptions>,
        keep: impl FnOnce(&mut Judged, &Changes) -> Result<Kept, E>,
    ) -> Result<Changes, E> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(LedgerError::from)?;
        let changes = settle(&transaction, run, cx, judged, exceptions)?;
        let kept = keep(judged, &changes)?;
        put_kept(&transaction, run, &kept)?;
        transaction.commit().map_err(LedgerError::from)?;
        Ok(changes)
    }
}

/// What the ledger keeps of a run besides its findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The record of findings, as JSON.
    pub document: Option<String>,
    /// How many documents are kept, this one included.
    pub documents: u32,
    /// What is kept for ever: few numbers, as JSON.
    pub summary: Option<String>,
    /// The root of the run's evidence.
    pub root: Option<String>,
}

fn put_kept(transaction: &Transaction<'_>, run: &RunFacts, kept: &Kept) -> Result<(), LedgerError> {
    transaction.execute(
        "update runs set document = ?2, summary = ?3, root = ?4 where id = ?1",
        params![run.id, kept.document, kept.summary, kept.root],
    )?;
    transaction.execute(
        "update runs set document = null where document is not null and rowid not in
         (select rowid from runs where document is not null order by rowid desc limit ?1)",
        [kept.documents],
    )?;
    Ok(())
}

fn settle(
    transaction: &Transaction<'_>,
    run: &RunFacts,
    cx: &CheckCx<'_>,
    judged: &mut Judged,
    exceptions: Option<&Exceptions>,
) -> Result<Changes, LedgerError> {
    put_run(transaction, run)?;
    let mut rows = load(transaction)?;
    let by_subject: BTreeMap<(String, String), String> = rows
        .values()
        .filter(|row| row.state != "superseded")
        .map(|row| ((row.check.clone(), row.subject.clone()), row.id.clone()))
        .collect();
    let mut changes = Changes::default();

    let mut before: Vec<Option<Row>> = Vec::with_capacity(judged.findings.len());
    for finding in &mut judged.findings {
        before.push(adopt(transaction, cx, finding, &mut rows, &by_subject)?);
    }
    for (finding, before) in judged.findings.iter_mut().zip(&before) {
        enter(run, finding, before.as_ref());
    }
    if let Some(exceptions) = exceptions {
        changes.notes = exceptions.apply(cx, &mut judged.findings);
    }
    let trails = Trails::new(cx);
    let mut seen = BTreeSet::new();
    for (finding, before) in judged.findings.iter_mut().zip(&before) {
        let row = stored(cx, &trails, run, finding, before.as_ref());
        finding.due = row.due;
        finding.sla_breached = finding.state.is_open() && row.due.is_some_and(|due| due < run.now);
        put(transaction, run, &row)?;
        note(&mut changes, finding, before.as_ref());
        seen.insert(finding.id.clone());
    }

    let absent: Vec<Row> = rows
        .into_values()
        .filter(|row| !row.is_settled() && !seen.contains(&row.id))
        .collect();
    carry(transaction, run, cx, judged, absent, &mut changes)?;
    judged.findings.sort_by(order);

    let mut expose = transaction.prepare(
        "insert into exposures (subject, first_exposed) values (?1, ?2)
         on conflict (subject) do update set first_exposed = min(first_exposed, excluded.first_exposed)",
    )?;
    for (subject, at) in &judged.exposures {
        expose.execute(params![subject, stamp(*at)])?;
    }
    for ids in [
        &mut changes.new,
        &mut changes.fixed,
        &mut changes.regressed,
        &mut changes.worsened,
        &mut changes.not_evaluated,
    ] {
        ids.sort();
    }
    Ok(changes)
}

/// Finds the row of a finding, by its subject or by one the subject was known by before, and
/// gives the finding the id it was published under.
fn adopt(
    transaction: &Transaction<'_>,
    cx: &CheckCx<'_>,
    finding: &mut Finding,
    rows: &mut BTreeMap<String, Row>,
    by_subject: &BTreeMap<(String, String), String>,
) -> Result<Option<Row>, LedgerError> {
    let mut names = vec![finding.subject_key.clone()];
    if let Subject::Credential(ix) = &finding.subject {
        let credential = &cx.estate.credentials[*ix as usize];
        names.extend(
            credential
                .aliases
                .iter()
                .map(|&alias| cx.estate.text(alias).to_owned()),
        );
    }
    let mut known: Vec<Row> = names
        .into_iter()
        .filter_map(|name| by_subject.get(&(finding.check.id.to_owned(), name)))
        .filter_map(|id| rows.remove(id))
        .collect();
    // The one published longest keeps its id; the others were the same thing all along.
    known.sort_by(|a, b| (a.first_seen, &a.id).cmp(&(b.first_seen, &b.id)));
    let mut known = known.into_iter();
    let oldest = known.next();
    for other in known {
        transaction.execute(
            "update findings set state = 'superseded' where id = ?1",
            [&other.id],
        )?;
        if let Some(oldest) = &oldest {
            put_alias(transaction, &oldest.id, &other.id)?;
            // Its ticket goes on under the id that stays, unless that has one of its own.
            transaction.execute(
                "update or ignore tickets set finding = ?1 where finding = ?2",
                [&oldest.id, &other.id],
            )?;
        }
    }
    if let Some(oldest) = &oldest
        && oldest.id != finding.id
    {
        put_alias(transaction, &oldest.id, &finding.id)?;
        finding.id.clone_from(&oldest.id);
    }
    Ok(oldest)
}

/// State, first and last seen of a finding that was made this time.
fn enter(run: &RunFacts, finding: &mut Finding, before: Option<&Row>) {
    finding.last_seen = run.now;
    finding.first_seen = before.map_or(run.now, |row| row.first_seen);
    if finding.state == State::Suppressed {
        return;
    }
    finding.state = match before.map(|row| row.state.as_str()) {
        None => State::New,
        Some("fixed") => State::Regressed,
        Some(_) => State::Open,
    };
}

/// The row of a finding as it stands now.
fn stored(
    cx: &CheckCx<'_>,
    trails: &Trails<'_>,
    run: &RunFacts,
    finding: &Finding,
    before: Option<&Row>,
) -> Row {
    let Trail { listed, scopes } = trails.of(finding);
    let regressed = before.is_some_and(|row| row.state == "fixed");
    let mut reopened_at = before.and_then(|row| row.reopened_at);
    let mut paused_seconds = before.map_or(0, |row| row.paused_seconds);
    if regressed {
        // The clock starts anew.
        reopened_at = Some(run.now);
        paused_seconds = 0;
    } else if let Some(since) = before.and_then(|row| row.paused_since) {
        // Nobody was asked while nobody looked.
        paused_seconds += (run.now.as_second() - since.as_second()).max(0);
    }
    let start = reopened_at.unwrap_or(finding.first_seen);
    let hours = cx.policy.sla.hours(finding.check.id, finding.severity);
    let due = hours.and_then(|hours| {
        let allowed = SignedDuration::from_hours(i64::from(hours));
        let paused = SignedDuration::from_secs(paused_seconds);
        start.checked_add(allowed).ok()?.checked_add(paused).ok()
    });
    Row {
        id: finding.id.clone(),
        check: finding.check.id.to_owned(),
        subject: finding.subject_key.clone(),
        state: finding.state.as_str().to_owned(),
        severity: finding.severity.as_str().to_owned(),
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        reopened: before.map_or(0, |row| row.reopened) + i64::from(regressed),
        reopened_at,
        paused_since: None,
        paused_seconds,
        due,
        listed,
        scopes,
        reason: String::new(),
        body: body::write(finding),
    }
}

fn note(changes: &mut Changes, finding: &Finding, before: Option<&Row>) {
    match finding.state {
        State::New => changes.new.push(finding.id.clone()),
        State::Regressed => changes.regressed.push(finding.id.clone()),
        _ => {
            let was = before.and_then(|row| row.severity.parse::<Severity>().ok());
            if finding.state.is_open() && was.is_some_and(|was| was < finding.severity) {
                changes.worsened.push(finding.id.clone());
            }
        }
    }
}

/// What was open before and was not found this time: mended, or not looked at.
fn carry(
    transaction: &Transaction<'_>,
    run: &RunFacts,
    cx: &CheckCx<'_>,
    judged: &mut Judged,
    absent: Vec<Row>,
    changes: &mut Changes,
) -> Result<(), LedgerError> {
    let earlier: Vec<Earlier> = absent
        .iter()
        .map(|row| Earlier {
            check: row.check.clone(),
            subject_key: row.subject.clone(),
            listed: row.listed,
            scopes: row.scopes.clone(),
        })
        .collect();
    let outcomes = follow(cx, judged, &earlier);
    for (mut row, outcome) in absent.into_iter().zip(outcomes) {
        let state = if outcome.fixed {
            changes.fixed.push(row.id.clone());
            row.paused_since = None;
            State::Fixed
        } else {
            if row.state != State::NotEvaluated.as_str() {
                changes.not_evaluated.push(row.id.clone());
            }
            row.paused_since = row.paused_since.or(Some(run.now));
            State::NotEvaluated
        };
        row.state = state.as_str().to_owned();
        row.reason.clone_from(&outcome.reason);
        put(transaction, run, &row)?;
        let columns = Columns {
            id: &row.id,
            check: &row.check,
            subject_key: &row.subject,
            severity: &row.severity,
            state,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            due: row.due,
        };
        if let Some(mut finding) = body::read(&columns, &row.body, outcome.subject)? {
            finding.evidence.push(Evidence {
                label: state.as_str().replace('_', " "),
                value: outcome.reason,
                source: format!("run {}", run.id),
            });
            judged.findings.push(finding);
        }
    }
    Ok(())
}

fn put_run(transaction: &Transaction<'_>, run: &RunFacts) -> Result<(), LedgerError> {
    transaction.execute(
        "insert or replace into runs (id, at, now, tool, complete, key_id) values (?1, ?2, ?3, ?4, ?5, ?6)",
        params![run.id, stamp(run.at), stamp(run.now), run.tool, run.complete, run.key_id],
    )?;
    Ok(())
}

fn put_alias(transaction: &Transaction<'_>, old: &str, new: &str) -> Result<(), LedgerError> {
    transaction.execute(
        "insert or replace into aliases (new, old) values (?1, ?2)",
        [new, old],
    )?;
    // What was an alias of the superseded id follows it.
    transaction.execute("update aliases set old = ?2 where old = ?1", [new, old])?;
    Ok(())
}

fn put(transaction: &Transaction<'_>, run: &RunFacts, row: &Row) -> Result<(), LedgerError> {
    let mut statement = transaction.prepare_cached(
        "insert or replace into findings
         (id, check_id, subject, state, severity, first_seen, last_seen, reopened, reopened_at,
          paused_since, paused_seconds, due, listed, scopes, reason, body, run)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    statement.execute(params![
        row.id,
        row.check,
        row.subject,
        row.state,
        row.severity,
        stamp(row.first_seen),
        stamp(row.last_seen),
        row.reopened,
        row.reopened_at.map(stamp),
        row.paused_since.map(stamp),
        row.paused_seconds,
        row.due.map(stamp),
        row.listed,
        serde_json::to_string(&row.scopes).expect("texts are always JSON"),
        row.reason,
        row.body,
        run.id,
    ])?;
    Ok(())
}

fn load(transaction: &Transaction<'_>) -> Result<BTreeMap<String, Row>, LedgerError> {
    let mut query = transaction.prepare(
        "select id, check_id, subject, state, severity, first_seen, last_seen, reopened, reopened_at,
         paused_since, paused_seconds, due, listed, scopes, reason, body from findings",
    )?;
    let mut rows = query.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let text = |ix| row.get::<_, String>(ix);
        let time = |ix| -> Result<Timestamp, LedgerError> { read_time(&row.get::<_, String>(ix)?) };
        let maybe = |ix| -> Result<Option<Timestamp>, LedgerError> {
            row.get::<_, Option<String>>(ix)?
                .as_deref()
                .map(read_time)
                .transpose()
        };
        let id = text(0)?;
        let scopes = serde_json::from_str(&text(13)?)
            .map_err(|_| LedgerError::Row(format!("scopes of finding {id}")))?;
        all.insert(
            id.clone(),
            Row {
                id,
                check: text(1)?,
                subject: text(2)?,
                state: text(3)?,
                severity: text(4)?,
                first_seen: time(5)?,
                last_seen: time(6)?,
                reopened: row.get(7)?,
                reopened_at: maybe(8)?,
                paused_since: maybe(9)?,
                paused_seconds: row.get(10)?,
                due: maybe(11)?,
                listed: row.get(12)?,
                scopes,
                reason: text(14)?,
                body: text(15)?,
            },
        );
    }
    Ok(all)
}

/// A time as text that sorts like the time: always UTC, always with nine digits.
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// Everything but the commit, as far as a run that crashes gets.
#[cfg(test)]
pub(super) fn settle_for_tests(
    transaction: &Transaction<'_>,
    run: &RunFacts,
    cx: &CheckCx<'_>,
    judged: &mut Judged,
) {
    settle(transaction, run, cx, judged, None).expect("settles");
}
