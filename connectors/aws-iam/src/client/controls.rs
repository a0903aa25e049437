//! Service and resource control policies: `{"scps": [...]}`, levels of an organisation,
//! answers of `aws organizations describe-policy`, and bare documents in files named so.

use keymuster_api::GapKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reader;
use crate::parts::{At, ControlPolicy};

/// Members of one object that may belong to control policies.
#[derive(Default)]
pub(super) struct Parts {
    list: Option<Box<RawValue>>,
    levels: Option<Box<RawValue>>,
    policy: Option<Box<RawValue>>,
    organization: Option<Box<RawValue>>,
    content: Option<Box<RawValue>>,
    statement: Option<Box<RawValue>>,
    version: Option<Box<RawValue>>,
    resource: bool,
}

/// Whether the member is one of them.
pub(super) fn wants(key: &str) -> bool {
    matches!(
        key,
        "scps"
            | "SCPs"
            | "rcps"
            | "scp_levels"
            | "Policy"
            | "Organization"
            | "Statement"
            | "Version"
    )
}

/// A policy in a list: the document itself, or wrapped with its name.
#[derive(Deserialize)]
struct Wrapped {
    #[serde(alias = "Name", alias = "PolicyName", default)]
    name: Option<String>,
    #[serde(alias = "Id", alias = "Arn", alias = "PolicyId", default)]
    id: Option<String>,
    #[serde(
        alias = "Content",
        alias = "Document",
        alias = "PolicyDocument",
        alias = "content",
        default
    )]
    document: Option<Box<RawValue>>,
    #[serde(alias = "PolicySummary", default)]
    summary: Option<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arn: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Organization {
    #[serde(alias = "ManagementAccountId")]
    master_account_id: String,
}

impl Parts {
    /// Keeps a member for [`Parts::finish`].
    pub(super) fn take(&mut self, key: &str, raw: &RawValue) {
        let raw = Some(raw.to_owned());
        match key {
            "scps" | "SCPs" => self.list = raw,
            "rcps" => (self.list, self.resource) = (raw, true),
            "scp_levels" => self.levels = raw,
            "Policy" => self.policy = raw,
            "Organization" => self.organization = raw,
            "Content" => self.content = raw,
            "Statement" => self.statement = raw,
            _ => self.version = raw,
        }
    }

    /// Files the policies; whether there was anything of the kind.
    pub(super) fn finish(self, reader: &mut Reader<'_>, line: u32) -> bool {
        let mut known = false;
        if let Some(list) = &self.list {
            known = true;
            policies(reader, list, None, self.resource, line);
        }
        if let Some(levels) = &self.levels {
            known = true;
            match serde_json::from_str::<Vec<Box<RawValue>>>(levels.get()) {
                Ok(levels) => {
                    for (level, list) in (0..).zip(&levels) {
                        policies(reader, list, Some(level), false, line);
                    }
                }
                Err(_) => shape(reader, "scp_levels", line),
            }
        }
        if let Some(policy) = &self.policy
            && serde_json::from_str::<Wrapped>(policy.get())
                .is_ok_and(|wrapped| wrapped.summary.is_some() && wrapped.document.is_some())
        {
            known = true;
            push(reader, policy, None, false, line, 0);
        }
        if let Some(organization) = &self.organization {
            known = true;
            match serde_json::from_str::<Organization>(organization.get()) {
                Ok(organization) => reader.parts.management.push(organization.master_account_id),
                Err(_) => shape(reader, "Organization", line),
            }
        }
        if let Some(statement) = &self.statement
            && is_control_name(reader.shown)
        {
            known = true;
            let version = self
                .version
                .as_deref()
                .map_or(r#""2008-10-17""#, RawValue::get);
            let document = format!(r#"{{"Version":{version},"Statement":{}}}"#, statement.get());
            file(
                reader,
                None,
                None,
                document,
                None,
                is_resource_name(reader.shown),
                line,
                0,
            );
        }
        known
    }
}

fn policies(
    reader: &mut Reader<'_>,
    raw: &RawValue,
    level: Option<u32>,
    resource: bool,
    line: u32,
) {
    match serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) {
        Ok(list) => {
            for (number, policy) in list.iter().enumerate() {
                push(reader, policy, level, resource, line, number);
            }
        }
        // A single policy where a list is expected.
        Err(_) if raw.get().starts_with('{') => push(reader, raw, level, resource, line, 0),
        Err(_) => shape(reader, "the list of control policies", line),
    }
}

fn push(
    reader: &mut Reader<'_>,
    raw: &RawValue,
    level: Option<u32>,
    resource: bool,
    line: u32,
    number: usize,
) {
    let wrapped = serde_json::from_str::<Wrapped>(raw.get()).ok();
    match wrapped {
        Some(Wrapped {
            name,
            id,
            document: Some(document),
            summary,
        }) => {
            let (name, id, kind) = match summary {
                Some(summary) => (summary.name.or(name), summary.arn.or(id), summary.r#type),
                None => (name, id, None),
            };
            let resource = resource || kind.as_deref() == Some("RESOURCE_CONTROL_POLICY");
            file(
                reader,
                name,
                id,
                document.get().to_owned(),
                level,
                resource,
                line,
                number,
            );
        }
        _ if raw.get().starts_with(['{', '"']) => {
            file(
                reader,
                None,
                None,
                raw.get().to_owned(),
                level,
                resource,
                line,
                number,
            );
        }
        _ => shape(reader, "a control policy", line),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "every one is a field of the policy that is filed"
)]
fn file(
    reader: &mut Reader<'_>,
    name: Option<String>,
    id: Option<String>,
    document: String,
    level: Option<u32>,
    resource: bool,
    line: u32,
    number: usize,
) {
    let name = name.unwrap_or_else(|| {
        let stem = reader
            .shown
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or(reader.shown);
        let stem = stem.strip_suffix(".json").unwrap_or(stem);
        match level {
            Some(level) => format!("{stem}#{level}.{number}"),
            None => format!("{stem}#{number}"),
        }
    });
    let value = ControlPolicy {
        name,
        id,
        document,
        level,
        resource,
    };
    reader.parts.controls.push(At {
        value,
        file: reader.index,
        line,
    });
}

fn shape(reader: &mut Reader<'_>, what: &str, line: u32) {
    let reason = format!("{what} at line {line} has another shape; it was left out");
    reader.gap_at(GapKind::Corrupt, reason, Some(line));
}

/// Whether the file, or the folder it lies in, is named after control policies.
fn is_control_name(shown: &str) -> bool {
    let lower = shown.to_ascii_lowercase();
    let mut parts = lower.rsplit(['/', '\\']);
    let (name, folder) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    name.contains("scp")
        || name.contains("rcp")
        || matches!(folder, "scp" | "scps" | "rcp" | "rcps")
        || folder.contains("service-control")
        || folder.contains("service_control")
}

fn is_resource_name(shown: &str) -> bool {
    let lower = shown.to_ascii_lowercase();
    lower
        .rsplit(['/', '\\'])
        .take(2)
        .any(|part| part.contains("rcp"))
}
