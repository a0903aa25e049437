//! What importers do with files, as their documentation says, and nothing of how the files are
//! made.
//!
//! - Jira: support.atlassian.com, "import data from a CSV file": the plain import creates an issue
//!   for every row; the administrators' one updates where `Issue Key` names an issue.
//! - ServiceNow: import sets coalesce on a field: a match updates, none inserts, and an empty value
//!   always inserts.
//! - DefectDojo: `dojo/tools/generic/json_parser.py` and reimport: equal by hash over title, cwe,
//!   line, file_path, description and service; absent closes, back reactivates, accepted risks stay.
//! - GitHub: docs.github.com, "SARIF support for code scanning": an alert is rule, path and
//!   `primaryLocationLineHash` in a category; an upload closes what its category lacks.
//! - GitLab: a vulnerability is its first identifier and its file; secrets are never resolved.
//! - Azure DevOps: learn.microsoft.com, "import work items from CSV": a row without `ID` creates.
//! - Linear: the importer creates.

use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Debug, Clone, Default)]
pub(super) struct Issue {
    pub(super) open: bool,
    /// The finding's id, from whatever field carries it.
    pub(super) finding: String,
    /// The night of the last time it was closed and opened again.
    pub(super) closed: Vec<i64>,
    pub(super) opened: Vec<i64>,
}

impl Issue {
    fn new(finding: &str, night: i64) -> Issue {
        Issue {
            open: true,
            finding: finding.to_owned(),
            closed: Vec::new(),
            opened: vec![night],
        }
    }

    fn set(&mut self, open: bool, night: i64) {
        if self.open != open {
            self.open = open;
            match open {
                true => self.opened.push(night),
                false => self.closed.push(night),
            }
        }
    }
}

fn rows(csv: &[u8]) -> Vec<BTreeMap<String, Vec<String>>> {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().expect("a header").clone();
    let row = |row: csv::StringRecord| {
        let mut cells: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, cell) in header.iter().zip(&row) {
            cells
                .entry(name.to_owned())
                .or_default()
                .push(cell.to_owned());
        }
        cells
    };
    let all = reader.records().map(|one| row(one.expect("a row")));
    all.collect()
}

fn cell<'r>(row: &'r BTreeMap<String, Vec<String>>, name: &str) -> &'r str {
    row.get(name).map_or("", |cells| cells[0].as_str())
}

/// Jira, Azure DevOps and Linear: issues by key, in the order they were made.
#[derive(Default)]
pub(super) struct Keyed {
    pub(super) issues: BTreeMap<u32, Issue>,
    prefix: &'static str,
    key_column: &'static str,
    state_column: &'static str,
    label_column: &'static str,
}

impl Keyed {
    pub(super) fn jira() -> Keyed {
        Keyed {
            prefix: "SEC-",
            key_column: "Issue Key",
            state_column: "Status",
            label_column: "Labels",
            ..Keyed::default()
        }
    }

    pub(super) fn azure_devops() -> Keyed {
        Keyed {
            prefix: "",
            key_column: "ID",
            state_column: "State",
            label_column: "Tags",
            ..Keyed::default()
        }
    }

    /// Imports one file.
    pub(super) fn import(&mut self, csv: &[u8], night: i64) {
        for row in rows(csv) {
            let key = cell(&row, self.key_column).strip_prefix(self.prefix);
            let key = key.and_then(|key| key.parse::<u32>().ok());
            let known = key.and_then(|key| self.issues.get_mut(&key));
            let label = row[self.label_column].join(" ");
            let at = label.find("fid-").expect("a label");
            let finding = label[at + 4..at + 23].to_uppercase();
            match known {
                Some(issue) => match cell(&row, self.state_column) {
                    "Done" => issue.set(false, night),
                    "To Do" => issue.set(true, night),
                    _ => {}
                },
                None => {
                    let next = self.issues.len() as u32 + 1;
                    self.issues.insert(next, Issue::new(&finding, night));
                }
            }
        }
    }

