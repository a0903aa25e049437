//! The sections of the page, in reading order.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::Severity;

use super::{
    charts,
    keeping::{exposure, life, owners},
    nights::{change, coverage},
    push,
    rights::{parties, privilege},
    text,
};
use crate::report::{
    Document, Headline,
    text::{counted, day_of, thousands},
};

/// One section.
type Section = fn(&Document, &Headline, &mut String);

/// Sections between the verdict and the findings.
pub(super) const ALL: &[Section] = &[
    verdict, change, coverage, balance, exceptions, controls, owners, life, privilege, exposure,
    parties,
];

/// Rows of a table on the page; more are counted.
const ROWS: usize = 25;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// The head of the page.
pub(super) fn top(doc: &Document, head: &Headline, out: &mut String) {
    let unseen = doc.gaps.len();
    let seen = match unseen {
        0 => "Everything configured was seen.".to_owned(),
        _ => format!(
            "<span class=\"bad\">{} could not be seen</span>: see coverage.",
            counted(unseen as u64, "thing", "things")
        ),
    };
    let mut verdict = head.verdict();
    if let Some(first) = verdict.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    push(
        out,
        &format!(
            "<header>\n<p class=\"eyebrow\">Machine credentials of {} · {}</p>\n<h1>{}</h1>\n<p class=\"lead\">{seen}</p>\n<nav aria-label=\"Sections\"><ul>",
            text(&doc.run.estate),
            text(day_of(&doc.run.now)),
            text(&verdict),
        ),
    );
    for (id, name) in [
        ("verdict", "Verdict"),
        ("change", "Change"),
        ("coverage", "Coverage"),
        ("balance", "Register"),
        ("exceptions", "Exceptions"),
        ("controls", "Controls"),
        ("owners", "Owners"),
        ("life", "Life cycle"),
        ("privilege", "Privilege"),
        ("exposure", "Exposure"),
        ("parties", "Third parties"),
        ("findings", "Findings"),
        ("method", "Method"),
    ] {
        push(out, &format!("<li><a href=\"#{id}\">{name}</a></li>"));
    }
    push(out, "</ul></nav>\n</header>\n");
}

/// The foot of the page.
pub(super) fn foot(doc: &Document, out: &mut String) {
    let key = doc
        .run
        .key_id
        .as_deref()
        .unwrap_or("made for this run alone");
    push(
        out,
        &format!(
            "<footer><p>Run {}, keymuster {}, estate key {}. No secret stands on this page: values are named by keyed hashes. Print it for a paper copy; findings.json is the record.</p></footer>\n",
            text(&doc.run.id),
            text(&doc.tool.version),
            text(key),
        ),
    );
}

pub(super) fn begin(out: &mut String, id: &str, title: &str, lead: &str) {
    push(
        out,
        &format!(
            "<section id=\"{id}\" aria-labelledby=\"h-{id}\">\n<h2 id=\"h-{id}\">{title}</h2>\n<p class=\"lead\">{lead}</p>\n"
        ),
    );
}

/// A table; the cells are markup already. Numeric columns are told by `n:` before their names.
pub(super) fn table(out: &mut String, caption: &str, header: &[&str], rows: &[Vec<String>]) {
    push(
        out,
        &format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table{}><caption>{caption}</caption><thead><tr>",
            if header.len() == 2 {
                " class=\"pair\""
            } else {
                ""
            },
        ),
    );
    let numeric: Vec<bool> = header.iter().map(|name| name.starts_with("n:")).collect();
    for name in header {
        let (class, name) = match name.strip_prefix("n:") {
            Some(name) => (" class=\"n\"", name),
            None => ("", *name),
        };
        push(out, &format!("<th scope=\"col\"{class}>{name}</th>"));
    }
    push(out, "</tr></thead><tbody>");
    for row in rows.iter().take(ROWS) {
        push(out, "<tr>");
        for (ix, cell) in row.iter().enumerate() {
            let class = if numeric.get(ix) == Some(&true) {
                " class=\"n\""
            } else {
                ""
            };
            push(out, &format!("<td{class}>{cell}</td>"));
        }
        push(out, "</tr>");
    }
    push(out, "</tbody></table></div>\n");
    if rows.len() > ROWS {
        let more = thousands((rows.len() - ROWS) as u64);
        push(
            out,
            &format!("<p class=\"lead\">and {more} more; findings.json has all.</p>\n"),
        );
    }
}

/// A table behind a drawing, for whoever wants its numbers.
pub(super) fn folded(out: &mut String, caption: &str, header: &[&str], rows: &[Vec<String>]) {
    push(
        out,
        &format!("<details><summary>The numbers: {caption}</summary>\n"),
    );
    table(out, caption, header, rows);
    push(out, "</details>\n");
}

