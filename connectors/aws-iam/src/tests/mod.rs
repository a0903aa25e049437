//! Exports written at test time, read through the connector. Access key ids are made here, so
//! that nothing in the tree looks like one.

use std::{fs, path::Path};

use keymuster_api::{
    Cancel, Claim, Connector, Coverage, Credential, Cx, Gap, GapKind, Identity, Item, Known,
    Membership, NoProgress, Policy, Redaction, Redactor, Resource, SecretId, Sink, SystemId, Trust,
};
use tempfile::TempDir;

use crate::{AwsIamConnector, AwsIamSpec};

mod bad_input;
mod exports;
mod live;

const ACCOUNT: &str = "123456789012";

/// An access key id with this tail.
fn id(tail: &str) -> String {
    format!("{}{}{tail:Z>16}", "AK", "IA")
}

fn user_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

/// Finds the word `hunter2`, and nothing else.
struct OneWord;

impl Redactor for OneWord {
    fn redact(&self, text: &str) -> Vec<Redaction> {
        text.find("hunter2")
            .map(|at| Redaction {
                span: at..at + 7,
                rule: "test.word".to_owned(),
                kind: "test.word".to_owned(),
                secret: SecretId([0; 16]),
                handle: None,
            })
            .into_iter()
            .collect()
    }
    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

#[derive(Debug, Default, PartialEq)]
struct Facts {
    resources: Vec<Resource>,
    identities: Vec<Identity>,
    credentials: Vec<Credential>,
    policies: Vec<Policy>,
    trusts: Vec<Trust>,
    memberships: Vec<Membership>,
    claims: Vec<Claim>,
    coverage: Vec<Coverage>,
    gaps: Vec<Gap>,
}

impl Sink for Facts {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Resource(fact) => self.resources.push(fact),
            Item::Identity(fact) => self.identities.push(fact),
            Item::Credential(fact) => self.credentials.push(fact),
            Item::Policy(fact) => self.policies.push(fact),
            Item::Trust(fact) => self.trusts.push(fact),
            Item::Membership(fact) => self.memberships.push(fact),
            Item::Claim(fact) => self.claims.push(fact),
            Item::Coverage(fact) => self.coverage.push(fact),
            Item::Gap(fact) => self.gaps.push(fact),
            _ => panic!("an item that this connector does not emit"),
        }
    }
}

impl Facts {
    fn identity(&self, key: &str) -> &Identity {
        self.identities
            .iter()
            .find(|one| one.key.0 == key)
            .expect("the identity")
    }
    fn credential(&self, key: &str) -> &Credential {
        self.credentials
            .iter()
            .find(|one| one.key.0 == key)
            .expect("the credential")
    }
    fn policy(&self, key: &str) -> &Policy {
        self.policies
            .iter()
            .find(|one| one.key.0 == key)
            .expect("the policy")
    }
    fn covered(&self, what: &str) -> (Option<u64>, u64, bool) {
        let one = self
            .coverage
            .iter()
            .find(|one| one.what == what)
            .expect("the coverage");
        (one.expected, one.received, one.complete)
    }
    fn gap(&self, kind: GapKind, word: &str) -> &Gap {
        self.gaps
            .iter()
            .find(|gap| {
                gap.kind == kind && (gap.reason.contains(word) || gap.subject.contains(word))
            })
            .unwrap_or_else(|| {
                panic!(
                    "no {} gap with {word} among {:#?}",
                    kind.as_str(),
                    self.gaps
                )
            })
    }
    fn access_keys(&self) -> Vec<&str> {
        let keys = self
            .credentials
            .iter()
            .filter(|one| one.kind == "aws.access-key");
        keys.map(|one| one.key.0.as_str()).collect()
    }
}

struct Export(TempDir);

impl Export {
    fn new() -> Export {
        Export(tempfile::tempdir().expect("a folder"))
    }
    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Export {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
        self
    }
    fn read(&self) -> Facts {
        self.read_as(None)
    }
    fn read_as(&self, account: Option<&str>) -> Facts {
        let mut facts = Facts::default();
        connector(self.0.path(), account)
            .sweep(&cx(&Cancel::new()), &mut facts)
            .expect("a sweep");
        facts
    }
}

