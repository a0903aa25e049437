//! `matches.toml`: what people decided about a credential and a record, kept in a file that can
//! be reviewed like code.

use serde::{Deserialize, Serialize};

use super::InventoryError;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The credential: its subject, as reports show it, an alias of it, or its public identifier.
    pub credential: String,
    /// The record's id.
    pub record: String,
    /// Whether they are the same; otherwise they are not, and it is not asked again.
    pub same: bool,
    /// Who decided.
    pub by: String,
    /// When, as written.
    pub at: String,
    /// File and line.
    pub source: String,
}

/// Every decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmations {
    /// In file order.
    pub entries: Vec<Confirmation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "match")]
    entries: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    credential: String,
    record: String,
    verdict: Verdict,
    by: String,
    at: toml::Value,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Same,
    Different,
}

impl Confirmations {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown key, or two decisions about one pair contradict.
    pub fn from_toml(text: &str, label: &str) -> Result<Confirmations, InventoryError> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() as u64 + 1;
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            InventoryError::new(label, error.message().replace('\n', " "))
                .row(line(at))
                .help("an entry is [[match]] with credential, record, verdict = \"same\" or \"different\", by, at")
        })?;
        let mut entries: Vec<Confirmation> = Vec::new();
        for spanned in file.entries {
            let row = line(spanned.span().start);
            let entry = spanned.into_inner();
            let same = entry.verdict == Verdict::Same;
            let before = entries
                .iter()
                .find(|known| known.credential == entry.credential && known.record == entry.record);
            if let Some(before) = before.filter(|before| before.same != same) {
                let message = format!("contradicts {}", before.source);
                return Err(InventoryError::new(label, message)
                    .row(row)
                    .help("keep one decision about a credential and a record"));
            }
            let at = match &entry.at {
                toml::Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            entries.push(Confirmation {
                credential: entry.credential,
                record: entry.record,
                same,
                by: entry.by,
                at,
                source: format!("{label}:{row}"),
            });
        }
        Ok(Confirmations { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::Confirmations;

    #[test]
    fn decisions_are_read_with_their_place() {
        let text = "# reviewed\n[[match]]\ncredential = \"a:b\"\nrecord = \"R1\"\nverdict = \"same\"\nby = \"jane\"\nat = 2026-01-02\n\n\
            [[match]]\ncredential = \"a:b\"\nrecord = \"R2\"\nverdict = \"different\"\nby = \"jane\"\nat = \"2026-01-03\"\nnote = \"older\"\n";
        let read = Confirmations::from_toml(text, "matches.toml").unwrap();
        assert_eq!(read.entries[0].source, "matches.toml:2");
        assert_eq!(
            (read.entries[0].at.as_str(), read.entries[0].same),
            ("2026-01-02", true)
        );
        assert!(!read.entries[1].same);
    }

    #[test]
    fn mistakes_stop_the_run() {
        let entry = |verdict: &str| {
            format!(
                "[[match]]\ncredential = \"a\"\nrecord = \"R\"\nverdict = \"{verdict}\"\nby = \"j\"\nat = 2026-01-02\n"
            )
        };
        let read = |text: &str| {
            Confirmations::from_toml(text, "m.toml")
                .unwrap_err()
                .to_string()
        };
        assert!(
            read(&entry("maybe")).starts_with("m.toml:4:"),
            "{}",
            read(&entry("maybe"))
        );
        let both = entry("same") + &entry("different");
        assert!(
            read(&both).starts_with("m.toml:7: contradicts m.toml:1"),
            "{}",
            read(&both)
        );
        assert!(read("[[match]]\nwho = 1\n").contains("unknown field"));
    }
}
