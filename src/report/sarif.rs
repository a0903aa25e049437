//! What every SARIF 2.1.0 file of ours has in common. General flavour: facts that one viewer
//! ignores (suppressions, baseline states) are there for the others.

use std::fmt::Write as _;

use keymuster_api::Severity;
use serde_json::{Value, json};

use super::text::{cut, harmless};

/// Longest description that the large viewers show.
const DESCRIPTION_MAX: usize = 1024;

/// SARIF's own three levels.
pub(crate) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The number that viewers turn back into a severity; none for information, because the scale
/// begins above zero.
fn security_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.5"),
        Severity::Info => None,
    }
}

/// One kind of result, as all viewers want it described.
pub(crate) struct Rule<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// One line.
    pub(crate) title: &'a str,
    /// Why it matters; the title where there is nothing more to say.
    pub(crate) why: &'a str,
    /// What to do, or the whole page.
    pub(crate) help: &'a str,
    /// An address, where `help` is one.
    pub(crate) page: Option<&'a str>,
    /// How bad its results are; the worst of them.
    pub(crate) severity: Severity,
}

/// The rule as a `reportingDescriptor`.
pub(crate) fn rule(rule: &Rule<'_>) -> Value {
    let first = |texts: [&str; 3]| {
        let text = texts.into_iter().find(|text| !text.trim().is_empty());
        message(text.unwrap_or("no description"), DESCRIPTION_MAX)
    };
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": {"text": first([rule.title, rule.id, ""])},
        "fullDescription": {"text": first([rule.why, rule.title, rule.id])},
        "help": {"text": first([rule.help, rule.why, rule.title])},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"tags": ["security"]},
    });
    if let Some(page) = rule.page {
        descriptor["helpUri"] = json!(page);
    }
    if let Some(number) = security_severity(rule.severity) {
        descriptor["properties"]["security-severity"] = json!(number);
    }
    descriptor
}

/// The file around rules and results. `category` names the kind of run: `scan`, `audit`.
pub(crate) fn log(category: &str, version: &str, rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "keymuster",
                "semanticVersion": version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "automationDetails": {"id": format!("keymuster/{category}/")},
            "results": results,
        }],
    })
}

/// A message in plain text: harmless, and without brackets that viewers would turn into links
/// (SARIF 2.1.0, 3.11.6).
pub(crate) fn message(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for c in harmless(&cut(text, max)).chars() {
        if matches!(c, '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    // Escapes may have made it longer again.
    cut(&out, max).into_owned()
}

/// Whether a path names a file, and not a message or an object that no commit reaches.
pub(crate) fn is_file(path: &str) -> bool {
    !matches!(path, "(commit message)" | "(tag message)" | "(unreachable)")
}

/// A path as a relative reference (RFC 3986), or as `file:` where it is absolute.
pub(crate) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 8);
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Checks that bytes are a SARIF file as far as its outline goes.
///
/// # Errors
/// What is missing.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let log: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"]
        .as_array()
        .ok_or("there are no rules")?;
    let results = run["results"].as_array().ok_or("there are no results")?;
    for result in results {
        let ix = result["ruleIndex"].as_u64().ok_or("a result has no rule")? as usize;
        if rules.get(ix).map(|rule| &rule["id"]) != Some(&result["ruleId"]) {
            return Err(format!("a result points at the wrong rule {ix}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use super::{Rule, message, rule, uri};

    #[test]
    fn paths_become_references() {
        for (path, reference) in [
            ("src/a b.py", "src/a%20b.py"),
            ("c:x/<s>.py", "c%3Ax/%3Cs%3E.py"),
            ("ü", "%C3%BC"),
            ("/tmp/x", "file:///tmp/x"),
        ] {
            assert_eq!(uri(path), reference);
        }
    }

    #[test]
    fn messages_hold_no_links() {
        assert_eq!(
            message("see [x](http://evil)", 99),
            r"see \[x\](http://evil)"
        );
        assert_eq!(message("a\u{202e}b", 99), r"a\\u{202e}b");
        assert!(message(&"[".repeat(99), 50).chars().count() <= 50);
    }

    #[test]
    fn every_description_says_something() {
        let value = rule(&Rule {
            id: "a.b",
            title: "",
            why: " ",
            help: "",
            page: None,
            severity: Severity::Info,
        });
        for member in ["shortDescription", "fullDescription", "help"] {
            let text = value[member]["text"].as_str().expect("a text");
            assert!(!text.is_empty(), "{member}");
        }
        assert!(value["properties"]["security-severity"].is_null());
    }
}
