//! The company's AWS account, as `aws iam …` exports it.

use anyhow::Result;
use serde_json::{Value, json};

use super::Company;

pub(super) const ACCOUNT: &str = "210987654321";

/// A user with one access key.
pub(super) struct User {
    pub(super) name: &'static str,
    /// Days since the key was made.
    pub(super) made: i64,
    /// Days since it was last used; `None` for never.
    pub(super) used: Option<i64>,
    pub(super) active: bool,
    policy: Policy,
    team: Option<&'static str>,
}

enum Policy {
    ReadReports,
    Administrator,
    Bucket(&'static str),
}

/// Each with what it is there to show.
pub(super) const USERS: &[User] = &[
    // All is well: young, used, registered, owned, small.
    User {
        name: "payments-settlement",
        made: 30,
        used: Some(1),
        active: true,
        policy: Policy::Bucket("settlement"),
        team: Some("payments"),
    },
    // Administrator, 500 days old, and its key lies in a repository's history.
    User {
        name: "ci-deployer",
        made: 500,
        used: Some(1),
        active: true,
        policy: Policy::Administrator,
        team: None,
    },
    // Its owner left; not used for 200 days.
    User {
        name: "legacy-etl",
        made: 700,
        used: Some(200),
        active: true,
        policy: Policy::ReadReports,
        team: None,
    },
    // Nobody registered it.
    User {
        name: "reporting-export",
        made: 40,
        used: Some(2),
        active: true,
        policy: Policy::ReadReports,
        team: None,
    },
    // Registered, and nobody answers for it.
    User {
        name: "image-resizer",
        made: 50,
        used: Some(3),
        active: true,
        policy: Policy::Bucket("images"),
        team: None,
    },
    // Revoked on paper, alive in fact.
    User {
        name: "old-mailer",
        made: 40,
        used: Some(4),
        active: true,
        policy: Policy::Bucket("mail"),
        team: None,
    },
    // Switched off: old and unused, and rightly silent.
    User {
        name: "build-cache",
        made: 600,
        used: Some(400),
        active: false,
        policy: Policy::Bucket("cache"),
        team: None,
    },
];

pub(super) fn build(company: &Company) -> Result<()> {
    let mut users = Vec::new();
    let mut policies = Vec::new();
    let mut keys = Vec::new();
    let mut last_used = serde_json::Map::new();
    for (number, user) in USERS.iter().enumerate() {
        let id = key_id(company, user.name)?;
        let made = company.days_ago(user.made);
        let mut entry = json!({
            "Path": "/",
            "UserName": user.name,
            "UserId": format!("AIDADEMO{number:04}"),
            "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{}", user.name),
            "CreateDate": company.days_ago(user.made + 1).to_string(),
            "GroupList": [],
            "AttachedManagedPolicies": [],
            "Tags": user.team.map(|team| json!([{ "Key": "team", "Value": team }])).unwrap_or(json!([])),
        });
        match user.policy {
            Policy::Administrator => {
                entry["AttachedManagedPolicies"] = json!([{ "PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" }]);
                policies.push(managed("AdministratorAccess", &json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })));
            }
            Policy::ReadReports => {
                entry["UserPolicyList"] = inline(
                    "read-reports",
                    &["s3:GetObject"],
                    "arn:aws:s3:::northwind-reports/*",
                )
            }
            Policy::Bucket(bucket) => {
                entry["UserPolicyList"] = inline(
                    "bucket",
                    &["s3:GetObject", "s3:PutObject"],
                    &format!("arn:aws:s3:::northwind-{bucket}/*"),
                );
            }
        }
        users.push(entry);
        keys.push(json!({ "AccessKeyMetadata": [{
            "UserName": user.name,
            "AccessKeyId": id,
            "Status": if user.active { "Active" } else { "Inactive" },
            "CreateDate": made.to_string(),
        }] }));
        let used = match user.used {
            Some(days) => {
                json!({ "LastUsedDate": company.days_ago(days).to_string(), "ServiceName": "s3", "Region": "eu-central-1" })
            }
            None => json!({ "ServiceName": "N/A", "Region": "N/A" }),
        };
        last_used.insert(
            id,
            json!({ "UserName": user.name, "AccessKeyLastUsed": used }),
        );
    }
    let details = json!({ "UserDetailList": users, "GroupDetailList": [], "RoleDetailList": [], "Policies": policies, "IsTruncated": false });
    company.write("aws/account-authorization-details.json", &pretty(&details))?;
    company.write("aws/access-keys.json", &pretty(&Value::Array(keys)))?;
    company.write(
        "aws/access-key-last-used.json",
        &pretty(&Value::Object(last_used)),
    )
}

pub(super) fn key_id(company: &Company, user: &str) -> Result<String> {
    company.secret("{aws-id}", user)
}

fn inline(name: &str, actions: &[&str], resource: &str) -> Value {
    json!([{ "PolicyName": name, "PolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }] } }])
}

fn managed(name: &str, document: &Value) -> Value {
    json!({
        "PolicyName": name,
        "Arn": format!("arn:aws:iam::aws:policy/{name}"),
        "DefaultVersionId": "v1",
        "AttachmentCount": 1,
        "IsAttachable": true,
        "PolicyVersionList": [{ "VersionId": "v1", "IsDefaultVersion": true, "Document": document }],
    })
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain JSON");
    text.push('\n');
    text
}
