//! Which finding is which ticket of which tracker, so that the next files update instead of
//! duplicating.
//!
//! A row is made when a file was written that creates a ticket (its key is not known yet), and
//! gets its key when the tracker's own export is read back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{
    Ledger, LedgerError,
    body::{self, Columns},
    read_time,
    settle::stamp,
};
use crate::audit::{Finding, State};

/// A finding's ticket in one tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its key there; `None` as long as only a file was written.
    pub key: Option<String>,
    /// Whether it is open there, as far as was told.
    pub open: bool,
    /// What the last file said about it, as a hash.
    pub content: String,
    /// When this was last told.
    pub at: Timestamp,
}

/// What a file for a tracker said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The finding's published id.
    pub finding: String,
    /// What was said, as a hash.
    pub content: String,
    /// Whether the ticket is open after that.
    pub open: bool,
}

/// A ticket that a tracker's export told of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Learned {
    /// The id it carries.
    pub finding: String,
    /// Its key.
    pub key: String,
    /// Whether it is open there.
    pub open: bool,
}

/// What came of reading a tracker's export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LearnOutcome {
    /// Keys that were not known before.
    pub learned: usize,
    /// Tickets whose state was not as known.
    pub changed: usize,
    /// Tickets of findings that this ledger does not know.
    pub strangers: Vec<String>,
    /// Further tickets of one finding: key, and the key that counts.
    pub doubles: Vec<(String, String)>,
    /// Findings whose ticket was never made, and will be created again.
    pub never_made: usize,
}

/// A finding as it stands, whatever run it was last seen in.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The finding, with the state it has in the ledger.
    pub finding: Finding,
    /// Why it is mended, or was not looked at.
    pub reason: String,
    /// When it came back after it was mended.
    pub reopened_at: Option<Timestamp>,
    /// Under which id it goes on, if it was merged.
    pub merged_into: Option<String>,
}

impl Ledger {
    /// The tickets of a tracker, by finding.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn tickets(&self, tracker: &str) -> Result<BTreeMap<String, Ticket>, LedgerError> {
        let mut query = self
            .connection
            .prepare("select finding, key, open, content, at from tickets where tracker = ?1")?;
        let rows = query.query_map([tracker], |row| {
            let ticket = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((row.get(0)?, ticket, row.get::<_, String>(4)?))
        })?;
        rows.map(|row| {
            let (finding, (key, open, content), at) = row?;
            let at = read_time(&at)?;
            Ok((
                finding,
                Ticket {
                    key,
                    open,
                    content,
                    at,
                },
            ))
        })
        .collect()
    }

    /// Every finding as it stands, by id; those of checks that no longer exist are left out.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn standing(&self) -> Result<Vec<Standing>, LedgerError> {
        let mut query = self.connection.prepare(
            "select f.id, check_id, subject, state, severity, first_seen, last_seen, due, body,
             reason, reopened_at, a.old from findings f
             left join aliases a on a.new = f.id and f.state = 'superseded' order by f.id",
        )?;
        let mut rows = query.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let text = |ix| row.get::<_, String>(ix);
            let maybe = |ix| -> Result<Option<Timestamp>, LedgerError> {
                row.get::<_, Option<String>>(ix)?
                    .as_deref()
                    .map(read_time)
                    .transpose()
            };
            let (id, check, subject) = (text(0)?, text(1)?, text(2)?);
            let (state, severity) = (text(3)?, text(4)?);
            let columns = Columns {
                id: &id,
                check: &check,
                subject_key: &subject,
                severity: &severity,
                state: State::from_word(&state)
                    .ok_or_else(|| LedgerError::Row(format!("state of finding {id}")))?,
                first_seen: read_time(&text(5)?)?,
                last_seen: read_time(&text(6)?)?,
                due: maybe(7)?,
            };
            if let Some(finding) = body::read(&columns, &text(8)?, None)? {
                all.push(Standing {
                    finding,
                    reason: text(9)?,
                    reopened_at: maybe(10)?,
                    merged_into: row.get(11)?,
                });
            }
        }
        Ok(all)
    }

    /// Remembers what files for a tracker say: they were written, and may be imported.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn exported(
        &mut self,
        tracker: &str,
        said: &[Exported],
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for one in said {
            transaction.execute(
                "insert into tickets (finding, tracker, key, open, content, at)
                 values (?1, ?2, null, ?3, ?4, ?5) on conflict (finding, tracker)
                 do update set open = excluded.open, content = excluded.content, at = excluded.at",
                params![one.finding, tracker, one.open, one.content, stamp(at)],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Takes over what a tracker's export tells. If it is `complete`, a ticket that a file should
    /// have made and that is not in it was never made.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub fn learn(
        &mut self,
        tracker: &str,
        told: &[Learned],
        complete: bool,
        at: Timestamp,
    ) -> Result<LearnOutcome, LedgerError> {
        let mut outcome = LearnOutcome::default();
        let mut by_finding: BTreeMap<String, Learned> = BTreeMap::new();
        let mut all = told.to_vec();
        // The lowest key is the oldest ticket: keys of trackers count upwards.
        all.sort_by(|a, b| (a.key.len(), &a.key).cmp(&(b.key.len(), &b.key)));
        for one in all {
            let Some(finding) = self.published(&one.finding)? else {
                outcome.strangers.push(one.finding);
                continue;
            };
            match by_finding.get_mut(&finding) {
                None => {
                    by_finding.insert(finding, one);
                }
                // The open one of two is the one that people work on.
                Some(first) if one.open && !first.open => {
                    outcome.doubles.push((first.key.clone(), one.key.clone()));
                    *first = one;
                }
                Some(first) => outcome.doubles.push((one.key, first.key.clone())),
            }
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (finding, one) in &by_finding {
            take(&transaction, tracker, finding, one, at, &mut outcome)?;
        }
        if complete {
            let mut pending = transaction.prepare(
                "select finding from tickets where tracker = ?1 and key is null order by finding",
            )?;
            let pending = pending.query_map([tracker], |row| row.get::<_, String>(0))?;
            for finding in pending.collect::<Result<Vec<_>, _>>()? {
                outcome.never_made += transaction.execute(
                    "delete from tickets where tracker = ?1 and finding = ?2",
                    [tracker, &finding],
                )?;
            }
        }
        transaction.commit()?;
        Ok(outcome)
    }
}

fn take(
    transaction: &Transaction<'_>,
    tracker: &str,
    finding: &str,
    one: &Learned,
    at: Timestamp,
    outcome: &mut LearnOutcome,
) -> Result<(), LedgerError> {
    let known: Option<(Option<String>, bool)> = transaction
        .query_row(
            "select key, open from tickets where finding = ?1 and tracker = ?2",
            [finding, tracker],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match &known {
        Some((Some(key), open)) if *key == one.key => {
            outcome.changed += usize::from(*open != one.open);
        }
        _ => outcome.learned += 1,
    }
    // What a file said stays known only for a ticket that was made by it.
    transaction.execute(
        "insert into tickets (finding, tracker, key, open, content, at) values (?1, ?2, ?3, ?4, '', ?5)
         on conflict (finding, tracker) do update set key = excluded.key, open = excluded.open, at = excluded.at",
        params![finding, tracker, one.key, one.open, stamp(at)],
    )?;
    Ok(())
}
