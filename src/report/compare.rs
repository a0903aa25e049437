//! Two records of one estate, side by side: what appeared, what was mended, what is worse, and
//! what of the sight changed.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::{
    Document, FindingEntry, FormatCx,
    paint::{Look, Paint},
    text::{counted, day_of, harmless, prose},
    wire,
};

/// Findings listed of one sort.
const LISTED: usize = 10;

/// Why two records cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Names of findings depend on the estate's key.
    #[error(
        "the records name findings under different keys ({old} and {new}), so that nothing in them can be compared"
    )]
    Keys {
        /// Of the old one.
        old: String,
        /// Of the new one.
        new: String,
    },
}

/// What changed from one record to another.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Comparison {
    /// The old run, and its point in time.
    pub old: (String, String),
    /// The new run, and its point in time.
    pub new: (String, String),
    /// Open now, and not known or mended then.
    pub appeared: Vec<Changed>,
    /// Mended then or before, and open again.
    pub returned: Vec<Changed>,
    /// Open then, and mended now.
    pub fixed: Vec<Changed>,
    /// Open then, and not told any more: a run in between proved it mended, and told so.
    pub settled: Vec<Changed>,
    /// Open then, and accepted or suppressed now.
    pub excepted: Vec<Changed>,
    /// Open in both, and more severe now.
    pub worsened: Vec<Changed>,
    /// Open in both, and milder now.
    pub eased: Vec<Changed>,
    /// Open then, and not judged now.
    pub unjudged: Vec<Changed>,
    /// How many are open in both.
    pub remained: usize,
    /// Scopes that were seen completely then and are not now.
    pub lost: Vec<String>,
    /// Scopes that are seen completely now and were not then.
    pub gained: Vec<String>,
    /// Credentials then and now.
    pub credentials: (usize, usize),
    /// Open findings then and now.
    pub open: (usize, usize),
}

/// One finding that changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Changed {
    /// Its id.
    pub finding_id: String,
    /// Its check.
    pub check: String,
    /// What is wrong.
    pub title: String,
    /// Its severity then, where it was known.
    pub was: Option<String>,
    /// Its severity now.
    pub severity: String,
}

impl Changed {
    fn new(finding: &FindingEntry, was: Option<&FindingEntry>) -> Changed {
        Changed {
            finding_id: finding.finding_id.clone(),
            check: finding.check.clone(),
            title: finding.title.clone(),
            was: was.map(|was| was.severity.clone()),
            severity: finding.severity.clone(),
        }
    }
}

impl Comparison {
    /// Compares.
    ///
    /// # Errors
    /// When the two were made under different keys, or one under a key of its own run.
    pub fn new(old: &Document, new: &Document) -> Result<Comparison, CompareError> {
        if old.run.key_id != new.run.key_id || new.run.ephemeral || old.run.ephemeral {
            let word = |doc: &Document| match (&doc.run.key_id, doc.run.ephemeral) {
                (Some(key), false) => key.clone(),
                _ => format!("one of the run {} alone", doc.run.id),
            };
            return Err(CompareError::Keys {
                old: word(old),
                new: word(new),
            });
        }
        let mut before: BTreeMap<&str, &FindingEntry> = BTreeMap::new();
        for finding in &old.findings {
            before.insert(&finding.finding_id, finding);
        }
        let of = |doc: &Document| (doc.run.id.clone(), doc.run.now.clone());
        let mut out = Comparison {
            old: of(old),
            new: of(new),
            credentials: (old.credentials.len(), new.credentials.len()),
            open: (old.open().count(), new.open().count()),
            ..Comparison::default()
        };
        for finding in &new.findings {
            out.add(finding, before.remove(&*finding.finding_id));
        }
        let gone = before.into_values().filter(|finding| finding.is_open());
        out.settled = gone
            .map(|finding| Changed::new(finding, Some(finding)))
            .collect();
        (out.lost, out.gained) = scopes(old, new);
        Ok(out)
    }

    fn add(&mut self, finding: &FindingEntry, was: Option<&FindingEntry>) {
        let was_open = was.is_some_and(FindingEntry::is_open);
        let list = match (finding.is_open(), was_open) {
            (true, true) => {
                let was = was.map_or(finding.grade(), FindingEntry::grade);
                match finding.grade().cmp(&was) {
                    std::cmp::Ordering::Greater => &mut self.worsened,
                    std::cmp::Ordering::Less => &mut self.eased,
                    std::cmp::Ordering::Equal => {
                        self.remained += 1;
                        return;
                    }
                }
            }
            (true, false) if finding.state == "regressed" => &mut self.returned,
            (true, false) if was.is_some_and(|was| was.state == "fixed") => &mut self.returned,
            (true, false) => &mut self.appeared,
            (false, true) => match finding.state.as_str() {
                "fixed" | "superseded" => &mut self.fixed,
                "accepted" | "suppressed" => &mut self.excepted,
                _ => &mut self.unjudged,
            },
            (false, false) => return,
        };
        list.push(Changed::new(finding, was));
    }

