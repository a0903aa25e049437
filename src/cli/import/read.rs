//! Reports of other scanners, read into one shape. What a report does not say stays empty; an
//! entry that cannot be read is counted and told, and costs only itself.
//!
//! Shapes as the tools' own documentation and sources describe them: gitleaks 8 and betterleaks
//! (an array of objects with `RuleID`), trufflehog 3 (an object a line), kingfisher 1 to 3
//! (`findings`, or an object a line), detect-secrets 1 (a baseline), SARIF 2.1.0.

use anyhow::{Result, bail};
use serde_json::Value;
use zeroize::Zeroizing;

/// The tools, as `--from` names them.
pub(super) const TOOLS: [&str; 6] = [
    "gitleaks",
    "trufflehog",
    "kingfisher",
    "betterleaks",
    "detect-secrets",
    "sarif",
];

/// One entry of a report.
#[derive(Default)]
pub(super) struct Entry {
    /// The tool's own rule.
    pub(super) rule: String,
    /// The value, where the report holds it.
    pub(super) secret: Option<Zeroizing<String>>,
    /// The text around the value.
    pub(super) text: Option<Zeroizing<String>>,
    pub(super) path: String,
    pub(super) line: Option<u64>,
    pub(super) column: Option<u64>,
    pub(super) commit: Option<String>,
    pub(super) author: Option<String>,
    pub(super) at: Option<String>,
    /// Whether somebody marked it as no secret.
    pub(super) dismissed: bool,
}

/// A report, and how many of its entries could not be read.
pub(super) struct Report {
    pub(super) entries: Vec<Entry>,
    pub(super) unread: usize,
}

/// Reads a report.
pub(super) fn report(tool: &str, text: &str) -> Result<Report> {
    let mut unread = 0;
    let mut entries = Vec::new();
    match tool {
        "gitleaks" | "betterleaks" => {
            for one in array(whole(text)?, tool)? {
                push(&mut entries, &mut unread, gitleaks(&one));
            }
        }
        "trufflehog" => {
            for one in lines(text, &mut unread)? {
                // Between results stand log lines.
                if one.get("SourceMetadata").is_some() {
                    push(&mut entries, &mut unread, trufflehog(&one));
                }
            }
        }
        "kingfisher" => {
            for one in lines(text, &mut unread)? {
                let (findings, single) = match one.get("findings").and_then(Value::as_array) {
                    Some(findings) => (findings.as_slice(), None),
                    None => (&[][..], one.get("rule").map(|_| &one)),
                };
                for finding in findings.iter().chain(single) {
                    push(&mut entries, &mut unread, kingfisher(finding));
                }
            }
        }
        "detect-secrets" => {
            let baseline = whole(text)?;
            let Some(results) = baseline["results"].as_object() else {
                bail!("this is no baseline of detect-secrets: it has no `results`");
            };
            for (path, found) in results {
                for one in found.as_array().into_iter().flatten() {
                    push(&mut entries, &mut unread, detect_secrets(path, one));
                }
            }
        }
        _ => {
            let log = whole(text)?;
            for run in array(log["runs"].clone(), "sarif")? {
                for one in run["results"].as_array().into_iter().flatten() {
                    push(&mut entries, &mut unread, sarif(one));
                }
            }
        }
    }
    Ok(Report { entries, unread })
}

fn push(entries: &mut Vec<Entry>, unread: &mut usize, entry: Option<Entry>) {
    match entry {
        Some(entry) => entries.push(entry),
        None => *unread += 1,
    }
}

/// The error names line and column, and never what stands there.
fn whole(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        anyhow::anyhow!("line {line}, column {column}: this is no JSON; write the report again")
    })
}

fn array(value: Value, tool: &str) -> Result<Vec<Value>> {
    match value {
        Value::Array(all) => Ok(all),
        // An empty report of gitleaks.
        Value::Null => Ok(Vec::new()),
        _ => bail!("this is no report of {tool}: there is no list of results; see --from"),
    }
}

/// One JSON value, or one a line.
fn lines(text: &str, unread: &mut usize) -> Result<Vec<Value>> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(match value {
            Value::Array(all) => all,
            one => vec![one],
        });
    }
    let mut all = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(value) => all.push(value),
            Err(_) => *unread += 1,
        }
    }
    if all.is_empty() && *unread > 0 {
        bail!("no line of it is JSON; write the report again, as JSON");
    }
    Ok(all)
}

