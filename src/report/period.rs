//! A report over a period: did the controls operate all the time? Answered from what every run
//! left behind, never from the newest one alone.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Document, FormatCx, TrendEntry, headline,
    paint::{Look, Paint},
    text::{counted, day, harmless, thousands},
    wire,
};

/// What is kept of a run for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSummary {
    /// Its id.
    pub run: String,
    /// Its point in time.
    pub now: String,
    /// keymuster's version.
    pub tool: String,
    /// How many things could not be seen.
    pub gaps: u64,
    /// Scopes, and whether each was seen completely.
    pub scopes: BTreeMap<String, bool>,
    /// Credentials, and how many of them answer all three questions.
    pub credentials: u64,
    /// How many answer all three questions.
    pub answered: u64,
    /// Open findings by severity.
    pub open: BTreeMap<String, u64>,
    /// Open findings past their due date.
    pub overdue: u64,
    /// Findings never seen before.
    pub new: u64,
    /// Findings proven to be mended.
    pub fixed: u64,
    /// Findings that came back.
    pub regressed: u64,
    /// By check: subjects judged, failed, not judged.
    pub checks: BTreeMap<String, [u64; 3]>,
}

impl RunSummary {
    /// Of a run's record.
    pub fn new(doc: &Document) -> RunSummary {
        let head = headline(doc);
        let mut scopes = BTreeMap::new();
        for one in &doc.coverage {
            *scopes.entry(one.scope.clone()).or_insert(true) &= one.complete;
        }
        let open = head.severities.iter();
        let changes = doc.changes.clone().unwrap_or_default();
        RunSummary {
            run: doc.run.id.clone(),
            now: doc.run.now.clone(),
            tool: doc.tool.version.clone(),
            gaps: doc.gaps.len() as u64,
            scopes,
            credentials: head.credentials as u64,
            answered: head.answered as u64,
            open: open
                .map(|(severity, count)| (severity.to_string(), *count as u64))
                .collect(),
            overdue: doc.open().filter(|finding| finding.sla_breached).count() as u64,
            new: changes.new.len() as u64,
            fixed: changes.fixed.len() as u64,
            regressed: changes.regressed.len() as u64,
            checks: doc
                .population
                .iter()
                .map(|one| {
                    let missing = one.total.saturating_sub(one.evaluated);
                    (one.check.clone(), [one.evaluated, one.failed, missing])
                })
                .collect(),
        }
    }

    /// As one point of a trend.
    pub fn point(&self) -> TrendEntry {
        TrendEntry {
            run: self.run.clone(),
            now: self.now.clone(),
            credentials: self.credentials,
            answered: self.answered,
            open: self.open.clone(),
            overdue: self.overdue,
            gaps: self.gaps,
        }
    }

    /// As the ledger keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are always JSON")
    }

    /// From what the ledger kept.
    pub fn from_json(json: &str) -> Option<RunSummary> {
        serde_json::from_str(json).ok()
    }

    fn at(&self) -> Option<Timestamp> {
        self.now.parse().ok()
    }
}

/// Why a period cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is no period.
    #[error("'{0}' is no period; write FROM..TO, as in 2026-01-01..2026-03-31")]
    Words(String),
    /// There is no run in it.
    #[error("no run lies in the period; `keymuster audit` keeps the numbers of each")]
    Empty,
}

/// What a period came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Period {
    /// Its first moment.
    pub from: String,
    /// Its last.
    pub to: String,
    /// How many runs lie in it.
    pub runs: u64,
    /// The longest allowed time between two runs, in hours.
    pub cadence_hours: u64,
    /// Times without a run that are longer than that: from, to, hours.
    pub silences: Vec<(String, String, u64)>,
    /// By scope: runs that saw it completely, and runs that knew it.
    pub scopes: BTreeMap<String, (u64, u64)>,
    /// By check: runs that judged something, runs in which something failed, and runs in which
    /// something could not be judged.
    pub checks: BTreeMap<String, [u64; 3]>,
    /// Findings that appeared, were mended, came back.
    pub moved: [u64; 3],
    /// Open findings and overdue ones in the first run and in the last.
    pub open: [(u64, u64); 2],
    /// Credentials, and those that answer all three questions, in the first run and in the last.
    pub answered: [(u64, u64); 2],
    /// Runs whose evidence was sealed.
    pub sealed: u64,
    /// Every run: id, time, gaps, root of its evidence.
    pub list: Vec<(String, String, u64, Option<String>)>,
}

