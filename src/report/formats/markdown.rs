//! `findings.md`: the same story for a ticket, a wiki or a pull request.

use std::io::{self, Write};

use super::Format;
use crate::report::{
    Document, FormatCx,
    document::{Block, blocks},
    headline,
    text::{harmless, thousands},
};

pub(super) struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn file(&self) -> &'static str {
        "findings.md"
    }

    fn about(&self) -> &'static str {
        "for people: a page for a wiki, a ticket or a pull request"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# Credentials of {}\n", quoted(&doc.run.estate))?;
        writeln!(
            out,
            "Run {} at {}, keymuster {}.\n",
            quoted(&doc.run.id),
            quoted(&doc.run.now),
            quoted(&doc.tool.version)
        )?;
        verdict(doc, out)?;
        let blocks = blocks(doc);
        writeln!(out, "\n## What is wrong\n")?;
        if blocks.is_empty() {
            writeln!(out, "No open findings.")?;
        }
        for block in &blocks {
            write_block(block, out)?;
        }
        not_seen(doc, out)?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        super::check_text(written)
    }
}

fn verdict(doc: &Document, out: &mut dyn Write) -> io::Result<()> {
    let headline = headline(doc);
    writeln!(
        out,
        "**{}** (who approved it: {}, why it exists: {}, when it ends: {}).\n",
        headline.verdict(),
        headline.approved_by,
        headline.purpose,
        headline.removed_when
    )?;
    writeln!(out, "| | credentials |\n|---|---:|")?;
    for (word, count) in &headline.counts {
        writeln!(out, "| {word} | {} |", thousands(*count as u64))?;
    }
    writeln!(out, "\n| severity | open findings |\n|---|---:|")?;
    for (severity, count) in &headline.severities {
        writeln!(out, "| {severity} | {} |", thousands(*count as u64))?;
    }
    Ok(())
}

fn write_block(block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lead = block.lead();
    writeln!(
        out,
        "### {}: {} {}\n",
        block.severity(),
        quoted(block.title()),
        quoted(block.name())
    )?;
    let mut facts = vec![];
    if !lead.locations.is_empty() {
        let places: Vec<String> = lead.locations.iter().map(|at| quoted(at)).collect();
        facts.push(("where", places.join("; ")));
    }
    if let Some(owner) = &lead.owner {
        facts.push(("owner", quoted(owner)));
    }
    if let Some(route) = &lead.route_to {
        facts.push(("to act", quoted(route)));
    }
    facts.push(("do", quoted(&lead.remediation)));
    for (word, text) in facts {
        writeln!(out, "- {word}: {text}")?;
    }
    writeln!(
        out,
        "\n| finding | check | severity | state | what |\n|---|---|---|---|---|"
    )?;
    for finding in &block.findings {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            quoted(&finding.finding_id),
            quoted(&finding.check),
            quoted(&finding.severity),
            quoted(&finding.state),
            quoted(&finding.title)
        )?;
    }
    writeln!(out)
}

fn not_seen(doc: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## What was seen\n")?;
    writeln!(
        out,
        "| scope | what | expected | received | complete |\n|---|---|---:|---:|---|"
    )?;
    for coverage in &doc.coverage {
        let expected = coverage.expected.map_or("?".to_owned(), thousands);
        writeln!(
            out,
            "| {} | {} | {expected} | {} | {} |",
            quoted(&coverage.scope),
            quoted(&coverage.what),
            thousands(coverage.received),
            if coverage.complete { "yes" } else { "**no**" }
        )?;
    }
    if doc.gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## What was not seen\n")?;
    for gap in &doc.gaps {
        writeln!(
            out,
            "- {}: {} ({})",
            quoted(&gap.subject),
            quoted(&gap.reason),
            quoted(&gap.kind)
        )?;
    }
    Ok(())
}

/// Text from outside as text: nothing in it is markup, HTML, a link, a mention or a table cell.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention would notify somebody; a scheme would become a link by itself.
            '@' => out.push_str("&#64;"),
            ':' if rest.peek() == Some(&'/') => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c if super::super::text::is_hostile(c) => {
                let mut utf8 = [0; 4];
                let shown = harmless(c.encode_utf8(&mut utf8)).into_owned();
                out.push('\\');
                out.push_str(&shown.replace('{', "\\{").replace('}', "\\}"));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn outside_text_is_no_markup() {
        for (text, shown) in [
            (
                "<script>alert(1)</script>",
                "&lt;script&gt;alert\\(1\\)&lt;/script&gt;",
            ),
            ("a|b\nc", "a\\|b c"),
            ("[x](http://evil)", "\\[x\\]\\(http&#58;//evil\\)"),
            ("@team", "&#64;team"),
            ("\u{202e}x", "\\\\u\\{202e\\}x"),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }
}