fn string(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// A value, unless it was redacted.
fn secret(value: &Value) -> Option<Zeroizing<String>> {
    let text = Zeroizing::new(string(value)?);
    let masked = text.contains("REDACTED")
        || text.contains("***")
        || text.ends_with("...")
        || text.contains('…');
    (!masked).then_some(text)
}

fn gitleaks(one: &Value) -> Option<Entry> {
    Some(Entry {
        rule: string(&one["RuleID"])?,
        secret: secret(&one["Secret"]),
        text: secret(&one["Match"]),
        path: string(&one["File"])?,
        line: one["StartLine"].as_u64(),
        column: one["StartColumn"].as_u64(),
        commit: string(&one["Commit"]),
        author: author(&one["Author"], &one["Email"]),
        at: string(&one["Date"]),
        dismissed: false,
    })
}

fn author(name: &Value, mail: &Value) -> Option<String> {
    match (string(name), string(mail)) {
        (Some(name), Some(mail)) => Some(format!("{name} <{mail}>")),
        (one, other) => one.or(other),
    }
}

fn trufflehog(one: &Value) -> Option<Entry> {
    let data = one["SourceMetadata"]["Data"].as_object()?;
    // One member, named by the kind of source: Git, Github, Filesystem …
    let place = data.values().next()?;
    Some(Entry {
        rule: string(&one["DetectorName"])?,
        secret: secret(&one["RawV2"]).or_else(|| secret(&one["Raw"])),
        text: secret(&one["Raw"]),
        path: string(&place["file"]).or_else(|| string(&place["link"]))?,
        line: place["line"].as_u64(),
        column: None,
        commit: string(&place["commit"]),
        author: string(&place["email"]),
        at: string(&place["timestamp"]),
        dismissed: false,
    })
}

fn kingfisher(one: &Value) -> Option<Entry> {
    let found = &one["finding"];
    let commit = &found["git_metadata"]["commit"];
    Some(Entry {
        rule: string(&one["rule"]["id"]).or_else(|| string(&one["rule"]["name"]))?,
        secret: secret(&found["snippet"]),
        text: None,
        path: string(&found["path"]).or_else(|| string(&found["git_metadata"]["file"]["path"]))?,
        line: found["line"].as_u64(),
        // Kingfisher counts columns from 0.
        column: found["column_start"].as_u64().map(|column| column + 1),
        commit: string(&commit["id"]),
        author: author(&commit["committer"]["name"], &commit["committer"]["email"]),
        at: string(&commit["date"]),
        dismissed: false,
    })
}

fn detect_secrets(path: &str, one: &Value) -> Option<Entry> {
    Some(Entry {
        rule: string(&one["type"])?.replace(' ', "-").to_lowercase(),
        path: path.to_owned(),
        line: Some(one["line_number"].as_u64()?),
        dismissed: one["is_secret"] == Value::Bool(false),
        ..Entry::default()
    })
}

fn sarif(one: &Value) -> Option<Entry> {
    let place = &one["locations"][0]["physicalLocation"];
    let region = &place["region"];
    let commit = string(&one["partialFingerprints"]["commitSha"]);
    Some(Entry {
        rule: string(&one["ruleId"])?,
        text: secret(&region["snippet"]["text"]),
        path: decoded(&string(&place["artifactLocation"]["uri"])?),
        line: region["startLine"].as_u64(),
        column: region["startColumn"].as_u64(),
        commit,
        author: None,
        at: None,
        dismissed: one["suppressions"]
            .as_array()
            .is_some_and(|all| !all.is_empty()),
        ..Entry::default()
    })
}

/// A relative reference as a path.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.strip_prefix("file://").unwrap_or(uri).as_bytes();
    while let [first, tail @ ..] = rest {
        let two = tail.get(..2).filter(|_| *first == b'%');
        let value = two
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decoded, report};

    #[test]
    fn references_are_paths() {
        assert_eq!(decoded("src/a%20b.py"), "src/a b.py");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }

    #[test]
    fn what_is_no_report_is_refused_without_being_quoted() {
        for (tool, text) in [
            ("gitleaks", "{\"a\": 1}"),
            ("gitleaks", "[1, top-secret"),
            ("trufflehog", "top-secret"),
            ("detect-secrets", "[]"),
            ("sarif", "{\"runs\": 3}"),
        ] {
            let error = report(tool, text).err().expect(text).to_string();
            assert!(!error.contains("top-secret"), "{error}");
        }
        // An empty report is one.
        assert_eq!(report("gitleaks", "[]").expect("a report").entries.len(), 0);
        // A bad entry costs itself.
        let read = report("gitleaks", r#"[{}, {"RuleID": "a", "File": "b"}]"#).expect("a report");
        assert_eq!((read.entries.len(), read.unread), (1, 1));
    }
}
