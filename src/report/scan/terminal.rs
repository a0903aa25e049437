//! The page for people: one block per credential, worst first, and in the end what was looked
//! at and what could not be.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
};

use keymuster_api::{CommitFact, Confidence, SecretId, Severity};

use super::{ScanCx, ScanFormat};
use crate::{
    estate::Sighting,
    report::{
        paint::{Look, Paint},
        text::{author, counted, day, harmless, middle, prose, short, size, wrap},
    },
};

/// Places shown of one credential.
const PLACES: usize = 5;
/// Gaps shown.
const GAPS: usize = 5;
/// Where everything but severities begins.
const INDENT: usize = 10;

pub(super) struct Terminal;

impl ScanFormat for Terminal {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn about(&self) -> &'static str {
        "for people: one block per credential, worst first"
    }

    fn write(
        &self,
        sightings: &[Sighting],
        cx: &ScanCx<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let page = Page {
            cx,
            paint: Paint::new(cx.page.color),
        };
        let blocks = blocks(sightings, cx);
        for block in &blocks {
            page.block(block, out)?;
            writeln!(out)?;
        }
        page.suppressed(sightings, out)?;
        if cx.before_merge && !blocks.is_empty() {
            writeln!(out, "{BEFORE_MERGE}\n")?;
        }
        page.summary(&blocks, out)?;
        page.gaps(out)?;
        out.flush()
    }
}

/// What somebody does whose commit was just refused.
const BEFORE_MERGE: &str = "\
to go on: take the value out of the file (an environment variable, a vault), git add, commit again;
a commit that holds it already must be amended, and a value that was pushed must be revoked.
no secret? say why on its line: keymuster:allow <reason>";

/// One credential and its places that count.
struct Block<'a> {
    /// The sighting it is named after: the worst, surest, first.
    lead: &'a Sighting,
    /// Places, those that can be seen today first.
    places: Vec<(&'a Sighting, String)>,
}

fn blocks<'a>(sightings: &'a [Sighting], cx: &ScanCx<'_>) -> Vec<Block<'a>> {
    let mut groups: BTreeMap<SecretId, Vec<(&Sighting, String)>> = BTreeMap::new();
    for sighting in sightings
        .iter()
        .filter(|sighting| sighting.suppressed.is_none())
    {
        let place = (sighting, cx.path(sighting));
        groups.entry(sighting.secret).or_default().push(place);
    }
    let mut blocks: Vec<Block<'_>> = groups
        .into_values()
        .filter_map(|mut places| {
            places.sort_by(|a, b| place_order(a).cmp(&place_order(b)));
            let lead = places
                .iter()
                .map(|(sighting, _)| *sighting)
                .min_by_key(|sighting| {
                    (Reverse(sighting.severity), Reverse(sighting.confidence))
                })?;
            Some(Block { lead, places })
        })
        .collect();
    // The secret id comes last: under another key the same blocks stand in the same order.
    blocks.sort_by(|a, b| block_order(a).cmp(&block_order(b)));
    blocks
}

fn place_order<'a>(place: &'a (&Sighting, String)) -> impl Ord + 'a {
    let (sighting, path) = place;
    (!is_there_today(sighting), path.as_str(), sighting.position)
}

fn block_order<'a>(block: &'a Block<'_>) -> impl Ord + 'a {
    (
        Reverse((block.lead.severity, block.lead.confidence)),
        block.places.first().map(place_order),
        block.lead.secret,
    )
}

fn is_there_today(sighting: &Sighting) -> bool {
    sighting.in_worktree || sighting.at_tip.as_ref().is_none_or(|refs| !refs.is_empty())
}

struct Page<'a> {
    cx: &'a ScanCx<'a>,
    paint: Paint,
}

