//! The sections on what credentials may do, and on those that leave the house.

use super::{
    push,
    sections::{begin, id, severity, table},
    text,
};
use crate::report::{Document, FindingEntry, Headline};

pub(super) fn privilege(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "privilege",
        "Privilege",
        "What is granted beyond what was approved or is used: administrators, wildcards, ways to more rights, trust that is too broad.",
    );
    list(doc, &["PRV-", "CLD-"], out);
    push(out, "</section>\n");
}

pub(super) fn parties(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "parties",
        "Third parties and agents",
        "Applications, vendors and agents that hold credentials of the house, and how strongly they prove who they are.",
    );
    list(doc, &["TPO-", "AGT-", "AUT-"], out);
    push(out, "</section>\n");
}

/// Open findings of these families, and how many subjects their checks judged.
fn list(doc: &Document, families: &[&str], out: &mut String) {
    let is_one = |check: &str| families.iter().any(|family| check.starts_with(family));
    let populations: Vec<_> = doc
        .population
        .iter()
        .filter(|one| is_one(&one.check))
        .collect();
    let judged: u64 = populations.iter().map(|one| one.evaluated).sum();
    if populations.is_empty() {
        return push(out, "<p>No check of this sort took part in the run.</p>\n");
    }
    let rows: Vec<Vec<String>> = doc
        .open()
        .filter(|finding| is_one(&finding.check))
        .map(row)
        .collect();
    if !rows.is_empty() {
        table(
            out,
            "Open findings",
            &["Severity", "Check", "Finding", "What it rests on", "To act"],
            &rows,
        );
    } else if judged > 0 {
        push(out, "<p class=\"good\">Nothing open.</p>\n");
    } else {
        push(
            out,
            "<p class=\"bad\">Nothing could be judged: the inputs were missing, see the checks.</p>\n",
        );
    }
}

fn row(finding: &FindingEntry) -> Vec<String> {
    let name = text(&finding.finding_id);
    let why = finding.evidence.first().map(|one| &one.value);
    let who = finding.route_to.as_deref().unwrap_or("nobody");
    vec![
        severity(finding.grade()),
        id(&finding.check),
        format!("<a href=\"#{name}\">{}</a>", text(&finding.title)),
        why.map_or_else(String::new, |why| text(why)),
        text(who),
    ]
}
