//! What every tracker is told of a finding: one line, a text, labels. The targets' limits on
//! length are given by their formats.
//!
//! Ages, dates and counts change from night to night, and some importers compare texts: what is
//! called stable here holds none.

use std::io;

use jiff::Timestamp;

use super::{
    Document, FindingEntry,
    cells::Table,
    text::{cut, harmless, prose},
};

/// A table for a tracker's importer: a row for every open finding.
pub(crate) fn table<const CELLS: usize>(
    doc: &Document,
    header: &[&str; CELLS],
    row: fn(&Document, &FindingEntry) -> [String; CELLS],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut table = Table::new(out, header)?;
    for finding in doc.findings.iter().filter(|finding| finding.is_open()) {
        table.row(&row(doc, finding))?;
    }
    table.finish()
}

/// One line: the check and the title.
pub(crate) fn summary(finding: &FindingEntry, max: usize) -> String {
    let line = format!("{} {}", finding.check, prose(&finding.title));
    cut(&line, max).into_owned()
}

/// What is wrong, with evidence, owner and remedy: lines for people, each harmless.
pub(crate) fn lines(doc: &Document, finding: &FindingEntry) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |name: &str, value: &str| {
        if !value.trim().is_empty() {
            lines.push(format!("{name}: {}", prose(value)));
        }
    };
    say("Why it matters", why(doc, finding));
    say("Severity", &finding.severity);
    say("Credential", text(&finding.credential));
    say("Type", text(&finding.credential_type));
    say("Account", text(&finding.account));
    say("Environment", text(&finding.environment));
    say("Owner", text(&finding.owner));
    say("To act", text(&finding.route_to));
    say("Record", text(&finding.record_id));
    for place in finding.locations.iter().take(20) {
        say("Where", place);
    }
    if finding.locations.len() > 20 {
        say(
            "Where",
            &format!("{} more places", finding.locations.len() - 20),
        );
    }
    for one in &finding.evidence {
        say(
            "Evidence",
            &format!("{}: {} ({})", one.label, one.value, one.source),
        );
    }
    say("What to do", &finding.remediation);
    say("Due", text(&finding.due));
    say("Frameworks", &finding.frameworks.join(", "));
    say("Finding", &finding.finding_id);
    lines
}

/// What is wrong, in words that stay the same as long as the finding does.
pub(crate) fn stable(doc: &Document, finding: &FindingEntry) -> String {
    let words = [
        why(doc, finding).to_owned(),
        format!("Finding: {}", finding.finding_id),
    ];
    words.map(|line| prose(&line)).join("\n")
}

/// The check's own words on why it matters.
pub(crate) fn why<'d>(doc: &'d Document, finding: &FindingEntry) -> &'d str {
    let check = doc.checks.iter().find(|check| check.id == finding.check);
    check.map_or("", |check| &check.why)
}

/// `keymuster`, the check, and the finding's id: by the last a tracker's export is found again.
pub(crate) fn labels(finding: &FindingEntry) -> [String; 3] {
    let word = |text: &str| harmless(text).replace(char::is_whitespace, "-");
    [
        "keymuster".to_owned(),
        word(&finding.check.to_lowercase()),
        format!("fid-{}", word(&finding.finding_id.to_lowercase())),
    ]
}

/// An absent text is an empty one.
pub(crate) fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// A time of the document.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{labels, lines, stable, summary};
    use crate::report::samples;

    #[test]
    fn texts_fit_and_stay() {
        let doc = samples::document();
        let finding = &doc.findings[0];
        assert!(summary(finding, 20).chars().count() <= 20);
        assert!(lines(&doc, finding).iter().all(|line| !line.contains('\n')));
        assert!(labels(finding).iter().all(|label| !label.contains(' ')));
        let mut later = finding.clone();
        later.severity = "low".to_owned();
        later.last_seen = "2027-01-01T00:00:00Z".to_owned();
        later.evidence.clear();
        assert_eq!(stable(&doc, finding), stable(&doc, &later));
    }
}
