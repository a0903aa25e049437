//! Recertification, the way back: decisions that reviewers wrote into the files they were given,
//! and the file that keeps them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    Inventory, InventoryError, ReviewDecision, Role,
    dates::{self, DayIs},
    fill::refused,
    read::{ReadCx, Table, read_table},
    text::{rows_shown, shown, squeezed},
    words,
};

/// The columns of the file that keeps decisions; what `review export` writes has them too.
pub const REVIEW_COLUMNS: [&str; 6] = [
    "credential",
    "record_id",
    "decision",
    "reviewer",
    "reviewed_at",
    "reason",
];

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The credential's subject.
    pub credential: String,
    /// The record, where there was one.
    pub record: Option<String>,
    /// What was decided.
    pub decision: ReviewDecision,
    /// By whom.
    pub reviewer: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the reviewer's words.
    pub reason: Option<String>,
    /// File and row.
    pub source: String,
}

/// The decisions of some files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviews {
    /// In file order.
    pub entries: Vec<Review>,
    /// Rows that were asked about and have no decision.
    pub unanswered: usize,
    /// Things to tell.
    pub notes: Vec<String>,
}

impl Reviews {
    /// Reads a file of decisions, as it was exported and filled in, or as it is kept. A row
    /// without a date was decided at `now`; a row without a reviewer by its owner.
    ///
    /// # Errors
    /// When columns are missing, or a decision or a date is not understood: what a reviewer
    /// meant is not guessed.
    pub fn read(label: &str, bytes: &[u8], now: Timestamp) -> Result<Reviews, InventoryError> {
        let knows = |text: &str| {
            let text = squeezed(text);
            REVIEW_COLUMNS.iter().any(|column| squeezed(column) == text)
        };
        let table = read_table(None, bytes, &ReadCx::plain(label, &knows))?;
        let column = |name: &str| {
            let wanted = squeezed(name);
            table
                .headers
                .iter()
                .position(|header| squeezed(header) == wanted)
        };
        let needed = |name: &str| {
            column(name).ok_or_else(|| {
                InventoryError::new(label, format!("has no column `{name}`"))
                    .row(table.header_row.max(1))
                    .help("fill in what `keymuster review export` wrote, and keep its header")
            })
        };
        let (credential, decision) = (needed("credential")?, needed("decision")?);
        let moments = moments(label, &table, column("reviewed_at"), now)?;
        let mut reviews = Reviews::default();
        let mut anonymous = Vec::new();
        for (row, at) in table.rows.iter().zip(moments) {
            let cell = |column: Option<usize>| {
                let cell = row.cells[column?].trim_start_matches('\'');
                (!words::is_placeholder(cell)).then(|| cell.to_owned())
            };
            let Some(name) = cell(Some(credential)) else {
                continue;
            };
            let Some(word) = cell(Some(decision)) else {
                reviews.unanswered += 1;
                continue;
            };
            let decision = words::review_decision(&word).ok_or_else(|| {
                InventoryError::new(label, format!("`{}` is no decision", shown(&word)))
                    .row(row.row)
                    .column(&table.headers[decision])
                    .help("write keep, reduce or revoke")
            })?;
            let Some(reviewer) = cell(column("reviewer")).or_else(|| cell(column("owner"))) else {
                anonymous.push(row.row);
                reviews.unanswered += 1;
                continue;
            };
            reviews.entries.push(Review {
                credential: name,
                record: cell(column("record_id")),
                decision,
                reviewer,
                at,
                reason: cell(column("reason")),
                source: format!("{label}:{}", row.row),
            });
        }
        if !anonymous.is_empty() {
            reviews.notes.push(format!(
                "{label}: {} decided by nobody; write the reviewer, they do not count",
                rows_shown(&anonymous)
            ));
        }
        Ok(reviews)
    }

    /// The newest decision about each credential, oldest file first where they are equally old.
    pub fn newest(entries: Vec<Review>) -> Vec<Review> {
        let mut newest: BTreeMap<(String, Option<String>), Review> = BTreeMap::new();
        for entry in entries {
            let key = (entry.credential.clone(), entry.record.clone());
            match newest.get(&key) {
                Some(known) if known.at > entry.at => {}
                _ => {
                    newest.insert(key, entry);
                }
            }
        }
        newest.into_values().collect()
    }

