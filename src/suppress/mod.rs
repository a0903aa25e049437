//! Suppressions of `scan`: entries of a file that the user names. What they cover is shown as
//! suppressed; an entry that covers nothing, or has expired, is reported.
//!
//! An entry names a credential, never a line, a date or a path alone, so that it survives
//! edits and merges: one `[[allow]]` per credential, with a reason.

use globset::{GlobBuilder, GlobMatcher};
use jiff::{Timestamp, civil};
use serde::Deserialize;

use crate::estate::{Sighting, Suppressed};

/// A suppressions file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuppressionsFile {
    #[serde(default)]
    allow: Vec<toml::Spanned<EntryText>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    secret: Option<String>,
    handle: Option<String>,
    rule: Option<String>,
    path: Option<String>,
    reason: String,
    until: Option<String>,
}

/// One entry.
struct Entry {
    secret: Option<String>,
    handle: Option<String>,
    rule: Option<String>,
    path: Option<GlobMatcher>,
    reason: String,
    until: Option<String>,
    is_expired: bool,
    line: usize,
    used: bool,
}

/// The entries of one file.
pub struct Suppressions {
    file: String,
    entries: Vec<Entry>,
}

/// What is wrong with a suppressions file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct SuppressionsError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in bytes.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Suppressions {
    /// Reads a file's text; an entry whose `until` lies before `now` is kept as expired.
    ///
    /// # Errors
    /// The first fault, with its line.
    pub fn read(file: &str, text: &str, now: Timestamp) -> Result<Suppressions, SuppressionsError> {
        let line_of = |offset: usize| {
            text[..text.floor_char_boundary(offset)]
                .bytes()
                .filter(|&b| b == b'\n')
                .count()
                + 1
        };
        let fault = |offset: usize, message: String| {
            let offset = text.floor_char_boundary(offset);
            SuppressionsError {
                file: file.to_owned(),
                line: line_of(offset),
                column: offset - text[..offset].rfind('\n').map_or(0, |at| at + 1) + 1,
                message,
            }
        };
        let parsed: SuppressionsFile = toml::from_str(text).map_err(|error| {
            fault(
                error.span().map_or(0, |span| span.start),
                error.message().to_owned(),
            )
        })?;
        let mut entries = Vec::new();
        for entry in parsed.allow {
            let at = entry.span().start;
            let entry = entry.into_inner();
            if entry.secret.is_none()
                && entry.handle.is_none()
                && (entry.rule.is_none() || entry.path.is_none())
            {
                return Err(fault(at, "an entry names a `secret` (id), a `handle`, or a `rule` together with a `path`".to_owned()));
            }
            if entry.reason.trim().is_empty() {
                return Err(fault(at, "an entry needs a `reason`".to_owned()));
            }
            let path = match &entry.path {
                None => None,
                Some(glob) => {
                    let built = GlobBuilder::new(glob).literal_separator(true).build();
                    Some(
                        built
                            .map_err(|error| fault(at, format!("path '{glob}': {}", error.kind())))?
                            .compile_matcher(),
                    )
                }
            };
            let is_expired = match &entry.until {
                None => false,
                Some(text) => {
                    end_of(text).ok_or_else(|| {
                        fault(at, format!("until '{text}' is no date; write 2027-01-31"))
                    })? < now
                }
            };
            entries.push(Entry {
                secret: entry.secret,
                handle: entry.handle,
                rule: entry.rule,
                path,
                reason: entry.reason,
                until: entry.until,
                is_expired,
                line: line_of(at),
                used: false,
            });
        }
        Ok(Suppressions {
            file: file.to_owned(),
            entries,
        })
    }

    /// Marks what the entries cover; an inline comment that already does stays.
    pub fn apply(&mut self, sightings: &mut [Sighting]) {
        for sighting in sightings {
            for entry in &mut self.entries {
                if entry.covers(sighting) {
                    entry.used = true;
                    if !entry.is_expired && sighting.suppressed.is_none() {
                        sighting.suppressed = Some(Suppressed {
                            by: format!("{}:{}", self.file, entry.line),
                            reason: entry.reason.clone(),
                            until: entry.until.clone(),
                        });
                    }
                }
            }
        }
    }

    /// Entries that cover nothing or are out of date, each with what to do.
    pub fn remarks(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter_map(|entry| {
                let place = format!("{}:{}", self.file, entry.line);
                if !entry.used {
                    Some(format!(
                        "{place}: this suppression covers nothing; remove it"
                    ))
                } else if entry.is_expired {
                    Some(format!(
                        "{place}: this suppression ended on {}; mend what it covered or renew it",
                        entry.until.as_deref().unwrap_or("")
                    ))
                } else {
                    None
                }
            })
            .collect()
    }
}

impl Entry {
    fn covers(&self, sighting: &Sighting) -> bool {
        let matches = |wanted: &Option<String>, got: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == got)
        };
        matches(&self.secret, &sighting.secret.to_string())
            && matches(
                &self.handle,
                sighting
                    .details
                    .handle
                    .as_ref()
                    .map_or("", |handle| &handle.value),
            )
            && matches(&self.rule, &sighting.rule)
            && self
                .path
                .as_ref()
                .is_none_or(|glob| glob.is_match(&sighting.path))
    }
}

/// The end of a day (UTC), or a point in time.
fn end_of(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let day = text.parse::<civil::Date>().ok()?;
    jiff::tz::Offset::UTC
        .to_timestamp(day.at(23, 59, 59, 0))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::Suppressions;

    fn read(text: &str) -> Result<Suppressions, String> {
        let now = "2026-06-01T00:00:00Z".parse().expect("a time");
        Suppressions::read("allow.toml", text, now).map_err(|error| error.to_string())
    }

    #[test]
    fn entries_need_a_credential_and_a_reason() {
        let error = read("\n[[allow]]\npath = 'a/**'\nreason = 'x'\n")
            .err()
            .expect("refused");
        assert!(
            error.starts_with("allow.toml:2:1: an entry names"),
            "{error}"
        );
        let error = read("[[allow]]\nsecret = '00'\nreason = ' '\n")
            .err()
            .expect("refused");
        assert!(error.contains("needs a `reason`"), "{error}");
        let error = read("[[allow]]\nsecret = '00'\nreason = 'x'\nuntil = 'soon'\n")
            .err()
            .expect("refused");
        assert!(error.contains("is no date"), "{error}");
    }

    #[test]
    fn unused_and_expired_entries_are_told() {
        let list =
            read("[[allow]]\nsecret = '00'\nreason = 'x'\nuntil = '2026-01-01'\n").expect("reads");
        assert_eq!(
            list.remarks(),
            ["allow.toml:1: this suppression covers nothing; remove it"]
        );
    }
}
