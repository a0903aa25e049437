//! The page for people: the verdict, then what is wrong, worst first, then what was not seen,
//! and what to type next.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::Format;
use crate::report::{
    CredentialEntry, Document, FindingEntry, FormatCx, GapEntry, PlaceEntry,
    document::{Block, blocks},
    headline,
    paint::{Look, Paint},
    text::{counted, cut, day_of, harmless, middle, prose, thousands, wrap},
};

/// Blocks shown.
const BLOCKS: usize = 20;
/// Places and gaps shown of one thing.
const PLACES: usize = 3;
const GAPS: usize = 5;
/// Where everything but severities begins, and where values begin in a block.
const INDENT: usize = 10;
const VALUE: usize = INDENT + 7;

pub(super) struct Terminal;

impl Format for Terminal {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn file(&self) -> &'static str {
        "findings.txt"
    }

    fn about(&self) -> &'static str {
        "for people: the verdict, then one block per credential, worst first"
    }

    fn write(&self, doc: &Document, cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let page = Page {
            doc,
            cx,
            paint: Paint::new(cx.color),
        };
        let blocks = blocks(doc);
        page.changes(out)?;
        page.verdict(out)?;
        let most = if cx.verbose { usize::MAX } else { BLOCKS };
        for block in blocks.iter().take(most) {
            writeln!(out)?;
            page.block(block, out)?;
        }
        if blocks.len() > most {
            let more = thousands((blocks.len() - most) as u64);
            let more = format!("and {more} more, -v shows all");
            writeln!(out, "\n{}", page.paint.text(Look::Dim, more))?;
        }
        page.settled(out)?;
        page.not_seen(out)?;
        page.next_steps(&blocks, out)?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        super::check_text(written)
    }
}

struct Page<'a> {
    doc: &'a Document,
    cx: &'a FormatCx,
    paint: Paint,
}

