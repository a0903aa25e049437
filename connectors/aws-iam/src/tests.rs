//! Exports written at test time, read through the connector. Access key ids are made here, so
//! that nothing in the tree looks like one.

use std::{fs, path::Path};

use keymuster_api::{
    AttachmentKind, Cancel, Claim, ClaimRole, Connector, Coverage, Credential, Cx, Gap, GapKind,
    Identity, IdentityKind, Item, Known, Membership, NoProgress, Policy, Redaction, Redactor,
    Resource, SecretId, Sink, Status, SystemId, Trust,
};
use tempfile::TempDir;

use crate::{AwsIamConnector, AwsIamSpec};

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

#[derive(Default)]
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

#[test]
fn authorization_details_become_facts() {
    let facts = Export::new()
        .with("a.json", details())
        .with("r.csv", report())
        .read();
    assert_eq!(facts.gaps, []);
    assert_eq!(facts.resources.len(), 1);
    assert_eq!(facts.resources[0].name, ACCOUNT);

    let ci = facts.identity(&user_arn("ci"));
    assert_eq!(
        (ci.kind, ci.account.as_deref()),
        (IdentityKind::User, Some(ACCOUNT))
    );
    assert_eq!(ci.created, time("2024-03-01T00:00:00Z"));
    assert_eq!(
        (ci.interactive, ci.mfa),
        (Known::Known(false), Known::Known(false))
    );
    assert_eq!(
        ci.last_used,
        time("2026-06-30T12:00:00Z"),
        "by its access key"
    );
    assert_eq!(
        ci.tags[2],
        ("note".to_owned(), "pw [sealed test.word]!".to_owned())
    );
    assert!(
        ci.source.locator.ends_with("a.json:3"),
        "{}",
        ci.source.locator
    );
    assert_eq!(
        facts
            .identity(&format!("arn:aws:iam::{ACCOUNT}:role/app"))
            .last_used,
        time("2026-06-01T00:00:00Z")
    );
    assert_eq!(
        facts
            .identity(&format!("arn:aws:iam::{ACCOUNT}:role/idle"))
            .last_used,
        Known::Never
    );
    assert_eq!(
        facts.identity(&format!("arn:aws:iam::{ACCOUNT}:root")).kind,
        IdentityKind::Root
    );

    assert_eq!(facts.memberships.len(), 1);
    assert_eq!(
        facts.memberships[0].group.0,
        format!("arn:aws:iam::{ACCOUNT}:group/ops")
    );
    let edge = facts.policy(&format!("arn:aws:iam::{ACCOUNT}:policy/edge"));
    assert!(
        edge.document.contains("s3:*"),
        "the default version: {}",
        edge.document
    );
    let ties: Vec<_> = edge
        .attached
        .iter()
        .map(|tie| (tie.to.0.as_str(), tie.kind))
        .collect();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/app");
    assert_eq!(
        ties,
        [
            (role.as_str(), AttachmentKind::Attached),
            (&user_arn("ci"), AttachmentKind::Boundary)
        ]
    );
    let own = facts.policy(&format!("{}/inline/own", user_arn("ci")));
    assert_eq!(own.document, r#"{"Version":"2012-10-17","Statement":[]}"#);
    // The export lacks AWS's own policy, whose document is known.
    let admin = facts.policy("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(
        admin.attached[0].to.0,
        format!("arn:aws:iam::{ACCOUNT}:group/ops")
    );
    assert_eq!(facts.trusts.len(), 1);

    let claims: Vec<_> = facts
        .claims
        .iter()
        .map(|claim| (claim.party.as_str(), claim.role, claim.confidence))
        .collect();
    assert_eq!(
        claims,
        [
            ("ann@example.com", ClaimRole::Owner, 80),
            ("bob", ClaimRole::Creator, 60)
        ]
    );
    assert_eq!(facts.covered("users"), (Some(1), 1, true));
    assert_eq!(facts.covered("policies"), (Some(2), 2, true));
    assert_eq!(facts.covered("access keys"), (Some(2), 2, true));
}

#[test]
fn a_report_alone_gives_slots() {
    let facts = Export::new().with("r.csv", report()).read();
    let one = facts.credential(&format!("aws:access-key-slot:{}#1", user_arn("ci")));
    assert_eq!(
        (one.kind.as_str(), one.handle.clone(), one.status),
        ("aws.access-key", None, Status::Active)
    );
    assert_eq!(
        (one.created, one.rotated),
        (time("2024-03-02T00:00:00Z"), time("2024-03-02T00:00:00Z"))
    );
    assert_eq!(one.last_used_for.as_deref(), Some("ecr eu-west-1"));
    assert_eq!(one.expires, Known::Never);
    assert!(
        one.source.locator.ends_with("r.csv:3"),
        "{}",
        one.source.locator
    );
    assert_eq!(
        facts
            .credential(&format!("aws:access-key-slot:{}#2", user_arn("ci")))
            .last_used,
        Known::Never
    );
    let certificate = facts.credential(&format!(
        "aws:signing-certificate-slot:{}#1",
        user_arn("ci")
    ));
    assert_eq!(
        (certificate.kind.as_str(), certificate.created),
        ("aws.signing-certificate", time("2014-02-02T00:00:00Z"))
    );
    let root = facts.credential(&format!("aws:password:arn:aws:iam::{ACCOUNT}:root"));
    assert_eq!(root.last_used, time("2026-01-02T03:04:05Z"));
    assert!(
        !facts
            .credentials
            .iter()
            .any(|one| one.key.0 == format!("aws:password:{}", user_arn("ci")))
    );
    facts.gap(GapKind::Missing, "no authorization details");
}

#[test]
fn a_listed_key_and_its_slot_are_one_credential() {
    let used = format!(
        r#"{{"UserName":"ci","AccessKeyLastUsed":{{"LastUsedDate":"2026-07-01T00:00:00Z","ServiceName":"s3","Region":"us-east-1"}}}}"#
    );
    let facts = Export::new()
        .with("a.json", details())
        .with("r.csv", report())
        .with("k.json", keys())
        .with(&format!("last-used-{}.json", id("OLD")), used)
        .read();
    assert_eq!(facts.gaps, []);
    let (new, old) = (
        format!("aws:access-key:{}", id("NEW")),
        format!("aws:access-key:{}", id("OLD")),
    );
    assert_eq!(facts.access_keys(), [new.as_str(), &old]);
    let new = facts.credential(&new);
    assert_eq!(
        (new.status, new.last_used),
        (Status::Disabled, Known::Never)
    );
    assert_eq!(
        new.handle
            .as_ref()
            .map(|one| (one.scheme.as_str(), one.value.clone())),
        Some(("aws-access-key-id", id("NEW")))
    );
    let old = facts.credential(&old);
    assert_eq!(
        (old.status, old.last_used),
        (Status::Active, time("2026-07-01T00:00:00Z"))
    );
    assert_eq!(old.last_used_for.as_deref(), Some("s3 us-east-1"));
    assert_eq!(
        old.identity.as_ref().map(|key| key.0.clone()),
        Some(user_arn("ci"))
    );
}

#[test]
fn a_key_made_after_the_report_is_not_its_slot() {
    let list = format!(
        r#"{{"AccessKeyMetadata":[{{"UserName":"ci","AccessKeyId":"{}","Status":"Active","CreateDate":"2026-06-30T00:00:00Z"}}]}}"#,
        id("X")
    );
    let facts = Export::new()
        .with("r.csv", report())
        .with("k.json", list)
        .read();
    assert_eq!(facts.access_keys().len(), 3);
    facts.gap(
        GapKind::Missing,
        "2 access keys of the credential report have no id",
    );
    assert_eq!(facts.covered("access keys"), (Some(2), 1, false));
}

#[test]
fn last_used_answers_come_in_many_shapes() {
    let answer = r#"{"UserName":"ci","AccessKeyLastUsed":{"LastUsedDate":"2026-06-01T00:00:00Z","ServiceName":"sts","Region":"eu-west-1"}}"#;
    let single = format!(
        r#"{{"AccessKeyMetadata":[{{"UserName":"ci","AccessKeyId":"{}","Status":"Active","CreateDate":"2024-03-02T00:00:00Z"}}]}}"#,
        id("ONE")
    );
    let with_id = answer.replacen('{', &format!(r#"{{"AccessKeyId":"{}","#, id("ONE")), 1);
    for (name, content) in [
        ("u.json", answer.to_owned()),
        ("u.json", format!(r#"{{"{}":{answer}}}"#, id("ONE"))),
        ("u.json", format!("[{with_id}]")),
        (&*format!("last-used-{}.json", id("ONE")), answer.to_owned()),
    ] {
        let facts = Export::new()
            .with("a.json", details())
            .with("k.json", &single)
            .with(name, content)
            .read();
        let key = facts.credential(&format!("aws:access-key:{}", id("ONE")));
        assert_eq!(key.last_used, time("2026-06-01T00:00:00Z"), "{name}");
        assert_eq!(facts.gaps, [], "{name}");
    }
    let never = r#"{"UserName":"ci","AccessKeyLastUsed":{"ServiceName":"N/A","Region":"N/A"}}"#;
    let facts = Export::new()
        .with("a.json", details())
        .with("k.json", &single)
        .with("u.json", never)
        .read();
    let key = facts.credential(&format!("aws:access-key:{}", id("ONE")));
    assert_eq!(
        (key.last_used, key.last_used_for.clone()),
        (Known::Never, None)
    );
    // Two keys and no id: nobody knows which.
    let facts = Export::new()
        .with("a.json", details())
        .with("k.json", keys())
        .with("u.json", answer)
        .read();
    facts.gap(GapKind::Missing, "names no access key");
}

#[test]
fn lists_may_be_pages_lines_or_one_after_another() {
    let one = |tail: &str| {
        format!(
            r#"{{"AccessKeyMetadata":[{{"UserName":"ci","AccessKeyId":"{}","Status":"Active","CreateDate":1709337600.0}}]}}"#,
            id(tail)
        )
    };
    let entries = format!(
        r#"[{{"UserName":"ci","AccessKeyId":"{}","Status":"Active"}},{{"UserName":"ci","AccessKeyId":"{}","Status":"Active"}}]"#,
        id("A"),
        id("B")
    );
    for content in [
        format!("[{},{}]", one("A"), one("B")),
        format!("{}\n{}\n", one("A"), one("B")),
        format!("{}{}", one("A"), one("B")),
        format!("\u{feff}{}\r\n{}", one("A"), one("B")),
        entries,
    ] {
        let facts = Export::new()
            .with("a.json", details())
            .with("k.json", &content)
            .read();
        assert_eq!(facts.access_keys().len(), 2, "{content}");
        assert_eq!(facts.gaps, [], "{content}");
    }
}

#[test]
fn details_may_be_pages_in_a_list_in_lines_or_in_files() {
    let user = |name: &str| format!(r#"{{"UserName":"{name}","Arn":"{}"}}"#, user_arn(name));
    let page = |name: &str, more: bool| {
        format!(
            r#"{{"UserDetailList":[{}],"IsTruncated":{more}}}"#,
            user(name)
        )
    };
    let (first, last) = (page("a", true), page("b", false));
    for export in [
        Export::new().with("d.json", format!("[{first},{last}]")),
        Export::new().with("d.jsonl", format!("{first}\n{last}\n")),
        Export::new().with("1.json", &first).with("2.json", &last),
        Export::new().with("d.json", utf16(&format!("[{first},{last}]"))),
    ] {
        let facts = export.read();
        assert_eq!(facts.covered("users"), (None, 2, true));
    }
    let facts = Export::new().with("1.json", &first).read();
    facts.gap(GapKind::Missing, "the next page is missing");
    assert_eq!(facts.covered("users"), (None, 1, false));
    assert_eq!(facts.covered("roles"), (None, 0, false));
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect()
}

#[test]
fn the_report_may_come_as_base64() {
    use base64::Engine as _;
    let packed = base64::engine::general_purpose::STANDARD.encode(report());
    let (start, end) = packed.split_at(76);
    let facts = Export::new()
        .with("a.json", details())
        .with("r.json", format!(r#"{{"Content":"{start}\n{end}","ReportFormat":"text/csv","GeneratedTime":"2026-06-30T00:00:00Z"}}"#))
        .read();
    assert_eq!(facts.gaps, []);
    assert_eq!(facts.access_keys().len(), 2);
    let facts = Export::new()
        .with("r.json", r#"{"Content":"!!!","ReportFormat":"text/csv"}"#)
        .read();
    facts.gap(GapKind::Corrupt, "no base64 of a credential report");
}

#[test]
fn service_credentials_carry_their_end() {
    let list = r#"{"ServiceSpecificCredentials":[
      {"UserName":"ci","Status":"Active","ServiceUserName":"ci-at-1","CreateDate":"2025-01-01T00:00:00Z","ServiceSpecificCredentialId":"ACCAEXAMPLE1","ServiceName":"bedrock.amazonaws.com","ExpirationDate":"2026-01-01T00:00:00Z"},
      {"UserName":"ci","Status":"Inactive","CreateDate":"2025-01-01T00:00:00Z","ServiceSpecificCredentialId":"ACCAEXAMPLE2","ServiceName":"codecommit.amazonaws.com"}]}"#;
    let facts = Export::new()
        .with("a.json", details())
        .with("r.csv", report())
        .with("s.json", list)
        .read();
    let one = facts.credential("aws:service-credential:ACCAEXAMPLE1");
    assert_eq!(
        (one.kind.as_str(), one.expires),
        ("aws.service-credential", time("2026-01-01T00:00:00Z"))
    );
    assert_eq!(one.name.as_deref(), Some("bedrock.amazonaws.com ci-at-1"));
    let two = facts.credential("aws:service-credential:ACCAEXAMPLE2");
    assert_eq!(
        (two.status, two.expires, two.last_used),
        (Status::Disabled, Known::Never, Known::Unsupported)
    );
}

#[test]
fn control_policies_are_tied_to_the_account() {
    let allow =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let facts = Export::new()
        .with("a.json", details())
        .with("r.csv", report())
        .with("deny-scp.json", allow)
        .with("list.json", format!(r#"{{"scps":[{allow},{{"Name":"FullAWSAccess","Id":"p-FullAWSAccess","Document":{allow}}}]}}"#))
        .with("levels.json", format!(r#"{{"scp_levels":[[{allow}],[{allow}]]}}"#))
        .with("describe.json", format!(r#"{{"Policy":{{"PolicySummary":{{"Arn":"arn:aws:organizations::1:policy/o-1/resource_control_policy/p-r","Name":"r","Type":"RESOURCE_CONTROL_POLICY"}},"Content":{}}}}}"#, serde_json::Value::from(allow)))
        .read();
    assert_eq!(facts.gaps, []);
    let tied = |key: &str| {
        let tie = &facts.policy(key).attached[0];
        (tie.to.0.clone(), tie.kind)
    };
    let account = format!("aws:account:{ACCOUNT}");
    assert_eq!(
        tied(&format!("aws:scp:{ACCOUNT}/deny-scp#0")),
        (account.clone(), AttachmentKind::Account)
    );
    assert_eq!(
        tied("p-FullAWSAccess"),
        (account.clone(), AttachmentKind::Account)
    );
    assert_eq!(
        tied("arn:aws:organizations::1:policy/o-1/resource_control_policy/p-r"),
        (account.clone(), AttachmentKind::Resource)
    );
    let level = format!("aws:organization-level:{ACCOUNT}/1");
    assert_eq!(
        tied(&format!("aws:scp:{ACCOUNT}/levels#1.0")),
        (level.clone(), AttachmentKind::Account)
    );
    assert!(
        facts
            .memberships
            .iter()
            .any(|one| one.member.0 == account && one.group.0 == level)
    );
    // A policy document that nothing calls a control policy is not taken for one.
    let facts = Export::new().with("policy.json", allow).read();
    facts.gap(GapKind::Unsupported, "policy.json");
}

#[test]
fn a_cut_file_gives_what_stands_before_the_cut() {
    let whole = details();
    let cut = &whole[..whole.find("\"RoleDetailList\"").expect("roles") + 60];
    let facts = Export::new()
        .with("a.json", cut)
        .with("b.json", "{\"AccessKeyMetadata\": []}")
        .read();
    let gap = facts.gap(GapKind::Corrupt, "a.json");
    assert!(
        gap.reason
            .contains("ends in the middle of a value at line 14 column"),
        "{}",
        gap.reason
    );
    assert!(
        gap.source.locator.ends_with("a.json:14"),
        "{}",
        gap.source.locator
    );
    assert_eq!(
        facts
            .identities
            .iter()
            .filter(|one| one.kind == IdentityKind::User)
            .count(),
        1
    );
    assert!(facts.coverage.iter().all(|one| !one.complete));
}

#[test]
fn a_broken_line_costs_only_itself() {
    let line = |name: &str| {
        format!(
            r#"{{"UserDetailList":[{{"UserName":"{name}","Arn":"{}"}}]}}"#,
            user_arn(name)
        )
    };
    let content = format!(
        "{}\n{{\"UserDetailList\":[{{\"UserName\":\n{}\n",
        line("a"),
        line("c")
    );
    let facts = Export::new().with("d.jsonl", content).read();
    assert_eq!(facts.identities.len(), 2);
    facts.gap(GapKind::Corrupt, "d.jsonl");
}

#[test]
fn odd_entries_are_told_and_left_out() {
    let a = user_arn("a");
    let content = format!(
        "{{\"UserDetailList\":[\n{{\"UserName\":\"a\",\"Arn\":\"{a}\"}},\n{{\"UserName\":7}},\n\
         {{\"UserName\":\"b\",\"UserName\":\"c\",\"Arn\":\"{}\"}},\n{{\"UserName\":\"d\",\"Arn\":\"nothing\"}}],\"UserDetailList\":[]}}",
        user_arn("c")
    );
    let facts = Export::new().with("d.json", content).read();
    let names: Vec<&str> = facts
        .identities
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["a", "c"]);
    facts.gap(GapKind::Corrupt, "the user at line 3");
    facts.gap(
        GapKind::Corrupt,
        "a key of the user at line 4 is given twice",
    );
    facts.gap(GapKind::Corrupt, "the key UserDetailList is given twice");
    facts.gap(GapKind::Corrupt, "no ARN of IAM");
}

#[test]
fn duplicate_policies_are_one_unless_they_differ() {
    let policy = |version: &str, action: &str| {
        format!(
            r#"{{"Policies":[{{"PolicyName":"p","Arn":"arn:aws:iam::{ACCOUNT}:policy/p","DefaultVersionId":"{version}","PolicyVersionList":[{{"VersionId":"{version}","IsDefaultVersion":true,"Document":{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}}}]}}]}}"#
        )
    };
    let read = |second: String| {
        Export::new()
            .with("1.json", policy("v1", "a:b"))
            .with("2.json", second)
            .read()
    };
    let key = format!("arn:aws:iam::{ACCOUNT}:policy/p");
    // Policies alone name no principal, so there is no account to be covered and nothing missing.
    assert_eq!(read(policy("v1", "a:b")).gaps, []);
    let newer = read(policy("v2", "c:d"));
    assert!(newer.policy(&key).document.contains("c:d"));
    let differs = read(policy("v1", "c:d"));
    differs.gap(GapKind::Corrupt, "given twice with different documents");
    assert!(differs.policy(&key).document.contains("a:b"));
}

#[test]
fn half_an_export_is_not_complete() {
    let other = format!(
        "{}\n",
        report().replace("ci,", "cd,").replace("user/ci", "user/cd")
    );
    let facts = Export::new()
        .with("a.json", details())
        .with("r.csv", other)
        .read();
    facts.gap(GapKind::Missing, "the credential report lacks 1 of 1 users");
    facts.gap(
        GapKind::Missing,
        "the authorization details lack 1 of 1 users",
    );
    assert_eq!(facts.covered("users"), (Some(1), 1, false));

    let facts = Export::new().with("a.json", details()).read();
    facts.gap(
        GapKind::Missing,
        "access keys of 1 of 1 users were not listed",
    );
    assert_eq!(facts.covered("access keys"), (None, 0, false));
    // A user without keys has an empty list, which does not name the user.
    let facts = Export::new()
        .with("a.json", details())
        .with("k.json", r#"{"AccessKeyMetadata":[]}"#)
        .read();
    assert_eq!(facts.gaps, []);
    assert_eq!(facts.covered("access keys"), (None, 0, true));

    let no_group = details().replace("\"GroupDetailList\"", "\"Nothing\"");
    let facts = Export::new()
        .with("a.json", no_group)
        .with("r.csv", report())
        .read();
    facts.gap(GapKind::Missing, "the group is not in the export");
    let no_policy = details().replace("\"Policies\"", "\"Nothing\"");
    let facts = Export::new()
        .with("a.json", no_policy)
        .with("r.csv", report())
        .read();
    facts.gap(GapKind::Missing, "its document is not in the export");
    assert_eq!(facts.covered("policies"), (Some(2), 1, false));
}

#[test]
fn a_cut_report_is_told() {
    let whole = report();
    let facts = Export::new()
        .with("r.csv", &whole[..whole.len() - 60])
        .read();
    facts.gap(GapKind::Corrupt, "row of line 3 ends early");
    assert!(!facts.covered("access keys").2);
    let twice = format!("{whole}{}", whole.lines().last().expect("a row"));
    let facts = Export::new().with("r.csv", twice).read();
    facts.gap(GapKind::Corrupt, "rows of lines 3 and 4 are of one user");
    assert_eq!(facts.access_keys().len(), 2);
}

#[test]
fn hostile_files_are_gaps() {
    for (name, content, kind) in [
        ("empty.json", Vec::new(), GapKind::Corrupt),
        ("text.txt", b"hello".to_vec(), GapKind::Unsupported),
        (
            "other.json",
            br#"{"Buckets":[]}"#.to_vec(),
            GapKind::Unsupported,
        ),
        ("number.json", b"[1,2,\"x\"]".to_vec(), GapKind::Unsupported),
        ("deep.json", b"[".repeat(100_000), GapKind::Corrupt),
        (
            "shape.json",
            br#"{"UserDetailList":5}"#.to_vec(),
            GapKind::Corrupt,
        ),
        (
            "binary.json",
            b"{\"Users\":[],\xff\xfe}".to_vec(),
            GapKind::Corrupt,
        ),
    ] {
        let facts = Export::new().with(name, content).read();
        facts.gap(kind, name);
        assert_eq!(facts.identities.len(), 0);
    }
    // The answer of create-access-key holds a secret; nothing of it may be told.
    let made = format!(
        r#"{{"AccessKeyId":"{}","Status":"Active","SecretAccessKey":"hunter2"}}"#,
        id("S")
    );
    let facts = Export::new()
        .with("made.json", format!(r#"{{"AccessKey":{made}}}"#))
        .with("bare.json", made)
        .read();
    assert_eq!(facts.gaps.len(), 2);
    assert!(!format!("{:?}", facts.gaps).contains("hunter2"));
}

#[test]
fn users_of_one_name_in_two_accounts_are_told_apart_by_folder() {
    let other = "210987654321";
    let list = |tail: &str| {
        format!(
            r#"{{"AccessKeyMetadata":[{{"UserName":"ci","AccessKeyId":"{}","Status":"Active"}}]}}"#,
            id(tail)
        )
    };
    let facts = Export::new()
        .with("prod/a.json", details())
        .with("prod/k.json", list("P"))
        .with("dev/a.json", details().replace(ACCOUNT, other))
        .with("dev/k.json", list("D"))
        .with(&format!("keys-{other}.json"), list("E"))
        .read();
    let account = |tail: &str| {
        facts
            .credential(&format!("aws:access-key:{}", id(tail)))
            .account
            .clone()
    };
    assert_eq!(account("P").as_deref(), Some(ACCOUNT));
    assert_eq!(account("D").as_deref(), Some(other));
    assert_eq!(account("E").as_deref(), Some(other));
    assert_eq!(facts.resources.len(), 2);
    let facts = Export::new()
        .with("prod/a.json", details())
        .with("dev/a.json", details().replace(ACCOUNT, other))
        .with("k.json", list("P"))
        .read();
    facts.gap(GapKind::Missing, "in several accounts");
    assert_eq!(
        facts
            .credential(&format!("aws:access-key:{}", id("P")))
            .identity,
        None
    );
}

#[test]
fn keys_without_users_take_the_configured_account() {
    let facts = Export::new().with("k.json", keys()).read_as(Some(ACCOUNT));
    assert_eq!(
        facts
            .credential(&format!("aws:access-key:{}", id("OLD")))
            .account
            .as_deref(),
        Some(ACCOUNT)
    );
    assert_eq!(facts.identity(&user_arn("ci")).kind, IdentityKind::User);
    let facts = Export::new().with("k.json", keys()).read();
    facts.gap(GapKind::Missing, &id("OLD"));
}

#[test]
fn partitions_are_kept() {
    let facts = Export::new()
        .with("a.json", details().replace("arn:aws:", "arn:aws-us-gov:"))
        .read();
    assert_eq!(facts.resources[0].name, ACCOUNT);
    facts.identity(&user_arn("ci").replace("arn:aws:", "arn:aws-us-gov:"));
}

#[test]
fn the_order_is_fixed() {
    let show = |facts: Facts| {
        let keys: Vec<String> = facts
            .credentials
            .iter()
            .map(|one| one.key.0.clone())
            .collect();
        format!(
            "{keys:?} {:?}",
            facts
                .identities
                .iter()
                .map(|one| one.key.0.clone())
                .collect::<Vec<_>>()
        )
    };
    let a = show(
        Export::new()
            .with("1.json", details())
            .with("2.csv", report())
            .with("3.json", keys())
            .read(),
    );
    let b = show(
        Export::new()
            .with("3.json", details())
            .with("1.csv", report())
            .with("2.json", keys())
            .read(),
    );
    assert_eq!(a, b);
}

#[test]
fn preflight_says_what_will_be_read() {
    let export = Export::new().with("a.json", details());
    let cancel = Cancel::new();
    let told = connector(export.0.path(), Some(ACCOUNT))
        .preflight(&cx(&cancel))
        .expect("a preflight");
    assert!(
        told.summary.starts_with("reads 1 exported file, "),
        "{}",
        told.summary
    );
    assert!(told.summary.contains(ACCOUNT));
    let nowhere = connector(&export.0.path().join("nothing"), None);
    assert!(nowhere.preflight(&cx(&cancel)).is_err());
    let mut facts = Facts::default();
    nowhere.sweep(&cx(&cancel), &mut facts).expect("a sweep");
    facts.gap(GapKind::Missing, "no such file");
    assert_eq!(nowhere.about().kind, "aws-iam");
}

#[test]
fn a_stopped_run_says_what_was_not_read() {
    let export = Export::new().with("a.json", details());
    let cancel = Cancel::new();
    cancel.cancel();
    let mut facts = Facts::default();
    connector(export.0.path(), None)
        .sweep(&cx(&cancel), &mut facts)
        .expect("a sweep");
    facts.gap(GapKind::Cancelled, "a.json");
}
