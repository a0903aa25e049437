//! The page for people: its frame, its data, and what keeps foreign text from being markup.
//!
//! Numbers are counted from the document. Everything that a chart shows stands in a table, too.
//! Sections are in `sections`, drawings in `charts`.

mod charts;
mod keeping;
mod nights;
mod payload;
mod rights;
mod sections;

use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

pub(crate) use payload::counts;

use super::{Document, headline, text::harmless};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
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
    sections::findings(&mut out);
    sections::method(doc, &mut out);
    push(&mut out, "</main>\n");
    sections::foot(doc, &mut out);
    push(&mut out, &payload::payload(doc));
    push(&mut out, "<script>");
    push(&mut out, SCRIPT);
    push(&mut out, "</script>\n</body>\n</html>\n");
    out
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
    use super::{counts, page, text};
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
        assert_eq!(page.matches("</script>").count(), 3);
        assert!(!page.contains('\u{202e}'));
        let all = doc.findings.len();
        assert_eq!(counts(&page), Ok((all, all)));
    }

    #[test]
    fn an_empty_run_has_a_page() {
        let page = page(&Document::default());
        assert!(page.contains("No credentials were seen"), "{page}");
        assert!(!page.contains("NaN") && !page.contains("inf%"));
    }
}