impl Page<'_> {
    /// What changed since the run before, where there was one.
    fn changes(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(changes) = &self.doc.changes else {
            return Ok(());
        };
        let Some(since) = &changes.since else {
            return Ok(());
        };
        let lists = [
            ("back", Look::Bad, &changes.regressed),
            ("new", Look::Bad, &changes.new),
            ("worse", Look::Bad, &changes.worsened),
            ("not judged", Look::Warning, &changes.not_evaluated),
            ("fixed", Look::Good, &changes.fixed),
        ];
        let told: Vec<String> = lists
            .iter()
            .filter(|(_, _, list)| !list.is_empty())
            .map(|&(word, look, list)| {
                let text = format!("{} {word}", thousands(list.len() as u64));
                self.paint.text(look, text).to_string()
            })
            .collect();
        let since = self
            .paint
            .text(Look::Dim, format!("since {}:", prose(since)));
        if told.is_empty() {
            return writeln!(out, "{since} nothing changed\n");
        }
        writeln!(out, "{since} {}", told.join("  "))?;
        let most = if self.cx.verbose { usize::MAX } else { GAPS };
        for (word, look, list) in &lists[..3] {
            for id in list.iter().take(most) {
                let finding = self.doc.findings.iter().find(|one| one.finding_id == *id);
                let Some(finding) = finding else { continue };
                let width = self.cx.width.saturating_sub(INDENT + 40).max(30);
                let title = cut(&prose(&finding.title), width).into_owned();
                let word = self.paint.text(*look, format!("{word:<8}"));
                let id = self.paint.text(Look::Dim, harmless(id));
                let check = harmless(&finding.check);
                writeln!(out, "  {word}{check}  {title}  {id}")?;
            }
            if list.len() > most {
                writeln!(out, "  and {} more {word}, -v shows all", list.len() - most)?;
            }
        }
        writeln!(out)
    }

    fn verdict(&self, out: &mut dyn Write) -> io::Result<()> {
        let headline = headline(self.doc);
        let all = headline.credentials;
        let look = if headline.answered == all && all > 0 {
            Look::Good
        } else {
            Look::Title
        };
        writeln!(out, "{}", self.paint.text(look, headline.verdict()))?;
        if all > 0 {
            let line = format!(
                "who approved it {}  why it exists {}  when it ends {}",
                headline.approved_by, headline.purpose, headline.removed_when
            );
            writeln!(out, "{}", self.paint.text(Look::Dim, line))?;
        }
        writeln!(out)?;
        let mut line = Vec::new();
        for (word, count) in headline.counts {
            let look = if count == 0 { Look::Dim } else { Look::Title };
            let count = self.paint.text(look, thousands(count as u64));
            line.push(format!("{} {count}", self.paint.text(Look::Dim, word)));
        }
        writeln!(out, "{}", line.join("  "))?;
        let grades: Vec<String> = headline
            .severities
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|&(severity, count)| {
                let text = format!("{} {severity}", thousands(count as u64));
                self.paint.text(Look::Grade(severity), text).to_string()
            })
            .collect();
        let open: usize = headline.severities.iter().map(|(_, count)| count).sum();
        if open == 0 {
            return writeln!(out, "{}", self.paint.text(Look::Good, "no open findings"));
        }
        let open = counted(open as u64, "open finding", "open findings");
        let open = self.paint.text(Look::Dim, format!("{open}:"));
        writeln!(out, "{open} {}", grades.join("  "))
    }

    fn block(&self, block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
        let lead = block.lead();
        write!(
            out,
            "{}  {}",
            self.paint.severity(block.severity()),
            self.paint.text(Look::Title, prose(block.title()))
        )?;
        let name = prose(block.name());
        write!(out, "  {}", self.paint.text(Look::Name, middle(&name, 70)))?;
        let life = block.credential.map(life).unwrap_or_default();
        if !life.is_empty() {
            write!(out, "  {}", self.paint.text(Look::Dim, life))?;
        }
        writeln!(out)?;
        self.part("where", &places(block), Look::Dim, out)?;
        self.part("whose", &[whose(block)], Look::Dim, out)?;
        self.part("do", &[prose(&lead.remediation)], Look::Action, out)?;
        for finding in &block.findings {
            self.finding(finding, out)?;
        }
        Ok(())
    }

    /// A word, and its lines beside it.
    fn part(
        &self,
        word: &str,
        lines: &[String],
        look: Look,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let width = self.cx.width.saturating_sub(VALUE).max(30);
        let lines = lines.iter().filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.flat_map(|line| wrap(line, width)).collect();
        for (i, line) in lines.iter().enumerate() {
            let word = if i == 0 { word } else { "" };
            let word = self.paint.text(look, format!("{word:<5}"));
            writeln!(out, "{:INDENT$}{word}  {line}", "")?;
        }
        Ok(())
    }

    /// `critical  EXP-03  what is wrong  KM-…`.
    fn finding(&self, finding: &FindingEntry, out: &mut dyn Write) -> io::Result<()> {
        let grade = finding.grade();
        let word = format!("{:<8}", grade.as_str());
        let check = harmless(&finding.check);
        let id = harmless(&finding.finding_id);
        let mut title = prose(&finding.title);
        if finding.sla_breached {
            title.push_str(&match &finding.due {
                Some(due) => format!(" (overdue since {})", prose(day_of(due))),
                None => " (overdue)".to_owned(),
            });
        }
        let margin = INDENT + 8 + 2 + check.chars().count() + 2;
        let width = self.cx.width.saturating_sub(margin).max(30);
        let mut lines = wrap(&title, width);
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last + 2 + id.chars().count() > width {
            lines.push(String::new());
        }
        let count = lines.len();
        for (i, line) in lines.iter().enumerate() {
            if i == 0 {
                let word = self.paint.text(Look::Grade(grade), &word);
                write!(out, "{:INDENT$}{word}  {check}  {line}", "")?;
            } else {
                write!(out, "{:margin$}{line}", "")?;
            }
            if i + 1 == count {
                let gap = if line.is_empty() { "" } else { "  " };
                write!(out, "{gap}{}", self.paint.text(Look::Dim, &id))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// Findings that do not count, by state.
    fn settled(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut by_state: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in self
            .doc
            .findings
            .iter()
            .filter(|finding| !finding.is_open())
        {
            *by_state.entry(&finding.state).or_default() += 1;
        }
        let missing: u64 = self
            .doc
            .population
            .iter()
            .flat_map(|population| &population.not_evaluated)
            .map(|entry| entry.count)
            .sum();
        let mut parts: Vec<String> = by_state
            .iter()
            .map(|(state, count)| format!("{count} {}", prose(state).replace('_', " ")))
            .collect();
        if missing > 0 {
            parts.push(format!(
                "{} for want of an input",
                counted(missing, "judgement not made", "judgements not made")
            ));
        }
        if parts.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.paint.text(Look::Dim, parts.join(", ")))
    }

    fn not_seen(&self, out: &mut dyn Write) -> io::Result<()> {
        let partial: Vec<String> = self
            .doc
            .coverage
            .iter()
            .filter(|coverage| !coverage.complete)
            .map(|coverage| match coverage.expected {
                Some(expected) => format!(
                    "{}: {} of {} {}",
                    prose(&coverage.scope),
                    thousands(coverage.received),
                    thousands(expected),
                    prose(&coverage.what)
                ),
                None => format!(
                    "{}: {} {}, and not all",
                    prose(&coverage.scope),
                    thousands(coverage.received),
                    prose(&coverage.what)
                ),
            })
            .collect();
        let gaps: Vec<String> = self.doc.gaps.iter().map(gap).collect();
        let findings = || {
            let open = self.doc.open();
            open.filter(|finding| finding.subject_kind == "scope")
        };
        if partial.is_empty() && gaps.is_empty() && findings().next().is_none() {
            let scopes = self.doc.coverage.len() as u64;
            if scopes == 0 {
                return Ok(());
            }
            let line = format!("seen completely: {}", counted(scopes, "scope", "scopes"));
            return writeln!(out, "\n{}", self.paint.text(Look::Good, line));
        }
        writeln!(
            out,
            "\n{}",
            self.paint.text(Look::Bad, "not everything was seen")
        )?;
        let most = if self.cx.verbose { usize::MAX } else { GAPS };
        for lines in [partial, gaps] {
            for line in lines.iter().take(most) {
                writeln!(out, "  {line}")?;
            }
            if lines.len() > most {
                let more = format!("  and {} more, -v shows all", lines.len() - most);
                writeln!(out, "{}", self.paint.text(Look::Warning, more))?;
            }
        }
        for finding in findings().take(most) {
            self.finding(finding, out)?;
        }
        Ok(())
    }

    fn next_steps(&self, blocks: &[Block<'_>], out: &mut dyn Write) -> io::Result<()> {
        let Some(block) = blocks.first() else {
            return Ok(());
        };
        let lead = block.lead();
        let steps = [
            (
                format!("keymuster explain {}", lead.check),
                "what the check means and how it decides",
            ),
            (
                format!("keymuster answer {}", lead.finding_id),
                "the three questions, with sources",
            ),
        ];
        writeln!(out)?;
        let width = steps.iter().map(|(step, _)| step.chars().count()).max();
        let width = width.unwrap_or(0);
        for (i, (step, about)) in steps.iter().enumerate() {
            let word = if i == 0 { "next" } else { "" };
            let step = format!("{:<width$}", harmless(step));
            writeln!(
                out,
                "{}  {}  {}",
                self.paint.text(Look::Action, format!("{word:<4}")),
                self.paint.text(Look::Title, step),
                self.paint.text(Look::Dim, about)
            )?;
        }
        Ok(())
    }
}

/// `active, last used 2026-11-01`.
fn life(credential: &CredentialEntry) -> String {
    let mut parts = Vec::new();
    if credential.status != "unknown" && !credential.status.is_empty() {
        parts.push(prose(&credential.status));
    }
    match credential.last_used.as_str() {
        "never" => parts.push("never used".to_owned()),
        "" | "unknown" | "denied" | "absent" | "unsupported" => {}
        at => parts.push(format!("last used {}", prose(day_of(at)))),
    }
    parts.join(", ")
}

/// The system's address first, then places.
fn places(block: &Block<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let lead = block.lead();
    let Some(credential) = block.credential else {
        for location in lead.locations.iter().take(PLACES) {
            lines.push(middle(&prose(location), 160).into_owned());
        }
        return lines;
    };
    if credential.listed || credential.places.is_empty() {
        let mut parts = vec![credential.provider.clone()];
        let names_account = |identity: &String| {
            let account = credential.account.as_deref();
            account.is_some_and(|account| identity.contains(account))
        };
        if !credential.identity.as_ref().is_some_and(names_account) {
            parts.extend(credential.account.clone());
        }
        parts.extend(credential.identity.clone());
        parts.retain(|part| !part.is_empty());
        lines.push(prose(&parts.join(", ")));
    }
    let mut places: Vec<&PlaceEntry> = credential
        .places
        .iter()
        .filter(|place| place.suppressed.is_none())
        .collect();
    let file = |place: &PlaceEntry| {
        (
            is_history(place),
            place.resource.clone(),
            place.path.clone(),
        )
    };
    places.sort_by_key(|place| (file(place), place.line));
    let files: Vec<&[&PlaceEntry]> = places.chunk_by(|a, b| file(a) == file(b)).collect();
    let shown = if files.len() == PLACES + 1 {
        files.len()
    } else {
        files.len().min(PLACES)
    };
    for group in &files[..shown] {
        let mut text = address(group[0]);
        if group.len() > 1 {
            text.push_str(&format!(", {} more in this file", group.len() - 1));
        }
        lines.push(text);
    }
    let rest: usize = files[shown..].iter().map(|group| group.len()).sum();
    if rest > 0 {
        lines.push(format!(
            "and {}",
            counted(rest as u64, "more place", "more places")
        ));
    }
    lines
}

/// Whether it is in no tree of today.
fn is_history(place: &PlaceEntry) -> bool {
    !place.in_worktree && place.at_tip.as_ref().is_some_and(Vec::is_empty)
}

/// `payments-api:src/config.py:12, only in history`.
fn address(place: &PlaceEntry) -> String {
    let mut text = format!("{}:{}", prose(&place.resource), harmless(&place.path));
    if let Some(line) = place.line {
        text.push_str(&format!(":{line}"));
    }
    let mut text = middle(&text, 160).into_owned();
    if is_history(place) {
        text.push_str(", only in history");
    }
    text
}

/// `payments (register.xlsx:7), to act: ann@acme.example (manager of the owner)`.
fn whose(block: &Block<'_>) -> String {
    let lead = block.lead();
    let from = |party: &str, source: Option<&str>| match source {
        Some(source) => format!("{} ({})", prose(party), prose(source)),
        None => prose(party),
    };
    let credential = block.credential;
    let owner = credential
        .and_then(|credential| {
            Some((
                credential.owner.as_deref()?,
                credential.owner_source.as_deref(),
            ))
        })
        .or(lead
            .owner
            .as_deref()
            .map(|owner| (owner, lead.owner_source.as_deref())));
    let mut text = match owner {
        Some((owner, source)) => from(owner, source),
        None => "nobody is recorded".to_owned(),
    };
    if let Some(route) = lead.route_to.as_deref()
        && owner.is_none_or(|(owner, _)| owner != route)
    {
        text.push_str(&format!(
            ", to act: {}",
            from(route, lead.route_reason.as_deref())
        ));
    }
    text
}

fn gap(gap: &GapEntry) -> String {
    format!(
        "{}: {} ({})",
        middle(&harmless(&gap.subject), 120),
        cut(&prose(&gap.reason), 300),
        prose(&gap.kind)
    )
}

#[cfg(test)]
mod tests {
    use super::life;
    use crate::report::CredentialEntry;

    #[test]
    fn a_life_in_short() {
        let life_of = |status: &str, last_used: &str| {
            life(&CredentialEntry {
                status: status.to_owned(),
                last_used: last_used.to_owned(),
                ..CredentialEntry::default()
            })
        };
        assert_eq!(
            life_of("active", "2026-11-01T00:00:00Z"),
            "active, last used 2026-11-01"
        );
        assert_eq!(life_of("disabled", "never"), "disabled, never used");
        assert_eq!(life_of("unknown", "unsupported"), "");
    }
}
