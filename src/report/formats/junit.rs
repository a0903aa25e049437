//! `findings.junit.xml`: checks as suites, findings as failed cases, for every CI system that
//! shows test reports.
//!
//! A check that judged something and found nothing is a case that passed; one that could not judge
//! is a case that was skipped, so that "could not look" never shows as green.

use std::io::{self, Write};

use super::Format;
use crate::report::{Document, FindingEntry, FormatCx, PopulationEntry, text::prose, ticket};

pub(super) struct JUnit;

impl Format for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn file(&self) -> &'static str {
        "findings.junit.xml"
    }

    fn about(&self) -> &'static str {
        "JUnit XML, checks as suites, for CI systems"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let open = doc.open().count();
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites name=\"keymuster\" failures=\"{open}\">")?;
        for population in &doc.population {
            suite(doc, population, out)?;
        }
        let told = |finding: &&FindingEntry| {
            let mut checks = doc.population.iter();
            !checks.any(|population| population.check == finding.check)
        };
        // Of a check that did not run this time: open before, and told.
        for finding in doc.open().filter(told) {
            writeln!(
                out,
                "  <testsuite name=\"{0}\" tests=\"1\" failures=\"1\" skipped=\"0\">",
                xml(&finding.check)
            )?;
            failure(doc, finding, out)?;
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")?;
        out.flush()
    }

    fn check(&self, doc: &Document, written: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(written).map_err(|error| error.to_string())?;
        let failures = text.matches("<failure ").count();
        if failures != doc.open().count() || !text.trim_end().ends_with("</testsuites>") {
            return Err("failures and open findings are not one to one".to_owned());
        }
        let opened = text.matches("<testcase ").count();
        let closed = text.matches("</testcase>").count() + text.matches("/></testcase>").count();
        if closed < opened {
            return Err("a case is not closed".to_owned());
        }
        Ok(())
    }
}

fn suite(doc: &Document, population: &PopulationEntry, out: &mut dyn Write) -> io::Result<()> {
    let failed: Vec<&FindingEntry> = doc
        .open()
        .filter(|finding| finding.check == population.check)
        .collect();
    let passed = usize::from(population.passed > 0);
    let skipped = population.not_evaluated.len();
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\">",
        xml(&population.check),
        failed.len() + passed + skipped,
        failed.len(),
    )?;
    if population.passed > 0 {
        writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"{} passed\"></testcase>",
            xml(&population.check),
            population.passed
        )?;
    }
    for missing in &population.not_evaluated {
        writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"{} not judged: {}\"><skipped message=\"an input is missing\"/></testcase>",
            xml(&population.check),
            missing.count,
            xml(&missing.input)
        )?;
    }
    for finding in failed {
        failure(doc, finding, out)?;
    }
    writeln!(out, "  </testsuite>")
}

fn failure(doc: &Document, finding: &FindingEntry, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{} {}\"><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
        xml(&finding.check),
        xml(&finding.finding_id),
        xml(&ticket::summary(finding, 200)),
        xml(&finding.severity),
        xml(&finding.title),
        xml(&ticket::lines(doc, finding).join(" | ")),
    )
}

/// Text in XML 1.0: harmless, and never markup.
fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in prose(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // No characters of XML 1.0, section 2.2.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