    /// Writes decisions into the records they are about, where they are newer than what the
    /// register says; and what is to be told.
    pub fn apply(&self, inventory: &mut Inventory) -> Vec<String> {
        let by_id: HashMap<String, usize> = inventory
            .records
            .iter()
            .map(|record| record.id.clone())
            .zip(0..)
            .collect();
        let mut without: BTreeSet<&str> = BTreeSet::new();
        for review in &self.entries {
            let at = review.record.as_ref().and_then(|id| by_id.get(id));
            let Some(&at) = at else {
                without.insert(&review.credential);
                continue;
            };
            let record = &mut inventory.records[at];
            if record
                .last_reviewed_at
                .is_some_and(|known| known > review.at)
            {
                continue;
            }
            record.last_reviewed_at = Some(review.at);
            let details = record.details_mut();
            details.review_decision = Some(review.decision);
            details.review_ref = Some(review.source.clone());
            details
                .roles
                .insert(Role::Reviewer, review.reviewer.clone());
        }
        match without.len() {
            0 => Vec::new(),
            n => vec![format!(
                "{n} reviewed credentials have no record to hold the decision; register them first"
            )],
        }
    }
}

fn moments(
    label: &str,
    table: &Table,
    column: Option<usize>,
    now: Timestamp,
) -> Result<Vec<Timestamp>, InventoryError> {
    let Some(column) = column else {
        return Ok(vec![now; table.rows.len()]);
    };
    let values: Vec<(u64, &str)> = table
        .rows
        .iter()
        .map(|row| (row.row, row.cells[column].as_str()))
        .collect();
    let header = &table.headers[column];
    let moments = dates::column(&values, None)
        .map_err(|refusal| refused(label, header, "reviewed_at", refusal))?;
    let read = moments
        .into_iter()
        .zip(values)
        .map(|(moment, (row, cell))| {
            if let Some(at) = moment.and_then(|moment| moment.at(DayIs::Start)) {
                return Ok(at);
            }
            if words::is_placeholder(cell) {
                return Ok(now);
            }
            Err(InventoryError::new(label, "is no date")
                .row(row)
                .column(header)
                .help("write YYYY-MM-DD, or nothing"))
        });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::Reviews;
    use crate::inventory::{InventorySpec, ReviewDecision, Role, read, tests::Hush};

    const NOW: &str = "2026-11-24T12:00:00Z";

    fn reviews(text: &str) -> Result<Reviews, String> {
        let read = Reviews::read("jane.csv", text.as_bytes(), NOW.parse().unwrap());
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn decisions_reach_their_records() {
        let read_back = reviews(
            "credential;record_id;owner;decision;reviewer;reviewed_at;reason\n\
             a:1;R1;jane;Keep;;2026-11-20T10:00:00Z;needed\na:2;R2;jane;;;;\na:3;;jane;revoke;bob;;\na:4;R1;;keep;;;\n",
        )
        .unwrap();
        assert_eq!((read_back.entries.len(), read_back.unanswered), (2, 2));
        assert!(
            read_back.notes[0].contains("row 5 decided by nobody"),
            "{:?}",
            read_back.notes
        );
        let spec = InventorySpec {
            file_label: "r.csv".into(),
            ..InventorySpec::default()
        };
        let text = b"ID,Name,Last reviewed\nR1,a,2026-01-01\nR2,b,2026-01-01\n";
        let mut inventory = read(&spec, text, &Hush).unwrap();
        let notes = read_back.apply(&mut inventory);
        assert!(
            notes[0].starts_with("1 reviewed credentials have no record"),
            "{notes:?}"
        );
        let record = &inventory.records[0];
        assert_eq!(
            record.last_reviewed_at.unwrap().to_string(),
            "2026-11-20T10:00:00Z"
        );
        assert_eq!(record.details().review_decision, Some(ReviewDecision::Keep));
        assert_eq!(record.details().review_ref.as_deref(), Some("jane.csv:2"));
        assert_eq!(record.role(Role::Reviewer), Some("jane"));
        assert!(inventory.records[1].details.is_none());
    }

    #[test]
    fn what_a_reviewer_meant_is_not_guessed() {
        assert_eq!(
            reviews("credential,decision\na,perhaps\n").unwrap_err(),
            "jane.csv:2: column `decision`: `perhaps` is no decision; write keep, reduce or revoke"
        );
        assert!(
            reviews("credential,x\na,b\n")
                .unwrap_err()
                .contains("no column `decision`")
        );
        let date =
            reviews("credential,decision,reviewer,reviewed_at\na,keep,j,soon\n").unwrap_err();
        assert!(date.contains("is no date"), "{date}");
    }

    #[test]
    fn the_newest_decision_counts() {
        let text = "credential,record_id,decision,reviewer,reviewed_at\na,R,keep,j,2026-02-01\na,R,revoke,j,2026-01-01\n";
        let newest = Reviews::newest(reviews(text).unwrap().entries);
        assert_eq!(
            (newest.len(), newest[0].decision),
            (1, ReviewDecision::Keep)
        );
    }
}
