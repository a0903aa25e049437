//! What runs as a role: answers of `lambda list-functions`, `ec2 describe-instances` and others.
//! Only the thing's name and its role are taken; environments and user data are never looked at.

use std::collections::BTreeMap;

use keymuster_api::GapKind;
use serde_json::{Value, value::RawValue};

use super::json::{Walk, text};
use crate::parts::{At, Running};

/// Lists of things that run as roles.
const LISTS: [&str; 10] = [
    "Functions",
    "projects",
    "Stacks",
    "DevEndpoints",
    "Jobs",
    "Reservations",
    "LaunchTemplateVersions",
    "LaunchConfigurations",
    "taskDefinition",
    "jobDefinitions",
];

/// What a thing calls itself.
const NAMES: [&str; 13] = [
    "FunctionArn",
    "arn",
    "StackId",
    "EndpointArn",
    "NotebookInstanceArn",
    "taskDefinitionArn",
    "codeInterpreterArn",
    "browserArn",
    "agentRuntimeArn",
    "stateMachineArn",
    "ServiceArn",
    "LaunchConfigurationARN",
    "jobDefinitionArn",
];

/// What it calls its role.
const ROLES: [&str; 9] = [
    "Role",
    "RoleArn",
    "RoleARN",
    "roleArn",
    "serviceRole",
    "executionRoleArn",
    "taskRoleArn",
    "InstanceRoleArn",
    "jobRoleArn",
];

/// Names of single things that stand at the top of an answer.
const SINGLE: [&str; 7] = [
    "NotebookInstanceArn",
    "codeInterpreterArn",
    "browserArn",
    "agentRuntimeArn",
    "stateMachineArn",
    "ServiceArn",
    "EndpointArn",
];

/// Deeper answers are none of AWS.
const MAX_DEPTH: u8 = 8;

/// Whether the member is a list of such things.
pub(super) fn wants_list(key: &str) -> bool {
    LISTS.contains(&key)
}

/// Whether the member may belong to a single one.
pub(super) fn wants(key: &str) -> bool {
    SINGLE.contains(&key) || matches!(key, "RoleArn" | "roleArn" | "executionRoleArn")
}

/// Reads a list.
pub(super) fn list(walk: &mut Walk<'_, '_, '_>, raw: &RawValue, line: u32) {
    walk.known = true;
    let Ok(value) = serde_json::from_str::<Value>(raw.get()) else {
        let reason = format!("the list at line {line} is nested too deeply; it was left out");
        walk.reader.gap_at(GapKind::Corrupt, reason, Some(line));
        return;
    };
    let mut found = Vec::new();
    look(&value, 0, &mut found);
    let file = walk.reader.index;
    let entries = found.into_iter().map(|value| At { value, file, line });
    walk.reader.parts.running.extend(entries);
}

fn look(value: &Value, depth: u8, found: &mut Vec<Running>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(list) => {
            for value in list {
                look(value, depth + 1, found);
            }
        }
        Value::Object(members) => {
            let text = |names: &[&str]| {
                let mut values = names.iter().filter_map(|name| members.get(*name)?.as_str());
                values
                    .find(|value| value.starts_with("arn:"))
                    .map(str::to_owned)
            };
            let profile = members
                .get("IamInstanceProfile")
                .or_else(|| members.get("LaunchTemplateData")?.get("IamInstanceProfile"));
            let profile = profile.and_then(|profile| {
                let arn = profile.get("Arn").unwrap_or(profile).as_str()?;
                arn.starts_with("arn:").then(|| arn.to_owned())
            });
            if let Some(role) = text(&ROLES).or(profile)
                && let Some(by) = text(&NAMES).or_else(|| made_name(members, &role))
            {
                found.push(Running { by, role });
                return;
            }
            for value in members.values() {
                if value.is_array() || value.is_object() {
                    look(value, depth + 1, found);
                }
            }
        }
        _ => {}
    }
}

/// The ARN of a thing whose answer gives only its name. Machines tell their zone, `eu-west-1a`;
/// of others the region is not told.
fn made_name(members: &serde_json::Map<String, Value>, role: &str) -> Option<String> {
    let mut parts = role.split(':');
    let (partition, account) = (parts.nth(1)?, parts.nth(2)?);
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let (service, resource) = if let Some(id) = text("InstanceId") {
        ("ec2", format!("instance/{id}"))
    } else if let Some(id) = text("LaunchTemplateId") {
        ("ec2", format!("launch-template/{id}"))
    } else if let Some(name) = text("EndpointName") {
        ("glue", format!("devEndpoint/{name}"))
    } else {
        ("glue", format!("job/{}", text("Name")?))
    };
    let zone = members
        .get("Placement")
        .and_then(|placement| placement.get("AvailabilityZone")?.as_str());
    let region = zone.map_or("*", |zone| {
        zone.trim_end_matches(|c: char| c.is_ascii_lowercase())
    });
    Some(format!(
        "arn:{partition}:{service}:{region}:{account}:{resource}"
    ))
}

/// The members of one object that may tell of a single thing.
#[derive(Default)]
pub(super) struct Single(BTreeMap<String, String>);

impl Single {
    /// Keeps a member for [`Single::finish`].
    pub(super) fn take(&mut self, key: String, raw: &RawValue) {
        if let Some(text) = text(raw) {
            self.0.insert(key, text);
        }
    }

    /// Files the thing, if the object was one.
    pub(super) fn finish(self, walk: &mut Walk<'_, '_, '_>, line: u32) {
        let get = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| self.0.get(*name).filter(|text| text.starts_with("arn:")))
        };
        if let (Some(by), Some(role)) = (get(&SINGLE), get(&ROLES)) {
            let value = Running {
                by: by.clone(),
                role: role.clone(),
            };
            let file = walk.reader.index;
            walk.reader.parts.running.push(At { value, file, line });
            walk.known = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Running, look};

    #[test]
    fn things_and_their_roles() {
        let role = "arn:aws:iam::123456789012:role/app";
        let profile = "arn:aws:iam::123456789012:instance-profile/app";
        for (value, by) in [
            (
                json!([{"FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:f", "Role": role,
                    "Environment": {"Variables": {"Role": "x"}}}]),
                Some("arn:aws:lambda:eu-west-1:123456789012:function:f"),
            ),
            (
                json!([{"Instances": [{"InstanceId": "i-1", "IamInstanceProfile": {"Arn": profile},
                    "Placement": {"AvailabilityZone": "eu-west-1a"}}]}]),
                Some("arn:aws:ec2:eu-west-1:123456789012:instance/i-1"),
            ),
            (
                json!([{"Name": "nightly", "Role": role}]),
                Some("arn:aws:glue:*:123456789012:job/nightly"),
            ),
            (
                json!([{"StackId": "arn:aws:cloudformation:eu-west-1:1:stack/s/1"}]),
                None,
            ),
            (json!([{"FunctionArn": "f", "Role": "app"}]), None),
            (json!("nothing"), None),
        ] {
            let mut found = Vec::new();
            look(&value, 0, &mut found);
            let names: Vec<&str> = found.iter().map(|one: &Running| one.by.as_str()).collect();
            assert_eq!(names, by.into_iter().collect::<Vec<_>>(), "{value}");
        }
    }
}
