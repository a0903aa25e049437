//! Whole exports in every shape that AWS and its command line give them.

use keymuster_api::{
    AttachmentKind, Cancel, ClaimRole, Connector, GapKind, IdentityKind, Known, Status,
};

use super::{ACCOUNT, Export, Facts, connector, cx, details, id, keys, report, time, user_arn};

#[test]
fn authorization_details_become_facts() {
    let facts = Export::new()
        .with("a.json", details())
        .with("k.json", keys())
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
    let used = r#"{"UserName":"ci","AccessKeyLastUsed":{"LastUsedDate":"2026-07-01T00:00:00Z","ServiceName":"s3","Region":"us-east-1"}}"#;
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
        .with("k.json", keys())
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
        .with("k.json", keys())
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