impl Page<'_> {
    fn block(&self, block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
        let lead = block.lead;
        let details = &*lead.details;
        let name = match &details.handle {
            Some(handle) => &handle.value,
            None => &details.preview,
        };
        let mut asides = Vec::new();
        if lead.public {
            asides.push("an identifier, no secret by itself".to_owned());
        }
        if !details.decoded.is_empty() {
            asides.push(format!("inside {}", prose(&details.decoded.join(" in "))));
        }
        if lead.confidence < Confidence::High {
            asides.push(format!("{} confidence", lead.confidence));
        }
        write!(
            out,
            "{}  {}",
            self.paint.severity(lead.severity),
            self.paint.text(Look::Title, prose(self.cx.title(lead)))
        )?;
        if !name.is_empty() {
            let name = harmless(name).into_owned();
            write!(out, "  {}", self.paint.text(Look::Name, middle(&name, 60)))?;
        }
        if !asides.is_empty() {
            write!(out, "  {}", self.paint.text(Look::Dim, asides.join(", ")))?;
        }
        writeln!(out)?;
        self.places(block, out)?;
        if let Some(since) = since(block) {
            writeln!(out, "{:INDENT$}{}", "", self.paint.text(Look::Dim, since))?;
        }
        self.advice(lead, out)
    }

    fn places(&self, block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
        let lines = lines(&block.places);
        let most = if self.cx.page.verbose {
            usize::MAX
        } else {
            PLACES
        };
        // "and 1 more" would take the line that the one needs.
        let shown = if lines.len() == most.saturating_add(1) {
            lines.len()
        } else {
            lines.len().min(most)
        };
        let longest = lines[..shown].iter().map(|line| line.at.chars().count());
        let column = longest.max().unwrap_or(0);
        let fits = lines[..shown].iter().all(|line| {
            line.note.is_empty()
                || INDENT + column + 2 + line.note.chars().count() <= self.cx.page.width
        });
        for Line { at, note, .. } in &lines[..shown] {
            if note.is_empty() {
                writeln!(out, "{:INDENT$}{at}", "")?;
                continue;
            }
            let gap = column - at.chars().count();
            let note = self.paint.text(Look::Dim, note);
            if fits {
                writeln!(out, "{:INDENT$}{at}{:gap$}  {note}", "", "")?;
            } else {
                writeln!(out, "{:INDENT$}{at}\n{:INDENT$}  {note}", "", "")?;
            }
        }
        if shown < lines.len() {
            let places: usize = lines[shown..].iter().map(|line| line.places).sum();
            let more = format!("and {} more", counted(places as u64, "place", "places"));
            writeln!(out, "{:INDENT$}{}", "", self.paint.text(Look::Dim, more))?;
        }
        Ok(())
    }

    fn advice(&self, lead: &Sighting, out: &mut dyn Write) -> io::Result<()> {
        let Some(advice) = self.cx.kinds.get(&*lead.kind) else {
            return Ok(());
        };
        let advice = prose(&advice.revoke);
        if advice.is_empty() {
            return Ok(());
        }
        let width = self.cx.page.width.saturating_sub(INDENT).max(30);
        for (i, line) in wrap(&advice, width).into_iter().enumerate() {
            let arrow = if i == 0 { "→" } else { "" };
            let margin = INDENT - 2;
            let arrow = self.paint.text(Look::Action, format!("{arrow:<2}"));
            writeln!(out, "{:margin$}{arrow}{line}", "")?;
        }
        Ok(())
    }

    /// `3 suppressed (2 by inline comment, 1 by allow.toml:12)`.
    fn suppressed(&self, sightings: &[Sighting], out: &mut dyn Write) -> io::Result<()> {
        let mut by: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in sightings
            .iter()
            .filter_map(|sighting| sighting.suppressed.as_ref())
        {
            *by.entry(&entry.by).or_default() += 1;
        }
        if by.is_empty() {
            return Ok(());
        }
        let all: u64 = by.values().sum();
        let mut by: Vec<(&str, u64)> = by.into_iter().collect();
        by.sort_by_key(|&(_, count)| Reverse(count));
        let mut parts: Vec<String> = by
            .iter()
            .take(GAPS)
            .map(|(by, count)| format!("{count} by {}", prose(by)))
            .collect();
        if by.len() > GAPS {
            parts.push(format!("and {} more reasons", by.len() - GAPS));
        }
        let line = format!("{all} suppressed ({})", parts.join(", "));
        writeln!(out, "{}", self.paint.text(Look::Dim, line))
    }

    fn summary(&self, blocks: &[Block<'_>], out: &mut dyn Write) -> io::Result<()> {
        let places: usize = blocks.iter().map(|block| block.places.len()).sum();
        if blocks.is_empty() {
            let (look, line) = if self.cx.gaps.is_empty() {
                (Look::Good, "no credentials found")
            } else {
                (Look::Warning, "no credentials found in what could be read")
            };
            write!(out, "{}", self.paint.text(look, line))?;
        } else {
            let found = counted(blocks.len() as u64, "credential", "credentials");
            let at = counted(places as u64, "place", "places");
            let line = format!("{found} at {at}");
            write!(out, "{}", self.paint.text(Look::Title, line))?;
            for &severity in Severity::ALL.iter().rev() {
                let count = blocks
                    .iter()
                    .filter(|block| block.lead.severity == severity);
                let count = count.count();
                if count > 0 {
                    let grade = format!("{count} {severity}");
                    write!(out, "  {}", self.paint.text(Look::Grade(severity), grade))?;
                }
            }
        }
        writeln!(out)?;
        writeln!(out, "{}", self.paint.text(Look::Dim, self.searched()))
    }

    fn searched(&self) -> String {
        let searched = self.cx.searched;
        let mut parts = Vec::new();
        if searched.files > 0 || searched.blobs == 0 {
            parts.push(counted(searched.files, "file", "files"));
        }
        if searched.blobs > 0 {
            parts.push(counted(searched.blobs, "blob", "blobs"));
        }
        parts.push(size(searched.bytes));
        format!("searched {}", parts.join(", "))
    }

    fn gaps(&self, out: &mut dyn Write) -> io::Result<()> {
        let gaps = self.cx.gaps;
        if gaps.is_empty() {
            return Ok(());
        }
        let what = counted(gaps.len() as u64, "thing", "things");
        let line = format!("{what} could not be read:");
        writeln!(out, "{}", self.paint.text(Look::Bad, line))?;
        let most = if self.cx.page.verbose {
            usize::MAX
        } else {
            GAPS
        };
        for gap in gaps.iter().take(most) {
            writeln!(
                out,
                "  {}  {}: {}",
                self.paint
                    .text(Look::Warning, format!("{:<11}", gap.kind.as_str())),
                middle(&harmless(&gap.subject), 120),
                prose(&gap.reason)
            )?;
        }
        if gaps.len() > most {
            let more = format!("  and {} more, -v shows all", gaps.len() - most);
            writeln!(out, "{}", self.paint.text(Look::Warning, more))?;
        }
        Ok(())
    }
}

