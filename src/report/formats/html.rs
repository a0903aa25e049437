//! `report.html`: one self-contained page for people, from the verdict down to every finding.
//!
//! It asks nothing of any network: a policy in its head forbids it, and names the one script by
//! its hash. The parts of the page are in `report/page`.

use std::io::{self, Write};

use super::Format;
use crate::report::{Document, FormatCx, page};

pub(super) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn file(&self) -> &'static str {
        "report.html"
    }

    fn about(&self) -> &'static str {
        "one page for people, without any request"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(page::page(doc).as_bytes())?;
        out.flush()
    }

    fn check(&self, doc: &Document, written: &[u8]) -> Result<(), String> {
        super::check_text(written)?;
        let text = String::from_utf8_lossy(written);
        let all = doc.findings.len();
        if page::counts(&text)? != (all, all) {
            return Err("the page lacks findings".to_owned());
        }
        for word in ["src=\"http", "href=\"http", "url(", "<script src"] {
            if text.contains(word) {
                return Err(format!("the page asks for something: {word}"));
            }
        }
        Ok(())
    }
}