fn verdict(_: &Document, head: &Headline, out: &mut String) {
    begin(
        out,
        "verdict",
        "Verdict",
        "For every credential: who approved it, why does it exist, when will it be removed?",
    );
    push(out, "<div class=\"questions\">");
    for (question, count) in [
        ("Who approved it", head.approved_by),
        ("Why it exists", head.purpose),
        ("When it will be removed", head.removed_when),
        ("All three", head.answered),
    ] {
        let share = count * 100 / head.credentials.max(1);
        push(
            out,
            &format!(
                "<div><strong>{question}</strong><div class=\"meter\"><i style=\"width:{share}%\"></i></div><span>{share}% · {count} of {}</span></div>",
                head.credentials
            ),
        );
    }
    push(
        out,
        "</div>\n<h3>Credentials and records with an open finding</h3>\n<div class=\"tiles\">",
    );
    for (word, count) in &head.counts {
        let class = if *count == 0 { " zero" } else { "" };
        push(
            out,
            &format!(
                "<div class=\"tile{class}\"><b>{}</b><span>{word}</span></div>",
                thousands(*count as u64)
            ),
        );
    }
    push(out, "</div>\n<h3>Open findings by severity</h3>\n");
    let parts: Vec<(&str, String, usize)> = head
        .severities
        .iter()
        .map(|(severity, count)| (severity.as_str(), severity.to_string(), *count))
        .collect();
    push(out, &charts::stacked("Open findings by severity", &parts));
    let rows: Vec<Vec<String>> = parts
        .iter()
        .map(|(class, word, count)| {
            vec![
                format!("<span class=\"sev {class}\">{word}</span>"),
                thousands(*count as u64),
            ]
        })
        .collect();
    folded(
        out,
        "open findings by severity",
        &["Severity", "n:Findings"],
        &rows,
    );
    push(out, "</section>\n");
}

fn balance(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "balance",
        "Discovered against recorded",
        "Every credential has a record, waits for somebody to confirm one, or has none. Every record has a credential, or none.",
    );
    match &doc.reconciliation {
        None => push(
            out,
            "<p class=\"bad\">No register was given, so nothing could be held against it.</p>\n",
        ),
        Some(sum) => {
            push(
                out,
                &charts::flow(
                    "Discovered credentials by their records",
                    "discovered",
                    &[
                        ("", "have a record", sum.registered),
                        ("", "wait for confirmation", sum.to_confirm),
                        ("bad", "are in no register", sum.unregistered),
                    ],
                ),
            );
            let number = |name: &str, count: u64| vec![name.to_owned(), thousands(count)];
            folded(
                out,
                "the sums, which must balance",
                &["Population", "n:Count"],
                &[
                    number("credentials discovered", sum.credentials),
                    number("… with a record", sum.registered),
                    number("… with a record to be confirmed", sum.to_confirm),
                    number("… in no register", sum.unregistered),
                    number("records of all registers", sum.records),
                    number("… with a credential", sum.records_matched),
                    number("… without", sum.records_unmatched),
                ],
            );
        }
    }
    push(out, "</section>\n");
}

fn exceptions(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "exceptions",
        "Exceptions and suppressions",
        "What the organisation decided to live with. Each needs a reason, an approver who is not the owner, and an end.",
    );
    let rows: Vec<Vec<String>> =
        doc.findings
            .iter()
            .filter(|finding| matches!(&*finding.state, "accepted" | "suppressed"))
            .map(|finding| {
                let why = finding.evidence.iter().find(|one| {
                    one.label.contains("exception") || one.label.contains("suppressed")
                });
                vec![
                    severity(finding.grade()),
                    id(&finding.check),
                    text(&finding.title),
                    text(&finding.state),
                    why.map_or_else(String::new, |one| {
                        text(&format!("{} ({})", one.value, one.source))
                    }),
                ]
            })
            .collect();
    if rows.is_empty() {
        push(out, "<p>None.</p>\n");
    } else {
        table(
            out,
            "Exceptions and suppressions",
            &["Severity", "Check", "Finding", "State", "Why"],
            &rows,
        );
    }
    push(out, "</section>\n");
}

