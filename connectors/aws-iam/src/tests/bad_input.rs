//! Half exports, cut files, hostile files: what is readable is read, the rest is told.

use keymuster_api::{Cancel, Connector, GapKind, IdentityKind};

use super::{ACCOUNT, Export, Facts, connector, cx, details, id, keys, report, user_arn};

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
    // The report counts keys, and names none: which of them a register knows stays open.
    let facts = Export::new()
        .with("a.json", details())
        .with("r.csv", report())
        .read();
    facts.gap(
        GapKind::Missing,
        "2 access keys of the credential report have no id",
    );
    assert_eq!(facts.covered("access keys"), (Some(2), 0, false));
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
        ("deep-lines.json", b"[\n".repeat(200_000), GapKind::Corrupt),
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