/// What is shown of the places in one file.
struct Line {
    at: String,
    note: String,
    places: usize,
}

/// One line per file and state of affairs; the places are sorted by path.
fn lines(places: &[(&Sighting, String)]) -> Vec<Line> {
    let together = |a: &(&Sighting, String), b: &(&Sighting, String)| {
        a.1 == b.1 && a.0.position.is_some() && note(a.0) == note(b.0)
    };
    places
        .chunk_by(together)
        .map(|group| {
            let (first, path) = &group[0];
            let mut parts = vec![note(first)];
            if group.len() > 1 {
                parts.push(format!("{} more in this file", group.len() - 1));
            }
            parts.retain(|part| !part.is_empty());
            Line {
                at: address(first, path),
                note: parts.join(", "),
                places: group.len(),
            }
        })
        .collect()
}

/// `src/config.py:12:9`.
fn address(sighting: &Sighting, path: &str) -> String {
    let path = harmless(path);
    let path = middle(&path, 160);
    match (sighting.position, &sighting.commit) {
        (Some(at), _) => format!("{path}:{}:{}", at.line, at.column),
        (None, Some(commit)) => format!("{path} {}", short(&commit.id.to_string())),
        (None, None) => path.into_owned(),
    }
}

/// `in 14 versions, still at tip of main`.
fn note(sighting: &Sighting) -> String {
    let Some(refs) = &sighting.at_tip else {
        return String::new();
    };
    let today = match refs.as_slice() {
        [] if sighting.in_worktree && sighting.blob.is_none() => "not committed".to_owned(),
        [] if sighting.in_worktree => "still in the working tree".to_owned(),
        [] => "only in history".to_owned(),
        [one] => format!("still at tip of {}", branch(one)),
        [one, two] => format!("still at tip of {} and {}", branch(one), branch(two)),
        [one, more @ ..] => format!("still at tip of {} and {} more", branch(one), more.len()),
    };
    if sighting.blob.is_none() {
        return today;
    }
    let versions = counted(u64::from(sighting.versions), "version", "versions");
    format!("in {versions}, {today}")
}

/// The name people use for a ref.
fn branch(name: &str) -> String {
    let mut short = name;
    for prefix in ["refs/heads/", "refs/remotes/", "refs/tags/"] {
        short = short.strip_prefix(prefix).unwrap_or(short);
    }
    middle(&prose(short), 40).into_owned()
}

/// `first in 3f2a91c0 by Ann Lee on 2024-03-01`: the oldest commit that brought it in.
fn since(block: &Block<'_>) -> Option<String> {
    let commits = block
        .places
        .iter()
        .filter_map(|(sighting, _)| sighting.introduced.as_ref())
        .flatten();
    let first: &CommitFact =
        commits.min_by_key(|commit| (commit.at.is_none(), commit.at, commit.id))?;
    let id = first.id.to_string();
    let mut line = format!("first in {} by {}", short(&id), author(&first.author));
    if let Some(at) = first.at {
        line.push_str(&format!(" on {}", day(at)));
    }
    Some(line)
}
