//! What earlier runs saw of credentials: a row where something changed.

use std::collections::BTreeMap;

use rusqlite::{TransactionBehavior, params};

use super::{Ledger, LedgerError, read_time};
use crate::audit::{History, Past};

impl Ledger {
    /// What earlier runs saw, by canonical subject; oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(&self) -> Result<History, LedgerError> {
        let mut query = self.connection.prepare(
            "select subject, at, expires, owner, team, secret, approved_at from past order by subject, at",
        )?;
        let mut rows = query.query([])?;
        let mut history = History::new();
        while let Some(row) = rows.next()? {
            let time = |at: Option<String>| at.map(|at| read_time(&at)).transpose();
            let past = Past {
                at: read_time(&row.get::<_, String>(1)?)?,
                expires: time(row.get(2)?)?,
                owner: row.get(3)?,
                team: row.get(4)?,
                secret: row.get(5)?,
                approved_at: time(row.get(6)?)?,
            };
            history.entry(row.get(0)?).or_default().push(past);
        }
        Ok(history)
    }

    /// Adds what this run saw, where it differs from what the last one did.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn remember(
        &mut self,
        known: &History,
        seen: &[(String, Past)],
    ) -> Result<(), LedgerError> {
        let last: BTreeMap<&String, &Past> = known
            .iter()
            .filter_map(|(subject, all)| Some((subject, all.last()?)))
            .collect();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare(
                "insert or replace into past (subject, at, expires, owner, team, secret, approved_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for (subject, past) in seen {
                // Runs with an older `--now` tell nothing about what came after.
                let news = last
                    .get(subject)
                    .is_none_or(|last| last.at <= past.at && !last.same(past));
                if news {
                    insert.execute(params![
                        subject,
                        past.at.to_string(),
                        past.expires.map(|at| at.to_string()),
                        past.owner,
                        past.team,
                        past.secret,
                        past.approved_at.map(|at| at.to_string()),
                    ])?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Past};

    #[test]
    fn a_row_is_added_only_where_something_changed() {
        let mut ledger = Ledger::ephemeral().expect("ledger");
        let at = |day: u32| {
            format!("2026-06-{day:02}T00:00:00Z")
                .parse()
                .expect("a time")
        };
        let seen = |day: u32, owner: &str| {
            let past = Past {
                at: at(day),
                expires: Some(at(30)),
                owner: Some(owner.to_owned()),
                ..Past::default()
            };
            vec![("key:1".to_owned(), past)]
        };
        for (day, owner) in [(1, "ada"), (2, "ada"), (3, "bob"), (2, "eve")] {
            let known = ledger.history().expect("read");
            ledger.remember(&known, &seen(day, owner)).expect("written");
        }
        let history = ledger.history().expect("read");
        let all: Vec<_> = history["key:1"]
            .iter()
            .map(|past| (past.at, past.owner.clone()))
            .collect();
        assert_eq!(
            all,
            [
                (at(1), Some("ada".to_owned())),
                (at(3), Some("bob".to_owned()))
            ]
        );
        assert_eq!(history["key:1"][0].expires, Some(at(30)));
    }
}