    /// Exports all issues.
    pub(super) fn export(&self) -> Vec<u8> {
        let key = match self.key_column {
            "Issue Key" => "Issue key",
            other => other,
        };
        let mut out = format!("{key},{},{}\n", self.state_column, self.label_column);
        for (number, issue) in &self.issues {
            let state = if issue.open { "In Progress" } else { "Done" };
            out.push_str(&format!(
                "{}{number},{state},keymuster; fid-{}\n",
                self.prefix,
                issue.finding.to_lowercase()
            ));
        }
        out.into_bytes()
    }
}

/// ServiceNow: records by what they coalesce on.
#[derive(Default)]
pub(super) struct ServiceNow {
    pub(super) records: Vec<Issue>,
}

impl ServiceNow {
    pub(super) fn import(&mut self, csv: &[u8], night: i64) {
        for row in rows(csv) {
            let id = cell(&row, "u_finding_id");
            let open = cell(&row, "u_state") == "open";
            let known = self
                .records
                .iter_mut()
                .find(|one| !id.is_empty() && one.finding == id);
            match known {
                Some(record) => record.set(open, night),
                None => {
                    let mut record = Issue::new(id, night);
                    record.open = open;
                    self.records.push(record);
                }
            }
        }
    }
}

/// DefectDojo: findings by hash.
#[derive(Default)]
pub(super) struct DefectDojo {
    pub(super) findings: BTreeMap<Vec<String>, Issue>,
}

impl DefectDojo {
    pub(super) fn reimport(&mut self, report: &[u8], night: i64) {
        let report: Value = serde_json::from_slice(report).expect("JSON");
        let mut seen = Vec::new();
        for one in report["findings"].as_array().expect("findings") {
            let members = [
                "title",
                "cwe",
                "line",
                "file_path",
                "description",
                "service",
            ];
            let hash: Vec<String> = members.iter().map(|name| one[*name].to_string()).collect();
            let id = one["unique_id_from_tool"].as_str().expect("an id");
            let accepted = one["risk_accepted"] == true;
            let issue = self.findings.entry(hash.clone());
            let issue = issue.or_insert_with(|| Issue::new(id, night));
            issue.set(!accepted, night);
            seen.push(hash);
        }
        for (hash, issue) in &mut self.findings {
            if !seen.contains(hash) {
                issue.set(false, night);
            }
        }
    }
}

/// GitHub: alerts by category, rule, path and hash.
#[derive(Default)]
pub(super) struct GitHub {
    pub(super) alerts: BTreeMap<[String; 4], Issue>,
}

impl GitHub {
    pub(super) fn upload(&mut self, sarif: &[u8], night: i64) {
        let log: Value = serde_json::from_slice(sarif).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for run in log["runs"].as_array().expect("runs") {
            let id = text(&run["automationDetails"]["id"]);
            let category = id
                .rsplit_once('/')
                .map_or("", |(category, _)| category)
                .to_owned();
            let mut seen = Vec::new();
            for result in run["results"].as_array().expect("results") {
                let place = &result["locations"][0]["physicalLocation"];
                let hash = text(&result["partialFingerprints"]["primaryLocationLineHash"]);
                let key = [
                    category.clone(),
                    text(&result["ruleId"]),
                    text(&place["artifactLocation"]["uri"]),
                    hash.clone(),
                ];
                let alert = self.alerts.entry(key.clone());
                alert
                    .or_insert_with(|| Issue::new(&hash, night))
                    .set(true, night);
                seen.push(key);
            }
            for (key, alert) in &mut self.alerts {
                if key[0] == category && !seen.contains(key) {
                    alert.set(false, night);
                }
            }
        }
    }
}

/// GitLab: vulnerabilities by first identifier and file.
#[derive(Default)]
pub(super) struct GitLab {
    pub(super) vulnerabilities: BTreeMap<[String; 3], Issue>,
}

impl GitLab {
    pub(super) fn upload(&mut self, report: &[u8], night: i64) {
        let report: Value = serde_json::from_slice(report).expect("JSON");
        for one in report["vulnerabilities"].as_array().expect("a list") {
            let first = &one["identifiers"][0];
            let key = [&first["type"], &first["value"], &one["location"]["file"]];
            let key = key.map(|value| value.as_str().unwrap_or_default().to_owned());
            let id = one["id"].as_str().expect("an id");
            let known = self.vulnerabilities.entry(key);
            known
                .or_insert_with(|| Issue::new(id, night))
                .set(true, night);
        }
    }
}