impl Period {
    /// From summaries with the roots of their evidence, oldest first; runs outside the period are
    /// left out.
    ///
    /// # Errors
    /// When no run lies in the period.
    pub fn new(
        from: Timestamp,
        to: Timestamp,
        cadence_hours: u64,
        runs: &[(RunSummary, Option<String>)],
    ) -> Result<Period, PeriodError> {
        let mut inside: Vec<(Timestamp, &RunSummary, &Option<String>)> = runs
            .iter()
            .filter_map(|(run, root)| Some((run.at()?, run, root)))
            .filter(|(at, _, _)| (from..=to).contains(at))
            .collect();
        inside.sort_by_key(|(at, run, _)| (*at, &run.run));
        let (Some(first), Some(last)) = (inside.first(), inside.last()) else {
            return Err(PeriodError::Empty);
        };
        let open = |run: &RunSummary| (run.open.values().sum(), run.overdue);
        let answered = |run: &RunSummary| (run.credentials, run.answered);
        let mut period = Period {
            from: from.to_string(),
            to: to.to_string(),
            runs: inside.len() as u64,
            cadence_hours,
            silences: Vec::new(),
            scopes: BTreeMap::new(),
            checks: BTreeMap::new(),
            moved: [0; 3],
            open: [open(first.1), open(last.1)],
            answered: [answered(first.1), answered(last.1)],
            sealed: inside.iter().filter(|run| run.2.is_some()).count() as u64,
            list: Vec::new(),
        };
        let mut times = vec![from];
        for (at, run, root) in &inside {
            times.push(*at);
            period.add(run);
            let line = (run.run.clone(), run.now.clone(), run.gaps, (*root).clone());
            period.list.push(line);
        }
        times.push(to);
        for pair in times.windows(2) {
            let hours = (pair[1].as_second() - pair[0].as_second()).max(0) as u64 / 3600;
            if hours > cadence_hours {
                let silence = (pair[0].to_string(), pair[1].to_string(), hours);
                period.silences.push(silence);
            }
        }
        Ok(period)
    }

    fn add(&mut self, run: &RunSummary) {
        for (scope, complete) in &run.scopes {
            let known = self.scopes.entry(scope.clone()).or_default();
            known.0 += u64::from(*complete);
            known.1 += 1;
        }
        for (check, [judged, failed, missing]) in &run.checks {
            let known = self.checks.entry(check.clone()).or_default();
            for (ix, is) in [judged, failed, missing].into_iter().enumerate() {
                known[ix] += u64::from(*is > 0);
            }
        }
        for (ix, count) in [run.new, run.fixed, run.regressed].into_iter().enumerate() {
            self.moved[ix] += count;
        }
    }

    /// Whether runs came often enough, and each saw everything it knew of.
    pub fn operated(&self) -> bool {
        self.silences.is_empty()
            && self.scopes.values().all(|(complete, all)| complete == all)
            && self.list.iter().all(|(_, _, gaps, _)| *gaps == 0)
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
        let (look, verdict) = match self.operated() {
            true => (Look::Good, "the controls operated all the time"),
            false => (Look::Bad, "the controls did not operate all the time"),
        };
        let (from, to) = (shown(&self.from), shown(&self.to));
        let verdict = format!("{from} to {to}: {verdict}");
        writeln!(out, "{}", paint.text(look, verdict))?;
        let [first, last] = &self.open;
        writeln!(
            out,
            "{}, {} of them with sealed evidence; open findings {} at first, {} at last ({} overdue)",
            counted(self.runs, "run", "runs"),
            thousands(self.sealed),
            thousands(first.0),
            thousands(last.0),
            thousands(last.1),
        )?;
        let [new, fixed, back] = self.moved.map(thousands);
        writeln!(
            out,
            "{new} findings appeared, {fixed} were mended, {back} came back"
        )?;
        let [before, after] = self.answered;
        writeln!(
            out,
            "all three questions answered: {} of {} credentials at first, {} of {} at last",
            before.1, before.0, after.1, after.0
        )?;
        self.missing(paint, out)?;
        writeln!(
            out,
            "\n{:<10} {:>8} {:>8} {:>10}  (runs)",
            "check", "judged", "failed", "not judged"
        )?;
        for (check, [judged, failed, missing]) in &self.checks {
            writeln!(
                out,
                "{:<10} {judged:>8} {failed:>8} {missing:>10}",
                harmless(check)
            )?;
        }
        if cx.verbose {
            writeln!(out)?;
            for (run, now, gaps, root) in &self.list {
                let root = root.as_deref().unwrap_or("no sealed evidence");
                let gaps = counted(*gaps, "gap", "gaps");
                writeln!(
                    out,
                    "{}  {}  {gaps}  {}",
                    harmless(run),
                    harmless(now),
                    harmless(root)
                )?;
            }
        }
        out.flush()
    }

