//! The sections on what changed since the last run, and on what was seen of the estate.

use std::collections::BTreeMap;

use keymuster_api::Severity;

use super::{
    charts, push,
    sections::{begin, folded, id, severity, table},
    text,
};
use crate::report::{
    CoverageEntry, Document, Headline,
    text::{day_of, size, thousands},
};

/// Changed findings that are listed of one sort.
const LISTED: usize = 10;

pub(super) fn change(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "change",
        "Change since the last run",
        "A finding keeps its name from night to night. Fixed means proven: what could not be looked at is never called fixed.",
    );
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &doc.findings {
        *states.entry(&finding.state).or_default() += 1;
    }
    let count = |state: &str| states.get(state).copied().unwrap_or_default();
    let late = doc.open().filter(|finding| finding.sla_breached).count();
    let tiles = [
        ("new", "bad", count("new")),
        ("came back", "bad", count("regressed")),
        ("past their due date", "bad", late),
        ("still open", "", count("open")),
        ("fixed", "good", count("fixed")),
        (
            "accepted or suppressed",
            "",
            count("accepted") + count("suppressed"),
        ),
        ("could not be judged", "", count("not_evaluated")),
    ];
    push(out, "<div class=\"tiles\">");
    for (word, class, count) in tiles {
        let class = if count == 0 { "zero" } else { class };
        push(
            out,
            &format!(
                "<div class=\"tile {class}\"><b>{}</b><span>{word}</span></div>",
                thousands(count as u64)
            ),
        );
    }
    push(out, "</div>\n");
    trend(doc, out);
    lists(doc, out);
    push(out, "</section>\n");
}

/// Open findings over the runs that are remembered.
fn trend(doc: &Document, out: &mut String) {
    let (Some(first), Some(last)) = (doc.trend.first(), doc.trend.last()) else {
        return;
    };
    let grades: Vec<Severity> = Severity::ALL.iter().rev().copied().collect();
    let parts: Vec<(&str, &str, Vec<u64>)> = grades
        .iter()
        .rev()
        .map(|grade| {
            let word = grade.as_str();
            let of = |point: &crate::report::TrendEntry| point.open.get(word).copied();
            let values = doc.trend.iter().map(|point| of(point).unwrap_or(0));
            (word, word, values.collect())
        })
        .collect();
    let ends = (day_of(&first.now), day_of(&last.now));
    let title = format!("Open findings over the last {} runs", doc.trend.len());
    let drawing = charts::areas(&title, ends, &parts);
    if drawing.is_empty() {
        return;
    }
    push(out, &format!("<h3>{title}</h3>\n{drawing}"));
    let rows: Vec<Vec<String>> = doc
        .trend
        .iter()
        .rev()
        .map(|point| {
            let mut row = vec![text(day_of(&point.now))];
            row.extend(
                grades
                    .iter()
                    .map(|grade| thousands(point.open.get(grade.as_str()).copied().unwrap_or(0))),
            );
            row.push(thousands(point.overdue));
            row.push(format!("{} of {}", point.answered, point.credentials));
            row
        })
        .collect();
    folded(
        out,
        "open findings by run",
        &[
            "Run",
            "n:Critical",
            "n:High",
            "n:Medium",
            "n:Low",
            "n:Info",
            "n:Overdue",
            "Answered",
        ],
        &rows,
    );
}

/// What changed, by name.
fn lists(doc: &Document, out: &mut String) {
    let Some(changes) = &doc.changes else { return };
    let Some(since) = &changes.since else {
        return push(
            out,
            "<p class=\"lead\">This is the first run: all of it is new.</p>\n",
        );
    };
    for (word, ids) in [
        ("Came back", &changes.regressed),
        ("New", &changes.new),
        ("More severe", &changes.worsened),
        ("Fixed", &changes.fixed),
        ("Not judged this time", &changes.not_evaluated),
    ] {
        let rows: Vec<Vec<String>> = ids
            .iter()
            .filter_map(|wanted| doc.findings.iter().find(|one| one.finding_id == *wanted))
            .take(LISTED)
            .map(|finding| {
                let name = text(&finding.finding_id);
                vec![
                    severity(finding.grade()),
                    id(&finding.check),
                    format!("<a href=\"#{name}\">{}</a>", text(&finding.title)),
                ]
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        let caption = match ids.len() {
            all if all > rows.len() => format!("{word}, {} of {all}", rows.len()),
            _ => word.to_owned(),
        };
        table(out, &caption, &["Severity", "Check", "Finding"], &rows);
    }
    push(
        out,
        &format!(
            "<p class=\"lead\">Compared with the run {}.</p>\n",
            text(since)
        ),
    );
}

pub(super) fn coverage(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "coverage",
        "Coverage",
        "What was expected and what was received. Without a complete count nothing in a scope is ever called gone.",
    );
    if !doc.gaps.is_empty() {
        let rows: Vec<Vec<String>> = doc
            .gaps
            .iter()
            .map(|gap| {
                vec![
                    format!("<span class=\"bad\">{}</span>", text(&gap.kind)),
                    text(&gap.subject),
                    text(&gap.reason),
                ]
            })
            .collect();
        table(
            out,
            "What could not be seen",
            &["Gap", "What", "Why, and what to do"],
            &rows,
        );
    }
    let mut scopes: BTreeMap<&str, Vec<&CoverageEntry>> = BTreeMap::new();
    for one in &doc.coverage {
        scopes.entry(&one.scope).or_default().push(one);
    }
    let mut scopes: Vec<(bool, &str, Vec<&CoverageEntry>)> = scopes
        .into_iter()
        .map(|(scope, counts)| (counts.iter().all(|one| one.complete), scope, counts))
        .collect();
    scopes.sort_by_key(|(complete, scope, _)| (*complete, *scope));
    let rows: Vec<Vec<String>> = scopes
        .into_iter()
        .map(|(complete, scope, counts)| {
            let seen = match complete {
                true => "<span class=\"good\">complete</span>",
                false => "<span class=\"bad\">incomplete</span>",
            };
            let bytes: u64 = counts.iter().map(|one| one.bytes).sum();
            let bytes = if bytes == 0 {
                String::new()
            } else {
                size(bytes)
            };
            let counts: Vec<String> = counts.iter().map(|one| count(one)).collect();
            vec![text(scope), counts.join(", "), bytes, seen.to_owned()]
        })
        .collect();
    table(
        out,
        "Every scope of the run",
        &["Scope", "Received", "n:Searched", "Seen"],
        &rows,
    );
    push(out, "</section>\n");
}

/// `7 access keys`, `2 of 3 access keys`.
fn count(one: &CoverageEntry) -> String {
    let received = thousands(one.received);
    match one.expected {
        Some(expected) if expected != one.received => format!(
            "<span class=\"bad\">{received} of {}</span> {}",
            thousands(expected),
            text(&one.what)
        ),
        _ => format!("{received} {}", text(&one.what)),
    }
}
