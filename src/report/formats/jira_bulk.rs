//! `jira-bulk/`: bodies for Jira's `POST /rest/api/3/issue/bulk`, of at most 50 issues each.
//!
//! The call is not idempotent; each issue carries the finding's id as a label and as the
//! property `keymuster.finding`, by which a search finds it before it is made twice. The key of
//! the project is `KEYMUSTER`: replace it by yours (`jq`), or name your project so.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Format, Split, jira_csv::priority};
use crate::report::{
    Document, FindingEntry, FormatCx,
    text::{cut, day_of},
    ticket, wire,
};

/// Issues that one call takes.
const MOST: usize = 50;
/// Characters of a description as JSON.
const DESCRIPTION: usize = 32_767;

pub(super) struct JiraBulk;

impl Format for JiraBulk {
    fn name(&self) -> &'static str {
        "jira-bulk"
    }

    fn file(&self) -> &'static str {
        "jira-bulk/files.json"
    }

    fn about(&self) -> &'static str {
        "bodies for Jira's bulk creation, open findings, 50 a file"
    }

    fn split(&self, doc: &Document) -> Option<Split> {
        let mut split = Split::chunks(doc, "json", MOST, FindingEntry::is_open);
        // An empty call is refused.
        split.parts.retain(|(_, part)| !part.findings.is_empty());
        Some(split)
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        let open = doc.findings.iter().filter(|finding| finding.is_open());
        let issues: Vec<Value> = open.map(|finding| issue(doc, finding)).collect();
        wire::pretty(out, &json!({"issueUpdates": issues}))?;
        out.flush()
    }

    fn check(&self, _doc: &Document, written: &[u8]) -> Result<(), String> {
        let body: Value = serde_json::from_slice(written).map_err(|error| error.to_string())?;
        for issue in body["issueUpdates"].as_array().ok_or("no issues")? {
            let fields = &issue["fields"];
            let summary = fields["summary"].as_str().unwrap_or_default();
            if summary.is_empty() || summary.contains(['\n', '\r']) {
                return Err("a summary is no line".to_owned());
            }
            if fields["description"].to_string().chars().count() > DESCRIPTION {
                return Err(format!("{summary}: its description is too long"));
            }
        }
        Ok(())
    }
}

fn issue(doc: &Document, finding: &FindingEntry) -> Value {
    let mut fields = json!({
        "project": {"key": "KEYMUSTER"},
        "issuetype": {"name": "Task"},
        "summary": ticket::summary(finding, 255),
        "priority": {"name": priority(finding.grade())},
        "labels": ticket::labels(finding),
        "description": description(doc, finding),
    });
    if let Some(due) = &finding.due {
        fields["duedate"] = json!(day_of(due));
    }
    json!({
        "fields": fields,
        "properties": [{"key": "keymuster.finding", "value": {"id": finding.finding_id}}],
    })
}

/// A document of paragraphs, as long as Jira takes it.
fn description(doc: &Document, finding: &FindingEntry) -> Value {
    let mut paragraphs = Vec::new();
    let mut left = DESCRIPTION - 200;
    for line in ticket::lines(doc, finding) {
        let line = cut(&line, 2_000).into_owned();
        let paragraph = json!({"type": "paragraph", "content": [{"type": "text", "text": line}]});
        let size = paragraph.to_string().chars().count() + 1;
        if size > left {
            break;
        }
        left -= size;
        paragraphs.push(paragraph);
    }
    json!({"type": "doc", "version": 1, "content": paragraphs})
}