    fn missing(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        for (from, to, hours) in &self.silences {
            let line = format!(
                "no run for {hours} hours, more than {}: {} to {}",
                self.cadence_hours,
                harmless(from),
                harmless(to)
            );
            writeln!(out, "{}", paint.text(Look::Bad, line))?;
        }
        for (scope, (complete, all)) in &self.scopes {
            if complete < all {
                let line = format!(
                    "{}: seen completely by {complete} of {all} runs",
                    harmless(scope)
                );
                writeln!(out, "{}", paint.text(Look::Warning, line))?;
            }
        }
        let blind = self.list.iter().filter(|run| run.2 > 0).count() as u64;
        if blind > 0 {
            let line = format!("{} with gaps", counted(blind, "run", "runs"));
            writeln!(out, "{}", paint.text(Look::Warning, line))?;
        }
        Ok(())
    }
}

fn shown(time: &str) -> String {
    time.parse().map_or_else(|_| time.to_owned(), day)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Period, PeriodError, RunSummary};
    use crate::report::FormatCx;

    fn at(day: i64) -> Timestamp {
        "2026-01-01T02:00:00Z".parse::<Timestamp>().expect("a time")
            + SignedDuration::from_hours(24 * day)
    }

    fn runs(days: &[i64]) -> Vec<(RunSummary, Option<String>)> {
        let run = |day: &i64| RunSummary {
            run: format!("r{day}"),
            now: at(*day).to_string(),
            scopes: [("git:a".to_owned(), *day != 3)].into(),
            checks: [("LIF-06".to_owned(), [5, 1, 0])].into(),
            new: 1,
            ..RunSummary::default()
        };
        days.iter().map(|day| (run(day), None)).collect()
    }

    #[test]
    fn silence_and_blindness_are_told() {
        let period = |days: &[i64]| Period::new(at(0), at(5), 26, &runs(days)).expect("runs");
        let all = period(&[0, 1, 2, 4, 5, 9]);
        assert_eq!((all.runs, all.silences.len(), all.moved[0]), (5, 1, 5));
        assert_eq!(all.silences[0].2, 48);
        assert!(!all.operated());
        let blind = period(&[0, 1, 2, 3, 4, 5]);
        assert!(blind.silences.is_empty() && !blind.operated());
        assert_eq!(blind.scopes["git:a"], (5, 6));
        let mut text = Vec::new();
        blind
            .write(&FormatCx::default(), &mut text)
            .expect("memory");
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(text.contains("seen completely by 5 of 6 runs"), "{text}");
        let good = Period::new(at(0), at(2), 26, &runs(&[0, 1, 2])).expect("runs");
        assert!(good.operated());
        assert_eq!(
            Period::new(at(20), at(30), 26, &runs(&[0])),
            Err(PeriodError::Empty)
        );
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let (run, _) = runs(&[1]).remove(0);
        assert_eq!(RunSummary::from_json(&run.to_json()), Some(run));
        assert!(RunSummary::from_json("{}").is_some());
        assert!(RunSummary::from_json("[").is_none());
    }
}