fn connector(path: &Path, account: Option<&str>) -> AwsIamConnector {
    AwsIamConnector::new(AwsIamSpec {
        label: "aws-iam test".to_owned(),
        exports: vec![path.to_owned()],
        account: account.map(str::to_owned),
        live: None,
    })
}

fn cx(cancel: &Cancel) -> Cx<'_> {
    Cx {
        system: SystemId(0),
        now: "2026-07-01T00:00:00Z".parse().expect("a date"),
        jobs: 1,
        max_memory: 1 << 30,
        cancel,
        progress: &NoProgress,
        redactor: &OneWord,
        memo: None,
    }
}

fn time(text: &str) -> Known<keymuster_api::Timestamp> {
    Known::Known(text.parse().expect("a date"))
}

/// Authorization details with a user in a group, a role, and managed policies.
fn details() -> String {
    let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
    format!(
        r#"{{
 "UserDetailList": [
  {{"Path":"/","UserName":"ci","UserId":"x","Arn":"{ci}","CreateDate":"2024-03-01T00:00:00+00:00",
    "UserPolicyList":[{{"PolicyName":"own","PolicyDocument":"{encoded}"}}],
    "GroupList":["ops"],"AttachedManagedPolicies":[],"FutureField":{{"a":[1]}},
    "PermissionsBoundary":{{"PermissionsBoundaryType":"Policy","PermissionsBoundaryArn":"arn:aws:iam::{ACCOUNT}:policy/edge"}},
    "Tags":[{{"Key":"Owner","Value":"ann@example.com"}},{{"Key":"CreatedBy","Value":"bob"}},{{"Key":"note","Value":"pw hunter2!"}}]}}
 ],
 "GroupDetailList": [
  {{"GroupName":"ops","Arn":"arn:aws:iam::{ACCOUNT}:group/ops","GroupPolicyList":[],
    "AttachedManagedPolicies":[{{"PolicyName":"AdministratorAccess","PolicyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}}]}}
 ],
 "RoleDetailList": [
  {{"RoleName":"app","Arn":"arn:aws:iam::{ACCOUNT}:role/app","CreateDate":"2024-03-01T00:00:00+00:00",
    "AssumeRolePolicyDocument":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"ec2.amazonaws.com"}},"Action":"sts:AssumeRole"}}]}},
    "RolePolicyList":[],"AttachedManagedPolicies":[{{"PolicyName":"edge","PolicyArn":"arn:aws:iam::{ACCOUNT}:policy/edge"}}],
    "RoleLastUsed":{{"LastUsedDate":"2026-06-01T00:00:00+00:00","Region":"eu-west-1"}}}},
  {{"RoleName":"idle","Arn":"arn:aws:iam::{ACCOUNT}:role/idle","RoleLastUsed":{{}}}}
 ],
 "Policies": [
  {{"PolicyName":"edge","Arn":"arn:aws:iam::{ACCOUNT}:policy/edge","DefaultVersionId":"v2","PolicyVersionList":[
    {{"VersionId":"v2","IsDefaultVersion":true,"Document":{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}}}},
    {{"VersionId":"v1","IsDefaultVersion":false,"Document":{{"Statement":[]}}}}]}}
 ]
}}
"#,
        ci = user_arn("ci"),
    )
}

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated,new_column\n";

/// A credential report: root without keys, `ci` with two keys and no password.
fn report() -> String {
    format!(
        "{HEADER}\
<root_account>,arn:aws:iam::{ACCOUNT}:root,2018-05-01T10:00:00+00:00,not_supported,2026-01-02T03:04:05+00:00,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,x\n\
ci,{},2024-03-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2024-03-02T00:00:00+00:00,2026-06-30T12:00:00+00:00,eu-west-1,ecr,TRUE,2026-05-01T00:00:00+00:00,N/A,N/A,N/A,true,2014-02-02T00:00:00+00:00,false,N/A,x\n",
        user_arn("ci")
    )
}

fn keys() -> String {
    format!(
        r#"{{"AccessKeyMetadata":[
  {{"UserName":"ci","AccessKeyId":"{}","Status":"Inactive","CreateDate":"2026-05-01T00:00:00+00:00"}},
  {{"UserName":"ci","AccessKeyId":"{}","Status":"Active","CreateDate":"2024-03-02T00:00:00+00:00"}}]}}"#,
        id("NEW"),
        id("OLD")
    )
}