fn controls(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "controls",
        "Checks and controls",
        "Each check with its whole population. Not judged is not passed: it says which input was missing.",
    );
    let rows: Vec<Vec<String>> = doc
        .population
        .iter()
        .map(|one| {
            let check = doc.checks.iter().find(|check| check.id == one.check);
            let missing: u64 = one.not_evaluated.iter().map(|part| part.count).sum();
            let why: Vec<String> = one
                .not_evaluated
                .iter()
                .map(|part| format!("{} {}", thousands(part.count), text(&part.input)))
                .collect();
            let failed = match one.failed {
                0 => "0".to_owned(),
                some => format!("<span class=\"bad\">{}</span>", thousands(some)),
            };
            vec![
                id(&one.check),
                check.map_or_else(String::new, |check| text(&check.title)),
                thousands(one.passed),
                failed,
                thousands(missing),
                why.join("; "),
            ]
        })
        .collect();
    table(
        out,
        "Population of every check",
        &[
            "Check",
            "Title",
            "n:Passed",
            "n:Failed",
            "n:Not judged",
            "Missing input",
        ],
        &rows,
    );
    let mut clauses: BTreeMap<&str, (BTreeSet<&str>, usize)> = BTreeMap::new();
    for finding in doc.open() {
        for clause in &finding.frameworks {
            let entry = clauses.entry(clause).or_default();
            entry.0.insert(&finding.check);
            entry.1 += 1;
        }
    }
    let mut clauses: Vec<_> = clauses.into_iter().collect();
    clauses.sort_by_key(|(clause, (_, count))| (std::cmp::Reverse(*count), *clause));
    let rows: Vec<Vec<String>> = clauses
        .into_iter()
        .map(|(clause, (checks, count))| {
            let checks: Vec<String> = checks.into_iter().map(text).collect();
            vec![text(clause), checks.join(", "), thousands(count as u64)]
        })
        .collect();
    table(
        out,
        "Clauses that open findings touch",
        &["Clause", "Checks", "n:Open findings"],
        &rows,
    );
    push(out, "</section>\n");
}

/// The table that the script fills.
pub(super) fn findings(out: &mut String) {
    let lead = "Open a title for its evidence. The address of this page with # and a finding's id leads to it.";
    begin(out, "findings", "Findings", lead);
    let options = |all: &[(&str, &str)]| {
        let options = all
            .iter()
            .map(|(value, word)| format!("<option value=\"{value}\">{word}</option>"));
        options.collect::<String>()
    };
    let severities: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(
            Severity::ALL
                .iter()
                .rev()
                .map(|one| (one.as_str(), one.as_str())),
        )
        .collect();
    let states = [
        ("all-open", "open"),
        ("", "all"),
        ("new", "new"),
        ("regressed", "came back"),
        ("late", "past their due date"),
        ("fixed", "fixed"),
        ("accepted", "accepted"),
        ("suppressed", "suppressed"),
        ("not_evaluated", "not judged"),
    ];
    push(
        out,
        &format!(
            "<noscript><p>This table needs its script; findings.csv has the same rows.</p></noscript>\n\
             <div class=\"filters\" role=\"search\"><label>Search<input id=\"search\" type=\"search\" placeholder=\"owner, key id, repository, text\"></label>\
             <label>Severity<select id=\"severity\">{}</select></label>\
             <label>State<select id=\"state\">{}</select></label>\
             <label>Check<select id=\"check\"><option value=\"\">all</option></select></label></div>\n\
             <p class=\"lead\" id=\"count\" aria-live=\"polite\"></p>\n\
             <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Findings\"><table><thead><tr><th scope=\"col\">Severity</th><th scope=\"col\">Check</th><th scope=\"col\">Finding</th><th scope=\"col\">Owner, or to act</th><th scope=\"col\">State</th><th scope=\"col\">Due</th></tr></thead><tbody id=\"rows\"></tbody></table></div>\n\
             <p><button id=\"more\" type=\"button\" hidden>Show more</button></p>\n</section>\n",
            options(&severities),
            options(&states),
        ),
    );
}

/// How it was judged.
pub(super) fn method(doc: &Document, out: &mut String) {
    begin(
        out,
        "method",
        "Method",
        "How each check that made a finding decides, and what the run stood on.",
    );
    let rows: Vec<Vec<String>> = doc
        .checks
        .iter()
        .map(|check| {
            vec![
                id(&check.id),
                text(&check.title),
                text(&check.decided),
                text(&check.remedy),
            ]
        })
        .collect();
    table(
        out,
        "Checks with findings",
        &["Check", "Title", "How it is decided", "What to do"],
        &rows,
    );
    let mut rows = vec![
        vec!["Point in time".to_owned(), text(&doc.run.now)],
        vec!["Run".to_owned(), text(&doc.run.id)],
    ];
    rows.extend(
        doc.run
            .facts
            .iter()
            .map(|(name, value)| vec![text(name), text(value)]),
    );
    table(out, "The run", &["Fact", "Value"], &rows);
    push(out, "</section>\n");
}

/// An id that is not broken over two lines.
pub(super) fn id(id: &str) -> String {
    format!("<span class=\"nowrap\">{}</span>", text(id))
}

pub(super) fn severity(grade: Severity) -> String {
    format!("<span class=\"sev {0}\">{0}</span>", grade.as_str())
}