    /// As JSON, with line end.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        wire::pretty(out, self)
    }

    /// For people.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint::new(cx.color);
        let day = |at: &str| harmless(day_of(at)).into_owned();
        let line = format!(
            "from {} ({}) to {} ({})",
            day(&self.old.1),
            harmless(&self.old.0),
            day(&self.new.1),
            harmless(&self.new.0)
        );
        writeln!(out, "{}", paint.text(Look::Title, line))?;
        writeln!(
            out,
            "{} then, {} now; credentials {} then, {} now",
            counted(self.open.0 as u64, "open finding", "open findings"),
            self.open.1,
            self.credentials.0,
            self.credentials.1
        )?;
        for (word, look, list) in [
            ("came back", Look::Bad, &self.returned),
            ("new", Look::Bad, &self.appeared),
            ("more severe", Look::Bad, &self.worsened),
            ("not judged this time", Look::Warning, &self.unjudged),
            ("fixed", Look::Good, &self.fixed),
            ("settled by a run in between", Look::Good, &self.settled),
            ("less severe", Look::Good, &self.eased),
            ("accepted or suppressed", Look::Dim, &self.excepted),
        ] {
            if list.is_empty() {
                continue;
            }
            let head = format!("{word}: {}", list.len());
            writeln!(out, "\n{}", paint.text(look, head))?;
            let most = if cx.verbose { usize::MAX } else { LISTED };
            for one in list.iter().take(most) {
                writeln!(
                    out,
                    "  {:<8}  {}  {}  {}",
                    harmless(&one.severity),
                    harmless(&one.check),
                    prose(&one.title),
                    paint.text(Look::Dim, harmless(&one.finding_id))
                )?;
            }
            if list.len() > most {
                writeln!(out, "  and {} more, -v shows all", list.len() - most)?;
            }
        }
        writeln!(
            out,
            "\n{} in both",
            counted(self.remained as u64, "finding", "findings")
        )?;
        for (word, look, list) in [
            ("no longer seen completely", Look::Bad, &self.lost),
            ("seen completely now", Look::Good, &self.gained),
        ] {
            for scope in list {
                let line = format!("{word}: {}", harmless(scope));
                writeln!(out, "{}", paint.text(look, line))?;
            }
        }
        out.flush()
    }
}

/// Scopes that were lost from sight, and that came into it.
fn scopes(old: &Document, new: &Document) -> (Vec<String>, Vec<String>) {
    let complete = |doc: &Document| {
        let mut all: BTreeMap<String, bool> = BTreeMap::new();
        for one in &doc.coverage {
            *all.entry(one.scope.clone()).or_insert(true) &= one.complete;
        }
        all
    };
    let (then, now) = (complete(old), complete(new));
    let is = |all: &BTreeMap<String, bool>, scope: &String| all.get(scope) == Some(&true);
    let lost = then
        .keys()
        .filter(|scope| is(&then, scope) && !is(&now, scope));
    let gained = now
        .keys()
        .filter(|scope| is(&now, scope) && !is(&then, scope));
    (lost.cloned().collect(), gained.cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::Comparison;
    use crate::report::{FormatCx, samples};

    #[test]
    fn each_way_of_changing_has_its_list() {
        let old = samples::document();
        let same = Comparison::new(&old, &old).expect("one key");
        assert_eq!(same.remained, old.open().count());
        assert_eq!(
            same.appeared.len() + same.fixed.len() + same.settled.len(),
            0
        );

        let mut new = old.clone();
        let open: Vec<usize> = (0..new.findings.len())
            .filter(|&ix| new.findings[ix].is_open())
            .collect();
        new.findings[open[0]].severity = "info".to_owned();
        new.findings[open[1]].state = "fixed".to_owned();
        new.findings[open[2]].state = "not_evaluated".to_owned();
        let gone = new.findings.remove(open[3]);
        new.coverage.iter_mut().for_each(|one| one.complete = false);
        let there = Comparison::new(&old, &new).expect("one key");
        assert_eq!(
            (there.eased.len(), there.fixed.len(), there.unjudged.len()),
            (1, 1, 1)
        );
        assert_eq!(there.settled[0].finding_id, gone.finding_id);
        assert_eq!(there.lost, ["git:payments-api"]);
        let back = Comparison::new(&new, &old).expect("one key");
        assert_eq!((back.worsened.len(), back.returned.len()), (1, 1));
        assert_eq!(back.appeared.len(), 2);
        let mut text = Vec::new();
        back.write(&FormatCx::default(), &mut text).expect("memory");
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(
            text.contains("came back: 1") && text.contains("seen completely now"),
            "{text}"
        );
    }

    #[test]
    fn other_keys_are_refused() {
        let old = samples::document();
        let mut new = old.clone();
        new.run.key_id = Some("k2".to_owned());
        assert!(Comparison::new(&old, &new).is_err());
        new.run.key_id = None;
        assert!(Comparison::new(&old, &new).is_err());
    }
}
