//! Pages of `explain`: a check, a kind of credential, a detection rule.

use std::io::{self, Write};

use super::{
    FormatCx,
    paint::{Look, Paint},
    scan::RuleInfo,
    text::{prose, wrap},
};
use crate::audit::{CheckAbout, KindAdvice, feeds};

/// The page of a check.
///
/// # Errors
/// When `out` cannot be written.
pub fn explain_check(check: &CheckAbout, cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
    let needs = feeds(check).join("\n\n");
    page(
        &[check.id, check.slug],
        check.title,
        &[
            ("why it matters", check.why),
            ("how it is decided", check.decided),
            ("what to do", check.remedy),
            ("what it needs, and what feeds it", &needs),
        ],
        cx,
        out,
    )
}

/// The page of a kind of credential.
///
/// # Errors
/// When `out` cannot be written.
pub fn explain_kind(
    id: &str,
    kind: &KindAdvice,
    cx: &FormatCx,
    out: &mut dyn Write,
) -> io::Result<()> {
    let class = match kind.class.as_str() {
        "person" => "it acts as a person",
        "service" => "it acts as a service",
        "app" => "it acts as an application",
        "machine" => "it acts as a machine",
        "" | "none" => "",
        other => other,
    };
    let life = kind
        .lifetime_max_days
        .map(|days| format!("at most {days} days, says its vendor"))
        .unwrap_or_default();
    page(
        &[id],
        &kind.title,
        &[
            ("what it is", class),
            ("how to revoke it", &kind.revoke),
            ("how to rotate it", &kind.rotate),
            ("what it can reach", &kind.sensitivity),
            ("how long it lives", &life),
        ],
        cx,
        out,
    )
}

/// The page of a detection rule.
///
/// # Errors
/// When `out` cannot be written.
pub fn explain_rule(
    id: &str,
    rule: &RuleInfo,
    cx: &FormatCx,
    out: &mut dyn Write,
) -> io::Result<()> {
    page(
        &[id, rule.severity.as_str()],
        &rule.title,
        &[("why it matters", &rule.why), ("more", &rule.page)],
        cx,
        out,
    )
}

/// A title, and sections; empty ones are left out.
fn page(
    names: &[&str],
    title: &str,
    sections: &[(&str, &str)],
    cx: &FormatCx,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint::new(cx.color);
    let names = names.iter().map(|name| prose(name)).collect::<Vec<_>>();
    writeln!(
        out,
        "{}  {}",
        paint.text(Look::Title, prose(title)),
        paint.text(Look::Dim, names.join(", "))
    )?;
    let width = cx.width.clamp(30, 90) - 2;
    for (heading, text) in sections.iter().filter(|(_, text)| !text.trim().is_empty()) {
        writeln!(out, "\n{}", paint.text(Look::Name, heading))?;
        // An empty line separates paragraphs.
        for (i, paragraph) in text.trim().split("\n\n").enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            for line in wrap(&prose(paragraph), width) {
                writeln!(out, "  {line}")?;
            }
        }
    }
    out.flush()
}
