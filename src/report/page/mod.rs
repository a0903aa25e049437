//! The page for people: its frame, its data, and what keeps foreign text from being markup.
//!
//! Numbers are counted from the document. Everything that a chart shows stands in a table, too.
//! Sections are in `sections`, drawings in `charts`.

mod charts;
mod keeping;
mod sections;

use std::fmt::Write as _;

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Document, FindingEntry, headline,
    text::{harmless, prose},
};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Findings on the page, worst first; the record has all.
pub(crate) const MOST: usize = 20_000;
const DATA: &str = "<script type=\"application/json\" id=\"data\">";

/// The whole page.
pub(crate) fn page(doc: &Document) -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let head = headline(doc);
    let mut out = String::with_capacity(64 << 10);
    push(
        &mut out,
        &format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>Credentials of {0}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#findings\">To the findings</a>\n",
            text(&doc.run.estate),
        ),
    );
    sections::top(doc, &head, &mut out);
    push(&mut out, "<main>\n");
    for section in sections::ALL {
        section(doc, &head, &mut out);
    }
    sections::findings(doc, &mut out);
    sections::method(doc, &mut out);
    push(&mut out, "</main>\n");
    sections::foot(doc, &mut out);
    push(&mut out, DATA);
    push(&mut out, &data(doc));
    push(&mut out, "</script>\n<script>");
    push(&mut out, SCRIPT);
    push(&mut out, "</script>\n</body>\n</html>\n");
    out
}

/// The findings of a page, as JSON.
pub(crate) fn data_of(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once(DATA)?;
    Some(rest.split_once("</script>")?.0)
}

/// Rows for the table, safe inside a script element.
fn data(doc: &Document) -> String {
    let rows: Vec<Value> = doc.findings.iter().take(MOST).map(row).collect();
    // Escapes of JSON: no element can end, none can begin.
    Value::Array(rows)
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

fn row(finding: &FindingEntry) -> Value {
    let some = |text: &Option<String>| text.as_deref().map(prose);
    let texts = |all: &[String]| all.iter().map(|one| prose(one)).collect::<Vec<_>>();
    let evidence: Vec<[String; 3]> = finding
        .evidence
        .iter()
        .map(|one| [prose(&one.label), prose(&one.value), prose(&one.source)])
        .collect();
    json!({
        "id": prose(&finding.finding_id),
        "check": prose(&finding.check),
        "title": prose(&finding.title),
        "severity": finding.grade().as_str(),
        "state": prose(&finding.state),
        "owner": some(&finding.owner),
        "route": some(&finding.route_to),
        "record": some(&finding.record_id),
        "first": prose(&finding.first_seen),
        "due": some(&finding.due),
        "remedy": prose(&finding.remediation),
        "places": texts(&finding.locations),
        "evidence": evidence,
        "frameworks": texts(&finding.frameworks),
    })
}

/// Foreign text as text: harmless, on one line, and never markup.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in harmless(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn push(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = out.write_str(text);
}

#[cfg(test)]
mod tests {
    use super::{data_of, page, text};
    use crate::report::{Document, samples};

    #[test]
    fn foreign_text_is_never_markup() {
        assert_eq!(text("<b a='x'>&"), "&lt;b a=&#39;x&#39;&gt;&amp;");
        let mut doc = samples::document();
        let evil = "</script><img src=x onerror=alert(1)>\u{202e}".to_owned();
        doc.run.estate = evil.clone();
        for finding in &mut doc.findings {
            finding.title = evil.clone();
            finding.owner = Some(evil.clone());
            finding.frameworks = vec![evil.clone()];
            finding.check = evil.clone();
        }
        doc.gaps
            .iter_mut()
            .for_each(|gap| gap.reason = evil.clone());
        let page = page(&doc);
        assert!(!page.contains("<img"), "an element was made");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains('\u{202e}'));
        let data = data_of(&page).expect("the data");
        let rows: Vec<serde_json::Value> = serde_json::from_str(data).expect("JSON");
        assert_eq!(rows.len(), doc.findings.len());
    }

    #[test]
    fn an_empty_run_has_a_page() {
        let page = page(&Document::default());
        assert!(page.contains("No credentials were seen"), "{page}");
        assert!(!page.contains("NaN") && !page.contains("inf%"));
    }
}
